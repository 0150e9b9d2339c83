/* SPDX-License-Identifier: MIT */
/*
 * The arithmetic of one LSTM cell in float, compiled by C and CUDA alike: the same operations in the same order give the
 * same bits on every device. No expression here leaves a compiler room to fuse: a product that meets a sum is written
 * as fmaf, every other product and sum goes through lstm_mul and lstm_add (nvcc fuses otherwise). Divisions are IEEE's.
 *
 * Largest error over all floats, against double: lstm_sigmoid 2.5 ulp for x >= -87 (below, it stays at e^-87),
 * lstm_tanh 3 ulp. NaN stays NaN. The exponential is Taylor's series on |r| <= ln2/2: coefficients can be read off the page.
 */
#ifndef CSM_BACKEND_LSTM_CELL_H
#define CSM_BACKEND_LSTM_CELL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define LSTM_INLINE static __host__ __device__ __forceinline__
#else
#define LSTM_INLINE static inline __attribute__((always_inline))
#endif

#ifdef __CUDA_ARCH__
LSTM_INLINE float lstm_mul(float a, float b) {
    return __fmul_rn(a, b);
}
LSTM_INLINE float lstm_add(float a, float b) {
    return __fadd_rn(a, b);
}
LSTM_INLINE float lstm_divide(float a, float b) {
    return __fdiv_rn(a, b);
}
#else
LSTM_INLINE float lstm_mul(float a, float b) {
    return a * b;
}
LSTM_INLINE float lstm_add(float a, float b) {
    return a + b;
}
LSTM_INLINE float lstm_divide(float a, float b) {
    return a / b;
}
#endif

LSTM_INLINE float lstm_float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

LSTM_INLINE uint32_t lstm_bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* expm1 of y in -87..0 as two parts: returns p with exp(y) = scale (1 + p), |p| < 0.42, *scale = 2^n. */
LSTM_INLINE float lstm_exp_parts(float y, float *scale) {
    const float magic = 12582912.0f; /* 1.5 2^23: adding it rounds to a whole number, kept in the low bits */
    const float shifted = fmaf(y, 0x1.715476p+0f, magic); /* 1 / ln2 */
    const float n = lstm_add(shifted, -magic);
    const float hi = fmaf(n, -0x1.62e4p-1f, y); /* ln2, upper 15 bits: n times it is exact */
    const float r = fmaf(n, -0x1.7f7d1cp-20f, hi);
    float q = fmaf(r, 1.0f / 5040, 1.0f / 720);
    q = fmaf(r, q, 1.0f / 120);
    q = fmaf(r, q, 1.0f / 24);
    q = fmaf(r, q, 1.0f / 6);
    q = fmaf(r, q, 0.5f);
    *scale = lstm_float_of((lstm_bits_of(shifted) + 127u) << 23);
    return fmaf(lstm_mul(r, r), q, r);
}

/* 1 / (1 + e^-x). With e = e^-|x| it is 1 / (1 + e) or e / (1 + e): no overflow, no cancellation. */
LSTM_INLINE float lstm_sigmoid(float x) {
    const float size = fabsf(x);
    float scale;
    const float p = lstm_exp_parts(size > 87.0f ? -87.0f : -size, &scale);
    const float e = fmaf(scale, p, scale);
    return lstm_divide(x < 0 ? e : 1.0f, lstm_add(1.0f, e));
}

/* -expm1(-2|x|) / (2 + expm1(-2|x|)) with the sign of x. */
LSTM_INLINE float lstm_tanh(float x) {
    const float size = lstm_mul(2.0f, fabsf(x));
    float scale;
    const float p = lstm_exp_parts(size > 87.0f ? -87.0f : -size, &scale);
    const float less = fmaf(scale, p, lstm_add(scale, -1.0f));
    return copysignf(lstm_divide(-less, lstm_add(2.0f, less)), x);
}

/* ---- the cell (Hochreiter & Schmidhuber 1997 with forget gate, Gers et al. 2000; gates in PyTorch's order) ---- */

/* Forward: zi..zo are W_ih x + W_hh h + b and become the gates i, f, g, o; *c the previous cell becomes the new one.
 * Returns h. */
LSTM_INLINE float lstm_cell_forward(float *zi, float *zf, float *zg, float *zo, float *c) {
    const float i = lstm_sigmoid(*zi), f = lstm_sigmoid(*zf), g = lstm_tanh(*zg), o = lstm_sigmoid(*zo);
    const float cell = fmaf(f, *c, lstm_mul(i, g));
    *zi = i;
    *zf = f;
    *zg = g;
    *zo = o;
    *c = cell;
    return lstm_mul(o, lstm_tanh(cell));
}

/* Backward: i..o are the gates and become dL/dz; c is this step's cell, c_before the previous one; dh is dL/dh, *dc what
 * later steps leave in the cell, which becomes what this one leaves to the step before. */
LSTM_INLINE void lstm_cell_backward(float *zi, float *zf, float *zg, float *zo, float c, float c_before,
                                    float dh, float *dc) {
    const float i = *zi, f = *zf, g = *zg, o = *zo;
    const float squashed = lstm_tanh(c);
    const float d = fmaf(lstm_mul(dh, o), fmaf(-squashed, squashed, 1.0f), *dc);
    *zo = lstm_mul(lstm_mul(dh, squashed), lstm_mul(o, lstm_add(1.0f, -o)));
    *zi = lstm_mul(lstm_mul(d, g), lstm_mul(i, lstm_add(1.0f, -i)));
    *zg = lstm_mul(lstm_mul(d, i), fmaf(-g, g, 1.0f));
    *zf = lstm_mul(lstm_mul(d, c_before), lstm_mul(f, lstm_add(1.0f, -f)));
    *dc = lstm_mul(d, f);
}

/* ---- dropout: element index alone decides ---- */

/* Philox4x32-10 (Salmon et al. 2011), as csm_philox4x32: key = seed, counter = (block, stream), low word first. */
LSTM_INLINE void lstm_philox(uint32_t out[4], uint64_t seed, uint64_t stream, uint64_t block) {
    uint32_t c0 = (uint32_t)block, c1 = (uint32_t)(block >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < 10; round++) {
        const uint64_t product0 = (uint64_t)0xD2511F53u * c0, product1 = (uint64_t)0xCD9E8D57u * c2;
        const uint32_t next0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        const uint32_t next2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c0 = next0;
        c1 = (uint32_t)product1;
        c2 = next2;
        c3 = (uint32_t)product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* An element is dropped when its 32 random bits are below this. dropout in [0, 1). */
LSTM_INLINE uint32_t lstm_dropout_below(float dropout) {
    return (uint32_t)(4294967296.0 * (double)dropout);
}

#endif
