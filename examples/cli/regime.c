/* SPDX-License-Identifier: MIT */
#include "regime.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOURS_LEAST 12 /* of a day with trades, for a volatility */
#define DAYS_FIRST 180 /* before the first fit */
#define DAYS_REFIT 91
#define TREND_DAYS 7

const char *regime_name(int regime) {
    return regime == 0 ? "calm" : regime == 1 ? "turbulent" : "unknown";
}

/* ---- the market factor ---- */

typedef struct factor {
    csm_time first; /* hour 0 */
    size_t hours;
    double *sum; /* of the coins' log returns in the hour */
    uint32_t *coins;
} factor;

static csm_status add_market(factor *f, csm_context *context, const csm_store *store,
                             const csm_market *market, csm_time as_of) {
    const csm_stream stream = {.kind = "bars",
                               .venue = market->venue,
                               .symbol = market->symbol,
                               .interval = CSM_HOUR,
                               .epoch = market->epoch};
    csm_bar_series *series = NULL;
    const csm_status status =
        csm_store_read_bars(&series, store, context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, as_of);
    if (status == CSM_ENOTFOUND) return CSM_OK; /* listed, without bars */
    if (status != CSM_OK) return status;
    const csm_bars bars = csm_bar_series_view(series);
    for (size_t i = 1; i < bars.length; i++) {
        const csm_time hour = (bars.time[i] - f->first) / CSM_HOUR;
        const bool traded =
            !bars.state || (bars.state[i] == CSM_BAR_TRADED && bars.state[i - 1] == CSM_BAR_TRADED);
        const double move = log(bars.close[i] / bars.close[i - 1]);
        if (!traded || !isfinite(move) || bars.time[i] - bars.time[i - 1] != CSM_HOUR) continue;
        if (bars.time[i] < f->first || (size_t)hour >= f->hours) continue;
        f->sum[hour] += move;
        f->coins[hour]++;
    }
    csm_bar_series_free(series);
    return CSM_OK;
}

static csm_status read_factor(factor *f, csm_context *context, csm_pipeline *pipeline, csm_time as_of) {
    const csm_store *store = csm_pipeline_store(pipeline);
    csm_pipeline_status known;
    csm_market_list *list = NULL;
    csm_status status = csm_pipeline_status_report(&known, pipeline);
    if (status != CSM_OK) return status;
    f->first = csm_time_floor(known.first, CSM_DAY);
    const csm_time last = known.last < as_of ? known.last : as_of;
    f->hours = last > f->first ? (size_t)((last - f->first) / CSM_DAY) * 24 : 0; /* whole days */
    f->sum = calloc(f->hours + 1, sizeof *f->sum);
    f->coins = calloc(f->hours + 1, sizeof *f->coins);
    if (!f->sum || !f->coins) return CSM_ENOMEM;
    status = csm_discover_markets(&list, store, NULL, as_of,
                                  CSM_MARKETS_PROCESSED | CSM_MARKETS_CANONICAL | CSM_MARKETS_EVER);
    for (size_t m = 0; status == CSM_OK && m < csm_market_list_count(list); m++)
        status = add_market(f, context, store, csm_market_list_at(list, m), as_of);
    csm_market_list_free(list);
    return status;
}

/* Realised volatility of a day, as a logarithm, and its return; NaN with fewer hours than HOURS_LEAST. */
static void day_of(const factor *f, size_t day, double *volatility, double *day_return) {
    double squares = 0, sum = 0;
    size_t hours = 0;
    for (size_t h = 24 * day; h < 24 * day + 24; h++) {
        if (f->coins[h] == 0) continue;
        const double move = f->sum[h] / f->coins[h];
        squares += move * move;
        sum += move;
        hours++;
    }
    const bool known = hours >= HOURS_LEAST && squares > 0;
    *volatility = known ? 0.5 * log(squares / (double)hours) : NAN;
    *day_return = known ? sum : NAN;
}

/* ---- states ---- */

/* Two features a day, the first of which is known; a day that is not keeps the volatility of the day
 * before and adds no return. */
static void make_features(double *x, const double *volatility, const double *returns, size_t days) {
    double level = NAN;
    for (size_t d = 0; d < days; d++) {
        double week = 0;
        if (isfinite(volatility[d])) level = volatility[d];
        for (size_t k = 0; k < TREND_DAYS && k <= d; k++)
            week += isfinite(returns[d - k]) ? returns[d - k] : 0;
        x[2 * d] = level;
        x[2 * d + 1] = week;
    }
}

csm_status regimes_of_days(regimes *out, csm_context *context, csm_time first, const double *volatility,
                           const double *returns, size_t days) {
    size_t skipped = 0; /* leading days without a volatility would borrow a later one */
    while (skipped < days && !isfinite(volatility[skipped])) skipped++;
    days -= skipped;
    *out = (regimes){.first = first + (csm_time)skipped * CSM_DAY, .days = days};
    double *x = calloc(2 * days + 1, sizeof *x), *states = calloc(2 * days + 1, sizeof *states);
    out->turbulent = calloc(days + 1, sizeof *out->turbulent);
    csm_status status = x && states && out->turbulent ? CSM_OK : CSM_ENOMEM;
    if (status == CSM_OK) {
        make_features(x, volatility + skipped, returns + skipped, days);
        const csm_matrix rows = csm_matrix_f64(x, days, 2);
        csm_matrix said = csm_matrix_f64(states, days, 2);
        status = csm_hmm_walk(&said, context, &rows, DAYS_FIRST, DAYS_REFIT, NULL);
    }
    for (size_t d = 0; d < days && out->turbulent; d++)
        out->turbulent[d] = status == CSM_OK ? states[2 * d + 1] : NAN;
    free(states);
    free(x);
    return status == CSM_ENODATA ? CSM_OK : status; /* a market that never moves has no regimes */
}

csm_status regimes_make(regimes *out, csm_context *context, csm_pipeline *pipeline, csm_time as_of) {
    factor f = {0};
    double *volatility = NULL, *returns = NULL;
    *out = (regimes){0};
    csm_status status = read_factor(&f, context, pipeline, as_of);
    const size_t days = f.hours / 24;
    if (status == CSM_OK) {
        volatility = calloc(days + 1, sizeof *volatility);
        returns = calloc(days + 1, sizeof *returns);
        if (!volatility || !returns) status = CSM_ENOMEM;
    }
    for (size_t d = 0; status == CSM_OK && d < days; d++) day_of(&f, d, &volatility[d], &returns[d]);
    if (status == CSM_OK) status = regimes_of_days(out, context, f.first, volatility, returns, days);
    free(returns);
    free(volatility);
    free(f.coins);
    free(f.sum);
    return status;
}

void regimes_free(regimes *r) {
    free(r->turbulent);
    *r = (regimes){0};
}

int regime_at(const regimes *r, csm_time decision) {
    const csm_time ended = csm_time_floor(decision - r->first, CSM_DAY) / CSM_DAY - 1;
    if (ended < 0 || (size_t)ended >= r->days || !isfinite(r->turbulent[ended])) return -1;
    return r->turbulent[ended] > 0.5;
}

/* ---- slices ---- */

typedef struct slice_rows {
    csm_time *time;
    uint32_t *coin;
    double *
        number; /* five columns of `room`: probability, outcome, expected, realised, a member's expectation */
    const csm_walk_row **row;
    size_t room;
    size_t length;
} slice_rows;

static csm_status slice_make(slice_rows *s, size_t n) {
    *s = (slice_rows){.room = n + 1};
    s->time = calloc(s->room, sizeof *s->time);
    s->coin = calloc(s->room, sizeof *s->coin);
    s->number = calloc(s->room, 5 * sizeof *s->number);
    s->row = calloc(s->room, sizeof *s->row);
    return s->time && s->coin && s->number && s->row ? CSM_OK : CSM_ENOMEM;
}

static void slice_free(slice_rows *s) {
    free(s->time);
    free(s->coin);
    free(s->number);
    free(s->row);
}

static double *column_of(const slice_rows *s, size_t index) {
    return s->number + index * s->room;
}

static void slice_fill(slice_rows *s, const regimes *r, const csm_walk_row *rows, size_t n, int regime) {
    s->length = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(rows[i].probability) || !isfinite(rows[i].momentum)) continue;
        if (regime_at(r, rows[i].time) != regime) continue;
        const size_t k = s->length++;
        s->time[k] = rows[i].time;
        s->coin[k] = rows[i].market;
        s->row[k] = &rows[i];
        column_of(s, 0)[k] = rows[i].probability;
        column_of(s, 1)[k] = rows[i].rises;
        column_of(s, 2)[k] = rows[i].expected_return;
        column_of(s, 3)[k] = rows[i].log_return;
    }
}

static csm_status score_slice(csm_scores *out, csm_context *context, const slice_rows *s, csm_time horizon,
                              const double *expected) {
    const csm_outcomes outcomes = {.length = s->length,
                                   .horizon = horizon,
                                   .time = s->time,
                                   .coin = s->coin,
                                   .probability = column_of(s, 0),
                                   .outcome = column_of(s, 1),
                                   .expected = expected,
                                   .realised = column_of(s, 3)};
    csm_scores_options options;
    csm_calibrate_scores_options_init(&options);
    options.bootstrap = 200;
    return csm_calibrate_scores(out, context, &outcomes, &options);
}

static csm_status score_members(regime_slice *out, csm_context *context, const slice_rows *s,
                                const csm_horizon_training *t) {
    csm_status status = CSM_OK;
    out->members = t->members > 1 ? t->members : 0;
    for (size_t m = 0; status == CSM_OK && m < out->members; m++) {
        csm_scores scores;
        double *expected = column_of(s, 4);
        for (size_t k = 0; k < s->length; k++) expected[k] = s->row[k]->member_return[m];
        status = score_slice(&scores, context, s, t->horizon, expected);
        if (status != CSM_OK) return status;
        out->member_ic[m] = scores.rank_ic;
        const bool above = scores.rank_ic.low > out->model.rank_ic.high;
        if (above && (out->ahead < 0 || scores.rank_ic.value > out->member_ic[out->ahead].value))
            out->ahead = (int)m;
    }
    return status;
}

static void count_issued(regime_slice *out, const slice_rows *s) {
    size_t rises = 0;
    for (size_t k = 0; k < s->length; k++) {
        if (!is_issued(s->row[k])) continue;
        out->issued++;
        rises += s->row[k]->rises != 0;
    }
    out->precision = out->issued ? (double)rises / (double)out->issued : NAN;
}

csm_status regime_slices(regime_slice slices[REGIMES], csm_context *context, const regimes *r,
                         const csm_horizon_training *training, const csm_walk_row *rows) {
    slice_rows s;
    csm_status status = slice_make(&s, training->walk_rows);
    for (int regime = 0; regime < REGIMES; regime++) {
        regime_slice *out = &slices[regime];
        *out = (regime_slice){.precision = NAN, .ahead = -1};
        if (status != CSM_OK) continue;
        slice_fill(&s, r, rows, rows ? training->walk_rows : 0, regime);
        if (s.length == 0) continue;
        count_issued(out, &s);
        status = score_slice(&out->model, context, &s, training->horizon, column_of(&s, 2));
        if (status == CSM_OK) status = score_members(out, context, &s, training);
    }
    slice_free(&s);
    return status;
}
