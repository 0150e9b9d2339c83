/* SPDX-License-Identifier: MIT */
/* The normal distribution. */
#include "core/real.h"
#include "core/real_internal.h"

#include <math.h>

#define CENTRE 0.67
#define PIVOT 4.0 /* maps the half line onto [-1, 1]: t = (a - PIVOT) / (a + PIVOT) */

/* (a + PIVOT) exp(a^2/2) Q(a), Q the upper tail, as a polynomial in t: the idea of Schonfelder 1978 ("Chebyshev
 * expansions for the error and related functions"); coefficients by tests/core/golden/make_mills.py. */
static const double mills[] = {
    0x1.82b4bb8c94dcep-1,  -0x1.373e3a893c28ap-1,  0x1.8c6dbf2cfc2b6p-2,   -0x1.7dff2bff68311p-3,
    0x1.eec4cc3e4d100p-5,  -0x1.ee276104a7147p-8,  -0x1.c81719d54e26dp-9,  0x1.ab825fcb95989p-10,
    0x1.17a4ae564635ep-13, -0x1.e4a42886a77bbp-13, -0x1.001ed86a94b4ep-19, 0x1.26d0df4329307p-15,
    0x1.80c0d49e14b3ep-21, -0x1.8d52e6e2d2a2fp-18, -0x1.522419ffbc3fbp-21, 0x1.127dd113b1ab8p-20,
    0x1.248e0cffdb33bp-22, -0x1.501615b7e11f6p-23, -0x1.7516b1aa4ba8ap-24, 0x1.f6b53d3f020c7p-27,
    0x1.701f992bd400bp-26, 0x1.89e5d6118cee6p-30,  -0x1.005e33ccf11aap-28, -0x1.d5d99a465f426p-31,
    0x1.7632b9ac0e683p-32, 0x1.027d9597f93cap-33,
};

#define MILLS_TERMS (sizeof mills / sizeof mills[0])

/* Even and odd powers apart: two short chains instead of a long one. */
static double mills_polynomial(double t) {
    const double q = t * t;
    double even = mills[MILLS_TERMS - 2], odd = mills[MILLS_TERMS - 1];
    for (size_t i = MILLS_TERMS - 2; i > 0; i -= 2) {
        even = even * q + mills[i - 2];
        odd = odd * q + mills[i - 1];
    }
    return even + t * odd;
}

_Static_assert(MILLS_TERMS % 2 == 0, "mills_polynomial takes the powers in pairs");

/* Q(a) = P(Z > a) for a >= 0, relative error preserved down to the smallest double. */
static double upper_tail(double a) {
    if (a > 39.0) return 0.0;
    const csm_pair square = csm_product(a, a);
    int k;
    const csm_pair e = csm_exp_reduced(-0.5 * square.hi, -0.5 * square.lo, &k);
    const csm_pair power = csm_sum_ordered(1.0, e.hi);
    const double factor = mills_polynomial((a - PIVOT) / (a + PIVOT)) / (a + PIVOT);
    return csm_scale((power.hi + (power.lo + e.lo)) * factor, k);
}

/* Phi(x) - 1/2 = phi(0) sum (-1)^n x^(2n+1) / (2^n n! (2n+1)), for |x| <= CENTRE; the term left out is below 2^-64. */
static double central_area(double x) {
    static const double series[] = {
        1.0,
        -1.0 / 6,
        1.0 / 40,
        -1.0 / 336,
        1.0 / 3456,
        -1.0 / 42240,
        1.0 / 599040,
        -1.0 / 9676800,
        1.0 / 175472640,
        -1.0 / 3530096640,
        1.0 / 78033715200,
        -1.0 / 1880240947200,
        1.0 / 49049763840000,
        -1.0 / 1377317368627200,
    };
    const double q = x * x;
    double sum = 0;
    for (size_t i = sizeof series / sizeof series[0]; i > 0; i--) sum = sum * q + series[i - 1];
    return x * sum * 0x1.9884533d43651p-2; /* phi(0) = 1 / sqrt(2 pi) */
}

/* Around 0 the tail's expansion would lose bits to cancellation. */
double csm_normal_cdf(double x) {
    if (fabs(x) <= CENTRE) return 0.5 + central_area(x);
    if (!(x > 0)) return x <= 0 ? upper_tail(-x) : x; /* NaN passes */
    return 1.0 - upper_tail(x);
}

/* numerator(r) / denominator(r), seventh degree, highest power first. */
static double rational(const double numerator[8], const double denominator[8], double r) {
    double above = numerator[0], below = denominator[0];
    for (int i = 1; i < 8; i++) {
        above = above * r + numerator[i];
        below = below * r + denominator[i];
    }
    return above / below;
}

/* Wichura 1988, "Algorithm AS 241: The percentage points of the normal distribution", PPND16. */
static const double central_above[8] = {
    2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
    1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0};
static const double central_below[8] = {
    5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
    5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0};
static const double middle_above[8] = {7.74545014278341407640e-4, 2.27238449892691845833e-2,
                                       2.41780725177450611770e-1, 1.27045825245236838258e+0,
                                       3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                       4.63033784615654529590e+0, 1.42343711074968357734e+0};
static const double middle_below[8] = {1.05075007164441684324e-9, 5.47593808499534494600e-4,
                                       1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                       6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                       2.05319162663775882187e+0, 1.0};
static const double far_above[8] = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                    1.24266094738807843860e-3, 2.65321895265761230930e-2,
                                    2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                    5.46378491116411436990e+0, 6.65790464350110377720e+0};
static const double far_below[8] = {2.04426310338993978564e-15, 1.42151175831644588870e-7,
                                    1.84631831751005468180e-5,  7.86869131145613259100e-4,
                                    1.48753612908506148525e-2,  1.36929880922735805310e-1,
                                    5.99832206555887937690e-1,  1.0};

double csm_normal_quantile(double p) {
    if (!(p > 0 && p < 1)) return p == 0 ? -(double)INFINITY : p == 1 ? (double)INFINITY : (double)NAN;
    const double q = p - 0.5;
    if (fabs(q) <= 0.425) return q * rational(central_above, central_below, 0.180625 - q * q);
    const double r = sqrt(-csm_log(q < 0 ? p : 1.0 - p));
    const double x =
        r <= 5.0 ? rational(middle_above, middle_below, r - 1.6) : rational(far_above, far_below, r - 5.0);
    return q < 0 ? -x : x;
}
