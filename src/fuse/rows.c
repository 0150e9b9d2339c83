/* SPDX-License-Identifier: MIT */
/*
 * The rows of one market: features column by column over all its history, picked at the planned decisions as floats, and
 * all of them turned into rows of the matrix at once, which is so written a single time.
 */
#include "fuse/copies.h"
#include "fuse/frame.h"

#include <math.h>

/* Rows whose places in a sequence follow each other: row begin + i reads element first + i. */
typedef struct stretch {
    size_t begin;
    size_t count;
    size_t first;
} stretch;

typedef struct filling {
    const csm_build *build;
    csm_subject *subject;
    const csm_row_plan *plan;
    size_t track;
    stretch *stretches[3]; /* by sequence */
    size_t stretch_count[3];
    size_t stride;       /* of the subject's strip, (features, rows) */
    csm_reason *missing; /* (rows) why a value is missing; 0: none is */
    uint32_t *feature;   /* (rows) the first that is */
    size_t dropped;
} filling;

/* The places of a dense track are its slots: rows that follow each other are one stretch. */
static bool one_stretch(const filling *f) {
    const csm_row_plan *plan = f->plan;
    const uint32_t first = plan->slot[0], last = plan->slot[plan->count - 1];
    return csm_track_dense(f->subject->track) && last < f->subject->track->span &&
           last - first == plan->count - 1;
}

static csm_status find_stretches(filling *f, csm_sequence sequence) {
    const csm_row_plan *plan = f->plan;
    size_t count = 0, next = SIZE_MAX;
    if (one_stretch(f)) {
        f->stretches[sequence] = csm_alloc_array(1, sizeof *f->stretches[sequence]);
        if (!f->stretches[sequence]) return CSM_ENOMEM;
        *f->stretches[sequence] = (stretch){.count = plan->count, .first = plan->slot[0]};
        f->stretch_count[sequence] = 1;
        return CSM_OK;
    }
    for (int pass = 0; pass < 2; pass++) {
        count = 0;
        for (size_t i = 0; i < plan->count; i++, next++) {
            const size_t place = csm_track_newest(f->subject->track, sequence, plan->slot[i]);
            if (i == 0 || place != next) {
                if (pass == 1) f->stretches[sequence][count] = (stretch){.begin = i, .first = place};
                count++;
                next = place;
            }
            if (pass == 1) f->stretches[sequence][count - 1].count++;
        }
        if (pass == 1) break;
        f->stretches[sequence] = csm_alloc_array(count, sizeof *f->stretches[sequence]);
        if (!f->stretches[sequence]) return CSM_ENOMEM;
    }
    f->stretch_count[sequence] = count;
    return CSM_OK;
}

/* ---- one feature ----------------------------------------------------------------------------------------- */

static bool copy_stretch(const filling *f, float *out, const csm_across_result *across, const stretch *s) {
    const csm_build *build = f->build;
    const uint32_t decision = f->plan->decision[s->begin];
    if (across->common) return csm_copy_doubles(out + s->begin, across->common + decision, s->count);
    if (across->own)
        return csm_copy_floats(out + s->begin, across->own + f->track * build->decisions + decision,
                               s->count);
    return csm_copy_doubles(out + s->begin, f->subject->column + s->first, s->count);
}

static void note_missing(filling *f, const float *column, size_t index) {
    const csm_reason missing = f->build->recipe->features[index].formula->missing;
    for (size_t i = 0; i < f->plan->count; i++) {
        if (isfinite(column[i])) continue;
        if (!f->missing[i]) {
            f->feature[i] = (uint32_t)index;
            f->dropped++;
        }
        f->missing[i] |= missing;
    }
}

static csm_status fill_column(filling *f, float *column, size_t index) {
    const csm_feature *feature = &f->build->recipe->features[index];
    const csm_across_result *across = &f->build->across[index];
    const bool compared = feature->formula->across != CSM_ACROSS_NONE;
    /* what is by decision follows the slots */
    const csm_sequence sequence = compared ? CSM_OVER_SLOTS : feature->formula->sequence;
    bool whole = true;
    if (!compared) {
        const csm_status status = feature->formula->run(feature, f->subject, f->subject->column);
        if (status) return status;
    }
    for (size_t s = 0; s < f->stretch_count[sequence]; s++)
        whole = copy_stretch(f, column, across, &f->stretches[sequence][s]) && whole;
    if (!whole) note_missing(f, column, index);
    return CSM_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------ */

static csm_status fill_columns(filling *f, const csm_indicator_table *table) {
    for (size_t c = 0; c < f->build->recipe->count; c++) {
        if (c % 16 == 0 && csm_cancelled(f->build->context))
            return csm_fail(CSM_ECANCELLED, "fuse: cancelled");
        f->subject->indicator = csm_indicator_table_column(table, f->track, c);
        const csm_status status = fill_column(f, f->subject->strip + c * f->stride, c);
        if (status) return status;
    }
    return CSM_OK;
}

/* Rows that lack a value leave; what was excluded before stays in order of time. */
static csm_status drop_rows(csm_row_plan *plan, const filling *f) {
    const size_t total = plan->excluded_count + f->dropped;
    csm_excluded_row *merged = csm_alloc_array(total, sizeof *merged);
    size_t kept = 0, old = 0, n = 0;
    if (!merged) return CSM_ENOMEM;
    for (size_t i = 0; i < plan->count; i++) {
        if (!f->missing[i]) {
            plan->decision[kept] = plan->decision[i];
            plan->slot[kept++] = plan->slot[i];
            continue;
        }
        const csm_time time =
            f->build->first_decision + (csm_time)plan->decision[i] * f->build->panel->interval;
        while (old < plan->excluded_count && plan->excluded[old].time < time)
            merged[n++] = plan->excluded[old++];
        merged[n++] = (csm_excluded_row){
            .time = time, .market = (uint32_t)f->track, .feature = f->feature[i], .reasons = f->missing[i]};
    }
    while (old < plan->excluded_count) merged[n++] = plan->excluded[old++];
    csm_dealloc(plan->excluded);
    plan->excluded = merged;
    plan->excluded_count = n;
    plan->count = kept;
    return CSM_OK;
}

static csm_status write_rows(float *matrix, const filling *f) {
    bool *dropped = NULL;
    if (f->dropped > 0) {
        dropped = csm_alloc_array(f->plan->count, sizeof *dropped);
        if (!dropped) return CSM_ENOMEM;
        for (size_t i = 0; i < f->plan->count; i++) dropped[i] = f->missing[i] != 0;
    }
    csm_write_rows(matrix, f->subject->strip, f->stride, f->plan->count, f->build->recipe->count, dropped);
    csm_dealloc(dropped);
    return CSM_OK;
}

csm_status csm_rows_fill(float *matrix, csm_row_plan *plan, const csm_build *build, csm_subject *subject,
                         size_t track, const csm_indicator_table *table) {
    filling f = {.build = build, .subject = subject, .plan = plan, .track = track};
    if (plan->count == 0) return CSM_OK;
    subject->track = &build->panel->tracks[track];
    f.stride = csm_strip_stride(plan->count);
    f.missing = csm_alloc_array(plan->count, sizeof *f.missing);
    f.feature = csm_alloc_array(plan->count, sizeof *f.feature);
    csm_status status = f.missing && f.feature ? CSM_OK : CSM_ENOMEM;
    if (!status) status = csm_subject_strip(subject, build->recipe->count, f.stride);
    for (int s = 0; s < 3 && !status; s++) status = find_stretches(&f, (csm_sequence)s);
    if (!status) status = fill_columns(&f, table);
    if (!status) status = write_rows(matrix, &f);
    if (!status && f.dropped > 0) status = drop_rows(plan, &f);
    for (int s = 0; s < 3; s++) csm_dealloc(f.stretches[s]);
    csm_dealloc(f.missing);
    csm_dealloc(f.feature);
    return status;
}
