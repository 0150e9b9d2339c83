/* SPDX-License-Identifier: MIT */
/* Inside the fast LSTM: packed weights, working memory, and how windows share hours. Shapes are those of lstm.h. */
#ifndef CSM_BACKEND_CPU_LSTM_TWIN_H
#define CSM_BACKEND_CPU_LSTM_TWIN_H

#include "backend/cpu/lstm_kernels.h"
#include "backend/lstm.h"
#include "core/internal.h"

/* Floats on a cache line's border, grown and never shrunk. */
typedef struct lstm_block {
    void *memory;
    float *data;
    size_t count;
} lstm_block;
csm_status lstm_block_reserve(lstm_block *block, size_t rows, size_t cols); /* content is not kept */
void lstm_block_free(lstm_block *block);

/* Packed weights of a layer, (depth, columns). */
typedef struct lstm_packed {
    lstm_block input;       /* (I or H, Zp) */
    lstm_block recurrent;   /* (H, Zp) */
    lstm_block bias;        /* (Zp) */
    lstm_block input_t;     /* (Zp, Ip or Hp): backward */
    lstm_block recurrent_t; /* (Zp, Hp): backward */
} lstm_packed;

/* What forward keeps of a layer. */
typedef struct lstm_kept {
    lstm_block gates;  /* (T, B, Zp) */
    lstm_block cell;   /* (T, B, Hp) */
    lstm_block hidden; /* (T, B, Hp) */
    lstm_block above;  /* (T, B, Hp), only where norm or dropout change h */
    lstm_block norm;   /* (T, B, 2) */
    lstm_block d_norm; /* (T, B, Hp): dL/d(normalised, scaled h), for gain and offset */
} lstm_kept;

/* Distinct hours of a batch, in order: windows that touch or overlap share a span. */
typedef struct lstm_span {
    size_t hour;  /* first row of x */
    size_t place; /* first row among the distinct hours */
    size_t length;
} lstm_span;

struct csm_lstm_cpu {
    csm_lstm_shape shape;
    uint32_t threads;
    const lstm_kernels *kernels;
    size_t Ip, Hp, Zp; /* padded: I and one column of ones, H, 4 Hp */
    lstm_packed *packed;
    lstm_kept *kept;
    float *parameters; /* as loaded: head, gain, offset */
    lstm_block zeros;  /* one row, (max of Zp, Ip) */

    /* of the batch at hand */
    lstm_span *spans;
    size_t span_count, span_capacity;
    size_t distinct; /* Rc: distinct hours */
    uint32_t *place; /* (B): first distinct hour of each window */
    uint32_t *order; /* (B): windows by place, then number */
    size_t batch_capacity;
    bool direct;        /* windows share few hours: P would cost more memory traffic than it saves */
    lstm_block x;       /* (Rc, Ip); direct: (T, B, Ip), only where steps are kept */
    lstm_block project; /* (Rc, Zp): P, in backward dL/dP; direct: only for dL/dx */
    lstm_block top;     /* (B, Hp): y of the last layer and step */
    lstm_block d_top;   /* (B, Hp) */
    lstm_block tile;    /* each task's own rows: state and scratch */
    lstm_block sum[2];  /* gradients with blocked rows */
    bool keeps;
};

/* Sorts windows, finds spans, and copies their hours into net->x unless they are read directly. */
csm_status lstm_gather(csm_lstm_cpu *net, const csm_lstm_batch *batch);
/* One hour's inputs with the bias's column of ones: (Ip). */
void lstm_copy_hour(const csm_lstm_cpu *net, float *to, const float *x);
/* Rows of a task when `length` windows are cut for the threads; any cut gives the same bits. */
size_t lstm_tile_rows(const csm_lstm_cpu *net, size_t length);
/* Column of unit u, gate q. */
static inline size_t lstm_column(size_t u, size_t q) {
    return u / LSTM_UNITS * LSTM_PANEL + q * LSTM_UNITS + u % LSTM_UNITS;
}

/* y = dropout(norm(h)) of window b, step s: h and y are rows (Hp); norm (2) is set. */
void lstm_raise(const csm_lstm_cpu *net, const csm_lstm_batch *batch, size_t layer, size_t s, size_t b,
                const float *hidden, float *above, float *norm);
/* dL/dy in d (Hp) becomes dL/dh; d_norm (Hp) or NULL takes what gain and offset need. */
void lstm_lower(const csm_lstm_cpu *net, const csm_lstm_batch *batch, size_t layer, size_t s, size_t b,
                const float *hidden, const float *norm, float *d, float *d_norm);
/* True when y differs from h. */
bool lstm_raises(const csm_lstm_cpu *net, const csm_lstm_batch *batch, size_t layer);

#endif
