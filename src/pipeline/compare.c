/* SPDX-License-Identifier: MIT */
/* Two models on the forecasts that both made live, written before their outcome: paired losses, betting and bootstrap. */
#include "pipeline/compare.h"

#include "learn/betting.h"
#include "store/catalog.h"

#include <math.h>
#include <string.h>

typedef struct pairs {
    csm_time *time;
    uint32_t *coin;
    double *model; /* probabilities */
    double *other;
    double *outcome;
    double *gain; /* the other's loss less the model's */
    size_t length;
    size_t capacity;
} pairs;

static void pairs_free(pairs *p) {
    csm_dealloc(p->time);
    csm_dealloc(p->coin);
    csm_dealloc(p->model);
    csm_dealloc(p->other);
    csm_dealloc(p->outcome);
    csm_dealloc(p->gain);
    *p = (pairs){0};
}

static csm_status grow(pairs *p) {
    if (p->length < p->capacity) return CSM_OK;
    const size_t capacity = p->capacity ? 2 * p->capacity : 1024;
    csm_time *time = csm_realloc_array(p->time, capacity, sizeof *time);
    if (time) p->time = time;
    uint32_t *coin = time ? csm_realloc_array(p->coin, capacity, sizeof *coin) : NULL;
    if (!coin) return CSM_ENOMEM;
    p->coin = coin;
    double **columns[] = {&p->model, &p->other, &p->outcome, &p->gain};
    for (size_t i = 0; i < 4; i++) {
        double *column = csm_realloc_array(*columns[i], capacity, sizeof *column);
        if (!column) return CSM_ENOMEM;
        *columns[i] = column;
    }
    p->capacity = capacity;
    return CSM_OK;
}

static csm_status take_pair(pairs *p, csm_statement *s) {
    const csm_status status = grow(p);
    if (status != CSM_OK) return status;
    const size_t i = p->length++;
    const double outcome = (double)csm_statement_i64(s, 4), model = csm_statement_f64(s, 2),
                 other = csm_statement_f64(s, 3);
    p->time[i] = csm_statement_i64(s, 0);
    p->coin[i] = (uint32_t)csm_statement_i64(s, 1);
    p->model[i] = model;
    p->other[i] = other;
    p->outcome[i] = outcome;
    p->gain[i] = (other - outcome) * (other - outcome) - (model - outcome) * (model - outcome);
    return CSM_OK;
}

static csm_status read_pairs(pairs *out, const csm_store *store, const char *model, const char *other,
                             csm_time horizon) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "WITH a AS (SELECT l.* FROM ledger h JOIN ledger l ON l.batch = h.row AND l.kind IN (1, 3) WHERE "
        "h.kind = 0 AND substr(h.text, 7, 64) = ?1 AND l.horizon = ?3 AND l.backfill = 0 AND l.probability "
        "IS "
        "NOT NULL), b AS (SELECT l.* FROM ledger h JOIN ledger l ON l.batch = h.row AND l.kind IN (1, 3) "
        "WHERE h.kind = 0 AND substr(h.text, 7, 64) = ?2 AND l.horizon = ?3 AND l.backfill = 0 AND "
        "l.probability IS NOT NULL) "
        "SELECT a.decision, dense_rank() OVER (ORDER BY a.market, a.epoch), a.probability, b.probability, "
        "o.rises FROM a JOIN b ON b.decision = a.decision AND b.market = a.market AND b.epoch = a.epoch JOIN "
        "outcomes o ON o.row = a.row AND o.state = 0 ORDER BY a.decision, a.row, b.row");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, model);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, other);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, horizon);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        status = take_pair(out, s);
    }
    csm_statement_close(s);
    return status;
}

static double mean_loss(const double *probability, const double *outcome, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (probability[i] - outcome[i]) * (probability[i] - outcome[i]) / (double)n;
    return n ? sum : NAN;
}

static csm_status compare_at(csm_comparison *out, const csm_pipeline *p, const char *model, const char *other,
                             csm_time horizon, bool bands) {
    pairs list = {0};
    csm_bets bets = {0};
    *out = (csm_comparison){.horizon = horizon, .gain = {NAN, NAN, NAN}};
    csm_status status = read_pairs(&list, p->store, model, other, horizon);
    if (status == CSM_OK)
        status =
            csm_bet_on_blocks(&bets, list.time, list.gain, list.length, horizon, csm_context_now(p->context));
    out->pairs = list.length;
    out->blocks = bets.blocks;
    out->e_value = bets.up;
    out->worse = bets.down;
    out->brier = mean_loss(list.model, list.outcome, list.length);
    out->other = mean_loss(list.other, list.outcome, list.length);
    out->gain.value = out->other - out->brier;
    if (status == CSM_OK && bands && list.length > 0) {
        const csm_outcomes outcomes = {.length = list.length,
                                       .horizon = horizon,
                                       .time = list.time,
                                       .coin = list.coin,
                                       .probability = list.model,
                                       .outcome = list.outcome};
        status =
            csm_calibrate_brier_gain(&out->gain, p->context, &outcomes, list.other, p->settings.bootstrap);
    }
    pairs_free(&list);
    return status;
}

/* Bonferroni over horizons: being better at any of them counts, if it would count after so many looks. */
csm_status csm_compare_models(csm_comparison *out, const csm_pipeline *p, const char *model,
                              const char *other, csm_time horizon, bool bands) {
    if (horizon != 0) return compare_at(out, p, model, other, horizon, bands);
    const double count = (double)p->settings.horizons;
    double brier = 0, rival = 0;
    *out = (csm_comparison){.brier = NAN, .other = NAN, .gain = {NAN, NAN, NAN}};
    for (size_t h = 0; h < p->settings.horizons; h++) {
        csm_comparison one;
        const csm_status status = compare_at(&one, p, model, other, p->settings.horizon[h].horizon, false);
        if (status != CSM_OK) return status;
        out->blocks += one.blocks;
        out->pairs += one.pairs;
        if (one.pairs == 0) continue;
        brier += one.brier * (double)one.pairs;
        rival += one.other * (double)one.pairs;
        out->e_value = fmax(out->e_value, one.e_value / count);
        out->worse = fmax(out->worse, one.worse / count);
    }
    if (out->pairs == 0) return CSM_OK;
    out->brier = brier / (double)out->pairs;
    out->other = rival / (double)out->pairs;
    out->gain.value = out->other - out->brier;
    return CSM_OK;
}

csm_status csm_pipeline_compare(csm_comparison *out, const csm_pipeline *pipeline, const char *model,
                                const char *other, csm_time horizon) {
    if (!out || !pipeline || !model || !other)
        return csm_fail(CSM_EINVAL, "compare: out, pipeline, model and other are required");
    if (horizon < 0) return csm_fail(CSM_EINVAL, "compare: horizon %lld ns", (long long)horizon);
    char left[CSM_HASH_TEXT], right[CSM_HASH_TEXT];
    csm_status status = csm_model_resolve(left, pipeline, model);
    if (status == CSM_OK) status = csm_model_resolve(right, pipeline, other);
    return status == CSM_OK ? csm_compare_models(out, pipeline, left, right, horizon, true) : status;
}
