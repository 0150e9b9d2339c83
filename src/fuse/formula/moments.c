/* SPDX-License-Identifier: MIT */
/* Moments of one-bar log returns over the bars that exist. Returns are near zero mean, so raw moments lose nothing. */
#include "fuse/formula.h"
#include "fuse/rolling.h"

#include "core/real.h"

#include <math.h>

/* A variance below this share of the mean square is rounding: the market was flat. */
#define FLAT 1e-12

/* Mean and variance (divided by n) from sums; a flat window gives 0. */
static double central(double sum, double squares, double n, double *mean) {
    *mean = sum / n;
    const double variance = squares / n - *mean * *mean;
    return variance > FLAT * (squares / n) ? variance : variance != variance ? variance : 0.0;
}

/* sums[j] = rolling sum of r^(j+1), j < orders, into scratch[0 .. orders); scratch[7] is used on the way. */
static void power_sums(const csm_subject *subject, const double *r, size_t window, int orders) {
    const size_t n = subject->track->traded;
    double *power = subject->scratch[7];
    for (size_t k = 0; k < n; k++) power[k] = r[k];
    for (int j = 0; j < orders; j++) {
        for (size_t k = 0; j > 0 && k < n; k++) power[k] *= r[k];
        csm_rolling_sum(subject->scratch[j], power, n, window);
    }
}

/* Sample standard deviation of `window` returns. Uses scratch 0, 1, 7. */
static void deviation(const csm_subject *subject, size_t window, double *out) {
    const double n = (double)window;
    power_sums(subject, subject->track->log_return, window, 2);
    for (size_t k = 0; k < subject->track->traded; k++) {
        double mean;
        const double variance = central(subject->scratch[0][k], subject->scratch[1][k], n, &mean);
        out[k] = sqrt(variance * (n / (n - 1)));
    }
}

size_t csm_volatility_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_volatility_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    deviation(subject, csm_feature_window(feature), out);
}

size_t csm_volatility_ratio_memory(const csm_feature *feature) {
    const double longer =
        feature->parameter[0] > feature->parameter[1] ? feature->parameter[0] : feature->parameter[1];
    return (size_t)longer + 1;
}

void csm_volatility_ratio_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    double *other = subject->scratch[2];
    deviation(subject, csm_feature_window(feature), out);
    deviation(subject, (size_t)feature->parameter[1], other);
    for (size_t k = 0; k < subject->track->traded; k++)
        out[k] = out[k] > 0 && other[k] > 0 ? csm_log(out[k] / other[k]) : (double)NAN;
}

size_t csm_downside_volatility_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_downside_volatility_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *square = subject->scratch[0];
    for (size_t k = 0; k < track->traded; k++) {
        const double r = track->log_return[k];
        square[k] = r < 0 ? r * r : r != r ? r : 0.0;
    }
    csm_rolling_sum(out, square, track->traded, window);
    for (size_t k = 0; k < track->traded; k++) out[k] = sqrt(out[k] / (double)window);
}

size_t csm_skewness_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_skewness_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    const double n = (double)window;
    power_sums(subject, subject->track->log_return, window, 3);
    for (size_t k = 0; k < subject->track->traded; k++) {
        double mean;
        const double second = subject->scratch[1][k] / n;
        const double variance = central(subject->scratch[0][k], subject->scratch[1][k], n, &mean);
        const double third = subject->scratch[2][k] / n - 3 * mean * second + 2 * mean * mean * mean;
        out[k] = variance > 0 ? third / (variance * sqrt(variance)) : (double)NAN;
    }
}

size_t csm_kurtosis_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_kurtosis_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    const double n = (double)window;
    power_sums(subject, subject->track->log_return, window, 4);
    for (size_t k = 0; k < subject->track->traded; k++) {
        double mean;
        const double second = subject->scratch[1][k] / n, third = subject->scratch[2][k] / n;
        const double variance = central(subject->scratch[0][k], subject->scratch[1][k], n, &mean);
        const double square = mean * mean;
        const double fourth =
            subject->scratch[3][k] / n - 4 * mean * third + 6 * square * second - 3 * square * square;
        out[k] = variance > 0 ? fourth / (variance * variance) - 3 : (double)NAN;
    }
}

size_t csm_autocorrelation_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

/* sum (r_j - m)(r_{j-1} - m) over the window's w - 1 pairs / sum (r_j - m)^2 over its w returns. */
void csm_autocorrelation_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature), size = subject->track->traded;
    const double n = (double)window;
    const double *r = subject->track->log_return;
    double *product = subject->scratch[2], *pairs = subject->scratch[3];
    for (size_t k = 0; k < size; k++) out[k] = (double)NAN;
    if (window < 2) return;
    power_sums(subject, r, window, 2);
    for (size_t k = 0; k < size; k++) product[k] = k == 0 ? (double)NAN : r[k] * r[k - 1];
    csm_rolling_sum(pairs, product, size, window - 1);
    for (size_t k = window; k < size; k++) {
        double mean;
        const double sum = subject->scratch[0][k];
        const double variance = central(sum, subject->scratch[1][k], n, &mean);
        const double covariance =
            pairs[k] - mean * (2 * sum - r[k] - r[k + 1 - window]) + (n - 1) * mean * mean;
        if (variance > 0) out[k] = covariance / (variance * n);
    }
}

size_t csm_volatility_variation_memory(const csm_feature *feature) {
    return (size_t)feature->parameter[0] + (size_t)feature->parameter[1];
}

void csm_volatility_variation_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const double n = feature->parameter[1];
    double *volatility = subject->scratch[2];
    deviation(subject, csm_feature_window(feature), volatility);
    power_sums(subject, volatility, (size_t)feature->parameter[1], 2);
    for (size_t k = 0; k < subject->track->traded; k++) {
        double mean;
        const double variance = central(subject->scratch[0][k], subject->scratch[1][k], n, &mean);
        out[k] = mean > 0 ? sqrt(variance) / mean : (double)NAN;
    }
}

size_t csm_range_volatility_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_range_volatility_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const double scale = (double)window * 4 * 0.69314718055994530942; /* 4 ln 2 */
    double *square = subject->scratch[0];
    for (size_t k = 0; k < track->traded; k++) {
        const double range = csm_log(track->high[k] / track->low[k]);
        square[k] = range * range;
    }
    csm_rolling_sum(out, square, track->traded, window);
    for (size_t k = 0; k < track->traded; k++) out[k] = sqrt(out[k] / scale);
}

/* Return 0 of a series does not exist; windows that hold it have no value. */
static void hide_first(double *out, size_t n, size_t window) {
    for (size_t k = 0; k < n && k < window; k++) out[k] = (double)NAN;
}

size_t csm_largest_return_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_largest_return_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    csm_rolling_max(out, subject->track->log_return, subject->track->traded, window);
    hide_first(out, subject->track->traded, window);
}

size_t csm_smallest_return_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_smallest_return_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    csm_rolling_min(out, subject->track->log_return, subject->track->traded, window);
    hide_first(out, subject->track->traded, window);
}

size_t csm_rising_share_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_rising_share_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *rises = subject->scratch[0];
    for (size_t k = 0; k < track->traded; k++) rises[k] = track->log_return[k] > 0 ? 1.0 : 0.0;
    csm_rolling_sum(out, rises, track->traded, window);
    for (size_t k = 0; k < track->traded; k++) out[k] /= (double)window;
    hide_first(out, track->traded, window);
}
