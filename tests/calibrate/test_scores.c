/* SPDX-License-Identifier: MIT */
#include "calibrate/golden.h"

#include "calibrate/internal.h"
#include "core/real.h"

#include <math.h>

#define ROWS_MAX 4096

typedef struct forecasts {
    csm_time time[ROWS_MAX];
    double probability[ROWS_MAX];
    double outcome[ROWS_MAX];
    double expected[ROWS_MAX];
    double realised[ROWS_MAX];
    csm_outcomes view;
} forecasts;

static forecasts *new_forecasts(size_t n, csm_time horizon) {
    forecasts *f = calloc(1, sizeof *f);
    f->view = (csm_outcomes){.length = n,
                             .horizon = horizon,
                             .time = f->time,
                             .probability = f->probability,
                             .outcome = f->outcome,
                             .expected = f->expected,
                             .realised = f->realised};
    return f;
}

static forecasts *golden_forecasts(void) {
    golden rows = golden_read("scores.txt", 5);
    forecasts *f = new_forecasts(rows.rows, 7 * CSM_DAY);
    for (size_t i = 0; i < rows.rows; i++) {
        f->time[i] = (csm_time)rows.column[0][i] * CSM_DAY;
        f->probability[i] = rows.column[1][i];
        f->outcome[i] = rows.column[2][i];
        f->expected[i] = rows.column[3][i];
        f->realised[i] = rows.column[4][i];
    }
    golden_free(&rows);
    return f;
}

static csm_context *new_context(uint64_t seed) {
    csm_context_options options;
    csm_context *context;
    csm_context_options_init(&options);
    options.seed = seed;
    assert_ok(csm_context_new(&context, &options));
    return context;
}

static void scores_equal_scikit_learn_and_scipy(void **state) {
    (void)state;
    forecasts *f = golden_forecasts();
    golden e = golden_read("scores_expected.txt", 13);
    csm_context *context = new_context(1);
    csm_scores s;
    assert_ok(csm_calibrate_scores(&s, context, &f->view, NULL));
    const double found[] = {(double)s.rows,      s.blocks,         s.base_rate,  s.brier.value,
                            s.brier_skill.value, s.log_loss.value, s.ece.value,  s.rank_ic.value,
                            s.rank_icir,         s.reliability,    s.resolution, s.uncertainty,
                            (double)s.bin_count};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) assert_near(found[i], e.column[i][0], 1e-12);
    assert_int_equal(s.dates, 60);
    csm_context_free(context);
    golden_free(&e);
    free(f);
}

static void brier_is_reliability_less_resolution_plus_uncertainty(void **state) {
    (void)state;
    forecasts *f = golden_forecasts();
    csm_context *context = new_context(1);
    csm_scores s;
    assert_ok(csm_calibrate_scores(&s, context, &f->view, NULL));
    assert_near(s.reliability - s.resolution + s.uncertainty, s.brier.value, 1e-14);
    size_t rows = 0;
    for (size_t b = 0; b < s.bin_count; b++) {
        rows += s.bins[b].count;
        assert_true(s.bins[b].low <= s.bins[b].frequency && s.bins[b].frequency <= s.bins[b].high);
    }
    assert_int_equal(rows, s.rows);
    csm_context_free(context);
    free(f);
}

static void the_order_of_rows_changes_nothing(void **state) {
    (void)state;
    forecasts *f = golden_forecasts(), *g = new_forecasts(f->view.length, f->view.horizon);
    size_t n = f->view.length;
    for (size_t i = 0; i < n; i++) { /* dates in reverse, rows within a date kept */
        size_t from = (n / 12 - 1 - i / 12) * 12 + i % 12;
        g->time[i] = f->time[from], g->probability[i] = f->probability[from],
        g->outcome[i] = f->outcome[from];
        g->expected[i] = f->expected[from], g->realised[i] = f->realised[from];
    }
    csm_context *context = new_context(1);
    csm_scores a, b;
    assert_ok(csm_calibrate_scores(&a, context, &f->view, NULL));
    assert_ok(csm_calibrate_scores(&b, context, &g->view, NULL));
    assert_memory_equal(&a, &b, sizeof a);
    csm_context_free(context);
    free(f);
    free(g);
}

static void bands_follow_from_the_seed_and_hold_the_value(void **state) {
    (void)state;
    forecasts *f = golden_forecasts();
    csm_context *one = new_context(1), *two = new_context(2);
    csm_scores a, b, c, plain;
    csm_scores_options options;
    csm_calibrate_scores_options_init(&options);
    options.bootstrap = 0;
    assert_ok(csm_calibrate_scores(&a, one, &f->view, NULL));
    assert_ok(csm_calibrate_scores(&b, one, &f->view, NULL));
    assert_ok(csm_calibrate_scores(&c, two, &f->view, NULL));
    assert_ok(csm_calibrate_scores(&plain, one, &f->view, &options));
    assert_memory_equal(&a, &b, sizeof a);
    assert_true(a.brier.low != c.brier.low);
    assert_true(a.brier.low < a.brier.value && a.brier.value < a.brier.high);
    assert_true(a.rank_ic.low < a.rank_ic.value && a.rank_ic.value < a.rank_ic.high);
    assert_true(plain.brier.low == plain.brier.value && plain.brier.high == plain.brier.value);
    csm_context_free(one);
    csm_context_free(two);
    free(f);
}

/* All coins of a block rise or fall as one: the band must be as wide as that of the blocks, not of the rows. */
static void bands_are_as_wide_as_the_blocks_demand(void **state) {
    (void)state;
    csm_context *context = new_context(1);
    double width[2];
    for (int together = 0; together < 2; together++) {
        forecasts *f = new_forecasts(4000, CSM_DAY);
        for (size_t i = 0; i < 4000; i++) {
            f->time[i] = (csm_time)(i / 40) * CSM_DAY;
            f->probability[i] = 0.5 + 0.001 * (double)(i % 40);
            f->outcome[i] = csm_random_uniform(3, 1, together ? i / 40 : i) < 0.5;
        }
        csm_scores s;
        f->view.expected = NULL;
        assert_ok(csm_calibrate_scores(&s, context, &f->view, NULL));
        width[together] = s.bins[3].high - s.bins[3].low;
        assert_true(isnan(s.rank_ic.value) && isnan(s.rank_icir) && isnan(s.rank_ic.low));
        free(f);
    }
    assert_true(width[1] > 1.2 * width[0]);
    csm_context_free(context);
}

static void every_coin_doubled_leaves_the_blocks_unchanged(void **state) {
    (void)state;
    forecasts *f = golden_forecasts();
    size_t n = f->view.length;
    csm_time *twice = calloc(2 * n, sizeof *twice);
    memcpy(twice, f->time, n * sizeof *twice);
    memcpy(twice + n, f->time, n * sizeof *twice);
    assert_true(csm_calibrate_blocks(f->time, n, 7 * CSM_DAY) ==
                csm_calibrate_blocks(twice, 2 * n, 7 * CSM_DAY));
    free(twice);
    free(f);
}

static void blocks_count_horizon_long_spans_from_the_epoch(void **state) {
    (void)state;
    static const csm_time time[] = {5 * CSM_HOUR,     0,         -1,           CSM_HOUR - 1,
                                    5 * CSM_HOUR + 1, -CSM_HOUR, -CSM_HOUR - 1};
    assert_true(csm_calibrate_blocks(time, 7, CSM_HOUR) == 4);
    assert_true(csm_calibrate_blocks(time, 2, CSM_DAY) == 1);
    assert_true(csm_calibrate_blocks(time, 0, CSM_HOUR) == 0);
    assert_true(csm_calibrate_blocks(NULL, 0, CSM_HOUR) == 0);
}

static void twelve_weeks_hold_the_blocks_that_statistics_names(void **state) {
    (void)state;
    csm_time *hour = calloc(2016, sizeof *hour);
    csm_time from = 1700000000 * CSM_SECOND / CSM_WEEK * CSM_WEEK;
    for (size_t i = 0; i < 2016; i++) hour[i] = from + (csm_time)i * CSM_HOUR;
    assert_true(csm_calibrate_blocks(hour, 2016, CSM_HOUR) == 2016);
    assert_true(csm_calibrate_blocks(hour, 2016, CSM_DAY) == 84);
    assert_true(csm_calibrate_blocks(hour, 2016, CSM_WEEK) == 12);
    double months = csm_calibrate_blocks(hour, 2016, 30 * CSM_DAY); /* 2.8, begun and ended inside a block */
    assert_true(months >= 3 && months <= 4);
    free(hour);
}

static void forecasts_of_zero_and_one_that_fail_cost_a_finite_log_loss(void **state) {
    (void)state;
    forecasts *f = new_forecasts(2, CSM_DAY);
    f->time[1] = CSM_DAY;
    f->probability[0] = 1;
    f->outcome[1] = 1;
    csm_context *context = new_context(1);
    csm_scores s;
    assert_ok(csm_calibrate_scores(&s, context, &f->view, NULL));
    assert_near(s.log_loss.value, 15 * log(10), 1e-12);
    assert_near(s.brier.value, 1, 0);
    csm_context_free(context);
    free(f);
}

static void spearman_equals_scipy_with_ties(void **state) {
    (void)state;
    golden rows = golden_read("spearman.txt", 3);
    for (size_t n = 3; n <= rows.rows; n++) {
        double rho = csm_calibrate_spearman(rows.column[0], rows.column[1], n),
               expected = rows.column[2][n - 1];
        if (isnan(expected))
            assert_true(isnan(rho));
        else
            assert_near(rho, expected, 1e-13);
    }
    static const double flat[] = {1, 1, 1}, rising[] = {1, 2, 3}, falling[] = {3, 2, 1};
    assert_true(csm_calibrate_spearman(rising, rising, 3) == 1);
    assert_true(csm_calibrate_spearman(rising, falling, 3) == -1);
    assert_true(isnan(csm_calibrate_spearman(flat, rising, 3)));
    assert_true(isnan(csm_calibrate_spearman(rising, rising, 1)));
    golden_free(&rows);
}

static void conformal_radius_is_the_augmented_quantile(void **state) {
    (void)state;
    golden rows = golden_read("conformal.txt", 2);
    double radius;
    for (size_t i = 99; i < rows.rows; i++) {
        assert_ok(csm_calibrate_conformal(&radius, rows.column[0], 99, rows.column[0][i]));
        assert_true(radius == rows.column[1][i]);
    }
    assert_ok(csm_calibrate_conformal(&radius, rows.column[0], 9, 0.1)); /* the 9th of 9 */
    assert_fails(CSM_ENODATA, "too few", csm_calibrate_conformal(&radius, rows.column[0], 8, 0.1));
    assert_fails(CSM_EINVAL, "alpha", csm_calibrate_conformal(&radius, rows.column[0], 8, 0));
    assert_fails(CSM_EINVAL, "alpha", csm_calibrate_conformal(&radius, rows.column[0], 8, NAN));
    assert_fails(CSM_ENODATA, "too few", csm_calibrate_conformal(&radius, NULL, 0, 0.5));
    static const double bad[] = {1, INFINITY, 2};
    assert_fails(CSM_EINVAL, "residual 1", csm_calibrate_conformal(&radius, bad, 3, 0.5));
    golden_free(&rows);
}

/* Split conformal's promise: a fresh residual is covered with probability 1 - alpha, whatever its law. */
static void a_date_that_expects_the_same_of_all_coins_counts_as_no_order(void **state) {
    (void)state;
    /* three dates of three coins: perfect order, none, and one whose outcomes are equal, which judges nobody */
    static const double expected[] = {1, 2, 3, 5, 5, 5, 1, 2, 3}, realised[] = {1, 2, 3, 3, 1, 2, 4, 4, 4};
    csm_time time[9];
    uint32_t coin[9];
    double probability[9], outcome[9];
    for (size_t i = 0; i < 9; i++) {
        time[i] = (csm_time)(i / 3) * CSM_DAY;
        coin[i] = (uint32_t)(i % 3);
        probability[i] = 0.5;
        outcome[i] = i % 2 ? 1 : 0;
    }
    const csm_outcomes outcomes = {.length = 9,
                                   .horizon = CSM_DAY,
                                   .time = time,
                                   .coin = coin,
                                   .probability = probability,
                                   .outcome = outcome,
                                   .expected = expected,
                                   .realised = realised};
    csm_context *context;
    csm_scores scores;
    assert_ok(csm_context_new(&context, NULL));
    assert_ok(csm_calibrate_scores(&scores, context, &outcomes, NULL));
    assert_near(scores.rank_ic.value, 0.5, 1e-15);
    assert_int_equal(scores.dates, 3);
    csm_context_free(context);
}

static void conformal_radius_equals_mapie(void **state) {
    (void)state;
    golden rows = golden_read("conformal.txt", 2), expected = golden_read("conformal_mapie.txt", 2);
    assert_int_equal(expected.rows, rows.rows - 99);
    for (size_t i = 0; i < expected.rows; i++) {
        double radius;
        assert_ok(csm_calibrate_conformal(&radius, rows.column[0], 99, expected.column[0][i]));
        assert_near(radius, expected.column[1][i], 1e-12);
    }
    golden_free(&rows);
    golden_free(&expected);
}

static void conformal_intervals_cover_as_often_as_they_say(void **state) {
    (void)state;
    size_t covered = 0, trials = 4000;
    for (uint64_t t = 0; t < trials; t++) {
        double residual[39], radius;
        for (uint64_t i = 0; i < 39; i++) residual[i] = csm_random_normal(5, t, i);
        assert_ok(csm_calibrate_conformal(&radius, residual, 39, 0.1));
        covered += fabs(csm_random_normal(5, t, 39)) <= radius;
    }
    double share = (double)covered / (double)trials;
    assert_true(share > 0.9 - 4 * sqrt(0.09 / (double)trials) &&
                share < 0.9 + 4 * sqrt(0.09 / (double)trials));
}

static void wrong_input_is_named(void **state) {
    (void)state;
    forecasts *f = golden_forecasts();
    csm_context *context = new_context(1);
    csm_scores s;
    csm_scores_options options;
    csm_calibrate_scores_options_init(&options);
    options.bins = 21;
    assert_fails(CSM_EINVAL, "21 bins", csm_calibrate_scores(&s, context, &f->view, &options));
    options.bins = 1;
    assert_fails(CSM_EINVAL, "1 bins", csm_calibrate_scores(&s, context, &f->view, &options));
    f->outcome[5] = 0.5;
    assert_fails(CSM_EINVAL, "outcome 5", csm_calibrate_scores(&s, context, &f->view, NULL));
    f->outcome[5] = 1;
    f->probability[6] = NAN;
    assert_fails(CSM_EINVAL, "probability 6", csm_calibrate_scores(&s, context, &f->view, NULL));
    f->probability[6] = 1;
    f->realised[7] = INFINITY;
    assert_fails(CSM_EINVAL, "realised return 7", csm_calibrate_scores(&s, context, &f->view, NULL));
    f->view.horizon = 0;
    assert_fails(CSM_EINVAL, "horizon", csm_calibrate_scores(&s, context, &f->view, NULL));
    f->view.horizon = CSM_DAY;
    f->view.length = 0;
    assert_fails(CSM_ENODATA, "no matured", csm_calibrate_scores(&s, context, &f->view, NULL));
    csm_context_free(context);
    free(f);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    forecasts *f = golden_forecasts();
    csm_context *context = new_context(1);
    csm_scores_options options;
    csm_calibrate_scores_options_init(&options);
    options.bootstrap = 3;
    csm_status status = CSM_ENOMEM;
    f->view.length = 36;
    for (uint64_t n = 1; status; n++) {
        csm_scores s;
        csm_fault_allocation(n, false);
        status = csm_calibrate_scores(&s, context, &f->view, &options);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        assert_true(n < 1000);
    }
    csm_context_free(context);
    free(f);
}

/* ---- paired difference ---- */

static void the_gain_is_the_difference_of_two_brier_scores_and_its_band_is_paired(void **state) {
    (void)state;
    forecasts *f = golden_forecasts();
    const size_t n = f->view.length;
    csm_context *context = new_context(3);
    double *other = calloc(n, sizeof *other);
    for (size_t i = 0; i < n; i++) other[i] = 0.5 * f->probability[i] + 0.25;
    csm_outcomes second = f->view;
    second.probability = other;
    csm_scores a, b;
    csm_band gain;
    assert_ok(csm_calibrate_scores(&a, context, &f->view, NULL));
    assert_ok(csm_calibrate_scores(&b, context, &second, NULL));
    assert_ok(csm_calibrate_brier_gain(&gain, context, &f->view, other, 400));
    assert_near(gain.value, b.brier.value - a.brier.value, 1e-12);
    assert_true(gain.low < gain.value && gain.value < gain.high);
    assert_ok(csm_calibrate_brier_gain(&gain, context, &f->view, f->probability,
                                       400)); /* itself: nothing, surely */
    assert_true(gain.value == 0 && gain.low == 0 && gain.high == 0);
    other[4] = 1.5;
    assert_fails(CSM_EINVAL, "probability 4", csm_calibrate_brier_gain(&gain, context, &f->view, other, 0));
    second.length = 0;
    assert_fails(CSM_ENODATA, "no matured", csm_calibrate_brier_gain(&gain, context, &second, other, 0));
    csm_context_free(context);
    free(other);
    free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gain_is_the_difference_of_two_brier_scores_and_its_band_is_paired),
        cmocka_unit_test(scores_equal_scikit_learn_and_scipy),
        cmocka_unit_test(brier_is_reliability_less_resolution_plus_uncertainty),
        cmocka_unit_test(the_order_of_rows_changes_nothing),
        cmocka_unit_test(bands_follow_from_the_seed_and_hold_the_value),
        cmocka_unit_test(bands_are_as_wide_as_the_blocks_demand),
        cmocka_unit_test(every_coin_doubled_leaves_the_blocks_unchanged),
        cmocka_unit_test(blocks_count_horizon_long_spans_from_the_epoch),
        cmocka_unit_test(twelve_weeks_hold_the_blocks_that_statistics_names),
        cmocka_unit_test(forecasts_of_zero_and_one_that_fail_cost_a_finite_log_loss),
        cmocka_unit_test(spearman_equals_scipy_with_ties),
        cmocka_unit_test(conformal_radius_is_the_augmented_quantile),
        cmocka_unit_test(a_date_that_expects_the_same_of_all_coins_counts_as_no_order),
        cmocka_unit_test(conformal_radius_equals_mapie),
        cmocka_unit_test(conformal_intervals_cover_as_often_as_they_say),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
