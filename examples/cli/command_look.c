/* SPDX-License-Identifier: MIT */
/* Commands that look and change nothing: ledger, doctor, options. */
#include "cli.h"

#include <string.h>

/* ---- ledger ---- */

static json_t *json_entry(const csm_ledger_entry *e) {
    static const char *const states[] = {"known", "unknown", "pending", "no entry"};
    char name[32];
    return json_pack(
        "{s:I,s:s,s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:s,s:b,s:o,s:i}", "row", (json_int_t)e->row, "coin",
        e->coin, "market", e->market, "written", json_time(e->written), "decision", json_time(e->decision),
        "horizon", horizon_text(e->horizon, name, sizeof name), "probability", json_number(e->probability),
        "lower", json_number(e->lower), "expected_return", json_number(e->expected_return), "cost",
        json_number(e->cost), "reasons", json_reasons(e->show), "outcome", states[e->state & 3], "backfill",
        (int)e->backfill, "log_return", json_number(e->log_return), "feedback", (int)e->verdict);
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
        printf("%8lld  %-8s %4s  %s  p %8s  expected %9s  happened %9s%s%s%s\n", (long long)e->row, e->coin,
               horizon_text(e->horizon, name, sizeof name), time_text(e->decision, decision, sizeof decision),
               probability_text(e->probability, probability, sizeof probability),
               percent_text(e->expected_return, expected, sizeof expected),
               percent_text(e->log_return, happened, sizeof happened), e->show == 0 ? "  shown" : "",
               e->backfill ? "  backfill" : "",
               e->verdict > 0   ? "  called right"
               : e->verdict < 0 ? "  called wrong"
                                : "");
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
    const bool exports = c->argc > 0 && strcmp(c->argv[0], "export") == 0;
    int code = check_arguments(c, exports ? 2 : 1);
    if (code != EXIT_OK) return code;
    const char *what = c->argv[0];
    if (!exports && strcmp(what, "verify") != 0 && strcmp(what, "head") != 0 && strcmp(what, "show") != 0)
        return usage_error("ledger: '%s' is not verify, head, show or export", what);
    csm_store *store = NULL;
    csm_ledger_head head = {0};
    csm_ledger_history *history = NULL;
    csm_status status = csm_store_open(&store, c->context, c->workspace, CSM_STORE_READ);
    if (status == CSM_OK && *what == 'v')
        status = csm_learn_verify(&head, c->context, store);
    else if (status == CSM_OK && exports)
        status = csm_learn_export(&head, c->context, store, c->argv[1]);
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
