/* SPDX-License-Identifier: MIT */
/* Returns, distances and the shape of a bar, over the bars that exist. */
#include "fuse/formula_simd.h"
#include "fuse/logs.h"
#include "fuse/rolling.h"

#include <math.h>

csm_status RUN(log_return)(const csm_feature *feature, csm_subject *subject, double *out) {
    const double *log_close = subject->track->log_close;
    const size_t n = subject->track->traded, window = csm_feature_window(feature);
    for (size_t k = 0; k < n && k < window; k++) out[k] = (double)NAN;
    for (size_t k = window; k < n; k++) out[k] = log_close[k] - log_close[k - window];
    return CSM_OK;
}

csm_status RUN(from_high)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_max(out, track->log_high, track->traded, csm_feature_window(feature), subject->room);
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - out[k];
    return CSM_OK;
}

csm_status RUN(from_low)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_min(out, track->log_low, track->traded, csm_feature_window(feature), subject->room);
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - out[k];
    return CSM_OK;
}

csm_status RUN(range_position)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    double *low = subject->scratch[0];
    csm_rolling_max(out, track->high, track->traded, csm_feature_window(feature), subject->room);
    csm_rolling_min(low, track->low, track->traded, csm_feature_window(feature), subject->room);
    for (size_t k = 0; k < track->traded; k++) {
        const double range = out[k] - low[k];
        const double flat = range == 0 ? 0.5 : 0.0; /* (0 + 0.5) / 1 */
        out[k] = (track->close[k] - low[k] + flat) / (range == 0 ? 1.0 : range);
    }
    return CSM_OK;
}

csm_status RUN(from_mean)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const csm_sums *sums = NULL;
    const csm_status status =
        csm_subject_sums(&sums, subject, CSM_FAMILY_TRADED, window, CSM_COLUMN(CSM_TRADED_CLOSE));
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

csm_status RUN(body)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - track->log_open[k];
    return CSM_OK;
}

csm_status RUN(upper_shadow)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = track->log_high[k] - greater(track->log_open[k], track->log_close[k]);
    return CSM_OK;
}

csm_status RUN(lower_shadow)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = lesser(track->log_open[k], track->log_close[k]) - track->log_low[k];
    return CSM_OK;
}

csm_status RUN(bar_range)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_high[k] - track->log_low[k];
    return CSM_OK;
}

csm_status RUN(opening_gap)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    (void)feature;
    if (track->traded > 0) out[0] = (double)NAN;
    for (size_t k = 1; k < track->traded; k++) out[k] = track->log_open[k] - track->log_close[k - 1];
    return CSM_OK;
}
