/* SPDX-License-Identifier: MIT */
/* Why one horizon is open or shut, and what would open it. */
#include "pipeline/gate.h"

#include "learn/live.h"
#include "pipeline/alarms.h"
#include "pipeline/champion.h"
#include "store/catalog.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIVE_NEEDED (12 * CSM_WEEK)
#define BLOCKS_NEEDED 14

/* The one that has more blocks decides between UNPROVEN and the rest; a revocation by either stands. */
uint32_t csm_evidence_in_force(const csm_evidence *backtest, const csm_evidence *live) {
    if (backtest->status == CSM_EVIDENCE_REVOKED || live->status == CSM_EVIDENCE_REVOKED)
        return CSM_EVIDENCE_REVOKED;
    return live->status == CSM_EVIDENCE_UNPROVEN ? backtest->status : live->status;
}

/* ---- history by feature group ---- */

/* A stream outside a market's own bars that a group lives from. */
typedef struct group_source {
    const char *group;
    const char *kind;
    const char *symbol; /* NULL: the market's own */
    const char *coin;   /* of the market whose stream it is; NULL: none */
} group_source;

static const group_source sources[] = {
    {"price", "bars", NULL, NULL},
    {"book", "book", NULL, NULL},
    {"sentiment", "value", "fear_greed", NULL},
    {"bitcoin", "bars", NULL, "BTC"},
};

static bool group_used(const csm_recipe *recipe, const char *group) {
    if (strcmp(group, "price") == 0) return true; /* most groups are made of the market's bars */
    for (size_t i = 0; i < csm_recipe_features(recipe); i++) {
        csm_feature_info info;
        if (csm_recipe_feature(&info, recipe, i) == CSM_OK && strcmp(info.group, group) == 0) return true;
    }
    return false;
}

static bool is_source(const csm_stream *s, const group_source *source, const csm_market *market,
                      const universe *u) {
    if (strcmp(s->kind, source->kind) != 0) return false;
    if (source->symbol) return strcmp(s->symbol, source->symbol) == 0;
    for (size_t m = 0; m < (source->coin ? u->count : 1); m++) {
        const csm_market *of = source->coin ? u->market[m] : market;
        if (source->coin && strcmp(of->coin, source->coin) != 0) continue;
        if (of->epoch == s->epoch && strcmp(of->symbol, s->symbol) == 0 && strcmp(of->venue, s->venue) == 0)
            return true;
    }
    return false;
}

static csm_time group_history(const csm_stream_list *streams, const group_source *source,
                              const csm_market *market, const universe *u, csm_time interval) {
    csm_time longest = 0;
    for (size_t i = 0; i < csm_stream_list_count(streams); i++) {
        const csm_stream_info *info = csm_stream_list_at(streams, i);
        if (strcmp(source->kind, "bars") == 0 && info->stream.interval != interval) continue;
        if (!is_source(&info->stream, source, market, u)) continue;
        const csm_time span = info->last + info->stream.interval - info->first;
        if (span > longest) longest = span;
    }
    return longest;
}

static csm_status history(csm_gate_report *out, const csm_pipeline *p) {
    universe u = {0};
    csm_recipe *recipe = NULL;
    csm_stream_list *streams = NULL;
    csm_status status = csm_universe_make(&u, p, out->as_of, false);
    if (status == CSM_ENODATA) return CSM_OK;
    if (status == CSM_OK) status = csm_pipeline_recipe(&recipe, p, &u);
    if (status == CSM_OK) status = csm_store_streams(&streams, p->store, NULL, NULL);
    out->markets = u.count;
    csm_time least = CSM_TIME_MAX;
    for (size_t m = 0; status == CSM_OK && m < u.count; m++) {
        csm_time shortest = CSM_TIME_MAX;
        for (size_t g = 0; g < sizeof sources / sizeof *sources; g++) {
            if (!group_used(recipe, sources[g].group)) continue;
            const csm_time had =
                group_history(streams, &sources[g], u.market[m], &u, p->settings.fuse.interval);
            if (had < shortest) shortest = had;
            if (had >= least) continue;
            least = had;
            snprintf(out->shortest_group, sizeof out->shortest_group, "%s", sources[g].group);
        }
        out->markets_history += shortest >= out->history_needed;
    }
    if (least < CSM_TIME_MAX) out->history = least;
    csm_stream_list_free(streams);
    csm_recipe_free(recipe);
    csm_universe_free(&u);
    return status;
}

/* ---- counts from the ledger ---- */

static csm_status count(size_t *out, const csm_store *store, const char *sql, int64_t first, int64_t second) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, store, sql);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, first);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, second);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) *out = (size_t)csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}

static csm_status ledger_counts(csm_gate_report *out, const csm_store *store) {
    csm_status status = count(
        &out->pending, store,
        "SELECT count(*) FROM ledger l LEFT JOIN outcomes o ON o.row = l.row WHERE l.kind = 1 AND l.backfill "
        "= 0 AND l.horizon = ?1 AND l.probability IS NOT NULL AND o.row IS NULL AND ?2 = 0",
        out->horizon, 0);
    if (status == CSM_OK)
        status =
            count(&out->markets_liquid, store,
                  "SELECT count(*) FROM ledger WHERE kind = 1 AND batch = (SELECT max(batch) FROM ledger "
                  "WHERE kind = 1) AND horizon = ?1 AND (show & ?2) = 0",
                  out->horizon, (int64_t)CSM_REASON_MASK(ILLIQUID));
    return status;
}

/* ---- model ---- */

static csm_status judge_model(csm_gate_report *out, const csm_pipeline *p) {
    csm_training *champion = NULL;
    csm_status status = csm_pipeline_champion(&champion, p);
    out->model_age = CSM_TIME_MIN;
    out->backtest = (csm_evidence){.precision = NAN, .upper = 1};
    if (status == CSM_ENOTFOUND) return CSM_OK;
    if (status == CSM_OK) {
        out->model_age = out->as_of - champion->as_of;
        for (size_t h = 0; h < champion->horizons; h++) {
            if (champion->horizon[h].facts.horizon != out->horizon) continue;
            out->backtest = champion->horizon[h].facts.evidence;
            out->calibrated =
                champion->horizon[h].calibrator && champion->horizon[h].facts.calibrator.matured;
        }
        status = csm_alarms_standing(&out->alarms, p->store, champion->hash, out->horizon, out->as_of);
    }
    csm_training_free(champion);
    return status;
}

/* ---- conditions ---- */

static CSM_PRINTF(2, 3) void say(csm_gate_report *out, const char *format, ...) {
    const size_t length = strlen(out->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out->text + length, sizeof out->text - length, format, arguments);
    va_end(arguments);
}

static double days(csm_time span) {
    return (double)span / (double)CSM_DAY;
}

static void against(csm_gate_report *out, bool fails, csm_reason reason) {
    if (fails) out->reasons |= reason;
}

static void weigh(csm_gate_report *out, const csm_gate_options *gate) {
    const bool absent = out->model_age == CSM_TIME_MIN;
    against(out, absent, CSM_REASON_MASK(NO_MODEL));
    against(out, !absent && !out->calibrated, CSM_REASON_MASK(NOT_CALIBRATED));
    against(out, !absent && out->model_age >= out->model_life, CSM_REASON_MASK(MODEL_EXPIRED));
    against(out, out->markets == 0 || out->markets_history == 0, CSM_REASON_MASK(HISTORY_CLOCK));
    against(out, out->alarms > 0, CSM_REASON_MASK(DRIFT_ALARM));
    against(out, out->evidence == CSM_EVIDENCE_REVOKED, CSM_REASON_MASK(EVIDENCE_REVOKED));
    against(out, out->evidence < gate->minimum_evidence, CSM_REASON_MASK(EVIDENCE_LOW));
    if (out->live_clock < out->live_needed) out->trade_reasons |= CSM_REASON_MASK(LIVE_CLOCK);
    out->open = out->reasons == 0;
    out->trade = out->open && out->trade_reasons == 0;
}

static void describe_model(csm_gate_report *out) {
    if (out->reasons & CSM_REASON_MASK(NO_MODEL)) say(out, "no model was trained: train one\n");
    if (out->reasons & CSM_REASON_MASK(NOT_CALIBRATED))
        say(out,
            "the calibrator was not fit on matured out-of-fold predictions: train on a longer history, until "
            "walk-forward predictions of this horizon have matured\n");
    if (out->reasons & CSM_REASON_MASK(MODEL_EXPIRED))
        say(out, "the champion's data are %.0f days old, its life is %.0f: train again\n",
            days(out->model_age), days(out->model_life));
    if (out->reasons & CSM_REASON_MASK(DRIFT_ALARM))
        say(out,
            "%zu drift alarm%s against the champion: another model must take over, by evidence of its shadow "
            "forecasts or by a new training\n",
            out->alarms, out->alarms == 1 ? " stands" : "s stand");
}

static void describe(csm_gate_report *out, const csm_gate_options *gate) {
    describe_model(out);
    if (out->reasons & CSM_REASON_MASK(HISTORY_CLOCK))
        say(out,
            "no market has %.0f weeks of final data in every feature group; group %s is shortest with %.1f "
            "days: "
            "%.1f weeks are missing\n",
            days(out->history_needed) / 7, out->shortest_group[0] ? out->shortest_group : "price",
            days(out->history), days(out->history_needed - out->history) / 7);
    if (out->reasons & CSM_REASON_MASK(EVIDENCE_REVOKED))
        say(out,
            "evidence is REVOKED: what was issued at 80 %% was right too seldom (%s); nothing opens this "
            "horizon but a "
            "model whose own record stands%s\n",
            out->live.status == CSM_EVIDENCE_REVOKED ? "live" : "in the walk",
            out->live.status == CSM_EVIDENCE_REVOKED ? ", under another event" : "");
    if (out->reasons & CSM_REASON_MASK(EVIDENCE_LOW))
        say(out, "evidence is %s, the configuration demands %s\n", csm_evidence_name(out->evidence),
            csm_evidence_name(gate->minimum_evidence));
    if (out->blocks_missing > 0)
        say(out,
            "%.0f of %.0f disjoint blocks of issued calls have closed; %.0f more, %.1f weeks at least, until "
            "the "
            "evidence is more than UNPROVEN\n",
            out->blocks_needed - out->blocks_missing, out->blocks_needed, out->blocks_missing,
            out->blocks_missing * days(out->horizon) / 7);
    if (out->evidence != CSM_EVIDENCE_CERTIFIED && !isnan(out->blocks_certify))
        say(out,
            "CERTIFIED after %.0f further live blocks at the least, %.1f weeks, if all that is issued "
            "rises\n",
            out->blocks_certify, out->blocks_certify * days(out->horizon) / 7);
    if (out->live_clock < out->live_needed)
        say(out,
            "backtest evidence only: the live clock has %.1f of %.0f weeks, %.1f are missing until trade "
            "signals; "
            "%zu live outcomes known, %zu wait\n",
            days(out->live_clock) / 7, days(out->live_needed) / 7,
            days(out->live_needed - out->live_clock) / 7, out->outcomes, out->pending);
}

static csm_time step_of(const csm_pipeline *p, csm_time horizon) {
    for (size_t h = 0; h < p->settings.horizons; h++) {
        if (p->settings.horizon[h].horizon == horizon) return p->settings.horizon[h].step;
    }
    return 0;
}

csm_status csm_pipeline_gate(csm_gate_report *out, const csm_pipeline *pipeline, csm_time horizon) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "gate: out and pipeline are required");
    char name[CSM_TIME_TEXT];
    const csm_time step = step_of(pipeline, horizon);
    if (step == 0)
        return csm_fail(CSM_EINVAL, "gate: %s is none of the configured horizons",
                        csm_interval_format(horizon, name, sizeof name));
    const csm_gate_options *gate = &pipeline->settings.rank.gate;
    *out = (csm_gate_report){.horizon = horizon,
                             .as_of = csm_context_now(pipeline->context),
                             .live_needed = LIVE_NEEDED,
                             .history_needed = gate->history_needed,
                             .blocks_needed = BLOCKS_NEEDED,
                             .model_life = csm_config_duration(pipeline->config, "learn.model_life")};
    csm_status status = judge_model(out, pipeline);
    if (status == CSM_OK) status = history(out, pipeline);
    if (status == CSM_OK) status = ledger_counts(out, pipeline->store);
    if (status == CSM_OK) status = csm_learn_live_clock(&out->live_clock, pipeline->store);
    if (status == CSM_OK)
        status = csm_live_evidence(&out->live, &out->outcomes, pipeline->store, horizon, gate->threshold,
                                   out->as_of);
    if (status == CSM_OK)
        status =
            csm_live_blocks_to_certify(&out->blocks_certify, pipeline->store, horizon, step, gate->threshold);
    if (status != CSM_OK) return status;
    const double had = fmax(out->backtest.blocks, out->live.blocks);
    out->blocks_missing = had < BLOCKS_NEEDED ? BLOCKS_NEEDED - had : 0;
    out->evidence = csm_evidence_in_force(&out->backtest, &out->live);
    weigh(out, gate);
    describe(out, gate);
    return CSM_OK;
}
