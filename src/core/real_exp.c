/* SPDX-License-Identifier: MIT */
/* The exponential and what is made of it. x = k ln2 + r with |r| <= ln2/2; exp(r) - 1 by its Taylor series, whose
 * first term left out, r^15/15!, is below 2^-62. */
#include "core/real.h"
#include "core/real_internal.h"

#include <math.h>

csm_pair csm_exp_reduced(double x, double x_lo, int *k) {
    const double steps = csm_nearest(x * 0x1.71547652b82fep+0); /* 1 / ln2 */
    const double hi = x - steps * CSM_LN2_HI;
    const double lo = steps * CSM_LN2_LO - x_lo;
    const double r = hi - lo;
    const double r_lo = (hi - r) - lo;
    /* r + r^2/2 exactly but for its last bits: the square of r's upper 26 bits needs no rounding */
    const double upper = (r + CSM_UPPER_BITS) - CSM_UPPER_BITS;
    const csm_pair lead = csm_sum_ordered(r, 0.5 * upper * upper);
    const double square_lo = 0.5 * (r - upper) * (r + upper);
    /* r^3 (1/3! + r/4! + ... + r^11/14!), even and odd powers apart: two short chains instead of a long one */
    const double q = r * r;
    const double even =
        1.0 / 6 + q * (1.0 / 120 +
                       q * (1.0 / 5040 + q * (1.0 / 362880 + q * (1.0 / 39916800 + q * (1.0 / 6227020800)))));
    const double odd =
        1.0 / 24 +
        q * (1.0 / 720 +
             q * (1.0 / 40320 + q * (1.0 / 3628800 + q * (1.0 / 479001600 + q * (1.0 / 87178291200)))));
    const double lo_part = lead.lo + (square_lo + (q * r * (even + r * odd) + (r_lo + r_lo * r)));
    *k = (int)steps;
    return csm_sum_ordered(lead.hi, lo_part);
}

double csm_scale(double y, int k) {
    if (k >= -1022 && k <= 1023) return y * csm_from_bits((uint64_t)(k + 1023) << 52);
    if (k > 1023) return y * 2.0 * csm_from_bits((uint64_t)(k - 1 + 1023) << 52);
    return y * csm_from_bits((uint64_t)(k + 1000 + 1023) << 52) * 0x1p-1000;
}

double csm_exp(double x) {
    if (!(x >= -746.0)) return x < 0 ? 0.0 : x; /* NaN passes */
    if (x > 710.0) return (double)INFINITY;
    int k;
    const csm_pair e = csm_exp_reduced(x, 0.0, &k);
    const csm_pair y = csm_sum_ordered(1.0, e.hi);
    return csm_scale(y.hi + (y.lo + e.lo), k);
}

/* exp(x) - 1 for |x| <= 710, still to be scaled by 2^k: 2^k (1 + e) - 1 = 2^k ((1 - 2^-k) + e). */
static csm_pair expm1_unscaled(double x, int *k) {
    const csm_pair e = csm_exp_reduced(x, 0.0, k);
    if (*k == 0) return e;
    const csm_pair one_less = csm_sum(1.0, -csm_scale(1.0, -*k));
    const csm_pair sum = csm_sum(one_less.hi, e.hi);
    return csm_sum_ordered(sum.hi, sum.lo + (one_less.lo + e.lo));
}

double csm_expm1(double x) {
    if (!(x >= -38.0)) return x < 0 ? -1.0 : x;
    if (x > 710.0) return (double)INFINITY;
    if (fabs(x) < 0x1p-54) return x; /* keeps -0 */
    int k;
    const csm_pair e = expm1_unscaled(x, &k);
    return csm_scale(e.hi + e.lo, k);
}

/* tanh x = t / (t + 2) with t = exp(2x) - 1. */
double csm_tanh(double x) {
    const double magnitude = fabs(x);
    if (!(magnitude >= 0x1p-28)) return x; /* x^3/3 is below half an ulp; NaN passes */
    if (magnitude > 20.0) return x > 0 ? 1.0 : -1.0;
    int k;
    const csm_pair e = expm1_unscaled(2.0 * magnitude, &k);
    const double scale = csm_scale(1.0, k);
    const csm_pair t = {e.hi * scale, e.lo * scale};
    csm_pair divisor = csm_sum(t.hi, 2.0);
    divisor.lo += t.lo;
    const double result = csm_quotient(t, divisor);
    return x > 0 ? result : -result;
}

double csm_logistic(double x) {
    if (!(x >= -40.0)) return csm_exp(x); /* 1 + exp(x) rounds to 1; NaN passes */
    if (x > 40.0) return 1.0;
    int k;
    const csm_pair e = csm_exp_reduced(-fabs(x), 0.0, &k);
    const csm_pair sum = csm_sum_ordered(1.0, e.hi);
    const double scale = csm_scale(1.0, k);
    const csm_pair power = {sum.hi * scale, (sum.lo + e.lo) * scale}; /* exp(-|x|) */
    csm_pair divisor = csm_sum_ordered(1.0, power.hi);
    divisor.lo += power.lo;
    return csm_quotient(x >= 0 ? (csm_pair){1.0, 0.0} : power, divisor);
}

double csm_log_logistic(double x) {
    if (x < -40.0) return x;
    return x >= 0 ? -csm_log1p(csm_exp(-x)) : x - csm_log1p(csm_exp(x));
}
