/* SPDX-License-Identifier: MIT */
/* Moments of one-bar log returns over the bars that exist. Returns are near zero mean, so raw moments lose nothing. */
#include "fuse/formula_simd.h"
#include "fuse/logs.h"
#include "fuse/rolling.h"

#include <math.h>

/* A variance below this share of the mean square is rounding: the market was flat. */
#define FLAT 1e-12

/* Variance (divided by n) from sums; a flat window gives 0. */
static inline double variance_of(double sum, double squares, double n) {
    const double mean = sum / n, square = squares / n;
    const double variance = square - mean * mean;
    return variance <= FLAT * square ? 0.0 : variance;
}

/* Sums of the first `powers` powers of the returns. */
static csm_status return_sums(const double **column, csm_subject *subject, size_t window, int powers) {
    const csm_sums *sums = NULL;
    const csm_status status =
        csm_subject_sums(&sums, subject, CSM_FAMILY_RETURNS, window, CSM_COLUMN(powers) - 1);
    for (int c = 0; c < 4 && !status; c++) column[c] = sums->column[c];
    return status;
}

/* Return 0 of a series does not exist; windows that hold it have no value. */
static void hide_first(double *out, size_t n, size_t window) {
    for (size_t k = 0; k < n && k < window; k++) out[k] = (double)NAN;
}

/* Sample standard deviation of `window` returns. */
static csm_status deviation(csm_subject *subject, size_t window, double *out) {
    const double n = (double)window, sample = n / (n - 1);
    const double *s[4];
    const csm_status status = return_sums(s, subject, window, 2);
    for (size_t k = 0; k < subject->track->traded && !status; k++)
        out[k] = sqrt(variance_of(s[CSM_RETURN_1][k], s[CSM_RETURN_2][k], n) * sample);
    return status;
}

csm_status RUN(volatility)(const csm_feature *feature, csm_subject *subject, double *out) {
    return deviation(subject, csm_feature_window(feature), out);
}

/* The logarithm of the root of the ratio of variances. */
csm_status RUN(volatility_ratio)(const csm_feature *feature, csm_subject *subject, double *out) {
    const double n = feature->parameter[0], m = feature->parameter[1];
    const double sample = (n / (n - 1)) / (m / (m - 1));
    const double *s[4], *t[4];
    csm_status status = return_sums(s, subject, (size_t)n, 2);
    if (!status) status = return_sums(t, subject, (size_t)m, 2);
    for (size_t k = 0; k < subject->track->traded && !status; k++) {
        const double a = variance_of(s[CSM_RETURN_1][k], s[CSM_RETURN_2][k], n);
        const double b = variance_of(t[CSM_RETURN_1][k], t[CSM_RETURN_2][k], m);
        out[k] = positive(a) / positive(b) * sample;
    }
    if (status) return status;
    csm_logs(out, out, subject->track->traded);
    for (size_t k = 0; k < subject->track->traded; k++) out[k] *= 0.5;
    return CSM_OK;
}

csm_status RUN(downside_volatility)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *square = subject->scratch[0];
    for (size_t k = 0; k < track->traded; k++) {
        const double r = track->log_return[k];
        square[k] = r < 0 ? r * r : 0.0;
    }
    csm_rolling_sum(out, square, track->traded, window, subject->room);
    for (size_t k = 0; k < track->traded; k++) out[k] = sqrt(out[k] / (double)window);
    hide_first(out, track->traded, window);
    return CSM_OK;
}

csm_status RUN(skewness)(const csm_feature *feature, csm_subject *subject, double *out) {
    const double n = feature->parameter[0];
    const double *s[4];
    const csm_status status = return_sums(s, subject, (size_t)n, 3);
    for (size_t k = 0; k < subject->track->traded && !status; k++) {
        const double mean = s[CSM_RETURN_1][k] / n, second = s[CSM_RETURN_2][k] / n;
        const double variance = variance_of(s[CSM_RETURN_1][k], s[CSM_RETURN_2][k], n);
        const double third = s[CSM_RETURN_3][k] / n - 3 * mean * second + 2 * mean * mean * mean;
        out[k] = third / (positive(variance) * sqrt(variance));
    }
    return status;
}

csm_status RUN(kurtosis)(const csm_feature *feature, csm_subject *subject, double *out) {
    const double n = feature->parameter[0];
    const double *s[4];
    const csm_status status = return_sums(s, subject, (size_t)n, 4);
    for (size_t k = 0; k < subject->track->traded && !status; k++) {
        const double mean = s[CSM_RETURN_1][k] / n, second = s[CSM_RETURN_2][k] / n;
        const double third = s[CSM_RETURN_3][k] / n, square = mean * mean;
        const double variance = variance_of(s[CSM_RETURN_1][k], s[CSM_RETURN_2][k], n);
        const double fourth =
            s[CSM_RETURN_4][k] / n - 4 * mean * third + 6 * square * second - 3 * square * square;
        out[k] = fourth / (positive(variance) * variance) - 3;
    }
    return status;
}

/* sum (r_j - m)(r_{j-1} - m) over the window's w - 1 pairs / sum (r_j - m)^2 over its w returns. */
csm_status RUN(autocorrelation)(const csm_feature *feature, csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature), size = subject->track->traded;
    const double n = (double)window;
    const double *r = subject->track->log_return, *s[4];
    double *product = subject->scratch[0], *pairs = subject->scratch[1];
    hide_first(out, size, window < 2 ? size : window);
    if (window < 2 || size == 0) return CSM_OK;
    const csm_status status = return_sums(s, subject, window, 2);
    if (status) return status;
    product[0] = (double)NAN;
    for (size_t k = 1; k < size; k++) product[k] = r[k] * r[k - 1];
    csm_rolling_sum(pairs, product, size, window - 1, subject->room);
    for (size_t k = window; k < size; k++) {
        const double sum = s[CSM_RETURN_1][k], mean = sum / n;
        const double variance = variance_of(sum, s[CSM_RETURN_2][k], n);
        const double ends = r[k] + r[k + 1 - window];
        const double covariance = pairs[k] - mean * (2 * sum - ends) + (n - 1) * mean * mean;
        out[k] = covariance / (positive(variance) * n);
    }
    return CSM_OK;
}

csm_status RUN(volatility_variation)(const csm_feature *feature, csm_subject *subject, double *out) {
    const size_t size = subject->track->traded, window = (size_t)feature->parameter[1];
    const double n = feature->parameter[1];
    double *const *x = subject->scratch;
    const csm_status status = deviation(subject, csm_feature_window(feature), x[0]);
    if (status) return status;
    for (size_t k = 0; k < size; k++) x[1][k] = x[0][k] * x[0][k];
    csm_rolling_sum(x[2], x[0], size, window, subject->room);
    csm_rolling_sum(x[3], x[1], size, window, subject->room);
    for (size_t k = 0; k < size; k++) {
        const double mean = x[2][k] / n;
        out[k] = sqrt(variance_of(x[2][k], x[3][k], n)) / positive(mean);
    }
    return CSM_OK;
}

csm_status RUN(range_volatility)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const double scale = (double)window * 4 * 0.69314718055994530942; /* 4 ln 2 */
    double *square = subject->scratch[0];
    for (size_t k = 0; k < track->traded; k++) {
        const double range = track->log_high[k] - track->log_low[k];
        square[k] = range * range;
    }
    csm_rolling_sum(out, square, track->traded, window, subject->room);
    for (size_t k = 0; k < track->traded; k++) out[k] = sqrt(out[k] / scale);
    return CSM_OK;
}

csm_status RUN(largest_return)(const csm_feature *feature, csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    csm_rolling_max(out, subject->track->log_return, subject->track->traded, window, subject->room);
    hide_first(out, subject->track->traded, window);
    return CSM_OK;
}

csm_status RUN(smallest_return)(const csm_feature *feature, csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    csm_rolling_min(out, subject->track->log_return, subject->track->traded, window, subject->room);
    hide_first(out, subject->track->traded, window);
    return CSM_OK;
}

csm_status RUN(rising_share)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *rises = subject->scratch[0];
    for (size_t k = 0; k < track->traded; k++) rises[k] = track->log_return[k] > 0 ? 1.0 : 0.0;
    csm_rolling_sum(out, rises, track->traded, window, subject->room);
    for (size_t k = 0; k < track->traded; k++) out[k] /= (double)window;
    hide_first(out, track->traded, window);
    return CSM_OK;
}
