/* SPDX-License-Identifier: MIT */
/* One vector type for each compilation of lstm_simd.c, with the tiles of a product that fit its registers. */
#ifndef CSM_BACKEND_CPU_LSTM_LANES_H
#define CSM_BACKEND_CPU_LSTM_LANES_H

#if defined(CSM_BUILD_AVX512)

#include <immintrin.h>
typedef __m512 lanes;
#define LANES 16
#define TILE_ROWS 6 /* 6 rows x 4 vectors = 24 accumulators of 32 registers */
#define TILE_VECTORS 4
#define GATE_ROWS 6
#define EDGE_ROWS 16
static inline lanes lanes_load(const float *from) {
    return _mm512_loadu_ps(from);
}
static inline lanes lanes_all(float value) {
    return _mm512_set1_ps(value);
}
static inline void lanes_store(float *to, lanes value) {
    _mm512_storeu_ps(to, value);
}
static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
    return _mm512_fmadd_ps(a, b, c);
}

#elif defined(CSM_BUILD_AVX2)

#include <immintrin.h>
typedef __m256 lanes;
#define LANES 8
#define TILE_ROWS 6 /* 6 x 2 = 12 accumulators of 16 registers */
#define TILE_VECTORS 2
#define GATE_ROWS 2 /* 2 x 4 gates */
#define EDGE_ROWS 4
static inline lanes lanes_load(const float *from) {
    return _mm256_loadu_ps(from);
}
static inline lanes lanes_all(float value) {
    return _mm256_set1_ps(value);
}
static inline void lanes_store(float *to, lanes value) {
    _mm256_storeu_ps(to, value);
}
static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
    return _mm256_fmadd_ps(a, b, c);
}

#else

#include <string.h>
typedef float lanes __attribute__((vector_size(16)));
#define LANES 4
#define TILE_ROWS 2
#define TILE_VECTORS 4
#define GATE_ROWS 2
#define EDGE_ROWS 4
static inline lanes lanes_load(const float *from) {
    lanes value;
    memcpy(&value, from, sizeof value);
    return value;
}
static inline lanes lanes_all(float value) {
    return (lanes){value, value, value, value};
}
static inline void lanes_store(float *to, lanes value) {
    memcpy(to, &value, sizeof value);
}
static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
    return a * b + c; /* two roundings: this processor may have no fused operation */
}

#endif
#endif
