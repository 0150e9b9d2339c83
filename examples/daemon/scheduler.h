/* SPDX-License-Identifier: MIT */
/* Decides which job runs when. Everything it knows lies in daemon.db (jobs, job_runs), so that a kill at any instant loses nothing:
 * at the next start runs that were under way are marked interrupted and queued again, and turns that were missed are caught up
 * once. Runs on the loop's thread; the two requests may come from any. */
#ifndef DAEMON_SCHEDULER_H
#define DAEMON_SCHEDULER_H

#include <cryptosmart/cryptosmart.h>
#include <stdbool.h>

struct daemon;
typedef struct scheduler scheduler;

/* Recovers from the last end and starts the first jobs. */
csm_status scheduler_start(scheduler **out, struct daemon *daemon);
/* Reads cadences from the configuration in force. */
csm_status scheduler_reload(scheduler *s);
/* Starts nothing more, asks running jobs to end, kills those that do not within daemon.stop_patience; calls ended when all are
 * gone. */
void scheduler_stop(scheduler *s, void (*ended)(struct daemon *daemon));
void scheduler_free(scheduler *s);

/* Queues a run of a job by hand; its id in *run. CSM_ENOTFOUND: no such job. CSM_EEXIST: it is queued or running already. */
csm_status scheduler_run_now(int64_t *run, scheduler *s, const char *job, const char *who);
/* Ends a queued or running run. CSM_ENOTFOUND: no such run. CSM_EEXIST: it has ended already. */
csm_status scheduler_cancel(scheduler *s, int64_t run, const char *who);

#endif
