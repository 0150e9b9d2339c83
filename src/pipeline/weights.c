/* SPDX-License-Identifier: MIT */
/*
 * Weights of members and horizons by what matured (csm_aggregate, exponentially weighted aggregation with delayed feedback). They are
 * recomputed from the ledger's live rows each time and written as rows of it; a prediction takes the newest row, so that whoever has
 * the ledger can recompute what was in force and when.
 */
#include "pipeline/weights.h"

#include "core/real.h"
#include "learn/ledger.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGE_WORTH_A_ROW 0.005

/* ---- one weights row: lines "NAME WEIGHT" ---- */

typedef struct named_weights {
    size_t count;
    char name[CSM_HORIZONS_MAX][CSM_TIME_TEXT];
    double weight[CSM_HORIZONS_MAX];
    double rounds;
} named_weights;

/* Numbers as csm_buffer_real writes them, whatever the host's locale. */
static double read_real(const char *text) {
    char number[64];
    const size_t length = strcspn(text, " \n");
    if (length == 0 || length >= sizeof number) return NAN;
    memcpy(number, text, length);
    number[length] = 0;
    json_t *value = json_loads(number, JSON_DECODE_ANY, NULL);
    const double real = json_is_number(value) ? json_number_value(value) : (double)NAN;
    json_decref(value);
    return real;
}

/* Value behind "key NAME" at the start of a line; NaN when there is none. */
static double value_of(const char *text, const char *name) {
    const size_t length = strlen(name);
    for (const char *line = text; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ') return read_real(line + length + 1);
    }
    return NAN;
}

static csm_status newest_row(char **text, const csm_store *store, const char *model, csm_time horizon,
                             csm_time as_of) {
    csm_statement *s = NULL;
    bool found = false;
    *text = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT substr(text, 72) FROM ledger WHERE kind = 2 AND coin = 'weights' AND horizon = ?2 AND "
        "substr(text, 7, 64) = ?1 AND decision <= ?3 ORDER BY row DESC LIMIT 1");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, model);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, horizon);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, as_of);
    if (status == CSM_OK) status = csm_statement_step(s, &found);
    if (status == CSM_OK && found) {
        const char *content = csm_statement_text(s, 0);
        *text = csm_strdup(content ? content : "");
        if (!*text) status = CSM_ENOMEM;
    }
    csm_statement_close(s);
    return status;
}

/* ---- in force ---- */

/* Times members x weight, so that equal ones change nothing; the sum stays. */
static void tilt(double *weight, const double *by, size_t members) {
    double before = 0, after = 0;
    for (size_t m = 0; m < members; m++) {
        before += weight[m];
        after += weight[m] * by[m];
    }
    for (size_t m = 0; m < members && after > 0; m++) weight[m] *= by[m] * before / after;
}

csm_status csm_weights_in_force(ensemble_weights *out, const csm_pipeline *p, const csm_training *training,
                                size_t h, csm_time as_of) {
    const horizon_result *result = &training->horizon[h];
    char *text = NULL;
    double by[CSM_MEMBERS_MAX];
    bool whole = true;
    *out = result->weights;
    if (!csm_config_boolean(p->config, "learn.weights") || result->ensemble.members < 2) return CSM_OK;
    const csm_status status = newest_row(&text, p->store, training->hash, result->facts.horizon, as_of);
    for (size_t m = 0; text && m < result->ensemble.members; m++) {
        by[m] = value_of(text, result->ensemble.name[m]);
        whole = whole && by[m] >= 0 && by[m] <= 1;
    }
    if (text && whole) {
        tilt(out->score, by, out->members);
        tilt(out->expected, by, out->members);
    }
    csm_dealloc(text);
    return status;
}

/* ---- recomputing ---- */

/* Mean losses of one decision date by expert; sums until closed. */
typedef struct round_sum {
    double sum[CSM_HORIZONS_MAX];
    double count[CSM_HORIZONS_MAX];
} round_sum;

static csm_status close_round(csm_aggregate *a, const round_sum *round, size_t experts, double *rounds) {
    double loss[CSM_HORIZONS_MAX];
    bool any = false;
    for (size_t e = 0; e < experts; e++) {
        loss[e] = round->count[e] > 0 ? round->sum[e] / round->count[e] : (double)NAN;
        any = any || round->count[e] > 0;
    }
    if (!any) return CSM_OK;
    ++*rounds;
    return csm_aggregate_add(a, loss);
}

static double brier(double probability, double outcome) {
    return (probability - outcome) * (probability - outcome);
}

/* Losses of a matured row into its round: of each member alone at a horizon, or of the horizon's own probability. */
static void add_row(round_sum *round, csm_statement *s, const ensemble *e, const csm_training *training) {
    const double outcome = (double)csm_statement_i64(s, 1);
    const char *text = csm_statement_text(s, 4);
    for (size_t m = 0; e && m < e->members; m++) {
        char key[64];
        snprintf(key, sizeof key, "member %s score", e->name[m]);
        const double score = value_of(text ? text : "", key);
        if (!isfinite(score)) continue;
        round->sum[m] += brier(csm_logistic(score), outcome);
        round->count[m]++;
    }
    for (size_t h = 0; !e && h < training->horizons; h++) {
        if (training->horizon[h].facts.horizon != csm_statement_i64(s, 3)) continue;
        round->sum[h] += brier(csm_statement_f64(s, 2), outcome);
        round->count[h]++;
    }
}

/* Rounds between a forecast and its outcome: the horizon over the mean spacing of the decisions there are. */
static csm_status delay_of(double *out, const csm_store *store, const char *model, csm_time horizon) {
    csm_statement *s = NULL;
    bool row = false;
    *out = 0;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT count(*), coalesce(max(decision) - min(decision), 0) FROM ledger WHERE kind = 0 AND "
        "substr(text, 7, 64) = ?1 AND backfill = 0");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, model);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) {
        const double batches = (double)csm_statement_i64(s, 0), span = (double)csm_statement_i64(s, 1);
        if (batches > 1 && span > 0) *out = (double)horizon / span * (batches - 1);
    }
    csm_statement_close(s);
    return status;
}

/* e NULL: experts are the horizons, of one round a date; else its members at one horizon. */
static csm_status aggregate(named_weights *out, const csm_store *store, const csm_training *training,
                            const ensemble *e, csm_time horizon, csm_time longest) {
    const size_t experts = e ? e->members : training->horizons;
    csm_aggregate *a = NULL;
    csm_statement *s = NULL;
    round_sum round = {0};
    csm_time date = CSM_TIME_MIN;
    double delay = 0;
    csm_status status = delay_of(&delay, store, training->hash, longest);
    if (status == CSM_OK) status = csm_aggregate_new(&a, experts, delay);
    if (status == CSM_OK)
        status = csm_catalog_prepare(
            &s, store,
            "SELECT l.decision, o.rises, l.probability, l.horizon, l.text FROM ledger h JOIN ledger l ON "
            "l.batch = h.row AND l.kind IN (1, 3) JOIN outcomes o ON o.row = l.row AND o.state = 0 WHERE "
            "h.kind = 0 AND substr(h.text, 7, 64) = ?1 AND l.backfill = 0 AND l.probability IS NOT NULL AND "
            "(?2 = 0 OR l.horizon = ?2) ORDER BY l.decision, l.row");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, training->hash);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, horizon);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        if (csm_statement_i64(s, 0) != date) {
            status = close_round(a, &round, experts, &out->rounds);
            round = (round_sum){0};
            date = csm_statement_i64(s, 0);
        }
        if (status == CSM_OK) add_row(&round, s, e, training);
    }
    if (status == CSM_OK) status = close_round(a, &round, experts, &out->rounds);
    if (status == CSM_OK) status = csm_aggregate_weights(out->weight, a);
    out->count = experts;
    csm_statement_close(s);
    csm_aggregate_free(a);
    return status;
}

static csm_status differs(bool *out, const csm_store *store, const named_weights *w, const char *model,
                          csm_time horizon) {
    char *text = NULL;
    const csm_status status = newest_row(&text, store, model, horizon, CSM_TIME_MAX);
    *out = false;
    for (size_t i = 0; i < w->count; i++) {
        const double before = text ? value_of(text, w->name[i]) : 1 / (double)w->count;
        *out = *out || !(fabs(before - w->weight[i]) < CHANGE_WORTH_A_ROW);
    }
    csm_dealloc(text);
    return status;
}

static csm_status write_row(csm_pipeline *p, const named_weights *w, const char *model, csm_time horizon,
                            bool backfill) {
    csm_buffer text = {0};
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < w->count; i++) {
        status = csm_buffer_printf(&text, "%s ", w->name[i]);
        if (status == CSM_OK) status = csm_buffer_real(&text, w->weight[i]);
        if (status == CSM_OK) status = csm_buffer_append(&text, "\n", 1);
    }
    if (status == CSM_OK) status = csm_buffer_printf(&text, "rounds %.0f\n", w->rounds);
    if (status == CSM_OK) status = csm_catalog_begin(p->store);
    if (status == CSM_OK) {
        status = csm_ledger_decide(p->context, p->store, CSM_DECISION_WEIGHTS, csm_context_now(p->context),
                                   horizon, model, text.data, backfill);
        if (status == CSM_OK) status = csm_catalog_commit(p->store);
        if (status != CSM_OK) csm_catalog_rollback(p->store);
    }
    csm_buffer_free(&text);
    return status;
}

static csm_status update(csm_pipeline *p, const csm_training *training, const named_weights *w,
                         csm_time horizon, bool backfill) {
    bool changed = false;
    if (w->rounds == 0) return CSM_OK;
    const csm_status status = differs(&changed, p->store, w, training->hash, horizon);
    return status == CSM_OK && changed ? write_row(p, w, training->hash, horizon, backfill) : status;
}

csm_status csm_weights_update(csm_pipeline *p, const csm_training *training, bool backfill) {
    csm_status status = CSM_OK;
    named_weights horizons = {0};
    if (!csm_config_boolean(p->config, "learn.weights")) return CSM_OK;
    for (size_t h = 0; status == CSM_OK && h < training->horizons; h++) {
        const ensemble *e = &training->horizon[h].ensemble;
        const csm_time horizon = training->horizon[h].facts.horizon;
        named_weights members = {0};
        csm_interval_format(horizon, horizons.name[h], sizeof horizons.name[h]);
        for (size_t m = 0; m < e->members; m++)
            snprintf(members.name[m], sizeof members.name[m], "%s", e->name[m]);
        if (e->members < 2) continue;
        status = aggregate(&members, p->store, training, e, horizon, horizon);
        if (status == CSM_OK) status = update(p, training, &members, horizon, backfill);
    }
    if (status == CSM_OK && training->horizons > 1) {
        const csm_time longest = training->horizon[training->horizons - 1].facts.horizon;
        status = aggregate(&horizons, p->store, training, NULL, 0, longest);
        if (status == CSM_OK) status = update(p, training, &horizons, 0, backfill);
    }
    return status;
}
