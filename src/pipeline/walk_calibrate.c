/* SPDX-License-Identifier: MIT */
/* Sequential calibration of a walk: at each refit only what had matured by then is known. */
#include "pipeline/training.h"

#include <math.h>
#include <string.h>

/* ---- evidence and bounds over a prefix of rows ---- */

typedef struct issued_set {
    csm_time *time;
    uint32_t *coin;
    double *probability;
    double *outcome;
    size_t length;
} issued_set;

static void issued_free(issued_set *set) {
    csm_dealloc(set->time);
    csm_dealloc(set->coin);
    csm_dealloc(set->probability);
    csm_dealloc(set->outcome);
}

static csm_status issued_make(issued_set *set, const csm_walk_row *rows, size_t n) {
    *set = (issued_set){0};
    set->time = csm_alloc_array(n + 1, sizeof *set->time);
    set->coin = csm_alloc_array(n + 1, sizeof *set->coin);
    set->probability = csm_alloc_array(n + 1, sizeof *set->probability);
    set->outcome = csm_alloc_array(n + 1, sizeof *set->outcome);
    if (!set->time || !set->coin || !set->probability || !set->outcome) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (isnan(rows[i].probability)) continue;
        size_t k = set->length++;
        set->time[k] = rows[i].time;
        set->coin[k] = rows[i].market;
        set->probability[k] = rows[i].probability;
        set->outcome[k] = rows[i].rises;
    }
    return CSM_OK;
}

csm_status csm_walk_evidence(csm_evidence *out, const csm_walk_row *rows, size_t n, csm_time horizon,
                             double threshold) {
    issued_set set;
    csm_status status = issued_make(&set, rows, n);
    csm_outcomes outcomes = {.length = set.length,
                             .horizon = horizon,
                             .time = set.time,
                             .coin = set.coin,
                             .probability = set.probability,
                             .outcome = set.outcome};
    csm_evidence_options options;
    csm_calibrate_evidence_options_init(&options);
    options.threshold = threshold;
    options.as_of = CSM_TIME_MIN; /* the look was no earlier than the last outcome */
    for (size_t i = 0; i < n; i++) {
        if (rows[i].matures > options.as_of) options.as_of = rows[i].matures;
    }
    if (status == CSM_OK) status = csm_calibrate_evidence(out, &outcomes, &options);
    issued_free(&set);
    return status;
}

csm_status csm_walk_block_bound(double *lower, const csm_walk_row *rows, size_t n, csm_time horizon,
                                double threshold) {
    csm_evidence evidence;
    csm_status status = csm_walk_evidence(&evidence, rows, n, horizon, threshold);
    if (status == CSM_OK) *lower = evidence.issued > 0 ? evidence.lower : NAN;
    return status;
}

/* ---- what was known at one refit ---- */

#define BOUND_STEPS 20 /* thresholds 0, 0.05, ... 0.95 of the block bound's table */

typedef struct known_then {
    ensemble_weights weights;
    csm_calibrator *calibrator; /* NULL: nothing to fit on yet */
    double base_rate;
    double radius;
    double bound[BOUND_STEPS];
    uint32_t evidence;
} known_then;

/* One pass over a walk. */
typedef struct calibration {
    horizon_walk *walk;
    const training_settings *settings;
    csm_time horizon;
    size_t member; /* CSM_WHOLE_ENSEMBLE, or the one judged alone */
} calibration;

/* Rows that had matured by `time`, in order of decision time. */
static size_t matured_by(csm_walk_row *out, const horizon_walk *walk, size_t end, csm_time time) {
    size_t n = 0;
    for (size_t i = 0; i < end; i++) {
        if (walk->rows[i].matures <= time) out[n++] = walk->rows[i];
    }
    return n;
}

/* CSM_ENODATA from a fit is an abstention: the calibrator or radius stays unknown. */
csm_status csm_walk_fit_calibrator(csm_calibrator **out, double *radius, const ensemble_weights *weights,
                                   const csm_walk_row *rows, size_t n, csm_time horizon, double level) {
    *out = NULL;
    *radius = NAN;
    double *score = csm_alloc_array(n + 1, sizeof *score);
    double *outcome = csm_alloc_array(n + 1, sizeof *outcome);
    double *residual = csm_alloc_array(n + 1, sizeof *residual);
    csm_time *time = csm_alloc_array(n + 1, sizeof *time);
    csm_time *matures = csm_alloc_array(n + 1, sizeof *matures);
    csm_status status = score && outcome && residual && time && matures ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; status == CSM_OK && i < n; i++) {
        score[i] = csm_ensemble_mix(rows[i].member_score, weights->score, weights->members);
        outcome[i] = rows[i].rises;
        residual[i] =
            rows[i].log_return - csm_ensemble_mix(rows[i].member_return, weights->expected, weights->members);
        time[i] = rows[i].time;
        matures[i] = rows[i].matures;
    }
    csm_calibrator_options options;
    csm_calibrator_options_init(&options);
    options.matured = 1;
    if (status == CSM_OK) options.blocks = csm_calibrate_blocks(time, n, horizon);
    if (status == CSM_OK && options.blocks >= 1) {
        status = csm_calibrator_choose(out, score, outcome, NULL, time, matures, n, &options);
        if (status == CSM_ENODATA) status = CSM_OK;
    }
    if (status == CSM_OK && n > 0) {
        status = csm_calibrate_conformal(radius, residual, n, 1 - level);
        if (status == CSM_ENODATA) status = CSM_OK, *radius = NAN;
    }
    csm_dealloc(matures);
    csm_dealloc(time);
    csm_dealloc(residual);
    csm_dealloc(outcome);
    csm_dealloc(score);
    return status;
}

/* Weights of the ensemble by what had matured, or all of it on one member. */
static csm_status weigh(ensemble_weights *out, const csm_walk_row *matured, size_t n, csm_time horizon,
                        size_t members, size_t member) {
    csm_time *time = csm_alloc_array(n + 1, sizeof *time);
    if (!time) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) time[i] = matured[i].time;
    csm_status status = CSM_OK;
    if (member == CSM_WHOLE_ENSEMBLE) {
        status = csm_ensemble_stack(out, matured, n, members, csm_calibrate_blocks(time, n, horizon));
    } else {
        *out = (ensemble_weights){.members = members};
        out->score[member] = out->expected[member] = 1;
    }
    csm_dealloc(time);
    return status;
}

csm_status csm_walk_weights(ensemble_weights *out, const horizon_walk *walk, csm_time horizon) {
    return weigh(out, walk->rows, walk->length, horizon, walk->members, CSM_WHOLE_ENSEMBLE);
}

static csm_status know_bounds(known_then *known, const csm_walk_row *matured, size_t n, csm_time horizon,
                              double threshold) {
    csm_status status = CSM_OK;
    for (size_t b = 0; status == CSM_OK && b < BOUND_STEPS; b++)
        status = csm_walk_block_bound(&known->bound[b], matured, n, horizon, (double)b / BOUND_STEPS);
    csm_evidence evidence = {0};
    if (status == CSM_OK) status = csm_walk_evidence(&evidence, matured, n, horizon, threshold);
    known->evidence = evidence.status;
    return status;
}

static csm_status know(known_then *known, const csm_walk_row *matured, size_t n, const calibration *c) {
    *known = (known_then){.base_rate = NAN};
    for (size_t b = 0; b < BOUND_STEPS; b++) known->bound[b] = NAN;
    csm_status status = weigh(&known->weights, matured, n, c->horizon, c->walk->members, c->member);
    if (status == CSM_OK)
        status = csm_walk_fit_calibrator(&known->calibrator, &known->radius, &known->weights, matured, n,
                                         c->horizon, c->settings->interval_level);
    double rises = 0;
    for (size_t i = 0; i < n; i++) rises += matured[i].rises;
    if (n > 0) known->base_rate = rises / (double)n;
    if (status == CSM_OK && c->member == CSM_WHOLE_ENSEMBLE)
        status = know_bounds(known, matured, n, c->horizon, c->settings->rank.gate.threshold);
    return status;
}

/* ---- the walk ---- */

static csm_status apply(horizon_walk *walk, size_t begin, size_t end, const known_then *known) {
    for (size_t i = begin; i < end; i++) {
        csm_walk_row *row = &walk->rows[i];
        walk->base_rate[i] = known->base_rate;
        walk->evidence[i] = known->evidence;
        row->score = csm_ensemble_mix(row->member_score, known->weights.score, walk->members);
        row->expected_return = csm_ensemble_mix(row->member_return, known->weights.expected, walk->members);
        row->low = row->expected_return - known->radius;
        row->high = row->expected_return + known->radius;
        if (!known->calibrator) continue;
        double p0 = NAN, p1 = NAN;
        csm_status status = csm_calibrator_apply(known->calibrator, &row->score, &row->probability, 1);
        if (status == CSM_OK) status = csm_calibrator_venn_abers(known->calibrator, &row->score, &p0, &p1, 1);
        if (status != CSM_OK) return status;
        size_t step = (size_t)(row->probability * BOUND_STEPS);
        double bound = known->bound[step < BOUND_STEPS ? step : BOUND_STEPS - 1];
        row->lower = isnan(bound) ? NAN : bound < p0 ? bound : p0;
    }
    return CSM_OK;
}

csm_status csm_walk_calibrate(horizon_walk *walk, csm_context *context, const training_settings *settings,
                              csm_time horizon, size_t member) {
    const calibration c = {walk, settings, horizon, member};
    csm_walk_row *matured = csm_alloc_array(walk->length + 1, sizeof *matured);
    if (!matured) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    size_t begin = 0;
    while (status == CSM_OK && begin < walk->length) {
        csm_time refit = walk->rows[begin].time;
        size_t end = begin;
        while (end < walk->length && walk->rows[end].time < refit + settings->recalibrate) end++;
        known_then known = {0};
        status = csm_progress(context, "calibrate", begin, walk->length);
        if (status == CSM_OK) status = know(&known, matured, matured_by(matured, walk, begin, refit), &c);
        if (status == CSM_OK) status = apply(walk, begin, end, &known);
        csm_calibrator_free(known.calibrator);
        begin = end;
    }
    csm_dealloc(matured);
    return status;
}
