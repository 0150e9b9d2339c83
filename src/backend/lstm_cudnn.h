/* SPDX-License-Identifier: MIT */
/*
 * The LSTM of lstm.h by NVIDIA's cuDNN (built with -DCSM_CUDNN=ON): an alternative on the same card and the yardstick of
 * cuda/. Same parameters in, same numbers out within the precision's tolerance. cuDNN knows no overlap: windows are made on
 * the card. It has no layer norm, and its dropout draws other numbers than ours, so both are refused.
 */
#ifndef CSM_BACKEND_LSTM_CUDNN_H
#define CSM_BACKEND_LSTM_CUDNN_H

#include "backend/lstm_cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csm_lstm_cudnn csm_lstm_cudnn;

/* 1 when built with cuDNN. */
int csm_lstm_has_cudnn(void);
/* Options as csm_lstm_cuda_new takes them; `rung` and `hours` are not read beyond their check. */
csm_status csm_lstm_cudnn_new(csm_lstm_cudnn **out, const csm_lstm_shape *shape,
                              const csm_lstm_cuda_options *options);
void csm_lstm_cudnn_free(csm_lstm_cudnn *lstm);
csm_status csm_lstm_cudnn_set_parameters(csm_lstm_cudnn *lstm, const float *parameters);
/* As csm_lstm_cuda_forward and csm_lstm_cuda_backward. The batch has options.batch windows of options.steps. */
csm_status csm_lstm_cudnn_forward(csm_lstm_cudnn *lstm, const csm_lstm_batch *batch, float *out);
csm_status csm_lstm_cudnn_backward(csm_lstm_cudnn *lstm, const float *dout, float *grad, float *dx);

#ifdef __cplusplus
}
#endif
#endif
