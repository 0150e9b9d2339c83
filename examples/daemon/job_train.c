/* SPDX-License-Identifier: MIT */
/* retrain and tune: a new model from everything known now, champion when it is the first, else challenger. */
#include "job.h"

#include <stdio.h>

static json_t *horizons_of(const csm_training *training) {
    json_t *horizons = json_array();
    char text[CSM_TIME_TEXT];
    for (size_t i = 0; i < csm_training_horizons(training); i++) {
        const csm_horizon_training *h = csm_training_horizon(training, i);
        json_array_append_new(horizons, json_pack("{s:s,s:I,s:I,s:o,s:o}", "horizon",
                                                  csm_interval_format(h->horizon, text, sizeof text), "rows",
                                                  (json_int_t)h->rows, "walk_rows", (json_int_t)h->walk_rows,
                                                  "blocks", json_number_or_null(h->blocks), "base_rate",
                                                  json_number_or_null(h->base_rate)));
    }
    return horizons;
}

static csm_status show(csm_training *const *made, csm_status status) {
    const csm_training *training = *made;
    if (status != CSM_OK) return fail_library(status, "");
    emit_result(json_pack("{s:s,s:o,s:s,s:o}", "model", csm_training_hash(training), "as_of",
                          json_time_or_null(csm_training_as_of(training)), "recipe",
                          csm_training_recipe(training), "horizons", horizons_of(training)));
    return CSM_OK;
}

/* A challenger when the learning loop says that one is due. */
static csm_status train_when_due(csm_pipeline *pipeline, const job_process *p) {
    csm_decision_list *decisions = NULL;
    csm_decide_options options;
    csm_decide_options_init(&options);
    options.backfill = p->test;
    csm_status status = csm_pipeline_decide(&decisions, pipeline, &options);
    if (status == CSM_OK)
        emit_result(json_pack("{s:o}", "decisions", decisions_of(decisions)));
    else
        status = fail_library(status, "");
    csm_decision_list_free(decisions);
    return status;
}

/* The first model of a workspace is champion at once: there is none to be better than. */
static csm_status train(const job_process *p, bool when_due) {
    csm_pipeline *pipeline = NULL;
    csm_training *champion = NULL, *training = NULL;
    csm_status status = job_open(&pipeline, p);
    if (status != CSM_OK) return status;
    status = csm_pipeline_champion(&champion, pipeline);
    if (status == CSM_ENOTFOUND)
        status = show(&training, csm_pipeline_train(&training, pipeline, CSM_TIME_MAX));
    else if (status != CSM_OK)
        status = fail_library(status, "");
    else if (when_due)
        status = train_when_due(pipeline, p);
    else
        status = show(&training, csm_pipeline_train_challenger(&training, pipeline, CSM_TIME_MAX));
    csm_training_free(champion);
    csm_training_free(training);
    csm_pipeline_free(pipeline);
    return status;
}

csm_status job_retrain(const job_process *p) {
    return train(p, true);
}

csm_status job_tune(const job_process *p) {
    csm_status status =
        csm_config_set(p->config, "train.tune", settings_text(p->config, "daemon.tune_trials"));
    return status == CSM_OK ? train(p, false) : fail_library(status, "");
}
