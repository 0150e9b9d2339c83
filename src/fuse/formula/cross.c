/* SPDX-License-Identifier: MIT */
/*
 * What compares a coin with the others. Windows are in time, so that all coins stand at the same instant; the price of
 * an instant is the last trade before it. The market factor is the mean one-bar log return of the coins present.
 */
#include "fuse/formula.h"
#include "fuse/rolling.h"

#include "core/real.h"

#include <math.h>

/* Shares of a window's slots that must have a value: of the factor, and pairs for a slope. */
#define FACTOR_SHARE 0.99
#define PAIR_SHARE 0.5

static size_t window_and_one(const csm_feature *feature) {
    return csm_feature_window(feature) + 1;
}

/* Log of the last price at slot s; NaN before the first trade. */
static double log_price(const csm_track *track, size_t s) {
    const uint32_t traded = track->traded_count[s];
    return traded > 0 ? track->log_close[traded - 1] : (double)NAN;
}

static void slot_returns(const csm_track *track, size_t window, double *out) {
    for (size_t s = 0; s < track->slots; s++)
        out[s] = s < window ? (double)NAN : log_price(track, s) - log_price(track, s - window);
}

/* Sum of a panel-wide series over the window; NaN where more than 1 % of it is missing. Uses scratch 0 .. 2. */
static void factor_sum(const csm_subject *subject, size_t window, double *out) {
    const csm_track *track = subject->track;
    const double *factor = subject->panel->factor + track->first;
    double *value = subject->scratch[0], *present = subject->scratch[1], *count = subject->scratch[2];
    for (size_t s = 0; s < track->slots; s++) {
        const bool known = factor[s] == factor[s];
        value[s] = known ? factor[s] : 0.0;
        present[s] = known ? 1.0 : 0.0;
    }
    csm_rolling_sum(out, value, track->slots, window);
    csm_rolling_sum(count, present, track->slots, window);
    for (size_t s = 0; s < track->slots; s++)
        if (!(count[s] >= FACTOR_SHARE * (double)window)) out[s] = (double)NAN;
}

size_t csm_factor_return_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_factor_return_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    factor_sum(subject, csm_feature_window(feature), out);
}

size_t csm_relative_strength_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_relative_strength_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    double *market = subject->scratch[3];
    factor_sum(subject, window, market);
    slot_returns(track, window, out);
    for (size_t s = 0; s < track->slots; s++) out[s] -= market[s];
}

/* ---- slopes and correlations ----------------------------------------------------------------------------------------- */

/* One-bar returns by slot of `track`; NaN unless the slot and the one before traded. out[s] is slot first + s. */
static void one_bar_returns(const csm_track *track, size_t first, size_t slots, double *out) {
    for (size_t s = 0; s < slots; s++) out[s] = (double)NAN;
    for (size_t k = 1; k < track->traded; k++) {
        const size_t g = track->first + track->slot[k];
        if (track->slot[k] != track->slot[k - 1] + 1 || g < first || g - first >= slots) continue;
        out[g - first] = track->log_return[k];
    }
}

/* Sums over the window of the pairs (x, y) that exist: means, variances and covariance, each times count. */
typedef struct pair_moments {
    double count;
    double variance_x;
    double variance_y;
    double covariance;
} pair_moments;

/* x: scratch[0], y: scratch[1] by slot. Leaves rolling sums of 1, x, y, xx, yy, xy in scratch[2 .. 7]; overwrites x, y. */
static void pair_sums(const csm_subject *subject, size_t window, double *work) {
    const size_t n = subject->track->slots;
    double *const *s = subject->scratch;
    for (size_t i = 0; i < n; i++) {
        const bool pair = s[0][i] == s[0][i] && s[1][i] == s[1][i];
        work[i] = pair ? 1.0 : 0.0;
        if (!pair) s[0][i] = s[1][i] = 0.0;
    }
    csm_rolling_sum(s[2], work, n, window);
    csm_rolling_sum(s[3], s[0], n, window);
    csm_rolling_sum(s[4], s[1], n, window);
    for (size_t i = 0; i < n; i++) work[i] = s[0][i] * s[1][i];
    csm_rolling_sum(s[7], work, n, window);
    for (size_t i = 0; i < n; i++) {
        s[0][i] *= s[0][i];
        s[1][i] *= s[1][i];
    }
    csm_rolling_sum(s[5], s[0], n, window);
    csm_rolling_sum(s[6], s[1], n, window);
}

static pair_moments moments_at(const csm_subject *subject, size_t i) {
    double *const *s = subject->scratch;
    const double count = s[2][i];
    pair_moments m = {.count = count};
    m.variance_x = s[5][i] - s[3][i] * s[3][i] / count;
    m.variance_y = s[6][i] - s[4][i] * s[4][i] / count;
    m.covariance = s[7][i] - s[3][i] * s[4][i] / count;
    if (!(m.variance_x > 1e-12 * s[5][i])) m.variance_x = 0;
    if (!(m.variance_y > 1e-12 * s[6][i])) m.variance_y = 0;
    return m;
}

typedef double (*pair_statistic)(const pair_moments *m);

static double slope_of(const pair_moments *m) {
    return m->variance_x > 0 ? m->covariance / m->variance_x : (double)NAN;
}

static double correlation_of(const pair_moments *m) {
    if (!(m->variance_x > 0 && m->variance_y > 0)) return (double)NAN;
    return m->covariance / (sqrt(m->variance_x) * sqrt(m->variance_y));
}

static double residual_of(const pair_moments *m) {
    if (!(m->variance_x > 0)) return (double)NAN;
    const double left = m->variance_y - m->covariance * m->covariance / m->variance_x;
    return sqrt((left > 0 ? left : 0) / m->count);
}

/* scratch[0] holds x by slot. */
static void pair_feature(const csm_feature *feature, const csm_subject *subject, pair_statistic statistic,
                         double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    one_bar_returns(track, track->first, track->slots, subject->scratch[1]);
    pair_sums(subject, window, out);
    for (size_t s = 0; s < track->slots; s++) {
        const pair_moments m = moments_at(subject, s);
        out[s] = m.count >= PAIR_SHARE * (double)window && m.count >= 2 ? statistic(&m) : (double)NAN;
    }
}

static void factor_feature(const csm_feature *feature, const csm_subject *subject, pair_statistic statistic,
                           double *out) {
    const csm_track *track = subject->track;
    for (size_t s = 0; s < track->slots; s++)
        subject->scratch[0][s] = subject->panel->factor[track->first + s];
    pair_feature(feature, subject, statistic, out);
}

static void bitcoin_feature(const csm_feature *feature, const csm_subject *subject, pair_statistic statistic,
                            double *out) {
    const csm_panel *panel = subject->panel;
    const csm_track *track = subject->track;
    if (panel->reference == SIZE_MAX) {
        for (size_t s = 0; s < track->slots; s++) out[s] = (double)NAN;
        return;
    }
    one_bar_returns(&panel->tracks[panel->reference], track->first, track->slots, subject->scratch[0]);
    pair_feature(feature, subject, statistic, out);
}

size_t csm_factor_beta_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_factor_beta_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    factor_feature(feature, subject, slope_of, out);
}

size_t csm_factor_correlation_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_factor_correlation_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    factor_feature(feature, subject, correlation_of, out);
}

size_t csm_specific_volatility_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_specific_volatility_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    factor_feature(feature, subject, residual_of, out);
}

size_t csm_bitcoin_beta_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_bitcoin_beta_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    bitcoin_feature(feature, subject, slope_of, out);
}

size_t csm_bitcoin_correlation_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_bitcoin_correlation_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    bitcoin_feature(feature, subject, correlation_of, out);
}

size_t csm_bitcoin_return_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_bitcoin_return_run(const csm_feature *feature, const csm_subject *subject, double *out) {
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
}

/* ---- compared across the coins present: these columns are what is compared ------------------------------------------- */

size_t csm_breadth_memory(const csm_feature *feature) {
    return csm_feature_window(feature);
}

void csm_breadth_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    const csm_track *track = subject->track;
    const size_t window = csm_feature_window(feature);
    csm_rolling_sum(out, track->close, track->traded, window);
    for (size_t k = 0; k < track->traded; k++)
        if (out[k] == out[k]) out[k] = track->close[k] * (double)window > out[k] ? 1.0 : 0.0;
}

size_t csm_rising_breadth_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_rising_breadth_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    slot_returns(subject->track, csm_feature_window(feature), out);
    for (size_t s = 0; s < subject->track->slots; s++)
        if (out[s] == out[s]) out[s] = out[s] > 0 ? 1.0 : 0.0;
}

size_t csm_dispersion_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_dispersion_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    slot_returns(subject->track, csm_feature_window(feature), out);
}

size_t csm_return_rank_memory(const csm_feature *feature) {
    return window_and_one(feature);
}

void csm_return_rank_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    slot_returns(subject->track, csm_feature_window(feature), out);
}

size_t csm_volatility_rank_memory(const csm_feature *feature) {
    return csm_volatility_memory(feature);
}

void csm_volatility_rank_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    csm_volatility_run(feature, subject, out);
}

size_t csm_traded_value_rank_memory(const csm_feature *feature) {
    return csm_traded_value_memory(feature);
}

void csm_traded_value_rank_run(const csm_feature *feature, const csm_subject *subject, double *out) {
    csm_traded_value_run(feature, subject, out);
}
