/* SPDX-License-Identifier: MIT */
/*
 * Features that compare the coins present at a decision, and those that are the same for all. First every coin's own
 * columns (parallel over coins), then one number or one rank each over the coins (parallel over time). Coins are taken in
 * the order given, so no number of threads changes a bit; who was present at t does not depend on what came later.
 */
#include "fuse/across.h"

#include "backend/isa.h"
#include "core/platform.h"
#include "fuse/frame.h"

#include <math.h>

#define DECLARE(isa)                                                                                         \
    csm_moments_fn csm_across_moments_##isa;                                                                 \
    csm_ranks_fn csm_across_ranks_##isa;
DECLARE(scalar)
DECLARE(avx2)
DECLARE(avx512)

csm_comparison csm_comparison_of(csm_isa isa) {
    return (csm_comparison){.moments = CSM_ISA_SELECT(isa, csm_across_moments),
                            .ranks = CSM_ISA_SELECT(isa, csm_across_ranks)};
}

typedef struct across_job {
    csm_build *build;
    size_t common_count;
    size_t compared_count;
    size_t *common;   /* (common_count) features that are the same for all */
    size_t *compared; /* (compared_count) features that compare coins */
} across_job;

static const csm_feature *feature_at(const across_job *job, size_t f) {
    return &job->build->recipe->features[f];
}

/* ---- the same for all ------------------------------------------------------------------------------------ */

/* A track without bars that spans the panel carries what depends on time alone. */
static csm_status run_common(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    const csm_build *build = job->build;
    const csm_track whole = {.slots = build->panel->slots, .span = build->panel->slots};
    const int64_t first = csm_build_slot(build, &whole);
    csm_subject *subject = &build->subjects[worker];
    csm_status status = CSM_OK;
    subject->track = &whole;
    for (size_t i = begin; i < end && !status; i++) {
        const csm_feature *feature = feature_at(job, job->common[i]);
        double *out = build->across[job->common[i]].common;
        status = feature->formula->run(feature, subject, subject->column);
        for (size_t d = 0; d < build->decisions && !status; d++) {
            const int64_t s = first + (int64_t)d;
            out[d] = s >= 0 && (uint64_t)s < whole.slots ? subject->column[s] : (double)NAN;
        }
    }
    subject->track = NULL;
    return status;
}

/* ---- each coin's own ------------------------------------------------------------------------------------- */

/* Decisions [*begin, *end) that lie in the track's slots. */
static void find_span(size_t *begin, size_t *end, const csm_build *build, const csm_track *track) {
    const int64_t first = csm_build_slot(build, track);
    const int64_t last = (int64_t)(track->span > 0 ? track->slots : 0) - first;
    *begin = first < 0 ? (size_t)-first : 0;
    *end = last < 0 ? 0 : (uint64_t)last < build->decisions ? (size_t)last : build->decisions;
    if (*begin > *end) *begin = *end;
}

/* A coin is present with a feature where it may have a row and the feature's window is sound. */
static void keep_present(float *out, const csm_build *build, const csm_track *track,
                         const csm_feature *feature, const double *column, const uint8_t *absent) {
    const csm_sequence sequence = feature->formula->sequence;
    const int64_t first = csm_build_slot(build, track);
    size_t begin, end;
    find_span(&begin, &end, build, track);
    size_t d = 0;
    for (; d < begin; d++) out[d] = NAN;
    if (csm_track_present(build->panel, track) > 0) {
        const int64_t whole = (int64_t)feature->memory - 1 - first, last = (int64_t)track->span - first;
        const size_t sound = last < 0 ? begin : (uint64_t)last < end ? (size_t)last : end;
        for (; d < sound && (int64_t)d < whole; d++) out[d] = NAN;
        for (; d < sound; d++) {
            const float value = (float)column[first + (int64_t)d];
            out[d] = value - value == 0 ? value : NAN;
        }
    }
    for (; d < end; d++) {
        const size_t s = (size_t)(first + (int64_t)d);
        out[d] = NAN;
        if (absent[d] || csm_track_window(build->panel, track, sequence, feature->memory, s)) continue;
        const float value = (float)column[csm_track_newest(track, sequence, s)];
        out[d] = value - value == 0 ? value : NAN;
    }
    for (; d < build->decisions; d++) out[d] = NAN;
}

static csm_status run_track(const across_job *job, csm_subject *subject, size_t t, uint8_t *absent) {
    const csm_build *build = job->build;
    const csm_track *track = &build->panel->tracks[t];
    const int64_t first = csm_build_slot(build, track);
    csm_status status = CSM_OK;
    size_t begin, end;
    find_span(&begin, &end, build, track);
    const size_t present = csm_track_present(build->panel, track);
    for (size_t d = begin; d < end; d++)
        absent[d] = (size_t)(first + (int64_t)d) >= present &&
                    csm_track_absence(build->panel, track, (size_t)(first + (int64_t)d)) != 0;
    subject->track = track;
    for (size_t i = 0; i < job->compared_count && !status; i++) {
        const csm_feature *feature = feature_at(job, job->compared[i]);
        if (begin < end) status = feature->formula->run(feature, subject, subject->column);
        if (!status)
            keep_present(build->across[job->compared[i]].own + t * build->decisions, build, track, feature,
                         subject->column, absent);
    }
    return status;
}

static csm_status run_tracks(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    uint8_t *absent = csm_alloc_array(job->build->decisions, 1);
    csm_status status = absent ? CSM_OK : CSM_ENOMEM;
    for (size_t t = begin; t < end && !status; t++)
        status = run_track(job, &job->build->subjects[worker], t, absent);
    csm_dealloc(absent);
    return status;
}

/* ---- over the coins -------------------------------------------------------------------------------------- */

static csm_status reduce(void *user, size_t begin, size_t end, uint32_t worker) {
    const across_job *job = user;
    const csm_build *build = job->build;
    const size_t tracks = build->panel->count;
    const csm_comparison compare = csm_comparison_of(csm_backend_isa());
    float *copy = csm_realloc_array(NULL, tracks, CSM_ACROSS_CHUNK * sizeof *copy);
    (void)worker;
    if (!copy) return CSM_ENOMEM;
    for (size_t i = 0; i < job->compared_count; i++) {
        const csm_across_result *result = &build->across[job->compared[i]];
        const csm_across across = feature_at(job, job->compared[i])->formula->across;
        float *own = result->own + begin;
        if (across == CSM_ACROSS_RANK)
            compare.ranks(own, build->decisions, tracks, end - begin, copy);
        else
            compare.moments(result->common + begin, across == CSM_ACROSS_DEVIATION, own, build->decisions,
                            tracks, end - begin);
    }
    csm_dealloc(copy);
    return CSM_OK;
}

/* ---- all of them ----------------------------------------------------------------------------------------- */

/* One block for all that is compared: it stays until the rows are filled, ranks are read from it. */
static csm_status reserve_own(across_job *job) {
    csm_build *build = job->build;
    size_t values, row;
    if (__builtin_mul_overflow(build->panel->count, build->decisions, &values) ||
        __builtin_mul_overflow(values, job->compared_count * sizeof *build->own, &row))
        return csm_fail(CSM_ENOMEM, "fuse: %zu compared features exceed the address space",
                        job->compared_count);
    build->own = csm_realloc_array(NULL, values, job->compared_count * sizeof *build->own);
    if (!build->own) return CSM_ENOMEM;
    csm_platform_large_pages(build->own, row);
    for (size_t i = 0; i < job->compared_count; i++)
        build->across[job->compared[i]].own = build->own + i * values;
    return CSM_OK;
}

static csm_status reserve(across_job *job) {
    const csm_build *build = job->build;
    job->common = csm_alloc_array(build->recipe->count, sizeof *job->common);
    job->compared = csm_alloc_array(build->recipe->count, sizeof *job->compared);
    if (!job->common || !job->compared) return CSM_ENOMEM;
    for (size_t f = 0; f < build->recipe->count; f++) {
        const csm_across across = feature_at(job, f)->formula->across;
        csm_across_result *result = &build->across[f];
        if (across == CSM_ACROSS_NONE) continue;
        if (across == CSM_ACROSS_COMMON)
            job->common[job->common_count++] = f;
        else
            job->compared[job->compared_count++] = f;
        if (across != CSM_ACROSS_RANK) {
            result->common = csm_realloc_array(NULL, build->decisions, sizeof *result->common);
            if (!result->common) return CSM_ENOMEM;
        }
    }
    return reserve_own(job);
}

csm_status csm_across_run(csm_build *build) {
    across_job job = {.build = build};
    csm_status status = reserve(&job);
    if (!status) status = csm_progress(build->context, "fuse: compare coins", 0, 2);
    if (!status) status = csm_parallel_for(build->workers, job.common_count, 1, run_common, &job);
    if (!status && job.compared_count > 0)
        status = csm_parallel_for(build->workers, build->panel->count, 1, run_tracks, &job);
    if (!status) status = csm_progress(build->context, "fuse: compare coins", 1, 2);
    if (!status && job.compared_count > 0)
        status = csm_parallel_for(build->threads, build->decisions, CSM_ACROSS_CHUNK, reduce, &job);
    csm_dealloc(job.common);
    csm_dealloc(job.compared);
    return status;
}

void csm_across_free(csm_build *build) {
    for (size_t f = 0; build->across && f < build->recipe->count; f++) csm_dealloc(build->across[f].common);
    csm_dealloc(build->across);
    csm_dealloc(build->own);
}
