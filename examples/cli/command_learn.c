/* SPDX-License-Identifier: MIT */
/* Commands of the learning loop: learn, models, feedback, health. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- learn ---- */

static json_t *json_decision(const csm_decision *d) {
    char name[32];
    return json_pack("{s:I,s:s,s:o,s:o,s:o,s:s,s:s,s:b}", "row", (json_int_t)d->row, "kind",
                     csm_decision_name(d->kind), "written", json_time(d->written), "time", json_time(d->time),
                     "horizon",
                     d->horizon ? json_string(horizon_text(d->horizon, name, sizeof name)) : json_null(),
                     "model", d->model, "text", d->text, "backfill", (int)d->backfill);
}

json_t *json_learned(const csm_maturing *m, const csm_decision_list *decisions) {
    json_t *list = json_array();
    for (size_t i = 0; i < csm_decision_list_count(decisions); i++)
        json_array_append_new(list, json_decision(csm_decision_list_at(decisions, i)));
    return json_pack("{s:I,s:I,s:I,s:o}", "matured", (json_int_t)m->matured, "unknown",
                     (json_int_t)m->unknown, "pending", (json_int_t)m->pending, "decisions", list);
}

void print_learned(FILE *out, const csm_maturing *m, const csm_decision_list *decisions) {
    fprintf(out, "%zu outcomes written (%zu unknown), %zu predictions wait for theirs\n", m->matured,
            m->unknown, m->pending);
    for (size_t i = 0; i < csm_decision_list_count(decisions); i++) {
        const csm_decision *d = csm_decision_list_at(decisions, i);
        char name[32] = "";
        if (d->horizon) horizon_text(d->horizon, name, sizeof name);
        fprintf(out, "%-12s %s%smodel %.16s...: ", csm_decision_name(d->kind), name, *name ? " " : "",
                d->model);
        for (const char *at = d->text; *at; at++) {
            if (*at != '\n')
                fputc(*at, out);
            else if (at[1])
                fputs("; ", out);
        }
        fputc('\n', out);
    }
}

int command_learn(cli *c) {
    csm_decide_options options;
    csm_decide_options_init(&options);
    options.train = !take_flag(c, "no-train");
    options.backfill = c->replayed;
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_maturing maturing = {0};
    csm_decision_list *decisions = NULL;
    csm_status status = open_pipeline(c, &p, CSM_STORE_SHARED);
    if (status == CSM_OK) status = csm_pipeline_learn(&maturing, p);
    if (status == CSM_OK) {
        status = csm_pipeline_decide(&decisions, p, &options);
        if (status == CSM_ENOTFOUND) status = CSM_OK; /* no model yet: nothing to decide on */
    }
    csm_pipeline_free(p);
    if (status != CSM_OK) return fail(c, status);
    end_progress();
    if (c->json)
        code = print_json(json_learned(&maturing, decisions));
    else
        print_learned(stdout, &maturing, decisions);
    csm_decision_list_free(decisions);
    return code;
}

/* ---- models ---- */

static json_t *json_model(const csm_model_entry *m) {
    char name[32];
    return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o}", "hash", m->hash, "role", m->role, "as_of",
                     json_time(m->as_of), "created", json_time(m->created), "since", json_time(m->since),
                     "horizon",
                     m->horizon ? json_string(horizon_text(m->horizon, name, sizeof name)) : json_null(),
                     "brier_skill", json_number(m->brier_skill), "log_loss", json_number(m->log_loss),
                     "live_outcomes", (json_int_t)m->outcomes, "live_brier", json_number(m->brier));
}

static int list_models(const cli *c, const csm_pipeline *p) {
    csm_model_list *models = NULL;
    const csm_status status = csm_pipeline_models(&models, p);
    if (status != CSM_OK) return fail(c, status);
    json_t *list = json_array();
    if (!c->json)
        printf("%-18s %-11s %-17s %-17s %12s %14s %11s\n", "model", "role", "data as of", "since",
               "Brier skill", "live outcomes", "live Brier");
    for (size_t i = 0; i < csm_model_list_count(models); i++) {
        const csm_model_entry *m = csm_model_list_at(models, i);
        char as_of[64], since[64], skill[32] = "n/a", brier[32] = "n/a";
        if (c->json) {
            json_array_append_new(list, json_model(m));
            continue;
        }
        if (isfinite(m->brier_skill)) snprintf(skill, sizeof skill, "%.4f", m->brier_skill);
        if (isfinite(m->brier)) snprintf(brier, sizeof brier, "%.4f", m->brier);
        printf("%.16s.. %-11s %-17s %-17s %12s %14zu %11s\n", m->hash, m->role,
               time_text(m->as_of, as_of, sizeof as_of), time_text(m->since, since, sizeof since), skill,
               m->outcomes, brier);
    }
    csm_model_list_free(models);
    if (c->json) return print_json(json_pack("{s:o}", "models", list));
    json_decref(list);
    return EXIT_OK;
}

static json_t *json_band(const csm_band *b) {
    return json_pack("{s:o,s:o,s:o}", "value", json_number(b->value), "low", json_number(b->low), "high",
                     json_number(b->high));
}

static int compare_models(const cli *c, const csm_pipeline *p, csm_time horizon) {
    csm_comparison k;
    const csm_status status = csm_pipeline_compare(&k, p, c->argv[1], c->argv[2], horizon);
    if (status != CSM_OK) return fail(c, status);
    end_progress();
    if (c->json)
        return print_json(json_pack("{s:I,s:I,s:o,s:o,s:o,s:f,s:f}", "pairs", (json_int_t)k.pairs, "blocks",
                                    (json_int_t)k.blocks, "brier", json_number(k.brier), "other",
                                    json_number(k.other), "gain", json_band(&k.gain), "e_value", k.e_value,
                                    "worse", k.worse));
    printf("%zu forecasts that both made live, in %zu closed blocks\n", k.pairs, k.blocks);
    if (k.pairs > 0)
        printf("Brier %.4f against %.4f, gain %.4f [%.4f, %.4f]\n", k.brier, k.other, k.gain.value,
               k.gain.low, k.gain.high);
    printf(
        "e-value %.3g for the first, %.3g for the second; 20 is a one-sided 95 %% level under daily looks\n",
        k.e_value, k.worse);
    return EXIT_OK;
}

static int change_champion(const cli *c, csm_pipeline *p, bool promote, bool force) {
    csm_status status = promote ? csm_pipeline_promote(p, c->argv[1], force) : csm_pipeline_rollback(p);
    if (status != CSM_OK) return fail(c, status);
    return list_models(c, p);
}

int command_models(cli *c) {
    static const struct {
        const char *name;
        int arguments;
        uint32_t mode;
    } acts[] = {{"list", 1, CSM_STORE_READ},
                {"promote", 2, CSM_STORE_SHARED},
                {"rollback", 1, CSM_STORE_SHARED},
                {"compare", 3, CSM_STORE_READ}};
    const char *text = take_option(c, "horizon");
    const bool force = take_flag(c, "force");
    csm_time horizon = 0;
    size_t act = 0;
    if (text && csm_interval_parse(&horizon, text) != CSM_OK)
        return usage_error("--horizon: %s", csm_error_message());
    while (c->argc > 0 && act < 4 && strcmp(acts[act].name, c->argv[0]) != 0) act++;
    if (act == 4) return usage_error("models: '%s' is not list, promote, rollback or compare", c->argv[0]);
    int code = c->argc == 0 ? EXIT_OK : check_arguments(c, acts[act].arguments);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    const csm_status status = open_pipeline(c, &p, acts[act].mode);
    if (status != CSM_OK)
        code = fail(c, status);
    else if (act == 0)
        code = list_models(c, p);
    else if (act == 3)
        code = compare_models(c, p, horizon);
    else
        code = change_champion(c, p, act == 1, force);
    csm_pipeline_free(p);
    return code;
}

/* ---- feedback ---- */

int command_feedback(cli *c) {
    static const char *const words[] = {"wrong", "withdraw", "right"};
    const char *who = take_option(c, "who"), *text = take_option(c, "text");
    int code = check_arguments(c, 2);
    if (code != EXIT_OK) return code;
    char *end = NULL;
    const long long row = strtoll(c->argv[0], &end, 10);
    int32_t verdict = 0;
    if (*end || row <= 0) return usage_error("feedback: '%s' is no row of the ledger", c->argv[0]);
    while (verdict < 3 && strcmp(words[verdict], c->argv[1]) != 0) verdict++;
    if (verdict == 3) return usage_error("feedback: '%s' is not right, wrong or withdraw", c->argv[1]);
    if (!who) who = getenv("USER");
    csm_store *store = NULL;
    csm_status status = csm_store_open(&store, c->context, c->workspace, CSM_STORE_SHARED);
    if (status == CSM_OK)
        status =
            csm_learn_feedback_add(c->context, store, row, verdict - 1, who && *who ? who : "somebody", text);
    csm_store_free(store);
    if (status != CSM_OK) return fail(c, status);
    if (c->json) return print_json(json_pack("{s:I,s:i}", "row", (json_int_t)row, "verdict", verdict - 1));
    printf("noted beside row %lld: %s\n", row, verdict == 1 ? "withdrawn" : words[verdict]);
    return EXIT_OK;
}

/* ---- health ---- */

static int show_health(const cli *c, const csm_health *h) {
    json_t *parts = json_array();
    if (!c->json) {
        char score[32] = "not available", rest[32] = "n/a";
        if (isfinite(h->score)) snprintf(score, sizeof score, "%.3f", h->score);
        if (isfinite(h->available)) snprintf(rest, sizeof rest, "%.3f", h->available);
        printf("%s: score %s of %.2f; over the parts that are known %s, %u of %d not available\n\n",
               h->go ? "GO" : "NO GO", score, h->go_at, rest, h->missing, CSM_HEALTH_PARTS);
    }
    for (size_t i = 0; i < CSM_HEALTH_PARTS; i++) {
        const csm_health_part *part = &h->part[i];
        char value[32] = "n/a";
        if (isfinite(part->value)) snprintf(value, sizeof value, "%.3f", part->value);
        if (c->json)
            json_array_append_new(parts,
                                  json_pack("{s:s,s:f,s:o,s:s}", "name", part->name, "weight", part->weight,
                                            "value", json_number(part->value), "text", part->text));
        else
            printf("  %.1f x %-6s %-20s %s\n", part->weight, value, part->name, part->text);
    }
    if (c->json)
        return print_json(json_pack("{s:o,s:o,s:f,s:b,s:i,s:o}", "score", json_number(h->score), "available",
                                    json_number(h->available), "go_at", h->go_at, "go", (int)h->go, "missing",
                                    (int)h->missing, "parts", parts));
    json_decref(parts);
    return EXIT_OK;
}

int command_health(cli *c) {
    const int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_health health;
    csm_status status = open_pipeline(c, &p, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_health(&health, p, NAN);
    csm_pipeline_free(p);
    end_progress();
    return status == CSM_OK ? show_health(c, &health) : fail(c, status);
}
