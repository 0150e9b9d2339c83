/* SPDX-License-Identifier: MIT */
/* Pairs of doubles shared by the real_*.c files: an unevaluated sum hi + lo with |lo| <= ulp(hi). */
#ifndef CSM_CORE_REAL_INTERNAL_H
#define CSM_CORE_REAL_INTERNAL_H

#include <stdint.h>
#include <string.h>

#define CSM_LN2_HI 0x1.62e42feep-1 /* 32 bits, so that k * CSM_LN2_HI is exact for |k| < 2^21 */
#define CSM_LN2_LO 0x1.a39ef35793c76p-33

/* (x + CSM_UPPER_BITS) - CSM_UPPER_BITS rounds |x| < 1/2 to a multiple of 2^-27: 26 bits, whose square is exact. */
#define CSM_UPPER_BITS 0x1.8p25

typedef struct csm_pair {
    double hi;
    double lo;
} csm_pair;

static inline uint64_t csm_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double csm_from_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The nearest integer for |x| < 2^51: the sum has no bits left for a fraction. */
static inline double csm_nearest(double x) {
    return (x + 0x1.8p52) - 0x1.8p52;
}

/* a + b exactly, for |a| >= |b| or a == 0 (Dekker 1971). */
static inline csm_pair csm_sum_ordered(double a, double b) {
    const double hi = a + b;
    return (csm_pair){hi, b - (hi - a)};
}

/* a + b exactly (Knuth, TAOCP 4.2.2). */
static inline csm_pair csm_sum(double a, double b) {
    const double hi = a + b;
    const double part = hi - a;
    return (csm_pair){hi, (a - (hi - part)) + (b - part)};
}

/* a * b exactly, without overflow for |a|, |b| < 2^500 (Veltkamp's split, Dekker's product). */
static inline csm_pair csm_product(double a, double b) {
    const double splitter = 0x1p27 + 1;
    const double a_big = splitter * a, b_big = splitter * b;
    const double a_hi = a_big - (a_big - a), b_hi = b_big - (b_big - b);
    const double a_lo = a - a_hi, b_lo = b - b_hi;
    const double hi = a * b;
    return (csm_pair){hi, ((a_hi * b_hi - hi) + a_hi * b_lo + a_lo * b_hi) + a_lo * b_lo};
}

/* a / b rounded once, nearly always correctly. */
static inline double csm_quotient(csm_pair a, csm_pair b) {
    const double quotient = a.hi / b.hi;
    const csm_pair back = csm_product(quotient, b.hi);
    return quotient + (((a.hi - back.hi) - back.lo) + a.lo - quotient * b.lo) / b.hi;
}

#define CSM_SQRT_HALF_BITS UINT64_C(0x3fe6a09e667f3bcd)

/* log(1 + f) for -0.3 < f < 0.42 (real_log.c; here because loops over arrays take it in). */
static inline csm_pair csm_log_series(double f) {
    const double half_square = 0.5 * f * f;
    const double s = f / (2.0 + f);
    const double z = s * s;
    const double w = z * z;
    const double odd = 2.0 / 3 + w * (2.0 / 7 + w * (2.0 / 11 + w * (2.0 / 15 + w * (2.0 / 19))));
    const double even = 2.0 / 5 + w * (2.0 / 9 + w * (2.0 / 13 + w * (2.0 / 17 + w * (2.0 / 21))));
    /* f - f^2/2 exactly but for its last bits: the square of f's upper 26 bits needs no rounding */
    const double upper = (f + CSM_UPPER_BITS) - CSM_UPPER_BITS;
    const csm_pair lead = csm_sum_ordered(f, -0.5 * upper * upper);
    const double square_lo = 0.5 * (f - upper) * (f + upper);
    return (csm_pair){lead.hi, lead.lo + (s * (half_square + z * (odd + z * even)) - square_lo)};
}

/* exp(x + x_lo) = 2^*k * (1 + result), |x| <= 746, |result| < 0.42. */
csm_pair csm_exp_reduced(double x, double x_lo, int *k);
/* y * 2^k for -1080 <= k <= 1024, rounded once. */
double csm_scale(double y, int k);

#endif
