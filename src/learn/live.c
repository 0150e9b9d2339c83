/* SPDX-License-Identifier: MIT */
/* What live forecasts of the ledger prove: scores, evidence, and the live clock. */
#include "learn/live.h"

#include "store/catalog.h"

#include <cryptosmart/fuse.h>
#include <math.h>
#include <string.h>

typedef struct matured_arrays {
    csm_time *time;
    uint32_t *coin;
    double *value[4]; /* probability, outcome, expected, realised */
    size_t length;
} matured_arrays;

static void matured_free(matured_arrays *m) {
    csm_dealloc(m->time);
    csm_dealloc(m->coin);
    for (size_t i = 0; i < 4; i++) csm_dealloc(m->value[i]);
}

/* Index of a coin among the entries before it, so that equal coins share one number. */
static uint32_t coin_index(const csm_ledger_history *h, const size_t *first, size_t coins, size_t entry) {
    for (size_t c = 0; c < coins; c++) {
        if (strcmp(csm_ledger_history_at(h, first[c])->coin, csm_ledger_history_at(h, entry)->coin) == 0)
            return (uint32_t)c;
    }
    return (uint32_t)coins;
}

static csm_status matured_make(matured_arrays *m, const csm_ledger_history *h) {
    *m = (matured_arrays){0};
    size_t *first = csm_alloc_array(csm_ledger_history_count(h) + 1, sizeof *first), coins = 0;
    m->time = csm_alloc_array(csm_ledger_history_count(h) + 1, sizeof *m->time);
    m->coin = csm_alloc_array(csm_ledger_history_count(h) + 1, sizeof *m->coin);
    bool whole = first && m->time && m->coin;
    for (size_t i = 0; i < 4; i++) {
        m->value[i] = csm_alloc_array(csm_ledger_history_count(h) + 1, sizeof(double));
        whole = whole && m->value[i];
    }
    for (size_t i = 0; whole && i < csm_ledger_history_count(h); i++) {
        const csm_ledger_entry *e = csm_ledger_history_at(h, i);
        if (e->backfill || e->state != CSM_TARGET_KNOWN || isnan(e->probability)) continue;
        uint32_t coin = coin_index(h, first, coins, i);
        if (coin == coins) first[coins++] = i;
        m->time[m->length] = e->decision;
        m->coin[m->length] = coin;
        m->value[0][m->length] = e->probability;
        m->value[1][m->length] = e->rises;
        m->value[2][m->length] = e->expected_return;
        m->value[3][m->length++] = e->log_return;
    }
    csm_dealloc(first);
    return whole ? CSM_OK : CSM_ENOMEM;
}

static csm_outcomes outcomes_of(const matured_arrays *m, csm_time horizon) {
    return (csm_outcomes){.length = m->length,
                          .horizon = horizon,
                          .time = m->time,
                          .coin = m->coin,
                          .probability = m->value[0],
                          .outcome = m->value[1],
                          .expected = m->value[2],
                          .realised = m->value[3]};
}

csm_status csm_learn_scores(csm_scores *scores, csm_evidence *evidence, csm_context *context,
                            const csm_store *store, csm_time horizon) {
    if (!scores || !evidence || !store || horizon <= 0)
        return csm_fail(CSM_EINVAL, "ledger scores: scores, evidence, store and a horizon are required");
    csm_ledger_history *history = NULL;
    matured_arrays m = {0};
    csm_status status = csm_learn_history(&history, store, horizon, CSM_TIME_MIN, CSM_TIME_MAX, 0);
    if (status == CSM_OK) status = matured_make(&m, history);
    if (status == CSM_OK && m.length == 0)
        status = csm_fail(CSM_ENODATA, "ledger: no live prediction has matured at this horizon");
    const csm_outcomes outcomes = outcomes_of(&m, horizon);
    if (status == CSM_OK) status = csm_calibrate_scores(scores, context, &outcomes, NULL);
    csm_evidence_options options;
    csm_calibrate_evidence_options_init(&options);
    options.as_of = csm_context_now(context);
    if (status == CSM_OK) status = csm_calibrate_evidence(evidence, &outcomes, &options);
    matured_free(&m);
    csm_ledger_history_free(history);
    return status;
}

/* ---- evidence for the gate ---- */

csm_status csm_live_evidence(csm_evidence *out, size_t *matured, const csm_store *store, csm_time horizon,
                             double threshold, csm_time as_of) {
    csm_ledger_history *history = NULL;
    matured_arrays m = {0};
    csm_status status = csm_learn_history(&history, store, horizon, CSM_TIME_MIN, CSM_TIME_MAX, 0);
    if (status == CSM_OK) status = matured_make(&m, history);
    csm_evidence_options options;
    csm_calibrate_evidence_options_init(&options);
    options.threshold = threshold;
    options.as_of = as_of;
    const csm_outcomes outcomes = outcomes_of(&m, horizon);
    if (status == CSM_OK) status = csm_calibrate_evidence(out, &outcomes, &options);
    *matured = m.length;
    matured_free(&m);
    csm_ledger_history_free(history);
    return status;
}

#define BLOCKS_LOOKED_AT 512 /* further ones */

/* Rows of the ledger, then `blocks` further blocks in which all that is issued rises: one decision a block, or two where decisions
 * come closer than a horizon, so that labels overlap as they would. */
static csm_status imagine(csm_evidence *out, const matured_arrays *m, csm_time horizon, csm_time step,
                          size_t blocks, double threshold) {
    const size_t n = m->length + 2 * blocks;
    csm_time *time = csm_alloc_array(n + 1, sizeof *time);
    uint32_t *coin = csm_alloc_array(n + 1, sizeof *coin);
    double *probability = csm_alloc_array(n + 1, sizeof *probability),
           *outcome = csm_alloc_array(n + 1, sizeof *outcome);
    csm_status status = time && coin && probability && outcome ? CSM_OK : CSM_ENOMEM;
    size_t rows = 0;
    csm_time last = 0;
    for (; status == CSM_OK && rows < m->length; rows++) {
        time[rows] = m->time[rows];
        probability[rows] = m->value[0][rows];
        outcome[rows] = m->value[1][rows];
        if (time[rows] > last) last = time[rows];
    }
    const csm_time first = csm_time_floor(last, horizon) + horizon;
    for (size_t b = 0; status == CSM_OK && b < blocks; b++) {
        for (int late = 0; late < (step < horizon ? 2 : 1); late++, rows++) {
            time[rows] = first + (csm_time)b * horizon + (late ? horizon - step : 0);
            probability[rows] = outcome[rows] = 1;
        }
    }
    csm_evidence_options options;
    csm_calibrate_evidence_options_init(&options);
    options.threshold = threshold;
    const csm_outcomes outcomes = {.length = rows,
                                   .horizon = horizon,
                                   .time = time,
                                   .coin = coin,
                                   .probability = probability,
                                   .outcome = outcome};
    if (status == CSM_OK) status = csm_calibrate_evidence(out, &outcomes, &options);
    csm_dealloc(outcome);
    csm_dealloc(probability);
    csm_dealloc(coin);
    csm_dealloc(time);
    return status;
}

csm_status csm_live_blocks_to_certify(double *blocks, const csm_store *store, csm_time horizon, csm_time step,
                                      double threshold) {
    csm_ledger_history *history = NULL;
    matured_arrays m = {0};
    csm_evidence evidence;
    size_t low = 0, high = BLOCKS_LOOKED_AT; /* certified with `high`, if with any */
    *blocks = NAN;
    csm_status status = csm_learn_history(&history, store, horizon, CSM_TIME_MIN, CSM_TIME_MAX, 0);
    if (status == CSM_OK) status = matured_make(&m, history);
    if (status == CSM_OK) status = imagine(&evidence, &m, horizon, step, high, threshold);
    if (status == CSM_OK && evidence.status == CSM_EVIDENCE_CERTIFIED) {
        while (status == CSM_OK && low < high) {
            const size_t middle = low + (high - low) / 2;
            status = imagine(&evidence, &m, horizon, step, middle, threshold);
            if (evidence.status == CSM_EVIDENCE_CERTIFIED)
                high = middle;
            else
                low = middle + 1;
        }
        *blocks = (double)high;
    }
    matured_free(&m);
    csm_ledger_history_free(history);
    return status;
}

csm_status csm_learn_live_clock(csm_time *out, const csm_store *store) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "live clock: out and store are required");
    csm_statement *s = NULL;
    bool row = false;
    *out = 0;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT coalesce(max(written) - min(written), 0) FROM ledger WHERE kind = 1 AND backfill = 0");
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) *out = csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}
