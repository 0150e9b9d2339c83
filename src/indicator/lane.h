/* SPDX-License-Identifier: MIT */
/*
 * The number an indicator computes with. `real` is one double in the plain build and one double of each of LANES
 * series in the AVX2 and AVX-512 builds, so an indicator is written once and reads like scalar code. Operators
 * + - * / work on both, mixed with plain doubles. Whatever depends on data goes through a mask and real_select;
 * whatever depends on the bar's index alone (warm-up, ring positions) is ordinary control flow, because all lanes
 * stand at the same index. Every operation is one IEEE operation, so lanes and scalars agree bit for bit.
 */
#ifndef CSM_INDICATOR_LANE_H
#define CSM_INDICATOR_LANE_H

#include "backend/isa.h"
#include "core/real.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CSM_INLINE static inline __attribute__((always_inline, unused))

#if defined(CSM_BUILD_AVX512)
#include <immintrin.h>
#define LANES 8
typedef __m512d real;
typedef __mmask8 mask;
CSM_INLINE real real_of(double x) {
    return _mm512_set1_pd(x);
}
CSM_INLINE real real_load(const double *at) {
    return _mm512_loadu_pd(at);
}
CSM_INLINE void real_store(double *at, real x) {
    _mm512_storeu_pd(at, x);
}
/* The first count < LANES of them; the others are 0, or stay. */
CSM_INLINE real real_load_some(const double *at, size_t count) {
    return _mm512_maskz_loadu_pd((__mmask8)((1u << count) - 1), at);
}
CSM_INLINE void real_store_some(double *at, real x, size_t count) {
    _mm512_mask_storeu_pd(at, (__mmask8)((1u << count) - 1), x);
}
/* The lanes one place on: the last of `before` comes first, or the first of `after` last. */
CSM_INLINE real real_shift_up(real before, real x) {
    return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(x), _mm512_castpd_si512(before), 7));
}
CSM_INLINE real real_shift_down(real x, real after) {
    return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(after), _mm512_castpd_si512(x), 1));
}
CSM_INLINE real real_sqrt(real x) {
    return _mm512_sqrt_pd(x);
}
CSM_INLINE real real_abs(real x) {
    return _mm512_abs_pd(x);
}
CSM_INLINE real real_max(real a, real b) {
    return _mm512_max_pd(a, b);
}
CSM_INLINE real real_min(real a, real b) {
    return _mm512_min_pd(a, b);
}
CSM_INLINE mask real_gt(real a, real b) {
    return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ);
}
CSM_INLINE mask real_ge(real a, real b) {
    return _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ);
}
CSM_INLINE mask real_eq(real a, real b) {
    return _mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ);
}
CSM_INLINE mask mask_and(mask a, mask b) {
    return (mask)(a & b);
}
CSM_INLINE mask mask_or(mask a, mask b) {
    return (mask)(a | b);
}
CSM_INLINE mask mask_not(mask a) {
    return (mask)~a;
}
CSM_INLINE real real_select(mask m, real yes, real no) {
    return _mm512_mask_blend_pd(m, no, yes);
}

#elif defined(CSM_BUILD_AVX2)
#include <immintrin.h>
#define LANES 4
typedef __m256d real;
typedef __m256d mask; /* all bits of a lane set, or none */
CSM_INLINE real real_of(double x) {
    return _mm256_set1_pd(x);
}
CSM_INLINE real real_load(const double *at) {
    return _mm256_loadu_pd(at);
}
CSM_INLINE void real_store(double *at, real x) {
    _mm256_storeu_pd(at, x);
}
/* The first count < LANES of them; the others are 0, or stay. */
CSM_INLINE __m256i lanes_below(size_t count) {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x((long long)count), _mm256_set_epi64x(3, 2, 1, 0));
}
CSM_INLINE real real_load_some(const double *at, size_t count) {
    return _mm256_maskload_pd(at, lanes_below(count));
}
CSM_INLINE void real_store_some(double *at, real x, size_t count) {
    _mm256_maskstore_pd(at, lanes_below(count), x);
}
/* The lanes one place on: the last of `before` comes first, or the first of `after` last. */
CSM_INLINE real real_shift_up(real before, real x) {
    return _mm256_shuffle_pd(_mm256_permute2f128_pd(before, x, 0x21), x, 0x5);
}
CSM_INLINE real real_shift_down(real x, real after) {
    return _mm256_shuffle_pd(x, _mm256_permute2f128_pd(x, after, 0x21), 0x5);
}
CSM_INLINE real real_sqrt(real x) {
    return _mm256_sqrt_pd(x);
}
CSM_INLINE real real_abs(real x) {
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), x);
}
CSM_INLINE real real_max(real a, real b) {
    return _mm256_max_pd(a, b);
}
CSM_INLINE real real_min(real a, real b) {
    return _mm256_min_pd(a, b);
}
CSM_INLINE mask real_gt(real a, real b) {
    return _mm256_cmp_pd(a, b, _CMP_GT_OQ);
}
CSM_INLINE mask real_ge(real a, real b) {
    return _mm256_cmp_pd(a, b, _CMP_GE_OQ);
}
CSM_INLINE mask real_eq(real a, real b) {
    return _mm256_cmp_pd(a, b, _CMP_EQ_OQ);
}
CSM_INLINE mask mask_and(mask a, mask b) {
    return _mm256_and_pd(a, b);
}
CSM_INLINE mask mask_or(mask a, mask b) {
    return _mm256_or_pd(a, b);
}
CSM_INLINE mask mask_not(mask a) {
    return _mm256_xor_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(-1)));
}
CSM_INLINE real real_select(mask m, real yes, real no) {
    return _mm256_blendv_pd(no, yes, m);
}

#else
#define LANES 1
typedef double real;
typedef uint64_t mask; /* all bits set, or none: a branch on prices would be mispredicted every other time */
CSM_INLINE real real_of(double x) {
    return x;
}
CSM_INLINE real real_load(const double *at) {
    return *at;
}
CSM_INLINE void real_store(double *at, real x) {
    *at = x;
}
CSM_INLINE real real_sqrt(real x) {
    return sqrt(x);
}
CSM_INLINE real real_abs(real x) {
    return fabs(x);
}
/* As MAXPD and MINPD: the second operand when the two are equal or unordered. */
CSM_INLINE real real_max(real a, real b) {
    return a > b ? a : b;
}
CSM_INLINE real real_min(real a, real b) {
    return a < b ? a : b;
}
CSM_INLINE mask real_gt(real a, real b) {
    return (mask)0 - (mask)(a > b);
}
CSM_INLINE mask real_ge(real a, real b) {
    return (mask)0 - (mask)(a >= b);
}
CSM_INLINE mask real_eq(real a, real b) {
    return (mask)0 - (mask)(a == b);
}
CSM_INLINE mask mask_and(mask a, mask b) {
    return a & b;
}
CSM_INLINE mask mask_or(mask a, mask b) {
    return a | b;
}
CSM_INLINE mask mask_not(mask a) {
    return ~a;
}
CSM_INLINE real real_select(mask m, real yes, real no) {
    uint64_t y, n;
    memcpy(&y, &yes, sizeof y);
    memcpy(&n, &no, sizeof n);
    n = (y & m) | (n & ~m);
    memcpy(&no, &n, sizeof no);
    return no;
}
#endif

CSM_INLINE mask real_lt(real a, real b) {
    return real_gt(b, a);
}
CSM_INLINE mask real_le(real a, real b) {
    return real_ge(b, a);
}

/* numerator / denominator where denominator > 0, else `otherwise`: the documented limit of a flat market, or NaN. The
 * replaced denominator keeps the division itself free of 0/0. */
CSM_INLINE real real_ratio(real numerator, real denominator, real otherwise) {
    mask usable = real_gt(denominator, real_of(0.0));
    return real_select(usable, numerator / real_select(usable, denominator, real_of(1.0)), otherwise);
}

#if LANES > 1
#include "indicator/lane_log.h"
#endif

/* csm_log of a positive normal number: a quotient of two prices is one. */
CSM_INLINE real real_log(real x) {
#if LANES > 1
    return lanes_log(x);
#else
    return csm_log(x);
#endif
}

#endif
