/* SPDX-License-Identifier: MIT */
/* real_log.c's steps on blocks of values, written so that a compiler turns them into vector instructions. */
#include "fuse/logs.h"

#include "backend/isa.h"
#include "core/real.h"
#include "core/real_internal.h"

#include <float.h>
#include <stdbool.h>

#define LOGS CSM_ISA_SYMBOL(csm_logs)
#define LOG1PS CSM_ISA_SYMBOL(csm_log1ps)
void LOGS(double *out, const double *x, size_t n);
void LOG1PS(double *out, const double *x, size_t n);

#define BLOCK 64
#define EXPONENT_BIAS 2048

/* x = 2^k (1 + f) of a positive normal x: exponents as unsigned and doubles, which every vector unit has. */
typedef struct parts {
    double k;
    double f;
} parts;

static inline parts split(double x) {
    const uint64_t bits = csm_bits(x);
    const uint64_t raised = (bits - CSM_SQRT_HALF_BITS + ((uint64_t)EXPONENT_BIAS << 52)) >> 52;
    const double k = csm_from_bits(raised | UINT64_C(0x4330000000000000)) - (0x1p52 + EXPONENT_BIAS);
    return (parts){k, csm_from_bits(bits - ((raised - EXPONENT_BIAS) << 52)) - 1.0};
}

static inline double assemble(parts p, double correction) {
    const csm_pair series = csm_log_series(p.f);
    const csm_pair sum = csm_sum_ordered(p.k * CSM_LN2_HI, series.hi);
    return sum.hi + (sum.lo + (series.lo + (p.k * CSM_LN2_LO + correction)));
}

static size_t all_normal(const double *x, size_t n) {
    size_t normal = 0;
    for (size_t i = 0; i < n; i++) normal += x[i] >= DBL_MIN && x[i] <= DBL_MAX;
    return normal == n;
}

void LOGS(double *out, const double *x, size_t n) {
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        const size_t count = n - begin < BLOCK ? n - begin : BLOCK;
        double value[BLOCK];
        if (all_normal(x + begin, count))
            for (size_t i = 0; i < count; i++) value[i] = assemble(split(x[begin + i]), 0.0);
        else
            for (size_t i = 0; i < count; i++) value[i] = csm_log(x[begin + i]);
        memcpy(out + begin, value, count * sizeof *value);
    }
}

static size_t all_far(const double *x, size_t n) {
    size_t far = 0;
    for (size_t i = 0; i < n; i++) far += x[i] >= 0.0 && x[i] <= DBL_MAX;
    return far == n;
}

/* Near 0 from x itself; beyond it the log of the sum, with what the sum rounded away. */
static inline double log1p_positive(double x) {
    const csm_pair sum = csm_sum(1.0, x);
    const parts far = split(sum.hi);
    const double lost = sum.lo / sum.hi;
    const bool near = x < 0.41;
    return assemble((parts){near ? 0.0 : far.k, near ? x : far.f}, near ? 0.0 : lost);
}

void LOG1PS(double *out, const double *x, size_t n) {
    for (size_t begin = 0; begin < n; begin += BLOCK) {
        const size_t count = n - begin < BLOCK ? n - begin : BLOCK;
        double value[BLOCK];
        if (all_far(x + begin, count))
            for (size_t i = 0; i < count; i++) value[i] = log1p_positive(x[begin + i]);
        else
            for (size_t i = 0; i < count; i++) value[i] = csm_log1p(x[begin + i]);
        memcpy(out + begin, value, count * sizeof *value);
    }
}
