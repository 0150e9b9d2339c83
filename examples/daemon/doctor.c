/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include "daemon.h"
#include "resources.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

typedef struct examination {
    daemon_state *daemon;
    int errors;
    int warnings;
} examination;

static void say(examination *e, csm_log_level level, const char *name, const char *format, ...)
    CSM_PRINTF(4, 5);
static void say(examination *e, csm_log_level level, const char *name, const char *format, ...) {
    static const char *const words[] = {"ERROR", "warn ", "ok   "};
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    redactor_apply(&e->daemon->redactor, text);
    e->errors += level == CSM_LOG_ERROR;
    e->warnings += level == CSM_LOG_WARN;
    printf("%s  %-22s %s\n", words[level < CSM_LOG_INFO ? level : CSM_LOG_INFO], name, text);
}

static void examine_library(examination *e) {
    csm_context *context = NULL;
    csm_checks *checks = NULL;
    csm_status status = csm_context_new(&context, NULL);
    if (status == CSM_OK)
        status = csm_pipeline_doctor(&checks, context, e->daemon->config, e->daemon->workspace);
    if (status != CSM_OK) say(e, CSM_LOG_ERROR, "library", "%s", csm_error_message());
    for (size_t i = 0; i < csm_checks_count(checks); i++) {
        const csm_check *check = csm_checks_at(checks, i);
        say(e, (csm_log_level)check->level, check->name, "%s", check->text);
    }
    csm_checks_free(checks);
    csm_context_free(context);
}

static void examine_resources(examination *e) {
    resource_sample s;
    nvml n;
    (void)nvml_open(&n);
    const csm_config *config = e->daemon->config;
    resources_measure(&s, &n, e->daemon->workspace);
    if (!isnan(s.disk_free))
        say(e, s.disk_free < settings_real(config, "alert.disk_free") ? CSM_LOG_ERROR : CSM_LOG_INFO, "disk",
            "%.0f %% of %.1f GB free", 100 * s.disk_free, s.disk_total / 1e9);
    say(e, s.memory_available < settings_real(config, "alert.memory_free") ? CSM_LOG_WARN : CSM_LOG_INFO,
        "memory", "%.0f %% of %.1f GB available", 100 * s.memory_available, s.memory_total / 1e9);
    if (!n.ready) say(e, CSM_LOG_INFO, "gpu", "no NVIDIA driver");
    for (size_t i = 0; i < s.gpu_count; i++)
        say(e, s.gpus[i].lost ? CSM_LOG_WARN : CSM_LOG_INFO, "gpu", "%s%s, %.1f GB, %.0f degrees",
            s.gpus[i].name, s.gpus[i].lost ? " does not answer" : "", s.gpus[i].memory_total / 1e9,
            s.gpus[i].temperature);
    nvml_close(&n);
}

typedef struct troubled_job {
    examination *e;
    int count;
} troubled_job;

static int tell_job(void *user, sqlite3_stmt *row) {
    troubled_job *t = user;
    t->count++;
    say(t->e, CSM_LOG_WARN, "job", "%s failed %lld times in a row", row_text(row, 0),
        (long long)sqlite3_column_int64(row, 1));
    return 0;
}

static int tell_source(void *user, sqlite3_stmt *row) {
    troubled_job *t = user;
    t->count++;
    say(t->e, CSM_LOG_ERROR, "source", "%s: %s", row_text(row, 0), row_text(row, 1));
    return 0;
}

static void examine_database(examination *e) {
    char path[DAEMON_PATH + 32], check[256] = "";
    database *db = NULL;
    troubled_job t = {.e = e};
    snprintf(path, sizeof path, "%s/daemon.db", e->daemon->workspace);
    if (access(path, F_OK) != 0) {
        say(e, CSM_LOG_WARN, "daemon.db", "the daemon has not run on this workspace yet");
        return;
    }
    csm_status status = database_open_reader(&db, path);
    if (status == CSM_OK) status = database_text(check, sizeof check, db, "PRAGMA quick_check(1)", "");
    if (status == CSM_OK && strcmp(check, "ok") != 0) status = fail(CSM_ECORRUPT, "daemon.db: %s", check);
    if (status == CSM_OK)
        status = database_query(db, tell_job, &t,
                                "SELECT name, failures FROM jobs WHERE failures>0 LIMIT 100", "");
    if (status == CSM_OK)
        status = database_query(
            db, tell_source, &t,
            "SELECT substr(name, 16), text FROM facts WHERE name LIKE 'source.latched.%' AND value>0"
            " LIMIT 100",
            "");
    if (status != CSM_OK)
        say(e, CSM_LOG_ERROR, "daemon.db", "%s", failure_text());
    else if (t.count == 0)
        say(e, CSM_LOG_INFO, "daemon.db", "whole; no job fails, no source is switched off");
    database_close(db);
}

int doctor(daemon_state *d) {
    examination e = {.daemon = d};
    const char *channels = settings_text(d->config, "alert.channels");
    say(&e, CSM_LOG_INFO, "daemon", "cryptosmartd %s", csm_version());
    examine_library(&e);
    examine_resources(&e);
    examine_database(&e);
    say(&e, *channels ? CSM_LOG_INFO : CSM_LOG_WARN, "alerts", "%s",
        *channels ? channels : "alert.channels is empty: alerts go into the record alone");
    printf("%d errors, %d warnings\n", e.errors, e.warnings);
    return e.errors > 0 ? CODE_DAMAGED : CODE_OK;
}
