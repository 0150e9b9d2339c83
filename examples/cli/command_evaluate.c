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
    skill *skills;
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
    return json_pack("{s:s,s:o,s:o,s:o,s:o}", "best", s->name[test->best], "statistic",
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

static json_t *json_skill(const skill *s) {
    json_t *tops = json_array();
    for (size_t k = 0; s->blocks > 0 && k < s->strategies; k++)
        json_array_append_new(tops,
                              json_pack("{s:s,s:o,s:o}", "name", s->name[k], "return", json_number(s->top[k]),
                                        "return_doubled_costs", json_number(s->top_doubled[k])));
    return json_pack(
        "{s:I,s:I,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "dates", (json_int_t)s->dates, "silent_dates",
        (json_int_t)s->silent, "blocks", (json_int_t)s->blocks, "trials", (json_int_t)s->trials, "sharpe",
        json_sharpe(&s->issued), "drawdown", json_number(s->drawdown), "top_tenths", tops, "market_return",
        json_number(s->market), "overfitting", json_overfitting(s), "superior_to_base_rate",
        json_superior(s, &s->over_base), "superior_to_momentum", json_superior(s, &s->over_momentum),
        "superior_to_market", json_superior(s, &s->over_market));
}

static json_t *json_evaluation(const evaluation *e) {
    json_t *document = json_training(e->training), *horizons = json_object_get(document, "horizons");
    for (size_t h = 0; h < json_array_size(horizons); h++)
        json_object_set_new(json_array_get(horizons, h), "skill", json_skill(&e->skills[h]));
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
    char net[32], doubled[32], market[32], fall[32];
    if (s->blocks == 0) return;
    printf("  %s: %zu of %zu dates without an issued call\n", name, s->silent, s->dates);
    if (s->issued.rows > 0)
        printf(
            "    Sharpe ratio of issued calls %.3f a block of %zu; probabilistic %.3f, deflated %.3f (%llu "
            "trials); deepest drawdown %s\n",
            s->issued.sharpe, s->issued.rows, s->issued.probabilistic, s->issued.deflated,
            (unsigned long long)s->trials, percent_text(s->drawdown, fall, sizeof fall));
    for (size_t k = 0; k < s->strategies; k++)
        printf("    top tenth by %-10s %s a block net of costs, %s with costs doubled\n", s->name[k],
               percent_text(s->top[k], net, sizeof net),
               percent_text(s->top_doubled[k], doubled, sizeof doubled));
    printf("    every coin, before costs  %s\n", percent_text(s->market, market, sizeof market));
    print_tests(s);
    putchar('\n');
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
    for (size_t h = 0; h < csm_training_horizons(e->training); h++)
        print_skill(&e->skills[h],
                    horizon_text(csm_training_horizon(e->training, h)->horizon, name, sizeof name));
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
    return status == CSM_OK ? write_report(html, e->ranking, e->training, e->skills, gate_horizon(c))
                            : status;
}

int command_evaluate(cli *c) {
    const char *html = take_option(c, "html");
    const int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    evaluation e = {0};
    csm_status status = open_pipeline(c, &e.pipeline, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_champion(&e.training, e.pipeline);
    if (status == CSM_OK) status = judge_skills(&e.skills, c->context, e.pipeline, e.training);
    if (status == CSM_OK && html) status = write_page(&e, c, html);
    const int done = status == CSM_OK ? show_evaluation(c, &e, html) : fail(c, status);
    free(e.skills);
    csm_ranking_free(e.ranking);
    csm_training_free(e.training);
    csm_pipeline_free(e.pipeline);
    return done;
}
