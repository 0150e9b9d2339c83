/* SPDX-License-Identifier: MIT */
/* What the parts of cryptosmartd share. */
#ifndef CRYPTOSMARTD_H
#define CRYPTOSMARTD_H

#include "alerts.h"
#include "database.h"
#include "failure.h"
#include "log.h"
#include "resources.h"
#include "scheduler.h"
#include "secrets.h"
#include "settings.h"
#include "test_clock.h"
#include "web.h"

#include <cryptosmart/cryptosmart.h>
#include <stdatomic.h>
#include <uv.h>

#define DAEMON_PATH 4096

typedef struct daemon {
    char program[DAEMON_PATH]; /* this executable, for children */
    char workspace[DAEMON_PATH];
    settings_source source;
    /* The configuration in force. Reloading puts a new one here; those before it live until the end, since other threads may
     * be reading them. */
    const csm_config *_Atomic config;
    csm_config **configs;
    size_t config_count;
    const char *
        test_clock; /* URL of a replay that gives the time (docs/daemon.md, "Test mode"); NULL: the system's clock */
    redactor redactor;
    secrets secrets;
    bool secrets_read;
    logger log;
    database *db;
    scheduler *scheduler;
    alerts *alerts;
    resources *resources;
    web *web;
    uv_loop_t loop;
    _Atomic uint64_t
        changes; /* grows whenever jobs, facts or alerts change, so that watchers know when to look */
    csm_time started;
    bool ready; /* the scheduler runs */
    int code;   /* exit code when the loop has ended */
} daemon_state;

/* The scheduler's time. */
csm_time daemon_now(const daemon_state *d);
/* Says that something which watchers show has changed. Any thread. */
void daemon_changed(daemon_state *d);

/* Reads configuration and secrets and puts them in force when they are whole; else all that is wrong stands in failure_text(), a line
 * each. Jobs do without secrets. */
csm_status daemon_configure(daemon_state *d, bool with_secrets);
/* Runs until SIGTERM or SIGINT; gives the exit code. */
int daemon_serve(daemon_state *d);

/* What main was asked for, beyond what a daemon_state holds. */
typedef struct job_request {
    const char *name;
    const char *cursor; /* "" when the run before left none */
    const char *now;    /* RFC 3339, of a test clock; NULL: the system's */
    int64_t run;
    int64_t parent; /* process id of the daemon; 0: started by hand */
} job_request;
/* Does one job in this process and gives its exit code. */
int job_main(daemon_state *d, const job_request *request);

#endif
