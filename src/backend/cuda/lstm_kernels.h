/* SPDX-License-Identifier: MIT */
/*
 * The LSTM's kernels as the host sees them. On the device H is padded to a width the kernels take (the padding's weights
 * are zero, so its h and its gradients are zero too), and the four gates of a unit stand together: "(4H)" means columns
 * unit * 4 + gate. E is the element of the precision: 16 bits for fp16 and bf16, else float.
 */
#ifndef CSM_BACKEND_CUDA_LSTM_KERNELS_H
#define CSM_BACKEND_CUDA_LSTM_KERNELS_H

#include "backend/cuda/launch.h"
#include "backend/lstm_cuda.h"

/* One layer, all steps. */
struct lstm_forward_arguments {
    const void *weight; /* (4, H, H) E: gate, unit, input unit */
    const float
        *z; /* rows of (4H): what is added to W_hh h. Row of sample b at step s: base[b] + s * z_step */
    const uint32_t *base; /* (B); NULL: b */
    size_t z_step;
    void *h;       /* (T, B, H) E, or (B, H) with h_step 0: the last one stays */
    size_t h_step; /* 32-bit words from one step to the next */
    void *gates;   /* (T, B, 4H) E; NULL: not kept, nor c */
    float *c;      /* (T, B, H) */
    uint32_t steps, batch;
};

struct lstm_backward_arguments {
    const void *weight; /* (H, 4H) E: W_hh transposed */
    const void *gates;  /* (T, B, 4H) E */
    const float *c;     /* (T, B, H) */
    const float *above; /* (T, B, H): dL/dh from above, NULL: none */
    const float *last;  /* (B, H): the same for the last step only, NULL: none */
    void *dz;           /* (T, B, 4H) E */
    uint32_t steps, batch;
};

/* What a card allows. */
struct lstm_card {
    int capability;      /* 10 * major + minor */
    size_t block_shared; /* most shared memory of a block */
    bool present;        /* it is the current device, and can be asked whether it holds a cluster */
};

/* Whether a resident kernel takes this (padded) H on that card. */
bool lstm_resident_forward_fits(size_t hidden, csm_lstm_precision precision, const lstm_card *card);
bool lstm_resident_backward_fits(size_t hidden, csm_lstm_precision precision, const lstm_card *card);
csm_status lstm_resident_forward_run(const lstm_forward_arguments *job, size_t hidden,
                                     csm_lstm_precision precision, cudaStream_t stream);
csm_status lstm_resident_backward_run(const lstm_backward_arguments *job, size_t hidden,
                                      csm_lstm_precision precision, cudaStream_t stream);

/* ---- one step's pointwise part, for the rungs below ---- */

struct lstm_step_forward {
    const float *product; /* (B, 4H): W_hh h(s-1); NULL at the first step */
    const float *z;       /* row of sample b: base[b] + z_row */
    const uint32_t *base;
    size_t z_row;
    const float *c_before; /* (B, H); NULL: 0 */
    float *c;              /* (B, H); may be c_before */
    void *h;               /* (B, H) E */
    void *gates;           /* (B, 4H) E, or NULL */
    size_t batch, hidden;
};
struct lstm_step_backward {
    const void *gates;
    const float *c, *c_before; /* (B, H); c_before NULL: 0 */
    const float *above, *last; /* (B, H) or NULL */
    const float *dh;           /* (B, H): W_hh^T dz(s+1); NULL at the last step */
    float *dc;                 /* (B, H), read and written; not read at the last step */
    void *dz;                  /* (B, 4H) E */
    size_t batch, hidden;
};
csm_status lstm_step_forward_run(const lstm_step_forward *step, csm_lstm_precision precision,
                                 cudaStream_t stream);
csm_status lstm_step_backward_run(const lstm_step_backward *step, csm_lstm_precision precision,
                                  cudaStream_t stream);

/* ---- between hours and windows ---- */

/* d_hours (R, 4H) = for each row the sum of dz (T, B, 4H) over the windows that saw it, in the order of `order`: windows by
 * their first row. Row r was seen by order[begin[r]] .. order[end[r] - 1]. */
struct lstm_sum_hours {
    float *d_hours;
    const void *dz;
    const uint32_t *base, *order, *begin, *end;
    size_t rows, batch, hidden;
};
csm_status lstm_sum_hours_run(const lstm_sum_hours *job, csm_lstm_precision precision, cudaStream_t stream);

/* ---- between layers: y = dropout(norm(h)) and back ---- */

struct lstm_raise {
    const void *h; /* (rows, H) E; row = s * batch + b */
    void *y;       /* (rows, H) E, or float with `to_float` */
    float *norm;   /* (rows, 2): mean, 1/deviation; NULL: no norm */
    const float *gain, *offset;
    float *dy;                                /* backward: (rows, H), becomes dL/dh */
    float *partial;                           /* backward with norm: lstm_norm_workspace(hidden) floats */
    float *d_gain;                            /* backward with norm: (2, H): gradients of gain and offset */
    size_t rows, batch, steps, hidden, units; /* units: H without padding */
    size_t layer, layers;
    csm_lstm_dropout dropout; /* rate 0: none; its stream is not read but */
    const uint64_t *stream;   /* this, on the device */
    bool to_float;
};
size_t lstm_norm_workspace(size_t hidden);
csm_status lstm_raise_run(const lstm_raise *job, csm_lstm_precision precision, cudaStream_t stream);
csm_status lstm_lower_run(const lstm_raise *job, csm_lstm_precision precision, cudaStream_t stream);

/* ---- parameters: lstm.h's order and the device's ---- */

/* gates (4H', K) with rows gate * H' + unit <-> packed (4H, K') with rows unit * 4 + gate, zeros in the padding. H', K: the
 * shape's; H, K': padded. With gates 1 the matrix is (H', K) <-> (H, K'). */
struct lstm_packing {
    size_t gates;
    size_t units, padded_units;
    size_t columns, padded_columns;
};
csm_status lstm_pack_run(float *packed, const float *plain, const lstm_packing *packing, cudaStream_t stream);
/* plain = packed * *scale; scale on the device, NULL: 1. */
csm_status lstm_unpack_run(float *plain, const float *packed, const lstm_packing *packing, const float *scale,
                           cudaStream_t stream);
/* W_hh (4H', H') to forward (4, H, H) E and backward (H, 4H) E. */
csm_status lstm_pack_recurrent_run(void *forward, void *backward, const float *plain, size_t units,
                                   size_t hidden, csm_lstm_precision precision, cudaStream_t stream);

/* fp16 has few small numbers: scaled = dout * s with the power of two s that brings the largest |dout| to 2^7..2^8, and
 * scale[0] = 1 / s. Other precisions: s = 1. Everything from dout to the gradients is linear. */
csm_status lstm_scale_run(float *scaled, float *scale, const float *dout, size_t count,
                          csm_lstm_precision precision, cudaStream_t stream);

/* ---- learning ---- */

/* What changes from batch to batch, on the device. */
struct lstm_state {
    uint64_t stream;  /* of dropout */
    float share;      /* 1 / (windows * mean weight): losses of a batch are averaged */
    float step, root; /* of AdamW: rate / (1 - moment 1^n), 1 / sqrt(1 - moment 2^n) */
    float keep;       /* 1 - rate * decay */
    double clip;      /* norm; 0: never */
};
/* What an epoch leaves, on the device. */
struct lstm_report {
    double loss;     /* sum of weighted losses */
    uint64_t steps;  /* of the optimiser */
    uint64_t failed; /* 1: a gradient was not finite; nothing has changed since */
};
struct lstm_loss {
    const csm_lstm_cuda_head *heads; /* (O) */
    const float *out, *target;       /* (B, O) */
    const float *weight;             /* (B) */
    float *dout;                     /* (B, O) */
    const lstm_state *state;
    lstm_report *report;
    size_t batch, outputs;
};
csm_status lstm_loss_run(const lstm_loss *job, cudaStream_t stream);

struct lstm_adamw {
    float *parameters, *gradient, *first, *second; /* (count) */
    const uint8_t *decays;                         /* (count) */
    double *partial;                               /* lstm_adamw_partial */
    const lstm_state *state;
    lstm_report *report;
    size_t count;
};
constexpr size_t lstm_adamw_partial = 256;
csm_status lstm_adamw_run(const lstm_adamw *job, cudaStream_t stream);

#endif
