/* SPDX-License-Identifier: MIT */
/* Skill or luck: against scipy, statsmodels and arch, on series whose truth is known, and with input that is wrong. */
#include "calibrate/golden.h"

#include "calibrate/internal.h"

#include <math.h>

static csm_context *new_context(void) {
    csm_context *context;
    assert_ok(csm_context_new(&context, NULL));
    return context;
}

/* ---- against other implementations ---- */

static void sharpe_ratios_equal_scipy_statsmodels_and_the_formulas(void **state) {
    (void)state;
    golden returns = golden_read("luck_returns.txt", 2), expected = golden_read("luck_sharpe.txt", 11);
    for (size_t i = 0; i < expected.rows; i++) {
        csm_sharpe_options options;
        csm_sharpe s;
        csm_calibrate_sharpe_options_init(&options);
        options.lags = (uint32_t)expected.column[0][i];
        options.benchmark = expected.column[1][i];
        options.trials = (uint64_t)expected.column[2][i];
        options.trial_deviation = expected.column[3][i];
        assert_ok(csm_calibrate_sharpe(&s, returns.column[i / 3], returns.rows, &options));
        const double found[] = {s.sharpe,        s.skewness,      s.kurtosis, s.standard_error,
                                s.probabilistic, s.expected_best, s.deflated};
        for (size_t k = 0; k < 7; k++) assert_near(found[k], expected.column[4 + k][i], 1e-11);
    }
    golden_free(&returns);
    golden_free(&expected);
}

static csm_matrix panel_of(const golden *table, double *values, size_t columns) {
    for (size_t r = 0; r < table->rows; r++)
        for (size_t c = 0; c < columns; c++) values[r * columns + c] = table->column[c][r];
    return csm_matrix_f64(values, table->rows, columns);
}

static void overfitting_equals_enumeration(void **state) {
    (void)state;
    golden panel = golden_read("luck_panel.txt", 7), expected = golden_read("luck_overfitting.txt", 5);
    double *values = calloc(panel.rows * 7, sizeof *values);
    csm_matrix view = panel_of(&panel, values, 7);
    for (size_t i = 0; i < expected.rows; i++) {
        csm_overfitting found;
        assert_ok(csm_calibrate_overfitting(&found, &view, (uint32_t)expected.column[0][i]));
        assert_int_equal(found.combinations, (size_t)expected.column[1][i]);
        assert_near(found.probability, expected.column[2][i], 1e-14);
        assert_near(found.median_rank, expected.column[3][i], 1e-14);
        assert_near(found.loss, expected.column[4][i], 1e-14);
    }
    free(values);
    golden_free(&panel);
    golden_free(&expected);
}

/* Both sides draw 4000 resamples of their own: p-values within 3.6 standard errors of their difference, 0.04. */
static void superior_ability_equals_arch(void **state) {
    (void)state;
    golden panel = golden_read("luck_panel.txt", 7), expected = golden_read("luck_superior.txt", 4);
    double *values = calloc(panel.rows * 7, sizeof *values);
    csm_context *context = new_context();
    for (size_t columns = 1; columns <= 7; columns++) {
        csm_matrix view = panel_of(&panel, values, columns);
        csm_superior_options options;
        csm_superior found;
        csm_calibrate_superior_options_init(&options);
        options.run = 6;
        options.bootstrap = 4000;
        assert_ok(csm_calibrate_superior(&found, context, &view, &options));
        assert_near(found.statistic, expected.column[0][columns - 1], 1e-10);
        assert_int_equal(found.best, columns == 1 ? 0 : 1);
        assert_true(fabs(found.lower - expected.column[1][columns - 1]) < 0.04);
        assert_true(fabs(found.consistent - expected.column[2][columns - 1]) < 0.04);
        assert_true(fabs(found.upper - expected.column[3][columns - 1]) < 0.04);
        assert_true(found.lower <= found.consistent && found.consistent <= found.upper);
    }
    csm_context_free(context);
    free(values);
    golden_free(&panel);
    golden_free(&expected);
}

/* ---- where the truth is known ---- */

enum { PERIODS = 240, STRATEGIES = 30 };

static csm_matrix simulate(double *values, uint64_t seed, double skill) {
    for (size_t t = 0; t < PERIODS; t++)
        for (size_t k = 0; k < STRATEGIES; k++)
            values[t * STRATEGIES + k] = csm_random_normal(seed, k, t) + (k == 3 ? skill : 0);
    return csm_matrix_f64(values, PERIODS, STRATEGIES);
}

/* The best of 30 without skill looks skilled; its deflated probability does not exceed 95 % more often than it may. */
static void the_best_of_many_lucky_trials_is_not_called_skilled(void **state) {
    (void)state;
    double *values = calloc(PERIODS * STRATEGIES, sizeof *values), *best = calloc(PERIODS, sizeof *best);
    size_t plain = 0, deflated = 0, runs = 200;
    for (uint64_t seed = 1; seed <= runs; seed++) {
        csm_matrix view = simulate(values, seed, 0);
        csm_sharpe_options options;
        csm_sharpe top = {.sharpe = -INFINITY}, s;
        csm_calibrate_sharpe_options_init(&options);
        options.trials = STRATEGIES;
        for (size_t k = 0; k < STRATEGIES; k++) {
            for (size_t t = 0; t < PERIODS; t++) best[t] = csm_matrix_get(&view, t, k);
            assert_ok(csm_calibrate_sharpe(&s, best, PERIODS, &options));
            if (s.sharpe > top.sharpe) top = s;
        }
        plain += top.probabilistic > 0.95;
        deflated += top.deflated > 0.95;
    }
    assert_true(plain > runs / 2);
    assert_true((double)deflated <= 0.05 * (double)runs);
    free(best);
    free(values);
}

static void overfitting_is_likely_without_skill_and_unlikely_with_it(void **state) {
    (void)state;
    double *values = calloc(PERIODS * STRATEGIES, sizeof *values), luck = 0, skill = 0;
    csm_overfitting found;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        csm_matrix view = simulate(values, seed, 0);
        assert_ok(csm_calibrate_overfitting(&found, &view, 8));
        luck += found.probability / 20;
        view = simulate(values, seed, 0.4);
        assert_ok(csm_calibrate_overfitting(&found, &view, 8));
        skill += found.probability / 20;
    }
    assert_true(luck > 0.4 && luck < 0.75);
    assert_true(skill < 0.02);
    free(values);
}

static void superior_ability_is_claimed_of_luck_in_five_percent_and_of_skill_always(void **state) {
    (void)state;
    double *values = calloc(PERIODS * STRATEGIES, sizeof *values);
    csm_context *context = new_context();
    csm_superior_options options;
    csm_superior found;
    size_t luck = 0, skill = 0, runs = 100;
    csm_calibrate_superior_options_init(&options);
    options.run = 3;
    options.bootstrap = 200;
    for (uint64_t seed = 1; seed <= runs; seed++) {
        csm_matrix view = simulate(values, seed, 0);
        assert_ok(csm_calibrate_superior(&found, context, &view, &options));
        luck += found.consistent <= 0.05;
        view = simulate(values, seed, 0.45);
        assert_ok(csm_calibrate_superior(&found, context, &view, &options));
        skill += found.consistent <= 0.05 && found.best == 3;
    }
    assert_true(luck <= 14); /* 5 and four standard errors */
    assert_true(skill >= runs - 2);
    csm_context_free(context);
    free(values);
}

/* ---- edges and errors ---- */

static void models_that_never_beat_the_benchmark_have_a_p_value_of_one(void **state) {
    (void)state;
    double values[40];
    csm_context *context = new_context();
    csm_superior found;
    for (size_t i = 0; i < 20; i++) {
        values[2 * i] = -1 - csm_random_uniform(1, 1, i);
        values[2 * i + 1] = 0.1; /* constant: left out */
    }
    csm_matrix view = csm_matrix_f64(values, 20, 2);
    assert_ok(csm_calibrate_superior(&found, context, &view, NULL));
    assert_true(found.best == 0 && found.statistic == 0 && found.consistent == 1);
    for (size_t i = 0; i < 20; i++) values[2 * i] = 0.1;
    assert_fails(CSM_ENODATA, "none of 2 models", csm_calibrate_superior(&found, context, &view, NULL));
    csm_context_free(context);
}

static void wrong_input_is_named(void **state) {
    (void)state;
    double values[40] = {0.01, 0.02, -0.01, NAN};
    csm_context *context = new_context();
    csm_sharpe s;
    csm_sharpe_options options;
    csm_overfitting o;
    csm_superior p;
    csm_matrix view = csm_matrix_f64(values, 20, 2), none = {0};
    csm_calibrate_sharpe_options_init(&options);
    assert_fails(CSM_ENODATA, "2 returns", csm_calibrate_sharpe(&s, values, 2, NULL));
    assert_fails(CSM_EINVAL, "return 3", csm_calibrate_sharpe(&s, values, 4, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_calibrate_sharpe(&s, NULL, 4, NULL));
    options.lags = 3;
    assert_fails(CSM_EINVAL, "3 lags", csm_calibrate_sharpe(&s, values, 3, &options));
    options.lags = 0;
    options.trials = 0;
    assert_fails(CSM_EINVAL, "0 trials", csm_calibrate_sharpe(&s, values, 3, &options));
    options.trials = 2;
    options.trial_deviation = -1;
    assert_fails(CSM_EINVAL, "trial_deviation", csm_calibrate_sharpe(&s, values, 3, &options));
    assert_fails(CSM_EINVAL, "row 1, column 1", csm_calibrate_overfitting(&o, &view, 4));
    assert_fails(CSM_EINVAL, "row 1, column 1", csm_calibrate_superior(&p, context, &view, NULL));
    values[3] = 0;
    assert_fails(CSM_EINVAL, "5 parts", csm_calibrate_overfitting(&o, &view, 5));
    assert_fails(CSM_EINVAL, "in 12 parts", csm_calibrate_overfitting(&o, &view, 12));
    assert_fails(CSM_EINVAL, "NULL", csm_calibrate_overfitting(&o, &none, 4));
    csm_superior_options superior;
    csm_calibrate_superior_options_init(&superior);
    superior.run = 0.5;
    assert_fails(CSM_EINVAL, "run 0.5", csm_calibrate_superior(&p, context, &view, &superior));
    superior.run = 2;
    superior.bootstrap = 0;
    assert_fails(CSM_EINVAL, "0 resamples", csm_calibrate_superior(&p, context, &view, &superior));
    csm_matrix few = csm_matrix_f64(values, 15, 2);
    assert_fails(CSM_ENODATA, "15 periods", csm_calibrate_superior(&p, context, &few, NULL));
    for (size_t i = 0; i < 40; i++) values[i] = 0.25;
    assert_fails(CSM_ENODATA, "all returns are 0.25", csm_calibrate_sharpe(&s, values, 40, NULL));
    csm_context_free(context);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    double *values = calloc(PERIODS * STRATEGIES, sizeof *values);
    csm_context *context = new_context();
    csm_matrix view = simulate(values, 1, 0);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_overfitting o;
        csm_superior p;
        csm_superior_options options;
        csm_calibrate_superior_options_init(&options);
        options.bootstrap = 2;
        csm_fault_allocation(n, false);
        status = csm_calibrate_overfitting(&o, &view, 4);
        if (!status) status = csm_calibrate_superior(&p, context, &view, &options);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        assert_true(n < 100);
    }
    csm_context_free(context);
    free(values);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sharpe_ratios_equal_scipy_statsmodels_and_the_formulas),
        cmocka_unit_test(overfitting_equals_enumeration),
        cmocka_unit_test(superior_ability_equals_arch),
        cmocka_unit_test(the_best_of_many_lucky_trials_is_not_called_skilled),
        cmocka_unit_test(overfitting_is_likely_without_skill_and_unlikely_with_it),
        cmocka_unit_test(superior_ability_is_claimed_of_luck_in_five_percent_and_of_skill_always),
        cmocka_unit_test(models_that_never_beat_the_benchmark_have_a_p_value_of_one),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
