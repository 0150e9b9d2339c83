/* SPDX-License-Identifier: MIT */
/* The daemon's log: one JSON object a line on standard error, with module, run, coin and horizon where they apply. Every text
 * passes the redactor, which knows the values of all secrets. Any thread may write. */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <cryptosmart/cryptosmart.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#define REDACT_SECRETS 64

/* Values that must never be written. They stay here, in locked memory, until the end of the process. */
typedef struct redactor {
    pthread_mutex_t mutex;
    size_t count;
    char *value[REDACT_SECRETS];
    size_t length[REDACT_SECRETS];
} redactor;

void redactor_init(redactor *r);
void redactor_free(redactor *r);
/* Remembers a secret of 4 bytes or more, once. CSM_ENOSPACE when there are too many. */
csm_status redactor_add(redactor *r, const char *value);
/* Replaces every secret in text, in place, by "***". */
void redactor_apply(redactor *r, char *text);

typedef struct logger {
    FILE *out;
    redactor *redactor;
    csm_log_level level;
} logger;

/* What a line is about; fields that are 0, NULL or "" are left out. */
typedef struct log_about {
    int64_t run;
    const char *coin;
    const char *horizon;
} log_about;

void log_write(const logger *log, csm_log_level level, const char *module, const log_about *about,
               const char *format, ...) CSM_PRINTF(5, 6);
/* csm_log_fn; user is a logger. */
void log_library(void *user, csm_log_level level, const char *module, const char *text);
/* csm_log_level of "error", "warn", "info" or "debug"; -1 for anything else. */
int log_level_parse(const char *name);
const char *log_level_name(csm_log_level level);

#endif
