/* SPDX-License-Identifier: MIT */
/*
 * The web server behind the dashboard, the REST API, events and metrics. It reads the workspace through read-only opens of its
 * own, holds users and sessions in the daemon's database, and asks its host for everything that changes the world through the
 * callbacks below. It knows the library and the database, not the daemon: tests run it alone.
 */
#ifndef WEB_DASHBOARD_H
#define WEB_DASHBOARD_H

#include <cryptosmart/cryptosmart.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct dashboard dashboard;

/* What the server asks of its host, on threads of the server. A status other than CSM_OK comes with a sentence in text[size].
 * NULL: not offered, and the API says so. */
typedef struct dashboard_host {
    void *user;
    csm_status (*run_now)(void *user, int64_t *run, const char *job, const char *who, char *text,
                          size_t size);
    csm_status (*cancel)(void *user, int64_t run, const char *who, char *text, size_t size);
    void (*log)(void *user, csm_log_level level, const char *text);
    csm_clock_fn clock; /* the scheduler's, which may be a replay's; NULL: the system's */
} dashboard_host;

typedef struct dashboard_options {
    const csm_config *config; /* borrowed until dashboard_stop */
    const char *workspace;
    const char *database;    /* daemon.db, with its tables made */
    const char *listen;      /* an IP address of this machine; beyond loopback only with a certificate */
    const char *certificate; /* PEM files; NULL or "": plain HTTP */
    const char *key;
    dashboard_host host;
    uint16_t port; /* 0: any free one */
    uint16_t reserved;
    uint32_t threads;      /* that serve connections; 0: one a processor, 2..8 */
    uint32_t receive_time; /* seconds in which a request must have arrived; 0: 15 */
} dashboard_options;

/* Starts to listen. On failure text[size] says what is wrong. */
csm_status dashboard_start(dashboard **out, const dashboard_options *options, char *text, size_t size);
uint16_t dashboard_port(const dashboard *d);
/* Ends every connection and thread. Takes NULL. */
void dashboard_stop(dashboard *d);

/* `cryptosmartd user add|password|role|remove|list ...` on a database: argv[0] is the verb. The password is asked on the
 * terminal, or read as one line of standard input. Returns an exit code of docs/cli.md. */
int dashboard_user_command(int argc, char **argv, const char *database);

#endif
