/* SPDX-License-Identifier: MIT */
/* Puts the web server into the daemon: its configuration, clock, log and scheduler. */
#include "daemon.h"
#include "web/dashboard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct web {
    dashboard *dashboard;
};

static csm_status run_now(void *user, int64_t *run, const char *job, const char *who, char *text,
                          size_t size) {
    daemon_state *d = user;
    const csm_status status = scheduler_run_now(run, d->scheduler, job, who);
    if (status != CSM_OK) snprintf(text, size, "%s", failure_text());
    return status;
}

static csm_status cancel(void *user, int64_t run, const char *who, char *text, size_t size) {
    daemon_state *d = user;
    const csm_status status = scheduler_cancel(d->scheduler, run, who);
    if (status != CSM_OK) snprintf(text, size, "%s", failure_text());
    return status;
}

static void write_log(void *user, csm_log_level level, const char *text) {
    const daemon_state *d = user;
    log_write(&d->log, level, "web", NULL, "%s", text);
}

static csm_time now(void *user) {
    return daemon_now(user);
}

csm_status web_start(web **out, struct daemon *d) {
    char file[DAEMON_PATH + 32], text[400];
    const csm_config *config = d->config;
    const dashboard_options options = {
        .config = config,
        .workspace = d->workspace,
        .database = file,
        .listen = settings_text(config, "daemon.listen"),
        .port = (uint16_t)settings_integer(config, "daemon.port"),
        .certificate = settings_text(config, "daemon.tls_certificate"),
        .key = settings_text(config, "daemon.tls_key"),
        .host = {.user = d, .run_now = run_now, .cancel = cancel, .log = write_log, .clock = now},
    };
    *out = NULL;
    snprintf(file, sizeof file, "%s/daemon.db", d->workspace);
    web *w = calloc(1, sizeof *w);
    if (!w) return fail(CSM_ENOMEM, "no memory for the web server");
    const csm_status status = dashboard_start(&w->dashboard, &options, text, sizeof text);
    if (status != CSM_OK) {
        free(w);
        return fail(status, "%s", text);
    }
    *out = w;
    log_write(&d->log, CSM_LOG_INFO, "web", NULL, "dashboard on %s://%s:%u",
              *options.certificate ? "https" : "http", options.listen,
              (unsigned)dashboard_port(w->dashboard));
    return CSM_OK;
}

void web_stop(web *w) {
    if (!w) return;
    dashboard_stop(w->dashboard);
    free(w);
}

int web_user(struct daemon *d, int argc, char **argv) {
    char path[DAEMON_PATH + 32];
    database *db = NULL;
    snprintf(path, sizeof path, "%s/daemon.db", d->workspace);
    /* users may be added before the daemon's first start; a running daemon's database is opened by itself alone */
    if (access(path, F_OK) != 0) {
        if (mkdir(d->workspace, 0700) != 0 && errno != EEXIST) {
            fprintf(stderr, "cryptosmartd: %s: %s\n", d->workspace, strerror(errno));
            return CODE_FAILED;
        }
        const csm_status status = database_open(&db, path);
        database_close(db);
        if (status != CSM_OK) {
            fprintf(stderr, "cryptosmartd: %s\n", failure_text());
            return exit_code(status);
        }
    }
    return dashboard_user_command(argc, argv, path);
}
