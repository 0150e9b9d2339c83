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

/* What evidence needs of live rows whose outcome is known, and no more: a ledger of years is read at each prediction. */
typedef struct live_rows {
    csm_time *time;
    double *probability;
    double *outcome;
    uint32_t *coin; /* evidence pools coins: all 0 */
    size_t length;
    size_t capacity;
} live_rows;

static void live_free(live_rows *rows) {
    csm_dealloc(rows->time);
    csm_dealloc(rows->probability);
    csm_dealloc(rows->outcome);
    csm_dealloc(rows->coin);
    *rows = (live_rows){0};
}

static csm_status live_reserve(live_rows *rows, size_t capacity) {
    csm_time *time = csm_realloc_array(rows->time, capacity, sizeof *time);
    if (time) rows->time = time;
    double *probability = time ? csm_realloc_array(rows->probability, capacity, sizeof *probability) : NULL;
    if (probability) rows->probability = probability;
    double *outcome = probability ? csm_realloc_array(rows->outcome, capacity, sizeof *outcome) : NULL;
    if (outcome) rows->outcome = outcome;
    uint32_t *coin = outcome ? csm_realloc_array(rows->coin, capacity, sizeof *coin) : NULL;
    if (!coin) return CSM_ENOMEM;
    memset(coin, 0, capacity * sizeof *coin);
    rows->coin = coin;
    rows->capacity = capacity;
    return CSM_OK;
}

static csm_status live_read(live_rows *rows, const csm_store *store, csm_time horizon) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT l.decision, l.probability, o.rises FROM ledger l JOIN outcomes o ON o.row = l.row AND "
        "o.state "
        "= 0 WHERE l.kind = 1 AND l.backfill = 0 AND l.horizon = ?1 AND l.probability IS NOT NULL ORDER BY "
        "l.row");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, horizon);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        if (rows->length == rows->capacity) status = live_reserve(rows, 2 * rows->capacity + 256);
        if (status != CSM_OK) break;
        const size_t i = rows->length++;
        rows->time[i] = csm_statement_i64(s, 0);
        rows->probability[i] = csm_statement_f64(s, 1);
        rows->outcome[i] = (double)csm_statement_i64(s, 2);
    }
    csm_statement_close(s);
    return status;
}

static csm_status weigh(csm_evidence *out, const live_rows *rows, csm_time horizon, double threshold,
                        csm_time as_of) {
    csm_evidence_options options;
    csm_calibrate_evidence_options_init(&options);
    options.threshold = threshold;
    options.as_of = as_of;
    const csm_outcomes outcomes = {.length = rows->length,
                                   .horizon = horizon,
                                   .time = rows->time,
                                   .coin = rows->coin,
                                   .probability = rows->probability,
                                   .outcome = rows->outcome};
    return csm_calibrate_evidence(out, &outcomes, &options);
}

csm_status csm_live_evidence(csm_evidence *out, size_t *matured, const csm_store *store, csm_time horizon,
                             double threshold, csm_time as_of) {
    live_rows rows = {0};
    csm_status status = live_reserve(&rows, 256);
    if (status == CSM_OK) status = live_read(&rows, store, horizon);
    if (status == CSM_OK) status = weigh(out, &rows, horizon, threshold, as_of);
    *matured = rows.length;
    live_free(&rows);
    return status;
}

#define BLOCKS_LOOKED_AT 512 /* further ones */

/* The first `matured` rows, then `blocks` further blocks in which all that is issued rises: one decision a block, or two where decisions
 * come closer than a horizon, so that labels overlap as they would. */
static csm_status imagine(csm_evidence *out, live_rows *rows, size_t matured, csm_time horizon, csm_time step,
                          size_t blocks, double threshold) {
    csm_time last = 0;
    for (size_t i = 0; i < matured; i++) {
        if (rows->time[i] > last) last = rows->time[i];
    }
    const csm_time first = csm_time_floor(last, horizon) + horizon;
    rows->length = matured;
    for (size_t b = 0; b < blocks; b++) {
        for (int late = 0; late < (step < horizon ? 2 : 1); late++) {
            const size_t i = rows->length++;
            rows->time[i] = first + (csm_time)b * horizon + (late ? horizon - step : 0);
            rows->probability[i] = rows->outcome[i] = 1;
        }
    }
    return weigh(out, rows, horizon, threshold, CSM_TIME_MAX);
}

csm_status csm_live_blocks_to_certify(double *blocks, const csm_store *store, csm_time horizon, csm_time step,
                                      double threshold) {
    live_rows rows = {0};
    csm_evidence evidence = {0};
    size_t low = 0, high = BLOCKS_LOOKED_AT; /* certified with `high`, if with any */
    *blocks = NAN;
    csm_status status = live_reserve(&rows, 256);
    if (status == CSM_OK) status = live_read(&rows, store, horizon);
    const size_t matured = rows.length;
    if (status == CSM_OK) status = live_reserve(&rows, matured + 2 * BLOCKS_LOOKED_AT + 1);
    if (status == CSM_OK) status = imagine(&evidence, &rows, matured, horizon, step, high, threshold);
    if (status == CSM_OK && evidence.status == CSM_EVIDENCE_CERTIFIED) {
        while (status == CSM_OK && low < high) {
            const size_t middle = low + (high - low) / 2;
            status = imagine(&evidence, &rows, matured, horizon, step, middle, threshold);
            if (evidence.status == CSM_EVIDENCE_CERTIFIED)
                high = middle;
            else
                low = middle + 1;
        }
        *blocks = (double)high;
    }
    live_free(&rows);
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
