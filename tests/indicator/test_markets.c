/* SPDX-License-Identifier: MIT */
/* Markets that tempt a formula into 0/0: flat prices, no volume, gaps in time, too few bars, extreme prices. */
#include "indicator/bars.h"

#define LENGTH ((size_t)600)

static double *run(const csm_indicator *indicator, const test_bars *b, size_t length) {
    const csm_bars view = test_bars_view(b, length);
    double *values = malloc((length + 1) * indicator->output_count * sizeof *values);
    csm_matrix output = csm_matrix_f64(values, length, indicator->output_count);
    if (csm_indicator_run(indicator, NULL, &view, &output) != CSM_OK)
        fail_msg("%s: %s", indicator->name, csm_error_message());
    return values;
}

/* What docs/indicator.md says of a market that stands at `price` and trades one unit a bar. NaN: no value. */
typedef struct limit {
    const char *name;
    double of_price; /* expected = of_price * price + constant */
    double constant[CSM_INDICATOR_OUTPUTS_MAX];
} limit;

static const limit flat_limits[] = {
    {"sma", 1, {0}},
    {"ema", 1, {0}},
    {"wma", 1, {0}},
    {"dema", 1, {0}},
    {"tema", 1, {0}},
    {"trima", 1, {0}},
    {"hma", 1, {0}},
    {"kama", 1, {0}},
    {"trix", 0, {0}},
    {"macd", 0, {0, 0, 0}},
    {"adx", 0, {0, 0, 0}},
    {"aroon", 0, {100, 100, 0}},
    {"ichimoku", 1, {0, 0, 0, 0}},
    {"vortex", 0, {NAN, NAN}},
    {"rsi", 0, {50}},
    {"cmo", 0, {0}},
    {"stoch", 0, {50, 50}},
    {"stochrsi", 0, {50, 50}},
    {"cci", 0, {0}},
    {"roc", 0, {0}},
    {"mom", 0, {0}},
    {"willr", 0, {-50}},
    {"ppo", 0, {0}},
    {"ultosc", 0, {50}},
    {"mfi", 0, {50}},
    {"bop", 0, {0}},
    {"tsi", 0, {0}},
    {"ao", 0, {0}},
    {"true_range", 0, {0}},
    {"atr", 0, {0}},
    {"natr", 0, {0}},
    {"stddev", 0, {0}},
    {"realised_volatility", 0, {0}},
    {"parkinson", 0, {0}},
    {"garman_klass", 0, {0}},
    {"rogers_satchell", 0, {0}},
    {"donchian", 1, {0, 0, 0}},
    {"keltner", 1, {0, 0, 0}},
    {"ulcer", 0, {0}},
    {"choppiness", 0, {NAN}},
    {"ad", 0, {0}},
    {"obv", 0, {1}},
    {"adosc", 0, {0}},
    {"cmf", 0, {0}},
    {"vwap", 1, {0}},
    {"force_index", 0, {0}},
    {"vpt", 0, {0}},
    {"eom", 0, {0}},
    {"zscore", 0, {NAN}},
    {"skewness", 0, {NAN}},
    {"kurtosis", 0, {NAN}},
    {"minmax", 1, {0, 0}},
    {"autocorrelation", 0, {NAN}},
    {"drawdown", 0, {0}},
    {"efficiency_ratio", 0, {0}},
    {"log_return", 0, {0}},
    {"variance_ratio", 0, {NAN}},
};

static test_bars constant_bars(double price, double volume) {
    test_bars b = test_bars_new(LENGTH);
    for (size_t i = 0; i < LENGTH; i++) {
        for (int c = 0; c < 4; c++) b.column[c][i] = price;
        b.column[4][i] = volume;
    }
    return b;
}

static void a_flat_market_gives_the_documented_limit(void **unused) {
    (void)unused;
    /* Prices without an exact binary form: sums of them round. */
    static const double prices[] = {0.1, 61234.567, 3.3e-7};
    for (size_t p = 0; p < 3; p++) {
        test_bars b = constant_bars(prices[p], 1.0);
        for (size_t i = 0; i < sizeof flat_limits / sizeof flat_limits[0]; i++) {
            const limit *l = &flat_limits[i];
            const csm_indicator *indicator = csm_indicator_find(l->name);
            double *values = run(indicator, &b, LENGTH);
            size_t warmup;
            assert_int_equal(CSM_OK, csm_indicator_warmup(&warmup, indicator, NULL));
            for (size_t t = warmup; t < LENGTH; t++)
                for (uint32_t k = 0; k < indicator->output_count; k++) {
                    const double x = values[t * indicator->output_count + k];
                    const double expected = l->of_price * prices[p] + l->constant[k];
                    const double scale = l->of_price != 0 || strcmp(l->name, "ao") == 0 ? prices[p] : 1.0;
                    if (isnan(expected) ? !isnan(x) : !(fabs(x - expected) <= 1e-13 * scale))
                        fail_msg("%s, %s in a flat market: bar %zu is %.17g, expected %.17g", l->name,
                                 indicator->outputs[k], t, x, expected);
                }
            free(values);
        }
        test_bars_free(&b);
    }
}

/* The four with outputs of different kinds. */
static void flat_bands_and_lines_collapse(void **unused) {
    (void)unused;
    const double price = 0.1;
    test_bars b = constant_bars(price, 1.0);
    double *bands = run(csm_indicator_find("bbands"), &b, LENGTH);
    double *line = run(csm_indicator_find("linreg"), &b, LENGTH);
    for (size_t t = 200; t < LENGTH; t++) {
        for (size_t k = 0; k < 3; k++) assert_true(bands[t * 4 + k] == price);
        assert_true(bands[t * 4 + 3] == 0.5);
        assert_true(line[t * 3] == price && line[t * 3 + 1] == 0.0 && isnan(line[t * 3 + 2]));
    }
    free(bands);
    free(line);
    test_bars_free(&b);
}

static void every_indicator_has_a_documented_flat_limit(void **unused) {
    (void)unused;
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        const char *name = csm_indicator_at(i)->name;
        bool found = strcmp(name, "bbands") == 0 || strcmp(name, "linreg") == 0;
        for (size_t k = 0; k < sizeof flat_limits / sizeof flat_limits[0]; k++)
            found = found || strcmp(flat_limits[k].name, name) == 0;
        if (!found) fail_msg("%s: say what a flat market gives", name);
    }
}

static void without_volume_weighted_means_have_no_value(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 31);
    for (size_t i = 200; i < LENGTH; i++) b.column[4][i] = 0.0;
    static const char *const names[] = {"vwap", "cmf", "mfi", "eom"};
    for (size_t i = 0; i < 4; i++) {
        double *values = run(csm_indicator_find(names[i]), &b, LENGTH);
        assert_true(values[199] == values[199]);
        for (size_t t = 260; t < LENGTH; t++) assert_true(isnan(values[t]));
        free(values);
    }
    double *balance = run(csm_indicator_find("obv"), &b, LENGTH);
    assert_true(balance[199] == balance[LENGTH - 1]);
    free(balance);
    test_bars_free(&b);
}

static void a_missing_value_passes_once_its_bars_have_left_the_window(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 32);
    b.column[4][300] = 0.0; /* eom has no value for this bar */
    double *values = run(csm_indicator_find("eom"), &b, LENGTH);
    for (size_t t = 14; t < LENGTH; t++) assert_true((t >= 300 && t < 314) == (isnan(values[t]) != 0));
    free(values);
    test_bars_free(&b);
}

static void no_output_is_ever_infinite(void **unused) {
    (void)unused;
    test_bars b = test_bars_new(LENGTH);
    for (size_t i = 0; i < LENGTH; i++) {
        const double low = csm_random_uniform(1, 1, i) < 0.5 ? 1e-60 : 1e59, high = i % 7 == 0 ? 1e60 : low;
        b.column[0][i] = csm_random_uniform(1, 2, i) < 0.5 ? low : high;
        b.column[1][i] = high;
        b.column[2][i] = low;
        b.column[3][i] = csm_random_uniform(1, 3, i) < 0.5 ? low : high;
        b.column[4][i] = csm_random_uniform(1, 4, i) < 0.3 ? 0.0 : i % 2 ? 1e60 : 1e-60;
    }
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        const csm_indicator *indicator = csm_indicator_at(i);
        double *values = run(indicator, &b, LENGTH);
        for (size_t t = 0; t < LENGTH * indicator->output_count; t++)
            if (isinf(values[t]))
                fail_msg("%s is infinite at bar %zu", indicator->name, t / indicator->output_count);
        free(values);
    }
    test_bars_free(&b);
}

static void series_shorter_than_the_warmup_have_no_output(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 33);
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        const csm_indicator *indicator = csm_indicator_at(i);
        size_t warmup;
        assert_int_equal(CSM_OK, csm_indicator_warmup(&warmup, indicator, NULL));
        const size_t lengths[] = {0, 1, warmup, warmup + 1};
        for (size_t l = 0; l < 4; l++) {
            double *values = run(indicator, &b, lengths[l]);
            for (size_t t = 0; t < lengths[l]; t++)
                for (uint32_t k = 0; k < indicator->output_count; k++)
                    assert_true((t < warmup) == (isnan(values[t * indicator->output_count + k]) != 0));
            free(values);
        }
    }
    test_bars_free(&b);
}

static void gaps_in_time_change_nothing(void **unused) {
    (void)unused;
    test_bars b = test_bars_resampled(LENGTH, 34);
    for (size_t i = 0; i < csm_indicator_count(); i++) {
        const csm_indicator *indicator = csm_indicator_at(i);
        for (size_t t = 0; t < LENGTH; t++) b.time[t] = (csm_time)t * CSM_HOUR;
        double *even = run(indicator, &b, LENGTH);
        for (size_t t = 0; t < LENGTH; t++) b.time[t] += (csm_time)(t * t) * CSM_MINUTE;
        double *gappy = run(indicator, &b, LENGTH);
        assert_memory_equal(even, gappy, LENGTH * indicator->output_count * sizeof *even);
        free(even);
        free(gappy);
    }
    test_bars_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flat_market_gives_the_documented_limit),
        cmocka_unit_test(flat_bands_and_lines_collapse),
        cmocka_unit_test(every_indicator_has_a_documented_flat_limit),
        cmocka_unit_test(without_volume_weighted_means_have_no_value),
        cmocka_unit_test(a_missing_value_passes_once_its_bars_have_left_the_window),
        cmocka_unit_test(no_output_is_ever_infinite),
        cmocka_unit_test(series_shorter_than_the_warmup_have_no_output),
        cmocka_unit_test(gaps_in_time_change_nothing),
    };
    return cmocka_run_group_tests_name("indicator markets", tests, NULL, NULL);
}
