/* SPDX-License-Identifier: MIT */
/* Sine and cosine of full turns: reducing a turn is exact, where reducing radians is not. */
#include "core/real.h"
#include "core/real_internal.h"

#include <math.h>

/* turns = quarter/4 + rest/4 up to whole turns, |rest| <= 1/2; returns 2 pi rest/4 as a pair, |angle| <= pi/4. */
static csm_pair reduce_turn(double turns, int *quarter) {
    const double within = turns - floor(turns + 0.5); /* exact */
    const double nearest = csm_nearest(4.0 * within);
    const double rest = within - 0.25 * nearest; /* exact, |rest| <= 1/8 */
    const double two_pi_hi = 0x1.921fb54442d18p+2, two_pi_lo = 0x1.1a62633145c07p-52;
    csm_pair angle = csm_product(rest, two_pi_hi);
    angle.lo += rest * two_pi_lo;
    *quarter = (int)nearest & 3;
    return angle;
}

/* Taylor to a^17, first term left out below 2^-63 of the sum. */
static double sine_kernel(csm_pair a) {
    const double q = a.hi * a.hi;
    const double series =
        -1.0 / 6 +
        q * (1.0 / 120 +
             q * (-1.0 / 5040 +
                  q * (1.0 / 362880 +
                       q * (-1.0 / 39916800 + q * (1.0 / 6227020800 + q * (-1.0 / 1307674368000 +
                                                                           q * (1.0 / 355687428096000)))))));
    return a.hi + (a.hi * q * series + a.lo * (1.0 - 0.5 * q));
}

/* Taylor to a^16. */
static double cosine_kernel(csm_pair a) {
    const double q = a.hi * a.hi;
    const double series =
        1.0 / 24 +
        q * (-1.0 / 720 + q * (1.0 / 40320 + q * (-1.0 / 3628800 +
                                                  q * (1.0 / 479001600 + q * (-1.0 / 87178291200 +
                                                                              q * (1.0 / 20922789888000))))));
    const csm_pair sum = csm_sum_ordered(1.0, -0.5 * q);
    const csm_pair square = csm_product(a.hi, a.hi);
    return sum.hi + (sum.lo + (q * q * series - 0.5 * square.lo - a.hi * a.lo));
}

double csm_cos_turn(double turns) {
    if (!(fabs(turns) < 0x1p53)) return fabs(turns) <= 0x1.fffffffffffffp+1023 ? 1.0 : (double)NAN;
    int quarter;
    const csm_pair angle = reduce_turn(turns, &quarter);
    const double value = quarter & 1 ? sine_kernel(angle) : cosine_kernel(angle);
    return quarter == 1 || quarter == 2 ? 0.0 - value : value; /* a quarter turn gives +0 */
}

double csm_sin_turn(double turns) {
    if (!(fabs(turns) < 0x1p53)) return fabs(turns) <= 0x1.fffffffffffffp+1023 ? 0.0 : (double)NAN;
    int quarter;
    const csm_pair angle = reduce_turn(turns, &quarter);
    const double value = quarter & 1 ? cosine_kernel(angle) : sine_kernel(angle);
    return quarter & 2 ? 0.0 - value : value;
}
