/* SPDX-License-Identifier: MIT */
/* What a job says to the daemon that started it: JSON lines on standard output (docs/daemon.md, "What a job says"). */
#ifndef DAEMON_EMIT_H
#define DAEMON_EMIT_H

#include <cryptosmart/cryptosmart.h>
#include <jansson.h>

/* A number that alerts, metrics and pages look at by name; NaN: not known. */
void emit_fact(const char *name, double value, const char *format, ...) CSM_PRINTF(3, 4);
/* Where a later run goes on; "" when nothing is left. */
void emit_cursor(const char *cursor);
/* The job's result; takes the reference. */
void emit_result(json_t *result);
/* csm_progress_fn: at most two lines a second. */
int emit_progress(void *user, const char *what, uint64_t done, uint64_t total);
/* Memory and processor time that this process took. */
void emit_usage(void);

/* null for NaN and infinities; null for CSM_TIME_MIN and CSM_TIME_MAX. */
json_t *json_number_or_null(double value);
json_t *json_time_or_null(csm_time time);

#endif
