/* SPDX-License-Identifier: MIT */
/* What the jobs of a child process share. */
#ifndef DAEMON_JOB_H
#define DAEMON_JOB_H

#include "daemon.h"
#include "emit.h"
#include "schedule.h"

typedef struct job_process {
    daemon_state *daemon;
    const job_request *request;
    const job_kind *kind;
    const char *source; /* of an ingest job; "" otherwise */
    csm_context *context;
    csm_config *config; /* the configuration in force; a job may set options for itself */
    bool test;          /* the time is a replay's: forecasts are marked as backfill */
} job_process;

/* Opens the workspace as jobs do. */
csm_status job_open(csm_pipeline **out, const job_process *p);

json_t *decisions_of(const csm_decision_list *list);

/* The jobs. Each gives what its status says (failure_text has the text) and has emitted its result when CSM_OK. */
csm_status job_discover(const job_process *p);
csm_status job_ingest(const job_process *p);
csm_status job_predict(const job_process *p);
csm_status job_learn(const job_process *p);
csm_status job_health(const job_process *p);
csm_status job_clock(const job_process *p);
csm_status job_backup(const job_process *p);
csm_status job_drill(const job_process *p);
csm_status job_retrain(const job_process *p);
csm_status job_tune(const job_process *p);

#endif
