/* SPDX-License-Identifier: MIT */
/* Training: one frame, then every horizon's samples, walk, final models, calibrator and record; then one model file. */
#include "core/platform.h"
#include "pipeline/champion.h"
#include "pipeline/pipeline.h"
#include "pipeline/register.h"
#include "pipeline/tune.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void csm_training_free(csm_training *training) {
    if (!training) return;
    for (size_t h = 0; h < CSM_HORIZONS_MAX; h++) {
        csm_ensemble_free(&training->horizon[h].ensemble);
        csm_calibrator_free(training->horizon[h].calibrator);
        csm_walk_free(&training->horizon[h].walk);
    }
    for (size_t m = 0; m < training->markets; m++) {
        csm_dealloc(training->market ? training->market[m] : NULL);
        csm_dealloc(training->coin ? training->coin[m] : NULL);
    }
    csm_dealloc(training->market);
    csm_dealloc(training->coin);
    csm_drift_reference_free(&training->drift);
    csm_recipe_free(training->recipe);
    csm_dealloc(training);
}

/* ---- one horizon ---- */

typedef struct trainer {
    csm_pipeline *pipeline;
    csm_training *training;
    universe markets;
    csm_frame *frame;
    csm_time as_of;
} trainer;

static csm_status make_samples(horizon_samples *samples, trainer *t, size_t h) {
    csm_pipeline *p = t->pipeline;
    const horizon_settings *settings = &p->settings.horizon[h];
    csm_targets *targets = NULL;
    csm_status status = csm_fuse_targets(&targets, p->context, p->store, t->frame, t->markets.market,
                                         t->markets.count, settings->horizon, t->as_of, &p->settings.cost);
    if (status == CSM_OK)
        status = csm_samples_make(samples, t->frame, targets, settings, p->settings.window, t->as_of);
    if (status == CSM_OK)
        status = csm_samples_momentum(samples, p->context, p->store, t->markets.market, t->markets.count,
                                      p->settings.fuse.interval, settings->horizon, t->as_of);
    if (status == CSM_OK)
        snprintf(t->training->horizon[h].event, sizeof t->training->horizon[h].event, "%s",
                 csm_targets_event(targets));
    csm_targets_free(targets);
    return status;
}

/* The models that will predict: trained on everything known, within the horizon's rolling span. */
static csm_status train_final(horizon_result *result, trainer *t, const horizon_samples *samples,
                              const training_settings *settings, size_t h) {
    uint8_t *keep = csm_alloc_array(samples->length + 1, sizeof *keep);
    if (!keep) return CSM_ENOMEM;
    csm_time span = settings->horizon[h].span;
    csm_time from = span > 0 ? t->as_of - span : CSM_TIME_MIN;
    csm_status status =
        csm_model_purge(keep, samples->begin, samples->end, samples->length, from, CSM_TIME_MAX, t->as_of);
    for (size_t i = 0; status == CSM_OK && i < samples->length; i++) result->facts.rows += keep[i] != 0;
    if (status == CSM_OK)
        status = csm_ensemble_train(&result->ensemble, t->pipeline->context, samples, keep,
                                    t->training->recipe, settings, 1000 * h);
    csm_dealloc(keep);
    return status;
}

static csm_status train_horizon(trainer *t, size_t h) {
    csm_context *context = t->pipeline->context;
    training_settings tuned = t->pipeline->settings;
    const training_settings *settings = &tuned;
    horizon_result *result = &t->training->horizon[h];
    horizon_samples samples = {0};
    result->facts.horizon = settings->horizon[h].horizon;
    result->radius = NAN;
    csm_status status = make_samples(&samples, t, h);
    result->facts.unknown = samples.unknown;
    if (status == CSM_OK)
        status =
            csm_tune_members(&tuned, &result->facts.trials, t->pipeline, t->training->recipe, &samples, h);
    if (status == CSM_OK)
        status = csm_walk_forward(&result->walk, context, &samples, t->training->recipe, settings, h);
    if (status == CSM_OK)
        status =
            csm_walk_calibrate(&result->walk, context, settings, result->facts.horizon, CSM_WHOLE_ENSEMBLE);
    if (status == CSM_OK) status = train_final(result, t, &samples, settings, h);
    if (status == CSM_OK) status = csm_walk_weights(&result->weights, &result->walk, result->facts.horizon);
    if (status == CSM_OK)
        status =
            csm_walk_fit_calibrator(&result->calibrator, &result->radius, &result->weights, result->walk.rows,
                                    result->walk.length, result->facts.horizon, settings->interval_level);
    if (status == CSM_OK && result->calibrator)
        status = csm_calibrator_describe(&result->facts.calibrator, result->calibrator);
    csm_samples_free(&samples);
    if (status != CSM_OK) {
        char name[32];
        csm_fail_prefix(status, "horizon %s", csm_interval_format(result->facts.horizon, name, sizeof name));
    }
    return status;
}

/* ---- all of it ---- */

static csm_status name_markets(csm_training *training, const universe *u) {
    training->market = csm_alloc_array(u->count + 1, sizeof *training->market);
    training->coin = csm_alloc_array(u->count + 1, sizeof *training->coin);
    if (!training->market || !training->coin) return CSM_ENOMEM;
    training->markets = u->count;
    for (size_t m = 0; m < u->count; m++) {
        char name[128];
        training->market[m] = csm_strdup(csm_market_epoch_name(name, sizeof name, u->market[m]));
        training->coin[m] = csm_strdup(u->market[m]->coin);
        if (!training->market[m] || !training->coin[m]) return CSM_ENOMEM;
    }
    return CSM_OK;
}

static csm_status build_frame(trainer *t) {
    csm_pipeline *p = t->pipeline;
    csm_time first = 0, last = 0;
    csm_status status = csm_pipeline_span(&first, &last, p, &t->markets);
    if (status != CSM_OK) return status;
    csm_fuse_options options = p->settings.fuse;
    options.as_of = t->as_of;
    options.from = csm_time_floor(first, options.interval);
    options.to = csm_time_floor(last < t->as_of ? last : t->as_of, options.interval) + options.interval;
    return csm_fuse_build(&t->frame, p->context, p->store, t->training->recipe, t->markets.market,
                          t->markets.count, &options);
}

static csm_status gate_walks(trainer *t) {
    horizon_walk walks[CSM_HORIZONS_MAX];
    for (size_t h = 0; h < t->training->horizons; h++) walks[h] = t->training->horizon[h].walk;
    return csm_walk_gate(walks, &t->pipeline->settings, t->frame);
}

static csm_status train_all(trainer *t) {
    csm_pipeline *p = t->pipeline;
    csm_status status = csm_universe_make(&t->markets, p, t->as_of, true);
    if (status == CSM_OK) status = name_markets(t->training, &t->markets);
    if (status == CSM_OK) status = csm_pipeline_recipe(&t->training->recipe, p, &t->markets);
    if (status == CSM_OK) status = build_frame(t);
    if (status == CSM_OK)
        status = csm_drift_reference_make(&t->training->drift, p->context, t->frame,
                                          csm_config_duration(p->config, "learn.drift_window"), t->as_of);
    t->training->horizons = p->settings.horizons;
    for (size_t h = 0; status == CSM_OK && h < p->settings.horizons; h++) status = train_horizon(t, h);
    if (status == CSM_OK) status = gate_walks(t);
    for (size_t h = 0; status == CSM_OK && h < p->settings.horizons; h++)
        status = csm_training_facts(&t->training->horizon[h], p->context, &p->settings);
    return status;
}

csm_status csm_train_in_role(csm_training **out, csm_pipeline *pipeline, csm_time as_of, const char *role,
                             const char *why) {
    *out = NULL;
    trainer t = {.pipeline = pipeline};
    t.as_of = as_of == CSM_TIME_MAX ? csm_context_now(pipeline->context) : as_of;
    t.training = csm_alloc_array(1, sizeof *t.training);
    if (!t.training) return CSM_ENOMEM;
    t.training->as_of = t.as_of;
    csm_status status = train_all(&t);
    if (status == CSM_OK) status = csm_register_training(pipeline, t.training);
    if (status == CSM_OK) status = csm_champion_register(t.training, pipeline, role, why);
    if (status == CSM_OK) csm_tune_forget(pipeline);
    csm_frame_free(t.frame);
    csm_universe_free(&t.markets);
    if (status != CSM_OK) {
        csm_training_free(t.training);
        return status;
    }
    *out = t.training;
    return CSM_OK;
}

csm_status csm_pipeline_train(csm_training **out, csm_pipeline *pipeline, csm_time as_of) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "train: out and pipeline are required");
    return csm_train_in_role(out, pipeline, as_of, CSM_ROLE_CHAMPION, "");
}

csm_status csm_pipeline_train_challenger(csm_training **out, csm_pipeline *pipeline, csm_time as_of) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "train: out and pipeline are required");
    return csm_train_in_role(out, pipeline, as_of, CSM_ROLE_CHALLENGER, "by hand\n");
}

/* ---- reading a training ---- */

const char *csm_training_hash(const csm_training *training) {
    return training->hash;
}

csm_time csm_training_as_of(const csm_training *training) {
    return training->as_of;
}

const char *csm_training_recipe(const csm_training *training) {
    return csm_recipe_name(training->recipe);
}

size_t csm_training_features(const csm_training *training) {
    return csm_recipe_features(training->recipe);
}

size_t csm_training_horizons(const csm_training *training) {
    return training->horizons;
}

const csm_horizon_training *csm_training_horizon(const csm_training *training, size_t index) {
    return index < training->horizons ? &training->horizon[index].facts : NULL;
}

const csm_walk_row *csm_training_walk(const csm_training *training, size_t horizon) {
    return horizon < training->horizons ? training->horizon[horizon].walk.rows : NULL;
}

csm_status csm_training_parameter(csm_parameter *out, const csm_training *training, size_t horizon,
                                  size_t member, size_t index) {
    if (!out || !training || horizon >= training->horizons ||
        member >= training->horizon[horizon].ensemble.members)
        return csm_fail(CSM_EINVAL, "training: no member %zu at horizon %zu", member, horizon);
    return csm_model_parameter(out, training->horizon[horizon].ensemble.member[member].direction, index);
}

const char *csm_training_market(const csm_training *training, uint32_t market) {
    return market < training->markets ? training->market[market] : NULL;
}

const char *csm_training_coin(const csm_training *training, uint32_t market) {
    return market < training->markets ? training->coin[market] : NULL;
}
