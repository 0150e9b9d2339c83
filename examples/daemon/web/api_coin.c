/* SPDX-License-Identifier: MIT */
/* One coin, and the ledger as a file. Read on a worker, through the view's own store. */
#include "rows.h"
#include "server.h"
#include "viewer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEDGER_ROWS 200

/* The market that the path names, with the view it lives in; NULL with an answer. */
static const csm_market *market_of(request *r, view **held) {
    char id[200];
    view *v = viewer_hold(r->dashboard->viewer);
    r->held = *held = v;
    if (!v || *v->problem) {
        answer_problem(r, 503, "%s", v ? v->problem : "the workspace has not been read yet");
        return NULL;
    }
    snprintf(id, sizeof id, "%s:%s/%s", r->path.value[0], r->path.value[1], r->path.value[2]);
    const csm_market *m = market_find(v, id, (int32_t)request_integer(r, "epoch", 0));
    if (!m) answer_problem(r, 404, "there is no market %s", id);
    return m;
}

/* ---- forecasts and ledger ---- */

static json_t *present_of(const view *v, const csm_market *m) {
    json_t *list = json_array();
    for (size_t i = 0; i < batch_count(v); i++) {
        const csm_ledger_entry *e = batch_at(v, i);
        if (e->epoch == m->epoch && strcmp(e->market, m->id) == 0) json_array_append_new(list, json_entry(e));
    }
    return list;
}

/* The market's newest rows of the ledger. */
static csm_status past_of(json_t *out, const view *v, const csm_market *m) {
    csm_ledger_history *history = NULL;
    const csm_status status =
        csm_learn_history(&history, v->store, v->gate_horizon, CSM_TIME_MIN, CSM_TIME_MAX, 0);
    for (size_t i = csm_ledger_history_count(history); i-- > 0 && json_array_size(out) < LEDGER_ROWS;) {
        const csm_ledger_entry *e = csm_ledger_history_at(history, i);
        if (e->epoch == m->epoch && strcmp(e->market, m->id) == 0) json_array_append_new(out, json_entry(e));
    }
    csm_ledger_history_free(history);
    return status;
}

void route_coin(request *r) {
    view *v;
    const csm_market *m = market_of(r, &v);
    if (!m) return;
    json_t *past = json_array();
    pthread_mutex_lock(&v->reading);
    const csm_status status = past_of(past, v, m);
    pthread_mutex_unlock(&v->reading);
    if (status != CSM_OK) {
        json_decref(past);
        answer_failure(r, status, csm_error_message());
        return;
    }
    char from[200];
    snprintf(from, sizeof from, "registry/%s/%d", m->id, (int)m->epoch);
    answer_json(r, 200,
                json_pack("{s:s,s:s,s:s,s:i,s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:o}", "from", from, "market", m->id,
                          "coin", m->coin, "epoch", (int)m->epoch, "quote", m->quote, "status", m->status,
                          "canonical", (int)m->canonical, "excluded", json_reasons(m->excluded), "listed",
                          json_time(m->listed), "delisted", json_time(m->delisted), "forecasts",
                          present_of(v, m), "ledger", past));
}

/* ---- bars ---- */

static json_t *bars_json(const csm_bars *bars, size_t first) {
    json_t *list = json_array();
    static const char *const states[] = {"traded", "no_trade", "gap", "pending"};
    for (size_t i = first; i < bars->length; i++)
        json_array_append_new(list, json_pack("[o,o,o,o,o,o,s]", json_time(bars->time[i]),
                                              json_number(bars->open[i]), json_number(bars->high[i]),
                                              json_number(bars->low[i]), json_number(bars->close[i]),
                                              json_number(bars->volume[i]),
                                              states[bars->state ? bars->state[i] & 3 : 0]));
    return list;
}

void route_coin_bars(request *r) {
    view *v;
    const csm_market *m = market_of(r, &v);
    if (!m) return;
    const csm_stream_info *s = market_stream(v, m->id, m->epoch);
    if (!s) {
        answer_problem(r, 404, "no hourly bars of %s are stored", m->id);
        return;
    }
    const int64_t count = request_integer(r, "count", 720);
    csm_bar_series *series = NULL;
    char from[200];
    stream_text(from, sizeof from, &s->stream);
    pthread_mutex_lock(&v->reading);
    const csm_status status =
        csm_store_read_bars(&series, v->store, v->context, &s->stream,
                            s->last - (count - 1) * s->stream.interval, CSM_TIME_MAX, CSM_TIME_MAX);
    pthread_mutex_unlock(&v->reading);
    if (status == CSM_OK) {
        const csm_bars bars = csm_bar_series_view(series);
        const size_t first = bars.length > (size_t)count ? bars.length - (size_t)count : 0;
        answer_json(r, 200,
                    json_pack("{s:s,s:s,s:s,s:[sssssss],s:o}", "from", from, "source", s->source, "origin",
                              s->origin, "columns", "time", "open", "high", "low", "close", "volume", "state",
                              "bars", bars_json(&bars, first)));
    } else {
        answer_failure(r, status, csm_error_message());
    }
    csm_bar_series_free(series);
}

/* ---- features ---- */

/* The frame of the newest decision, made once a view. Under v->reading. */
static bool frame_made(view *v) {
    if (v->frame || v->frame_failed || batch_count(v) == 0) return v->frame != NULL;
    const csm_time decision = batch_at(v, 0)->decision;
    v->frame_failed =
        csm_pipeline_fuse(&v->frame, v->pipeline, decision, decision + CSM_HOUR, decision) != CSM_OK;
    return v->frame != NULL;
}

static json_t *features_json(const view *v, size_t row) {
    const csm_recipe *recipe = csm_frame_recipe(v->frame);
    const csm_matrix matrix = csm_frame_matrix(v->frame);
    json_t *list = json_array();
    for (size_t i = 0; i < csm_recipe_features(recipe); i++) {
        csm_feature_info info;
        if (csm_recipe_feature(&info, recipe, i) != CSM_OK) continue;
        json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I,s:o}", "name", info.name, "group", info.group,
                                              "text", info.text, "memory", (json_int_t)info.memory, "value",
                                              json_number(csm_matrix_get(&matrix, row, i))));
    }
    return list;
}

/* The frame's row of a market. The frame numbers markets as the universe of its decision does. */
static bool frame_row(const view *v, const csm_market *m, size_t *out) {
    csm_market_list *universe = NULL;
    bool found = false;
    if (csm_pipeline_universe(&universe, v->pipeline, batch_at(v, 0)->decision) != CSM_OK) return false;
    for (size_t row = 0; row < csm_frame_rows(v->frame) && !found; row++) {
        const csm_market *of = csm_market_list_at(universe, csm_frame_markets(v->frame)[row]);
        found = of && of->epoch == m->epoch && strcmp(of->id, m->id) == 0;
        if (found) *out = row;
    }
    csm_market_list_free(universe);
    return found;
}

void route_coin_features(request *r) {
    view *v;
    const csm_market *m = market_of(r, &v);
    json_t *document = NULL;
    if (!m) return;
    size_t row = 0;
    pthread_mutex_lock(&v->reading);
    if (frame_made(v) && frame_row(v, m, &row)) {
        char from[200];
        snprintf(from, sizeof from, "features/%s/%d", m->id, (int)m->epoch);
        document = json_pack("{s:s,s:o,s:s,s:o}", "from", from, "time",
                             json_time(csm_frame_times(v->frame)[row]), "recipe",
                             csm_recipe_name(csm_frame_recipe(v->frame)), "features", features_json(v, row));
    }
    pthread_mutex_unlock(&v->reading);
    if (document)
        answer_json(r, 200, document);
    else
        answer_problem(r, 404, "the newest decision has no complete row of features for %s", m->id);
}

/* ---- explanation ---- */

static json_t *contributions_of(const csm_explanation *e) {
    json_t *list = json_array();
    for (size_t i = 0; i < csm_explanation_count(e); i++) {
        const csm_contribution *c = csm_explanation_at(e, i);
        json_array_append_new(list,
                              json_pack("{s:s,s:o,s:o}", "feature", c->feature, "value",
                                        json_number(c->value), "contribution", json_number(c->contribution)));
    }
    return list;
}

void route_coin_explanation(request *r) {
    view *v;
    const csm_market *m = market_of(r, &v);
    const char *wanted = request_argument(r, "horizon");
    csm_time horizon = 0;
    csm_explanation *explanation = NULL;
    if (!m) return;
    if (wanted && csm_interval_parse(&horizon, wanted) != CSM_OK) {
        answer_problem(r, 400, "%s", csm_error_message());
        return;
    }
    if (batch_count(v) == 0) {
        answer_problem(r, 404, "nothing has been predicted yet");
        return;
    }
    pthread_mutex_lock(&v->reading);
    const csm_status status =
        csm_pipeline_explain(&explanation, v->pipeline, m->id, horizon, batch_at(v, 0)->decision);
    pthread_mutex_unlock(&v->reading);
    if (status == CSM_OK) {
        char from[200], name[32];
        const csm_horizon_forecast *f = csm_explanation_horizon(explanation);
        snprintf(from, sizeof from, "explanation/%s/%d", m->id, (int)m->epoch);
        answer_json(r, 200,
                    json_pack("{s:s,s:s,s:s,s:o,s:o}", "from", from, "horizon",
                              horizon_text(f->horizon, name, sizeof name), "member", f->explained, "base",
                              json_number(csm_explanation_base(explanation)), "contributions",
                              contributions_of(explanation)));
    } else {
        answer_failure(r, status, csm_error_message());
    }
    csm_explanation_free(explanation);
}

/* ---- feedback ---- */

/* Commits through an open of its own, which waits for other writers for a while. */
static csm_status add_feedback(const request *r, int64_t row, int32_t verdict) {
    csm_context *context = NULL;
    csm_store *store = NULL;
    const char *text = request_field(r, "text");
    csm_status status = csm_context_new(&context, NULL);
    if (status == CSM_OK && r->dashboard->options.host.clock)
        csm_context_set_clock(context, r->dashboard->options.host.clock, r->dashboard->options.host.user);
    if (status == CSM_OK) status = csm_store_open(&store, context, r->dashboard->workspace, CSM_STORE_SHARED);
    if (status == CSM_OK) status = csm_store_set_patience(store, 10 * CSM_SECOND);
    if (status == CSM_OK) status = csm_learn_feedback_add(context, store, row, verdict, r->who.name, text);
    csm_store_free(store);
    csm_context_free(context);
    return status;
}

void route_feedback(request *r) {
    const char *verdict = request_field(r, "verdict");
    const int32_t value = strcmp(verdict, "right") == 0 ? 1 : strcmp(verdict, "wrong") == 0 ? -1 : 0;
    const char *row = r->path.value[0];
    if (value == 0 && strcmp(verdict, "withdrawn") != 0) {
        answer_problem(r, 400, "verdict is right, wrong or withdrawn");
        return;
    }
    if (strspn(row, "0123456789") != strlen(row) || strlen(row) > 15) {
        answer_problem(r, 404, "the ledger has no row %s", row);
        return;
    }
    const csm_status status = add_feedback(r, strtoll(row, NULL, 10), value);
    if (status != CSM_OK) {
        answer_failure(r, status, csm_error_message());
        return;
    }
    accounts_audit(r->dashboard->accounts, r->who.name, "feedback", row, verdict, r->address);
    answer_empty(r, 204);
}

/* ---- the ledger as a file ---- */

typedef struct ledger_span {
    csm_time horizon, from, to;
} ledger_span;

static bool parse_span(request *r, ledger_span *out) {
    const char *horizon = request_argument(r, "horizon"), *from = request_argument(r, "from"),
               *to = request_argument(r, "to");
    *out = (ledger_span){0, CSM_TIME_MIN, CSM_TIME_MAX};
    if ((horizon && csm_interval_parse(&out->horizon, horizon) != CSM_OK) ||
        (from && csm_time_parse(&out->from, from, strlen(from)) != CSM_OK) ||
        (to && csm_time_parse(&out->to, to, strlen(to)) != CSM_OK)) {
        answer_problem(r, 400, "%s", csm_error_message());
        return false;
    }
    return true;
}

static void csv_number(FILE *out, double value) {
    if (isfinite(value)) fprintf(out, "%.17g", value);
    fputc(',', out);
}

/* Names hold no comma or quote: exchanges' symbols; a cell that a spreadsheet would take for a formula gets an apostrophe. */
static void csv_text(FILE *out, const char *text) {
    if (*text && strchr("=+-@\t\r", *text)) fputc('\'', out);
    for (; *text; text++) fputc(*text == ',' || *text == '"' || *text == '\n' ? ' ' : *text, out);
    fputc(',', out);
}

static void csv_row(FILE *out, const csm_ledger_entry *e) {
    static const char *const states[] = {"known", "unknown", "pending", "no entry"};
    char decision[CSM_TIME_TEXT], written[CSM_TIME_TEXT], horizon[32], reasons[600];
    fprintf(out, "%lld,", (long long)e->row);
    csv_text(out, e->coin);
    csv_text(out, e->market);
    fprintf(out, "%d,%s,%s,%s,", (int)e->epoch, csm_time_format(e->decision, decision, sizeof decision),
            csm_time_format(e->written, written, sizeof written),
            horizon_text(e->horizon, horizon, sizeof horizon));
    csv_number(out, e->probability);
    csv_number(out, e->lower);
    csv_number(out, e->expected_return);
    csv_number(out, e->low);
    csv_number(out, e->high);
    csv_number(out, e->cost);
    fprintf(out, "%s,%d,%d,%s,%s,", csm_evidence_name(e->evidence), e->show == 0, (int)e->backfill,
            csm_reason_format(e->show, reasons, sizeof reasons), states[e->state & 3]);
    if (e->state == CSM_TARGET_KNOWN) fprintf(out, "%.17g", e->log_return);
    fputs("\r\n", out);
}

static void answer_csv(request *r, const csm_ledger_history *history, size_t first) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) return;
    fputs("row,coin,market,epoch,decision,written,horizon,probability,lower,expected_return,low,high,cost,"
          "evidence,"
          "shown,backfill,reasons,outcome,log_return\r\n",
          out);
    for (size_t i = first; i < csm_ledger_history_count(history); i++)
        csv_row(out, csm_ledger_history_at(history, i));
    if (fclose(out) == 0) {
        answer_bytes(r, 200, "text/csv; charset=utf-8", text, length);
        answer_header(r, "Content-Disposition", "attachment; filename=\"ledger.csv\"");
    }
    free(text);
}

static void answer_rows(request *r, const csm_ledger_history *history, size_t first) {
    json_t *rows = json_array();
    for (size_t i = first; i < csm_ledger_history_count(history); i++)
        json_array_append_new(rows, json_entry(csm_ledger_history_at(history, i)));
    answer_json(r, 200, json_pack("{s:o}", "rows", rows));
}

void route_ledger(request *r) {
    const char *format = request_argument(r, "format");
    ledger_span span;
    if (format && strcmp(format, "json") != 0 && strcmp(format, "csv") != 0) {
        answer_problem(r, 400, "format is json or csv");
        return;
    }
    if (!parse_span(r, &span)) return;
    view *v = viewer_hold(r->dashboard->viewer);
    r->held = v;
    if (!v || *v->problem) {
        answer_problem(r, 503, "%s", v ? v->problem : "the workspace has not been read yet");
        return;
    }
    csm_ledger_history *history = NULL;
    pthread_mutex_lock(&v->reading);
    const csm_status status = csm_learn_history(&history, v->store, span.horizon, span.from, span.to,
                                                (int)request_integer(r, "shown", 0));
    pthread_mutex_unlock(&v->reading);
    const size_t limit = (size_t)request_integer(r, "limit", 10000),
                 count = csm_ledger_history_count(history);
    const size_t first = count > limit ? count - limit : 0;
    if (status != CSM_OK)
        answer_failure(r, status, csm_error_message());
    else if (format && *format == 'c')
        answer_csv(r, history, first);
    else
        answer_rows(r, history, first);
    csm_ledger_history_free(history);
}
