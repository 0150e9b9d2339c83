/* SPDX-License-Identifier: MIT */
/* web_alone WORKSPACE [NOW]: the web server without the scheduler, on any free port of loopback, so that a test can look at a
 * workspace that nothing else changes. Prints the port. NOW stands still. */
#include "database.h"
#include "failure.h"
#include "web/dashboard.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static csm_time fixed_now;

static csm_time now(void *user) {
    struct timespec system;
    (void)user;
    if (fixed_now) return fixed_now;
    clock_gettime(CLOCK_REALTIME, &system);
    return (csm_time)system.tv_sec * CSM_SECOND + system.tv_nsec;
}

static void write_log(void *user, csm_log_level level, const char *text) {
    (void)user;
    if (level <= CSM_LOG_WARN) fprintf(stderr, "%s\n", text);
}

static csm_status run_now(void *user, int64_t *run, const char *job, const char *who, char *text,
                          size_t size) {
    (void)user;
    (void)who;
    *run = 1;
    if (strcmp(job, "learn") == 0) return CSM_OK;
    snprintf(text, size, "there is no job '%s'", job);
    return CSM_ENOTFOUND;
}

static csm_status cancel(void *user, int64_t run, const char *who, char *text, size_t size) {
    (void)user;
    (void)who;
    if (run == 1) return CSM_OK;
    snprintf(text, size, "there is no run %lld", (long long)run);
    return CSM_ENOTFOUND;
}

int main(int argc, char **argv) {
    char path[4096], text[400];
    sigset_t ends;
    int which = 0;
    csm_config *config = NULL;
    database *db = NULL;
    dashboard *d = NULL;
    if (argc < 2 || argc > 3) return 2;
    if (argc == 3 && csm_time_parse(&fixed_now, argv[2], strlen(argv[2])) != CSM_OK) return 2;
    snprintf(path, sizeof path, "%s/daemon.db", argv[1]);
    if (database_open(&db, path) != CSM_OK || csm_config_new(&config) != CSM_OK) {
        fprintf(stderr, "web_alone: %s\n", failure_text());
        return 1;
    }
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    signal(SIGPIPE, SIG_IGN);
    const dashboard_options options = {
        .config = config,
        .workspace = argv[1],
        .database = path,
        .listen = "127.0.0.1",
        .receive_time = 3,
        .host = {.run_now = run_now, .cancel = cancel, .log = write_log, .clock = now}};
    const csm_status status = dashboard_start(&d, &options, text, sizeof text);
    if (status == CSM_OK) {
        printf("%u\n", (unsigned)dashboard_port(d));
        fflush(stdout);
        sigwait(&ends, &which);
        dashboard_stop(d);
    } else {
        fprintf(stderr, "web_alone: %s\n", text);
    }
    csm_config_free(config);
    database_close(db);
    return status == CSM_OK ? 0 : 1;
}
