/* SPDX-License-Identifier: MIT */
/* The LSTM object on a card: where everything lies in its one block of device memory, and the passes over it. */
#ifndef CSM_BACKEND_CUDA_LSTM_HOST_H
#define CSM_BACKEND_CUDA_LSTM_HOST_H

#include "backend/cuda/gemm.h"
#include "backend/cuda/lstm_kernels.h"

/* What one layer has on the device. K: inputs of the layer. */
struct lstm_cuda_layer {
    float *input_weight;  /* (4H, K) */
    float *bias;          /* (4H) */
    void *forward;        /* (4, H, H) E */
    void *backward;       /* (H, 4H) E */
    float *gain, *offset; /* (H) each, one behind the other; NULL without norm */
    void *h;              /* (T, B, H) E; inference of the last layer: (B, H) */
    void *y;              /* (T, B, H) E, below the last layer, where it is not h */
    float *norm;          /* (T, B, 2) or, last layer, (B, 2) */
    void *gates;          /* (T, B, 4H) E, training */
    float *c;             /* (T, B, H), training; inference: (B, H) */
};

struct csm_lstm_cuda {
    csm_lstm_shape shape;
    csm_lstm_cuda_options options;
    lstm_card card;
    csm_lstm_precision precision;
    csm_lstm_rung rung;
    size_t hidden;  /* padded */
    size_t element; /* bytes of E */
    cudaStream_t stream;
    char *memory; /* all that follows lies in it */
    size_t bytes;
    lstm_cuda_layer layer[CSM_LSTM_LAYERS_MAX];
    float *parameters, *gradient; /* lstm.h's order */
    float *head_weight;           /* (O, H) */
    float *x;                     /* (R, I): rows that windows touch */
    uint32_t *base, *order;       /* (B) */
    uint32_t *begin, *end;        /* (R) */
    float *z;                     /* (R, 4H) or (T B, 4H); backward: dL/dP (R, 4H) */
    float *product;               /* (B, 4H) */
    float *top;                   /* (B, H): what the head reads */
    float *out, *dout, *scaled;   /* (B, O) */
    float *scale;                 /* (2) */
    void *dz;                     /* (T, B, 4H) E */
    float *above;                 /* (T, B, H) */
    float *last, *dh, *dc;        /* (B, H) */
    float *d_weight;              /* packed gradient of one matrix */
    float *dx;                    /* (R, I) */
    float *sums;                  /* workspace of products and column sums */
    /* the batch of the last forward, on the host */
    float *rows_x;    /* (R, I) staging */
    uint32_t *plan;   /* base, order, begin, end, and row: original numbers of the rows kept */
    uint8_t *touched; /* (R) */
    size_t rows, batch, steps, hours;
    csm_lstm_dropout dropout;
    bool ran; /* a forward came before */
};

/* Passes on the device, nothing of them waits for the host. The plan (base, order, begin, end, x) is on the device. */
csm_status lstm_cuda_pack(csm_lstm_cuda *lstm);
csm_status lstm_cuda_pass_forward(csm_lstm_cuda *lstm);
csm_status lstm_cuda_pass_backward(csm_lstm_cuda *lstm, bool with_dx);

/* Places of lstm_cuda_layout's arrays in `memory`, which may be NULL; returns the bytes needed. */
size_t lstm_cuda_layout(csm_lstm_cuda *lstm, char *memory);

inline size_t lstm_layer_inputs(const csm_lstm_cuda *lstm, size_t layer) {
    return layer > 0 ? lstm->hidden : lstm->shape.inputs;
}
inline bool lstm_layer_raises(const csm_lstm_cuda *lstm, size_t layer) {
    return lstm->shape.layer_norm != 0 || (lstm->dropout.rate > 0 && layer + 1 < lstm->shape.layers);
}

#endif
