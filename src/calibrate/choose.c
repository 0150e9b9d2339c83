/* SPDX-License-Identifier: MIT */
/* Which calibrator: the one of least log loss on folds that go forward in time, purged. */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

#define FOLDS 5

/* Fewer parameters first: a tie goes to the first. */
static const uint32_t candidates[] = {CSM_CALIBRATION_TEMPERATURE, CSM_CALIBRATION_PLATT,
                                      CSM_CALIBRATION_BETA, CSM_CALIBRATION_ISOTONIC,
                                      CSM_CALIBRATION_VENN_ABERS};
#define CANDIDATES (sizeof candidates / sizeof *candidates)

typedef struct fold_rows {
    double *score;
    double *outcome;
    double *weight;
    size_t length;
} fold_rows;

typedef struct choosing {
    const double *score;
    const double *outcome;
    const double *weight; /* may be NULL */
    const csm_time *begin;
    const csm_time *end;
    size_t n;
    csm_calibrator_options options;
    uint32_t *by_time;
    uint32_t *by_score; /* a fold's rows are then already sorted */
    fold_rows known;
    fold_rows asked;
    double *probability;
    double loss[CANDIDATES]; /* sum over judged rows */
    double judged_weight;
    size_t judged;
} choosing;

static bool rows_make(fold_rows *rows, size_t n) {
    rows->score = csm_alloc_array(n, sizeof *rows->score);
    rows->outcome = csm_alloc_array(n, sizeof *rows->outcome);
    rows->weight = csm_alloc_array(n, sizeof *rows->weight);
    return rows->score && rows->outcome && rows->weight;
}

static void rows_free(fold_rows *rows) {
    csm_dealloc(rows->score);
    csm_dealloc(rows->outcome);
    csm_dealloc(rows->weight);
}

static void rows_add(fold_rows *rows, const choosing *c, size_t i) {
    rows->score[rows->length] = c->score[i];
    rows->outcome[rows->length] = c->outcome[i];
    rows->weight[rows->length++] = c->weight ? c->weight[i] : 1;
}

/* Known: labels that had ended when the fold begins. Asked: decisions within [from, to). */
static void split(choosing *c, csm_time from, csm_time to, bool last) {
    c->known.length = c->asked.length = 0;
    for (size_t k = 0; k < c->n; k++) {
        size_t i = c->by_score[k];
        if (c->end[i] <= from)
            rows_add(&c->known, c, i);
        else if (c->begin[i] >= from && (last || c->begin[i] < to))
            rows_add(&c->asked, c, i);
    }
}

static double log_loss(const fold_rows *rows, const double *probability) {
    double loss = 0;
    for (size_t i = 0; i < rows->length; i++) {
        double said = rows->outcome[i] > 0 ? probability[i] : 1 - probability[i];
        loss -= rows->weight[i] * csm_log(said > CSM_LOG_LOSS_FLOOR ? said : CSM_LOG_LOSS_FLOOR);
    }
    return loss;
}

/* A fold before which one outcome is missing judges nobody. */
static csm_status judge_fold(choosing *c, csm_time from, csm_time to, bool last) {
    split(c, from, to, last);
    if (c->known.length == 0 || c->asked.length == 0) return CSM_OK;
    csm_calibrator *calibrator;
    csm_calibrator_options options = c->options;
    options.blocks *= (double)c->known.length / (double)c->n;
    csm_status status = csm_calibrator_begin(&calibrator, c->known.score, c->known.outcome, c->known.weight,
                                             c->known.length, &options);
    if (status == CSM_ENODATA) return CSM_OK;
    for (size_t m = 0; m < CANDIDATES && !status; m++) {
        if (c->options.blocks < csm_calibration_blocks_needed(candidates[m])) continue;
        status = csm_calibrator_set_method(calibrator, candidates[m]);
        if (!status)
            status = csm_calibrator_apply(calibrator, c->asked.score, c->probability, c->asked.length);
        if (!status) c->loss[m] += log_loss(&c->asked, c->probability);
    }
    for (size_t i = 0; i < c->asked.length; i++) c->judged_weight += c->asked.weight[i];
    c->judged += c->asked.length;
    csm_calibrator_free(calibrator);
    return status;
}

static csm_status judge(choosing *c) {
    csm_status status = CSM_OK;
    size_t half = c->n / 2;
    for (size_t f = 0; f < FOLDS && !status; f++) {
        csm_time from = c->begin[c->by_time[half + f * (c->n - half) / FOLDS]];
        bool last = f + 1 == FOLDS;
        csm_time to = last ? CSM_TIME_MAX : c->begin[c->by_time[half + (f + 1) * (c->n - half) / FOLDS]];
        if (from < to || last) status = judge_fold(c, from, to, last);
    }
    return status;
}

static csm_status prepare(choosing *c) {
    for (size_t i = 0; i < c->n; i++) {
        if (!isfinite(c->score[i])) return csm_fail(CSM_EINVAL, "calibrator: score %zu is not finite", i);
        if (c->end[i] < c->begin[i])
            return csm_fail(CSM_EINVAL, "calibrator: label %zu ends at %lld, before it begins at %lld", i,
                            (long long)c->end[i], (long long)c->begin[i]);
    }
    c->by_time = csm_alloc_array(c->n, sizeof *c->by_time);
    c->by_score = csm_alloc_array(c->n, sizeof *c->by_score);
    c->probability = csm_alloc_array(c->n, sizeof *c->probability);
    if (!c->by_time || !c->by_score || !c->probability || !rows_make(&c->known, c->n) ||
        !rows_make(&c->asked, c->n))
        return CSM_ENOMEM;
    csm_status status = csm_order_time(c->by_time, c->begin, c->n);
    return status ? status : csm_order_f64(c->by_score, c->score, c->n);
}

static uint32_t best_method(const choosing *c) {
    uint32_t best = csm_calibration_by_blocks(c->options.blocks);
    double least = INFINITY;
    for (size_t m = 0; m < CANDIDATES && c->judged_weight > 0; m++) {
        bool tried = c->options.blocks >= csm_calibration_blocks_needed(candidates[m]);
        if (!tried || !(c->loss[m] < least)) continue;
        least = c->loss[m];
        best = candidates[m];
    }
    return best;
}

static void note_losses(csm_calibrator_info *info, const choosing *c) {
    info->judged = c->judged;
    for (size_t m = 0; m < CANDIDATES && c->judged_weight > 0; m++) {
        if (c->options.blocks >= csm_calibration_blocks_needed(candidates[m]))
            info->log_loss[candidates[m]] = c->loss[m] / c->judged_weight;
    }
}

csm_status csm_calibrator_choose(csm_calibrator **out, const double *score, const double *outcome,
                                 const double *weight, const csm_time *begin, const csm_time *end, size_t n,
                                 const csm_calibrator_options *user) {
    choosing c = {.score = score, .outcome = outcome, .weight = weight, .begin = begin, .end = end, .n = n};
    if (!out) return csm_fail(CSM_EINVAL, "calibrator: out is NULL");
    *out = NULL;
    if (n && (!score || !outcome || !begin || !end))
        return csm_fail(CSM_EINVAL, "calibrator: score, outcome, begin or end is NULL");
    csm_status status = csm_calibrator_options_check(&c.options, user);
    if (status) return status;
    csm_calibrator_options options = c.options;
    if (options.method == CSM_CALIBRATION_AUTO && n > 0) {
        status = prepare(&c);
        if (!status) status = judge(&c);
        options.method = best_method(&c);
    }
    if (!status) status = csm_calibrator_fit(out, score, outcome, weight, n, &options);
    if (!status) note_losses(&(*out)->info, &c);
    rows_free(&c.asked);
    rows_free(&c.known);
    csm_dealloc(c.probability);
    csm_dealloc(c.by_score);
    csm_dealloc(c.by_time);
    return status;
}
