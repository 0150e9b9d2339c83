/* SPDX-License-Identifier: MIT */
/*
 * Features that compare the coins present at a decision. First every coin's own column (parallel over coins), then one
 * number or one rank each over the coins (parallel over time). Coins are taken in the order given, so no number of
 * threads changes a bit; who was present at t does not depend on what came later.
 */
#include "fuse/frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DECISION_CHUNK 256

typedef struct across_job {
    csm_build *build;
    const csm_feature *feature;
    csm_across_result *result;
    float *base;           /* (tracks, decisions) */
    csm_subject *subjects; /* one a worker */
} across_job;

csm_status csm_subject_open(csm_subject *subject, const csm_panel *panel) {
    size_t longest = 1;
    *subject = (csm_subject){.panel = panel};
    for (size_t i = 0; i < panel->count; i++)
        if (panel->tracks[i].slots > longest) longest = panel->tracks[i].slots;
    for (int i = 0; i < CSM_SCRATCH_COLUMNS; i++) {
        subject->scratch[i] = csm_alloc_array(longest, sizeof(double));
        if (!subject->scratch[i]) return CSM_ENOMEM;
    }
    subject->column = csm_alloc_array(longest, sizeof(double));
    return subject->column ? CSM_OK : CSM_ENOMEM;
}

void csm_subject_close(csm_subject *subject) {
    for (int i = 0; i < CSM_SCRATCH_COLUMNS; i++) csm_dealloc(subject->scratch[i]);
    csm_dealloc(subject->column);
    *subject = (csm_subject){0};
}

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
    for (size_t i = begin; i < end; i++) {
        const csm_track *track = &job->build->panel->tracks[i];
        float *base = job->base + i * job->build->decisions;
        subject->track = track;
        if (track->span > 0) job->feature->formula->run(job->feature, subject, subject->column);
        for (size_t d = 0; d < job->build->decisions; d++)
            base[d] = track->span > 0 ? base_value(job, track, subject->column, d) : NAN;
    }
    return CSM_OK;
}

/* ---- over the coins -------------------------------------------------------------------------------------------------- */

static csm_status reduce_moments(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    const size_t decisions = job->build->decisions;
    (void)worker;
    for (size_t d = begin; d < end; d++) {
        double sum = 0, squares = 0, count = 0;
        for (size_t i = 0; i < job->build->panel->count; i++) {
            const double value = job->base[i * decisions + d];
            if (!isfinite(value)) continue;
            sum += value;
            squares += value * value;
            count += 1;
        }
        const double mean = sum / count, variance = squares / count - mean * mean;
        job->result->common[d] = job->feature->formula->across == CSM_ACROSS_MEAN ? mean
                                 : variance > 0                                   ? sqrt(variance)
                                                                                  : variance * 0;
    }
    return CSM_OK;
}

typedef struct contender {
    float value;
    uint32_t track;
} contender;

static int compare_contenders(const void *a, const void *b) {
    const contender *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return x->track < y->track ? -1 : 1;
}

/* Rank of each among n: those below plus half of the equal others, over n - 1; one coin alone stands in the middle. */
static void rank_contenders(contender *row, size_t n, float *own, size_t decisions, size_t d) {
    qsort(row, n, sizeof *row, compare_contenders);
    for (size_t i = 0; i < n;) {
        size_t equal = 1;
        while (i + equal < n && row[i + equal].value == row[i].value) equal++;
        const double rank = n > 1 ? ((double)i + 0.5 * (double)(equal - 1)) / (double)(n - 1) : 0.5;
        for (size_t j = i; j < i + equal; j++) own[row[j].track * decisions + d] = (float)rank;
        i += equal;
    }
}

static csm_status reduce_ranks(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    const size_t decisions = job->build->decisions, tracks = job->build->panel->count;
    contender *row = csm_alloc_array(tracks, sizeof *row);
    (void)worker;
    if (!row) return CSM_ENOMEM;
    for (size_t d = begin; d < end; d++) {
        size_t n = 0;
        for (size_t i = 0; i < tracks; i++) {
            const float value = job->base[i * decisions + d];
            if (isfinite(value)) row[n++] = (contender){value, (uint32_t)i};
        }
        rank_contenders(row, n, job->base, decisions, d);
    }
    csm_dealloc(row);
    return CSM_OK;
}

static csm_status run_one(across_job *job) {
    csm_build *build = job->build;
    const size_t tracks = build->panel->count;
    const bool ranks = job->feature->formula->across == CSM_ACROSS_RANK;
    csm_status status = CSM_ENOMEM;
    job->base = csm_alloc_array(tracks * build->decisions, sizeof *job->base);
    if (!ranks) job->result->common = csm_alloc_array(build->decisions, sizeof *job->result->common);
    if (!job->base || (!ranks && !job->result->common)) goto done;
    status = csm_parallel_for(build->workers, tracks, 1, run_bases, job);
    if (!status)
        status = csm_parallel_for(build->threads, build->decisions, DECISION_CHUNK,
                                  ranks ? reduce_ranks : reduce_moments, job);
    if (!status && ranks) {
        job->result->own = job->base;
        job->base = NULL;
    }
done:
    csm_dealloc(job->base);
    job->base = NULL;
    return status;
}

csm_status csm_across_run(csm_build *build) {
    across_job job = {.build = build};
    csm_status status = CSM_OK;
    job.subjects = csm_alloc_array(build->workers, sizeof *job.subjects);
    if (!job.subjects) return CSM_ENOMEM;
    for (uint32_t i = 0; i < build->workers && !status; i++)
        status = csm_subject_open(&job.subjects[i], build->panel);
    for (size_t f = 0; f < build->recipe->count && !status; f++) {
        job.feature = &build->recipe->features[f];
        job.result = &build->across[f];
        if (job.feature->formula->across == CSM_ACROSS_NONE) continue;
        status = csm_progress(build->context, "fuse: compare coins", f, build->recipe->count);
        if (!status) status = run_one(&job);
    }
    for (uint32_t i = 0; i < build->workers; i++) csm_subject_close(&job.subjects[i]);
    csm_dealloc(job.subjects);
    return status;
}

void csm_across_free(csm_across_result *across, size_t features) {
    for (size_t f = 0; across && f < features; f++) {
        csm_dealloc(across[f].common);
        csm_dealloc(across[f].own);
    }
    csm_dealloc(across);
}
