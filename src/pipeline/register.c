/* SPDX-License-Identifier: MIT */
/* Trainings in the trial register. Whoever trains with many settings and keeps the one with the finest walk has chosen among
 * them as surely as a tuner does. */
#include "pipeline/register.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Options that decide what a training gives. */
static bool decides(const char *option) {
    static const char *const sections[] = {"run.seed", "universe.", "fuse.", "cost.",
                                           "train.",   "gbt.",      "lstm.", "linear."};
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        if (strncmp(option, sections[i], strlen(sections[i])) == 0) return true;
    }
    return false;
}

/* As a JSON object; free() the text. NULL without memory. */
static char *settings_text(const csm_config *config) {
    json_t *settings = json_object();
    for (size_t i = 0; settings && i < csm_config_option_count(); i++) {
        const char *name = csm_config_option_at(i)->name;
        if (decides(name)) json_object_set_new(settings, name, json_string(csm_config_get(config, name)));
    }
    char *text = settings ? json_dumps(settings, JSON_COMPACT) : NULL;
    json_decref(settings);
    return text;
}

static csm_status register_horizon(csm_pipeline *p, const csm_training *training, size_t h,
                                   const char *settings) {
    const horizon_result *result = &training->horizon[h];
    const char *recipe = csm_recipe_name(training->recipe);
    char search[CSM_HASH_TEXT];
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    csm_hasher_update(&hasher, settings, strlen(settings) + 1);
    csm_hasher_update(&hasher, recipe, strlen(recipe) + 1);
    csm_hasher_update(&hasher, result->event, strlen(result->event) + 1);
    csm_hasher_update(&hasher, &result->facts.horizon, sizeof result->facts.horizon);
    const csm_hash hash = csm_hasher_final(&hasher);
    const csm_trial_record record = {.search = csm_hash_format(&hash, search),
                                     .subject = "training",
                                     .recipe = recipe,
                                     .parameters = settings,
                                     .number = 0,
                                     .steps = (int64_t)result->facts.folds,
                                     .seed = csm_context_seed(p->context),
                                     .horizon = result->facts.horizon,
                                     .loss = result->facts.model.log_loss.value};
    return csm_learn_trial_add(p->context, p->store, &record);
}

csm_status csm_register_training(csm_pipeline *pipeline, const csm_training *training) {
    char *settings = settings_text(pipeline->config);
    csm_status status = settings ? CSM_OK : csm_fail(CSM_ENOMEM, "trial: no memory for its settings");
    for (size_t h = 0; status == CSM_OK && h < training->horizons; h++)
        status = register_horizon(pipeline, training, h, settings);
    free(settings); /* jansson's */
    return status;
}
