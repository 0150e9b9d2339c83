/* SPDX-License-Identifier: MIT */
/* What the exchange offers, what was received, and how far the clocks of the gate are. */
#include "rows.h"
#include "viewer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- coverage ---- */

static json_t *counts(size_t offered, size_t processed, size_t excluded, const size_t by_reason[64]) {
    json_t *reasons = json_object();
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (by_reason[bit] && csm_reason_name(bit))
            json_object_set_new(reasons, csm_reason_name(bit), json_integer((json_int_t)by_reason[bit]));
    }
    return json_pack("{s:I,s:I,s:I,s:o}", "offered", (json_int_t)offered, "processed", (json_int_t)processed,
                     "excluded", (json_int_t)excluded, "by_reason", reasons);
}

/* Coins that are modelled, but for which no bar is stored, or the newest is old: what the alert on missing coins is about. */
static json_t *missing_coins(const view *v) {
    json_t *missing = json_array();
    for (size_t i = 0; v->universe && i < csm_market_list_count(v->universe); i++) {
        const csm_market *m = csm_market_list_at(v->universe, i);
        const csm_stream_info *s = market_stream(v, m->id, m->epoch);
        if (s) continue;
        json_array_append_new(missing, json_pack("{s:s,s:s}", "coin", m->coin, "market", m->id));
    }
    return missing;
}

static void add_run(json_t *runs, const view *v, const char *venue) {
    csm_discovery *discovery = NULL;
    char from[40];
    if (csm_discover_last(&discovery, v->store, venue) != CSM_OK) return;
    const csm_coverage *c = csm_discovery_coverage(discovery);
    snprintf(from, sizeof from, "coverage_runs/%lld", (long long)c->run);
    json_array_append_new(
        runs, json_pack("{s:s,s:s,s:o,s:s,s:o,s:o}", "from", from, "venue", c->venue, "time",
                        json_time(c->time), "listing_hash", c->listing_hash, "pairs",
                        counts(c->pairs_offered, c->pairs_processed, c->pairs_excluded, c->pairs_by_reason),
                        "coins",
                        counts(c->coins_offered, c->coins_processed, c->coins_excluded, c->coins_by_reason)));
    csm_discovery_free(discovery);
}

json_t *view_coverage(const view *v) {
    json_t *runs = json_array();
    const char *before = "";
    /* the list is sorted by id, which begins with the venue */
    for (size_t i = 0; v->markets && i < csm_market_list_count(v->markets); i++) {
        const csm_market *m = csm_market_list_at(v->markets, i);
        if (strcmp(m->venue, before) != 0) add_run(runs, v, m->venue);
        before = m->venue;
    }
    return json_pack("{s:o,s:o}", "runs", runs, "missing", missing_coins(v));
}

/* ---- sources ---- */

typedef struct source_sum {
    const csm_stream_info *newest;
    size_t streams;
    uint64_t rows;
} source_sum;

/* Streams summed by kind, venue and interval; the list is sorted so that a kind's stand together, not its intervals. */
static json_t *stream_sums(const view *v) {
    json_t *sums = json_array();
    const size_t n = v->streams ? csm_stream_list_count(v->streams) : 0;
    bool *done = calloc(n + 1, sizeof *done);
    char name[32];
    for (size_t i = 0; done && i < n; i++) {
        const csm_stream_info *first = csm_stream_list_at(v->streams, i);
        source_sum sum = {first, 0, 0};
        if (done[i]) continue;
        for (size_t j = i; j < n; j++) {
            const csm_stream_info *s = csm_stream_list_at(v->streams, j);
            if (strcmp(s->stream.kind, first->stream.kind) != 0 ||
                strcmp(s->stream.venue, first->stream.venue) != 0 ||
                s->stream.interval != first->stream.interval)
                continue;
            done[j] = true;
            sum.streams++;
            sum.rows += s->rows;
            if (s->last > sum.newest->last) sum.newest = s;
        }
        json_array_append_new(
            sums,
            json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o}", "from", "streams", "kind",
                      first->stream.kind, "venue", first->stream.venue, "interval",
                      first->stream.interval ? horizon_text(first->stream.interval, name, sizeof name) : "",
                      "source", sum.newest->source, "origin", sum.newest->origin, "streams",
                      (json_int_t)sum.streams, "rows", (json_int_t)sum.rows, "last",
                      json_time(sum.newest->last), "available", json_time(sum.newest->available)));
    }
    free(done);
    return sums;
}

static bool configured(const csm_config *config, const char *name) {
    const char *list = csm_config_get(config, "ingest.sources");
    const size_t length = strlen(name);
    for (const char *at = list ? strstr(list, name) : NULL; at; at = strstr(at + 1, name)) {
        if ((at == list || at[-1] == ',' || at[-1] == ' ') && (at[length] == 0 || at[length] == ','))
            return true;
    }
    return false;
}

json_t *view_sources(const view *v) {
    json_t *sources = json_array();
    for (size_t i = 0; i < csm_ingest_source_count(); i++) {
        const csm_source *s = csm_ingest_source_at(i);
        json_array_append_new(sources,
                              json_pack("{s:s,s:s,s:s,s:s,s:b,s:b}", "name", s->name, "title", s->title,
                                        "kind", s->kind, "group", s->group, "needs_key", (int)s->needs_key,
                                        "configured", (int)configured(v->config, s->name)));
    }
    return json_pack("{s:o,s:o}", "sources", sources, "streams", stream_sums(v));
}

/* ---- coins ---- */

json_t *view_coins(const view *v) {
    json_t *coins = json_array();
    for (size_t i = 0; v->markets && i < csm_market_list_count(v->markets); i++) {
        const csm_market *m = csm_market_list_at(v->markets, i);
        json_array_append_new(coins, json_pack("{s:s,s:s,s:s,s:s,s:i,s:b,s:o}", "market", m->id, "coin",
                                               m->coin, "quote", m->quote, "status", m->status, "epoch",
                                               (int)m->epoch, "canonical", (int)m->canonical, "excluded",
                                               json_reasons(m->excluded)));
    }
    return json_pack("{s:s,s:o}", "from", "registry", "coins", coins);
}

/* ---- status, gate, health ---- */

json_t *view_status(const view *v) {
    const csm_pipeline_status *s = &v->status;
    return json_pack(
        "{s:s,s:s,s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:I,s:I,s:s,s:o}", "from", "status",
        "version", csm_version(), "markets", (json_int_t)s->markets, "universe", (json_int_t)s->universe,
        "streams", (json_int_t)s->streams, "rows", (json_int_t)s->rows, "first", json_time(s->first), "last",
        json_time(s->last), "discovered", json_time(s->discovered), "trained", json_time(s->trained),
        "recipe", s->recipe, "history_weeks", json_number((double)s->history_clock / (double)CSM_WEEK),
        "live_weeks", json_number((double)s->live_clock / (double)CSM_WEEK), "weeks_needed", json_real(12),
        "trials", (json_int_t)s->trials, "ledger_rows", (json_int_t)s->ledger.rows, "ledger_head",
        s->ledger.hash, "problem", *v->problem ? json_string(v->problem) : json_null());
}

static json_t *weeks(csm_time span) {
    return span == CSM_TIME_MIN ? json_null() : json_number((double)span / (double)CSM_WEEK);
}

static json_t *lines_of(const char *text) {
    json_t *lines = json_array();
    while (*text) {
        const size_t length = strcspn(text, "\n");
        if (length) json_array_append_new(lines, json_stringn(text, length));
        text += length + (text[length] == '\n');
    }
    return lines;
}

/* Numbers here are computed from the ledger's rows and the registry; csm_pipeline_gate says how. */
static json_t *gate_of(const csm_gate_report *g) {
    char name[32], from[48];
    snprintf(from, sizeof from, "gate/%s", horizon_text(g->horizon, name, sizeof name));
    json_t *gate =
        json_pack("{s:s,s:s,s:b,s:b,s:o,s:o,s:s,s:b,s:o,s:o,s:o,s:o,s:o}", "from", from, "horizon", name,
                  "open", (int)g->open, "trade", (int)g->trade, "reasons", json_reasons(g->reasons),
                  "trade_reasons", json_reasons(g->trade_reasons), "evidence", csm_evidence_name(g->evidence),
                  "calibrated", (int)g->calibrated, "live_weeks", weeks(g->live_clock), "live_weeks_needed",
                  weeks(g->live_needed), "history_weeks", weeks(g->history), "history_weeks_needed",
                  weeks(g->history_needed), "lines", lines_of(g->text));
    if (gate)
        json_object_update_new(
            gate,
            json_pack("{s:s,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}", "shortest_group",
                      g->shortest_group, "blocks_needed", json_number(g->blocks_needed), "blocks_missing",
                      json_number(g->blocks_missing), "blocks_certify", json_number(g->blocks_certify),
                      "markets", (json_int_t)g->markets, "markets_history", (json_int_t)g->markets_history,
                      "markets_liquid", (json_int_t)g->markets_liquid, "outcomes", (json_int_t)g->outcomes,
                      "pending", (json_int_t)g->pending, "alarms", (json_int_t)g->alarms, "model_weeks",
                      weeks(g->model_age), "model_weeks_most", weeks(g->model_life)));
    return gate;
}

/* The gate's own horizon first, then the others as configured. */
json_t *view_gate(const view *v) {
    json_t *horizons = json_array();
    csm_gate_report report;
    char text[32];
    if (csm_pipeline_gate(&report, v->pipeline, v->gate_horizon) == CSM_OK)
        json_array_append_new(horizons, gate_of(&report));
    const char *list = csm_config_get(v->config, "train.horizons");
    while (list && *list) {
        const size_t length = strcspn(list, ",");
        csm_time horizon = 0;
        snprintf(text, sizeof text, "%.*s", (int)length, list);
        if (csm_interval_parse(&horizon, text) == CSM_OK && horizon != v->gate_horizon &&
            csm_pipeline_gate(&report, v->pipeline, horizon) == CSM_OK)
            json_array_append_new(horizons, gate_of(&report));
        list += length + (list[length] == ',');
    }
    return json_pack("{s:s,s:o}", "horizon", horizon_text(v->gate_horizon, text, sizeof text), "horizons",
                     horizons);
}

/* Each part comes from rows that its text names; docs/learn.md defines it. */
json_t *view_health(const view *v) {
    csm_health health;
    json_t *parts = json_array();
    if (csm_pipeline_health(&health, v->pipeline, v->error_ratio) != CSM_OK)
        return json_pack("{s:n,s:n,s:n,s:b,s:o}", "score", "available", "go_at", "go", 0, "parts", parts);
    for (size_t i = 0; i < CSM_HEALTH_PARTS; i++) {
        const csm_health_part *part = &health.part[i];
        json_array_append_new(parts, json_pack("{s:s,s:s,s:o,s:o,s:s}", "from", "health", "name", part->name,
                                               "weight", json_number(part->weight), "value",
                                               json_number(part->value), "text", part->text));
    }
    return json_pack("{s:s,s:o,s:o,s:o,s:b,s:o}", "from", "health", "score", json_number(health.score),
                     "available", json_number(health.available), "go_at", json_number(health.go_at), "go",
                     (int)health.go, "parts", parts);
}
