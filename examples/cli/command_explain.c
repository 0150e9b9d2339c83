/* SPDX-License-Identifier: MIT */
/* Why a coin's forecast is what it is. */
#include "cli.h"

#include <math.h>

#define SHOWN 12 /* contributions printed; --json has all */

static json_t *json_explanation(const csm_explanation *e) {
    json_t *list = json_array();
    char name[32];
    for (size_t i = 0; i < csm_explanation_count(e); i++) {
        const csm_contribution *k = csm_explanation_at(e, i);
        json_array_append_new(list,
                              json_pack("{s:s,s:o,s:o}", "feature", k->feature, "value",
                                        json_number(k->value), "contribution", json_number(k->contribution)));
    }
    const csm_horizon_forecast *at = csm_explanation_horizon(e);
    return json_pack("{s:o,s:s,s:s,s:o,s:o}", "forecast", json_forecast(csm_explanation_forecast(e)),
                     "horizon", horizon_text(at->horizon, name, sizeof name), "explained", at->explained,
                     "base", json_number(csm_explanation_base(e)), "contributions", list);
}

static void print_reasons(FILE *out, const char *title, csm_reason reasons) {
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (reasons >> bit & 1) fprintf(out, "  %s: %s\n", title, csm_reason_text(bit));
    }
}

static void print_members(FILE *out, const csm_horizon_forecast *at) {
    for (uint32_t m = 0; m < at->member_count; m++) {
        const csm_member_forecast *member = &at->members[m];
        char expected[32];
        fprintf(out, "  %-8s score %+.3f x %.2f, expected %s x %.2f\n", member->name, member->score,
                member->score_weight, percent_text(member->expected_return, expected, sizeof expected),
                member->return_weight);
    }
}

static int show_explanation(const cli *c, const csm_explanation *e) {
    end_progress();
    if (c->json) return print_json(json_explanation(e));
    const csm_forecast *f = csm_explanation_forecast(e);
    const csm_horizon_forecast *at = csm_explanation_horizon(e);
    char time[64], name[32], probability[32], lower[32], expected[32], low[32], high[32];
    printf("%s as of %s UTC, horizon %s\n", f->market, time_text(f->time, time, sizeof time),
           horizon_text(at->horizon, name, sizeof name));
    printf("  probability %s (at least %s), expected %s, interval %s .. %s, evidence %s\n",
           probability_text(at->probability, probability, sizeof probability),
           probability_text(at->lower, lower, sizeof lower),
           percent_text(at->expected_return, expected, sizeof expected),
           percent_text(at->low, low, sizeof low), percent_text(at->high, high, sizeof high),
           csm_evidence_name(at->evidence));
    print_reasons(stdout, "not shown", f->show);
    print_reasons(stdout, "no trade signal", f->trade);
    printf("\nmembers (log-odds x weight)\n");
    print_members(stdout, at);
    if (csm_explanation_count(e) == 0) {
        printf("\nno contributions: no complete row, or no member made of trees\n");
        return EXIT_OK;
    }
    printf("\nwhat moved the member '%s' from its mean of %+.3f (log-odds; greatest first)\n", at->explained,
           csm_explanation_base(e));
    for (size_t i = 0; i < csm_explanation_count(e) && i < SHOWN; i++) {
        const csm_contribution *k = csm_explanation_at(e, i);
        printf("  %+.4f  %s = %.6g\n", k->contribution, k->feature, k->value);
    }
    if (csm_explanation_count(e) > SHOWN)
        printf("  and %zu more; --json lists all\n", csm_explanation_count(e) - SHOWN);
    return EXIT_OK;
}

int command_explain(cli *c) {
    const char *text = take_option(c, "horizon");
    csm_time horizon = 0, as_of = 0;
    if (text && csm_interval_parse(&horizon, text) != CSM_OK)
        return usage_error("--horizon: %s", csm_error_message());
    int code = take_time(c, "as-of", CSM_TIME_MAX, &as_of);
    if (code == EXIT_OK) code = check_arguments(c, 1);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_explanation *explanation = NULL;
    csm_status status = open_pipeline(c, &p, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_explain(&explanation, p, c->argv[0], horizon, as_of);
    code = status == CSM_OK ? show_explanation(c, explanation) : fail(c, status);
    csm_explanation_free(explanation);
    csm_pipeline_free(p);
    return code;
}
