/* SPDX-License-Identifier: MIT */
/* Data sets and training in one line, for the tests of model. */
#ifndef CSM_TESTS_MODEL_SUPPORT_H
#define CSM_TESTS_MODEL_SUPPORT_H

#include "core/support.h"

#include "model/internal.h"

#include <math.h>

/* x: (rows, features) standard normal, rounded to multiples of `grain` when it is not 0. */
typedef struct dataset {
    size_t rows;
    size_t features;
    float *x;
    double *y;
    double *weight;
    csm_samples samples;
} dataset;

static inline dataset dataset_new(size_t rows, size_t features, uint64_t seed, double grain) {
    dataset set = {.rows = rows, .features = features};
    set.x = calloc(rows * features, sizeof(float));
    set.y = calloc(rows, sizeof(double));
    set.weight = calloc(rows, sizeof(double));
    for (size_t i = 0; i < rows * features; i++) {
        double value = csm_random_normal(seed, 1, i);
        set.x[i] = (float)(grain > 0 ? grain * round(value / grain) : value);
    }
    set.samples = (csm_samples){
        .x = csm_matrix_f32(set.x, rows, features), .y = csm_matrix_f64(set.y, rows, 1), .length = rows};
    return set;
}

static inline void dataset_free(dataset *set) {
    free(set->x);
    free(set->y);
    free(set->weight);
}

/* y: an additive signal with one interaction, plus noise. */
static inline void plant_regression(dataset *set, uint64_t seed, double noise) {
    for (size_t i = 0; i < set->rows; i++) {
        const float *x = set->x + i * set->features;
        set->y[i] = x[0] - 0.5 * x[1] + (double)x[0] * x[2] + noise * csm_random_normal(seed, 2, i);
    }
}

/* y: 0 or 1 with the log-odds of plant_regression. */
static inline void plant_classes(dataset *set, uint64_t seed) {
    plant_regression(set, seed, 0);
    for (size_t i = 0; i < set->rows; i++)
        set->y[i] = csm_random_uniform(seed, 3, i) < 1 / (1 + exp(-set->y[i])) ? 1 : 0;
}

static inline csm_context *context_new(uint32_t threads) {
    csm_context_options options;
    csm_context *context;
    csm_context_options_init(&options);
    options.threads = threads;
    assert_ok(csm_context_new(&context, &options));
    return context;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline csm_status train(csm_model **out, const dataset *set, csm_objective objective, uint32_t threads,
                               const csm_parameter *parameters, size_t count) {
    csm_context *context = context_new(threads);
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = (uint32_t)objective;
    options.parameters = parameters;
    options.parameter_count = count;
    csm_status status = csm_model_train(out, context, "gbt", &set->samples, &options);
    csm_context_free(context);
    return status;
}

/* Raw predictions for set's rows; free them. */
static inline double *predict(const csm_model *model, const dataset *set) {
    double *out = calloc(set->rows, sizeof *out);
    csm_matrix view = csm_matrix_f64(out, set->rows, 1);
    assert_ok(csm_model_predict(model, NULL, &set->samples, &view));
    return out;
}

static inline csm_model_info describe(const csm_model *model) {
    csm_model_info info;
    assert_ok(csm_model_describe(&info, model));
    return info;
}

/* Area under the ROC curve by counting pairs. */
static inline double auc(const double *score, const double *y, size_t n) {
    double right = 0, pairs = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n && y[i] > 0; j++) {
            if (y[j] > 0) continue;
            pairs++;
            right += score[i] > score[j] ? 1 : score[i] == score[j] ? 0.5 : 0;
        }
    }
    return right / pairs;
}

#endif
