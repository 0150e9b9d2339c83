/* SPDX-License-Identifier: MIT */
#include <cryptosmart/rank.h>

#include "calibrate/internal.h"
#include "core/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The gate's conditions in the order of the funnel. Data reasons stand before them, in the order of their bits. */
static const uint32_t gate_order[] = {
    CSM_REASON_NO_MODEL,    CSM_REASON_NOT_CALIBRATED,   CSM_REASON_HISTORY_CLOCK, CSM_REASON_ILLIQUID,
    CSM_REASON_DRIFT_ALARM, CSM_REASON_EVIDENCE_REVOKED, CSM_REASON_EVIDENCE_LOW,  CSM_REASON_PROBABILITY_LOW,
    CSM_REASON_RETURN_LOW,  CSM_REASON_NO_CONSENSUS};
#define GATE_STEPS (sizeof gate_order / sizeof *gate_order)
#define FUNNEL_MAX 64

struct csm_ranking {
    csm_forecast *all; /* input order */
    size_t total;
    uint32_t *shown; /* indices into all, best first */
    size_t count;
    csm_funnel_step funnel[FUNNEL_MAX];
    size_t steps;
};

void csm_rank_options_init(csm_rank_options *options) {
    *options = (csm_rank_options){.size = sizeof *options, .horizon = 30 * CSM_DAY};
    csm_calibrate_gate_options_init(&options->gate);
}

/* ---- the gate ---- */

static csm_status check_forecast(const csm_forecast *forecast, size_t index) {
    if (!memchr(forecast->coin, 0, sizeof forecast->coin) ||
        !memchr(forecast->market, 0, sizeof forecast->market))
        return csm_fail(CSM_EINVAL, "rank: coin or market of forecast %zu is not terminated", index);
    if (forecast->horizon_count > CSM_HORIZONS_MAX)
        return csm_fail(CSM_EINVAL, "rank: forecast %zu (%s) has %u horizons, the most are %d", index,
                        forecast->market, forecast->horizon_count, CSM_HORIZONS_MAX);
    return CSM_OK;
}

static const csm_horizon_forecast *at_horizon(const csm_forecast *forecast, csm_time horizon) {
    for (uint32_t h = 0; h < forecast->horizon_count; h++) {
        if (forecast->horizons[h].horizon == horizon) return &forecast->horizons[h];
    }
    return NULL;
}

/* Sets agreement, the gate's figures at its horizon, and the reasons. */
static csm_status gate_forecast(csm_forecast *forecast, size_t index, const csm_rank_options *options) {
    csm_status status = check_forecast(forecast, index);
    if (status) return status;
    forecast->agreement = 0;
    for (uint32_t h = 0; h < forecast->horizon_count; h++) {
        const csm_horizon_forecast *row = &forecast->horizons[h];
        forecast->agreement += row->probability >= 0.5 && row->expected_return > 0;
    }
    const csm_horizon_forecast *row = at_horizon(forecast, options->horizon);
    csm_gate_input *gate = &forecast->gate;
    gate->probability = row ? row->probability : NAN;
    gate->expected_return = row ? row->expected_return : NAN;
    gate->cost = row ? row->cost : NAN;
    gate->evidence = row ? row->evidence : CSM_EVIDENCE_UNPROVEN;
    gate->agreement = forecast->horizon_count > 0 && forecast->agreement == forecast->horizon_count;
    status = csm_calibrate_gate(&forecast->show, &forecast->trade, gate, &options->gate);
    return status ? csm_fail_prefix(status, "rank: forecast %zu (%s)", index, forecast->market) : CSM_OK;
}

/* ---- order ---- */

typedef struct ranked_forecast {
    const csm_forecast *forecast;
    double expected_return;
    double probability;
    uint32_t index;
} ranked_forecast;

static int best_first(const void *a, const void *b) {
    const ranked_forecast *left = a, *right = b;
    if (left->expected_return != right->expected_return)
        return left->expected_return > right->expected_return ? -1 : 1;
    if (left->probability != right->probability) return left->probability > right->probability ? -1 : 1;
    int by_name = strcmp(left->forecast->market, right->forecast->market);
    return by_name ? by_name : (left->index > right->index) - (left->index < right->index);
}

static csm_status order_shown(csm_ranking *ranking, size_t limit) {
    ranked_forecast *rows = csm_alloc_array(ranking->total, sizeof *rows);
    ranking->shown = csm_alloc_array(ranking->total, sizeof *ranking->shown);
    csm_status status = rows && ranking->shown ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; i < ranking->total && !status; i++) {
        const csm_forecast *forecast = &ranking->all[i];
        if (forecast->show) continue;
        rows[ranking->count++] = (ranked_forecast){forecast, forecast->gate.expected_return,
                                                   forecast->gate.probability, (uint32_t)i};
    }
    if (!status) qsort(rows, ranking->count, sizeof *rows, best_first);
    if (limit && ranking->count > limit) ranking->count = limit;
    for (size_t i = 0; i < ranking->count && !status; i++) ranking->shown[i] = rows[i].index;
    csm_dealloc(rows);
    return status;
}

/* ---- funnel ---- */

static bool is_gate_reason(uint32_t bit) {
    for (size_t i = 0; i < GATE_STEPS; i++) {
        if (gate_order[i] == bit) return true;
    }
    return false;
}

/* One condition: who fails it, who fell here first (had none of the reasons in `before`). */
static void add_step(csm_ranking *ranking, uint32_t bit, csm_reason *before, size_t *left) {
    csm_funnel_step *step = &ranking->funnel[ranking->steps++];
    csm_reason mask = (csm_reason)1 << bit;
    *step = (csm_funnel_step){.reason = bit};
    for (size_t i = 0; i < ranking->total; i++) {
        csm_reason show = ranking->all[i].show;
        step->failed += (show & mask) != 0;
        step->fell += (show & mask) != 0 && (show & *before) == 0;
    }
    *before |= mask;
    *left -= step->fell;
    step->left = *left;
}

static void build_funnel(csm_ranking *ranking, const csm_rank_options *options) {
    csm_reason seen = 0, before = 0;
    size_t left = ranking->total;
    for (size_t i = 0; i < ranking->total; i++) seen |= ranking->all[i].show;
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (!is_gate_reason(bit) && (seen >> bit & 1)) add_step(ranking, bit, &before, &left);
    }
    for (size_t i = 0; i < GATE_STEPS; i++) {
        bool optional = gate_order[i] == CSM_REASON_NO_CONSENSUS && !options->gate.require_consensus;
        if (!optional || (seen >> gate_order[i] & 1)) add_step(ranking, gate_order[i], &before, &left);
    }
}

/* ---- public ---- */

csm_status csm_rank_build(csm_ranking **out, const csm_forecast *forecasts, size_t n,
                          const csm_rank_options *user) {
    csm_rank_options options;
    csm_gate_options checked;
    if (!out || (n && !forecasts)) return csm_fail(CSM_EINVAL, "rank: out or forecasts is NULL");
    *out = NULL;
    csm_rank_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_rank_options");
    if (status) return status;
    if ((status = csm_gate_options_take(&checked, &options.gate))) return csm_fail_prefix(status, "rank");
    options.gate = checked;
    if (options.horizon <= 0)
        return csm_fail(CSM_EINVAL, "rank: horizon %lld ns", (long long)options.horizon);
    if (n > UINT32_MAX) return csm_fail(CSM_EINVAL, "rank: %zu forecasts", n);
    csm_ranking *ranking = csm_alloc_array(1, sizeof *ranking);
    if (!ranking) return CSM_ENOMEM;
    ranking->all = csm_alloc_array(n, sizeof *ranking->all);
    ranking->total = n;
    status = ranking->all ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; i < n && !status; i++) {
        ranking->all[i] = forecasts[i];
        status = gate_forecast(&ranking->all[i], i, &options);
    }
    if (!status) status = order_shown(ranking, options.limit);
    if (status) {
        csm_ranking_free(ranking);
        return status;
    }
    build_funnel(ranking, &options);
    *out = ranking;
    return CSM_OK;
}

void csm_ranking_free(csm_ranking *ranking) {
    if (!ranking) return;
    csm_dealloc(ranking->all);
    csm_dealloc(ranking->shown);
    csm_dealloc(ranking);
}

size_t csm_ranking_count(const csm_ranking *ranking) {
    return ranking ? ranking->count : 0;
}

const csm_forecast *csm_ranking_at(const csm_ranking *ranking, size_t index) {
    return ranking && index < ranking->count ? &ranking->all[ranking->shown[index]] : NULL;
}

size_t csm_ranking_total(const csm_ranking *ranking) {
    return ranking ? ranking->total : 0;
}

const csm_forecast *csm_ranking_all_at(const csm_ranking *ranking, size_t index) {
    return ranking && index < ranking->total ? &ranking->all[index] : NULL;
}

size_t csm_ranking_funnel_count(const csm_ranking *ranking) {
    return ranking ? ranking->steps : 0;
}

const csm_funnel_step *csm_ranking_funnel_at(const csm_ranking *ranking, size_t index) {
    return ranking && index < ranking->steps ? &ranking->funnel[index] : NULL;
}
