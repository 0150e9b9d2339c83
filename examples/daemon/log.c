/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "failure.h"

#include <jansson.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_BYTES 4096
#define SHORTEST_SECRET 4

/* ---- redaction ---- */

void redactor_init(redactor *r) {
    memset(r, 0, sizeof *r);
    pthread_mutex_init(&r->mutex, NULL);
}

void redactor_free(redactor *r) {
    for (size_t i = 0; i < r->count; i++) sodium_free(r->value[i]);
    r->count = 0;
    pthread_mutex_destroy(&r->mutex);
}

csm_status redactor_add(redactor *r, const char *value) {
    csm_status status = CSM_OK;
    size_t length = strlen(value);
    if (length < SHORTEST_SECRET) return CSM_OK;
    pthread_mutex_lock(&r->mutex);
    bool known = false;
    for (size_t i = 0; i < r->count && !known; i++) known = strcmp(r->value[i], value) == 0;
    if (!known && r->count == REDACT_SECRETS) {
        status = fail(CSM_ENOSPACE, "more than %d secrets", REDACT_SECRETS);
    } else if (!known) {
        char *copy = sodium_malloc(length + 1);
        if (copy) {
            memcpy(copy, value, length + 1);
            r->value[r->count] = copy;
            r->length[r->count++] = length;
        } else {
            status = fail(CSM_ENOMEM, "no locked memory for a secret");
        }
    }
    pthread_mutex_unlock(&r->mutex);
    return status;
}

void redactor_apply(redactor *r, char *text) {
    pthread_mutex_lock(&r->mutex);
    for (size_t i = 0; i < r->count; i++) {
        for (char *at = strstr(text, r->value[i]); at; at = strstr(at + 3, r->value[i])) {
            size_t length = r->length[i];
            memcpy(at, "***", 3);
            memmove(at + 3, at + length, strlen(at + length) + 1);
        }
    }
    pthread_mutex_unlock(&r->mutex);
}

/* ---- lines ---- */

static const char *const level_names[] = {"error", "warn", "info", "debug"};

const char *log_level_name(csm_log_level level) {
    return level_names[level <= CSM_LOG_DEBUG ? level : CSM_LOG_DEBUG];
}

int log_level_parse(const char *name) {
    for (int i = 0; i <= CSM_LOG_DEBUG; i++) {
        if (strcmp(name, level_names[i]) == 0) return i;
    }
    return -1;
}

static void set_text(json_t *line, const char *key, const char *text) {
    if (!text || !*text) return;
    json_t *value = json_string(text);
    /* bytes that are no UTF-8 are shown as such, not lost */
    json_object_set_new(line, key, value ? value : json_string("(text that is not UTF-8)"));
}

/* The system's time, also when the scheduler's clock is a replay's: a log tells when something happened here. */
static csm_time wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (csm_time)now.tv_sec * CSM_SECOND + now.tv_nsec;
}

static void write_line(const logger *log, csm_log_level level, const char *module, const log_about *about,
                       char *text) {
    char time[CSM_TIME_TEXT];
    if (log->redactor) redactor_apply(log->redactor, text);
    json_t *line = json_object();
    set_text(line, "time", csm_time_format(wall_clock(), time, sizeof time));
    set_text(line, "level", log_level_name(level));
    set_text(line, "module", module);
    if (about && about->run) json_object_set_new(line, "run", json_integer(about->run));
    if (about) set_text(line, "coin", about->coin);
    if (about) set_text(line, "horizon", about->horizon);
    set_text(line, "text", text);
    char *dumped = json_dumps(line, JSON_COMPACT);
    if (dumped) {
        flockfile(log->out);
        fputs(dumped, log->out);
        fputc('\n', log->out);
        fflush(log->out);
        funlockfile(log->out);
    }
    free(dumped);
    json_decref(line);
}

void log_write(const logger *log, csm_log_level level, const char *module, const log_about *about,
               const char *format, ...) {
    char text[LINE_BYTES];
    va_list arguments;
    if (level > log->level) return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    write_line(log, level, module, about, text);
}

void log_library(void *user, csm_log_level level, const char *module, const char *text) {
    log_write(user, level, module, NULL, "%s", text);
}
