/* SPDX-License-Identifier: MIT */
/* From a panel to the matrix: plan the rows of each market, compute what compares them, fill, close up. */
#include "fuse/frame.h"

#include "core/platform.h"

#include <math.h>
#include <string.h>

#define DECISION_LIMIT (UINT64_C(1) << 28)

typedef struct row_job {
    const csm_build *build;
    csm_row_plan *plans;              /* (tracks) */
    size_t *offset;                   /* (tracks) first row of each in the matrix, before rows are dropped */
    float *matrix;                    /* (planned rows, features) */
    const csm_indicator_table *table; /* of this group */
} row_job;

static csm_status plan_markets(void *user, size_t begin, size_t end, uint32_t worker) {
    const row_job *job = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++) status = csm_plan_market(&job->plans[i], job->build, i);
    return status;
}

static csm_status fill_markets(void *user, size_t begin, size_t end, uint32_t worker) {
    const row_job *job = user;
    const size_t features = job->build->recipe->count;
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status; i++) {
        const size_t track = job->table->first + i;
        status = csm_rows_fill(job->matrix + job->offset[track] * features, &job->plans[track], job->build,
                               &job->build->subjects[worker], track, job->table);
    }
    return status;
}

static csm_status fill_groups(row_job *job) {
    const csm_build *build = job->build;
    const size_t tracks = build->panel->count;
    csm_indicator_table table;
    csm_status status = csm_indicator_table_open(&table, build->recipe);
    job->table = &table;
    for (size_t begin = 0; begin < tracks && !status; begin += table.tracks) {
        status = csm_progress(build->context, "fuse: features", begin, tracks);
        if (!status) status = csm_indicator_table_run(&table, build, begin);
        if (!status) status = csm_parallel_for(build->workers, table.tracks, 1, fill_markets, job);
    }
    job->table = NULL;
    csm_indicator_table_free(&table);
    return status;
}

/* ---- into one frame ----------------------------------------------------------------------------------------- */

static csm_status reserve_rows(row_job *job) {
    const csm_build *build = job->build;
    size_t rows = 0;
    for (size_t i = 0; i < build->panel->count; i++) {
        job->offset[i] = rows;
        rows += job->plans[i].count;
    }
    const size_t row = build->recipe->count * sizeof *job->matrix;
    job->matrix = csm_realloc_array(NULL, rows, row);
    if (!job->matrix) return CSM_ENOMEM;
    csm_platform_large_pages(job->matrix, rows * row);
    return CSM_OK;
}

/* Markets that dropped rows left holes behind them. */
static void close_up(csm_frame *frame, const row_job *job) {
    const size_t features = frame->recipe->count;
    for (size_t i = 0; i < frame->market_count; i++) {
        const size_t rows = job->plans[i].count, at = frame->row_offset[i];
        if (at < job->offset[i])
            memmove(job->matrix + at * features, job->matrix + job->offset[i] * features,
                    rows * features * sizeof *job->matrix);
        frame->row_offset[i + 1] = at + rows;
        frame->excluded_offset[i + 1] = frame->excluded_offset[i] + job->plans[i].excluded_count;
    }
    frame->rows = frame->row_offset[frame->market_count];
    frame->excluded_count = frame->excluded_offset[frame->market_count];
}

typedef struct name_job {
    csm_frame *frame;
    const csm_row_plan *plans;
} name_job;

/* Market and time of each row, and the rows left out. */
static csm_status name_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const name_job *job = user;
    csm_frame *frame = job->frame;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        const csm_row_plan *plan = &job->plans[i];
        const csm_time first = frame->first_decision, interval = frame->options.interval;
        csm_time *times = frame->times + frame->row_offset[i];
        uint32_t *markets = frame->markets + frame->row_offset[i];
        for (size_t k = 0; k < plan->count; k++) {
            markets[k] = (uint32_t)i;
            times[k] = first + (csm_time)plan->decision[k] * interval;
        }
        if (plan->excluded_count > 0)
            memcpy(frame->excluded + frame->excluded_offset[i], plan->excluded,
                   plan->excluded_count * sizeof *plan->excluded);
    }
    return CSM_OK;
}

static csm_status gather(csm_frame *frame, row_job *job) {
    close_up(frame, job);
    frame->matrix = csm_realloc_array(job->matrix, frame->rows, frame->recipe->count * sizeof *frame->matrix);
    if (!frame->matrix) return CSM_ENOMEM;
    job->matrix = NULL;
    frame->times = csm_realloc_array(NULL, frame->rows, sizeof *frame->times);
    frame->markets = csm_realloc_array(NULL, frame->rows, sizeof *frame->markets);
    frame->excluded = csm_realloc_array(NULL, frame->excluded_count, sizeof *frame->excluded);
    if (!frame->times || !frame->markets || !frame->excluded) return CSM_ENOMEM;
    return csm_parallel_for(job->build->workers, frame->market_count, 1, name_rows,
                            &(name_job){.frame = frame, .plans = job->plans});
}

static csm_status run_rows(csm_frame *frame, const csm_build *build) {
    const size_t tracks = build->panel->count;
    row_job job = {.build = build};
    csm_status status = CSM_ENOMEM;
    job.plans = csm_alloc_array(tracks, sizeof *job.plans);
    job.offset = csm_alloc_array(tracks, sizeof *job.offset);
    if (!job.plans || !job.offset) goto done;
    status = csm_parallel_for(build->workers, tracks, 1, plan_markets, &job);
    if (!status) status = reserve_rows(&job);
    if (!status) status = fill_groups(&job);
    if (!status) status = gather(frame, &job);
done:
    for (size_t i = 0; job.plans && i < tracks; i++) csm_row_plan_free(&job.plans[i]);
    csm_dealloc(job.plans);
    csm_dealloc(job.offset);
    csm_dealloc(job.matrix);
    return status;
}

/* ---- a build ------------------------------------------------------------------------------------------------ */

/* Decisions are the multiples of the interval in [from, to), not after as_of; open ends are the data's. */
static csm_status plan_decisions(csm_build *build, const csm_fuse_options *options) {
    const csm_panel *panel = build->panel;
    const csm_time interval = options->interval;
    csm_time first = options->from, end = options->to, data_end = panel->origin;
    for (size_t i = 0; i < panel->count; i++) {
        const csm_track *track = &panel->tracks[i];
        const csm_time last = track->start + (csm_time)track->span * interval;
        if (track->span > 0 && last > data_end) data_end = last;
    }
    if (first == CSM_TIME_MIN) first = panel->slots > 0 ? panel->origin + interval : end;
    if (end == CSM_TIME_MAX) end = panel->slots > 0 ? data_end + 1 : first;
    if (options->as_of < CSM_TIME_MAX && options->as_of + 1 < end) end = options->as_of + 1;
    if (first >= end) return CSM_OK;
    const csm_time floored = csm_time_floor(first, interval);
    build->first_decision = floored < first ? floored + interval : first;
    if (build->first_decision >= end) return CSM_OK;
    const uint64_t span = (uint64_t)end - 1 - (uint64_t)build->first_decision;
    if (span / (uint64_t)interval >= DECISION_LIMIT)
        return csm_fail(CSM_EINVAL, "fuse: from and to span %llu intervals, at most %llu are taken",
                        (unsigned long long)(span / (uint64_t)interval), (unsigned long long)DECISION_LIMIT);
    build->decisions = (size_t)(span / (uint64_t)interval) + 1;
    return CSM_OK;
}

static csm_status open_build(csm_build *build, csm_frame *frame) {
    csm_status status = plan_decisions(build, &frame->options);
    if (status) return status;
    frame->first_decision = build->first_decision;
    frame->decisions = build->decisions;
    build->across = csm_alloc_array(build->recipe->count, sizeof *build->across);
    build->subjects = csm_alloc_array(build->workers, sizeof *build->subjects);
    if (!build->across || !build->subjects) return CSM_ENOMEM;
    for (uint32_t i = 0; i < build->workers && !status; i++)
        status = csm_subject_open(&build->subjects[i], build->panel);
    return status ? status : csm_plan_classes(build);
}

static void close_build(csm_build *build) {
    csm_across_free(build);
    for (uint32_t i = 0; build->subjects && i < build->workers; i++) csm_subject_close(&build->subjects[i]);
    csm_dealloc(build->subjects);
    csm_dealloc(build->classes);
}

static csm_status run_build(csm_frame *frame, csm_build *build) {
    csm_status status = open_build(build, frame);
    if (!status && build->decisions > 0) status = csm_across_run(build);
    if (!status) status = run_rows(frame, build);
    if (!status) status = csm_facts_build(frame, build->panel, build->workers);
    close_build(build);
    return status;
}

csm_status csm_frame_from_panel(csm_frame **out, csm_context *context, const csm_panel *panel,
                                const csm_recipe *recipe, const csm_fuse_options *options) {
    *out = NULL;
    csm_frame *frame = csm_alloc_array(1, sizeof *frame);
    if (!frame) return CSM_ENOMEM;
    frame->options = *options;
    frame->market_count = panel->count;
    frame->row_offset = csm_alloc_array(panel->count + 1, sizeof *frame->row_offset);
    frame->excluded_offset = csm_alloc_array(panel->count + 1, sizeof *frame->excluded_offset);
    csm_status status = frame->row_offset && frame->excluded_offset ? CSM_OK : CSM_ENOMEM;
    if (!status) status = csm_recipe_copy(&frame->recipe, recipe);
    if (!status) {
        csm_build build = {.context = context, .panel = panel, .recipe = frame->recipe};
        build.threads = csm_context_threads(context);
        build.workers = build.threads;
        if (build.workers > panel->count) build.workers = panel->count > 0 ? (uint32_t)panel->count : 1;
        status = run_build(frame, &build);
    }
    if (status) {
        csm_frame_free(frame);
        return status;
    }
    *out = frame;
    return CSM_OK;
}
