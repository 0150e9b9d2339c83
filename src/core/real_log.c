/* SPDX-License-Identifier: MIT */
/* Logarithms. x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); with s = f / (2 + f),
 * log(1 + f) = 2 artanh(s) = f - (f^2/2 - s (f^2/2 + R)), R = s^2 (2/3 + 2/5 s^2 + 2/7 s^4 + ...). The first term left
 * out is 2/23 s^22 < 2^-59 of the sum. */
#include "core/real.h"
#include "core/real_internal.h"

#include <math.h>

/* log(2^k (1 + f)) + correction. */
static double log_assemble(int k, double f, double correction) {
    const csm_pair series = csm_log_series(f);
    const csm_pair sum = csm_sum_ordered(k * CSM_LN2_HI, series.hi);
    return sum.hi + (sum.lo + (series.lo + (k * CSM_LN2_LO + correction)));
}

/* f of a positive normal x. */
static double split_exponent(double x, int *k) {
    const uint64_t bits = csm_bits(x);
    const int64_t above = (int64_t)(bits - CSM_SQRT_HALF_BITS);
    const int64_t exponent = above >= 0 ? above >> 52 : -((-above + 0xfffffffffffff) >> 52); /* rounds down */
    *k += (int)exponent;
    return csm_from_bits(bits - ((uint64_t)exponent << 52)) - 1.0;
}

double csm_log(double x) {
    if (!(x > 0)) return x == 0 ? -(double)INFINITY : (double)NAN;
    if (x == (double)INFINITY) return x;
    int k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        k = -54;
    }
    const double f = split_exponent(x, &k);
    return log_assemble(k, f, 0.0);
}

double csm_log1p(double x) {
    if (!(x > -1.0)) return x == -1.0 ? -(double)INFINITY : (double)NAN;
    if (x == (double)INFINITY) return x;
    if (fabs(x) < 0x1p-54) return x; /* keeps -0 */
    if (x > -0.29 && x < 0.41) return log_assemble(0, x, 0.0);
    const csm_pair sum = csm_sum(1.0, x);
    int k = 0;
    const double f = split_exponent(sum.hi, &k);
    return log_assemble(k, f, sum.lo / sum.hi);
}
