/* SPDX-License-Identifier: MIT */
/* What only models of windows can do. */
#include "model/internal.h"

size_t csm_model_window_length(const csm_model *model) {
    return model && model->learner->window ? model->learner->window(model->state) : 0;
}

static bool holds(const csm_matrix *matrix, size_t rows, size_t cols) {
    return matrix && matrix->rows == rows && matrix->cols == cols && (matrix->data || rows == 0) &&
           (matrix->dtype == CSM_F32 || matrix->dtype == CSM_F64);
}

/* The samples without y and weight, checked for the model. */
static csm_status take_samples(csm_samples *out, const csm_model *model, const csm_samples *samples,
                               const char *what) {
    *out = *samples;
    out->y = (csm_matrix){0};
    out->weight = NULL;
    return csm_samples_check(out, &model->learner->about, (csm_objective)model->info.objective,
                             model->info.features, what);
}

csm_status csm_model_spread(const csm_model *model, csm_context *context, const csm_samples *samples,
                            uint32_t passes, csm_matrix *mean, csm_matrix *deviation) {
    csm_samples windows;
    if (!model || !samples || !mean || !deviation)
        return csm_fail(CSM_EINVAL, "spread: model, samples, mean or deviation is NULL");
    if (!model->learner->spread)
        return csm_fail(CSM_EUNSUPPORTED, "spread: %s is a single model", model->info.learner);
    csm_status status = take_samples(&windows, model, samples, "spread");
    if (status) return status;
    if (!holds(mean, samples->length, model->info.outputs) ||
        !holds(deviation, samples->length, model->info.outputs))
        return csm_fail(CSM_EINVAL, "spread: mean and deviation must be %zu x %u of f32 or f64",
                        samples->length, model->info.outputs);
    if (samples->length == 0) return CSM_OK;
    return model->learner->spread(model->state, context, &windows, passes, mean, deviation);
}

csm_status csm_model_integrated_gradients(const csm_model *model, csm_context *context,
                                          const csm_samples *samples, size_t sample, uint32_t output,
                                          uint32_t steps, csm_matrix *out, double *base, double *error) {
    csm_samples windows;
    if (!model || !samples || !out || !base || !error)
        return csm_fail(CSM_EINVAL, "integrated gradients: model, samples, out, base or error is NULL");
    if (!model->learner->gradients)
        return csm_fail(CSM_EUNSUPPORTED, "integrated gradients: %s has none", model->info.learner);
    csm_status status = take_samples(&windows, model, samples, "integrated gradients");
    if (status) return status;
    if (sample >= samples->length || output >= model->info.outputs || steps < 1 || steps > 1024)
        return csm_fail(
            CSM_EINVAL,
            "integrated gradients: sample %zu of %zu, output %u of %u, %u steps (1..1024): out of range",
            sample, samples->length, output, model->info.outputs, steps);
    if (!holds(out, samples->window_length, model->info.features))
        return csm_fail(CSM_EINVAL, "integrated gradients: out must be %zu x %zu of f32 or f64",
                        samples->window_length, model->info.features);
    return model->learner->gradients(model->state, context, &windows, sample, output, steps, out, base,
                                     error);
}
