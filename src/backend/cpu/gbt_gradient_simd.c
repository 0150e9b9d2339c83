/* SPDX-License-Identifier: MIT */
/* Elementwise loops that the compiler makes vectors of: the same operations on each element in every instruction set. */
#include "backend/cpu/gbt_cpu.h"

#include <string.h>

/* A finaliser of two multiplications (Wellons 2018, "lowbias32"): 32 random bits of a counter. */
static inline uint32_t mix(uint32_t x) {
    x ^= x >> 16;
    x *= UINT32_C(0x7feb352d);
    x ^= x >> 15;
    x *= UINT32_C(0x846ca68b);
    return x ^ x >> 16;
}

/* Greatest whole number <= x, |x| < 2^31. */
static inline int32_t floor_of(float x) {
    const int32_t whole = (int32_t)x;
    return whole - ((float)whole > x);
}

static inline int32_t within(int32_t x, int32_t low, int32_t high) {
    const int32_t raised = x < low ? low : x;
    return raised > high ? high : raised;
}

static inline int32_t rounded(float x, float u, int32_t low, int32_t high) {
    return within(floor_of(x + u), low, high);
}

void GBT_QUANTISE(uint32_t *restrict quantum, const float *restrict gradient, const float *restrict hessian,
                  size_t first, size_t n, float gradient_units, float hessian_units, int32_t gradient_limit,
                  int32_t hessian_limit, uint32_t narrow_shift, uint64_t key) {
    const uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32), begin = (uint32_t)first + low;
    for (size_t i = 0; hessian && i < n; i++) {
        const uint32_t bits = mix(mix(begin + (uint32_t)i) ^ high);
        const float u = (float)(int32_t)(bits >> 16) * 0x1p-16f,
                    v = (float)(int32_t)(bits & 65535) * 0x1p-16f;
        const int32_t g = rounded(gradient[i] * gradient_units, u, -gradient_limit, gradient_limit);
        const int32_t h = rounded(hessian[i] * hessian_units, v, 0, hessian_limit);
        quantum[i] = ((uint32_t)g << narrow_shift) + (uint32_t)h;
    }
    for (size_t i = 0; !hessian && i < n; i++) {
        const float u = (float)(int32_t)(mix(mix(begin + (uint32_t)i) ^ high) >> 16) * 0x1p-16f;
        const int32_t g = rounded(gradient[i] * gradient_units, u, -gradient_limit, gradient_limit);
        quantum[i] = ((uint32_t)g << narrow_shift) + 1;
    }
}

/* exp(-|x|) = 2^k exp(r), |r| <= ln2 / 2, by the Taylor series to r^13 (rest below 2^-57); exp(-708) stands for less. */
static inline double exp_of_minus(double magnitude) {
    const double x = -(magnitude < 708.0 ? magnitude : 708.0);
    const double steps = (x * 0x1.71547652b82fep+0 + 0x1.8p52) - 0x1.8p52;
    const double r = (x - steps * 0x1.62e42feep-1) - steps * 0x1.a39ef35793c76p-33;
    double sum = 1.0 / 6227020800;
    sum = sum * r + 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 0.5;
    sum = (sum * r) * r + r;
    const uint64_t exponent = (uint64_t)((int64_t)(int32_t)steps + 1023) << 52;
    double scale;
    memcpy(&scale, &exponent, sizeof scale);
    return (1.0 + sum) * scale;
}

void GBT_LOGISTIC(double *p, const double *score, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const double x = score[i];
        const double e = exp_of_minus(x < 0 ? -x : x);
        const double small = e / (1.0 + e);
        p[i] = x < 0 ? small : 1.0 / (1.0 + e);
    }
}
