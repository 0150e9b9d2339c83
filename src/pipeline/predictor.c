/* SPDX-License-Identifier: MIT */
/* What a model says of every coin at one decision. */
#include "pipeline/predictor.h"

#include "learn/live.h"
#include "pipeline/alarms.h"
#include "pipeline/gate.h"
#include "pipeline/interval.h"
#include "pipeline/weights.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static size_t window_of(const csm_training *training) {
    size_t window = 1;
    for (size_t h = 0; h < training->horizons; h++) {
        if (training->horizon[h].ensemble.window > window) window = training->horizon[h].ensemble.window;
    }
    return window;
}

static csm_status build_frame(predictor *p) {
    csm_fuse_options options = p->pipeline->settings.fuse;
    p->decision = csm_time_floor(p->as_of, options.interval);
    options.as_of = p->as_of;
    options.from = p->decision - (csm_time)(window_of(p->training) - 1) * options.interval;
    options.to = p->decision + 1;
    return csm_fuse_build(&p->frame, p->pipeline->context, p->pipeline->store, p->training->recipe,
                          p->markets.market, p->markets.count, &options);
}

/* The decision's rows whose windows are whole. */
static csm_status choose_rows(predictor *p) {
    const size_t rows = csm_frame_rows(p->frame);
    const csm_time *times = csm_frame_times(p->frame);
    uint8_t *whole = csm_alloc_array(rows + 1, sizeof *whole);
    p->row = csm_alloc_array(rows + 1, sizeof *p->row);
    csm_status status =
        whole && p->row ? csm_frame_whole_windows(whole, p->frame, window_of(p->training)) : CSM_ENOMEM;
    for (size_t r = 0; status == CSM_OK && r < rows; r++) {
        if (whole[r] && times[r] == p->decision) p->row[p->rows++] = (int64_t)r;
    }
    csm_dealloc(whole);
    return status;
}

static csm_status predict_rows(predictor *p) {
    const csm_matrix x = csm_frame_matrix(p->frame);
    csm_status status = choose_rows(p);
    for (size_t h = 0; status == CSM_OK && h < p->training->horizons; h++) {
        const ensemble *e = &p->training->horizon[h].ensemble;
        p->score[h] = csm_alloc_array(p->rows + 1, e->members * sizeof(double));
        p->expected[h] = csm_alloc_array(p->rows + 1, e->members * sizeof(double));
        if (!p->score[h] || !p->expected[h]) return CSM_ENOMEM;
        status =
            csm_ensemble_predict(e, p->pipeline->context, &x, p->row, p->rows, p->score[h], p->expected[h]);
    }
    return status;
}

/* ---- one coin ---- */

static csm_status bound_of(double *lower, const horizon_result *result, double score, double probability) {
    double p0 = NAN, p1 = NAN, block = NAN;
    csm_status status = csm_calibrator_venn_abers(result->calibrator, &score, &p0, &p1, 1);
    if (status == CSM_OK)
        status = csm_walk_block_bound(&block, result->walk.rows, result->walk.length, result->facts.horizon,
                                      probability);
    if (status == CSM_OK) *lower = isnan(block) ? NAN : block < p0 ? block : p0;
    return status;
}

/* score and expected: of the members. */
static csm_status horizon_forecast(csm_horizon_forecast *out, const predictor *p, size_t h,
                                   const double *score, const double *expected, double cost) {
    const horizon_result *result = &p->training->horizon[h];
    const ensemble_weights *weights = &p->weights[h];
    const double mixed = csm_ensemble_mix(score, weights->score, weights->members);
    out->expected_return = csm_ensemble_mix(expected, weights->expected, weights->members);
    out->low = out->expected_return - p->radius[h];
    out->high = out->expected_return + p->radius[h];
    out->cost = cost;
    out->member_count = (uint32_t)weights->members;
    for (size_t m = 0; m < weights->members; m++) {
        csm_member_forecast *member = &out->members[m];
        *member = (csm_member_forecast){.score = score[m],
                                        .score_weight = weights->score[m],
                                        .expected_return = expected[m],
                                        .return_weight = weights->expected[m]};
        memcpy(member->name, result->ensemble.name[m], sizeof member->name);
    }
    if (!result->calibrator) return CSM_OK;
    csm_status status = csm_calibrator_apply(result->calibrator, &mixed, &out->probability, 1);
    if (status == CSM_OK) status = bound_of(&out->lower, result, mixed, out->probability);
    return status;
}

static void name_forecast(csm_forecast *f, const csm_market *market, const predictor *p) {
    *f = (csm_forecast){.time = p->decision,
                        .epoch = market->epoch,
                        .price = NAN,
                        .horizon_count = (uint32_t)p->training->horizons,
                        .last_update = CSM_TIME_MIN};
    snprintf(f->coin, sizeof f->coin, "%s", market->coin);
    snprintf(f->market, sizeof f->market, "%s", market->id);
    for (size_t h = 0; h < p->training->horizons; h++) {
        f->horizons[h] = (csm_horizon_forecast){.horizon = p->training->horizon[h].facts.horizon,
                                                .expected_return = NAN,
                                                .low = NAN,
                                                .high = NAN,
                                                .probability = NAN,
                                                .lower = NAN,
                                                .cost = NAN,
                                                .evidence = p->evidence[h]};
    }
}

static void gate_of(csm_forecast *f, const predictor *p) {
    f->gate = (csm_gate_input){.probability = NAN,
                               .expected_return = NAN,
                               .cost = NAN,
                               .traded_value = NAN,
                               .live = p->live,
                               .drift = p->drift,
                               .data = f->gate.data};
    for (size_t h = 0; h < f->horizon_count; h++) {
        if (f->horizons[h].horizon != p->pipeline->settings.rank.horizon) continue;
        f->gate.probability = f->horizons[h].probability;
        f->gate.expected_return = f->horizons[h].expected_return;
        f->gate.cost = f->horizons[h].cost;
        f->gate.evidence = f->horizons[h].evidence;
        f->gate.matured =
            p->training->horizon[h].calibrator ? p->training->horizon[h].facts.calibrator.matured : 0;
    }
}

static csm_status forecast_market(csm_forecast *f, const predictor *p, uint32_t m, const double *costs,
                                  size_t row) {
    name_forecast(f, p->markets.market[m], p);
    csm_market_facts facts;
    csm_status status = csm_frame_reasons(&f->gate.data, p->frame, m, p->decision);
    if (status == CSM_OK) status = csm_frame_facts(&facts, p->frame, m, p->decision);
    if (status != CSM_OK) return status;
    if (row == SIZE_MAX && f->gate.data == 0) f->gate.data = CSM_REASON_MASK(WINDOW_SHORT);
    if (p->expired) f->gate.data |= CSM_REASON_MASK(MODEL_EXPIRED);
    if (p->shadow) f->gate.data |= CSM_REASON_MASK(SHADOW);
    for (size_t h = 0; row != SIZE_MAX && h < f->horizon_count; h++) {
        const size_t at = row * p->training->horizon[h].ensemble.members;
        status = horizon_forecast(&f->horizons[h], p, h, p->score[h] + at, p->expected[h] + at, costs[m]);
        if (status == CSM_OK) status = csm_predictor_contributions(&f->horizons[h], p, h, row);
        if (status != CSM_OK) return csm_fail_prefix(status, "%s", f->market);
    }
    gate_of(f, p);
    f->gate.traded_value = facts.traded_value;
    f->gate.history = facts.history;
    f->price = facts.price;
    f->last_update = facts.last_trade;
    return CSM_OK;
}

static csm_status market_costs(double *costs, const predictor *p) {
    for (size_t m = 0; m < p->markets.count; m++) {
        csm_cost_model *model = NULL;
        csm_cost cost = {0};
        csm_status status = csm_cost_open(&model, p->pipeline->context, p->pipeline->store,
                                          p->markets.market[m], p->as_of, &p->pipeline->settings.cost);
        if (status == CSM_OK) status = csm_cost_at(&cost, model, p->decision);
        csm_cost_free(model);
        if (status != CSM_OK) return csm_fail_prefix(status, "cost of %s", p->markets.market[m]->id);
        costs[m] = cost.total;
    }
    return CSM_OK;
}

static csm_status forecast_all(predictor *p) {
    p->forecasts = csm_alloc_array(p->markets.count + 1, sizeof *p->forecasts);
    double *costs = csm_alloc_array(p->markets.count + 1, sizeof *costs);
    size_t *row = csm_alloc_array(p->markets.count + 1, sizeof *row);
    csm_status status = p->forecasts && costs && row ? market_costs(costs, p) : CSM_ENOMEM;
    for (size_t m = 0; status == CSM_OK && m < p->markets.count; m++) row[m] = SIZE_MAX;
    const uint32_t *markets = csm_frame_markets(p->frame);
    for (size_t r = 0; status == CSM_OK && r < p->rows; r++) row[markets[p->row[r]]] = r;
    for (size_t m = 0; status == CSM_OK && m < p->markets.count; m++)
        status = forecast_market(&p->forecasts[m], p, (uint32_t)m, costs, row[m]);
    csm_dealloc(row);
    csm_dealloc(costs);
    return status;
}

/* ---- what stands for or against the model ---- */

static csm_status judge_model(predictor *p) {
    const csm_pipeline *pipeline = p->pipeline;
    const double threshold = pipeline->settings.rank.gate.threshold;
    size_t alarms = 0;
    csm_status status = CSM_OK;
    p->expired = p->as_of - p->training->as_of >= csm_config_duration(pipeline->config, "learn.model_life");
    for (size_t h = 0; status == CSM_OK && h < p->training->horizons; h++) {
        const horizon_result *result = &p->training->horizon[h];
        csm_evidence live;
        size_t matured = 0;
        status =
            csm_live_evidence(&live, &matured, pipeline->store, result->facts.horizon, threshold, p->as_of);
        if (status == CSM_OK) p->evidence[h] = csm_evidence_in_force(&result->facts.evidence, &live);
        if (status == CSM_OK)
            status = csm_weights_in_force(&p->weights[h], pipeline, p->training, h, p->as_of);
        if (status == CSM_OK) status = csm_radius_in_force(&p->radius[h], pipeline, p->training, h, p->as_of);
    }
    if (status == CSM_OK)
        status = csm_alarms_standing(&alarms, pipeline->store, p->training->hash,
                                     pipeline->settings.rank.horizon, p->as_of);
    p->drift = alarms > 0;
    return status;
}

/* ---- all of it ---- */

csm_status csm_predictor_forecast(predictor *p, csm_training *training) {
    csm_pipeline *pipeline = p->pipeline;
    p->training = training;
    if (training->as_of > p->as_of)
        return csm_fail(CSM_EINVAL, "predict: the %s was trained on data after the time asked for",
                        p->shadow ? "model in shadow" : "champion");
    csm_status status = csm_universe_make(&p->markets, pipeline, p->as_of, false);
    if (status == CSM_OK) status = build_frame(p);
    if (status == CSM_OK) status = predict_rows(p);
    if (status == CSM_OK) status = csm_predictor_explain(p);
    if (status == CSM_OK) status = csm_learn_live_clock(&p->live, pipeline->store);
    if (status == CSM_OK) status = judge_model(p);
    if (status == CSM_OK) status = forecast_all(p);
    return status;
}

void csm_predictor_release(predictor *p) {
    for (size_t h = 0; h < CSM_HORIZONS_MAX; h++) {
        csm_dealloc(p->score[h]);
        csm_dealloc(p->expected[h]);
        csm_dealloc(p->contribution[h].data);
    }
    csm_dealloc(p->row);
    csm_dealloc(p->forecasts);
    csm_frame_free(p->frame);
    csm_universe_free(&p->markets);
    csm_training_free(p->training);
    *p = (predictor){0};
}
