/* SPDX-License-Identifier: MIT */
/* Technical indicators freed of the price's and volume's scale. subject->indicator holds every output of the bar. */
#include "fuse/formula_simd.h"
#include "fuse/logs.h"

#include <math.h>

/* The feature's output of bar k. */
static double value_at(const csm_feature *feature, const csm_subject *subject, size_t k, uint32_t output) {
    return subject->indicator[k * feature->indicator->output_count + output];
}

csm_status RUN(indicator_value)(const csm_feature *feature, csm_subject *subject, double *out) {
    for (size_t k = 0; k < subject->track->traded; k++)
        out[k] = value_at(feature, subject, k, feature->output);
    return CSM_OK;
}

csm_status RUN(indicator_distance)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    for (size_t k = 0; k < track->traded; k++) out[k] = value_at(feature, subject, k, feature->output);
    csm_logs(out, out, track->traded);
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - out[k];
    return CSM_OK;
}

csm_status RUN(indicator_share)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    for (size_t k = 0; k < track->traded; k++)
        out[k] = value_at(feature, subject, k, feature->output) / track->close[k];
    csm_log1ps(out, out, track->traded);
    return CSM_OK;
}

csm_status RUN(indicator_spread)(const csm_feature *feature, csm_subject *subject, double *out) {
    for (size_t k = 0; k < subject->track->traded; k++) {
        const double width = value_at(feature, subject, k, 0) - value_at(feature, subject, k, 2);
        out[k] = width / value_at(feature, subject, k, 1);
    }
    return CSM_OK;
}

csm_status RUN(indicator_flow)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const csm_sums *sums = NULL;
    const csm_status status =
        csm_subject_sums(&sums, subject, CSM_FAMILY_TRADED, window, CSM_COLUMN(CSM_TRADED_VOLUME));
    if (status) return status;
    const double *volume = sums->column[CSM_TRADED_VOLUME];
    for (size_t k = 0; k < track->traded && k < window; k++) out[k] = (double)NAN;
    for (size_t k = window; k < track->traded; k++) {
        const double change = value_at(feature, subject, k, feature->output) -
                              value_at(feature, subject, k - window, feature->output);
        out[k] = change / positive(volume[k]);
    }
    return CSM_OK;
}
