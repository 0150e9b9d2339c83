/* SPDX-License-Identifier: MIT */
/* The table, the funnel of the gate and the matrix of horizons: all from the rows of the newest decision in the ledger. */
#include "rows.h"
#include "viewer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Order of the gate's own conditions (rank.h); reasons of the data come before them, by bit. */
static const uint32_t gate_order[] = {
    CSM_REASON_NO_MODEL,    CSM_REASON_NOT_CALIBRATED,   CSM_REASON_HISTORY_CLOCK, CSM_REASON_ILLIQUID,
    CSM_REASON_DRIFT_ALARM, CSM_REASON_EVIDENCE_REVOKED, CSM_REASON_EVIDENCE_LOW,  CSM_REASON_PROBABILITY_LOW,
    CSM_REASON_RETURN_LOW,  CSM_REASON_NO_CONSENSUS};
#define GATE_CONDITIONS (sizeof gate_order / sizeof *gate_order)

static bool is_gate(uint32_t bit) {
    for (size_t i = 0; i < GATE_CONDITIONS; i++) {
        if (gate_order[i] == bit) return true;
    }
    return false;
}

/* What the rows of the decision are: numbers counted over them come from this span of the ledger. */
static void batch_text(const view *v, char *text, size_t size) {
    const size_t n = batch_count(v);
    if (n == 0)
        snprintf(text, size, "ledger");
    else
        snprintf(text, size, "ledger/%lld-%lld", (long long)batch_at(v, 0)->row,
                 (long long)batch_at(v, n - 1)->row);
}

static size_t gate_rows(const view *v) {
    size_t count = 0;
    for (size_t i = 0; i < batch_count(v); i++) count += batch_at(v, i)->horizon == v->gate_horizon;
    return count;
}

/* ---- funnel ---- */

/* One condition: who fails it at all, and who got this far and falls here. passed: who fails nothing of what came before. */
static json_t *funnel_step(const view *v, uint32_t bit, csm_reason before, size_t *left) {
    size_t fell = 0, failed = 0;
    for (size_t i = 0; i < batch_count(v); i++) {
        const csm_ledger_entry *e = batch_at(v, i);
        if (e->horizon != v->gate_horizon || !(e->show >> bit & 1)) continue;
        failed++;
        fell += (e->show & before) == 0;
    }
    *left -= fell;
    return json_pack("{s:s,s:I,s:I,s:I}", "reason", csm_reason_name(bit), "failed", (json_int_t)failed,
                     "fell", (json_int_t)fell, "left", (json_int_t)*left);
}

static json_t *funnel(const view *v) {
    json_t *steps = json_array();
    csm_reason any = 0, before = 0;
    size_t left = gate_rows(v);
    for (size_t i = 0; i < batch_count(v); i++) {
        if (batch_at(v, i)->horizon == v->gate_horizon) any |= batch_at(v, i)->show;
    }
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (!(any >> bit & 1) || is_gate(bit)) continue;
        json_array_append_new(steps, funnel_step(v, bit, before, &left));
        before |= (csm_reason)1 << bit;
    }
    for (size_t i = 0; i < GATE_CONDITIONS; i++) {
        const uint32_t bit = gate_order[i];
        if (bit == CSM_REASON_NO_CONSENSUS && !(any >> bit & 1)) continue; /* not asked for */
        json_array_append_new(steps, funnel_step(v, bit, before, &left));
        before |= (csm_reason)1 << bit;
    }
    return steps;
}

/* ---- rows ---- */

static bool same_market(const csm_ledger_entry *a, const csm_ledger_entry *b) {
    return a->epoch == b->epoch && strcmp(a->market, b->market) == 0;
}

static json_t *horizons_of(const view *v, const csm_ledger_entry *e) {
    json_t *horizons = json_object();
    char name[32];
    for (size_t i = 0; i < batch_count(v); i++) {
        const csm_ledger_entry *other = batch_at(v, i);
        if (same_market(e, other))
            json_object_set_new(horizons, horizon_text(other->horizon, name, sizeof name), json_entry(other));
    }
    return horizons;
}

static json_t *last_update(const view *v, const csm_ledger_entry *e) {
    const csm_stream_info *s = market_stream(v, e->market, e->epoch);
    char from[200];
    if (!s) return json_null();
    stream_text(from, sizeof from, &s->stream);
    return json_pack("{s:s,s:o}", "from", from, "time", json_time(s->last + s->stream.interval));
}

/* A line "shap trees FEATURE value V contribution C"; NULL for another. */
static json_t *contribution_of(const char *line) {
    const char *member = strncmp(line, "shap ", 5) == 0 ? strchr(line + 5, ' ') : NULL;
    const char *value = member ? strstr(member, " value ") : NULL;
    const char *contribution = value ? strstr(value, " contribution ") : NULL;
    if (!contribution) return NULL;
    return json_pack("{s:s%,s:o,s:o}", "feature", member + 1, (size_t)(value - member - 1), "value",
                     json_number(strtod(value + 7, NULL)), "contribution",
                     json_number(strtod(contribution + 14, NULL)));
}

/* The greatest contributions, as the row's own text says them: "shap trees FEATURE value V contribution C". */
static json_t *contributions_of(const view *v, const csm_ledger_entry *e) {
    json_t *list = json_array();
    char *text = NULL;
    if (csm_learn_row_text(&text, v->store, e->row) != CSM_OK) return list;
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        json_t *one = contribution_of(line);
        if (one) json_array_append_new(list, one);
    }
    csm_learn_text_free(text);
    return list;
}

/* The last two days of hourly closes, where there was trade, and the newest of them. */
static json_t *live_of(const view *v, const csm_ledger_entry *e) {
    const csm_stream_info *s = market_stream(v, e->market, e->epoch);
    csm_bar_series *series = NULL;
    char from[256], time[CSM_TIME_TEXT];
    double close = NAN;
    csm_time at = 0;
    if (!s || csm_store_read_bars(&series, v->store, v->context, &s->stream, s->last - 47 * CSM_HOUR,
                                  CSM_TIME_MAX, CSM_TIME_MAX) != CSM_OK)
        return json_null();
    const csm_bars bars = csm_bar_series_view(series);
    json_t *closes = json_array();
    for (size_t i = 0; i < bars.length; i++) {
        json_array_append_new(closes, json_number(bars.close[i]));
        if (isfinite(bars.close[i])) close = bars.close[i], at = bars.time[i];
    }
    csm_bar_series_free(series);
    stream_text(from, sizeof from, &s->stream);
    const size_t used = strlen(from);
    snprintf(from + used, sizeof from - used, "@%s", csm_time_format(at, time, sizeof time));
    return json_pack("{s:s,s:o,s:o,s:o}", "from", from, "time", json_time(at), "close", json_number(close),
                     "closes", closes);
}

static json_t *coin_row(const view *v, const csm_ledger_entry *e) {
    char from[32];
    snprintf(from, sizeof from, "ledger/%lld", (long long)e->row);
    json_t *row = json_pack("{s:s,s:s,s:s,s:i,s:o,s:o,s:b}", "from", from, "coin", e->coin, "market",
                            e->market, "epoch", (int)e->epoch, "horizons", horizons_of(v, e), "last_update",
                            last_update(v, e), "shown", e->show == 0);
    if (!row || e->show != 0) return row;
    char name[32];
    json_t *own =
        json_object_get(json_object_get(row, "horizons"), horizon_text(e->horizon, name, sizeof name));
    json_object_set_new(own, "contributions", contributions_of(v, e));
    json_object_set_new(row, "live", live_of(v, e));
    return row;
}

/* Expected return first, ties by probability, then by name: rank.h's order. */
static int by_return(const void *a, const void *b) {
    const csm_ledger_entry *x = *(const csm_ledger_entry *const *)a, *y = *(const csm_ledger_entry *const *)b;
    if (x->expected_return != y->expected_return) return x->expected_return < y->expected_return ? 1 : -1;
    if (x->probability != y->probability) return x->probability < y->probability ? 1 : -1;
    return strcmp(x->market, y->market);
}

static int by_probability(const void *a, const void *b) {
    const csm_ledger_entry *x = *(const csm_ledger_entry *const *)a, *y = *(const csm_ledger_entry *const *)b;
    const double p = isnan(x->probability) ? -1 : x->probability,
                 q = isnan(y->probability) ? -1 : y->probability;
    return p != q ? p < q ? 1 : -1 : strcmp(x->market, y->market);
}

/* The coins of the decision, those shown alone or all, in an order. NULL: no memory. */
static json_t *coin_rows(const view *v, bool shown_alone, int (*order)(const void *, const void *)) {
    const size_t n = batch_count(v);
    const csm_ledger_entry **list = calloc(n + 1, sizeof *list);
    size_t count = 0;
    if (!list) return NULL;
    for (size_t i = 0; i < n; i++) {
        const csm_ledger_entry *e = batch_at(v, i);
        if (e->horizon == v->gate_horizon && (!shown_alone || e->show == 0)) list[count++] = e;
    }
    qsort(list, count, sizeof *list, order);
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(rows, coin_row(v, list[i]));
    free(list);
    return rows;
}

static json_t *decision_of(const view *v) {
    char from[64];
    if (batch_count(v) == 0) return json_null();
    const csm_ledger_entry *e = batch_at(v, 0);
    batch_text(v, from, sizeof from);
    return json_pack("{s:s,s:o,s:o,s:b,s:I}", "from", from, "decision", json_time(e->decision), "written",
                     json_time(e->written), "backfill", (int)e->backfill, "coins", (json_int_t)gate_rows(v));
}

/* Names of the horizons of the decision, shortest first. */
static json_t *horizon_names(const view *v) {
    json_t *names = json_array();
    char name[32];
    for (size_t i = 0; i < batch_count(v) && same_market(batch_at(v, 0), batch_at(v, i)); i++)
        json_array_append_new(names, json_string(horizon_text(batch_at(v, i)->horizon, name, sizeof name)));
    return names;
}

json_t *view_ranking(const view *v) {
    char name[32], from[64];
    json_t *rows = coin_rows(v, true, by_return);
    const bool any = json_array_size(rows) > 0;
    batch_text(v, from, sizeof from);
    const char *verdict = any              ? "opportunities"
                          : batch_count(v) ? "none"
                          : v->champion    ? "no_prediction"
                                           : "no_model";
    return json_pack("{s:s,s:o,s:s,s:o,s:o,s:{s:s,s:o}}", "verdict", verdict, "prediction", decision_of(v),
                     "gate_horizon", horizon_text(v->gate_horizon, name, sizeof name), "horizons",
                     horizon_names(v), "rows", rows, "funnel", "from", from, "steps", funnel(v));
}

json_t *view_matrix(const view *v) {
    char name[32];
    return json_pack("{s:o,s:s,s:o,s:o}", "prediction", decision_of(v), "gate_horizon",
                     horizon_text(v->gate_horizon, name, sizeof name), "horizons", horizon_names(v), "rows",
                     coin_rows(v, false, by_probability));
}
