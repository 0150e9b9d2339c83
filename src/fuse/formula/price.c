/* SPDX-License-Identifier: MIT */
/* Returns, distances and the shape of a bar, over the bars that exist. */
#include "fuse/formula.h"
#include "fuse/rolling.h"

#include "core/real.h"

#include <math.h>

size_t csm_log_return_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

void csm_log_return_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const double *log_close = subject->track->log_close;
    const size_t n = subject->track->traded, window = csm_feature_window(feature);
    for (size_t k = 0; k < n; k++) out[k] = k < window ? (double)NAN : log_close[k] - log_close[k - window];
}

size_t csm_from_high_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_from_high_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_max(out, track->high, track->traded, csm_feature_window(feature));
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - csm_log(out[k]);
}

size_t csm_from_low_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_from_low_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_min(out, track->low, track->traded, csm_feature_window(feature));
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - csm_log(out[k]);
}

size_t csm_range_position_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_range_position_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    double *low = subject->scratch[0];
    csm_rolling_max(out, track->high, track->traded, csm_feature_window(feature));
    csm_rolling_min(low, track->low, track->traded, csm_feature_window(feature));
    for (size_t k = 0; k < track->traded; k++) {
        const double range = out[k] - low[k];
        out[k] = range == 0 ? 0.5 : (track->close[k] - low[k]) / range;
    }
}

size_t csm_from_mean_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_from_mean_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    csm_rolling_sum(out, track->close, track->traded, window);
    for (size_t k = 0; k < track->traded; k++)
        out[k] = track->log_close[k] - csm_log(out[k] / (double)window);
}

/* ---- the shape of one bar ------------------------------------------------------------------------------------------ */

static double greater(double a, double b) {
    return a > b ? a : b;
}

static double lesser(double a, double b) {
    return a < b ? a : b;
}

size_t csm_body_memory(const csm_feature *feature) {
    (void)feature;
    return 1;
}

void csm_body_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++) out[k] = csm_log(track->close[k] / track->open[k]);
}

size_t csm_upper_shadow_memory(const csm_feature *feature) {
    (void)feature;
    return 1;
}

void csm_upper_shadow_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = csm_log(track->high[k] / greater(track->open[k], track->close[k]));
}

size_t csm_lower_shadow_memory(const csm_feature *feature) {
    (void)feature;
    return 1;
}

void csm_lower_shadow_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = csm_log(lesser(track->open[k], track->close[k]) / track->low[k]);
}

size_t csm_bar_range_memory(const csm_feature *feature) {
    (void)feature;
    return 1;
}

void csm_bar_range_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++) out[k] = csm_log(track->high[k] / track->low[k]);
}

size_t csm_opening_gap_memory(const csm_feature *feature) {
    (void)feature;
    return 2;
}

void csm_opening_gap_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = k == 0 ? (double)NAN : csm_log(track->open[k] / track->close[k - 1]);
}
