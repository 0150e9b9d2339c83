/* SPDX-License-Identifier: MIT */
/* Numerics that lanes and windows promise: csm_log's bits, no drift, nothing left of bars that have gone. */
#include "indicator/bars.h"

#include "core/real.h"
#include "indicator/frame/frame.h"

static uint64_t bits(double x) {
    uint64_t out;
    memcpy(&out, &x, sizeof out);
    return out;
}

static void run_one(const char *name, const double *parameters, const csm_bars *bars, double *out) {
    const csm_indicator *indicator = csm_indicator_find(name);
    csm_matrix output = csm_matrix_f64(out, bars->length, indicator->output_count);
    if (csm_indicator_run(indicator, parameters, bars, &output) != CSM_OK)
        fail_msg("%s", csm_error_message());
}

static void the_logarithm_of_lanes_has_the_bits_of_csm_log(void **unused) {
    (void)unused;
    enum { lanes = 8, length = 40000 };
    test_bars bars[lanes];
    csm_bars views[lanes];
    csm_matrix outputs[lanes];
    double *values = malloc((size_t)lanes * length * sizeof *values);
    for (size_t k = 0; k < lanes; k++) {
        bars[k] = test_bars_new(length);
        for (size_t i = 0; i < length; i++) {
            /* From prices next to each other to ones many powers of ten apart. */
            const double spread = i % 3 == 0 ? 1e-9 : i % 3 == 1 ? 0.5 : 130.0;
            const double x = csm_exp(spread * (csm_random_uniform(5, k, i) - 0.5));
            for (int c = 0; c < 4; c++) bars[k].column[c][i] = x;
        }
        views[k] = test_bars_view(&bars[k], length);
        outputs[k] = csm_matrix_f64(values + k * length, length, 1);
    }
    const csm_indicator_request request = {csm_indicator_find("log_return"), NULL};
    for (csm_isa isa = CSM_ISA_SCALAR; isa <= csm_backend_isa(); isa++) {
        assert_int_equal(CSM_OK, csm_indicator_run_table_isa(isa, NULL, &request, 1, views, lanes, outputs));
        for (size_t k = 0; k < lanes; k++)
            for (size_t i = 1; i < length; i++) {
                const double ratio = bars[k].column[3][i] / bars[k].column[3][i - 1];
                if (bits(csm_log(ratio)) != bits(values[k * length + i]))
                    fail_msg("%s: log(%a) is %a, csm_log says %a", csm_backend_isa_name(isa), ratio,
                             values[k * length + i], csm_log(ratio));
            }
    }
    for (size_t k = 0; k < lanes; k++) test_bars_free(&bars[k]);
    free(values);
}

static void rolling_sums_do_not_drift_over_a_hundred_thousand_bars(void **unused) {
    (void)unused;
    enum { length = 100000, n = 720 };
    const double period = n;
    test_bars b = test_bars_resampled(length, 11);
    const csm_bars view = test_bars_view(&b, length);
    double *mean = malloc(length * sizeof *mean), *deviation = malloc(length * sizeof *deviation);
    run_one("sma", &period, &view, mean);
    run_one("stddev", &period, &view, deviation);
    for (size_t t = length - 5000; t < length; t += 37) {
        double sum = 0.0, squares = 0.0;
        for (size_t i = t + 1 - n; i <= t; i++) sum += b.column[3][i];
        for (size_t i = t + 1 - n; i <= t; i++)
            squares += (b.column[3][i] - sum / n) * (b.column[3][i] - sum / n);
        assert_true(fabs(mean[t] - sum / n) < 1e-12 * mean[t]);
        assert_true(fabs(deviation[t] - sqrt(squares / n)) < 1e-11 * deviation[t]);
    }
    free(mean);
    free(deviation);
    test_bars_free(&b);
}

static void a_spike_leaves_no_trace_once_it_has_left_the_window(void **unused) {
    (void)unused;
    enum { length = 400, n = 20 };
    const double period = n;
    test_bars b = test_bars_recorded();
    const csm_bars view = test_bars_view(&b, length);
    double calm[length], shaken[length], calm_deviation[length], shaken_deviation[length];
    run_one("sma", &period, &view, calm);
    run_one("stddev", &period, &view, calm_deviation);
    for (int c = 0; c < 4; c++) b.column[c][100] = 1e30;
    run_one("sma", &period, &view, shaken);
    run_one("stddev", &period, &view, shaken_deviation);
    assert_true(shaken[100] > 1e28 && shaken[119] > 1e28);
    for (size_t t = 100 + n; t < length; t++) {
        assert_true(bits(calm[t]) == bits(shaken[t]));
        assert_true(bits(calm_deviation[t]) == bits(shaken_deviation[t]));
    }
    test_bars_free(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_logarithm_of_lanes_has_the_bits_of_csm_log),
        cmocka_unit_test(rolling_sums_do_not_drift_over_a_hundred_thousand_bars),
        cmocka_unit_test(a_spike_leaves_no_trace_once_it_has_left_the_window),
    };
    return cmocka_run_group_tests_name("indicator lanes", tests, NULL, NULL);
}
