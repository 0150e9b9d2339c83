/* SPDX-License-Identifier: MIT */
/* What the finished walk of one horizon shows, beside the base rate, a momentum rule of the same coverage, and holding. */
#include "pipeline/training.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct judged {
    csm_time *time;
    uint32_t *coin;
    double *probability;
    double *base_rate;
    double *outcome;
    double *expected;
    double *momentum;
    double *realised;
    size_t length;
} judged;

static void judged_free(judged *j) {
    csm_dealloc(j->time);
    csm_dealloc(j->coin);
    csm_dealloc(j->probability);
    csm_dealloc(j->base_rate);
    csm_dealloc(j->outcome);
    csm_dealloc(j->expected);
    csm_dealloc(j->momentum);
    csm_dealloc(j->realised);
}

/* Calibrated rows whose momentum is known too, so that model and rule are judged on the same rows. */
static csm_status judged_make(judged *j, const horizon_walk *walk) {
    size_t n = walk->length + 1;
    *j = (judged){0};
    j->time = csm_alloc_array(n, sizeof *j->time);
    j->coin = csm_alloc_array(n, sizeof *j->coin);
    double **arrays[] = {&j->probability, &j->base_rate, &j->outcome,
                         &j->expected,    &j->momentum,  &j->realised};
    bool whole = j->time && j->coin;
    for (size_t a = 0; a < sizeof arrays / sizeof arrays[0]; a++) {
        *arrays[a] = csm_alloc_array(n, sizeof(double));
        whole = whole && *arrays[a];
    }
    if (!whole) return CSM_ENOMEM;
    for (size_t i = 0; i < walk->length; i++) {
        const csm_walk_row *row = &walk->rows[i];
        if (isnan(row->probability) || isnan(row->momentum)) continue;
        size_t k = j->length++;
        j->time[k] = row->time;
        j->coin[k] = row->market;
        j->probability[k] = row->probability;
        j->base_rate[k] = walk->base_rate[i];
        j->outcome[k] = row->rises;
        j->expected[k] = row->expected_return;
        j->momentum[k] = row->momentum;
        j->realised[k] = row->log_return;
    }
    return CSM_OK;
}

static csm_status score(csm_horizon_training *facts, csm_context *context, const judged *j,
                        uint32_t bootstrap) {
    csm_scores_options options;
    csm_calibrate_scores_options_init(&options);
    options.bootstrap = bootstrap;
    csm_outcomes outcomes = {.length = j->length,
                             .horizon = facts->horizon,
                             .time = j->time,
                             .coin = j->coin,
                             .probability = j->probability,
                             .outcome = j->outcome,
                             .expected = j->expected,
                             .realised = j->realised};
    csm_status status = csm_calibrate_scores(&facts->model, context, &outcomes, &options);
    outcomes.probability = j->base_rate;
    outcomes.expected = j->momentum;
    if (status == CSM_OK) status = csm_calibrate_scores(&facts->baseline, context, &outcomes, &options);
    return status;
}

/* ---- the rule of the same coverage ---- */

static int by_momentum(const void *a, const void *b) {
    const csm_walk_row *const *x = a, *const *y = b;
    if ((*x)->momentum != (*y)->momentum) return (*x)->momentum > (*y)->momentum ? -1 : 1;
    return (*x)->market < (*y)->market ? -1 : (*x)->market > (*y)->market;
}

typedef struct comparison {
    size_t issued;
    size_t dates;
    double momentum_rises;
    size_t momentum_issued;
    double issued_net;
    double issued_double;
    double market;
} comparison;

/* One date: as many coins by momentum as the model issued. */
static csm_status compare_date(comparison *c, const csm_walk_row *rows, size_t n, double threshold) {
    const csm_walk_row **order = csm_alloc_array(n, sizeof *order);
    if (!order) return CSM_ENOMEM;
    size_t issued = 0, known = 0;
    double market = 0;
    for (size_t i = 0; i < n; i++) {
        market += rows[i].log_return;
        if (!isnan(rows[i].momentum)) order[known++] = &rows[i];
        if (!(rows[i].probability >= threshold)) continue;
        issued++;
        c->issued_net += rows[i].log_return - rows[i].cost;
        c->issued_double += rows[i].log_return - 2 * rows[i].cost;
    }
    if (issued > 0) {
        qsort(order, known, sizeof *order, by_momentum);
        for (size_t i = 0; i < issued && i < known; i++) {
            c->momentum_rises += order[i]->rises;
            c->momentum_issued++;
        }
        c->issued += issued;
        c->dates++;
        c->market += market / (double)n;
    }
    csm_dealloc((void *)order);
    return CSM_OK;
}

static csm_status compare(csm_horizon_training *facts, const horizon_walk *walk, double threshold) {
    comparison c = {0};
    for (size_t begin = 0, end; begin < walk->length; begin = end) {
        end = begin;
        while (end < walk->length && walk->rows[end].time == walk->rows[begin].time) end++;
        csm_status status = compare_date(&c, walk->rows + begin, end - begin, threshold);
        if (status != CSM_OK) return status;
    }
    facts->momentum_precision = c.momentum_issued ? c.momentum_rises / (double)c.momentum_issued : NAN;
    facts->market_return = c.dates ? c.market / (double)c.dates : NAN;
    facts->issued_return = c.issued ? c.issued_net / (double)c.issued : NAN;
    facts->issued_return_doubled_costs = c.issued ? c.issued_double / (double)c.issued : NAN;
    return CSM_OK;
}

static csm_scores scores_unknown(void) {
    csm_band unknown = {NAN, NAN, NAN};
    return (csm_scores){.base_rate = NAN,
                        .brier = unknown,
                        .brier_skill = unknown,
                        .reliability = NAN,
                        .resolution = NAN,
                        .uncertainty = NAN,
                        .log_loss = unknown,
                        .ece = unknown,
                        .rank_ic = unknown,
                        .rank_icir = NAN};
}

/* ---- each member alone ---- */

/* Scores of one member with a calibrator of its own, and its Brier score against the ensemble's. The same rows are
 * calibrated in both, since matured rows and blocks are the same. */
static csm_status judge_member(csm_member_training *out, csm_context *context, const horizon_result *result,
                               const judged *whole, const training_settings *settings, size_t m) {
    horizon_walk alone = {.length = result->walk.length, .members = result->walk.members};
    judged j = {0};
    csm_scores scores = {0};
    csm_scores_options options;
    csm_calibrate_scores_options_init(&options);
    options.bootstrap = settings->bootstrap;
    alone.rows = csm_alloc_array(alone.length + 1, sizeof *alone.rows);
    alone.base_rate = csm_alloc_array(alone.length + 1, sizeof *alone.base_rate);
    alone.evidence = csm_alloc_array(alone.length + 1, sizeof *alone.evidence);
    csm_status status = alone.rows && alone.base_rate && alone.evidence ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; status == CSM_OK && i < alone.length; i++) {
        alone.rows[i] = result->walk.rows[i];
        alone.rows[i].probability = NAN;
    }
    if (status == CSM_OK) status = csm_walk_calibrate(&alone, context, settings, result->facts.horizon, m);
    if (status == CSM_OK) status = judged_make(&j, &alone);
    if (status == CSM_OK && j.length != whole->length)
        status = csm_fail(CSM_EINTERNAL, "member %zu is calibrated on %zu rows, the ensemble on %zu", m,
                          j.length, whole->length);
    const csm_outcomes outcomes = {.length = j.length,
                                   .horizon = result->facts.horizon,
                                   .time = j.time,
                                   .coin = j.coin,
                                   .probability = j.probability,
                                   .outcome = j.outcome,
                                   .expected = j.expected,
                                   .realised = j.realised};
    if (status == CSM_OK) status = csm_calibrate_scores(&scores, context, &outcomes, &options);
    csm_outcomes both = outcomes;
    both.probability = whole->probability;
    if (status == CSM_OK)
        status = csm_calibrate_brier_gain(&out->gain, context, &both, j.probability, settings->bootstrap);
    out->brier_skill = scores.brier_skill;
    out->rank_ic = scores.rank_ic;
    judged_free(&j);
    csm_walk_free(&alone);
    return status;
}

static csm_status judge_members(horizon_result *result, csm_context *context, const judged *whole,
                                const training_settings *settings) {
    const csm_band unknown = {NAN, NAN, NAN};
    csm_horizon_training *facts = &result->facts;
    csm_status status = CSM_OK;
    facts->members = result->weights.members;
    for (size_t m = 0; status == CSM_OK && m < facts->members; m++) {
        csm_member_training *member = &facts->member[m];
        *member = (csm_member_training){.score_weight = result->weights.score[m],
                                        .return_weight = result->weights.expected[m],
                                        .brier_skill = unknown,
                                        .rank_ic = unknown,
                                        .gain = unknown};
        snprintf(member->name, sizeof member->name, "%s", settings->member[m].name);
        if (whole->length > 0) status = judge_member(member, context, result, whole, settings, m);
    }
    return status;
}

csm_status csm_training_facts(horizon_result *result, csm_context *context,
                              const training_settings *settings) {
    csm_horizon_training *facts = &result->facts;
    double threshold = settings->rank.gate.threshold;
    judged j;
    csm_status status = judged_make(&j, &result->walk);
    facts->walk_rows = result->walk.length;
    facts->folds = result->walk.folds;
    facts->model = facts->baseline = scores_unknown();
    facts->base_rate = NAN;
    if (status == CSM_OK && j.length > 0) status = score(facts, context, &j, settings->bootstrap);
    if (status == CSM_OK && j.length > 0) facts->base_rate = facts->model.base_rate;
    if (status == CSM_OK) facts->blocks = csm_calibrate_blocks(j.time, j.length, facts->horizon);
    if (status == CSM_OK) status = compare(facts, &result->walk, threshold);
    if (status == CSM_OK)
        status = csm_walk_evidence(&facts->evidence, result->walk.rows, result->walk.length, facts->horizon,
                                   threshold);
    if (status == CSM_OK) status = judge_members(result, context, &j, settings);
    judged_free(&j);
    return status;
}
