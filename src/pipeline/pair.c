/* SPDX-License-Identifier: MIT */
/* Direction and expected return of one horizon, trained on the same weighted rows. */
#include "pipeline/training.h"

#include <string.h>

typedef struct training_rows {
    size_t length;
    float *x; /* (length, features) */
    double *rises;
    double *log_return;
    double *weight;
    csm_time *begin;
    csm_time *end;
    uint32_t *market;
} training_rows;

static void rows_free(training_rows *rows) {
    csm_dealloc(rows->x);
    csm_dealloc(rows->rises);
    csm_dealloc(rows->log_return);
    csm_dealloc(rows->weight);
    csm_dealloc(rows->begin);
    csm_dealloc(rows->end);
    csm_dealloc(rows->market);
}

static csm_status rows_gather(training_rows *rows, const horizon_samples *s, const uint8_t *keep) {
    size_t n = 0, features = s->features;
    for (size_t i = 0; i < s->length; i++) n += keep[i] != 0;
    rows->x = csm_alloc_array(n * features + 1, sizeof *rows->x);
    rows->rises = csm_alloc_array(n + 1, sizeof *rows->rises);
    rows->log_return = csm_alloc_array(n + 1, sizeof *rows->log_return);
    rows->weight = csm_alloc_array(n + 1, sizeof *rows->weight);
    rows->begin = csm_alloc_array(n + 1, sizeof *rows->begin);
    rows->end = csm_alloc_array(n + 1, sizeof *rows->end);
    rows->market = csm_alloc_array(n + 1, sizeof *rows->market);
    if (!rows->x || !rows->rises || !rows->log_return || !rows->weight || !rows->begin || !rows->end ||
        !rows->market)
        return CSM_ENOMEM;
    for (size_t i = 0; i < s->length; i++) {
        if (!keep[i]) continue;
        size_t k = rows->length++;
        memcpy(rows->x + k * features, s->x + i * features, features * sizeof *rows->x);
        rows->rises[k] = s->rises[i];
        rows->log_return[k] = s->log_return[i];
        rows->begin[k] = s->begin[i];
        rows->end[k] = s->end[i];
        rows->market[k] = s->market[i];
    }
    return csm_model_uniqueness(rows->weight, rows->begin, rows->end, rows->market, rows->length);
}

static csm_status train_one(csm_model **out, csm_context *context, const training_rows *rows, double *y,
                            uint32_t objective, const char *const *names, size_t features,
                            const training_settings *settings, uint64_t stream) {
    csm_samples samples = {0};
    samples.x = csm_matrix_f32(rows->x, rows->length, features);
    samples.y = csm_matrix_f64(y, rows->length, 1);
    samples.weight = rows->weight;
    samples.length = rows->length;
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.parameters = settings->learner;
    options.parameter_count = settings->learner_count;
    options.feature_names = names;
    options.objective = objective;
    options.stream = stream;
    return csm_model_train(out, context, "gbt", &samples, &options);
}

static csm_status feature_names(const char ***out, const csm_recipe *recipe) {
    size_t n = csm_recipe_features(recipe);
    const char **names = csm_alloc_array(n + 1, sizeof *names);
    if (!names) return CSM_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        csm_feature_info info;
        csm_status status = csm_recipe_feature(&info, recipe, i);
        if (status != CSM_OK) {
            csm_dealloc((void *)names);
            return status;
        }
        names[i] = info.name;
    }
    *out = names;
    return CSM_OK;
}

csm_status csm_pair_train(model_pair *out, csm_context *context, const horizon_samples *samples,
                          const uint8_t *keep, const csm_recipe *recipe, const training_settings *settings,
                          uint64_t stream) {
    *out = (model_pair){0};
    training_rows rows = {0};
    const char **names = NULL;
    csm_status status = feature_names(&names, recipe);
    if (status == CSM_OK) status = rows_gather(&rows, samples, keep);
    if (status == CSM_OK)
        status = train_one(&out->direction, context, &rows, rows.rises, CSM_OBJECTIVE_LOGISTIC, names,
                           samples->features, settings, 2 * stream);
    if (status == CSM_OK)
        status = train_one(&out->expected, context, &rows, rows.log_return, CSM_OBJECTIVE_SQUARED, names,
                           samples->features, settings, 2 * stream + 1);
    if (status != CSM_OK) csm_pair_free(out);
    rows_free(&rows);
    csm_dealloc((void *)names);
    return status;
}

csm_status csm_pair_predict(const model_pair *pair, csm_context *context, const float *x, size_t n,
                            size_t features, double *score, double *expected) {
    csm_samples samples = {0};
    samples.x =
        csm_matrix_f32((float *)(uintptr_t)x, n, features); /* read only; the view has no const form */
    samples.length = n;
    csm_matrix scores = csm_matrix_f64(score, n, 1), returns = csm_matrix_f64(expected, n, 1);
    csm_status status = csm_model_predict(pair->direction, context, &samples, &scores);
    if (status == CSM_OK) status = csm_model_predict(pair->expected, context, &samples, &returns);
    return status;
}

void csm_pair_free(model_pair *pair) {
    csm_model_free(pair->direction);
    csm_model_free(pair->expected);
    *pair = (model_pair){0};
}
