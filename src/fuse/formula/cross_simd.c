/* SPDX-License-Identifier: MIT */
/*
 * What compares a coin with the others. Windows are in time, so that all coins stand at the same instant; the price of
 * an instant is the last trade before it. The market factor is the mean one-bar log return of the coins present.
 */
#include "fuse/formula_simd.h"
#include "fuse/rolling.h"

#include <math.h>

/* Shares of a window's slots that must have a value: of the factor, and pairs for a slope. */
#define FACTOR_SHARE 0.99
#define PAIR_SHARE 0.5

/* Log of the last price at slot s; NaN before the first trade. */
static double log_price(const csm_track *track, size_t s) {
    const uint32_t traded = track->traded_count[s];
    return traded > 0 ? track->log_close[traded - 1] : (double)NAN;
}

static void slot_returns(const csm_track *track, size_t window, double *out) {
    const double *price = track->log_close;
    size_t s = 0;
    if (csm_track_dense(track)) {
        for (; s < track->span && s < window; s++) out[s] = (double)NAN;
        for (; s < track->span; s++) out[s] = price[s] - price[s - window];
    }
    for (; s < track->slots; s++)
        out[s] = s < window ? (double)NAN : log_price(track, s) - log_price(track, s - window);
}

/* Sum of the factor over the window; NaN where more than 1 % of it is missing. Uses scratch 0 .. 2. */
static void factor_sum(const csm_subject *subject, size_t window, double *out) {
    const csm_track *track = subject->track;
    const double *factor = subject->panel->factor + track->first;
    double *const *x = subject->scratch;
    double *restrict value = x[0], *restrict there = x[1];
    size_t missing = 0;
    for (size_t s = 0; s < track->slots; s++) {
        const bool known = factor[s] == factor[s];
        value[s] = known ? factor[s] : 0.0;
        there[s] = known ? 1.0 : 0.0;
        missing += !known;
    }
    csm_rolling_sum(out, value, track->slots, window, subject->room);
    if (missing == 0) return;
    csm_rolling_sum(x[2], there, track->slots, window, subject->room);
    for (size_t s = 0; s < track->slots; s++)
        if (!(x[2][s] >= FACTOR_SHARE * (double)window)) out[s] = (double)NAN;
}

csm_status RUN(factor_return)(const csm_feature *feature, csm_subject *subject, double *out) {
    factor_sum(subject, csm_feature_window(feature), out);
    return CSM_OK;
}

csm_status RUN(relative_strength)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *market = subject->scratch[3];
    factor_sum(subject, window, market);
    slot_returns(track, window, out);
    for (size_t s = 0; s < track->slots; s++) out[s] -= market[s];
    return CSM_OK;
}

/* ---- slopes and correlations, of the pairs (x, y) that exist ----------------------------------------------- */

/* Each times the number of pairs. */
typedef struct pair_moments {
    double count;      /* NaN: too few */
    double variance_x; /* NaN: it does not move */
    double variance_y; /* 0: it does not move */
    double covariance;
} pair_moments;

static inline pair_moments moments_at(const csm_sums *sums, size_t i, double least) {
    double *const *s = sums->column;
    const double pairs = s[CSM_PAIR_COUNT][i], x = s[CSM_PAIR_X][i], y = s[CSM_PAIR_Y][i];
    const double count = pairs >= least ? pairs : (double)NAN;
    const double x_least = 1e-12 * s[CSM_PAIR_XX][i], y_least = 1e-12 * s[CSM_PAIR_YY][i];
    const double variance_x = s[CSM_PAIR_XX][i] - x * x / count;
    const double variance_y = s[CSM_PAIR_YY][i] - y * y / count;
    return (pair_moments){.count = count,
                          .variance_x = variance_x > x_least ? variance_x : (double)NAN,
                          .variance_y = variance_y > y_least ? variance_y : 0,
                          .covariance = s[CSM_PAIR_XY][i] - x * y / count};
}

static inline double slope_of(pair_moments m) {
    return m.covariance / m.variance_x;
}

static inline double correlation_of(pair_moments m) {
    return m.covariance / (sqrt(m.variance_x) * sqrt(positive(m.variance_y)));
}

static inline double residual_of(pair_moments m) {
    const double left = m.variance_y - m.covariance * m.covariance / m.variance_x;
    return sqrt((left < 0 ? 0 : left) / m.count);
}

static inline __attribute__((always_inline)) csm_status pair_feature(const csm_feature *feature,
                                                                     csm_subject *subject, csm_family family,
                                                                     double (*statistic)(pair_moments m),
                                                                     double *out) {
    const double least = PAIR_SHARE * feature->parameter[0] > 2 ? PAIR_SHARE * feature->parameter[0] : 2;
    const csm_sums *sums = NULL;
    const csm_status status =
        csm_subject_sums(&sums, subject, family, csm_feature_window(feature), CSM_ALL_COLUMNS);
    if (status) return status;
    for (size_t s = 0; s < subject->track->slots; s++) out[s] = statistic(moments_at(sums, s, least));
    return CSM_OK;
}

csm_status RUN(factor_beta)(const csm_feature *feature, csm_subject *subject, double *out) {
    return pair_feature(feature, subject, CSM_FAMILY_FACTOR, slope_of, out);
}

csm_status RUN(factor_correlation)(const csm_feature *feature, csm_subject *subject, double *out) {
    return pair_feature(feature, subject, CSM_FAMILY_FACTOR, correlation_of, out);
}

csm_status RUN(specific_volatility)(const csm_feature *feature, csm_subject *subject, double *out) {
    return pair_feature(feature, subject, CSM_FAMILY_FACTOR, residual_of, out);
}

csm_status RUN(bitcoin_beta)(const csm_feature *feature, csm_subject *subject, double *out) {
    return pair_feature(feature, subject, CSM_FAMILY_BITCOIN, slope_of, out);
}

csm_status RUN(bitcoin_correlation)(const csm_feature *feature, csm_subject *subject, double *out) {
    return pair_feature(feature, subject, CSM_FAMILY_BITCOIN, correlation_of, out);
}

csm_status RUN(bitcoin_return)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_panel *panel = subject->panel;
    const csm_track *track = subject->track;
    const csm_track *bitcoin = panel->reference == SIZE_MAX ? NULL : &panel->tracks[panel->reference];
    const size_t window = csm_feature_window(feature);
    for (size_t s = 0; s < track->slots; s++) {
        const size_t g = track->first + s;
        out[s] = (double)NAN;
        if (!bitcoin || g < bitcoin->first + window || g - bitcoin->first >= bitcoin->slots) continue;
        const size_t now = g - bitcoin->first;
        if (csm_track_absence(panel, bitcoin, now)) continue;
        if (csm_track_window(panel, bitcoin, CSM_OVER_SLOTS, window + 1, now)) continue;
        out[s] = log_price(bitcoin, now) - log_price(bitcoin, now - window);
    }
    return CSM_OK;
}

/* ---- compared across the coins present: these columns are what is compared --------------------------------- */

csm_status RUN(breadth)(const csm_feature *feature, csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    const csm_sums *sums = NULL;
    const csm_status status =
        csm_subject_sums(&sums, subject, CSM_FAMILY_TRADED, window, CSM_COLUMN(CSM_TRADED_CLOSE));
    if (status) return status;
    const double *sum = sums->column[CSM_TRADED_CLOSE];
    for (size_t k = 0; k < track->traded; k++)
        out[k] = k + 1 < window ? (double)NAN : track->close[k] * (double)window > sum[k] ? 1.0 : 0.0;
    return CSM_OK;
}

csm_status RUN(rising_breadth)(const csm_feature *feature, csm_subject *subject, double *out) {
    slot_returns(subject->track, csm_feature_window(feature), out);
    for (size_t s = 0; s < subject->track->slots; s++)
        if (out[s] == out[s]) out[s] = out[s] > 0 ? 1.0 : 0.0;
    return CSM_OK;
}

csm_status RUN(dispersion)(const csm_feature *feature, csm_subject *subject, double *out) {
    slot_returns(subject->track, csm_feature_window(feature), out);
    return CSM_OK;
}

csm_status RUN(return_rank)(const csm_feature *feature, csm_subject *subject, double *out) {
    slot_returns(subject->track, csm_feature_window(feature), out);
    return CSM_OK;
}

csm_status RUN(volatility_rank)(const csm_feature *feature, csm_subject *subject, double *out) {
    return RUN(volatility)(feature, subject, out);
}

csm_status RUN(traded_value_rank)(const csm_feature *feature, csm_subject *subject, double *out) {
    return RUN(traded_value)(feature, subject, out);
}
