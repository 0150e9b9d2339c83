/* SPDX-License-Identifier: MIT */
/* The functions of cudnn/ in a build without cuDNN. */
#include "backend/lstm_cudnn.h"

#include "core/internal.h"

static csm_status without_cudnn(void) {
    return csm_fail(CSM_EDEVICE, "lstm cudnn: this library was built without cuDNN");
}

int csm_lstm_has_cudnn(void) {
    return 0;
}

csm_status csm_lstm_cudnn_new(csm_lstm_cudnn **out, const csm_lstm_shape *shape,
                              const csm_lstm_cuda_options *options) {
    (void)shape, (void)options;
    *out = NULL;
    return without_cudnn();
}

void csm_lstm_cudnn_free(csm_lstm_cudnn *lstm) {
    (void)lstm; /* always NULL here */
}

csm_status csm_lstm_cudnn_set_parameters(csm_lstm_cudnn *lstm, const float *parameters) {
    (void)lstm, (void)parameters;
    return without_cudnn();
}

csm_status csm_lstm_cudnn_forward(csm_lstm_cudnn *lstm, const csm_lstm_batch *batch, float *out) {
    (void)lstm, (void)batch, (void)out;
    return without_cudnn();
}

csm_status csm_lstm_cudnn_backward(csm_lstm_cudnn *lstm, const float *dout, float *grad, float *dx) {
    (void)lstm, (void)dout, (void)grad, (void)dx;
    return without_cudnn();
}
