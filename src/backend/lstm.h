/* SPDX-License-Identifier: MIT */
/*
 * The LSTM's shapes, shared by every device: cpu/lstm.c (plain reference, float and double), cpu/lstm_*.c (the fast twin),
 * cuda/ and cudnn/. Functions bear the same names but for the device: csm_lstm_cpu_forward, csm_lstm_cuda_forward.
 *
 *   I inputs, H hidden, L layers, O outputs, T steps (window length), B samples of a batch, R hours
 *
 * Windows are never materialised: sample b, step s reads row first[b] + s of x (R, I), and the input projection
 * P = x W_ih^T + b (R, 4H) is computed once an hour. Every window starts from h = c = 0.
 *
 *   layer 0:     z(s, b) = P[first[b] + s] + W_hh h(s-1, b)                                   (4H)
 *   layer l > 0: z(s, b) = b + W_ih y(l-1, s, b) + W_hh h(s-1, b)
 *   all:         i, f, g, o, c, h = cell(z, c(s-1))             lstm_cell.h; gates in PyTorch's order
 *                y(l, s, b) = dropout(norm(h))                  norm only with layer_norm; dropout only where l < L-1
 *   out(b) = head_weight y(L-1, T-1, b) + head_bias                                           (O)
 *
 * The recurrence sees h, before norm and dropout. A sum z starts from P (or b) and takes its terms in the order written,
 * each by one fused multiply-add (fast twin, CUDA fp32) or by a product and a sum (reference).
 *
 * What forward keeps for backward, for each layer: gates i, f, g, o (T, B, 4H), c (T, B, H), h (T, B, H); with norm
 * or dropout y (T, B, H) below the last layer; with norm, mean and 1/deviation (T, B, 2). tanh(c) is computed again. A
 * device may lay them out as it likes: nobody else reads them.
 */
#ifndef CSM_BACKEND_LSTM_H
#define CSM_BACKEND_LSTM_H

#include <cryptosmart/backend.h>

#include <stdbool.h>

#define CSM_LSTM_NORM_EPSILON 1e-5 /* PyTorch's LayerNorm */
#define CSM_LSTM_HIDDEN_MAX 4096
#define CSM_LSTM_LAYERS_MAX 16

typedef struct csm_lstm_shape {
    size_t inputs;       /* I, 1..100000 */
    size_t hidden;       /* H, 1..CSM_LSTM_HIDDEN_MAX */
    size_t layers;       /* L, 1..CSM_LSTM_LAYERS_MAX */
    size_t outputs;      /* O, 1..4096 */
    uint32_t layer_norm; /* 1: each layer's h is normalised (gain, offset) on its way up */
} csm_lstm_shape;

/* All parameters stand in one vector, in this order for each layer, then the head's weight (O, H) and bias (O); the
 * numbers are places in that vector. Gradients and the optimiser's moments have the same shape. */
typedef struct csm_lstm_layer {
    size_t weight_ih; /* (4H, I) for layer 0, (4H, H) above; row-major, rows i then f, g, o */
    size_t weight_hh; /* (4H, H) */
    size_t bias;      /* (4H), PyTorch's b_ih + b_hh */
    size_t gain;      /* (H), only with layer_norm */
    size_t offset;    /* (H), only with layer_norm */
} csm_lstm_layer;

/* Number of parameters; 0 when the shape is out of its ranges. */
size_t csm_lstm_parameters(const csm_lstm_shape *shape);
csm_lstm_layer csm_lstm_layer_at(const csm_lstm_shape *shape, size_t layer);
size_t csm_lstm_head_weight(const csm_lstm_shape *shape); /* place of (O, H) */
size_t csm_lstm_head_bias(const csm_lstm_shape *shape);   /* place of (O) */

/* Dropout of element u of y(layer, s, b): bits = word e % 4 of Philox block e / 4 with e = ((b L + layer) T + s) H + u, key
 * seed, stream as given; dropped when bits < lstm_dropout_below(rate), else scaled by 1 / (1 - rate). b is the place in
 * the batch, so a batch's masks differ from the next one's by `stream`. */
typedef struct csm_lstm_dropout {
    float rate; /* 0: off */
    uint64_t seed;
    uint64_t stream;
} csm_lstm_dropout;

typedef struct csm_lstm_batch {
    const float *x;        /* (R, I) contiguous, normalised already */
    size_t hours;          /* R */
    const uint32_t *first; /* (B) first row of each window; first[b] + steps <= R */
    size_t length;         /* B */
    size_t steps;          /* T */
    csm_lstm_dropout dropout;
} csm_lstm_batch;

/* CSM_EINVAL when the shape, a window or the dropout rate is out of range. */
csm_status csm_lstm_check(const csm_lstm_shape *shape, const csm_lstm_batch *batch);

/* ---- cpu/lstm.c: the plain reference, one thread, clear and slow; the oracle of all others ---- */

/* x (R, I) stands for batch->x, which is not read. out (B, O). grad NULL: forward only. Otherwise dout (B, O) is dL/dout,
 * grad (parameters) is set, and dx (R, I), when not NULL, is set to dL/dx summed over windows. */
csm_status csm_lstm_plain_f32(const csm_lstm_shape *shape, const float *parameters,
                              const csm_lstm_batch *batch, const float *x, float *out, const float *dout,
                              float *grad, float *dx);
csm_status csm_lstm_plain_f64(const csm_lstm_shape *shape, const double *parameters,
                              const csm_lstm_batch *batch, const double *x, double *out, const double *dout,
                              double *grad, double *dx);

/* ---- cpu/lstm_*.c: the fast twin. Bit-identical for any number of threads on one instruction set ---- */

typedef struct csm_lstm_cpu csm_lstm_cpu; /* packed weights and working memory; one call at a time */

csm_status csm_lstm_cpu_new(csm_lstm_cpu **out, const csm_lstm_shape *shape, uint32_t threads, csm_isa isa);
void csm_lstm_cpu_free(csm_lstm_cpu *net);
/* Takes parameters over (packs them); call again after each change. */
void csm_lstm_cpu_load(csm_lstm_cpu *net, const float *parameters);
/* out (B, O). keep: hold what backward needs (about 6 T B H L floats), else only one step is held. */
csm_status csm_lstm_cpu_forward(csm_lstm_cpu *net, const csm_lstm_batch *batch, bool keep, float *out);
/* After forward with `keep` on the same batch, once. grad (parameters) is set; dx (R, I), when not NULL, too. */
csm_status csm_lstm_cpu_backward(csm_lstm_cpu *net, const csm_lstm_batch *batch, const float *dout,
                                 float *grad, float *dx);
/* Bytes that forward (with keep) and backward of such a batch take. */
size_t csm_lstm_cpu_memory(const csm_lstm_shape *shape, size_t length, size_t steps, size_t hours);

/* One hour after another without a window: state holds h and c of each layer, csm_lstm_cpu_state floats, zero at the
 * start. x (I), out (O) or NULL. The same bits as forward over the same hours. */
size_t csm_lstm_cpu_state(const csm_lstm_shape *shape);
csm_status csm_lstm_cpu_step(const csm_lstm_cpu *net, float *state, const float *x, float *out);

#endif
