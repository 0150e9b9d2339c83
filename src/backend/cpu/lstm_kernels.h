/* SPDX-License-Identifier: MIT */
/*
 * What the fast LSTM computes with: five kernels, compiled for each instruction set (lstm_simd.c). Each output element is
 * made by one thread from its terms in a fixed order with one accumulator, so neither the cut into tiles nor the number of
 * threads changes a bit; the instruction set may (law 6, tier B).
 *
 * Columns of gates are blocked: unit u, gate q stand at (u / 16) * 64 + q * 16 + u % 16, so that one tile of a product holds
 * all four gates of its units. Hidden widths are padded with zeros to Hp, a multiple of 16; Zp = 4 Hp.
 */
#ifndef CSM_BACKEND_CPU_LSTM_KERNELS_H
#define CSM_BACKEND_CPU_LSTM_KERNELS_H

#include "backend/isa.h"

#include <stddef.h>
#include <stdint.h>

#define LSTM_UNITS 16 /* of a block */
#define LSTM_PANEL 64 /* columns of a panel of packed weights: [panel][depth][64] */

/* z = start + a[0] w[0] + a[1] w[1], then the cell, for `rows` rows and all blocks of units. */
typedef struct lstm_advance {
    size_t rows;
    size_t blocks;             /* Hp / 16 */
    const float *const *start; /* rows pointers to (Zp) */
    size_t terms;              /* 0..2 */
    const float *a[2];         /* (rows, depth) */
    size_t stride[2];
    size_t depth[2];
    const float *w[2];   /* packed, Zp columns */
    float *gates;        /* (rows, Zp): i, f, g, o; NULL: not wanted */
    const float *before; /* (rows, Hp): c of the step before; NULL: 0 */
    float *cell;         /* (rows, Hp), may be `before` */
    float *hidden;       /* (rows, Hp), may not be a[] */
} lstm_advance;

/* c (rows, cols) = start + a (rows, depth) w */
typedef struct lstm_product {
    size_t rows;
    size_t cols; /* multiple of 16 */
    size_t depth;
    const float *a;
    size_t stride;
    const float *w;     /* packed */
    const float *start; /* may be c; stride 0: one row for all */
    size_t start_stride;
    float *c;
    size_t c_stride;
} lstm_product;

/* One gradient of an outer product: c (columns of a, cols) += sum over k >= skip of a[k, m] b[k - skip, n] */
typedef struct lstm_outer_term {
    const float *b;
    size_t b_stride;
    size_t cols; /* of b, multiple of 16 */
    size_t skip;
    float *c; /* row m at c + m * cols */
} lstm_outer_term;

/* Up to two gradients that share a: it is read once. */
typedef struct lstm_outer {
    size_t depth;
    size_t first, last; /* columns of a, multiples of 16 */
    const float *a;
    size_t a_stride;
    size_t terms;
    lstm_outer_term term[2];
} lstm_outer;

/* The cells' backward step in place on gates: rows of all blocks. */
typedef struct lstm_retreat {
    size_t rows;
    size_t blocks;
    float *gates;        /* (rows, Zp): gates in, dL/dz out */
    const float *cell;   /* (rows, Hp) */
    const float *before; /* (rows, Hp); NULL: 0 */
    const float *d;      /* (rows, Hp): dL/dh */
    float *d_cell;       /* (rows, Hp): in and out */
} lstm_retreat;

typedef struct lstm_kernels {
    void (*advance)(const lstm_advance *);
    void (*product)(const lstm_product *);
    void (*outer)(const lstm_outer *);
    void (*retreat)(const lstm_retreat *);
    void (*add)(float *to, const float *from, size_t count); /* count a multiple of 16 */
} lstm_kernels;

const lstm_kernels *lstm_kernels_scalar(void);
const lstm_kernels *lstm_kernels_avx2(void);
const lstm_kernels *lstm_kernels_avx512(void);

#endif
