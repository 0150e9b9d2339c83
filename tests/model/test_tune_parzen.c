/* SPDX-License-Identifier: MIT */
#include "model/tune.h"

#include "core/golden.h"

static void axes_init(tune_axis *axes) {
    for (size_t d = 0; d < COUNT(four_kinds); d++) assert_ok(tune_axis_init(&axes[d], &four_kinds[d]));
}

static void axes_clear(tune_axis *axes) {
    for (size_t d = 0; d < COUNT(four_kinds); d++) tune_axis_clear(&axes[d]);
}

static double phi(double z) {
    return 0.5 * erfc(-z / sqrt(2));
}

/* Density of a normal cut to [0, 1]. */
static double cut_normal(double x, double mean, double deviation) {
    const double z = (x - mean) / deviation;
    return exp(-z * z / 2) / sqrt(2 * 3.14159265358979323846) / deviation /
           (phi((1 - mean) / deviation) - phi(-mean / deviation));
}

static void every_value_of_an_axis_comes_back_from_its_coordinate(void **state) {
    (void)state;
    tune_axis axes[COUNT(four_kinds)];
    axes_init(axes);
    for (size_t d = 0; d < COUNT(four_kinds); d++) {
        const tune_axis *axis = &axes[d];
        for (size_t i = 0; i <= 100; i++) {
            double value = axis->minimum + (axis->maximum - axis->minimum) * (double)i / 100;
            if (axis->integer) value = floor(value);
            const double found = tune_axis_value(axis, tune_axis_coordinate(axis, value));
            assert_true(axis->integer ? found == value : fabs(found - value) <= 1e-12 * fabs(value) + 1e-15);
        }
        assert_near(tune_axis_value(axis, 0), axis->minimum, 1e-15);
        assert_near(tune_axis_value(axis, 1), axis->maximum, 1e-15);
        assert_true(tune_axis_holds(axis, tune_axis_value(axis, 0.37)));
    }
    axes_clear(axes);
}

static void two_observations_give_the_density_of_the_closed_form(void **state) {
    (void)state;
    const csm_learner_parameter parameter = REAL("x", 2, 4, 3);
    tune_axis axis;
    tune_parzen parzen;
    assert_ok(tune_axis_init(&axis, &parameter));
    const double values[] = {2.4, 3.8}; /* coordinates 0.2 and 0.9, each other's only neighbour */
    assert_ok(tune_parzen_init(&parzen, &axis, 1, values, 2));
    for (double x = 2; x <= 4; x += 0.125) {
        const double at = (x - 2) / 2;
        const double expected =
            (cut_normal(at, 0.2, 0.7) + cut_normal(at, 0.9, 0.7) + cut_normal(at, 0.5, 1)) / 3;
        assert_near(tune_parzen_log_density(&parzen, &x), log(expected), 1e-13);
    }
    tune_parzen_clear(&parzen);
    /* One observation: its neighbours are the ends of the range, the farther one counts. */
    assert_ok(tune_parzen_init(&parzen, &axis, 1, values, 1));
    const double x = 3;
    assert_near(tune_parzen_log_density(&parzen, &x),
                log((cut_normal(0.5, 0.2, 0.8) + cut_normal(0.5, 0.5, 1)) / 2), 1e-13);
    tune_parzen_clear(&parzen);
    tune_axis_clear(&axis);
}

static void crowded_observations_keep_the_narrowest_width_and_old_ones_fade(void **state) {
    (void)state;
    const csm_learner_parameter parameter = REAL("x", 0, 1, 0.5);
    tune_axis axis;
    tune_parzen parzen;
    double values[27];
    for (size_t i = 0; i < 27; i++) values[i] = 0.25;
    assert_ok(tune_axis_init(&axis, &parameter));
    assert_ok(tune_parzen_init(&parzen, &axis, 1, values, 27));
    for (size_t k = 0; k < 27; k++) assert_true(parzen.deviation[k] == 1.0 / 29);
    assert_true(parzen.deviation[27] == 1 && parzen.mean[27] == 0.5);
    /* weights: 1/27, 1, then 25 of 1 and the prior's 1 */
    assert_near(exp(parzen.log_weight[0]), 1.0 / 27 / (27 + 1.0 / 27), 1e-13);
    assert_near(exp(parzen.log_weight[1]), 1 / (27 + 1.0 / 27), 1e-13);
    assert_near(exp(parzen.log_weight[27]), 1 / (27 + 1.0 / 27), 1e-13);
    tune_parzen_clear(&parzen);
    tune_axis_clear(&axis);
}

static void densities_are_those_of_optunas_multivariate_estimator(void **state) {
    (void)state;
    golden table = golden_read_from("model", "tune_parzen.txt", 7);
    tune_axis axes[COUNT(four_kinds)];
    axes_init(axes);
    size_t compared = 0;
    for (size_t first = 0; first < table.rows;) {
        double seen[64 * 4];
        size_t n = 0, r = first;
        for (; r < table.rows && table.column[1][r] == 0; r++, n++) {
            for (size_t d = 0; d < 4; d++) seen[4 * n + d] = table.column[2 + d][r];
        }
        tune_parzen parzen;
        assert_ok(tune_parzen_init(&parzen, axes, 4, seen, n));
        for (; r < table.rows && table.column[1][r] == 1; r++, compared++) {
            double at[4];
            for (size_t d = 0; d < 4; d++) at[d] = table.column[2 + d][r];
            assert_near(tune_parzen_log_density(&parzen, at), table.column[6][r], 1e-9);
        }
        tune_parzen_clear(&parzen);
        first = r;
    }
    assert_int_equal(compared, 120);
    axes_clear(axes);
    golden_free(&table);
}

static void probabilities_of_whole_numbers_sum_to_one(void **state) {
    (void)state;
    for (size_t kind = 2; kind < 4; kind++) {
        tune_axis axis;
        tune_parzen parzen;
        const double values[] = {4, 5, 11};
        double sum = 0;
        assert_ok(tune_axis_init(&axis, &four_kinds[kind]));
        assert_ok(tune_parzen_init(&parzen, &axis, 1, values, 3));
        for (double v = axis.minimum; v <= axis.maximum; v++)
            sum += exp(tune_parzen_log_density(&parzen, &v));
        assert_near(sum, 1, 1e-12);
        tune_parzen_clear(&parzen);
        tune_axis_clear(&axis);
    }
}

static void draws_follow_the_density(void **state) {
    (void)state;
    enum { DRAWS = 40000, TOP = 61 };
    tune_axis axis;
    tune_parzen parzen;
    const double values[] = {5, 5, 10, 45};
    size_t count[TOP] = {0};
    assert_ok(tune_axis_init(&axis, &four_kinds[2]));
    assert_ok(tune_parzen_init(&parzen, &axis, 1, values, 4));
    for (uint64_t i = 0; i < DRAWS; i++) {
        double value;
        const double uniform[] = {csm_random_uniform(3, 1, i), csm_random_uniform(3, 2, i)};
        tune_parzen_draw(&parzen, &value, uniform);
        assert_true(tune_axis_holds(&axis, value));
        count[(size_t)value]++;
    }
    double distance = 0; /* chi-squared with 60 degrees of freedom: beyond 99.6 once in a thousand */
    for (size_t v = 0; v < TOP; v++) {
        const double at = (double)v, expected = DRAWS * exp(tune_parzen_log_density(&parzen, &at));
        distance += ((double)count[v] - expected) * ((double)count[v] - expected) / expected;
    }
    assert_true(distance < 99.6);
    tune_parzen_clear(&parzen);
    tune_axis_clear(&axis);
}

static void a_point_far_from_every_kernel_has_a_finite_density(void **state) {
    (void)state;
    const csm_learner_parameter parameter = {"x", "", 1, 1000000, 1, 1, 0};
    tune_axis axis;
    tune_parzen parzen;
    double values[200];
    for (size_t i = 0; i < 200; i++) values[i] = 1;
    assert_ok(tune_axis_init(&axis, &parameter));
    assert_ok(tune_parzen_init(&parzen, &axis, 1, values, 200));
    const double far = 1000000;
    assert_true(isfinite(tune_parzen_log_density(&parzen, &far)));
    const double edge[] = {0, 0};
    double value;
    tune_parzen_draw(&parzen, &value, edge);
    assert_true(value == 1);
    tune_parzen_clear(&parzen);
    tune_axis_clear(&axis);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_of_an_axis_comes_back_from_its_coordinate),
        cmocka_unit_test(two_observations_give_the_density_of_the_closed_form),
        cmocka_unit_test(crowded_observations_keep_the_narrowest_width_and_old_ones_fade),
        cmocka_unit_test(densities_are_those_of_optunas_multivariate_estimator),
        cmocka_unit_test(probabilities_of_whole_numbers_sum_to_one),
        cmocka_unit_test(draws_follow_the_density),
        cmocka_unit_test(a_point_far_from_every_kernel_has_a_finite_density),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
