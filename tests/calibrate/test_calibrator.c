/* SPDX-License-Identifier: MIT */
#include "calibrate/golden.h"

#include "calibrate/internal.h"
#include "core/real.h"

#include <math.h>

static csm_calibrator *fit(const double *score, const double *outcome, const double *weight, size_t n,
                           uint32_t method, double blocks) {
    csm_calibrator_options options;
    csm_calibrator *calibrator;
    csm_calibrator_options_init(&options);
    options.method = method;
    options.blocks = blocks;
    assert_ok(csm_calibrator_fit(&calibrator, score, outcome, weight, n, &options));
    return calibrator;
}

static csm_calibrator_info describe(const csm_calibrator *calibrator) {
    csm_calibrator_info info;
    assert_ok(csm_calibrator_describe(&info, calibrator));
    return info;
}

/* ---- against other implementations ---- */

static void isotonic_equals_scikit_learn(void **state) {
    (void)state;
    golden rows = golden_read("isotonic.txt", 4), at = golden_read("isotonic_at.txt", 2);
    csm_calibrator *calibrator =
        fit(rows.column[0], rows.column[1], rows.column[2], rows.rows, CSM_CALIBRATION_ISOTONIC, 200);
    double *p = calloc(rows.rows, sizeof *p);
    assert_ok(csm_calibrator_apply(calibrator, rows.column[0], p, rows.rows));
    for (size_t i = 0; i < rows.rows; i++) assert_near(p[i], rows.column[3][i], 1e-13);
    assert_ok(csm_calibrator_apply(calibrator, at.column[0], p, at.rows));
    for (size_t i = 0; i < at.rows; i++) assert_near(p[i], at.column[1][i], 1e-13);
    free(p);
    csm_calibrator_free(calibrator);
    golden_free(&rows);
    golden_free(&at);
}

static void venn_abers_equals_refitting_with_the_row(void **state) {
    (void)state;
    golden rows = golden_read("isotonic.txt", 4), at = golden_read("venn_abers.txt", 3);
    csm_calibrator *calibrator =
        fit(rows.column[0], rows.column[1], rows.column[2], rows.rows, CSM_CALIBRATION_ISOTONIC, 200);
    for (size_t i = 0; i < at.rows; i++) {
        double p0, p1;
        assert_ok(csm_calibrator_venn_abers(calibrator, &at.column[0][i], &p0, &p1, 1));
        assert_near(p0, at.column[1][i], 1e-13);
        assert_near(p1, at.column[2][i], 1e-13);
        assert_true(p0 <= p1);
    }
    csm_calibrator_free(calibrator);
    golden_free(&rows);
    golden_free(&at);
}

static void platt_equals_an_unpenalised_logistic_regression_on_his_targets(void **state) {
    (void)state;
    golden rows = golden_read("platt.txt", 3), expected = golden_read("platt_fit.txt", 2);
    for (size_t k = 0; k < 2; k++) {
        csm_calibrator *calibrator = fit(rows.column[0], rows.column[1], k ? rows.column[2] : NULL, rows.rows,
                                         CSM_CALIBRATION_PLATT, 50);
        csm_calibrator_info info = describe(calibrator);
        assert_near(info.slope, expected.column[0][k], 1e-9);
        assert_near(info.intercept, expected.column[1][k], 1e-9);
        assert_true(info.shrinkage == 0);
        csm_calibrator_free(calibrator);
    }
    golden_free(&rows);
    golden_free(&expected);
}

/* CalibratedClassifierCV's search stops once the gradient is below 1e-4: so near it can be asked to come. */
static void platt_equals_scikit_learns_sigmoid(void **state) {
    (void)state;
    golden rows = golden_read("platt.txt", 3), expected = golden_read("sigmoid_sklearn.txt", 2);
    csm_calibrator_options options;
    csm_calibrator *calibrator;
    double *score = calloc(rows.rows, sizeof *score);
    csm_calibrator_options_init(&options);
    options.method = CSM_CALIBRATION_PLATT;
    options.blocks = 1000;
    for (size_t i = 0; i < rows.rows; i++) score[i] = rows.column[0][i] - 100;
    assert_ok(csm_calibrator_fit(&calibrator, score, rows.column[1], NULL, rows.rows, &options));
    for (size_t i = 0; i < expected.rows; i++) {
        double p;
        assert_ok(csm_calibrator_apply(calibrator, &expected.column[0][i], &p, 1));
        assert_near(p, expected.column[1][i], 1e-4);
    }
    csm_calibrator_free(calibrator);
    free(score);
    golden_free(&rows);
    golden_free(&expected);
}

static void beta_and_temperature_equal_regressions_on_their_features(void **state) {
    (void)state;
    golden rows = golden_read("beta.txt", 5), beta = golden_read("beta_fit.txt", 3);
    golden temperature = golden_read("temperature_fit.txt", 1);
    for (size_t k = 0; k < 6; k++) {
        const double *weight = k % 2 ? rows.column[1] : NULL, *outcome = rows.column[2 + k / 2];
        csm_calibrator *one = fit(rows.column[0], outcome, weight, rows.rows, CSM_CALIBRATION_BETA, 50);
        csm_calibrator *two =
            fit(rows.column[0], outcome, weight, rows.rows, CSM_CALIBRATION_TEMPERATURE, 50);
        csm_calibrator_info info = describe(one);
        assert_near(info.slope, beta.column[0][k], 1e-9);
        assert_near(info.slope_high, beta.column[1][k], 1e-9);
        assert_near(info.intercept, beta.column[2][k], 1e-9);
        assert_near(describe(two).slope, temperature.column[0][k], 1e-9);
        assert_true(describe(two).intercept == 0 && isnan(describe(two).slope_high));
        double s = 0.75, p, g = csm_logistic(s);
        assert_ok(csm_calibrator_apply(one, &s, &p, 1));
        double logit = info.slope * log(g) - info.slope_high * log(1 - g) + info.intercept;
        assert_near(p, 1 / (1 + exp(-logit)), 1e-13);
        assert_ok(csm_calibrator_apply(two, &s, &p, 1));
        assert_near(p, 1 / (1 + exp(-describe(two).slope * s)), 1e-13);
        csm_calibrator_free(one);
        csm_calibrator_free(two);
    }
    assert_true(beta.column[1][4] == 0); /* one outcome falls at high scores: the slope there is held at 0 */
    golden_free(&rows);
    golden_free(&beta);
    golden_free(&temperature);
}

static void venn_abers_equals_the_package_of_its_authors(void **state) {
    (void)state;
    golden rows = golden_read("isotonic.txt", 4), at = golden_read("venn_abers_merged.txt", 4);
    csm_calibrator *calibrator =
        fit(rows.column[0], rows.column[1], NULL, rows.rows, CSM_CALIBRATION_VENN_ABERS, 200);
    for (size_t i = 0; i < at.rows; i++) {
        double p0, p1, p;
        assert_ok(csm_calibrator_venn_abers(calibrator, &at.column[0][i], &p0, &p1, 1));
        assert_ok(csm_calibrator_apply(calibrator, &at.column[0][i], &p, 1));
        assert_near(p0, at.column[1][i], 1e-13);
        assert_near(p1, at.column[2][i], 1e-13);
        assert_near(p, at.column[3][i], 1e-13);
    }
    csm_calibrator_free(calibrator);
    golden_free(&rows);
    golden_free(&at);
}

static csm_calibrator *choose(const golden *rows, double blocks, uint32_t method) {
    csm_calibrator_options options;
    csm_calibrator *calibrator;
    csm_time *begin = calloc(rows->rows, sizeof *begin), *end = calloc(rows->rows, sizeof *end);
    for (size_t i = 0; i < rows->rows; i++) {
        begin[i] = (csm_time)rows->column[0][i] * CSM_DAY;
        end[i] = (csm_time)rows->column[1][i] * CSM_DAY;
    }
    csm_calibrator_options_init(&options);
    options.blocks = blocks;
    options.method = method;
    assert_ok(csm_calibrator_choose(&calibrator, rows->column[2], rows->column[3], NULL, begin, end,
                                    rows->rows, &options));
    free(begin);
    free(end);
    return calibrator;
}

static void the_choice_is_the_least_log_loss_on_purged_folds(void **state) {
    (void)state;
    static const uint32_t column[] = {CSM_CALIBRATION_PLATT, CSM_CALIBRATION_ISOTONIC, CSM_CALIBRATION_BETA,
                                      CSM_CALIBRATION_TEMPERATURE, CSM_CALIBRATION_VENN_ABERS};
    golden rows = golden_read("choose.txt", 4), expected = golden_read("choose_expected.txt", 6);
    csm_calibrator *calibrator = choose(&rows, 120, CSM_CALIBRATION_AUTO);
    csm_calibrator_info info = describe(calibrator);
    uint32_t best = CSM_CALIBRATION_PLATT;
    for (size_t m = 0; m < 5; m++) {
        assert_near(info.log_loss[column[m]], expected.column[m][0], 1e-9);
        if (info.log_loss[column[m]] < info.log_loss[best]) best = column[m];
    }
    assert_int_equal(info.method, best);
    assert_int_equal(info.judged, (size_t)expected.column[5][0]);
    assert_true(isnan(info.log_loss[CSM_CALIBRATION_AUTO]));
    csm_calibrator_free(calibrator);
    golden_free(&rows);
    golden_free(&expected);
}

static void only_methods_that_the_blocks_permit_are_tried(void **state) {
    (void)state;
    static const struct {
        double blocks;
        bool tried[CSM_CALIBRATIONS];
    } cases[] = {{29, {false, true, false, true, false, false}},
                 {30, {false, true, false, true, true, false}},
                 {99, {false, true, false, true, true, false}},
                 {100, {false, true, true, true, true, true}}};
    golden rows = golden_read("choose.txt", 4);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        csm_calibrator *calibrator = choose(&rows, cases[i].blocks, CSM_CALIBRATION_AUTO);
        csm_calibrator_info info = describe(calibrator);
        for (uint32_t m = 0; m < CSM_CALIBRATIONS; m++)
            assert_int_equal(!isnan(info.log_loss[m]), cases[i].tried[m]);
        assert_true(cases[i].tried[info.method]);
        csm_calibrator_free(calibrator);
    }
    csm_calibrator *asked = choose(&rows, 50, CSM_CALIBRATION_BETA);
    assert_int_equal(describe(asked).method, CSM_CALIBRATION_BETA);
    assert_int_equal(describe(asked).judged, 0);
    csm_calibrator_free(asked);
    golden_free(&rows);
}

/* Labels that last over the whole later half leave no fold anything to learn from: nothing is judged. */
static void labels_that_reach_into_every_fold_judge_nobody(void **state) {
    (void)state;
    golden rows = golden_read("choose.txt", 4);
    for (size_t i = 0; i < rows.rows; i++) rows.column[1][i] += 1000;
    csm_calibrator *calibrator = choose(&rows, 20, CSM_CALIBRATION_AUTO);
    csm_calibrator_info info = describe(calibrator);
    assert_int_equal(info.judged, 0);
    assert_int_equal(info.method, CSM_CALIBRATION_PLATT);
    for (uint32_t m = 0; m < CSM_CALIBRATIONS; m++) assert_true(isnan(info.log_loss[m]));
    csm_calibrator_free(calibrator);
    golden_free(&rows);
}

/* Log-odds whose low side is twice too bold are a matter for beta, and of a temperature when both sides are. */
static void the_planted_distortion_is_recognised(void **state) {
    (void)state;
    enum { N = 20000 };
    double *score = calloc(N, sizeof *score), *outcome = calloc(N, sizeof *outcome);
    csm_time *time = calloc(N, sizeof *time);
    for (size_t kind = 0; kind < 2; kind++) {
        csm_calibrator_options options;
        csm_calibrator *calibrator;
        for (size_t i = 0; i < N; i++) {
            double s = score[i] = 3 * csm_random_normal(21, kind, i), low = csm_log_logistic(s);
            double logit = kind ? 0.5 * s : 0.3 * low - 1.5 * csm_log_logistic(-s);
            outcome[i] = csm_random_uniform(22, kind, i) < csm_logistic(logit);
            time[i] = (csm_time)i * CSM_HOUR;
        }
        csm_calibrator_options_init(&options);
        options.blocks = 800;
        assert_ok(csm_calibrator_choose(&calibrator, score, outcome, NULL, time, time, N, &options));
        csm_calibrator_info info = describe(calibrator);
        if (kind == 0) assert_int_equal(info.method, CSM_CALIBRATION_BETA);
        assert_true(info.log_loss[info.method] < info.log_loss[CSM_CALIBRATION_ISOTONIC]);
        csm_calibrator_free(calibrator);
        calibrator = fit(score, outcome, NULL, N, kind ? CSM_CALIBRATION_TEMPERATURE : CSM_CALIBRATION_BETA,
                         options.blocks);
        assert_near(describe(calibrator).slope, kind ? 0.5 : 0.3, 0.05);
        if (kind == 0) assert_near(describe(calibrator).slope_high, 1.5, 0.05);
        csm_calibrator_free(calibrator);
    }
    free(time);
    free(outcome);
    free(score);
}

/* ---- against brute force ---- */

/* Isotonic regression at position k by its min-max formula, over rows sorted by score with ties pooled. */
static double min_max(const double *weight, const double *positive, size_t n, size_t k) {
    double best = -INFINITY;
    for (size_t i = 0; i <= k; i++) {
        double least = INFINITY;
        for (size_t j = k; j < n; j++) {
            double w = 0, s = 0;
            for (size_t m = i; m <= j; m++) w += weight[m], s += positive[m];
            if (s / w < least) least = s / w;
        }
        if (least > best) best = least;
    }
    return best;
}

static void venn_abers_equals_the_min_max_formula_on_random_small_sets(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < 300; trial++) {
        double score[12], outcome[12], query = floor(8 * csm_random_uniform(trial, 9, 0)) / 2;
        for (size_t i = 0; i < 12; i++) {
            score[i] = floor(8 * csm_random_uniform(trial, 1, i)) / 2; /* many ties */
            outcome[i] = csm_random_uniform(trial, 2, i) < 0.5;
        }
        outcome[0] = 0, outcome[1] = 1;
        csm_calibrator *calibrator = fit(score, outcome, NULL, 12, CSM_CALIBRATION_AUTO, 10);
        double pair[2];
        assert_ok(csm_calibrator_venn_abers(calibrator, &query, &pair[0], &pair[1], 1));
        for (int y = 0; y < 2; y++) {
            double weight[8] = {0}, positive[8] = {0}, w[8], s[8];
            size_t n = 0, k = 0;
            for (size_t i = 0; i < 12; i++)
                weight[(int)(2 * score[i])]++, positive[(int)(2 * score[i])] += outcome[i];
            weight[(int)(2 * query)]++, positive[(int)(2 * query)] += y;
            for (int v = 0; v < 8; v++) {
                if (v == (int)(2 * query)) k = n;
                if (weight[v] > 0) w[n] = weight[v], s[n++] = positive[v];
            }
            assert_near(pair[y], min_max(w, s, n, k), 1e-15);
        }
        csm_calibrator_free(calibrator);
    }
}

/* ---- properties ---- */

static void probabilities_never_fall_as_the_score_rises(void **state) {
    (void)state;
    double score[400], outcome[400], query[1000], p[1000];
    for (size_t i = 0; i < 400; i++) {
        score[i] = csm_random_normal(1, 1, i);
        outcome[i] = csm_random_uniform(1, 2, i) < csm_logistic(score[i]);
    }
    for (size_t i = 0; i < 1000; i++) query[i] = -5 + 0.01 * (double)i;
    for (uint32_t method = CSM_CALIBRATION_AUTO; method < CSM_CALIBRATIONS; method++) {
        double blocks = method == CSM_CALIBRATION_AUTO ? 3 : 300;
        csm_calibrator *calibrator = fit(score, outcome, NULL, 400, method, blocks);
        assert_ok(csm_calibrator_apply(calibrator, query, p, 1000));
        for (size_t i = 0; i < 1000; i++) {
            assert_true(p[i] >= 0 && p[i] <= 1);
            if (i) assert_true(p[i] >= p[i - 1]);
        }
        csm_calibrator_free(calibrator);
    }
}

static void the_method_follows_from_the_blocks(void **state) {
    (void)state;
    static const double score[] = {1, 2, 3, 4}, outcome[] = {0, 1, 0, 1};
    static const struct {
        double blocks;
        uint32_t method;
        double shrinkage;
    } cases[] = {{2.8, CSM_CALIBRATION_PLATT, 1 - 2.8 / 30},
                 {15, CSM_CALIBRATION_PLATT, 0.5},
                 {30, CSM_CALIBRATION_PLATT, 0},
                 {99, CSM_CALIBRATION_PLATT, 0},
                 {100, CSM_CALIBRATION_ISOTONIC, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        csm_calibrator *calibrator = fit(score, outcome, NULL, 4, CSM_CALIBRATION_AUTO, cases[i].blocks);
        csm_calibrator_info info = describe(calibrator);
        assert_int_equal(info.method, cases[i].method);
        assert_near(info.shrinkage, cases[i].shrinkage, 1e-15);
        assert_near(info.base_rate, 0.5, 0);
        csm_calibrator_free(calibrator);
    }
}

/* 28 of 30 rows rose, all within 3 blocks of one bull market. */
static void few_blocks_of_a_bull_market_carry_no_coin_over_the_gate(void **state) {
    (void)state;
    double score[30], outcome[30], p;
    for (size_t i = 0; i < 30; i++) score[i] = (double)i, outcome[i] = i >= 2;
    for (double blocks = 1; blocks <= 3; blocks++) {
        csm_calibrator *calibrator = fit(score, outcome, NULL, 30, CSM_CALIBRATION_AUTO, blocks);
        double best = 1000;
        assert_ok(csm_calibrator_apply(calibrator, &best, &p, 1));
        assert_true(p < 0.80);
        csm_calibrator_free(calibrator);
    }
}

static void shrinking_never_exceeds_the_larger_of_fit_and_base_rate(void **state) {
    (void)state;
    double score[200], outcome[200];
    for (size_t i = 0; i < 200; i++) {
        score[i] = csm_random_normal(4, 1, i);
        outcome[i] = csm_random_uniform(4, 2, i) < csm_logistic(2 * score[i] - 1);
    }
    csm_calibrator *full = fit(score, outcome, NULL, 200, CSM_CALIBRATION_PLATT, 30);
    csm_calibrator *few = fit(score, outcome, NULL, 200, CSM_CALIBRATION_PLATT, 7);
    double base = describe(few).base_rate;
    for (double s = -6; s < 6; s += 0.1) {
        double whole, shrunk;
        assert_ok(csm_calibrator_apply(full, &s, &whole, 1));
        assert_ok(csm_calibrator_apply(few, &s, &shrunk, 1));
        assert_true(shrunk <= (whole > base ? whole : base) + 1e-15);
    }
    csm_calibrator_free(full);
    csm_calibrator_free(few);
}

static void a_score_that_ranks_backwards_gives_the_base_rate(void **state) {
    (void)state;
    static const double score[] = {1, 2, 3, 4, 5, 6}, outcome[] = {1, 1, 1, 0, 0, 0};
    csm_calibrator *calibrator = fit(score, outcome, NULL, 6, CSM_CALIBRATION_PLATT, 40);
    double p[6];
    assert_ok(csm_calibrator_apply(calibrator, score, p, 6));
    for (size_t i = 0; i < 6; i++) assert_near(p[i], 0.5, 1e-12);
    csm_calibrator_free(calibrator);
}

static void a_weight_of_two_equals_a_row_given_twice(void **state) {
    (void)state;
    static const double score[] = {1, 2, 3, 4, 4}, outcome[] = {0, 1, 0, 1, 1}, weight[] = {1, 1, 1, 2};
    for (double blocks = 20; blocks <= 200; blocks += 180) {
        csm_calibrator *weighted = fit(score, outcome, weight, 4, CSM_CALIBRATION_AUTO, blocks);
        csm_calibrator *twice = fit(score, outcome, NULL, 5, CSM_CALIBRATION_AUTO, blocks);
        double a[4], b[4];
        assert_ok(csm_calibrator_apply(weighted, score, a, 4));
        assert_ok(csm_calibrator_apply(twice, score, b, 4));
        for (size_t i = 0; i < 4; i++) assert_true(a[i] == b[i]);
        csm_calibrator_free(weighted);
        csm_calibrator_free(twice);
    }
}

static void platt_survives_scores_of_any_scale(void **state) {
    (void)state;
    static const double scales[] = {1e-200, 1e-9, 1, 1e9, 1e300};
    for (size_t k = 0; k < 5; k++) {
        double score[100], outcome[100], p[100];
        for (size_t i = 0; i < 100; i++) {
            score[i] = scales[k] * csm_random_normal(1, 1, i) / 10;
            outcome[i] = csm_random_uniform(1, 2, i) < csm_logistic(10 * score[i] / scales[k]);
        }
        csm_calibrator *calibrator = fit(score, outcome, NULL, 100, CSM_CALIBRATION_PLATT, 50);
        assert_ok(csm_calibrator_apply(calibrator, score, p, 100));
        double sum = 0, positive = 0;
        for (size_t i = 0; i < 100; i++) sum += p[i], positive += outcome[i];
        assert_near(sum, positive, 0.02); /* the intercept's equation, up to Platt's soft targets */
        csm_calibrator_free(calibrator);
    }
}

/* ---- errors ---- */

static void what_cannot_be_calibrated_is_refused_with_text(void **state) {
    (void)state;
    static const double score[] = {1, 2, NAN, 4}, outcome[] = {0, 1, 0.5, 1}, ones[] = {1, 1, 1},
                        bad[] = {1, -1};
    csm_calibrator *calibrator = NULL;
    csm_calibrator_options options;
    csm_calibrator_options_init(&options);
    assert_fails(CSM_EINVAL, "blocks = 0",
                 csm_calibrator_fit(&calibrator, score, outcome, NULL, 2, &options));
    options.blocks = 50;
    assert_fails(CSM_EINVAL, "score 2", csm_calibrator_fit(&calibrator, score, ones, NULL, 3, &options));
    assert_fails(CSM_EINVAL, "outcome 2 is 0.5",
                 csm_calibrator_fit(&calibrator, ones, outcome, NULL, 3, &options));
    assert_fails(CSM_EINVAL, "weight 1", csm_calibrator_fit(&calibrator, score, outcome, bad, 2, &options));
    assert_fails(CSM_ENODATA, "both outcomes",
                 csm_calibrator_fit(&calibrator, score, ones, NULL, 2, &options));
    assert_fails(CSM_ENODATA, "both outcomes",
                 csm_calibrator_fit(&calibrator, NULL, NULL, NULL, 0, &options));
    options.method = CSM_CALIBRATION_ISOTONIC;
    assert_fails(CSM_ENODATA, "100 disjoint blocks",
                 csm_calibrator_fit(&calibrator, score, outcome, NULL, 2, &options));
    options.method = CSM_CALIBRATION_VENN_ABERS;
    assert_fails(CSM_ENODATA, "Venn-Abers needs 100 disjoint blocks",
                 csm_calibrator_fit(&calibrator, score, outcome, NULL, 2, &options));
    options.method = CSM_CALIBRATION_TEMPERATURE;
    options.blocks = 29;
    assert_fails(CSM_ENODATA, "temperature needs 30",
                 csm_calibrator_fit(&calibrator, score, outcome, NULL, 2, &options));
    static const csm_time begin[] = {5, 6}, end[] = {7, 5};
    options.method = CSM_CALIBRATION_AUTO;
    assert_fails(CSM_EINVAL, "label 1 ends at 5, before",
                 csm_calibrator_choose(&calibrator, score, outcome, NULL, begin, end, 2, &options));
    assert_fails(CSM_EINVAL, "begin or end is NULL",
                 csm_calibrator_choose(&calibrator, score, outcome, NULL, NULL, end, 2, &options));
    assert_fails(CSM_ENODATA, "both outcomes",
                 csm_calibrator_choose(&calibrator, NULL, NULL, NULL, NULL, NULL, 0, &options));
    options.method = 9;
    assert_fails(CSM_EINVAL, "method 9", csm_calibrator_fit(&calibrator, score, outcome, NULL, 2, &options));
    assert_null(calibrator);
    csm_calibrator_free(NULL);
}

static void an_option_struct_of_an_older_caller_is_accepted(void **state) {
    (void)state;
    static const double score[] = {1, 2}, outcome[] = {0, 1};
    csm_calibrator_options options;
    csm_calibrator *calibrator;
    csm_calibrator_options_init(&options);
    options.blocks = 50;
    options.size = offsetof(csm_calibrator_options, blocks);
    assert_fails(CSM_EINVAL, "blocks = 0",
                 csm_calibrator_fit(&calibrator, score, outcome, NULL, 2, &options));
    options.size = sizeof options;
    assert_ok(csm_calibrator_fit(&calibrator, score, outcome, NULL, 2, &options));
    csm_calibrator_free(calibrator);
}

/* ---- files ---- */

static csm_status write_file(csm_buffer *file, const csm_calibrator *calibrator) {
    csm_tensors_writer *writer;
    csm_status status = csm_tensors_writer_new(&writer);
    if (status) return status;
    status = csm_calibrator_write(writer, "24h.", calibrator);
    if (!status) status = csm_tensors_finish(file, writer);
    csm_tensors_writer_free(writer);
    return status;
}

static csm_status read_file(csm_calibrator **out, const csm_buffer *file) {
    csm_tensors *tensors;
    csm_status status = csm_tensors_read(&tensors, file->data, file->length);
    if (status) return status;
    status = csm_calibrator_read(out, tensors, "24h.");
    csm_tensors_free(tensors);
    return status;
}

static void a_calibrator_read_back_gives_the_same_bits(void **state) {
    (void)state;
    double score[300], outcome[300], before[300], after[300], low[300], high[300], low2[300], high2[300];
    for (size_t i = 0; i < 300; i++) {
        score[i] = csm_random_normal(8, 1, i);
        outcome[i] = csm_random_uniform(8, 2, i) < csm_logistic(score[i]);
    }
    for (uint32_t method = CSM_CALIBRATION_AUTO; method < CSM_CALIBRATIONS; method++) {
        double blocks = method == CSM_CALIBRATION_AUTO ? 12 : 300;
        csm_calibrator *calibrator = fit(score, outcome, NULL, 300, method, blocks), *copy;
        csm_buffer file = {0};
        assert_ok(write_file(&file, calibrator));
        assert_ok(read_file(&copy, &file));
        assert_ok(csm_calibrator_apply(calibrator, score, before, 300));
        assert_ok(csm_calibrator_apply(copy, score, after, 300));
        assert_memory_equal(before, after, sizeof before);
        assert_ok(csm_calibrator_venn_abers(calibrator, score, low, high, 300));
        assert_ok(csm_calibrator_venn_abers(copy, score, low2, high2, 300));
        assert_memory_equal(low, low2, sizeof low);
        assert_memory_equal(high, high2, sizeof high);
        csm_calibrator_info a = describe(calibrator), b = describe(copy);
        assert_int_equal(a.rows, b.rows);
        assert_true(a.blocks == b.blocks && a.base_rate == b.base_rate && a.method == b.method);
        csm_calibrator_free(copy);
        csm_calibrator_free(calibrator);
        csm_buffer_free(&file);
    }
}

static void a_file_without_the_calibrator_says_so(void **state) {
    (void)state;
    csm_tensors_writer *writer;
    csm_tensors *tensors;
    csm_buffer file = {0};
    csm_calibrator *calibrator;
    assert_ok(csm_tensors_writer_new(&writer));
    assert_ok(csm_tensors_add_text(writer, "1h.", "calibrator", "{\"format\": 1, \"method\": 7}"));
    assert_ok(csm_tensors_finish(&file, writer));
    assert_ok(csm_tensors_read(&tensors, file.data, file.length));
    assert_fails(CSM_ENOTFOUND, "24h.", csm_calibrator_read(&calibrator, tensors, "24h."));
    assert_fails(CSM_ECORRUPT, "method 7", csm_calibrator_read(&calibrator, tensors, "1h."));
    csm_tensors_free(tensors);
    csm_tensors_writer_free(writer);
    csm_buffer_free(&file);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    static const double score[] = {3, 1, 2, 4}, outcome[] = {0, 1, 0, 1};
    csm_calibrator_options options;
    csm_calibrator_options_init(&options);
    options.blocks = 100;
    static const csm_time time[] = {3, 1, 2, 4};
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_calibrator *calibrator = NULL, *copy = NULL;
        csm_buffer file = {0};
        csm_fault_allocation(n, false);
        status = csm_calibrator_choose(&calibrator, score, outcome, NULL, time, time, 4, &options);
        if (!status) status = write_file(&file, calibrator);
        if (!status) status = read_file(&copy, &file);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        csm_calibrator_free(calibrator);
        csm_calibrator_free(copy);
        csm_buffer_free(&file);
        assert_true(n < 1000);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(isotonic_equals_scikit_learn),
        cmocka_unit_test(venn_abers_equals_refitting_with_the_row),
        cmocka_unit_test(platt_equals_an_unpenalised_logistic_regression_on_his_targets),
        cmocka_unit_test(platt_equals_scikit_learns_sigmoid),
        cmocka_unit_test(beta_and_temperature_equal_regressions_on_their_features),
        cmocka_unit_test(venn_abers_equals_the_package_of_its_authors),
        cmocka_unit_test(the_choice_is_the_least_log_loss_on_purged_folds),
        cmocka_unit_test(only_methods_that_the_blocks_permit_are_tried),
        cmocka_unit_test(labels_that_reach_into_every_fold_judge_nobody),
        cmocka_unit_test(the_planted_distortion_is_recognised),
        cmocka_unit_test(venn_abers_equals_the_min_max_formula_on_random_small_sets),
        cmocka_unit_test(probabilities_never_fall_as_the_score_rises),
        cmocka_unit_test(the_method_follows_from_the_blocks),
        cmocka_unit_test(few_blocks_of_a_bull_market_carry_no_coin_over_the_gate),
        cmocka_unit_test(shrinking_never_exceeds_the_larger_of_fit_and_base_rate),
        cmocka_unit_test(a_score_that_ranks_backwards_gives_the_base_rate),
        cmocka_unit_test(a_weight_of_two_equals_a_row_given_twice),
        cmocka_unit_test(platt_survives_scores_of_any_scale),
        cmocka_unit_test(what_cannot_be_calibrated_is_refused_with_text),
        cmocka_unit_test(an_option_struct_of_an_older_caller_is_accepted),
        cmocka_unit_test(a_calibrator_read_back_gives_the_same_bits),
        cmocka_unit_test(a_file_without_the_calibrator_says_so),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
