/* SPDX-License-Identifier: MIT */
/* Closed forms on markets simple enough to have them. */
#include "fuse/series.h"

#include <stdio.h>

#define HOURS 800

/* A market whose close is close(i), opened where it closed before; high and low are the bar's own. */
static series market(double (*close)(size_t i), double volume) {
    series s = series_new(HOURS, 0);
    for (size_t i = 0; i < HOURS; i++) {
        const double now = close(i), before = i ? close(i - 1) : now;
        s.column[0][i] = before;
        s.column[1][i] = fmax(now, before);
        s.column[2][i] = fmin(now, before);
        s.column[3][i] = now;
        s.column[4][i] = volume;
    }
    return s;
}

static double growth(size_t i) {
    return 50 * exp(0.001 * (double)i);
}

static double zigzag(size_t i) {
    return i % 2 ? 100 * exp(0.01) : 100;
}

static double flat(size_t i) {
    (void)i;
    return 7;
}

/* The last row's features by name; sources[0] is the market looked at. */
static void check_all(const csm_track_source *sources, size_t count, const csm_values *values, uint32_t of,
                      const char *const *names, const double *expected, size_t n) {
    const char *wanted[64] = {0};
    memcpy(wanted, names, n * sizeof *names);
    csm_recipe *recipe = recipe_of(wanted);
    csm_frame *frame = frame_of(sources, count, values, recipe, NULL, 2);
    assert_true(frame->row_offset[of + 1] > frame->row_offset[of]);
    const float *row = frame->matrix + (frame->row_offset[of + 1] - 1) * recipe->count;
    for (size_t f = 0; f < n; f++)
        if (!(fabs(row[f] - expected[f]) <= 1e-6 * fmax(1, fabs(expected[f]))))
            fail_msg("%s is %.9g, not %.9g", names[f], row[f], expected[f]);
    csm_frame_free(frame);
    csm_recipe_free(recipe);
}

static void steady_growth_has_the_features_of_steady_growth(void **state) {
    (void)state;
    series s = market(growth, 3);
    const csm_track_source source = series_source(&s, "ETH");
    const char *names[] = {"return_1",
                           "return_24",
                           "return_720",
                           "from_high_24",
                           "from_low_24",
                           "range_position_168",
                           "body",
                           "opening_gap",
                           "bar_range",
                           "downside_volatility_168",
                           "largest_return_168",
                           "rising_share_168",
                           "volume_to_mean_24",
                           "volume_to_median_168",
                           "volume_mean_ratio_24_168",
                           "volume_trend_168",
                           "volume_variation_168",
                           "rising_volume_share_24",
                           "idle_share_168",
                           "rsi_14",
                           "obv_flow_24",
                           "range_volatility_24",
                           "relative_strength_168"};
    const double expected[] = {
        0.001, 0.024,  0.720,  0,      0.024, 1, 0.001, 0, 0.001, 0, 0.001,
        1,     log(2), log(2), log(2), 0,     0, 1,     0, 100,   1, 0.001 / sqrt(4 * log(2)),
        0};
    check_all(&source, 1, NULL, 0, names, expected, sizeof names / sizeof names[0]);
    series_free(&s);
}

static void a_zigzag_has_the_moments_of_a_coin_toss(void **state) {
    (void)state;
    series s = market(zigzag, 2);
    const csm_track_source source = series_source(&s, "ETH");
    /* r = +-0.01 in turn, +0.01 last: mean 0, population variance 1e-4; of p returns each w ones of either sign */
    const char *names[] = {"return_1",
                           "return_2",
                           "volatility_24",
                           "volatility_168",
                           "downside_volatility_168",
                           "skewness_168",
                           "kurtosis_168",
                           "autocorrelation_168",
                           "rising_share_168",
                           "smallest_return_168",
                           "volatility_ratio_24_168"};
    const double expected[] = {0.01,
                               0,
                               0.01 * sqrt(24.0 / 23),
                               0.01 * sqrt(168.0 / 167),
                               0.01 * sqrt(0.5),
                               0,
                               -2,
                               -167.0 / 168,
                               0.5,
                               -0.01,
                               0.5 * log((24.0 / 23) / (168.0 / 167))};
    check_all(&source, 1, NULL, 0, names, expected, sizeof names / sizeof names[0]);
    series_free(&s);
}

static void a_flat_market_has_limits_or_no_row_and_never_a_nan(void **state) {
    (void)state;
    series s = market(flat, 2);
    const csm_track_source source = series_source(&s, "ETH");
    const char *names[] = {"return_24", "range_position_168", "volatility_168", "from_vwap_24",
                           "bbands_position_20"};
    const double expected[] = {0, 0.5, 0, 0, 0.5};
    check_all(&source, 1, NULL, 0, names, expected, sizeof names / sizeof names[0]);
    const char *undefined[] = {"return_1", "skewness_168", NULL};
    csm_recipe *recipe = recipe_of(undefined);
    csm_frame *frame = frame_of(&source, 1, NULL, recipe, NULL, 1);
    assert_int_equal(frame->rows, 0);
    const csm_excluded_row *last = csm_frame_excluded_at(frame, frame->excluded_count - 1);
    assert_true(last->reasons == CSM_REASON_MASK(FEATURE_MISSING));
    assert_int_equal(last->feature, 1);
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    series_free(&s);
}

static void two_coins_in_step_have_beta_two_and_opposite_ranks(void **state) {
    (void)state;
    series btc = series_new(HOURS, 0), eth = series_new(HOURS, 1);
    for (size_t i = 0; i < HOURS; i++) { /* eth = btc squared: twice its log return */
        for (int c = 0; c < 4; c++) eth.column[c][i] = btc.column[c][i] * btc.column[c][i];
        eth.column[4][i] = btc.column[4][i];
    }
    const csm_track_source sources[] = {series_source(&btc, "BTC"), series_source(&eth, "ETH")};
    double ups = 0;
    for (int c = 0; c < 24; c++) ups += log(btc.column[3][HOURS - 1 - c] / btc.column[3][HOURS - 2 - c]);
    const char *names[] = {"factor_beta_168",         "factor_correlation_168",  "bitcoin_beta_168",
                           "bitcoin_correlation_720", "specific_volatility_168", "factor_return_24",
                           "relative_strength_24",    "bitcoin_return_24",       "volatility_rank_168",
                           "dispersion_24",           "rising_breadth_24",       "traded_value_rank_168"};
    const double expected[] = {4.0 / 3,         1, 2, 1, 0, 1.5 * ups, 0.5 * ups, ups, 1, fabs(0.5 * ups),
                               ups > 0 ? 1 : 0, 1};
    check_all(sources, 2, NULL, 1, names, expected, sizeof names / sizeof names[0]);
    series_free(&btc);
    series_free(&eth);
}

static void equal_coins_share_their_rank(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    const csm_track_source sources[] = {series_source(&s, "BTC"), series_source(&s, "ETH"),
                                        series_source(&s, "ADA")};
    const char *names[] = {"return_rank_24", "volatility_rank_168", "dispersion_24"};
    const double expected[] = {0.5, 0.5, 0};
    for (uint32_t of = 0; of < 3; of++) check_all(sources, 3, NULL, of, names, expected, 3);
    check_all(sources, 1, NULL, 0, names, expected, 3); /* and a coin alone stands in the middle */
    series_free(&s);
}

/* One coin alone is the market: over any window the factor moves as it does, halts and holes included. */
static void the_factor_loses_no_return_to_halts_and_holes(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    series_idle(&s, HOURS - 5, CSM_BAR_NO_TRADE);
    series_idle(&s, HOURS - 6, CSM_BAR_NO_TRADE);
    series_idle(&s, HOURS - 100, CSM_BAR_GAP);
    const csm_track_source source = series_source(&s, "ETH");
    const double *close = s.column[3];
    const char *names[] = {"factor_return_24", "relative_strength_24", "factor_return_168"};
    const double expected[] = {log(close[HOURS - 1] / close[HOURS - 25]), 0,
                               log(close[HOURS - 1] / close[HOURS - 169])};
    check_all(&source, 1, NULL, 0, names, expected, 3);
    series_free(&s);
}

static void the_calendar_is_that_of_the_decision(void **state) {
    (void)state;
    series s = series_new(4 * 24 + 6, 0); /* from Friday 2021-01-01; the last bar closes on Tuesday 06:00 */
    const csm_track_source source = series_source(&s, "ETH");
    const double week = 2 * acos(-1.0) * 30 / 168;
    const char *names[] = {"hour_sine", "hour_cosine", "week_sine", "week_cosine"};
    const double expected[] = {1, 0, sin(week), cos(week)};
    check_all(&source, 1, NULL, 0, names, expected, 4);
    series_free(&s);
}

/* ---- sentiment ------------------------------------------------------------------------------------------------------- */

#define DAYS 40

static csm_values days_of(csm_time lag) {
    static csm_time time[DAYS], available[DAYS];
    static double value[DAYS];
    for (size_t d = 0; d < DAYS; d++) {
        time[d] = SERIES_START + (csm_time)d * CSM_DAY;
        available[d] = time[d] + lag;
        value[d] = (double)(d * d % 97);
    }
    return (csm_values){.length = DAYS, .time = time, .available = available, .value = value};
}

static void sentiment_is_what_was_known(void **state) {
    (void)state;
    series s = series_new(39 * 24 + 1, 0); /* last decision: day 39, 01:00 */
    const csm_track_source source = series_source(&s, "ETH");
    const char *names[] = {"fear_greed", "fear_greed_change_1", "fear_greed_change_7",
                           "fear_greed_change_30"};
#define V(d) ((double)((d) * (d) % 97))
    const double known[] = {V(39), V(39) - V(38), V(39) - V(32), V(39) - V(9)};
    const double before[] = {V(38), V(38) - V(37), V(38) - V(31), V(38) - V(8)};
    csm_values values = days_of(CSM_HOUR);
    check_all(&source, 1, &values, 0, names, known, 4);
    values = days_of(2 * CSM_HOUR); /* today's is not out yet */
    check_all(&source, 1, &values, 0, names, before, 4);
    series_free(&s);
}

static void sentiment_older_than_72_hours_is_a_missing_source(void **state) {
    (void)state;
    series s = series_new(39 * 24 + 1, 0);
    const csm_track_source source = series_source(&s, "ETH");
    const char *names[] = {"fear_greed", NULL};
    csm_values values = days_of(CSM_HOUR);
    values.length = 36; /* the last is of day 35: at day 38 00:00 it is 72 hours old */
    csm_recipe *recipe = recipe_of(names);
    csm_frame *frame = frame_of(&source, 1, &values, recipe, NULL, 1);
    csm_reason reasons;
    assert_int_equal(csm_frame_reasons(&reasons, frame, 0, SERIES_START + 38 * CSM_DAY), CSM_OK);
    assert_true(reasons == 0);
    assert_int_equal(csm_frame_reasons(&reasons, frame, 0, SERIES_START + 38 * CSM_DAY + CSM_HOUR), CSM_OK);
    assert_true(reasons == CSM_REASON_MASK(SOURCE_MISSING));
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    series_free(&s);
}

/* ---- canary ---------------------------------------------------------------------------------------------------------- */

static void inverted_prices_flip_the_signs(void **state) {
    (void)state;
    series s = series_new(HOURS, 4), t = series_new(HOURS, 4);
    for (size_t i = 0; i < HOURS; i++) {
        t.column[0][i] = 1 / s.column[0][i];
        t.column[1][i] = 1 / s.column[2][i];
        t.column[2][i] = 1 / s.column[1][i];
        t.column[3][i] = 1 / s.column[3][i];
    }
    const csm_track_source a = series_source(&s, "BTC"), b = series_source(&t, "BTC");
    const char *odd[] = {"return_1",
                         "return_24",
                         "return_720",
                         "body",
                         "skewness_168",
                         "obv_flow_24",
                         "factor_return_24",
                         "bitcoin_return_168",
                         "return_volume_correlation_168",
                         NULL};
    const char *even[] = {"volatility_168",  "kurtosis_168",        "autocorrelation_168",
                          "bar_range",       "range_volatility_24", "volume_to_mean_24",
                          "factor_beta_168", "hour_sine",           NULL};
    const char *const *sets[] = {odd, even};
    for (int k = 0; k < 2; k++) {
        csm_recipe *recipe = recipe_of(sets[k]);
        csm_frame *x = frame_of(&a, 1, NULL, recipe, NULL, 1), *y = frame_of(&b, 1, NULL, recipe, NULL, 1);
        assert_int_equal(x->rows, y->rows);
        assert_true(x->rows > 0);
        for (size_t i = 0; i < x->rows * recipe->count; i++) {
            const double sum = k == 0 ? x->matrix[i] + y->matrix[i] : x->matrix[i] - y->matrix[i];
            assert_true(fabs(sum) <= 1e-5 * fmax(1, fabs((double)x->matrix[i])));
        }
        csm_frame_free(x);
        csm_frame_free(y);
        csm_recipe_free(recipe);
    }
    series_free(&s);
    series_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steady_growth_has_the_features_of_steady_growth),
        cmocka_unit_test(a_zigzag_has_the_moments_of_a_coin_toss),
        cmocka_unit_test(a_flat_market_has_limits_or_no_row_and_never_a_nan),
        cmocka_unit_test(two_coins_in_step_have_beta_two_and_opposite_ranks),
        cmocka_unit_test(equal_coins_share_their_rank),
        cmocka_unit_test(the_factor_loses_no_return_to_halts_and_holes),
        cmocka_unit_test(the_calendar_is_that_of_the_decision),
        cmocka_unit_test(sentiment_is_what_was_known),
        cmocka_unit_test(sentiment_older_than_72_hours_is_a_missing_source),
        cmocka_unit_test(inverted_prices_flip_the_signs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
