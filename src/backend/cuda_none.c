/* SPDX-License-Identifier: MIT */
/* The functions of cuda/ in a build without CUDA. */
#include "backend/gbt_cuda.h"
#include "backend/lstm_cuda.h"

#include "core/internal.h"

int csm_backend_has_cuda(void) {
    return 0;
}

csm_status csm_backend_device_count(uint32_t *out) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "backend: device count needs a place for its result");
    *out = 0;
    (void)csm_fail(CSM_OK, "backend: this library was built without CUDA");
    return CSM_OK;
}

csm_status csm_backend_device_info(csm_device_info *out, uint32_t device) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "backend: device info needs a place for its result");
    return csm_fail(CSM_ENOTFOUND, "backend: no device %u, this library was built without CUDA", device);
}

/* ---- lstm_cuda.h ---- */

static csm_status without_cuda(void) {
    return csm_fail(CSM_EDEVICE, "lstm cuda: this library was built without CUDA");
}

csm_status csm_lstm_cuda_memory(uint64_t *bytes, const csm_lstm_shape *shape,
                                const csm_lstm_cuda_options *options) {
    (void)bytes, (void)shape, (void)options;
    return without_cuda();
}

csm_status csm_lstm_cuda_new(csm_lstm_cuda **out, const csm_lstm_shape *shape,
                             const csm_lstm_cuda_options *options) {
    (void)shape, (void)options;
    *out = NULL;
    return without_cuda();
}

void csm_lstm_cuda_free(csm_lstm_cuda *lstm) {
    (void)lstm; /* always NULL here */
}

csm_lstm_rung csm_lstm_cuda_rung(const csm_lstm_cuda *lstm) {
    (void)lstm;
    return CSM_LSTM_BEST;
}

csm_status csm_lstm_cuda_set_parameters(csm_lstm_cuda *lstm, const float *parameters) {
    (void)lstm, (void)parameters;
    return without_cuda();
}

csm_status csm_lstm_cuda_get_parameters(csm_lstm_cuda *lstm, float *parameters) {
    (void)lstm, (void)parameters;
    return without_cuda();
}

csm_status csm_lstm_cuda_forward(csm_lstm_cuda *lstm, const csm_lstm_batch *batch, float *out) {
    (void)lstm, (void)batch, (void)out;
    return without_cuda();
}

csm_status csm_lstm_cuda_backward(csm_lstm_cuda *lstm, const float *dout, float *grad, float *dx) {
    (void)lstm, (void)dout, (void)grad, (void)dx;
    return without_cuda();
}

csm_status csm_lstm_cuda_objective(csm_lstm_cuda *lstm, const csm_lstm_cuda_head *heads) {
    (void)lstm, (void)heads;
    return without_cuda();
}

csm_status csm_lstm_cuda_learn(csm_lstm_cuda *lstm, const csm_lstm_batch *batch, const float *target,
                               const float *weight, const csm_lstm_cuda_step *step) {
    (void)lstm, (void)batch, (void)target, (void)weight, (void)step;
    return without_cuda();
}

csm_status csm_lstm_cuda_epoch(csm_lstm_cuda *lstm, double *loss) {
    (void)lstm, (void)loss;
    return without_cuda();
}

csm_status csm_lstm_cuda_get_moments(csm_lstm_cuda *lstm, float *first, float *second) {
    (void)lstm, (void)first, (void)second;
    return without_cuda();
}

csm_status csm_lstm_cuda_set_moments(csm_lstm_cuda *lstm, const float *first, const float *second) {
    (void)lstm, (void)first, (void)second;
    return without_cuda();
}

/* ---- gbt_cuda.h ---- */

static csm_status trees_without_cuda(void) {
    return csm_fail(CSM_EDEVICE, "gbt cuda: this library was built without CUDA");
}

csm_status csm_gbt_cuda_memory(uint64_t *bytes, const csm_gbt_cuda_data *data) {
    (void)bytes, (void)data;
    return trees_without_cuda();
}

csm_status csm_gbt_cuda_new(csm_gbt_cuda **out, const csm_gbt_cuda_data *data) {
    (void)data;
    *out = NULL;
    return trees_without_cuda();
}

void csm_gbt_cuda_free(csm_gbt_cuda *gbt) {
    (void)gbt; /* always NULL here */
}

csm_status csm_gbt_cuda_sum(csm_gbt_cuda *gbt, uint64_t *wide, const csm_gbt_cuda_round *round) {
    (void)gbt, (void)wide, (void)round;
    return trees_without_cuda();
}

csm_status csm_gbt_cuda_grow(csm_gbt_cuda *gbt, csm_gbt_cuda_split *split, uint32_t *splits, uint32_t *row,
                             const csm_gbt_cuda_round *round) {
    (void)gbt, (void)split, (void)splits, (void)row, (void)round;
    return trees_without_cuda();
}

csm_status csm_gbt_cuda_predict(double *out, const csm_gbt_cuda_forest *forest, const float *x, size_t rows) {
    (void)out, (void)forest, (void)x, (void)rows;
    return trees_without_cuda();
}
