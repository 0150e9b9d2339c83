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

/* A batch as it travels to the device: one block, one copy. x stands last, so that only its used rows travel. */
struct lstm_input {
    lstm_state *state;
    uint32_t *base, *order; /* (B) */
    uint32_t *begin, *end;  /* (R) */
    float *target;          /* (B, O), training */
    float *weight;          /* (B), training */
    float *x;               /* (R, I): rows that windows touch */
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
    lstm_input input;             /* of the batch; `state` is the block's start */
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
    /* learning */
    csm_lstm_cuda_head *heads; /* (O) */
    float *first, *second;     /* (parameters): moments */
    uint8_t *decays;           /* (parameters) */
    double *partial;
    lstm_report *report;
    cudaGraphExec_t graph; /* of one step on a full batch; NULL: none yet */
    size_t graph_steps;    /* T, and the dropout, that it was captured with */
    csm_lstm_dropout graph_dropout;
    bool has_heads;
    /* host: two pinned blocks of the input's layout, each free again once its event has come */
    char *staging[2];
    cudaEvent_t sent[2];
    unsigned turn;
    size_t input_bytes;
    uint32_t *row, *starts; /* (R): original numbers of the rows kept; (R + 1) */
    uint8_t *touched;       /* (R) */
    float *rows_x;          /* (R, I): dx on its way back */
    /* the batch of the last forward */
    size_t rows, batch, steps, hours;
    csm_lstm_dropout dropout;
    bool ran; /* a forward came before */
};

/* Input arrays within a block of memory, which may be NULL; returns the bytes. */
size_t lstm_cuda_input(lstm_input *input, const csm_lstm_cuda *lstm, char *block);
/* Refuses a batch beyond the memory taken; else lays its plan out in the next pinned block: rows that no window touches
 * are left out, windows sorted by first row for the sums by hour. The copy is queued by lstm_cuda_send. */
csm_status lstm_cuda_plan(lstm_input *input, csm_lstm_cuda *lstm, const csm_lstm_batch *batch);
csm_status lstm_cuda_send(csm_lstm_cuda *lstm);

/* Passes on the device, nothing of them waits for the host. The batch's input is on the device. */
csm_status lstm_cuda_pack(csm_lstm_cuda *lstm);
csm_status lstm_cuda_pass_forward(csm_lstm_cuda *lstm);
csm_status lstm_cuda_pass_backward(csm_lstm_cuda *lstm, bool with_dx);

/* The host's current device is put back whatever happens (law 9). */
struct lstm_device_guard {
    int before = 0;
    cudaError_t error;
    explicit lstm_device_guard(const csm_lstm_cuda *lstm) {
        error = cudaGetDevice(&before);
        if (error == cudaSuccess) error = cudaSetDevice(static_cast<int>(lstm->options.device));
    }
    ~lstm_device_guard() {
        (void)cudaSetDevice(before);
    }
    csm_status status() const {
        return csm_cuda_status(error, "choosing the device");
    }
};

csm_status lstm_to_device(csm_lstm_cuda *lstm, void *to, const void *from, size_t bytes);
/* Waits for the stream. */
csm_status lstm_from_device(csm_lstm_cuda *lstm, void *to, const void *from, size_t bytes);

/* Places of lstm_cuda_layout's arrays in `memory`, which may be NULL; returns the bytes needed. */
size_t lstm_cuda_layout(csm_lstm_cuda *lstm, char *memory);

inline size_t lstm_layer_inputs(const csm_lstm_cuda *lstm, size_t layer) {
    return layer > 0 ? lstm->hidden : lstm->shape.inputs;
}
inline bool lstm_layer_raises(const csm_lstm_cuda *lstm, size_t layer) {
    return lstm->shape.layer_norm != 0 || (lstm->dropout.rate > 0 && layer + 1 < lstm->shape.layers);
}

#endif
