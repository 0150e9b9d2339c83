/* SPDX-License-Identifier: MIT */
/* Regimes: against hmmlearn and brute force, on a chain whose states are known, and with input that is wrong. */
#include "core/golden.h"

#include <cryptosmart/model.h>

#include "core/internal.h"

#include <math.h>

static golden read_rows(double **values, csm_matrix *view) {
    golden rows = golden_read_from("model", "hmm_rows.txt", 2);
    *values = calloc(rows.rows * 2, sizeof **values);
    for (size_t t = 0; t < rows.rows; t++)
        for (size_t f = 0; f < 2; f++) (*values)[2 * t + f] = rows.column[f][t];
    *view = csm_matrix_f64(*values, rows.rows, 2);
    return rows;
}

/* ---- against other implementations ---- */

static void twelve_iterations_equal_hmmlearn_and_filtering_its_last_posterior(void **state) {
    (void)state;
    static const double start[] = {0.6, 0.4}, transition[] = {0.8, 0.2, 0.3, 0.7},
                        mean[] = {-4.5, 0, -3, 0.01}, variance[] = {0.4, 0.001, 0.5, 0.002};
    double *values;
    csm_matrix x;
    golden rows = read_rows(&values, &x), fit = golden_read_from("model", "hmm_fit.txt", 1);
    golden filtered = golden_read_from("model", "hmm_filtered.txt", 2);
    csm_hmm *initial, *hmm;
    csm_hmm_options options;
    csm_hmm_info info;
    double found[14], log_likelihood, *probability = calloc(rows.rows * 2, sizeof *probability);
    csm_hmm_options_init(&options);
    options.iterations = 12;
    options.tolerance = 0;
    options.floor = 0;
    assert_ok(csm_hmm_from(&initial, 2, 2, start, transition, mean, variance));
    assert_ok(csm_hmm_fit(&hmm, NULL, &x, initial, &options));
    assert_ok(csm_hmm_parameters(hmm, found, found + 2, found + 6, found + 10));
    for (size_t i = 0; i < 14; i++) assert_near(found[i], fit.column[0][i], 1e-9);
    assert_ok(csm_hmm_describe(&info, hmm));
    assert_true(info.iterations == 12 && info.states == 2 && info.features == 2);
    assert_near(info.log_likelihood, fit.column[0][14], 1e-10);
    csm_matrix out = csm_matrix_f64(probability, rows.rows, 2);
    assert_ok(csm_hmm_filter(&out, &log_likelihood, hmm, &x));
    assert_near(log_likelihood, fit.column[0][14], 1e-10);
    for (size_t i = 0; i < filtered.rows; i++)
        assert_near(probability[2 * (size_t)filtered.column[0][i] + 1], filtered.column[1][i], 1e-7);
    csm_hmm_free(hmm);
    csm_hmm_free(initial);
    free(probability);
    free(values);
    golden_free(&rows);
    golden_free(&fit);
    golden_free(&filtered);
}

/* Sum over all state paths of a short series. */
static void filtering_equals_the_sum_over_all_paths(void **state) {
    (void)state;
    static const double start[] = {0.2, 0.5, 0.3}, mean[] = {-1, 0, 2}, variance[] = {1, 0.5, 2};
    static const double transition[] = {0.7, 0.2, 0.1, 0.3, 0.3, 0.4, 0.05, 0.15, 0.8};
    enum { T = 6, PATHS = 729 };
    double x[T], probability[T * 3], log_likelihood, joint[3] = {0}, total = 0;
    csm_hmm *hmm;
    assert_ok(csm_hmm_from(&hmm, 3, 1, start, transition, mean, variance));
    for (size_t t = 0; t < T; t++) x[t] = 2 * csm_random_normal(1, 1, t);
    for (size_t path = 0; path < PATHS; path++) {
        double p = 1;
        size_t rest = path, before = 0;
        for (size_t t = 0; t < T; t++, rest /= 3) {
            size_t s = rest % 3;
            p *= t ? transition[before * 3 + s] : start[s];
            p *= exp(-(x[t] - mean[s]) * (x[t] - mean[s]) / (2 * variance[s])) /
                 sqrt(2 * 3.14159265358979323846 * variance[s]);
            before = s;
        }
        joint[before] += p;
        total += p;
    }
    csm_matrix view = csm_matrix_f64(x, T, 1), out = csm_matrix_f64(probability, T, 3);
    assert_ok(csm_hmm_filter(&out, &log_likelihood, hmm, &view));
    assert_near(log_likelihood, log(total), 1e-13);
    for (size_t s = 0; s < 3; s++) assert_near(probability[(T - 1) * 3 + s], joint[s] / total, 1e-13);
    csm_hmm_free(hmm);
}

/* ---- where the truth is known ---- */

enum { LONG = 4000 };

static csm_matrix simulate(double *x, uint8_t *truth, uint64_t seed) {
    uint8_t now = 0;
    for (size_t t = 0; t < LONG; t++) {
        if (csm_random_uniform(seed, 1, t) < 0.02) now = !now;
        truth[t] = now;
        x[2 * t] = (now ? 1.0 : -1.0) + 0.8 * csm_random_normal(seed, 2, t);
        x[2 * t + 1] = (now ? 3.0 : 1.0) * csm_random_normal(seed, 3, t);
    }
    return csm_matrix_f64(x, LONG, 2);
}

static void planted_regimes_are_recovered(void **state) {
    (void)state;
    double *x = calloc(2 * LONG, sizeof *x), *p = calloc(2 * LONG, sizeof *p), transition[4], mean[4],
           variance[4];
    uint8_t *truth = calloc(LONG, 1);
    csm_matrix view = simulate(x, truth, 5), out = csm_matrix_f64(p, LONG, 2);
    csm_hmm *hmm;
    size_t right = 0;
    assert_ok(csm_hmm_fit(&hmm, NULL, &view, NULL, NULL));
    assert_ok(csm_hmm_parameters(hmm, NULL, transition, mean, variance));
    assert_near(mean[0], -1, 0.05);
    assert_near(mean[2], 1, 0.05);
    assert_near(sqrt(variance[1]), 1, 0.05);
    assert_near(sqrt(variance[3]), 3, 0.05);
    assert_true(transition[1] > 0.01 && transition[1] < 0.03 && transition[2] > 0.01 && transition[2] < 0.03);
    assert_ok(csm_hmm_filter(&out, NULL, hmm, &view));
    for (size_t t = 0; t < LONG; t++) right += (p[2 * t + 1] > 0.5) == (truth[t] == 1);
    assert_true((double)right / LONG > 0.97);
    csm_hmm_free(hmm);
    free(truth);
    free(p);
    free(x);
}

/* Filtered, not smoothed: cutting the future away changes no bit; stepping gives the same bits. */
static void a_row_is_judged_by_its_past_alone(void **state) {
    (void)state;
    double *x = calloc(2 * LONG, sizeof *x), *whole = calloc(2 * LONG, sizeof *whole), cut[2 * 300],
           now[2] = {0};
    uint8_t *truth = calloc(LONG, 1);
    csm_matrix view = simulate(x, truth, 6), out = csm_matrix_f64(whole, LONG, 2);
    csm_matrix part = csm_matrix_f64(x, 300, 2), part_out = csm_matrix_f64(cut, 300, 2);
    csm_hmm *hmm;
    assert_ok(csm_hmm_fit(&hmm, NULL, &view, NULL, NULL));
    assert_ok(csm_hmm_filter(&out, NULL, hmm, &view));
    assert_ok(csm_hmm_filter(&part_out, NULL, hmm, &part));
    assert_memory_equal(whole, cut, sizeof cut);
    for (size_t t = 0; t < 300; t++) {
        assert_ok(csm_hmm_step(now, hmm, x + 2 * t));
        assert_memory_equal(now, whole + 2 * t, sizeof now);
    }
    csm_hmm_free(hmm);
    free(truth);
    free(whole);
    free(x);
}

static void likelihood_never_falls_from_one_iteration_to_the_next(void **state) {
    (void)state;
    double *values, last = -INFINITY;
    csm_matrix x;
    golden rows = read_rows(&values, &x);
    for (uint32_t iterations = 1; iterations <= 15; iterations++) {
        csm_hmm *hmm;
        csm_hmm_options options;
        csm_hmm_info info;
        csm_hmm_options_init(&options);
        options.states = 3;
        options.iterations = iterations;
        options.tolerance = 0;
        assert_ok(csm_hmm_fit(&hmm, NULL, &x, NULL, &options));
        assert_ok(csm_hmm_describe(&info, hmm));
        assert_true(info.log_likelihood >= last - 1e-9);
        last = info.log_likelihood;
        csm_hmm_free(hmm);
    }
    free(values);
    golden_free(&rows);
}

/* ---- errors ---- */

static void outliers_and_impossible_rows_leave_probabilities(void **state) {
    (void)state;
    static const double start[] = {1, 0}, transition[] = {1, 0, 0, 1}, mean[] = {0, 10},
                        variance[] = {1e-4, 1e-4};
    double x[] = {0, 10, 1e100, -1e100, 0}, p[10], likelihood;
    csm_hmm *hmm;
    csm_matrix view = csm_matrix_f64(x, 5, 1), out = csm_matrix_f64(p, 5, 2);
    assert_ok(csm_hmm_from(&hmm, 2, 1, start, transition, mean, variance));
    assert_ok(csm_hmm_filter(&out, &likelihood, hmm, &view));
    for (size_t t = 0; t < 5; t++) {
        assert_true(p[2 * t] >= 0 && p[2 * t] <= 1);
        assert_near(p[2 * t] + p[2 * t + 1], 1, 1e-12);
    }
    assert_true(isfinite(likelihood));
    csm_hmm_free(hmm);
}

static void wrong_input_is_named(void **state) {
    (void)state;
    static const double start[] = {0.5, 0.6}, good[] = {0.5, 0.5}, transition[] = {1, 0, 0.5, 0.5},
                        mean[] = {0, 1}, variance[] = {1, 0};
    double x[60] = {0}, p[60];
    csm_hmm *hmm;
    csm_hmm_options options;
    csm_matrix view = csm_matrix_f64(x, 30, 1), out = csm_matrix_f64(p, 30, 2);
    assert_fails(CSM_EINVAL, "sums to 1.1", csm_hmm_from(&hmm, 2, 1, start, transition, mean, good));
    assert_fails(CSM_EINVAL, "variance 0", csm_hmm_from(&hmm, 2, 1, good, transition, mean, variance));
    assert_fails(CSM_EINVAL, "17 states", csm_hmm_from(&hmm, 17, 1, good, transition, mean, variance));
    csm_hmm_options_init(&options);
    assert_fails(CSM_ENODATA, "feature 0 never varies", csm_hmm_fit(&hmm, NULL, &view, NULL, NULL));
    options.states = 4;
    assert_fails(CSM_ENODATA, "30 rows", csm_hmm_fit(&hmm, NULL, &view, NULL, &options));
    options.states = 1;
    assert_fails(CSM_EINVAL, "1 states", csm_hmm_fit(&hmm, NULL, &view, NULL, &options));
    for (size_t i = 0; i < 30; i++) x[i] = csm_random_normal(1, 1, i);
    x[7] = NAN;
    assert_fails(CSM_EINVAL, "row 7, column 0", csm_hmm_fit(&hmm, NULL, &view, NULL, NULL));
    assert_null(hmm);
    x[7] = 0;
    assert_ok(csm_hmm_fit(&hmm, NULL, &view, NULL, NULL));
    csm_matrix wide = csm_matrix_f64(x, 15, 2);
    assert_fails(CSM_EINVAL, "2 columns",
                 csm_hmm_filter(&(csm_matrix){p, 15, 2, 2, 1, CSM_F64, 0}, NULL, hmm, &wide));
    out.rows = 29;
    assert_fails(CSM_EINVAL, "29 x 2", csm_hmm_filter(&out, NULL, hmm, &view));
    double now[2] = {2, 0};
    assert_fails(CSM_EINVAL, "probability 0 is 2", csm_hmm_step(now, hmm, x));
    now[0] = 0;
    assert_fails(CSM_EINVAL, "feature 0 is nan", csm_hmm_step(now, hmm, &(double){fabs(NAN)}));
    csm_hmm_free(hmm);
    csm_hmm_free(NULL);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    double x[40], p[80];
    csm_matrix view = csm_matrix_f64(x, 40, 1), out = csm_matrix_f64(p, 40, 2);
    for (size_t i = 0; i < 40; i++) x[i] = csm_random_normal(1, 1, i);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_hmm *hmm = NULL, *again = NULL;
        csm_fault_allocation(n, false);
        status = csm_hmm_fit(&hmm, NULL, &view, NULL, NULL);
        if (!status) status = csm_hmm_fit(&again, NULL, &view, hmm, NULL);
        if (!status) status = csm_hmm_filter(&out, NULL, again, &view);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        csm_hmm_free(hmm);
        csm_hmm_free(again);
        assert_true(n < 200);
    }
}

/* ---- walking ---- */

static void make_regimes(double *x, size_t n) {
    for (size_t t = 0; t < n; t++) {
        const bool wild = t / 60 % 2 == 1;
        x[2 * t] = (wild ? -3 : -5) + 0.5 * csm_random_normal(8, 1, t);
        x[2 * t + 1] = (wild ? 0.2 : 0.05) * csm_random_normal(8, 2, t);
    }
}

static void a_walk_finds_regimes_and_the_rows_after_change_nothing_before(void **state) {
    (void)state;
    enum { T = 600, FIRST = 150, EVERY = 90, SHORT = 400 };
    double x[2 * T], whole[2 * T], shorter[2 * SHORT];
    size_t right = 0;
    make_regimes(x, T);
    const csm_matrix rows = csm_matrix_f64(x, T, 2), fewer = csm_matrix_f64(x, SHORT, 2);
    csm_matrix said = csm_matrix_f64(whole, T, 2), said_then = csm_matrix_f64(shorter, SHORT, 2);
    assert_ok(csm_hmm_walk(&said, NULL, &rows, FIRST, EVERY, NULL));
    assert_ok(csm_hmm_walk(&said_then, NULL, &fewer, FIRST, EVERY, NULL));
    for (size_t t = 0; t < T; t++) {
        if (t < FIRST) {
            assert_true(isnan(whole[2 * t]) && isnan(whole[2 * t + 1]));
            continue;
        }
        assert_near(whole[2 * t] + whole[2 * t + 1], 1, 1e-12);
        right += (whole[2 * t + 1] > 0.5) == (t / 60 % 2 == 1);
    }
    assert_memory_equal(whole + 2 * FIRST, shorter + 2 * FIRST, 2 * (SHORT - FIRST) * sizeof *whole);
    assert_true(right > (T - FIRST) * 95 / 100);
}

static void each_part_of_a_walk_is_what_a_model_of_the_rows_before_it_says(void **state) {
    (void)state;
    enum { T = 300, FIRST = 100, EVERY = 80 };
    double x[2 * T], walked[2 * T], alone[2 * T];
    make_regimes(x, T);
    const csm_matrix rows = csm_matrix_f64(x, T, 2);
    csm_matrix said = csm_matrix_f64(walked, T, 2), said_alone = csm_matrix_f64(alone, T, 2);
    assert_ok(csm_hmm_walk(&said, NULL, &rows, FIRST, EVERY, NULL));
    for (size_t begin = FIRST; begin < T; begin += EVERY) {
        const size_t end = begin + EVERY < T ? begin + EVERY : (size_t)T;
        const csm_matrix past = csm_matrix_f64(x, begin, 2);
        csm_hmm *hmm = NULL;
        assert_ok(csm_hmm_fit(&hmm, NULL, &past, NULL, NULL));
        assert_ok(csm_hmm_filter(&said_alone, NULL, hmm, &rows));
        assert_memory_equal(walked + 2 * begin, alone + 2 * begin, 2 * (end - begin) * sizeof *walked);
        csm_hmm_free(hmm);
    }
}

static void a_walk_that_cannot_be_is_refused(void **state) {
    (void)state;
    double x[2 * 100], out[2 * 100];
    make_regimes(x, 100);
    const csm_matrix rows = csm_matrix_f64(x, 100, 2);
    csm_matrix said = csm_matrix_f64(out, 100, 2), narrow = csm_matrix_f64(out, 100, 1);
    assert_fails(CSM_EINVAL, "NULL", csm_hmm_walk(NULL, NULL, &rows, 50, 10, NULL));
    assert_fails(CSM_EINVAL, "100 x 1", csm_hmm_walk(&narrow, NULL, &rows, 50, 10, NULL));
    assert_fails(CSM_EINVAL, "above 0", csm_hmm_walk(&said, NULL, &rows, 0, 10, NULL));
    assert_fails(CSM_EINVAL, "above 0", csm_hmm_walk(&said, NULL, &rows, 50, 0, NULL));
    assert_int_equal(csm_hmm_walk(&said, NULL, &rows, 15, 10, NULL), CSM_ENODATA); /* ten rows a state */
    assert_ok(csm_hmm_walk(&said, NULL, &rows, 100, 10, NULL));
    assert_true(isnan(out[199]) != 0);
    assert_ok(csm_hmm_walk(&said, NULL, &rows, 50, SIZE_MAX, NULL));
    assert_true(out[199] >= 0);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_fault_allocation(n, false);
        status = csm_hmm_walk(&said, NULL, &rows, 50, 30, NULL);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        assert_true(n < 200);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_walk_finds_regimes_and_the_rows_after_change_nothing_before),
        cmocka_unit_test(each_part_of_a_walk_is_what_a_model_of_the_rows_before_it_says),
        cmocka_unit_test(a_walk_that_cannot_be_is_refused),
        cmocka_unit_test(twelve_iterations_equal_hmmlearn_and_filtering_its_last_posterior),
        cmocka_unit_test(filtering_equals_the_sum_over_all_paths),
        cmocka_unit_test(planted_regimes_are_recovered),
        cmocka_unit_test(a_row_is_judged_by_its_past_alone),
        cmocka_unit_test(likelihood_never_falls_from_one_iteration_to_the_next),
        cmocka_unit_test(outliers_and_impossible_rows_leave_probabilities),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
