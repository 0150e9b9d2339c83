/* SPDX-License-Identifier: MIT */
/* What is in a workspace, and for each horizon why the gate is open or shut. */
#include "cli.h"

#include <string.h>

static double days(csm_time span) {
    return (double)span / (double)CSM_DAY;
}

/* ---- gates ---- */

static json_t *json_evidence(const csm_evidence *e) {
    return json_pack("{s:s,s:I,s:f,s:o,s:f,s:f,s:f}", "status", csm_evidence_name(e->status), "issued",
                     (json_int_t)e->issued, "blocks", e->blocks, "precision", json_number(e->precision),
                     "lower", e->lower, "upper", e->upper, "e_value", e->e_value);
}

static json_t *json_gate(const csm_gate_report *g) {
    char name[32];
    json_t *out = json_pack("{s:s,s:b,s:b,s:o,s:o,s:s,s:b,s:o,s:o,s:f,s:f,s:o}", "horizon",
                            horizon_text(g->horizon, name, sizeof name), "open", (int)g->open, "trade",
                            (int)g->trade, "reasons", json_reasons(g->reasons), "trade_reasons",
                            json_reasons(g->trade_reasons), "evidence", csm_evidence_name(g->evidence),
                            "calibrated", (int)g->calibrated, "backtest", json_evidence(&g->backtest), "live",
                            json_evidence(&g->live), "blocks_needed", g->blocks_needed, "blocks_missing",
                            g->blocks_missing, "blocks_certify", json_number(g->blocks_certify));
    json_t *more = json_pack(
        "{s:f,s:f,s:f,s:f,s:s,s:I,s:I,s:I,s:I,s:I,s:o,s:f,s:I,s:s}", "live_clock_days", days(g->live_clock),
        "live_needed_days", days(g->live_needed), "history_days", days(g->history), "history_needed_days",
        days(g->history_needed), "shortest_group", g->shortest_group, "markets", (json_int_t)g->markets,
        "markets_history", (json_int_t)g->markets_history, "markets_liquid", (json_int_t)g->markets_liquid,
        "outcomes", (json_int_t)g->outcomes, "pending", (json_int_t)g->pending, "model_age_days",
        g->model_age == CSM_TIME_MIN ? json_null() : json_number(days(g->model_age)), "model_life_days",
        days(g->model_life), "alarms", (json_int_t)g->alarms, "text", g->text);
    if (out && more) json_object_update(out, more);
    json_decref(more);
    return out;
}

static json_t *json_gates(const csm_gate_report *gates, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) json_array_append_new(list, json_gate(&gates[i]));
    return list;
}

static void print_gate(FILE *out, const csm_gate_report *g) {
    char name[32], reasons[256];
    fprintf(out, "gate %-10s %s, evidence %s, %zu of %zu markets with history enough\n",
            horizon_text(g->horizon, name, sizeof name),
            g->open ? (g->trade ? "open, for trade signals too" : "open, for showing alone") : "SHUT",
            csm_evidence_name(g->evidence), g->markets_history, g->markets);
    if (g->reasons)
        fprintf(out, "                because of %s\n",
                csm_reason_format(g->reasons, reasons, sizeof reasons));
    for (const char *line = g->text; *line;) {
        const size_t length = strcspn(line, "\n");
        fprintf(out, "                - %.*s\n", (int)length, line);
        line += length + (line[length] == '\n');
    }
}

static int show_status(const cli *c, const csm_pipeline_status *s, const csm_gate_report *gates, size_t n) {
    char first[64], last[64], discovered[64], trained[64];
    if (c->json)
        return print_json(json_pack(
            "{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:s,s:f,s:f,s:f,s:I,s:I,s:s,s:o}", "markets",
            (json_int_t)s->markets, "universe", (json_int_t)s->universe, "streams", (json_int_t)s->streams,
            "rows", (json_int_t)s->rows, "first", json_time(s->first), "last", json_time(s->last),
            "discovered", json_time(s->discovered), "trained", json_time(s->trained), "recipe", s->recipe,
            "history_clock_days", days(s->history_clock), "live_clock_days", days(s->live_clock),
            "clock_needed_days", 84.0, "trials", (json_int_t)s->trials, "ledger_rows",
            (json_int_t)s->ledger.rows, "ledger_head", s->ledger.hash, "gates", json_gates(gates, n)));
    printf("markets         %zu registered, %zu modelled\n", s->markets, s->universe);
    printf("records         %llu in %zu streams\n", (unsigned long long)s->rows, s->streams);
    printf("bars            %s .. %s UTC\n", time_text(s->first, first, sizeof first),
           time_text(s->last, last, sizeof last));
    printf("last discovery  %s UTC\n", time_text(s->discovered, discovered, sizeof discovered));
    printf("champion as of  %s UTC\n", time_text(s->trained, trained, sizeof trained));
    printf("recipe          %s\n", s->recipe);
    printf("history clock   %.1f of 84 days (12 weeks) of final bars in the shortest market\n",
           days(s->history_clock));
    printf("live clock      %.1f of 84 days of predictions written before their outcome\n",
           days(s->live_clock));
    printf("trial register  %lld trials\n", (long long)s->trials);
    printf("ledger          %lld rows, head %s\n", (long long)s->ledger.rows, s->ledger.hash);
    for (size_t i = 0; i < n; i++) print_gate(stdout, &gates[i]);
    return EXIT_OK;
}

/* A report for each configured horizon. */
static csm_status gate_reports(csm_gate_report *out, size_t *count, const cli *c, const csm_pipeline *p) {
    const char *list = csm_config_get(c->config, "train.horizons");
    csm_status status = CSM_OK;
    for (*count = 0; status == CSM_OK && *list && *count < CSM_HORIZONS_MAX;) {
        char name[32];
        csm_time horizon = 0;
        const size_t length = strcspn(list, ",");
        snprintf(name, sizeof name, "%.*s", (int)length, list);
        list += length + (list[length] == ',');
        status = csm_interval_parse(&horizon, name);
        if (status == CSM_OK) status = csm_pipeline_gate(&out[(*count)++], p, horizon);
    }
    return status;
}

int command_status(cli *c) {
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_pipeline_status report;
    csm_gate_report gates[CSM_HORIZONS_MAX];
    size_t count = 0;
    csm_status status = open_pipeline(c, &p, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_status_report(&report, p);
    if (status == CSM_OK) status = gate_reports(gates, &count, c, p);
    csm_pipeline_free(p);
    end_progress();
    return status == CSM_OK ? show_status(c, &report, gates, count) : fail(c, status);
}
