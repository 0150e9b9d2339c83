/* SPDX-License-Identifier: MIT */
/*
 * Features that compare the coins present at a decision, and those that are the same for all. First every coin's own
 * column (parallel over coins), then one number or one rank each over the coins (parallel over time). Coins are taken in
 * the order given, so no number of threads changes a bit; who was present at t does not depend on what came later.
 */
#include "fuse/frame.h"

#include <math.h>

#define DECISION_CHUNK 256

typedef struct across_job {
    csm_build *build;
    const csm_feature *feature;
    csm_across_result *result;
    float *base;           /* (tracks, decisions) */
    csm_subject *subjects; /* one a worker */
} across_job;

/* ---- the same for all ------------------------------------------------------------------------------------ */

/* A track without bars that spans the panel carries what depends on time alone. */
static csm_status run_common(across_job *job) {
    const csm_build *build = job->build;
    const csm_track whole = {.slots = build->panel->slots, .span = build->panel->slots};
    csm_subject *subject = &job->subjects[0];
    subject->track = &whole;
    const csm_status status = job->feature->formula->run(job->feature, subject, subject->column);
    for (size_t d = 0; d < build->decisions && !status; d++) {
        const size_t s = csm_build_slot(build, &whole, d);
        job->result->common[d] = s < whole.slots ? subject->column[s] : (double)NAN;
    }
    return status;
}

/* ---- each coin's own ------------------------------------------------------------------------------------- */

static float base_value(const across_job *job, const csm_track *track, const double *column, size_t d) {
    const csm_panel *panel = job->build->panel;
    const csm_sequence sequence = job->feature->formula->sequence;
    const size_t s = csm_build_slot(job->build, track, d);
    if (s == SIZE_MAX || s >= track->slots || csm_track_absence(panel, track, s)) return NAN;
    if (csm_track_window(panel, track, sequence, job->feature->memory, s)) return NAN;
    return (float)column[csm_track_newest(track, sequence, s)];
}

static csm_status run_bases(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    csm_subject *subject = &job->subjects[worker];
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status; i++) {
        const csm_track *track = &job->build->panel->tracks[i];
        float *base = job->base + i * job->build->decisions;
        subject->track = track;
        if (track->span > 0) status = job->feature->formula->run(job->feature, subject, subject->column);
        for (size_t d = 0; d < job->build->decisions; d++)
            base[d] = track->span > 0 ? base_value(job, track, subject->column, d) : NAN;
    }
    return status;
}

/* ---- over the coins -------------------------------------------------------------------------------------- */

static csm_status reduce_moments(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    const size_t decisions = job->build->decisions;
    double sum[DECISION_CHUNK] = {0}, squares[DECISION_CHUNK] = {0}, count[DECISION_CHUNK] = {0};
    (void)worker;
    for (size_t i = 0; i < job->build->panel->count; i++) {
        const float *base = job->base + i * decisions;
        for (size_t d = begin; d < end; d++) {
            const bool present = isfinite(base[d]);
            const double value = present ? base[d] : 0.0;
            sum[d - begin] += value;
            squares[d - begin] += value * value;
            count[d - begin] += present ? 1.0 : 0.0;
        }
    }
    for (size_t d = begin; d < end; d++) {
        const double n = count[d - begin], mean = sum[d - begin] / n;
        const double variance = squares[d - begin] / n - mean * mean;
        const bool deviation = job->feature->formula->across == CSM_ACROSS_DEVIATION;
        job->result->common[d] = deviation ? sqrt(variance < 0 ? 0 : variance) : mean;
    }
    return CSM_OK;
}

/* Those below plus half of the equal others, over n - 1; a coin alone stands in the middle. */
static float rank_of(const float *value, size_t n, float own) {
    uint32_t below = 0, equal = 0;
    for (size_t j = 0; j < n; j++) {
        below += value[j] < own;
        equal += value[j] == own;
    }
    return n > 1 ? (float)((below + 0.5 * (equal - 1)) / (double)(n - 1)) : 0.5f;
}

static csm_status reduce_ranks(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    const size_t decisions = job->build->decisions, tracks = job->build->panel->count;
    float *value = csm_alloc_array(tracks, sizeof *value);
    (void)worker;
    if (!value) return CSM_ENOMEM;
    for (size_t d = begin; d < end; d++) {
        size_t n = 0;
        for (size_t i = 0; i < tracks; i++)
            if (isfinite(job->base[i * decisions + d])) value[n++] = job->base[i * decisions + d];
        for (size_t i = 0; i < tracks; i++) {
            float *own = &job->base[i * decisions + d];
            *own = isfinite(*own) ? rank_of(value, n, *own) : NAN;
        }
    }
    csm_dealloc(value);
    return CSM_OK;
}

static csm_status run_compared(across_job *job, bool ranks) {
    const csm_build *build = job->build;
    csm_status status = CSM_ENOMEM;
    job->base = csm_realloc_array(NULL, build->panel->count, build->decisions * sizeof *job->base);
    if (job->base) status = csm_parallel_for(build->workers, build->panel->count, 1, run_bases, job);
    if (!status)
        status = csm_parallel_for(build->threads, build->decisions, DECISION_CHUNK,
                                  ranks ? reduce_ranks : reduce_moments, job);
    if (!status && ranks) {
        job->result->own = job->base;
        job->base = NULL;
    }
    csm_dealloc(job->base);
    job->base = NULL;
    return status;
}

static csm_status run_one(across_job *job) {
    const csm_across across = job->feature->formula->across;
    if (across == CSM_ACROSS_RANK) return run_compared(job, true);
    job->result->common = csm_alloc_array(job->build->decisions, sizeof *job->result->common);
    if (!job->result->common) return CSM_ENOMEM;
    return across == CSM_ACROSS_COMMON ? run_common(job) : run_compared(job, false);
}

csm_status csm_across_run(csm_build *build) {
    across_job job = {.build = build, .subjects = build->subjects};
    csm_status status = CSM_OK;
    for (size_t f = 0; f < build->recipe->count && !status; f++) {
        job.feature = &build->recipe->features[f];
        job.result = &build->across[f];
        if (job.feature->formula->across == CSM_ACROSS_NONE) continue;
        status = csm_progress(build->context, "fuse: compare coins", f, build->recipe->count);
        if (!status) status = run_one(&job);
    }
    return status;
}

void csm_across_free(csm_across_result *across, size_t features) {
    for (size_t f = 0; across && f < features; f++) {
        csm_dealloc(across[f].common);
        csm_dealloc(across[f].own);
    }
    csm_dealloc(across);
}
