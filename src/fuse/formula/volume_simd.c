/* SPDX-License-Identifier: MIT */
/* Volume. Windows that count volume run over bars of which anything is known: nobody trading is a volume of 0. */
#include "fuse/formula_simd.h"
#include "fuse/logs.h"
#include "fuse/rolling.h"

#include <math.h>

/* Shares enter as log(1 + a / b), so that no trade in a bar is 0 and not minus infinity; there is none where nothing
 * traded in the window. */
static inline double share_of(double a, double b) {
    return a / positive(b);
}

/* One column of a family's sums. */
static csm_status sum_of(const double **out, csm_subject *subject, csm_family family, int column,
                         size_t window) {
    const csm_sums *sums = NULL;
    const csm_status status = csm_subject_sums(&sums, subject, family, window, CSM_COLUMN(column));
    *out = status ? NULL : sums->column[column];
    return status;
}

csm_status RUN(volume_to_mean)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const double *sum;
    const csm_status status = sum_of(&sum, subject, CSM_FAMILY_KNOWN, CSM_KNOWN_VOLUME, window);
    for (size_t k = 0; k < track->known && !status; k++)
        out[k] = share_of(track->known_volume[k], sum[k] / (double)window);
    if (!status) csm_log1ps(out, out, track->known);
    return status;
}

csm_status RUN(volume_to_median)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    csm_rolling_median(out, track->known_volume, track->known, csm_feature_window(feature),
                       (double *const[]){subject->scratch[0], subject->scratch[1]});
    for (size_t k = 0; k < track->known; k++) out[k] = share_of(track->known_volume[k], out[k]);
    csm_log1ps(out, out, track->known);
    return CSM_OK;
}

csm_status RUN(volume_mean_ratio)(const csm_feature *feature, csm_subject *subject, double *out) {
    const double *p = feature->parameter, *a, *b;
    csm_status status = sum_of(&a, subject, CSM_FAMILY_KNOWN, CSM_KNOWN_VOLUME, (size_t)p[0]);
    if (!status) status = sum_of(&b, subject, CSM_FAMILY_KNOWN, CSM_KNOWN_VOLUME, (size_t)p[1]);
    for (size_t k = 0; k < subject->track->known && !status; k++) out[k] = share_of(a[k] / p[0], b[k] / p[1]);
    if (!status) csm_log1ps(out, out, subject->track->known);
    return status;
}

/* Least squares on the bar's place: slope = (sum i v - mean(i) sum v) / (w (w^2 - 1) / 12). */
csm_status RUN(volume_trend)(const csm_feature *feature, csm_subject *subject, double *out) {
    const double w = feature->parameter[0], spread = w * (w * w - 1) / 12;
    const csm_sums *sums = NULL;
    const csm_status status = csm_subject_sums(&sums, subject, CSM_FAMILY_KNOWN, csm_feature_window(feature),
                                               CSM_COLUMN(CSM_KNOWN_VOLUME) | CSM_COLUMN(CSM_KNOWN_PLACED));
    if (status) return status;
    if (!(w > 1)) {
        for (size_t k = 0; k < subject->track->known; k++) out[k] = (double)NAN;
        return CSM_OK;
    }
    const double *volume = sums->column[CSM_KNOWN_VOLUME], *placed = sums->column[CSM_KNOWN_PLACED];
    for (size_t k = 0; k < subject->track->known; k++) {
        const double middle = (double)(int64_t)k - 0.5 * (w - 1);
        const double slope = (placed[k] - middle * volume[k]) / spread;
        out[k] = slope * w / (positive(volume[k]) / w);
    }
    return CSM_OK;
}

csm_status RUN(volume_variation)(const csm_feature *feature, csm_subject *subject, double *out) {
    const double w = feature->parameter[0];
    const csm_sums *sums = NULL;
    const csm_status status = csm_subject_sums(&sums, subject, CSM_FAMILY_KNOWN, csm_feature_window(feature),
                                               CSM_COLUMN(CSM_KNOWN_VOLUME) | CSM_COLUMN(CSM_KNOWN_SQUARE));
    if (status) return status;
    const double *volume = sums->column[CSM_KNOWN_VOLUME], *squares = sums->column[CSM_KNOWN_SQUARE];
    for (size_t k = 0; k < subject->track->known; k++) {
        const double mean = volume[k] / w, variance = squares[k] / w - mean * mean;
        out[k] = sqrt(variance > 0 ? variance : 0) / positive(mean);
    }
    return CSM_OK;
}

csm_status RUN(traded_value)(const csm_feature *feature, csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    const double *sum;
    const csm_status status = sum_of(&sum, subject, CSM_FAMILY_KNOWN, CSM_KNOWN_VALUE, window);
    for (size_t k = 0; k < subject->track->known && !status; k++) out[k] = sum[k] / (double)window;
    if (!status) csm_log1ps(out, out, subject->track->known);
    return status;
}

csm_status RUN(idle_share)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    for (size_t k = 0; k < track->known; k++) {
        if (k + 1 < window) {
            out[k] = (double)NAN;
            continue;
        }
        const size_t first = track->known_slot[k + 1 - window];
        const uint32_t before = first > 0 ? track->traded_count[first - 1] : 0;
        const uint32_t trades = track->traded_count[track->known_slot[k]] - before;
        out[k] = 1 - (double)trades / (double)window;
    }
    return CSM_OK;
}

/* ---- over the bars that traded -------------------------------------------------------------------------- */

/* Return 0 of a series does not exist; windows that hold it have no value. */
static void hide_first(double *out, size_t n, size_t window) {
    for (size_t k = 0; k < n && k < window; k++) out[k] = (double)NAN;
}

/* Bars whose volume was received as 0 have no ratio; the mean is over the others. */
csm_status RUN(illiquidity)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *const *x = subject->scratch;
    double *restrict ratio = x[0], *restrict usable = x[1];
    for (size_t k = 0; k < track->traded; k++) {
        const double value = track->close[k] * track->volume[k];
        const double moved = value > 0 ? fabs(track->log_return[k]) : 0.0;
        ratio[k] = moved / (value > 0 ? value : 1.0);
        usable[k] = value > 0 ? 1.0 : 0.0;
    }
    if (track->traded > 0) ratio[0] = usable[0] = 0; /* return 0 of a series does not exist */
    csm_rolling_sum(x[2], x[0], track->traded, window, subject->room);
    csm_rolling_sum(x[3], x[1], track->traded, window, subject->room);
    for (size_t k = 0; k < track->traded; k++) out[k] = 1e9 * (x[2][k] / positive(x[3][k]));
    csm_log1ps(out, out, track->traded);
    hide_first(out, track->traded, window);
    return CSM_OK;
}

csm_status RUN(rising_volume_share)(const csm_feature *feature, csm_subject *subject, double *out) {
    const size_t window = csm_feature_window(feature);
    const csm_sums *sums = NULL;
    const csm_status status = csm_subject_sums(&sums, subject, CSM_FAMILY_TRADED, window,
                                               CSM_COLUMN(CSM_TRADED_VOLUME) | CSM_COLUMN(CSM_TRADED_RISING));
    if (status) return status;
    const double *rising = sums->column[CSM_TRADED_RISING], *all = sums->column[CSM_TRADED_VOLUME];
    for (size_t k = 0; k < subject->track->traded; k++) out[k] = share_of(rising[k], all[k]);
    hide_first(out, subject->track->traded, window);
    return CSM_OK;
}

csm_status RUN(from_vwap)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const csm_sums *sums = NULL;
    const csm_status status = csm_subject_sums(&sums, subject, CSM_FAMILY_TRADED, csm_feature_window(feature),
                                               CSM_COLUMN(CSM_TRADED_VOLUME) | CSM_COLUMN(CSM_TRADED_VALUE));
    if (status) return status;
    const double *value = sums->column[CSM_TRADED_VALUE], *volume = sums->column[CSM_TRADED_VOLUME];
    for (size_t k = 0; k < track->traded; k++) out[k] = share_of(value[k], volume[k]);
    csm_logs(out, out, track->traded);
    for (size_t k = 0; k < track->traded; k++) out[k] = track->log_close[k] - out[k];
    return CSM_OK;
}

csm_status RUN(return_volume_correlation)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t n = track->traded, window = csm_feature_window(feature);
    const double w = (double)window, *r, *rr, *volume;
    double *const *x = subject->scratch;
    csm_status status = sum_of(&r, subject, CSM_FAMILY_RETURNS, CSM_RETURN_1, window);
    if (!status) status = sum_of(&rr, subject, CSM_FAMILY_RETURNS, CSM_RETURN_2, window);
    if (!status) status = sum_of(&volume, subject, CSM_FAMILY_TRADED, CSM_TRADED_VOLUME, window);
    if (status) return status;
    for (size_t k = 0; k < n; k++) {
        x[0][k] = track->log_return[k] * track->volume[k];
        x[1][k] = track->volume[k] * track->volume[k];
    }
    csm_rolling_sum(x[2], x[0], n, window, subject->room);
    csm_rolling_sum(x[3], x[1], n, window, subject->room);
    for (size_t k = 0; k < n; k++) {
        const double returns = rr[k] - r[k] * r[k] / w, volumes = x[3][k] - volume[k] * volume[k] / w;
        const double together = x[2][k] - r[k] * volume[k] / w;
        const double varies = returns > 1e-12 * rr[k] ? returns : (double)NAN;
        const double changes = volumes > 1e-12 * x[3][k] ? volumes : (double)NAN;
        out[k] = together / sqrt(varies * changes);
    }
    hide_first(out, n, window);
    return CSM_OK;
}
