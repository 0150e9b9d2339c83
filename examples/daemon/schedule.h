/* SPDX-License-Identifier: MIT */
/* The arithmetic of cadences and retries, and the table of jobs: no clock, no database, no process. */
#ifndef DAEMON_SCHEDULE_H
#define DAEMON_SCHEDULE_H

#include <cryptosmart/cryptosmart.h>
#include <stdbool.h>

#define JOB_NAME 72
#define JOBS_MOST 96

typedef struct job_kind {
    const char *name;
    const char *every; /* option with the cadence */
    const char *after; /* option with the delay; "": none */
    const char *text;
    int priority;
    bool heavy;
    bool network;
} job_kind;
const job_kind *job_kind_find(const char *name); /* of "ingest" or "ingest.SOURCE" alike; NULL when unknown */

typedef struct job_entry {
    char name[JOB_NAME]; /* "predict", "ingest.kraken.ohlc" */
    const job_kind *kind;
    csm_time every; /* 0: only by hand */
    csm_time after;
} job_entry;

/* The jobs of a configuration, in the order of jobs.def. CSM_EINVAL names what is wrong. */
csm_status schedule_jobs(job_entry jobs[JOBS_MOST], size_t *count, const csm_config *config);
const job_entry *schedule_find(const job_entry *jobs, size_t count, const char *name);
/* First turn after `now`: a multiple of `every`, counted from the epoch, plus `after`. CSM_TIME_MAX when every is 0. */
csm_time schedule_next(csm_time now, csm_time every, csm_time after);
/* Wait before retry `attempt` (from 1): first, doubled each time, at most last; the random half spreads machines. random in [0, 1). */
csm_time schedule_backoff(uint32_t attempt, csm_time first, csm_time last, double random);

/* What the end of a child means. */
typedef enum run_end {
    RUN_DONE,     /* it did its work, or there was none to do */
    RUN_AGAIN,    /* may pass: try again soon */
    RUN_FAILED,   /* no retry will help: wait for the next turn and tell somebody */
    RUN_CANCELLED /* asked to end */
} run_end;
/* code and signal as the process ended; text for people, of at least 64 bytes. */
run_end schedule_classify(int64_t code, int signal, char *text, size_t size);

#endif
