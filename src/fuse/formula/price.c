/* SPDX-License-Identifier: MIT */
/* Returns, distances and the shape of a bar, over the bars that exist. */
#include "fuse/formula.h"
#include "fuse/logs.h"
#include "fuse/rolling.h"

#include <math.h>

size_t csm_log_return_memory(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

csm_status csm_log_return_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const double *log_close = subject->track->log_close;
    const size_t n = subject->track->traded, window = csm_feature_window(feature);
    for (size_t k = 0; k < n && k < window; k++) out[k] = (double)NAN;
    for (size_t k = window; k < n; k++) out[k] = log_close[k] - log_close[k - window];
    return CSM_OK;
}

size_t csm_from_high_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

csm_status csm_from_high_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_max(out, track->log_high, track->traded, csm_feature_window(feature));
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - out[k];
    return CSM_OK;
}

size_t csm_from_low_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

csm_status csm_from_low_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_min(out, track->log_low, track->traded, csm_feature_window(feature));
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - out[k];
    return CSM_OK;
}

size_t csm_range_position_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

csm_status csm_range_position_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    double *low = subject->scratch[0];
    csm_rolling_max(out, track->high, track->traded, csm_feature_window(feature));
    csm_rolling_min(low, track->low, track->traded, csm_feature_window(feature));
    for (size_t k = 0; k < track->traded; k++) {
        const double range = out[k] - low[k];
        out[k] = range == 0 ? 0.5 : (track->close[k] - low[k]) / range;
    }
    return CSM_OK;
}

size_t csm_from_mean_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

csm_status csm_from_mean_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const csm_sums *sums = NULL;
    const csm_status status = csm_subject_sums(&sums, subject, CSM_FAMILY_TRADED, window);
    if (status) return status;
    const double *sum = sums->column[CSM_TRADED_CLOSE];
    for (size_t k = 0; k < track->traded; k++) out[k] = sum[k] / (double)window;
    csm_logs(out, out, track->traded);
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - out[k];
    return CSM_OK;
}

/* ---- the shape of one bar ------------------------------------------------------------------------------- */

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

csm_status csm_body_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - track->log_open[k];
    return CSM_OK;
}

size_t csm_upper_shadow_memory(const csm_feature *feature) {
    (void)feature;
    return 1;
}

csm_status csm_upper_shadow_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = track->log_high[k] - greater(track->log_open[k], track->log_close[k]);
    return CSM_OK;
}

size_t csm_lower_shadow_memory(const csm_feature *feature) {
    (void)feature;
    return 1;
}

csm_status csm_lower_shadow_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = lesser(track->log_open[k], track->log_close[k]) - track->log_low[k];
    return CSM_OK;
}

size_t csm_bar_range_memory(const csm_feature *feature) {
    (void)feature;
    return 1;
}

csm_status csm_bar_range_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_high[k] - track->log_low[k];
    return CSM_OK;
}

size_t csm_opening_gap_memory(const csm_feature *feature) {
    (void)feature;
    return 2;
}

csm_status csm_opening_gap_run(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    if (track->traded > 0) out[0] = (double)NAN;
    for (size_t k = 1; k < track->traded; k++) out[k] = track->log_open[k] - track->log_close[k - 1];
    return CSM_OK;
}
