/* SPDX-License-Identifier: MIT */
/*
 * The LSTM of lstm.h on a CUDA device. The same shapes, parameters and results as on the CPU within the tolerance of the
 * chosen precision (docs/cuda.md). Without CUDA (cuda_none.c) every function that could start something says so with
 * CSM_EDEVICE; falling back on the CPU is the caller's choice.
 */
#ifndef CSM_BACKEND_LSTM_CUDA_H
#define CSM_BACKEND_LSTM_CUDA_H

#include <cryptosmart/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "backend/lstm.h"

/* Of matrix operands and of what forward keeps; sums, cell state, gradients and parameters are float32. */
typedef enum csm_lstm_precision {
    CSM_LSTM_FP32 = 0, /* no tensor cores */
    CSM_LSTM_TF32 = 1, /* compute capability 8.0 */
    CSM_LSTM_FP16 = 2,
    CSM_LSTM_BF16 = 3 /* compute capability 8.0 */
} csm_lstm_precision;

/* The ladder: each rung gives the same numbers within the precision's tolerance, the next one faster. */
typedef enum csm_lstm_rung {
    CSM_LSTM_BEST = 0,
    CSM_LSTM_STEPS = 1,   /* products for input and recurrence at every step, then the pointwise part */
    CSM_LSTM_HOURS = 2,   /* the input's product once for all hours; the recurrence step by step */
    CSM_LSTM_RESIDENT = 3 /* one kernel for all steps with W_hh in registers and shared memory */
} csm_lstm_rung;

typedef struct csm_lstm_cuda_options {
    uint32_t device;
    uint32_t precision; /* csm_lstm_precision */
    uint32_t rung;     /* csm_lstm_rung. RESIDENT is refused where shape or card forbid it, BEST steps down */
    uint32_t training; /* 1: keep what backward needs */
    size_t batch;      /* largest B, steps T and hours R that will come: memory is taken once */
    size_t steps;
    size_t hours;
} csm_lstm_cuda_options;

typedef struct csm_lstm_cuda csm_lstm_cuda;

/* Bytes of device memory that csm_lstm_cuda_new takes. Pure arithmetic: needs no device. */
csm_status csm_lstm_cuda_memory(uint64_t *bytes, const csm_lstm_shape *shape,
                                const csm_lstm_cuda_options *options);
/* CSM_ENOMEM names the bytes needed and free before anything is taken; CSM_EDEVICE when the card fails or lacks the
 * precision; CSM_EINVAL for options that no card could follow. */
csm_status csm_lstm_cuda_new(csm_lstm_cuda **out, const csm_lstm_shape *shape,
                             const csm_lstm_cuda_options *options);
void csm_lstm_cuda_free(csm_lstm_cuda *lstm);
/* The rung taken, after CSM_LSTM_BEST was resolved. */
csm_lstm_rung csm_lstm_cuda_rung(const csm_lstm_cuda *lstm);

/* csm_lstm_parameters(shape) floats, in lstm.h's order. */
csm_status csm_lstm_cuda_set_parameters(csm_lstm_cuda *lstm, const float *parameters);
csm_status csm_lstm_cuda_get_parameters(csm_lstm_cuda *lstm, float *parameters);
/* out (B, O). Only the rows that windows touch are sent to the device and projected. */
csm_status csm_lstm_cuda_forward(csm_lstm_cuda *lstm, const csm_lstm_batch *batch, float *out);
/* Of the last forward: dout (B, O) -> grad (parameters); dx (R, I) unless NULL, rows that no window touches 0. */
csm_status csm_lstm_cuda_backward(csm_lstm_cuda *lstm, const float *dout, float *grad, float *dx);

/* ---- learning: a batch is queued, nothing waits until the epoch's end ---- */

/* One output's loss, in the network's units. */
typedef struct csm_lstm_cuda_head {
    uint32_t objective; /* 0 squared, 1 Huber, 2 quantile, 3 logistic, as csm_objective */
    float parameter;    /* Huber: delta; quantile: the quantile */
    float weight;
    float offset; /* logistic: added to the output to give the score */
} csm_lstm_cuda_head;

/* AdamW with moments 0.9, 0.999 and epsilon 1e-8, as src/model/lstm/optimiser.c. */
typedef struct csm_lstm_cuda_step {
    uint64_t number; /* of this step, from 1 */
    double rate;
    double decay; /* decoupled; of weights, not of biases, gains and offsets */
    double clip;  /* largest norm of the gradient; 0: none */
    double share; /* losses of the batch are multiplied by it: 1 / (windows * mean weight) */
} csm_lstm_cuda_step;

/* Sets the heads (O) and clears the moments and the losses. */
csm_status csm_lstm_cuda_objective(csm_lstm_cuda *lstm, const csm_lstm_cuda_head *heads);
/* One step on this batch: target (B, O), weight (B) or NULL. Copies what it is given and returns; the host runs at most
 * two batches ahead. Batches of options.batch windows replay one CUDA graph. */
csm_status csm_lstm_cuda_learn(csm_lstm_cuda *lstm, const csm_lstm_batch *batch, const float *target,
                               const float *weight, const csm_lstm_cuda_step *step);
/* Waits for the card. *loss: sum of weighted losses since the last call. CSM_EINVAL when a gradient was not finite: the
 * parameters are those from before that step, and the text says which it was. */
csm_status csm_lstm_cuda_epoch(csm_lstm_cuda *lstm, double *loss);
/* The optimiser's moments (parameters each), for checkpoints that go on with the same bits. */
csm_status csm_lstm_cuda_get_moments(csm_lstm_cuda *lstm, float *first, float *second);
csm_status csm_lstm_cuda_set_moments(csm_lstm_cuda *lstm, const float *first, const float *second);

#ifdef __cplusplus
}
#endif
#endif
