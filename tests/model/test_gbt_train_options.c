/* SPDX-License-Identifier: MIT */
/* Options of the trainer: each changes the model the way its definition says. */
#include "model/support.h"

#include "model/gbt/train.h"

typedef struct extra {
    const uint8_t *categorical;
    const int8_t *monotone;
    const csm_model *start;
    const char *metric;
    const csm_samples *validation;
    const csm_head *heads;
    size_t head_count;
    uint32_t early_stopping_rounds;
} extra;

static csm_status train_with(csm_model **out, const dataset *set, csm_objective objective,
                             const csm_parameter *parameters, size_t count, const extra *more) {
    csm_context *context = context_new(2);
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = (uint32_t)objective;
    options.parameters = parameters;
    options.parameter_count = count;
    options.categorical = more->categorical;
    options.monotone = more->monotone;
    options.start = more->start;
    options.metric = more->metric;
    options.validation = more->validation;
    options.heads = more->heads;
    options.head_count = more->head_count;
    options.early_stopping_rounds = more->early_stopping_rounds;
    csm_status status = csm_model_train(out, context, "gbt", &set->samples, &options);
    csm_context_free(context);
    return status;
}

static double squared_error(const csm_model *model, const dataset *set) {
    double *p = predict(model, set), sum = 0;
    for (size_t i = 0; i < set->rows; i++) sum += (p[i] - set->y[i]) * (p[i] - set->y[i]);
    free(p);
    return sum / (double)set->rows;
}

/* ---- penalties and growth ---- */

static void l1_takes_its_share_off_the_gradient(void **state) {
    (void)state;
    dataset set = dataset_new(40, 1, 1, 0);
    for (size_t i = 0; i < 40; i++) set.x[i] = i < 20 ? 0 : 1, set.y[i] = i < 20 ? 0 : 1;
    const csm_parameter parameters[] = {
        {"rounds", 1}, {"learning_rate", 1}, {"l1", 2}, {"l2", 5}, {"quantise", 0}};
    csm_model *model;
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));
    double *out = predict(model, &set);
    /* gradients of a side are +-0.5 * 20 = 10, so the leaf is (10 - 2) / (20 + 5) */
    assert_true(fabs(out[0] - (0.5 - 8.0 / 25)) < 1e-12);
    assert_true(fabs(out[39] - (0.5 + 8.0 / 25)) < 1e-12);
    free(out);
    csm_model_free(model);
    const csm_parameter strong[] = {{"l1", 11}};
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, strong, 1));
    assert_int_equal(describe(model).rounds, 0);
    csm_model_free(model);
    dataset_free(&set);
}

static size_t depth_of(const gbt_ensemble *e, size_t tree) {
    size_t depth[256] = {0}, deepest = 0, root = e->root[tree];
    for (size_t n = root; n < e->root[tree + 1]; n++) {
        if (depth[n - root] > deepest) deepest = depth[n - root];
        if (e->nodes[n].feature < 0) continue;
        size_t left = (size_t)e->nodes[n].left - root;
        depth[left] = depth[left + 1] = depth[n - root] + 1;
    }
    return deepest;
}

static void depth_wise_growth_fills_a_level_before_the_next(void **state) {
    (void)state;
    dataset set = dataset_new(5000, 4, 2, 0);
    for (size_t i = 0; i < 5000; i++) { /* nearly all the gain on one side */
        const float *x = set.x + 4 * i;
        set.y[i] = x[0] > 0 ? 5 * sin(8 * (double)x[1]) : 0.1 * x[2];
    }
    size_t depth[2];
    for (int depth_wise = 0; depth_wise < 2; depth_wise++) {
        const csm_parameter parameters[] = {
            {"rounds", 1}, {"leaves", 16}, {"min_rows", 1}, {"depth_wise", depth_wise}};
        csm_model *model;
        assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 2, parameters, COUNT(parameters)));
        depth[depth_wise] = depth_of(model->state, 0);
        csm_model_free(model);
    }
    assert_true(depth[1] < depth[0]);
    dataset_free(&set);
}

static void goss_learns_from_fewer_rows_and_keeps_the_sums(void **state) {
    (void)state;
    dataset set = dataset_new(20000, 5, 3, 0);
    plant_regression(&set, 3, 0.5);
    double error[2];
    for (int goss = 0; goss < 2; goss++) {
        const csm_parameter parameters[] = {
            {"rounds", 40}, {"goss_top", goss ? 0.2 : 0}, {"goss_other", 0.1}};
        csm_model *model;
        assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 2, parameters, COUNT(parameters)));
        const gbt_ensemble *e = model->state;
        error[goss] = squared_error(model, &set);
        if (goss) assert_true(e->nodes[0].cover > 5500 && e->nodes[0].cover < 6500); /* 0.3 of 20000 */
        csm_model_free(model);
    }
    assert_true(error[1] < 1.15 * error[0]);
    dataset_free(&set);
}

/* ---- monotone constraints ---- */

static void predictions_never_fall_where_they_must_not(void **state) {
    (void)state;
    dataset set = dataset_new(3000, 3, 4, 0);
    for (size_t i = 0; i < 3000; i++) {
        const float *x = set.x + 3 * i;
        set.y[i] = sin(3 * (double)x[0]) + 0.3 * x[0] - x[1] + 0.5 * csm_random_normal(4, 2, i);
    }
    const int8_t monotone[] = {1, -1, 0};
    for (int constrained = 0; constrained < 2; constrained++) {
        const csm_parameter parameters[] = {{"rounds", 60}, {"learning_rate", 0.2}, {"min_rows", 5}};
        extra options = {.monotone = constrained ? monotone : NULL};
        csm_model *model;
        size_t falls = 0;
        assert_ok(train_with(&model, &set, CSM_OBJECTIVE_SQUARED, parameters, COUNT(parameters), &options));
        dataset line = dataset_new(200, 3, 5, 0);
        for (size_t pass = 0; pass < 20; pass++) {
            size_t f = pass % 2;
            for (size_t i = 0; i < 200; i++) {
                for (size_t k = 0; k < 3; k++) line.x[3 * i + k] = set.x[3 * pass + k];
                line.x[3 * i + f] = -3 + 0.03F * (float)i;
            }
            double *out = predict(model, &line);
            for (size_t i = 1; i < 200; i++) falls += monotone[f] * (out[i] - out[i - 1]) < 0;
            free(out);
        }
        assert_true(constrained ? falls == 0 : falls > 0);
        csm_model_free(model);
        dataset_free(&line);
    }
    dataset_free(&set);
}

/* ---- missing values ---- */

static void missing_values_go_to_the_side_that_gains(void **state) {
    (void)state;
    dataset set = dataset_new(400, 1, 6, 0);
    const csm_parameter parameters[] = {
        {"rounds", 1}, {"learning_rate", 1}, {"l2", 0}, {"missing", 1}, {"leaves", 2}};
    for (int high = 0; high < 2; high++) {
        for (size_t i = 0; i < 400; i++) {
            bool missing = i % 4 == 0;
            set.x[i] = missing ? NAN : (float)(i % 2);
            set.y[i] = missing ? high : (double)(i % 2);
        }
        csm_model *model;
        assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));
        double *out = predict(model, &set);
        for (size_t i = 0; i < 400; i++) assert_true(fabs(out[i] - set.y[i]) < 1e-6);
        free(out);
        csm_model_free(model);
    }
    csm_model *model = NULL;
    assert_int_equal(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "row 0, column 0"));
    dataset_free(&set);
}

/* Only whether a value is missing tells y; a later tree must still split the values. */
static void being_missing_is_a_split_of_its_own(void **state) {
    (void)state;
    dataset set = dataset_new(600, 2, 7, 0);
    for (size_t i = 0; i < 600; i++) {
        set.y[i] = i % 3 == 0;
        if (i % 3 == 0) set.x[2 * i] = NAN;
    }
    for (int quantise = 0; quantise < 2; quantise++) {
        const csm_parameter parameters[] = {
            {"rounds", 5}, {"learning_rate", 1}, {"missing", 1}, {"quantise", quantise}, {"bins", 63}};
        csm_model *model;
        assert_ok(train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 2, parameters, COUNT(parameters)));
        double *out = predict(model, &set);
        for (size_t i = 0; i < 600; i++) assert_true(set.y[i] > 0 ? out[i] > 2 : out[i] < -2);
        free(out);
        csm_model_free(model);
    }
    dataset_free(&set);
}

/* ---- categories ---- */

static void categories_are_split_by_sets(void **state) {
    (void)state;
    dataset set = dataset_new(2000, 2, 8, 0);
    const uint8_t categorical[] = {1, 0};
    for (size_t i = 0; i < 2000; i++) {
        set.x[2 * i] = (float)(i * 7 % 20 * 5); /* 0, 5, ... 95 */
        set.y[i] = (i * 7 % 20) % 3 == 0 ? 1 : 0;
    }
    double error[2];
    for (int on = 0; on < 2; on++) {
        const csm_parameter parameters[] = {{"rounds", 1}, {"learning_rate", 1}, {"leaves", 2}, {"l2", 0}};
        extra options = {.categorical = on ? categorical : NULL};
        csm_model *model;
        assert_ok(train_with(&model, &set, CSM_OBJECTIVE_SQUARED, parameters, COUNT(parameters), &options));
        error[on] = squared_error(model, &set);
        if (on) { /* a category that was never seen goes right, with the zeros or the ones */
            const gbt_ensemble *e = model->state;
            assert_int_equal(e->nodes[0].flags, GBT_NODE_CATEGORICAL);
            assert_true(gbt_set_holds(e->category + e->nodes[0].set, 15) !=
                        gbt_set_holds(e->category + e->nodes[0].set, 5));
            assert_false(gbt_set_holds(e->category + e->nodes[0].set, 7));
        }
        csm_model_free(model);
    }
    assert_true(error[1] < 1e-6 && error[0] > 0.1);
    set.x[2 * 17] = 2.5F;
    csm_model *model = NULL;
    extra options = {.categorical = categorical};
    assert_int_equal(train_with(&model, &set, CSM_OBJECTIVE_SQUARED, NULL, 0, &options), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "row 17, column 0"));
    dataset_free(&set);
}

static void too_many_categories_are_refused(void **state) {
    (void)state;
    dataset set = dataset_new(600, 1, 9, 0);
    const uint8_t categorical[] = {1};
    extra options = {.categorical = categorical};
    csm_model *model = NULL;
    for (size_t i = 0; i < 600; i++) set.x[i] = (float)i, set.y[i] = (double)i;
    assert_int_equal(train_with(&model, &set, CSM_OBJECTIVE_SQUARED, NULL, 0, &options), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "254 categories"));
    dataset_free(&set);
}

/* ---- several outputs ---- */

static void quantiles_in_one_model_are_those_of_models_of_their_own(void **state) {
    (void)state;
    dataset set = dataset_new(3000, 4, 10, 0);
    plant_regression(&set, 10, 1);
    const csm_head heads[] = {{CSM_OBJECTIVE_QUANTILE, 0, 0.1, 1},
                              {CSM_OBJECTIVE_SQUARED, 0, 0, 1},
                              {CSM_OBJECTIVE_QUANTILE, 0, 0.9, 1}};
    const csm_parameter parameters[] = {{"rounds", 30}, {"quantise", 0}};
    extra options = {.heads = heads, .head_count = 3};
    csm_model *model;
    assert_ok(train_with(&model, &set, CSM_OBJECTIVE_SQUARED, parameters, 2, &options));
    assert_int_equal(describe(model).outputs, 3);
    assert_int_equal(describe(model).rounds, 30);
    double *out = calloc(3 * set.rows, sizeof *out);
    csm_matrix view = csm_matrix_f64(out, set.rows, 3);
    assert_ok(csm_model_predict(model, NULL, &set.samples, &view));
    size_t below = 0, above = 0;
    for (size_t i = 0; i < set.rows; i++) below += set.y[i]<out[3 * i], above += set.y[i]> out[3 * i + 2];
    assert_true(below > 200 && below < 400 && above > 200 && above < 400);
    for (size_t h = 0; h < 3; h++) {
        csm_model *alone;
        extra one = {.heads = heads + h, .head_count = 1};
        assert_ok(train_with(&alone, &set, CSM_OBJECTIVE_SQUARED, parameters, 2, &one));
        double *single = predict(alone, &set);
        for (size_t i = 0; i < set.rows; i++) assert_true(fabs(single[i] - out[3 * i + h]) < 1e-12);
        free(single);
        csm_model_free(alone);
    }
    free(out);
    csm_model_free(model);
    dataset_free(&set);
}

/* ---- ranking ---- */

static double mean_ndcg(const double *score, const dataset *set, size_t per_group) {
    double sum = 0;
    for (size_t begin = 0; begin < set->rows; begin += per_group) {
        double found = 0, ideal = 0;
        for (size_t i = begin; i < begin + per_group; i++) {
            size_t place = 0, best = 0;
            for (size_t j = begin; j < begin + per_group; j++) {
                place += score[j] > score[i] || (score[j] == score[i] && j < i);
                best += set->y[j] > set->y[i] || (set->y[j] == set->y[i] && j < i);
            }
            found += (exp2(set->y[i]) - 1) / log2((double)place + 2);
            ideal += (exp2(set->y[i]) - 1) / log2((double)best + 2);
        }
        sum += ideal > 0 ? found / ideal : 1;
    }
    return sum / ((double)set->rows / (double)per_group);
}

static void lambdarank_orders_rows_within_their_groups(void **state) {
    (void)state;
    enum { GROUPS = 100, SIZE = 20 };
    dataset set = dataset_new(GROUPS * SIZE, 4, 11, 0);
    uint32_t group[GROUPS * SIZE];
    for (size_t i = 0; i < GROUPS * SIZE; i++) {
        group[i] = (uint32_t)(i / SIZE);
        double quality = set.x[4 * i] + 0.5 * set.x[4 * i + 1] + 0.3 * csm_random_normal(11, 2, i);
        set.y[i] = quality > 1.2 ? 3 : quality > 0.4 ? 2 : quality > -0.4 ? 1 : 0;
    }
    csm_model *model = NULL;
    assert_int_equal(train(&model, &set, CSM_OBJECTIVE_LAMBDARANK, 1, NULL, 0), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "groups"));
    set.samples.group = group;
    const csm_parameter parameters[] = {{"rounds", 50}, {"learning_rate", 0.1}};
    assert_ok(train(&model, &set, CSM_OBJECTIVE_LAMBDARANK, 2, parameters, COUNT(parameters)));
    double *out = predict(model, &set), none[GROUPS * SIZE] = {0};
    double ndcg = mean_ndcg(out, &set, SIZE);
    assert_true(ndcg > 0.93 && mean_ndcg(none, &set, SIZE) < 0.75);
    assert_true(fabs(1 - describe(model).training_loss - ndcg) < 1e-9);
    free(out);
    csm_model_free(model);
    const csm_head head = {CSM_OBJECTIVE_LAMBDARANK, 0, 0, 1};
    csm_samples ungrouped = set.samples;
    ungrouped.group = NULL;
    extra options = {.heads = &head, .head_count = 1, .validation = &ungrouped};
    assert_int_equal(train_with(&model, &set, CSM_OBJECTIVE_SQUARED, NULL, 0, &options), CSM_EINVAL);
    set.y[3] = -1;
    assert_int_equal(train(&model, &set, CSM_OBJECTIVE_LAMBDARANK, 1, NULL, 0), CSM_EINVAL);
    dataset_free(&set);
}

/* ---- early stopping, going on, refit ---- */

static void the_named_metric_decides_when_to_stop(void **state) {
    (void)state;
    dataset learn = dataset_new(1000, 6, 12, 0), check = dataset_new(1000, 6, 13, 0);
    plant_classes(&learn, 12);
    plant_classes(&check, 13);
    static const char *const metrics[] = {"loss", "rmse", "mae", "auc"};
    const csm_parameter parameters[] = {{"rounds", 400}, {"learning_rate", 0.2}};
    size_t rounds[4];
    for (size_t m = 0; m < COUNT(metrics); m++) {
        extra options = {.metric = metrics[m], .validation = &check.samples, .early_stopping_rounds = 20};
        csm_model *model;
        assert_ok(train_with(&model, &learn, CSM_OBJECTIVE_LOGISTIC, parameters, 2, &options));
        rounds[m] = describe(model).rounds;
        assert_true(rounds[m] < 380);
        csm_model_free(model);
    }
    assert_true(rounds[0] != rounds[1] || rounds[0] != rounds[2] || rounds[0] != rounds[3]);
    csm_model *model = NULL;
    extra unknown = {.metric = "accuracy"};
    assert_int_equal(train_with(&model, &learn, CSM_OBJECTIVE_LOGISTIC, NULL, 0, &unknown), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "accuracy"));
    extra groups = {.metric = "ndcg", .validation = &check.samples};
    assert_int_equal(train_with(&model, &learn, CSM_OBJECTIVE_LOGISTIC, NULL, 0, &groups), CSM_EINVAL);
    dataset_free(&learn);
    dataset_free(&check);
}

static void training_goes_on_where_it_ended(void **state) {
    (void)state;
    dataset set = dataset_new(2000, 4, 14, 0);
    plant_regression(&set, 14, 0.5);
    csm_model *half, *whole, *on;
    const csm_parameter ten[] = {{"rounds", 10}, {"row_share", 0.8}};
    const csm_parameter twenty[] = {{"rounds", 20}, {"row_share", 0.8}};
    assert_ok(train(&half, &set, CSM_OBJECTIVE_SQUARED, 2, ten, 2));
    assert_ok(train(&whole, &set, CSM_OBJECTIVE_SQUARED, 2, twenty, 2));
    extra options = {.start = half};
    assert_ok(train_with(&on, &set, CSM_OBJECTIVE_SQUARED, ten, 2, &options));
    assert_int_equal(describe(on).rounds, 20);
    double *a = predict(whole, &set), *b = predict(on, &set);
    for (size_t i = 0; i < set.rows; i++) assert_true(a[i] == b[i]);
    free(a);
    free(b);
    csm_model_free(half);
    csm_model_free(whole);
    csm_model_free(on);
    dataset_free(&set);
}

static void refitted_leaves_follow_the_new_rows(void **state) {
    (void)state;
    dataset old = dataset_new(2000, 3, 15, 0), fresh = dataset_new(2000, 3, 16, 0);
    plant_regression(&old, 15, 0.2);
    plant_regression(&fresh, 16, 0.2);
    for (size_t i = 0; i < 2000; i++) fresh.y[i] = 3 * fresh.y[i] + 1;
    csm_model *model, *same, *half, *all;
    csm_context *context = context_new(1);
    assert_ok(train(&model, &old, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
    assert_ok(csm_model_refit(&same, context, model, &fresh.samples, NULL, 1));
    assert_ok(csm_model_refit(&half, context, model, &fresh.samples, NULL, 0.5));
    assert_ok(csm_model_refit(&all, context, model, &fresh.samples, NULL, 0));
    assert_true(squared_error(same, &fresh) == squared_error(model, &fresh));
    assert_true(squared_error(half, &fresh) < 0.5 * squared_error(model, &fresh));
    assert_true(squared_error(all, &fresh) < squared_error(half, &fresh));
    csm_model *own; /* a model's own rows give its own leaves back */
    assert_ok(csm_model_refit(&own, context, model, &old.samples, NULL, 0));
    double *a = predict(model, &old), *b = predict(own, &old);
    for (size_t i = 0; i < 2000; i++) assert_true(fabs(a[i] - b[i]) < 1e-5);
    free(a);
    free(b);
    csm_model_free(own);
    assert_int_equal(csm_model_refit(&own, context, model, &fresh.samples, NULL, 1.5), CSM_EINVAL);
    csm_model_free(model);
    csm_model_free(same);
    csm_model_free(half);
    csm_model_free(all);
    csm_context_free(context);
    dataset_free(&old);
    dataset_free(&fresh);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(l1_takes_its_share_off_the_gradient),
        cmocka_unit_test(depth_wise_growth_fills_a_level_before_the_next),
        cmocka_unit_test(goss_learns_from_fewer_rows_and_keeps_the_sums),
        cmocka_unit_test(predictions_never_fall_where_they_must_not),
        cmocka_unit_test(missing_values_go_to_the_side_that_gains),
        cmocka_unit_test(being_missing_is_a_split_of_its_own),
        cmocka_unit_test(categories_are_split_by_sets),
        cmocka_unit_test(too_many_categories_are_refused),
        cmocka_unit_test(quantiles_in_one_model_are_those_of_models_of_their_own),
        cmocka_unit_test(lambdarank_orders_rows_within_their_groups),
        cmocka_unit_test(the_named_metric_decides_when_to_stop),
        cmocka_unit_test(training_goes_on_where_it_ended),
        cmocka_unit_test(refitted_leaves_follow_the_new_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
