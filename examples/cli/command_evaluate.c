/* SPDX-License-Identifier: MIT */
/* evaluate: what the champion's walk-forward record is worth, as text, JSON and page. */
#include "cli.h"
#include "skill.h"

#include <math.h>
#include <stdlib.h>

typedef struct evaluation {
    csm_pipeline *pipeline;
    csm_training *training;
    csm_ranking *ranking; /* for the page alone */
    judgement *judged;
} evaluation;

/* ---- JSON ---- */

static json_t *json_sharpe(const csm_sharpe *s) {
    if (s->rows == 0) return json_null();
    return json_pack("{s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "blocks", (json_int_t)s->rows, "mean",
                     json_number(s->mean), "standard_error", json_number(s->standard_error), "sharpe",
                     json_number(s->sharpe), "skewness", json_number(s->skewness), "kurtosis",
                     json_number(s->kurtosis), "probabilistic", json_number(s->probabilistic),
                     "expected_best", json_number(s->expected_best), "deflated", json_number(s->deflated));
}

static json_t *json_superior(const skill *s, const csm_superior *test) {
    if (!isfinite(test->consistent)) return json_null();
    return json_pack("{s:s,s:o,s:o,s:o,s:o}", "best", s->strategy[test->best].name, "statistic",
                     json_number(test->statistic), "p_lower", json_number(test->lower), "p_consistent",
                     json_number(test->consistent), "p_upper", json_number(test->upper));
}

static json_t *json_overfitting(const skill *s) {
    if (s->parts == 0) return json_null();
    return json_pack("{s:I,s:I,s:o,s:o,s:o}", "parts", (json_int_t)s->parts, "combinations",
                     (json_int_t)s->overfitting.combinations, "probability",
                     json_number(s->overfitting.probability), "median_rank",
                     json_number(s->overfitting.median_rank), "loss", json_number(s->overfitting.loss));
}

static json_t *json_strategy(const skill_strategy *t) {
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "name", t->name, "return", json_number(t->top),
                     "standard_error", json_number(t->error), "return_doubled_costs",
                     json_number(t->top_doubled), "spread", json_number(t->spread), "precision",
                     json_number(t->precision), "turnover", json_number(t->turnover));
}

static json_t *json_skill(const skill *s) {
    json_t *tops = json_array();
    for (size_t k = 0; s->blocks > 0 && k < s->strategies; k++)
        json_array_append_new(tops, json_strategy(&s->strategy[k]));
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "dates", (json_int_t)s->dates, "silent_dates",
        (json_int_t)s->silent, "blocks", (json_int_t)s->blocks, "trials", (json_int_t)s->trials, "sharpe",
        json_sharpe(&s->issued), "drawdown", json_number(s->drawdown), "top_tenths", tops, "market_return",
        json_number(s->market), "overfitting", json_overfitting(s), "superior_to_base_rate",
        json_superior(s, &s->over_base), "superior_to_momentum", json_superior(s, &s->over_momentum),
        "superior_to_market", json_superior(s, &s->over_market));
}

static json_t *json_ic(const csm_band *band) {
    return json_pack("{s:o,s:o,s:o}", "value", json_number(band->value), "low", json_number(band->low),
                     "high", json_number(band->high));
}

static json_t *json_regime(const csm_horizon_training *t, const regime_slice *s, const char *name) {
    json_t *members = json_object();
    for (size_t m = 0; m < s->members; m++)
        json_object_set_new(members, t->member[m].name, json_ic(&s->member_ic[m]));
    return json_pack("{s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:I,s:o,s:o,s:s?}", "regime", name, "rows",
                     (json_int_t)s->model.rows, "blocks", json_number(s->model.blocks), "base_rate",
                     json_number(s->model.base_rate), "brier_skill", json_ic(&s->model.brier_skill), "ece",
                     json_ic(&s->model.ece), "rank_ic", json_ic(&s->model.rank_ic), "issued",
                     (json_int_t)s->issued, "precision", json_number(s->precision), "member_rank_ic", members,
                     "member_ahead", s->ahead < 0 ? NULL : t->member[s->ahead].name);
}

static void json_add_judgement(json_t *horizon, const csm_horizon_training *t, const judgement *j) {
    json_t *slices = json_array();
    for (int k = 0; k < REGIMES; k++) {
        if (j->regime[k].model.rows > 0)
            json_array_append_new(slices, json_regime(t, &j->regime[k], regime_name(k)));
    }
    json_object_set_new(horizon, "skill", json_skill(&j->skill));
    json_object_set_new(horizon, "regimes", slices);
}

static json_t *json_evaluation(const evaluation *e) {
    json_t *document = json_training(e->training), *horizons = json_object_get(document, "horizons");
    for (size_t h = 0; h < json_array_size(horizons); h++)
        json_add_judgement(json_array_get(horizons, h), csm_training_horizon(e->training, h), &e->judged[h]);
    return document;
}

/* ---- text ---- */

static const char *chance_text(const csm_superior *test, char *text, size_t size) {
    if (isfinite(test->consistent))
        snprintf(text, size, "%.3f", test->consistent);
    else
        snprintf(text, size, "n/a");
    return text;
}

static void print_tests(const skill *s) {
    char base[32], momentum[32], market[32];
    printf("    superior predictive ability, p: over the base rate %s, momentum %s, every coin %s\n",
           chance_text(&s->over_base, base, sizeof base),
           chance_text(&s->over_momentum, momentum, sizeof momentum),
           chance_text(&s->over_market, market, sizeof market));
    if (s->parts > 0)
        printf("    probability of backtest overfitting %.0f %% (%zu top tenths, %u parts, %zu "
               "combinations)\n",
               100 * s->overfitting.probability, s->strategies, s->parts, s->overfitting.combinations);
}

static void print_skill(const skill *s, const char *name) {
    char net[32], doubled[32], spread[32], market[32], fall[32];
    printf("  %s: %zu of %zu dates without an issued call\n", name, s->silent, s->dates);
    if (s->issued.rows > 0)
        printf(
            "    Sharpe ratio of issued calls %.3f a block of %zu; probabilistic %.3f, deflated %.3f (%llu "
            "trials); deepest drawdown %s\n",
            s->issued.sharpe, s->issued.rows, s->issued.probabilistic, s->issued.deflated,
            (unsigned long long)s->trials, percent_text(s->drawdown, fall, sizeof fall));
    for (size_t k = 0; k < s->strategies; k++) {
        const skill_strategy *t = &s->strategy[k];
        printf(
            "    top tenth by %-10s %s a block net of costs, %s with costs doubled; spread %s, %.1f %% rise, "
            "turnover %.0f %%\n",
            t->name, percent_text(t->top, net, sizeof net),
            percent_text(t->top_doubled, doubled, sizeof doubled),
            percent_text(t->spread, spread, sizeof spread), 100 * t->precision, 100 * t->turnover);
    }
    printf("    every coin, before costs  %s; %.1f %% rise\n", percent_text(s->market, market, sizeof market),
           100 * s->base_rate);
    print_tests(s);
}

static void print_regimes(const csm_horizon_training *t, const regime_slice *slices) {
    for (int k = 0; k < REGIMES; k++) {
        const regime_slice *s = &slices[k];
        if (s->model.rows == 0) continue;
        printf("    %-10s %7zu predictions in %4.0f blocks, base rate %4.1f %%, Brier skill %7.4f [%7.4f, "
               "%7.4f], "
               "rank IC %7.4f [%7.4f, %7.4f], %zu issued%s%s\n",
               regime_name(k), s->model.rows, s->model.blocks, 100 * s->model.base_rate,
               s->model.brier_skill.value, s->model.brier_skill.low, s->model.brier_skill.high,
               s->model.rank_ic.value, s->model.rank_ic.low, s->model.rank_ic.high, s->issued,
               s->ahead < 0 ? "" : "; ranks better alone: ", s->ahead < 0 ? "" : t->member[s->ahead].name);
    }
}

static int show_evaluation(const cli *c, const evaluation *e, const char *html) {
    end_progress();
    if (c->json) return print_json(json_evaluation(e));
    char text[64], name[32];
    printf("Champion as of %s UTC: model %.16s..., recipe %s, %zu features\n\n",
           time_text(csm_training_as_of(e->training), text, sizeof text), csm_training_hash(e->training),
           csm_training_recipe(e->training), csm_training_features(e->training));
    print_evaluation(stdout, e->training);
    printf("Skill or luck, over disjoint blocks of each horizon:\n\n");
    for (size_t h = 0; h < csm_training_horizons(e->training); h++) {
        const csm_horizon_training *t = csm_training_horizon(e->training, h);
        if (e->judged[h].skill.blocks == 0) continue;
        print_skill(&e->judged[h].skill, horizon_text(t->horizon, name, sizeof name));
        print_regimes(t, e->judged[h].regime);
        putchar('\n');
    }
    if (html) printf("report: %s\n", html);
    return EXIT_OK;
}

/* ---- the command ---- */

static csm_status write_page(evaluation *e, const cli *c, const char *html) {
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.dry = 1;
    options.as_of = csm_training_as_of(e->training);
    const csm_status status = csm_pipeline_predict(&e->ranking, e->pipeline, &options);
    return status == CSM_OK ? write_report(html, e->ranking, e->training, e->judged, gate_horizon(c))
                            : status;
}

int command_evaluate(cli *c) {
    const char *html = take_option(c, "html");
    const int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    evaluation e = {0};
    csm_status status = open_pipeline(c, &e.pipeline, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_champion(&e.training, e.pipeline);
    if (status == CSM_OK) status = judge_record(&e.judged, c->context, e.pipeline, e.training);
    if (status == CSM_OK && html) status = write_page(&e, c, html);
    const int done = status == CSM_OK ? show_evaluation(c, &e, html) : fail(c, status);
    free(e.judged);
    csm_ranking_free(e.ranking);
    csm_training_free(e.training);
    csm_pipeline_free(e.pipeline);
    return done;
}
