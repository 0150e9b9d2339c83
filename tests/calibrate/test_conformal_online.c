/* SPDX-License-Identifier: MIT */
#include "calibrate/golden.h"

#include "calibrate/internal.h"

#include <math.h>

static csm_conformal *new_conformal(uint32_t method, double step, double gain, uint32_t window) {
    csm_conformal_options options;
    csm_conformal *conformal;
    csm_conformal_options_init(&options, method);
    options.step = step;
    options.gain = gain;
    options.window = window;
    if (method == CSM_CONFORMAL_PID) options.start = 1;
    assert_ok(csm_conformal_new(&conformal, &options));
    return conformal;
}

static double radius_of(const csm_conformal *conformal) {
    csm_conformal_info info;
    assert_ok(csm_conformal_describe(&info, conformal));
    return info.radius;
}

static void radii_equal_the_recursions_of_the_papers(void **state) {
    (void)state;
    golden rows = golden_read("conformal_online.txt", 5);
    csm_conformal *conformal[] = {new_conformal(CSM_CONFORMAL_ADAPTIVE, 0.005, 0, 50),
                                  new_conformal(CSM_CONFORMAL_ADAPTIVE, 0.05, 0, 50),
                                  new_conformal(CSM_CONFORMAL_PID, 0.1, 0, 50),
                                  new_conformal(CSM_CONFORMAL_PID, 0.05, 2, 50)};
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < rows.rows; i++) {
            double radius = radius_of(conformal[k]), expected = rows.column[1 + k][i];
            if (isinf(expected))
                assert_true(isinf(radius));
            else
                assert_near(radius, expected, 1e-10);
            assert_ok(csm_conformal_add(conformal[k], rows.column[0][i], radius));
        }
        csm_conformal_free(conformal[k]);
    }
    golden_free(&rows);
}

/* Volatility that grows without end, outcomes that come 20 forecasts late: the promised share stays outside. A radius fitted once
 * misses nearly all. */
static void coverage_holds_where_a_fixed_radius_fails(void **state) {
    (void)state;
    enum { N = 6000, LATE = 20 };
    double *residual = calloc(N, sizeof *residual), *issued = calloc(N, sizeof *issued);
    for (size_t i = 0; i < N; i++) residual[i] = (1 + (double)i / 300) * csm_random_normal(3, 3, i);
    for (uint32_t method = 0; method < 2; method++) {
        csm_conformal *conformal = new_conformal(method, method ? 0.1 : 0.02, method ? 1 : 0, 300);
        csm_conformal_info info;
        for (size_t i = 0; i < N; i++) {
            issued[i] = radius_of(conformal);
            if (i >= LATE) assert_ok(csm_conformal_add(conformal, residual[i - LATE], issued[i - LATE]));
        }
        assert_ok(csm_conformal_describe(&info, conformal));
        assert_int_equal(info.rows, N - LATE);
        double missed = (double)info.missed / (double)info.rows;
        assert_true(missed > 0.085 && missed < 0.115);
        csm_conformal_free(conformal);
    }
    double fixed;
    size_t outside = 0;
    assert_ok(csm_calibrate_conformal(&fixed, residual, 300, 0.1));
    for (size_t i = 300; i < N; i++) outside += fabs(residual[i]) > fixed;
    assert_true(outside > N / 2);
    free(issued);
    free(residual);
}

static void nothing_is_promised_before_there_are_outcomes(void **state) {
    (void)state;
    csm_conformal *conformal = new_conformal(CSM_CONFORMAL_ADAPTIVE, 0.005, 0, 50);
    for (size_t i = 0; i < 9; i++) {
        assert_true(isinf(radius_of(conformal))); /* fewer than 9 outcomes cannot bound 90 % */
        assert_ok(csm_conformal_add(conformal, 1 + (double)i, INFINITY));
    }
    assert_true(isfinite(radius_of(conformal)));
    csm_conformal_free(conformal);
}

static void wrong_input_is_named(void **state) {
    (void)state;
    csm_conformal_options options;
    csm_conformal *conformal;
    csm_conformal_info info;
    csm_conformal_options_init(&options, CSM_CONFORMAL_PID);
    options.alpha = 1;
    assert_fails(CSM_EINVAL, "alpha = 1", csm_conformal_new(&conformal, &options));
    options.alpha = 0.1;
    options.window = 0;
    assert_fails(CSM_EINVAL, "window 0", csm_conformal_new(&conformal, &options));
    options.window = 5;
    options.step = 0;
    assert_fails(CSM_EINVAL, "step 0", csm_conformal_new(&conformal, &options));
    options.step = 1;
    options.saturation = 0;
    assert_fails(CSM_EINVAL, "saturation 0", csm_conformal_new(&conformal, &options));
    options.saturation = 1;
    options.start = -1;
    assert_fails(CSM_EINVAL, "start -1", csm_conformal_new(&conformal, &options));
    options.start = 0;
    options.gain = NAN;
    assert_fails(CSM_EINVAL, "gain", csm_conformal_new(&conformal, &options));
    options.gain = 0;
    options.method = 2;
    assert_fails(CSM_EINVAL, "method 2", csm_conformal_new(&conformal, &options));
    assert_null(conformal);
    options.method = CSM_CONFORMAL_PID;
    options.size =
        offsetof(csm_conformal_options, step); /* an older caller's struct: the rest has defaults */
    assert_ok(csm_conformal_new(&conformal, &options));
    assert_fails(CSM_EINVAL, "residual", csm_conformal_add(conformal, NAN, 1));
    assert_fails(CSM_EINVAL, "radius of -1", csm_conformal_add(conformal, 1, -1));
    assert_ok(csm_conformal_describe(&info, conformal));
    assert_true(info.rows == 0 && info.radius == 0);
    assert_fails(CSM_EINVAL, "NULL", csm_conformal_describe(NULL, conformal));
    csm_conformal_free(conformal);
    csm_conformal_free(NULL);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_conformal *conformal;
        csm_fault_allocation(n, false);
        status = csm_conformal_new(&conformal, NULL);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        csm_conformal_free(conformal);
        assert_true(n < 20);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(radii_equal_the_recursions_of_the_papers),
        cmocka_unit_test(coverage_holds_where_a_fixed_radius_fails),
        cmocka_unit_test(nothing_is_promised_before_there_are_outcomes),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
