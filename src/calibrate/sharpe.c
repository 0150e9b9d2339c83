/* SPDX-License-Identifier: MIT */
/* Sharpe ratio with what it is worth: autocorrelation, fat tails, and the number of trials it was picked from. */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

#define EULER 0.57721566490153286061
#define E 2.71828182845904523536
#define ROUNDING 1e-13  /* of the mean, relative: less than that is no deviation */
#define RETURN_MAX 1e75 /* fourth powers stay finite */

void csm_calibrate_sharpe_options_init(csm_sharpe_options *options) {
    *options = (csm_sharpe_options){.size = sizeof *options, .trials = 1, .lags = CSM_LAGS_AUTOMATIC};
}

static csm_status check(const csm_sharpe_options *o, const double *returns, size_t n) {
    if (!isfinite(o->benchmark)) return csm_fail(CSM_EINVAL, "sharpe: benchmark %g", o->benchmark);
    if (o->trials < 1) return csm_fail(CSM_EINVAL, "sharpe: 0 trials; the one that was kept counts");
    if (!(o->trial_deviation >= 0) || !isfinite(o->trial_deviation))
        return csm_fail(CSM_EINVAL, "sharpe: trial_deviation %g is below 0", o->trial_deviation);
    if (n < 3) return csm_fail(CSM_ENODATA, "sharpe: %zu returns are fewer than 3", n);
    if (!returns) return csm_fail(CSM_EINVAL, "sharpe: returns is NULL");
    if (o->lags != CSM_LAGS_AUTOMATIC && o->lags >= n)
        return csm_fail(CSM_EINVAL, "sharpe: %u lags of %zu returns", o->lags, n);
    for (size_t i = 0; i < n; i++) {
        if (!(fabs(returns[i]) <= RETURN_MAX))
            return csm_fail(CSM_EINVAL, "sharpe: return %zu is %g", i, returns[i]);
    }
    return CSM_OK;
}

/* Of the mean, with Bartlett's weights (Newey & West 1987). */
static double standard_error(const double *returns, size_t n, double mean, uint32_t lags) {
    double variance = 0;
    for (size_t lag = 0; lag <= lags; lag++) {
        double sum = 0;
        for (size_t i = lag; i < n; i++) sum += (returns[i] - mean) * (returns[i - lag] - mean);
        variance += sum * (lag ? 2 * (1 - (double)lag / ((double)lags + 1)) : 1);
    }
    return sqrt(variance > 0 ? variance : 0) / (double)n;
}

/* Returns are in numbers of any size: moments are taken of multiples of the deviation. */
static void add_moments(csm_sharpe *out, const double *returns, size_t n) {
    double squares = 0, third = 0, fourth = 0;
    for (size_t i = 0; i < n; i++) out->mean += returns[i] / (double)n;
    for (size_t i = 0; i < n; i++) squares += (returns[i] - out->mean) * (returns[i] - out->mean);
    double biased = sqrt(squares / (double)n);
    out->deviation = sqrt(squares / ((double)n - 1));
    for (size_t i = 0; i < n && biased > 0; i++) {
        double z = (returns[i] - out->mean) / biased;
        third += z * z * z;
        fourth += z * z * z * z;
    }
    out->skewness = third / (double)n;
    out->kurtosis = fourth / (double)n;
}

/* Probability that the true ratio exceeds `benchmark`. */
static double exceeds(const csm_sharpe *s, double benchmark) {
    double spread = 1 - s->skewness * s->sharpe + (s->kurtosis - 1) / 4 * s->sharpe * s->sharpe;
    double distance = (s->sharpe - benchmark) * sqrt((double)s->rows - 1);
    if (!(spread > 0)) return distance > 0 ? 1 : 0;
    return csm_normal_cdf(distance / sqrt(spread));
}

/* Largest of n draws from a normal distribution around 0, on average (Bailey & Lopez de Prado 2014, equation 1). */
static double expected_maximum(uint64_t n, double deviation) {
    if (n == 1) return 0;
    double first = -csm_normal_quantile(1 / (double)n), second = -csm_normal_quantile(1 / ((double)n * E));
    return deviation * ((1 - EULER) * first + EULER * second);
}

static uint32_t automatic_lags(size_t n) {
    double lags = floor(4 * csm_exp(2.0 / 9 * csm_log((double)n / 100)));
    return lags < (double)n - 1 ? (uint32_t)lags : (uint32_t)(n - 1);
}

csm_status csm_calibrate_sharpe(csm_sharpe *out, const double *returns, size_t n,
                                const csm_sharpe_options *user) {
    csm_sharpe_options options;
    if (!out) return csm_fail(CSM_EINVAL, "sharpe: out is NULL");
    csm_calibrate_sharpe_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_sharpe_options");
    if (!status) status = check(&options, returns, n);
    if (status) return status;
    csm_sharpe s = {.rows = n, .lags = options.lags == CSM_LAGS_AUTOMATIC ? automatic_lags(n) : options.lags};
    add_moments(&s, returns, n);
    if (!(s.deviation > ROUNDING * fabs(s.mean)))
        return csm_fail(CSM_ENODATA, "sharpe: all returns are %g", s.mean);
    s.standard_error = standard_error(returns, n, s.mean, s.lags);
    s.sharpe = s.mean / s.deviation;
    s.probabilistic = exceeds(&s, options.benchmark);
    double luck = 1 / sqrt((double)n - 1);
    s.expected_best =
        expected_maximum(options.trials, options.trial_deviation > 0 ? options.trial_deviation : luck);
    s.deflated = exceeds(&s, s.expected_best);
    *out = s;
    return CSM_OK;
}
