/* SPDX-License-Identifier: MIT */
/* A learner tuned over purged folds. */
#include "model/tune.h"

#define ROWS 900
#define FOLDS 4
#define DAY CSM_DAY

/* One row a day, labels of five days, folds of 120 days after 300. */
typedef struct history {
    dataset set;
    csm_time begin[ROWS];
    csm_time end[ROWS];
    csm_fold folds[FOLDS];
} history;

static history *history_new(void) {
    history *h = calloc(1, sizeof *h);
    h->set = dataset_new(ROWS, 4, 5, 0);
    plant_regression(&h->set, 5, 0.5);
    for (size_t i = 0; i < ROWS; i++) {
        h->begin[i] = (csm_time)i * DAY;
        h->end[i] = h->begin[i] + 5 * DAY;
        h->set.weight[i] = 0.5 + csm_random_uniform(5, 9, i);
    }
    csm_walk_options options;
    csm_model_walk_options_init(&options);
    options.from = 0;
    options.to = (300 + FOLDS * 120) * DAY;
    options.horizon = 5 * DAY;
    options.first_train = 300 * DAY;
    options.test_span = 120 * DAY;
    size_t count;
    assert_ok(csm_model_walk_forward(h->folds, FOLDS, &count, &options));
    assert_int_equal(count, FOLDS);
    return h;
}

static void history_free(history *h) {
    dataset_free(&h->set);
    free(h);
}

static const csm_learner_parameter searched[] = {{"learning_rate", "", 0.01, 0.5, 0.02, 0, 1},
                                                 {"leaves", "", 2, 16, 2, 1, 1}};
static const csm_parameter fixed[] = {{"rounds", 15}, {"min_rows", 10}};

typedef struct seen {
    size_t calls;
    size_t fail_at; /* SIZE_MAX: never */
    size_t number[200];
    uint32_t to_step[200];
    double loss[200];
} seen;

static csm_status note(void *user, const csm_tuner *tuner, const csm_trial *trial) {
    seen *s = user;
    assert_true(csm_tuner_count(tuner) > trial->number);
    if (s->calls == s->fail_at) {
        s->fail_at = SIZE_MAX;
        return csm_fail(CSM_EIO, "the register's disk is full");
    }
    s->number[s->calls] = trial->number;
    s->to_step[s->calls] = trial->to_step;
    s->loss[s->calls++] = trial->loss;
    return CSM_OK;
}

static csm_tune_options tune_options(seen *s, const char *path) {
    csm_tune_options options;
    csm_tune_options_init(&options);
    options.fixed = fixed;
    options.fixed_count = COUNT(fixed);
    options.path = path;
    options.trial = note;
    options.user = s;
    options.stream = 70;
    return options;
}

static csm_status tune(csm_tuner *tuner, const history *h, csm_context *context, const csm_tune_options *o) {
    return csm_model_tune(tuner, context, "gbt", &h->set.samples, h->begin, h->end, h->folds, FOLDS, o);
}

static csm_tuner *search_new(uint32_t trials) {
    return tuner_new(searched, COUNT(searched), trials, FOLDS, 8);
}

static void the_result_beats_the_standard_values_and_every_trial_is_handed_over(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(2);
    csm_tuner *tuner = search_new(14);
    seen s = {.fail_at = SIZE_MAX};
    csm_tune_options options = tune_options(&s, NULL);
    csm_trial best, first;
    assert_ok(tune(tuner, h, context, &options));
    assert_ok(csm_tuner_best(&best, tuner));
    assert_ok(csm_tuner_trial(&first, tuner, 0));
    assert_int_equal(csm_tuner_count(tuner), 14);
    assert_int_equal(best.state, CSM_TRIAL_COMPLETE);
    assert_true(best.loss < 0.8 * first.loss);
    uint8_t handed[14] = {0};
    for (size_t i = 0; i < s.calls; i++) {
        csm_trial trial;
        assert_ok(csm_tuner_trial(&trial, tuner, s.number[i]));
        handed[s.number[i]] = 1;
        if (trial.to_step == s.to_step[i]) assert_true(trial.loss == s.loss[i]);
    }
    for (size_t i = 0; i < 14; i++) assert_true(handed[i]);
    csm_tuner_free(tuner);
    csm_context_free(context);
    history_free(h);
}

/* Weighted mean loss of fold f, made with the public functions alone. */
static double fold_loss(const history *h, size_t f, const csm_parameter *parameters, size_t count,
                        csm_objective objective, bool weighted) {
    uint8_t keep[ROWS];
    dataset train_set = dataset_new(ROWS, 4, 1, 0), test_set = dataset_new(ROWS, 4, 1, 0);
    size_t n = 0, m = 0;
    assert_ok(csm_model_purge(keep, h->begin, h->end, ROWS, h->folds[f].train_from, h->folds[f].train_to,
                              h->folds[f].test_from));
    for (size_t i = 0; i < ROWS; i++) {
        const bool tested = h->begin[i] >= h->folds[f].test_from && h->begin[i] < h->folds[f].test_to;
        dataset *to = keep[i] ? &train_set : tested ? &test_set : NULL;
        if (!to) continue;
        const size_t k = keep[i] ? n++ : m++;
        memcpy(to->x + 4 * k, h->set.x + 4 * i, 4 * sizeof(float));
        to->y[k] = h->set.y[i];
        to->weight[k] = weighted ? h->set.weight[i] : 1;
    }
    csm_samples samples = {.x = csm_matrix_f32(train_set.x, n, 4),
                           .y = csm_matrix_f64(train_set.y, n, 1),
                           .weight = weighted ? train_set.weight : NULL,
                           .length = n};
    csm_train_options options;
    csm_model *model;
    csm_context *context = context_new(1);
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = count;
    options.objective = (uint32_t)objective;
    options.stream = 70 + f;
    assert_ok(csm_model_train(&model, context, "gbt", &samples, &options));
    test_set.rows = m;
    test_set.samples = (csm_samples){.x = csm_matrix_f32(test_set.x, m, 4), .length = m};
    double *score = predict(model, &test_set), sum = 0, weights = 0;
    for (size_t i = 0; i < m; i++) {
        const double y = test_set.y[i], e = y - score[i];
        double loss = e * e;
        if (objective == CSM_OBJECTIVE_LOGISTIC)
            loss = log(1 + exp(-score[i])) + (1 - y) * score[i];
        else if (objective == CSM_OBJECTIVE_QUANTILE)
            loss = e > 0 ? 0.9 * e : -0.1 * e;
        else if (objective == CSM_OBJECTIVE_HUBER)
            loss = fabs(e) <= 0.4 ? e * e / 2 : 0.4 * fabs(e) - 0.08;
        sum += test_set.weight[i] * loss;
        weights += test_set.weight[i];
    }
    free(score);
    csm_model_free(model);
    csm_context_free(context);
    dataset_free(&train_set);
    dataset_free(&test_set);
    return sum / weights;
}

static void a_steps_loss_is_that_of_its_purged_fold_for_every_objective(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(1);
    for (uint32_t objective = CSM_OBJECTIVE_SQUARED; objective <= CSM_OBJECTIVE_LOGISTIC; objective++) {
        const csm_parameter defined[] = {{"rounds", 15},
                                         {"min_rows", 10},
                                         {objective == CSM_OBJECTIVE_QUANTILE ? "quantile" : "huber_delta",
                                          objective == CSM_OBJECTIVE_QUANTILE ? 0.9 : 0.4}};
        if (objective == CSM_OBJECTIVE_LOGISTIC) plant_classes(&h->set, 5);
        h->set.samples.weight = objective == CSM_OBJECTIVE_HUBER ? NULL : h->set.weight;
        csm_tuner *tuner = search_new(1);
        seen s = {.fail_at = SIZE_MAX};
        csm_tune_options options = tune_options(&s, NULL);
        options.objective = objective;
        options.fixed = defined;
        options.fixed_count = 3;
        assert_ok(tune(tuner, h, context, &options));
        assert_int_equal(tuner->trials[0].told, FOLDS);
        csm_parameter all[5] = {defined[0], defined[1], defined[2], {"learning_rate", 0.02}, {"leaves", 2}};
        for (size_t f = 0; f < FOLDS; f++) {
            const double expected =
                fold_loss(h, f, all, 5, (csm_objective)objective, h->set.samples.weight != NULL);
            if (fabs(tuner->trials[0].loss[f] - expected) > 1e-12 * fabs(expected))
                fail_msg("objective %u, fold %zu: %.17g is not %.17g", objective, f, tuner->trials[0].loss[f],
                         expected);
        }
        csm_tuner_free(tuner);
    }
    csm_context_free(context);
    history_free(h);
}

static void any_layout_of_the_rows_gives_the_same_search(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(1);
    csm_tuner *a = search_new(3), *b = search_new(3);
    seen s = {.fail_at = SIZE_MAX};
    csm_tune_options options = tune_options(&s, NULL);
    assert_ok(tune(a, h, context, &options));
    double *column_major = calloc(ROWS * 4, sizeof *column_major);
    for (size_t i = 0; i < ROWS * 4; i++) column_major[i % 4 * ROWS + i / 4] = h->set.x[i];
    h->set.samples.x = (csm_matrix){
        .data = column_major, .rows = ROWS, .cols = 4, .row_stride = 1, .col_stride = ROWS, .dtype = CSM_F64};
    assert_ok(tune(b, h, context, &options));
    assert_same_trials(a, b);
    free(column_major);
    csm_tuner_free(a);
    csm_tuner_free(b);
    csm_context_free(context);
    history_free(h);
}

static void constraints_and_categories_reach_the_training(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(1);
    const int8_t falling[4] = {-1, 0, 0, 0}; /* y rises with feature 0 */
    const uint8_t categories[4] = {0, 0, 0, 1};
    for (size_t i = 0; i < ROWS; i++) h->set.x[4 * i + 3] = (float)(i * 7 % 12);
    for (size_t i = 0; i < ROWS; i++)
        h->set.y[i] += i * 7 % 12 % 2 ? 2 : -2; /* even and odd: no order of the numbers */
    double loss[3];
    for (size_t kind = 0; kind < 3; kind++) {
        csm_tuner *tuner = search_new(1);
        seen s = {.fail_at = SIZE_MAX};
        csm_tune_options options = tune_options(&s, NULL);
        const csm_parameter strong[] = {{"rounds", 60}, {"min_rows", 10}};
        options.fixed = strong;
        options.monotone = kind == 1 ? falling : NULL;
        options.categorical = kind == 2 ? categories : NULL;
        assert_ok(tune(tuner, h, context, &options));
        loss[kind] = tuner->trials[0].loss[0];
        csm_tuner_free(tuner);
    }
    assert_true(loss[1] > loss[0]);
    assert_true(loss[2] < loss[0]);
    csm_context_free(context);
    history_free(h);
}

/* ---- windows and heads ---- */

#define WINDOW 4

/* The history's rows as hours; a sample is the window that ends in a row, its targets a class and a return. */
typedef struct windows {
    history *h;
    size_t length;
    int64_t end[ROWS];
    double y[ROWS][2];
    csm_samples samples;
} windows;

static windows *windows_new(void) {
    windows *w = calloc(1, sizeof *w);
    w->h = history_new();
    w->length = ROWS - WINDOW + 1;
    for (size_t i = 0; i < w->length; i++) {
        w->end[i] = (int64_t)(i + WINDOW - 1);
        w->y[i][1] = w->h->set.y[i + WINDOW - 1];
        w->y[i][0] = w->y[i][1] > 0;
    }
    w->samples = (csm_samples){.x = w->h->set.samples.x,
                               .y = csm_matrix_f64(&w->y[0][0], w->length, 2),
                               .weight = w->h->set.weight,
                               .window_end = w->end,
                               .window_length = WINDOW,
                               .length = w->length};
    return w;
}

static const csm_head two_heads[] = {
    {.objective = CSM_OBJECTIVE_LOGISTIC, .column = 0, .weight = 1},
    {.objective = CSM_OBJECTIVE_HUBER, .column = 1, .parameter = 0.7, .weight = 3}};
static const csm_parameter small_network[] = {{"hidden", 4}, {"epochs", 1}, {"learning_rate", 0.01}};

/* Loss of fold f, made with the public functions alone. */
static double window_loss(const windows *w, size_t f, csm_context *context) {
    const csm_fold *fold = &w->h->folds[f];
    uint8_t keep[ROWS];
    int64_t end[2][ROWS]; /* training, test */
    double y[2][ROWS][2], weight[2][ROWS], score[ROWS][2];
    size_t n[2] = {0, 0};
    assert_ok(csm_model_purge(keep, w->h->begin, w->h->end, w->length, fold->train_from, fold->train_to,
                              fold->test_from));
    for (size_t i = 0; i < w->length; i++) {
        const bool tested = w->h->begin[i] >= fold->test_from && w->h->begin[i] < fold->test_to;
        if (!keep[i] && !tested) continue;
        const size_t part = tested, k = n[part]++;
        end[part][k] = w->end[i];
        memcpy(y[part][k], w->y[i], sizeof y[part][k]);
        weight[part][k] = w->h->set.weight[i];
    }
    csm_samples samples = w->samples;
    samples.y = csm_matrix_f64(&y[0][0][0], n[0], 2);
    samples.weight = weight[0];
    samples.window_end = end[0];
    samples.length = n[0];
    csm_train_options options;
    csm_model *model;
    csm_model_train_options_init(&options);
    options.parameters = small_network;
    options.parameter_count = COUNT(small_network);
    options.heads = two_heads;
    options.head_count = 2;
    options.stream = f;
    assert_ok(csm_model_train(&model, context, "lstm", &samples, &options));
    samples.window_end = end[1];
    samples.length = n[1];
    samples.weight = NULL;
    samples.y = (csm_matrix){0};
    csm_matrix out = csm_matrix_f64(&score[0][0], n[1], 2);
    assert_ok(csm_model_predict(model, context, &samples, &out));
    csm_model_free(model);
    double sum = 0, weights = 0;
    for (size_t i = 0; i < n[1]; i++) {
        const double s = score[i][0], e = fabs(y[1][i][1] - score[i][1]);
        const double log_loss = log(1 + exp(-s)) + (1 - y[1][i][0]) * s;
        sum += weight[1][i] * (log_loss + 3 * (e <= 0.7 ? e * e / 2 : 0.7 * (e - 0.35))) / 4;
        weights += weight[1][i];
    }
    return sum / weights;
}

static void windows_and_heads_are_scored_fold_by_fold(void **state) {
    (void)state;
    windows *w = windows_new();
    csm_context *context = context_new(1);
    const csm_learner_parameter rate[] = {{"learning_rate", "", 0.001, 0.1, 0.01, 0, 1}};
    csm_tuner *tuner = tuner_new(rate, 1, 1, FOLDS, 1);
    csm_tune_options options;
    csm_tune_options_init(&options);
    options.fixed = small_network;
    options.fixed_count = 2;
    options.heads = two_heads;
    options.head_count = 2;
    assert_ok(csm_model_tune(tuner, context, "lstm", &w->samples, w->h->begin, w->h->end, w->h->folds, FOLDS,
                             &options));
    for (size_t f = 0; f < FOLDS; f++) {
        const double expected = window_loss(w, f, context), found = tuner->trials[0].loss[f];
        if (fabs(found - expected) > 1e-12 * fabs(expected))
            fail_msg("fold %zu: %.17g is not %.17g", f, found, expected);
    }
    csm_tuner_free(tuner);
    csm_context_free(context);
    history_free(w->h);
    free(w);
}

/* ---- cancel, failure, resume ---- */

static int cancel_after(void *user, const char *what, uint64_t done, uint64_t total) {
    size_t *left = user;
    (void)done;
    (void)total;
    return strcmp(what, "tune") == 0 && (*left)-- == 0;
}

static void a_cancelled_search_goes_on_from_its_file_and_ends_the_same(void **state) {
    (void)state;
    char *folder = support_folder_new(), *path = support_path(folder, "state");
    history *h = history_new();
    csm_context *context = context_new(1);
    csm_tuner *whole = search_new(6), *tuner = search_new(6);
    seen all = {.fail_at = SIZE_MAX}, s = {.fail_at = SIZE_MAX};
    csm_tune_options options = tune_options(&all, NULL);
    assert_ok(tune(whole, h, context, &options));
    options = tune_options(&s, path);
    size_t cancels = 0;
    csm_status status = CSM_ECANCELLED;
    while (status == CSM_ECANCELLED) {
        size_t left = 3;
        csm_context_set_progress(context, cancel_after, &left);
        status = tune(tuner, h, context, &options);
        csm_context_set_progress(context, NULL, NULL);
        if (status == CSM_OK) break;
        assert_int_equal(status, CSM_ECANCELLED);
        cancels++;
        csm_tuner_free(tuner);
        assert_ok(csm_tuner_load(&tuner, path));
    }
    assert_true(cancels > 2);
    assert_same_trials(tuner, whole);
    assert_int_equal(s.calls, all.calls); /* nothing was evaluated twice to its end */
    csm_tuner_free(tuner);
    csm_tuner_free(whole);
    csm_context_free(context);
    history_free(h);
    csm_dealloc(path);
    support_folder_remove(folder);
}

static void a_register_that_fails_ends_the_search_and_its_trial_was_not_told(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(1);
    csm_tuner *whole = search_new(6), *tuner = search_new(6);
    seen all = {.fail_at = SIZE_MAX}, s = {.fail_at = 3};
    csm_tune_options options = tune_options(&all, NULL);
    assert_ok(tune(whole, h, context, &options));
    options = tune_options(&s, NULL);
    assert_fails(CSM_EIO, "disk is full", tune(tuner, h, context, &options));
    assert_int_equal(s.calls, 3);
    assert_ok(tune(tuner, h, context, &options));
    assert_same_trials(tuner, whole);
    assert_int_equal(s.calls, all.calls);
    csm_tuner_free(tuner);
    csm_tuner_free(whole);
    csm_context_free(context);
    history_free(h);
}

static void every_failed_allocation_ends_the_search_where_it_can_go_on(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(1);
    csm_tuner *whole = search_new(2), *tuner = search_new(2);
    seen s = {.fail_at = SIZE_MAX};
    csm_tune_options options = tune_options(&s, NULL);
    const csm_parameter few[] = {{"rounds", 1}, {"min_rows", 10}};
    options.fixed = few;
    assert_ok(tune(whole, h, context, &options));
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status == CSM_ENOMEM; n += 1 + n / 16) {
        csm_fault_allocation(n, false);
        status = tune(tuner, h, context, &options);
        csm_fault_allocation(0, false);
    }
    assert_ok(status);
    assert_same_trials(tuner, whole);
    csm_tuner_free(tuner);
    csm_tuner_free(whole);
    csm_context_free(context);
    history_free(h);
}

/* ---- refusals ---- */

static void wrong_searches_are_named(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(1);
    csm_tune_options options = tune_options(&(seen){0}, NULL);
    csm_tuner *tuner = search_new(2);
    options.objective = 9;
    assert_fails(CSM_EINVAL, "objective 9", tune(tuner, h, context, &options));
    options.objective = CSM_OBJECTIVE_SQUARED;
    assert_fails(
        CSM_ENOTFOUND, "'forest'",
        csm_model_tune(tuner, context, "forest", &h->set.samples, h->begin, h->end, h->folds, FOLDS, NULL));
    assert_fails(
        CSM_EINVAL, "3 folds for a tuner of 4 steps",
        csm_model_tune(tuner, context, "gbt", &h->set.samples, h->begin, h->end, h->folds, 3, &options));
    assert_fails(
        CSM_EINVAL, "linear has no parameter learning_rate",
        csm_model_tune(tuner, context, "linear", &h->set.samples, h->begin, h->end, h->folds, FOLDS, NULL));
    const csm_parameter both[] = {{"leaves", 4}};
    options.fixed = both;
    options.fixed_count = 1;
    assert_fails(CSM_EINVAL, "leaves is both fixed and searched", tune(tuner, h, context, &options));
    options.fixed = NULL;
    assert_fails(CSM_EINVAL, "1 fixed parameters but no array", tune(tuner, h, context, &options));
    options.fixed_count = 0;
    h->set.y[17] = NAN;
    assert_fails(CSM_EINVAL, "17", tune(tuner, h, context, &options));
    h->set.y[17] = 0;
    h->end[4] = h->begin[4] - 1;
    assert_fails(CSM_EINVAL, "label 4", tune(tuner, h, context, &options));
    h->end[4] = h->begin[4];
    h->folds[0].train_to = h->folds[0].train_from;
    assert_fails(CSM_ENODATA, "fold 0", tune(tuner, h, context, &options));
    h->folds[0].train_to = h->folds[0].test_from;
    h->folds[0].test_from = h->folds[0].test_to = ROWS * DAY;
    assert_fails(CSM_ENODATA, "fold 0: no row to score", tune(tuner, h, context, &options));
    csm_tuner_free(tuner);
    const csm_learner_parameter loss_itself[] = {{"quantile", "", 0.1, 0.9, 0.5, 0, 0}};
    tuner = tuner_new(loss_itself, 1, 2, FOLDS, 1);
    assert_fails(CSM_EINVAL, "quantile defines the loss", tune(tuner, h, context, &options));
    csm_tuner_free(tuner);
    const csm_learner_parameter wide[] = {{"leaves", "", 1, 16, 2, 1, 0}};
    tuner = tuner_new(wide, 1, 2, FOLDS, 1);
    assert_fails(CSM_EINVAL, "leaves 1..16 is not within", tune(tuner, h, context, &options));
    csm_tuner_free(tuner);
    assert_fails(CSM_EINVAL, "required", tune(NULL, h, context, &options));
    csm_context_free(context);
    history_free(h);
}

static void an_options_struct_of_an_older_program_has_no_heads(void **state) {
    (void)state;
    history *h = history_new();
    csm_context *context = context_new(1);
    csm_tuner *tuner = search_new(1);
    seen s = {.fail_at = SIZE_MAX};
    csm_tune_options options = tune_options(&s, NULL);
    options.size = offsetof(csm_tune_options, heads);
    options.heads = two_heads; /* beyond the size told: not looked at */
    options.head_count = 2;
    assert_ok(tune(tuner, h, context, &options));
    options.size = sizeof options;
    csm_tuner_free(tuner);
    tuner = search_new(1);
    assert_fails(CSM_EINVAL, "head 0 is logistic", tune(tuner, h, context, &options));
    csm_tuner_free(tuner);
    csm_context_free(context);
    history_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_beats_the_standard_values_and_every_trial_is_handed_over),
        cmocka_unit_test(a_steps_loss_is_that_of_its_purged_fold_for_every_objective),
        cmocka_unit_test(any_layout_of_the_rows_gives_the_same_search),
        cmocka_unit_test(constraints_and_categories_reach_the_training),
        cmocka_unit_test(windows_and_heads_are_scored_fold_by_fold),
        cmocka_unit_test(a_cancelled_search_goes_on_from_its_file_and_ends_the_same),
        cmocka_unit_test(a_register_that_fails_ends_the_search_and_its_trial_was_not_told),
        cmocka_unit_test(every_failed_allocation_ends_the_search_where_it_can_go_on),
        cmocka_unit_test(wrong_searches_are_named),
        cmocka_unit_test(an_options_struct_of_an_older_program_has_no_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
