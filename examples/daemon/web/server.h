/* SPDX-License-Identifier: MIT */
/* The parts of the web server, as they see each other. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "accounts.h"
#include "dashboard.h"
#include "guard.h"
#include "limiter.h"
#include "request.h"
#include "workers.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

typedef struct viewer viewer;
typedef struct streams streams;

struct dashboard {
    dashboard_options options;
    char *workspace;
    char *database;
    char *certificate; /* PEM bytes; NULL: plain HTTP */
    char *key;
    struct MHD_Daemon *server;
    accounts *accounts;
    limiter *limiter;
    guard *guard;
    workers *passwords; /* argon2id: bounded, so that logins cannot take all memory or processors */
    workers *readers;   /* what reads the workspace or the database at length */
    viewer *viewer;
    streams *streams;
    uint16_t port;
    csm_time started;
    _Atomic uint64_t requests;
    _Atomic uint64_t answers[6];   /* by class of status, 1xx to 5xx */
    _Atomic uint64_t microseconds; /* spent on answers */
    _Atomic uint64_t refused;      /* by limits */
    _Atomic bool stopping;
};

csm_time dashboard_now(const dashboard *d);
void dashboard_log(const dashboard *d, csm_log_level level, const char *format, ...) CSM_PRINTF(3, 4);
/* Says to open pages that something changed. Any thread. */
void dashboard_changed(dashboard *d, const char *event, const char *what);

/* ---- who asks (security.c) ---- */

/* Name of the session's cookie. */
const char *cookie_name(const dashboard *d);
/* Finds out who asks, and refuses what may not be: false when an answer stands. */
bool request_permitted(request *r);
/* Whether Host is a name of ours: a foreign one is another site's attempt to read through the reader's browser. */
bool host_good(const dashboard *d, const char *host);

#endif
