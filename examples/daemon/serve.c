/* SPDX-License-Identifier: MIT */
/* The daemon's life: start-up is recovery, then the loop, then a clean end. */
#include "daemon.h"
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ORPHAN_PATIENCE 100 /* tenths of a second */

typedef struct service {
    daemon_state *daemon;
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_signal_t reload;
    uv_timer_t watchdog;
    int lock;
} service;

csm_time daemon_now(const daemon_state *d) {
    if (d->test_clock) return test_clock_now();
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (csm_time)now.tv_sec * CSM_SECOND + now.tv_nsec;
}

void daemon_changed(daemon_state *d) {
    atomic_fetch_add(&d->changes, 1);
}

/* ---- locks ---- */

static int open_lock(const daemon_state *d, const char *name) {
    char path[DAEMON_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", d->workspace, name);
    return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

/* One daemon a workspace. Jobs of a daemon that was killed die with it; should one linger, its lock is waited for. */
static csm_status take_locks(service *v) {
    daemon_state *d = v->daemon;
    if (mkdir(d->workspace, 0700) != 0 && errno != EEXIST)
        return fail(CSM_EIO, "%s cannot be made: %s", d->workspace, strerror(errno));
    v->lock = open_lock(d, "daemon.lock");
    int jobs = open_lock(d, "daemon-jobs.lock");
    csm_status status = CSM_OK;
    if (v->lock < 0 || jobs < 0)
        status = fail(CSM_EIO, "%s: locks cannot be opened: %s", d->workspace, strerror(errno));
    else if (flock(v->lock, LOCK_EX | LOCK_NB) != 0)
        status = fail(CSM_ELOCKED, "%s: another daemon serves this workspace", d->workspace);
    for (int i = 0; status == CSM_OK && flock(jobs, LOCK_EX | LOCK_NB) != 0; i++) {
        if (i == 0)
            log_write(&d->log, CSM_LOG_WARN, "daemon", NULL, "jobs of an earlier daemon still run; waiting");
        if (i == ORPHAN_PATIENCE)
            status = fail(CSM_ELOCKED, "%s: jobs of an earlier daemon do not end", d->workspace);
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    if (jobs >= 0) close(jobs);
    return status;
}

/* Opens the workspace once for writing: makes it, or recovers it. */
static csm_status recover_workspace(daemon_state *d) {
    csm_context *context = NULL;
    csm_store *store = NULL;
    csm_status status = csm_context_new(&context, NULL);
    if (status == CSM_OK) {
        csm_context_set_log(context, log_library, &d->log);
        status = csm_store_open(&store, context, d->workspace, CSM_STORE_CREATE);
    }
    if (status != CSM_OK) status = fail_library(status, "");
    csm_store_free(store);
    csm_context_free(context);
    return status;
}

static csm_status open_database(daemon_state *d) {
    char path[DAEMON_PATH + 32];
    snprintf(path, sizeof path, "%s/daemon.db", d->workspace);
    return database_open(&d->db, path);
}

/* ---- signals ---- */

static void close_one(uv_handle_t *handle, void *user) {
    (void)user;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void on_jobs_ended(daemon_state *d) {
    uv_walk(&d->loop, close_one, NULL);
}

static void on_terminate(uv_signal_t *signal, int number) {
    service *v = signal->data;
    daemon_state *d = v->daemon;
    if (!d->ready) return;
    d->ready = false;
    (void)notify("STOPPING=1");
    log_write(&d->log, CSM_LOG_INFO, "daemon", NULL, "%s: stopping", number == SIGINT ? "SIGINT" : "SIGTERM");
#ifdef DAEMON_WEB
    web_stop(d->web);
    d->web = NULL;
#endif
    alerts_stop(d->alerts);
    resources_stop(d->resources);
    scheduler_stop(d->scheduler, on_jobs_ended);
}

static void on_reload(uv_signal_t *signal, int number) {
    service *v = signal->data;
    daemon_state *d = v->daemon;
    const csm_config *before = d->config;
    (void)number;
    (void)notify("RELOADING=1");
    csm_status status = daemon_configure(d, true);
    if (status == CSM_OK) {
        status = scheduler_reload(d->scheduler);
        if (status != CSM_OK) d->config = before;
    }
    if (status == CSM_OK)
        log_write(&d->log, CSM_LOG_INFO, "daemon", NULL,
                  "configuration read again; address, port and TLS change at a restart");
    else
        log_write(&d->log, CSM_LOG_ERROR, "daemon", NULL, "the configuration stays as it was: %s",
                  failure_text());
    (void)notify("READY=1");
}

static void on_watchdog(uv_timer_t *timer) {
    (void)timer;
    (void)notify("WATCHDOG=1");
}

static void start_handles(service *v) {
    uv_loop_t *loop = &v->daemon->loop;
    uint64_t period = notify_watchdog_period();
    uv_signal_init(loop, &v->terminate);
    uv_signal_init(loop, &v->interrupt);
    uv_signal_init(loop, &v->reload);
    uv_timer_init(loop, &v->watchdog);
    v->terminate.data = v->interrupt.data = v->reload.data = v;
    uv_signal_start(&v->terminate, on_terminate, SIGTERM);
    uv_signal_start(&v->interrupt, on_terminate, SIGINT);
    uv_signal_start(&v->reload, on_reload, SIGHUP);
    if (period > 0) uv_timer_start(&v->watchdog, on_watchdog, period, period);
}

/* ---- life ---- */

static csm_status start(service *v) {
    daemon_state *d = v->daemon;
    csm_status status = take_locks(v);
    if (status == CSM_OK) status = recover_workspace(d);
    if (status == CSM_OK) status = open_database(d);
    if (status != CSM_OK) return status;
    signal(SIGPIPE, SIG_IGN);
    start_handles(v);
    status = scheduler_start(&d->scheduler, d);
    if (status == CSM_OK) status = alerts_start(&d->alerts, d);
    if (status == CSM_OK) status = resources_start(&d->resources, d);
#ifdef DAEMON_WEB
    if (status == CSM_OK) status = web_start(&d->web, d);
#endif
    return status;
}

int daemon_serve(daemon_state *d) {
    service v = {.daemon = d, .lock = -1};
    d->started = daemon_now(d);
    uv_loop_init(&d->loop);
    csm_status status = start(&v);
    if (status == CSM_OK) {
        d->ready = true;
        log_write(&d->log, CSM_LOG_INFO, "daemon", NULL, "cryptosmartd %s serves %s", csm_version(),
                  d->workspace);
        (void)notify("READY=1");
    } else {
        log_write(&d->log, CSM_LOG_ERROR, "daemon", NULL, "%s: %s", csm_status_name(status), failure_text());
#ifdef DAEMON_WEB
        web_stop(d->web);
#endif
        uv_walk(&d->loop, close_one, NULL);
    }
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
    resources_free(d->resources);
    alerts_free(d->alerts);
    scheduler_free(d->scheduler);
    database_close(d->db);
    if (v.lock >= 0) close(v.lock);
    if (status == CSM_OK) log_write(&d->log, CSM_LOG_INFO, "daemon", NULL, "ended");
    return exit_code(status);
}
