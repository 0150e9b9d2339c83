/* SPDX-License-Identifier: MIT */
/* Drift: the detectors against river and scipy, their false alarms, and input they refuse. */
#include "core/golden.h"

#include <cryptosmart/learn.h>

#include "core/internal.h"

#include <math.h>

/* ---- against other implementations ---- */

static void adwin_cuts_its_window_where_river_does(void **state) {
    (void)state;
    golden stream = golden_read_from("learn", "drift_stream.txt", 1),
           cuts = golden_read_from("learn", "drift_adwin.txt", 4);
    csm_adwin_options options;
    csm_adwin_info info;
    csm_adwin *adwin;
    size_t found = 0;
    csm_adwin_options_init(&options);
    options.interval = 8;
    assert_ok(csm_adwin_new(&adwin, &options));
    for (size_t i = 0; i < stream.rows; i++) {
        int alarm;
        assert_ok(csm_adwin_add(&alarm, adwin, stream.column[0][i]));
        if (!alarm) continue;
        assert_true(found < cuts.rows);
        assert_ok(csm_adwin_describe(&info, adwin));
        assert_int_equal(info.values, (uint64_t)cuts.column[0][found]);
        assert_near(info.width, cuts.column[1][found], 0);
        assert_near(info.mean, cuts.column[2][found], 1e-12);
        assert_near(info.variance * info.width, cuts.column[3][found], 1e-12);
        found++;
    }
    assert_int_equal(found, cuts.rows);
    assert_ok(csm_adwin_describe(&info, adwin));
    assert_int_equal(info.alarms, found);
    csm_adwin_free(adwin);
    golden_free(&stream);
    golden_free(&cuts);
}

static void page_hinkley_alarms_where_river_does(void **state) {
    (void)state;
    golden stream = golden_read_from("learn", "drift_stream.txt", 1);
    golden alarms = golden_read_from("learn", "drift_page_hinkley.txt", 2);
    csm_page_hinkley_options options;
    csm_page_hinkley *test;
    size_t found = 0;
    csm_page_hinkley_options_init(&options);
    options.tolerance = 0.02;
    options.threshold = 3;
    assert_ok(csm_page_hinkley_new(&test, &options));
    for (size_t i = 0; i < stream.rows; i++) {
        int alarm;
        assert_ok(csm_page_hinkley_add(&alarm, test, stream.column[0][i]));
        if (!alarm) continue;
        assert_true(found < alarms.rows);
        assert_int_equal(i + 1, (size_t)alarms.column[0][found]);
        assert_int_equal(alarm, (int)alarms.column[1][found]);
        found++;
    }
    assert_int_equal(found, alarms.rows);
    csm_page_hinkley_free(test);
    golden_free(&stream);
    golden_free(&alarms);
}

static void kolmogorov_smirnov_and_stability_index_equal_scipy_and_numpy(void **state) {
    (void)state;
    golden samples = golden_read_from("learn", "drift_samples.txt", 2),
           expected = golden_read_from("learn", "drift_ks.txt", 5);
    for (size_t i = 0; i < expected.rows; i++) {
        size_t n = (size_t)expected.column[0][i], m = (size_t)expected.column[1][i];
        csm_ks ks;
        double psi;
        assert_ok(csm_learn_ks(&ks, samples.column[0], n, samples.column[1], m));
        assert_near(ks.statistic, expected.column[2][i], 1e-14);
        assert_near(ks.p_value, expected.column[3][i], 1e-12);
        if (isnan(expected.column[4][i])) continue;
        assert_ok(csm_learn_psi(&psi, samples.column[0], n, samples.column[1], m, 10));
        assert_near(psi, expected.column[4][i], 1e-12);
    }
    golden_free(&samples);
    golden_free(&expected);
}

/* ---- against brute force ---- */

static double brute_distance(const double *a, size_t n, const double *b, size_t m) {
    double greatest = 0;
    for (size_t i = 0; i < n + m; i++) {
        double x = i < n ? a[i] : b[i - n], below_a = 0, below_b = 0;
        for (size_t k = 0; k < n; k++) below_a += a[k] <= x;
        for (size_t k = 0; k < m; k++) below_b += b[k] <= x;
        double distance = fabs(below_a / (double)n - below_b / (double)m);
        if (distance > greatest) greatest = distance;
    }
    return greatest;
}

static void the_statistic_equals_its_definition_whatever_the_values(void **state) {
    (void)state;
    static const double scale[] = {1, 1e-300, 1e306, 5e-324, 0};
    double a[150], b[170];
    for (uint64_t trial = 0; trial < 60; trial++) {
        double size = scale[trial % 5];
        size_t n = 1 + csm_random_u64(trial, 1, 0) % 150, m = 1 + csm_random_u64(trial, 2, 0) % 170;
        for (size_t i = 0; i < n; i++) a[i] = size * csm_random_normal(trial, 3, i);
        for (size_t i = 0; i < m; i++) b[i] = size * (csm_random_normal(trial, 4, i) * 1.3 + 0.2);
        if (trial % 3 == 0) a[0] = 1e307; /* all others share a cell */
        csm_ks ks, turned;
        assert_ok(csm_learn_ks(&ks, a, n, b, m));
        assert_ok(csm_learn_ks(&turned, b, m, a, n));
        assert_near(ks.statistic, brute_distance(a, n, b, m), 1e-14);
        assert_true(ks.statistic == turned.statistic);
        assert_near(ks.p_value, turned.p_value, 1e-13);
    }
}

static void samples_apart_and_samples_alike_are_told_so(void **state) {
    (void)state;
    double a[200], b[200], psi;
    csm_ks ks;
    for (size_t i = 0; i < 200; i++) a[i] = (double)i, b[i] = 1000 + (double)i;
    assert_ok(csm_learn_ks(&ks, a, 200, b, 200));
    assert_true(ks.statistic == 1 && ks.p_value < 1e-80);
    assert_ok(csm_learn_ks(&ks, a, 200, a, 200));
    assert_true(ks.statistic == 0 && ks.p_value == 1);
    assert_ok(csm_learn_psi(&psi, a, 200, a, 200, 10));
    assert_near(psi, 0, 1e-15);
    assert_ok(csm_learn_psi(&psi, a, 200, b, 200, 10));
    assert_true(psi > 5);
    for (size_t i = 0; i < 200; i++) a[i] = 7;
    assert_ok(csm_learn_psi(&psi, a, 200, a, 200, 10)); /* one value: one bin, and one for what lies above */
    assert_near(psi, 0, 1e-15);
}

/* ---- what an alarm is worth ---- */

/* Level checks of streams without drift, over a year of daily checks of 20 streams: on average as many alarms as were allowed. */
static void the_budget_holds_for_tests_that_see_no_drift(void **state) {
    (void)state;
    double level, alarms = 0;
    enum { STREAMS = 20, DAYS = 365, N = 80 };
    assert_ok(csm_learn_alarm_level(&level, 12, STREAMS, CSM_DAY));
    assert_near(level, 12.0 / (STREAMS * 365.25), 1e-15);
    for (uint64_t s = 0; s < STREAMS; s++) {
        for (uint64_t d = 0; d < DAYS; d++) {
            double a[N], b[N];
            csm_ks ks;
            for (size_t i = 0; i < N; i++) {
                a[i] = csm_random_normal(s, 2 * d, i);
                b[i] = csm_random_normal(s, 2 * d + 1, i);
            }
            assert_ok(csm_learn_ks(&ks, a, N, b, N));
            alarms += ks.p_value <= level;
        }
    }
    assert_true(alarms <= 12 + 4 * sqrt(12.0)); /* the limit is conservative for small samples */
}

static void adwin_is_quiet_on_noise_and_finds_a_shift(void **state) {
    (void)state;
    size_t false_alarms = 0, found = 0;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        csm_adwin *adwin;
        assert_ok(csm_adwin_new(&adwin, NULL));
        for (size_t i = 0; i < 4000; i++) {
            int alarm;
            double value = csm_random_uniform(seed, 5, i) < (i < 3000 ? 0.2 : 0.45);
            assert_ok(csm_adwin_add(&alarm, adwin, value));
            if (i < 3000) false_alarms += alarm != 0;
        }
        csm_adwin_info info;
        assert_ok(csm_adwin_describe(&info, adwin));
        found += info.alarms > 0 && info.width < 1500 && info.mean > 0.38;
        csm_adwin_free(adwin);
    }
    assert_true(false_alarms <= 2);
    assert_int_equal(found, 50);
}

static void adwin_stays_exact_and_small_over_a_million_values(void **state) {
    (void)state;
    csm_adwin *adwin;
    csm_adwin_options options;
    csm_adwin_info info;
    csm_adwin_options_init(&options);
    options.interval = 1u << 30; /* never cut */
    assert_ok(csm_adwin_new(&adwin, &options));
    double sum = 0;
    for (size_t i = 0; i < 1000000; i++) {
        int alarm;
        sum += (double)(i % 7);
        assert_ok(csm_adwin_add(&alarm, adwin, (double)(i % 7)));
        assert_int_equal(alarm, 0);
    }
    assert_ok(csm_adwin_describe(&info, adwin));
    assert_true(info.width == 1e6 && info.mean == sum / 1e6);
    assert_near(info.variance, 4, 1e-5);
    csm_adwin_free(adwin);
}

/* ---- errors ---- */

static void wrong_options_and_values_are_named(void **state) {
    (void)state;
    csm_adwin_options adwin_options;
    csm_page_hinkley_options ph_options;
    csm_adwin *adwin;
    csm_page_hinkley *test;
    int alarm;
    double x, values[] = {1, 2, NAN}, few[] = {1, 2};
    csm_ks ks;
    csm_adwin_options_init(&adwin_options);
    adwin_options.delta = 1;
    assert_fails(CSM_EINVAL, "delta 1", csm_adwin_new(&adwin, &adwin_options));
    adwin_options.delta = 0.1;
    adwin_options.buckets = 65;
    assert_fails(CSM_EINVAL, "65 buckets", csm_adwin_new(&adwin, &adwin_options));
    adwin_options.buckets = 5;
    adwin_options.interval = 0;
    assert_fails(CSM_EINVAL, "interval 0", csm_adwin_new(&adwin, &adwin_options));
    csm_page_hinkley_options_init(&ph_options);
    ph_options.threshold = 0;
    assert_fails(CSM_EINVAL, "threshold 0", csm_page_hinkley_new(&test, &ph_options));
    ph_options.threshold = 1;
    ph_options.memory = 1.5;
    assert_fails(CSM_EINVAL, "memory 1.5", csm_page_hinkley_new(&test, &ph_options));
    ph_options.memory = 1;
    ph_options.tolerance = NAN;
    assert_fails(CSM_EINVAL, "tolerance", csm_page_hinkley_new(&test, &ph_options));
    assert_ok(csm_adwin_new(&adwin, NULL));
    assert_ok(csm_page_hinkley_new(&test, NULL));
    assert_fails(CSM_EINVAL, "value nan", csm_adwin_add(&alarm, adwin, fabs(NAN)));
    assert_fails(CSM_EINVAL, "value inf", csm_page_hinkley_add(&alarm, test, INFINITY));
    csm_adwin_info info;
    assert_ok(csm_adwin_describe(&info, adwin));
    assert_true(info.values == 0 && isnan(info.mean));
    csm_page_hinkley_info fresh;
    assert_ok(csm_page_hinkley_describe(&fresh, test));
    assert_true(fresh.values == 0 && isnan(fresh.mean) && fresh.rise == 0 && fresh.fall == 0);
    csm_adwin_free(adwin);
    csm_page_hinkley_free(test);
    csm_adwin_free(NULL);
    csm_page_hinkley_free(NULL);
    assert_fails(CSM_EINVAL, "value 2 of a", csm_learn_ks(&ks, values, 3, few, 2));
    assert_fails(CSM_ENODATA, "2 and 0", csm_learn_ks(&ks, few, 2, NULL, 0));
    assert_fails(CSM_EINVAL, "b is NULL", csm_learn_ks(&ks, few, 2, NULL, 1));
    assert_fails(CSM_EINVAL, "1 bins", csm_learn_psi(&x, few, 2, few, 2, 1));
    assert_fails(CSM_ENODATA, "for 10 bins", csm_learn_psi(&x, few, 2, few, 2, 10));
    assert_fails(CSM_EINVAL, "value 2 of current", csm_learn_psi(&x, few, 2, values, 3, 2));
    assert_fails(CSM_EINVAL, "0 false alarms", csm_learn_alarm_level(&x, 0, 1, CSM_DAY));
    assert_fails(CSM_EINVAL, "0 streams", csm_learn_alarm_level(&x, 1, 0, CSM_DAY));
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    double a[300], b[300];
    for (size_t i = 0; i < 300; i++) a[i] = csm_random_normal(1, 1, i), b[i] = csm_random_normal(1, 2, i);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_adwin *adwin = NULL;
        csm_page_hinkley *test = NULL;
        csm_ks ks;
        double psi;
        csm_fault_allocation(n, false);
        status = csm_adwin_new(&adwin, NULL);
        if (!status) status = csm_page_hinkley_new(&test, NULL);
        if (!status) status = csm_learn_psi(&psi, a, 300, b, 300, 10);
        if (!status) status = csm_learn_ks(&ks, a, 300, b, 300);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        csm_adwin_free(adwin);
        csm_page_hinkley_free(test);
        assert_true(n < 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adwin_cuts_its_window_where_river_does),
        cmocka_unit_test(page_hinkley_alarms_where_river_does),
        cmocka_unit_test(kolmogorov_smirnov_and_stability_index_equal_scipy_and_numpy),
        cmocka_unit_test(the_statistic_equals_its_definition_whatever_the_values),
        cmocka_unit_test(samples_apart_and_samples_alike_are_told_so),
        cmocka_unit_test(the_budget_holds_for_tests_that_see_no_drift),
        cmocka_unit_test(adwin_is_quiet_on_noise_and_finds_a_shift),
        cmocka_unit_test(adwin_stays_exact_and_small_over_a_million_values),
        cmocka_unit_test(wrong_options_and_values_are_named),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
