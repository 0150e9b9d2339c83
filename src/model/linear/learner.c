/* SPDX-License-Identifier: MIT */
#include "model/linear/internal.h"

#include <math.h>
#include <string.h>

static const csm_learner_parameter parameters[LINEAR_PARAMETER_COUNT] = {
    /* name, text, minimum, maximum, standard, integer, log_scale */
    [LINEAR_L2] = {"l2", "Penalty on squared coefficients of standardised features, beside the mean loss", 0,
                   1e6, 0.01, 0, 0},
    [LINEAR_ITERATIONS] = {"iterations", "Most steps", 1, 10000, 100, 1, 0},
    [LINEAR_TOLERANCE] = {"tolerance", "Stops when no coefficient moves further", 1e-15, 1, 1e-7, 0, 1},
    [LINEAR_HUBER_DELTA] = {"huber_delta", "Residual beyond which Huber's loss is linear", 1e-9, 1e9, 1, 0,
                            1},
};

/* ---- the model ---- */

csm_status linear_model_new(linear_model **out, size_t features) {
    linear_model *model = csm_alloc_array(1, sizeof *model);
    *out = NULL;
    if (!model) return CSM_ENOMEM;
    model->features = features;
    model->coefficient = csm_alloc_array(features, sizeof *model->coefficient);
    model->mean = csm_alloc_array(features, sizeof *model->mean);
    model->inverse = csm_alloc_array(features, sizeof *model->inverse);
    if (!model->coefficient || !model->mean || !model->inverse) {
        linear_model_free(model);
        return CSM_ENOMEM;
    }
    *out = model;
    return CSM_OK;
}

void linear_model_free(void *state) {
    linear_model *model = state;
    if (!model) return;
    csm_dealloc(model->coefficient);
    csm_dealloc(model->mean);
    csm_dealloc(model->inverse);
    csm_dealloc(model);
}

/* Change of the score by one standard deviation of the feature. */
static csm_status linear_importance(const void *state, double *out) {
    const linear_model *model = state;
    for (size_t f = 0; f < model->features; f++) out[f] = fabs(model->coefficient[f]);
    return CSM_OK;
}

/* ---- prediction ---- */

typedef struct predict_job {
    const linear_model *model;
    const csm_samples *samples;
    csm_matrix *out;
    csm_tile_kernels kernels;
} predict_job;

static csm_status predict_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const predict_job *job = user;
    const csm_matrix *out = job->out;
    csm_status status = CSM_OK;
    (void)worker;
    double *tile = csm_alloc_array(job->model->features * CSM_TILE_ROWS, sizeof *tile);
    if (!tile) return CSM_ENOMEM;
    for (size_t first = begin; first < end && status == CSM_OK; first += CSM_TILE_ROWS) {
        const size_t rows = end - first < CSM_TILE_ROWS ? end - first : CSM_TILE_ROWS;
        double score[CSM_TILE_ROWS];
        if ((status = linear_tile(tile, job->model, &job->samples->x, first, rows))) break;
        for (size_t r = 0; r < CSM_TILE_ROWS; r++) score[r] = job->model->intercept;
        job->kernels.scores(score, tile, job->model->coefficient, job->model->features);
        for (size_t r = 0; r < rows; r++) {
            const ptrdiff_t at = (ptrdiff_t)(first + r) * out->row_stride;
            if (out->dtype == CSM_F64)
                ((double *)out->data)[at] = score[r];
            else
                ((float *)out->data)[at] = (float)score[r];
        }
    }
    csm_dealloc(tile);
    return status;
}

static csm_status linear_predict(const void *state, csm_context *context, const csm_samples *samples,
                                 csm_matrix *out) {
    predict_job job = {state, samples, out, csm_tile_kernels_for(csm_backend_isa())};
    const uint32_t threads = context ? csm_context_threads(context) : 1;
    return csm_parallel_for(threads, samples->length, 16 * CSM_TILE_ROWS, predict_rows, &job);
}

/* ---- file: linear.intercept (1), linear.coefficient, linear.mean, linear.inverse (features) ---- */

static csm_status linear_write(const void *state, csm_tensors_writer *writer, const char *prefix) {
    const linear_model *model = state;
    const struct {
        const char *name;
        const double *data;
        size_t count;
    } tensors[] = {{"linear.intercept", &model->intercept, 1},
                   {"linear.coefficient", model->coefficient, model->features},
                   {"linear.mean", model->mean, model->features},
                   {"linear.inverse", model->inverse, model->features}};
    csm_status status = CSM_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && !status; i++)
        status = csm_tensors_add_array(writer, prefix, tensors[i].name, CSM_TENSOR_F64, tensors[i].data,
                                       tensors[i].count);
    return status;
}

static csm_status check_finite(const linear_model *model) {
    if (!isfinite(model->intercept)) return csm_fail(CSM_ECORRUPT, "linear: the intercept is not finite");
    for (size_t f = 0; f < model->features; f++) {
        if (!isfinite(model->coefficient[f]) || !isfinite(model->mean[f]) || !isfinite(model->inverse[f]) ||
            model->inverse[f] < 0)
            return csm_fail(CSM_ECORRUPT, "linear: feature %zu has a number that cannot be", f);
    }
    return CSM_OK;
}

static csm_status linear_read(void **state, const csm_model_info *info, const csm_tensors *tensors,
                              const char *prefix) {
    linear_model *model = csm_alloc_array(1, sizeof *model);
    double *intercept = NULL;
    size_t one = 1, features = info->features;
    *state = NULL;
    if (!model) return CSM_ENOMEM;
    model->features = features;
    csm_status status =
        info->outputs == 1 ? CSM_OK : csm_fail(CSM_ECORRUPT, "linear: %u outputs", info->outputs);
    const struct {
        const char *name;
        void **data;
        size_t *count;
    } wanted[] = {{"linear.intercept", (void **)&intercept, &one},
                  {"linear.coefficient", (void **)&model->coefficient, &features},
                  {"linear.mean", (void **)&model->mean, &features},
                  {"linear.inverse", (void **)&model->inverse, &features}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && !status; i++)
        status = csm_tensors_copy(wanted[i].data, wanted[i].count, tensors, prefix, wanted[i].name,
                                  CSM_TENSOR_F64);
    if (!status) {
        model->intercept = intercept[0];
        status = check_finite(model);
    }
    csm_dealloc(intercept);
    if (status) {
        linear_model_free(model);
        return status;
    }
    *state = model;
    return CSM_OK;
}

const csm_learner_class csm_learner_linear = {
    .about = {.name = "linear",
              .title = "Linear baseline with a ridge penalty",
              .objectives =
                  1u << CSM_OBJECTIVE_SQUARED | 1u << CSM_OBJECTIVE_HUBER | 1u << CSM_OBJECTIVE_LOGISTIC,
              .sequences = 0,
              .parameters = parameters,
              .parameter_count = LINEAR_PARAMETER_COUNT},
    .train = linear_train,
    .predict = linear_predict,
    .free = linear_model_free,
    .importance = linear_importance,
    .write = linear_write,
    .read = linear_read,
};
