/* SPDX-License-Identifier: MIT */
/* Volume. Windows that count volume run over bars of which anything is known: nobody trading is a volume of 0. */
#include "fuse/formula.h"
#include "fuse/rolling.h"

#include "core/real.h"

#include <math.h>

/* log(1 + a / b), so that no trade in a bar is 0 and not minus infinity; no value where nothing traded in the window. */
static double log_share(double a, double b) {
    return b > 0 ? csm_log1p(a / b) : (double)NAN;
}

size_t csm_volume_to_mean_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_volume_to_mean_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    csm_rolling_sum(out, track->known_volume, track->known, window);
    for (size_t k = 0; k < track->known; k++)
        out[k] = log_share(track->known_volume[k], out[k] / (double)window);
}

size_t csm_volume_to_median_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_volume_to_median_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_median(out, track->known_volume, track->known, csm_feature_window(feature),
                       subject->scratch[0]);
    for (size_t k = 0; k < track->known; k++) out[k] = log_share(track->known_volume[k], out[k]);
}

size_t csm_volume_mean_ratio_memory(const csm_feature *feature) {
    return (size_t)(feature->parameter[0] > feature->parameter[1] ? feature->parameter[0]
                                                                  : feature->parameter[1]);
}

void csm_volume_mean_ratio_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    double *other = subject->scratch[0];
    csm_rolling_sum(out, track->known_volume, track->known, csm_feature_window(feature));
    csm_rolling_sum(other, track->known_volume, track->known, (size_t)feature->parameter[1]);
    for (size_t k = 0; k < track->known; k++)
        out[k] = log_share(out[k] / feature->parameter[0], other[k] / feature->parameter[1]);
}

size_t csm_volume_trend_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

/* Least squares on the bar's place: slope = (sum i v - mean(i) sum v) / (w (w^2 - 1) / 12). */
void csm_volume_trend_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const double w = (double)window, spread = w * (w * w - 1) / 12;
    double *weighted = subject->scratch[0], *moment = subject->scratch[1];
    for (size_t k = 0; k < track->known; k++) weighted[k] = (double)k * track->known_volume[k];
    csm_rolling_sum(out, track->known_volume, track->known, window);
    csm_rolling_sum(moment, weighted, track->known, window);
    for (size_t k = 0; k < track->known; k++) {
        const double middle = (double)k - 0.5 * (w - 1);
        const double slope = (moment[k] - middle * out[k]) / spread;
        out[k] = out[k] > 0 && window > 1 ? slope * w / (out[k] / w) : (double)NAN;
    }
}

size_t csm_volume_variation_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_volume_variation_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *square = subject->scratch[0], *squares = subject->scratch[1];
    for (size_t k = 0; k < track->known; k++) square[k] = track->known_volume[k] * track->known_volume[k];
    csm_rolling_sum(out, track->known_volume, track->known, window);
    csm_rolling_sum(squares, square, track->known, window);
    for (size_t k = 0; k < track->known; k++) {
        const double mean = out[k] / (double)window;
        const double variance = squares[k] / (double)window - mean * mean;
        out[k] = mean > 0 ? sqrt(variance > 0 ? variance : 0) / mean : (double)NAN;
    }
}

/* Close times volume of each known bar. */
static void bar_values(const csm_track *track, double *value) {
    size_t traded = 0;
    for (size_t k = 0; k < track->known; k++) {
        value[k] = 0;
        if (traded == track->traded || track->slot[traded] != track->known_slot[k]) continue;
        value[k] = track->close[traded] * track->volume[traded];
        traded++;
    }
}

size_t csm_traded_value_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_traded_value_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    bar_values(track, subject->scratch[0]);
    csm_rolling_sum(out, subject->scratch[0], track->known, window);
    for (size_t k = 0; k < track->known; k++) out[k] = csm_log1p(out[k] / (double)window);
}

size_t csm_idle_share_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_idle_share_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *idle = subject->scratch[0];
    size_t traded = 0;
    for (size_t k = 0; k < track->known; k++) {
        const bool trades = traded < track->traded && track->slot[traded] == track->known_slot[k];
        idle[k] = trades ? 0.0 : 1.0;
        traded += trades;
    }
    csm_rolling_sum(out, idle, track->known, window);
    for (size_t k = 0; k < track->known; k++) out[k] /= (double)window;
}

/* ---- over the bars that traded --------------------------------------------------------------------------------------- */

/* Return 0 of a series does not exist; windows that hold it have no value. */
static void hide_first(double *out, size_t n, size_t window) {
    for (size_t k = 0; k < n && k < window; k++) out[k] = (double)NAN;
}

size_t csm_illiquidity_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

/* Bars whose volume was received as 0 have no ratio; the mean is over the others. */
void csm_illiquidity_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *ratio = subject->scratch[0], *counts = subject->scratch[1], *count = subject->scratch[2];
    for (size_t k = 0; k < track->traded; k++) {
        const double value = track->close[k] * track->volume[k];
        const bool usable = value > 0 && k > 0;
        ratio[k] = usable ? fabs(track->log_return[k]) / value : 0.0;
        counts[k] = usable ? 1.0 : 0.0;
    }
    csm_rolling_sum(out, ratio, track->traded, window);
    csm_rolling_sum(count, counts, track->traded, window);
    for (size_t k = 0; k < track->traded; k++)
        out[k] = count[k] > 0 ? csm_log1p(1e9 * (out[k] / count[k])) : (double)NAN;
    hide_first(out, track->traded, window);
}

size_t csm_rising_volume_share_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_rising_volume_share_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *rising = subject->scratch[0], *all = subject->scratch[1];
    for (size_t k = 0; k < track->traded; k++) rising[k] = track->log_return[k] > 0 ? track->volume[k] : 0.0;
    csm_rolling_sum(out, rising, track->traded, window);
    csm_rolling_sum(all, track->volume, track->traded, window);
    for (size_t k = 0; k < track->traded; k++) out[k] = all[k] > 0 ? out[k] / all[k] : (double)NAN;
    hide_first(out, track->traded, window);
}

size_t csm_from_vwap_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_from_vwap_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *value = subject->scratch[0], *volume = subject->scratch[1];
    for (size_t k = 0; k < track->traded; k++) value[k] = track->close[k] * track->volume[k];
    csm_rolling_sum(out, value, track->traded, window);
    csm_rolling_sum(volume, track->volume, track->traded, window);
    for (size_t k = 0; k < track->traded; k++)
        out[k] = volume[k] > 0 ? track->log_close[k] - csm_log(out[k] / volume[k]) : (double)NAN;
}

size_t csm_return_volume_correlation_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_return_volume_correlation_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t n = track->traded, window = csm_feature_window(feature);
    double *const *s = subject->scratch;
    const double w = (double)window;
    for (size_t k = 0; k < n; k++) {
        s[0][k] = k == 0 ? 0.0 : track->log_return[k];
        s[1][k] = s[0][k] * s[0][k];
        s[2][k] = s[0][k] * track->volume[k];
        s[3][k] = track->volume[k] * track->volume[k];
    }
    csm_rolling_sum(s[4], s[0], n, window);
    csm_rolling_sum(s[5], s[1], n, window);
    csm_rolling_sum(s[6], s[2], n, window);
    csm_rolling_sum(s[7], s[3], n, window);
    csm_rolling_sum(out, track->volume, n, window);
    for (size_t k = 0; k < n; k++) {
        const double returns = s[5][k] - s[4][k] * s[4][k] / w, volumes = s[7][k] - out[k] * out[k] / w;
        const double together = s[6][k] - s[4][k] * out[k] / w;
        const bool varies = returns > 1e-12 * s[5][k] && volumes > 1e-12 * s[7][k];
        out[k] = varies ? together / (sqrt(returns) * sqrt(volumes)) : (double)NAN;
    }
    hide_first(out, n, window);
}
