/* SPDX-License-Identifier: MIT */
#include <cryptosmart/cryptosmart.h>
#include <stdio.h>

/* quickstart WORKSPACE: the coins that pass the gate now, highest expected 30-day return first. */
int main(int argc, char **argv) {
    csm_context *context = NULL;
    csm_config *config = NULL;
    csm_pipeline *pipeline = NULL;
    csm_ranking *ranking = NULL;
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.dry = 1; /* look, and write nothing */

    int failed = csm_context_new(&context, NULL) || csm_config_new(&config) ||
                 csm_pipeline_open(&pipeline, context, config, argc > 1 ? argv[1] : "", CSM_STORE_READ) ||
                 csm_pipeline_predict(&ranking, pipeline, &options);
    if (failed) fprintf(stderr, "quickstart: %s\n", csm_error_message());
    for (size_t i = 0; !failed && i < csm_ranking_count(ranking); i++) {
        const csm_forecast *row = csm_ranking_at(ranking, i);
        const csm_horizon_forecast *month = &row->horizons[row->horizon_count - 1];
        printf("%-8s rises with probability %.2f\n", row->coin, month->probability);
    }
    if (!failed && csm_ranking_count(ranking) == 0) puts("no reliable opportunities");
    csm_ranking_free(ranking);
    csm_pipeline_free(pipeline);
    csm_config_free(config);
    csm_context_free(context);
    return failed;
}
