/* SPDX-License-Identifier: MIT */
/* Commands that look and change nothing: ledger, doctor, status, options. */
#include "cli.h"

#include <string.h>

/* ---- ledger ---- */

static json_t *json_entry(const csm_ledger_entry *e) {
    static const char *const states[] = {"known", "unknown", "pending", "no entry"};
    char name[32];
    return json_pack("{s:I,s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:b,s:o}", "row", (json_int_t)e->row,
                     "coin", e->coin, "market", e->market, "written", json_time(e->written), "decision",
                     json_time(e->decision), "horizon", horizon_text(e->horizon, name, sizeof name),
                     "probability", json_number(e->probability), "lower", json_number(e->lower),
                     "expected_return", json_number(e->expected_return), "cost", json_number(e->cost),
                     "reasons", json_reasons(e->show), "outcome", states[e->state & 3], "backfill",
                     (int)e->backfill, "log_return", json_number(e->log_return));
}

static int show_history(const cli *c, const csm_ledger_history *history) {
    char decision[64], probability[32], expected[32], happened[32], name[32];
    json_t *rows = json_array();
    for (size_t i = 0; i < csm_ledger_history_count(history); i++) {
        const csm_ledger_entry *e = csm_ledger_history_at(history, i);
        if (c->json) {
            json_array_append_new(rows, json_entry(e));
            continue;
        }
        printf("%8lld  %-8s %4s  %s  p %8s  expected %9s  happened %9s%s%s\n", (long long)e->row, e->coin,
               horizon_text(e->horizon, name, sizeof name), time_text(e->decision, decision, sizeof decision),
               probability_text(e->probability, probability, sizeof probability),
               percent_text(e->expected_return, expected, sizeof expected),
               percent_text(e->log_return, happened, sizeof happened), e->show == 0 ? "  shown" : "",
               e->backfill ? "  backfill" : "");
    }
    if (c->json) return print_json(json_pack("{s:o}", "entries", rows));
    json_decref(rows);
    return EXIT_OK;
}

static int show_head(const cli *c, const csm_ledger_head *head, bool verified) {
    end_progress();
    if (c->json)
        return print_json(json_pack("{s:I,s:s,s:b}", "rows", (json_int_t)head->rows, "head", head->hash,
                                    "verified", (int)verified));
    printf("%lld rows, head %s%s\n", (long long)head->rows, head->hash, verified ? ", chain verified" : "");
    return EXIT_OK;
}

int command_ledger(cli *c) {
    const char *text = take_option(c, "horizon");
    bool shown = take_flag(c, "shown");
    csm_time horizon = 0;
    if (text && csm_interval_parse(&horizon, text) != CSM_OK)
        return usage_error("--horizon: %s", csm_error_message());
    int code = check_arguments(c, 1);
    if (code != EXIT_OK) return code;
    const char *what = c->argv[0];
    if (strcmp(what, "verify") != 0 && strcmp(what, "head") != 0 && strcmp(what, "show") != 0)
        return usage_error("ledger: '%s' is not verify, head or show", what);
    csm_store *store = NULL;
    csm_ledger_head head = {0};
    csm_ledger_history *history = NULL;
    csm_status status = csm_store_open(&store, c->context, c->workspace, CSM_STORE_READ);
    if (status == CSM_OK && *what == 'v')
        status = csm_learn_verify(&head, c->context, store);
    else if (status == CSM_OK && *what == 'h')
        status = csm_learn_head(&head, store);
    else if (status == CSM_OK)
        status = csm_learn_history(&history, store, horizon, CSM_TIME_MIN, CSM_TIME_MAX, shown);
    if (status != CSM_OK)
        code = fail(c, status);
    else
        code = history ? show_history(c, history) : show_head(c, &head, *what == 'v');
    csm_ledger_history_free(history);
    csm_store_free(store);
    return code;
}

/* ---- doctor ---- */

int command_doctor(cli *c) {
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_checks *checks = NULL;
    csm_status status = csm_pipeline_doctor(&checks, c->context, c->config, c->workspace);
    if (status != CSM_OK) return fail(c, status);
    end_progress();
    static const char *const levels[] = {"ERROR", "warning", "fine", "fine"};
    json_t *list = json_array();
    for (size_t i = 0; i < csm_checks_count(checks); i++) {
        const csm_check *check = csm_checks_at(checks, i);
        if (check->level == CSM_LOG_ERROR) code = EXIT_DAMAGED;
        if (c->json)
            json_array_append_new(list, json_pack("{s:s,s:s,s:s}", "name", check->name, "level",
                                                  levels[check->level & 3], "text", check->text));
        else
            printf("%-8s %-20s %s\n", levels[check->level & 3], check->name, check->text);
    }
    if (c->json)
        print_json(json_pack("{s:o}", "checks", list));
    else
        json_decref(list);
    csm_checks_free(checks);
    return code;
}

/* ---- status ---- */

static double days(csm_time span) {
    return (double)span / (double)CSM_DAY;
}

static int show_status(const cli *c, const csm_pipeline_status *s) {
    char first[64], last[64], discovered[64], trained[64];
    if (c->json)
        return print_json(json_pack(
            "{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:s,s:f,s:f,s:f,s:I,s:I,s:s}", "markets",
            (json_int_t)s->markets, "universe", (json_int_t)s->universe, "streams", (json_int_t)s->streams,
            "rows", (json_int_t)s->rows, "first", json_time(s->first), "last", json_time(s->last),
            "discovered", json_time(s->discovered), "trained", json_time(s->trained), "recipe", s->recipe,
            "history_clock_days", days(s->history_clock), "live_clock_days", days(s->live_clock),
            "clock_needed_days", 84.0, "trials", (json_int_t)s->trials, "ledger_rows",
            (json_int_t)s->ledger.rows, "ledger_head", s->ledger.hash));
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
    return EXIT_OK;
}

int command_status(cli *c) {
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_pipeline_status report;
    csm_status status = open_pipeline(c, &p, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_status_report(&report, p);
    csm_pipeline_free(p);
    end_progress();
    return status == CSM_OK ? show_status(c, &report) : fail(c, status);
}

/* ---- options ---- */

int command_options(cli *c) {
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    static const char *const types[] = {"text", "integer", "real", "duration", "boolean", "list"};
    json_t *list = json_array();
    for (size_t i = 0; i < csm_config_option_count(); i++) {
        const csm_option *o = csm_config_option_at(i);
        if (c->json)
            json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", o->name, "type",
                                                  types[o->type], "value", csm_config_get(c->config, o->name),
                                                  "default", o->standard, "text", o->text));
        else
            printf("%-26s %-9s %-24s %s\n", o->name, types[o->type], csm_config_get(c->config, o->name),
                   o->text);
    }
    if (c->json) return print_json(json_pack("{s:o}", "options", list));
    json_decref(list);
    return EXIT_OK;
}
