/* SPDX-License-Identifier: MIT */
/* Prediction of the whole universe at one decision time, ranked and written to the ledger before any outcome exists. */
#include "pipeline/predictor.h"

#include "learn/ledger.h"
#include "pipeline/champion.h"

void csm_predict_options_init(csm_predict_options *options) {
    *options = (csm_predict_options){.size = sizeof *options, .as_of = CSM_TIME_MAX};
}

/* ---- lineage ---- */

typedef struct lineage_text {
    char config[CSM_HASH_TEXT];
    char features[CSM_HASH_TEXT];
    char watermark[CSM_HASH_TEXT];
} lineage_text;

static csm_status lineage(csm_ledger_lineage *out, lineage_text *text, const predictor *p) {
    csm_matrix x = csm_frame_matrix(p->frame);
    csm_hash features = csm_hash_bytes(x.data, x.rows * x.cols * sizeof(float));
    csm_hash_format(&features, text->features);
    csm_status status = csm_config_hash(text->config, sizeof text->config, p->pipeline->config);
    if (status == CSM_OK)
        status = csm_store_watermark(text->watermark, sizeof text->watermark, p->pipeline->store,
                                     p->pipeline->context, p->as_of);
    *out = (csm_ledger_lineage){.model = p->training->hash,
                                .config = text->config,
                                .features = text->features,
                                .watermark = text->watermark,
                                .interval = p->pipeline->settings.fuse.interval};
    for (size_t h = 0; h < p->training->horizons; h++) out->event[h] = p->training->horizon[h].event;
    return status;
}

static csm_status write_ledger(const predictor *p, const csm_ranking *ranking, bool backfill) {
    csm_ledger_lineage origin;
    lineage_text text;
    csm_ledger_head head;
    csm_status status = lineage(&origin, &text, p);
    if (status == CSM_OK)
        status = csm_ledger_append(&head, p->pipeline->context, p->pipeline->store, ranking, &origin,
                                   backfill, p->shadow ? CSM_LEDGER_SHADOW : CSM_LEDGER_FORECAST);
    return status;
}

/* ---- shadow: challenger, and the champion before, predict the same decision unseen ---- */

static csm_status predict_in_shadow(csm_pipeline *pipeline, const char *role, csm_time as_of, bool backfill) {
    model_row model;
    csm_training *training = NULL;
    csm_ranking *ranking = NULL;
    predictor p = {.pipeline = pipeline, .as_of = as_of, .shadow = true};
    csm_status status = csm_model_in_role(&model, pipeline, role);
    if (status != CSM_OK || !model.found || model.as_of > as_of) return status;
    status = csm_model_open(&training, pipeline, model.hash);
    if (status == CSM_OK) status = csm_predictor_forecast(&p, training);
    if (status == CSM_OK)
        status = csm_rank_build(&ranking, p.forecasts, p.markets.count, &pipeline->settings.rank);
    if (status == CSM_OK) status = write_ledger(&p, ranking, backfill);
    csm_ranking_free(ranking);
    csm_predictor_release(&p);
    return status == CSM_EEXIST ? CSM_OK : status;
}

/* The champion's answer stands already; what a shadow could not say is a warning. */
static csm_status predict_shadows(csm_pipeline *pipeline, csm_time as_of, bool backfill) {
    static const char *const roles[] = {CSM_ROLE_CHALLENGER, CSM_ROLE_SHADOW};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const csm_status status = predict_in_shadow(pipeline, roles[i], as_of, backfill);
        if (status == CSM_ECANCELLED || status == CSM_ENOMEM) return status;
        if (status != CSM_OK)
            csm_log_write(pipeline->context, CSM_LOG_WARN, "pipeline", "the %s predicted nothing: %s",
                          roles[i], csm_error_message());
    }
    return CSM_OK;
}

/* ---- all of it ---- */

static csm_status predict(csm_ranking **out, predictor *p, const csm_predict_options *options) {
    csm_training *champion = NULL;
    csm_status status = csm_pipeline_champion(&champion, p->pipeline);
    if (status == CSM_OK) status = csm_predictor_forecast(p, champion);
    if (status == CSM_OK)
        status = csm_rank_build(out, p->forecasts, p->markets.count, &p->pipeline->settings.rank);
    if (status != CSM_OK || options->dry) return status;
    status = write_ledger(p, *out, options->backfill != 0);
    /* The same decision of the same model and data stands in the ledger already: the answer is the same. */
    if (status == CSM_EEXIST) status = CSM_OK;
    return status == CSM_OK ? predict_shadows(p->pipeline, p->as_of, options->backfill != 0) : status;
}

csm_status csm_pipeline_predict(csm_ranking **out, csm_pipeline *pipeline, const csm_predict_options *user) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "predict: out and pipeline are required");
    csm_predict_options options;
    csm_predict_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_predict_options");
    if (status != CSM_OK) return status;
    *out = NULL;
    predictor p = {.pipeline = pipeline};
    p.as_of = options.as_of == CSM_TIME_MAX ? csm_context_now(pipeline->context) : options.as_of;
    status = predict(out, &p, &options);
    if (status != CSM_OK) {
        csm_ranking_free(*out);
        *out = NULL;
    }
    csm_predictor_release(&p);
    return status;
}
