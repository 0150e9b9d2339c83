/* SPDX-License-Identifier: MIT */
/* One call of csm_indicator_run_table, shared by its preparation (run.c) and the walk through time (group.c). */
#ifndef CSM_INDICATOR_TABLE_RUN_H
#define CSM_INDICATOR_TABLE_RUN_H

#include "indicator/frame/frame.h"

typedef struct job {
    const csm_kernel *kernel;
    double parameters[CSM_INDICATOR_PARAMETERS_MAX];
    size_t warmup;
    size_t offset; /* of its state in a group's memory */
} job;

typedef struct table_run {
    csm_context *context;
    const csm_bars *bars;
    csm_matrix *outputs;
    job *jobs;
    size_t job_count;
    size_t *order; /* series, longest first, so that groups are of like length */
    size_t series;
    size_t lanes;
    size_t state_bytes; /* of one group, all jobs */
    csm_isa isa;
    uint32_t inputs;
    bool bypass; /* outputs are larger than the caches */
} table_run;

/* Pairs of groups in a run: the unit that threads share out. */
size_t csm_table_pairs(const table_run *run);
/* A csm_task_fn over pairs; user is the table_run. */
csm_status csm_table_run_pairs(void *user, size_t begin, size_t end, uint32_t worker);

#endif
