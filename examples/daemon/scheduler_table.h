/* SPDX-License-Identifier: MIT */
/* The scheduler's memory in daemon.db: every change of a job's or a run's state is one transaction. */
#ifndef DAEMON_SCHEDULER_TABLE_H
#define DAEMON_SCHEDULER_TABLE_H

#include "database.h"
#include "schedule.h"

#define QUEUE_MOST 64

typedef struct queued_run {
    int64_t run;
    uint32_t attempt;
    char job[JOB_NAME];
    char cause[16];
} queued_run;

/* How a run ended, and what follows. */
typedef struct run_record {
    int64_t run;
    csm_time now;
    const char *state;
    int64_t code;
    int signal;
    char text[128];
    bool again; /* the failure may pass */
    bool retry; /* a run of attempt + 1 at not_before follows */
    bool more;  /* a run that continues at the cursor follows */
    uint32_t attempt;
    csm_time not_before;
    csm_time next_due; /* the job's turn comes then, if not before; 0: as planned */
} run_record;

/* Marks runs that were under way as interrupted and queues each again once. */
csm_status table_recover(size_t *interrupted, database *db, csm_time now);
/* Makes a job known: a new one is due at once, one whose cadence was switched off never, one whose turn lies further away than its
 * present cadence at `next`. */
csm_status table_know_job(database *db, const char *job, csm_time every, csm_time now, csm_time next);
/* Queues a run when the job's turn has come and none is open; its next turn is `next` either way. */
csm_status table_queue_due(database *db, const char *job, int priority, csm_time now, csm_time next);
csm_status table_queue_by_hand(int64_t *run, database *db, const char *job, int priority, const char *who,
                               csm_time now);
csm_status table_cancel(database *db, int64_t run, const char *who, csm_time now);
bool table_is_cancelled(database *db, int64_t run);
/* Queued runs whose time has come, first the most urgent. */
csm_status table_queue(queued_run queue[QUEUE_MOST], size_t *count, database *db, csm_time now);
csm_status table_start_run(database *db, int64_t run, csm_time now);
csm_status table_process(database *db, int64_t run, int64_t pid);
csm_status table_cursor(char *cursor, size_t size, database *db, const char *job);
csm_status table_end_run(database *db, const char *job, int priority, const run_record *end);
/* Ends a queued run of a job that is no longer configured. */
csm_status table_drop_run(database *db, int64_t run, csm_time now);
/* When the next run can start or the next turn comes; CSM_TIME_MAX: never. */
csm_status table_next_event(csm_time *out, database *db);
/* Removes facts of sources that are no job any more, so that no alert stands on them for ever, and ends such alerts. */
csm_status table_forget_sources(database *db, const job_entry *jobs, size_t count, csm_time now);
/* Removes all but the newest `keep` ended runs of each job, with their logs. */
csm_status table_trim(database *db, int64_t keep);

#endif
