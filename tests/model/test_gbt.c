/* SPDX-License-Identifier: MIT */
#include "model/support.h"

#include "model/gbt/train.h"

/* ---- the same answer ---- */

static csm_hash prediction_hash(const csm_model *model, const dataset *set) {
    double *out = predict(model, set);
    csm_hash hash = csm_hash_bytes(out, set->rows * sizeof *out);
    free(out);
    return hash;
}

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    static const csm_objective objectives[] = {CSM_OBJECTIVE_LOGISTIC, CSM_OBJECTIVE_QUANTILE,
                                               CSM_OBJECTIVE_HUBER};
    static const uint32_t threads[] = {1, 2, 3, 7};
    const csm_parameter parameters[] = {{"rounds", 6}, {"row_share", 0.7}, {"column_share", 0.8}};
    for (size_t k = 0; k < COUNT(objectives); k++) {
        dataset set = dataset_new(20000, 40, 1, 0);
        csm_hash first = {{0}};
        if (k == 0)
            plant_classes(&set, 1);
        else
            plant_regression(&set, 1, 1);
        for (size_t t = 0; t < COUNT(threads); t++) {
            csm_model *model;
            assert_ok(train(&model, &set, objectives[k], threads[t], parameters, COUNT(parameters)));
            csm_hash hash = prediction_hash(model, &set);
            if (t == 0) first = hash;
            assert_memory_equal(&hash, &first, sizeof hash);
            csm_model_free(model);
        }
        dataset_free(&set);
    }
}

static void seed_and_stream_choose_the_sample(void **state) {
    (void)state;
    dataset set = dataset_new(500, 4, 1, 0);
    plant_regression(&set, 1, 1);
    const csm_parameter parameters[] = {{"rounds", 5}, {"row_share", 0.5}};
    csm_hash hash[3];
    for (uint64_t stream = 0; stream < 3; stream++) {
        csm_context *context = context_new(1);
        csm_train_options options;
        csm_model *model;
        csm_model_train_options_init(&options);
        options.parameters = parameters;
        options.parameter_count = COUNT(parameters);
        options.stream = stream % 2;
        assert_ok(csm_model_train(&model, context, "gbt", &set.samples, &options));
        hash[stream] = prediction_hash(model, &set);
        csm_model_free(model);
        csm_context_free(context);
    }
    assert_memory_equal(&hash[0], &hash[2], sizeof *hash);
    assert_memory_not_equal(&hash[0], &hash[1], sizeof *hash);
    dataset_free(&set);
}

static void a_weight_of_two_equals_a_row_given_twice(void **state) {
    (void)state;
    dataset once = dataset_new(300, 3, 2, 0.25), twice = dataset_new(600, 3, 2, 0.25);
    plant_regression(&once, 2, 0.5);
    for (size_t i = 0; i < 300; i++) {
        once.y[i] = round(4 * once.y[i]) / 4; /* sums of such targets are exact */
        once.weight[i] = 2;
        for (size_t copy = 0; copy < 2; copy++) {
            memcpy(twice.x + (2 * i + copy) * 3, once.x + i * 3, 3 * sizeof(float));
            twice.y[2 * i + copy] = once.y[i];
        }
    }
    once.samples.weight = once.weight;
    const csm_parameter parameters[] = {{"rounds", 10}, {"min_rows", 1}, {"leaves", 8}};
    csm_model *a, *b;
    assert_ok(train(&a, &once, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));
    assert_ok(train(&b, &twice, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));
    double *from_weight = predict(a, &once), *from_copies = predict(b, &once);
    for (size_t i = 0; i < 300; i++) assert_true(fabs(from_weight[i] - from_copies[i]) < 1e-12);
    free(from_weight);
    free(from_copies);
    csm_model_free(a);
    csm_model_free(b);
    dataset_free(&once);
    dataset_free(&twice);
}

static void a_row_of_weight_zero_changes_no_leaf(void **state) {
    (void)state;
    dataset set = dataset_new(200, 3, 3, 0);
    plant_regression(&set, 3, 0.5);
    for (size_t i = 0; i < 200; i++) set.weight[i] = i < 150 ? 1 : 0;
    set.samples.weight = set.weight;
    for (size_t i = 150; i < 200; i++) set.y[i] = 1e6;
    csm_model *model;
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
    double *out = predict(model, &set);
    for (size_t i = 0; i < 200; i++) assert_true(fabs(out[i]) < 20);
    free(out);
    csm_model_free(model);
    dataset_free(&set);
}

static void views_of_any_layout_give_the_same_model(void **state) {
    (void)state;
    dataset set = dataset_new(400, 5, 4, 0);
    plant_classes(&set, 4);
    double *columns = calloc(400 * 5, sizeof *columns);
    for (size_t r = 0; r < 400; r++) {
        for (size_t f = 0; f < 5; f++) columns[(4 - f) * 400 + r] = set.x[r * 5 + f];
    }
    dataset other = set;
    other.samples.x =
        (csm_matrix){columns + 4 * 400, 400, 5, 1, -400, CSM_F64, 0}; /* column-major, backwards */
    csm_model *a, *b;
    assert_ok(train(&a, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    assert_ok(train(&b, &other, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    csm_hash one = prediction_hash(a, &set), two = prediction_hash(b, &other);
    assert_memory_equal(&one, &two, sizeof one);
    float single[400];
    csm_matrix out = csm_matrix_f32(single, 400, 1);
    assert_ok(csm_model_predict(a, NULL, &set.samples, &out));
    double *exact = predict(a, &set);
    for (size_t r = 0; r < 400; r++) assert_true(single[r] == (float)exact[r]);
    free(exact);
    csm_model_free(a);
    csm_model_free(b);
    free(columns);
    dataset_free(&set);
}

/* ---- learning ---- */

static void a_planted_signal_is_found_and_shuffled_labels_are_not(void **state) {
    (void)state;
    dataset learn = dataset_new(4000, 8, 5, 0), fresh = dataset_new(2000, 8, 6, 0);
    plant_classes(&learn, 5);
    plant_classes(&fresh, 6);
    double *law = calloc(2000, sizeof *law); /* the log-odds themselves: nothing ranks better */
    for (size_t i = 0; i < 2000; i++) {
        const float *x = fresh.x + 8 * i;
        law[i] = x[0] - 0.5 * x[1] + (double)x[0] * x[2];
    }
    const csm_parameter parameters[] = {{"rounds", 80}, {"leaves", 15}};
    csm_model *model;
    double gain[8];
    assert_ok(train(&model, &learn, CSM_OBJECTIVE_LOGISTIC, 2, parameters, COUNT(parameters)));
    double *score = predict(model, &fresh);
    assert_true(auc(score, fresh.y, fresh.rows) > auc(law, fresh.y, fresh.rows) - 0.03);
    assert_ok(csm_model_importance(model, gain, 8));
    for (size_t f = 3; f < 8; f++) {
        for (size_t signal = 0; signal < 3; signal++) assert_true(gain[f] < gain[signal]);
    }
    free(score);
    csm_model_free(model);
    for (size_t i = 0; i < learn.rows; i++) learn.y[i] = csm_random_uniform(7, 1, i) < 0.5;
    assert_ok(train(&model, &learn, CSM_OBJECTIVE_LOGISTIC, 2, parameters, COUNT(parameters)));
    score = predict(model, &fresh);
    assert_true(fabs(auc(score, fresh.y, fresh.rows) - 0.5) < 0.05);
    free(score);
    csm_model_free(model);
    free(law);
    dataset_free(&learn);
    dataset_free(&fresh);
}

static void training_loss_falls_with_every_round(void **state) {
    (void)state;
    static const csm_objective objectives[] = {CSM_OBJECTIVE_SQUARED, CSM_OBJECTIVE_HUBER,
                                               CSM_OBJECTIVE_LOGISTIC};
    for (size_t k = 0; k < COUNT(objectives); k++) {
        dataset set = dataset_new(500, 4, 8, 0);
        double before = INFINITY;
        if (objectives[k] == CSM_OBJECTIVE_LOGISTIC)
            plant_classes(&set, 8);
        else
            plant_regression(&set, 8, 1);
        for (double rounds = 1; rounds <= 20; rounds++) {
            csm_parameter parameter = {"rounds", rounds};
            csm_model *model;
            assert_ok(train(&model, &set, objectives[k], 1, &parameter, 1));
            csm_model_info info = describe(model);
            assert_true(info.training_loss < before);
            assert_int_equal(info.rounds, (size_t)rounds);
            before = info.training_loss;
            csm_model_free(model);
        }
        dataset_free(&set);
    }
}

static void the_losses_are_those_of_their_definitions(void **state) {
    (void)state;
    static const csm_objective objectives[] = {CSM_OBJECTIVE_SQUARED, CSM_OBJECTIVE_HUBER,
                                               CSM_OBJECTIVE_QUANTILE, CSM_OBJECTIVE_LOGISTIC};
    const csm_parameter parameters[] = {{"rounds", 7}, {"huber_delta", 0.4}, {"quantile", 0.8}};
    for (size_t k = 0; k < COUNT(objectives); k++) {
        dataset set = dataset_new(300, 3, 9, 0);
        double loss = 0, weight = 0;
        csm_model *model;
        if (objectives[k] == CSM_OBJECTIVE_LOGISTIC)
            plant_classes(&set, 9);
        else
            plant_regression(&set, 9, 1);
        for (size_t i = 0; i < 300; i++) set.weight[i] = csm_random_uniform(9, 5, i);
        set.samples.weight = set.weight;
        assert_ok(train(&model, &set, objectives[k], 1, parameters, COUNT(parameters)));
        double *score = predict(model, &set);
        for (size_t i = 0; i < 300; i++) {
            double e = set.y[i] - score[i], a = fabs(e), p = 1 / (1 + exp(-score[i]));
            double huber = a <= 0.4 ? 0.5 * e * e : 0.4 * (a - 0.2);
            double of_row[] = {e * e, huber, e > 0 ? 0.8 * e : -0.2 * e, -log(set.y[i] > 0 ? p : 1 - p)};
            loss += set.weight[i] * of_row[k];
            weight += set.weight[i];
        }
        assert_true(fabs(describe(model).training_loss - loss / weight) < 1e-12);
        assert_true(isnan(describe(model).validation_loss));
        free(score);
        csm_model_free(model);
        dataset_free(&set);
    }
}

static void quantiles_leave_their_share_below(void **state) {
    (void)state;
    static const double quantiles[] = {0.1, 0.5, 0.9};
    for (size_t k = 0; k < COUNT(quantiles); k++) {
        dataset set = dataset_new(3000, 3, 10, 0), fresh = dataset_new(3000, 3, 11, 0);
        for (size_t i = 0; i < 3000; i++) { /* spread depends on the first feature */
            set.y[i] = set.x[3 * i] + (1 + fabs(set.x[3 * i])) * csm_random_normal(10, 2, i);
            fresh.y[i] = fresh.x[3 * i] + (1 + fabs(fresh.x[3 * i])) * csm_random_normal(11, 2, i);
        }
        const csm_parameter parameters[] = {
            {"rounds", 100}, {"leaves", 6}, {"min_rows", 50}, {"quantile", quantiles[k]}};
        csm_model *model;
        assert_ok(train(&model, &set, CSM_OBJECTIVE_QUANTILE, 2, parameters, COUNT(parameters)));
        double *score = predict(model, &fresh), below = 0;
        for (size_t i = 0; i < 3000; i++) below += fresh.y[i] <= score[i];
        assert_true(fabs(below / 3000 - quantiles[k]) < 0.04);
        free(score);
        csm_model_free(model);
        dataset_free(&set);
        dataset_free(&fresh);
    }
}

static void huber_is_moved_less_by_outliers_than_squares_are(void **state) {
    (void)state;
    dataset set = dataset_new(1000, 3, 12, 0);
    double error[2] = {0};
    for (int huber = 0; huber < 2; huber++) {
        plant_regression(&set, 12, 0);
        double *truth = calloc(1000, sizeof *truth);
        memcpy(truth, set.y, 1000 * sizeof *truth);
        for (size_t i = 0; i < 1000; i += 20) set.y[i] += 500;
        csm_model *model;
        assert_ok(train(&model, &set, huber ? CSM_OBJECTIVE_HUBER : CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
        double *score = predict(model, &set);
        for (size_t i = 0; i < 1000; i++) error[huber] += fabs(score[i] - truth[i]) / 1000;
        free(score);
        free(truth);
        csm_model_free(model);
    }
    assert_true(error[1] < 0.2 * error[0]);
    dataset_free(&set);
}

static void early_stopping_keeps_the_best_round(void **state) {
    (void)state;
    dataset set = dataset_new(600, 5, 13, 0), check = dataset_new(600, 5, 14, 0);
    plant_regression(&set, 13, 3);
    plant_regression(&check, 14, 3);
    csm_context *context = context_new(2);
    csm_train_options options;
    csm_model *stopped, *again;
    csm_parameter parameters[] = {{"rounds", 1000}, {"learning_rate", 0.1}};
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = COUNT(parameters);
    options.validation = &check.samples;
    options.early_stopping_rounds = 20;
    assert_ok(csm_model_train(&stopped, context, "gbt", &set.samples, &options));
    csm_model_info best = describe(stopped);
    assert_true(best.rounds >= 1 && best.rounds < 300);
    for (int extra = -1; extra <= 1;
         extra++) { /* neighbours are no better, and the same round gives the same bits */
        parameters[0].value = (double)best.rounds + extra;
        options.early_stopping_rounds = 0;
        if (parameters[0].value < 1) continue;
        assert_ok(csm_model_train(&again, context, "gbt", &set.samples, &options));
        csm_model_info info = describe(again);
        assert_true(info.validation_loss >= best.validation_loss);
        if (extra == 0) {
            csm_hash one = prediction_hash(stopped, &check), two = prediction_hash(again, &check);
            assert_memory_equal(&one, &two, sizeof one);
            assert_true(info.validation_loss == best.validation_loss &&
                        info.training_loss == best.training_loss);
        }
        csm_model_free(again);
    }
    csm_model_free(stopped);
    csm_context_free(context);
    dataset_free(&set);
    dataset_free(&check);
}

static void column_sampling_reaches_every_feature_in_time(void **state) {
    (void)state;
    dataset set = dataset_new(1000, 10, 15, 0);
    for (size_t i = 0; i < 1000; i++) {
        for (size_t f = 0; f < 10; f++) set.y[i] += set.x[10 * i + f];
    }
    const csm_parameter parameters[] = {{"rounds", 60}, {"column_share", 0.1}, {"leaves", 4}};
    csm_model *model;
    double gain[10];
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));
    assert_ok(csm_model_importance(model, gain, 10));
    for (size_t f = 0; f < 10; f++) assert_true(gain[f] > 0);
    csm_model_free(model);
    dataset_free(&set);
}

/* ---- limits ---- */

static void limits_of_a_tree_are_kept(void **state) {
    (void)state;
    dataset set = dataset_new(1000, 4, 16, 0);
    plant_regression(&set, 16, 1);
    const csm_parameter parameters[] = {{"rounds", 3}, {"leaves", 9}, {"depth", 4}, {"min_rows", 37}};
    csm_model *model;
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));
    const gbt_ensemble *ensemble = model->state;
    assert_int_equal(ensemble->trees, 3);
    for (size_t t = 0; t < 3; t++) {
        size_t leaves = 0, depth[64] = {0}, root = ensemble->root[t];
        assert_true(ensemble->nodes[root].cover == 1000);
        for (size_t n = root; n < ensemble->root[t + 1]; n++) {
            const gbt_node *node = &ensemble->nodes[n];
            if (node->feature < 0) {
                leaves++;
                assert_true(node->cover >= 37 && depth[n - root] <= 4);
                continue;
            }
            assert_true(node->gain > 0);
            size_t left = (size_t)node->left;
            depth[left - root] = depth[left - root + 1] = depth[n - root] + 1;
            assert_true(node->cover == ensemble->nodes[left].cover + ensemble->nodes[left + 1].cover);
        }
        assert_true(leaves >= 2 && leaves <= 9);
    }
    csm_model_free(model);
    dataset_free(&set);
}

static void features_and_targets_that_are_constant_give_the_mean(void **state) {
    (void)state;
    dataset set = dataset_new(100, 2, 17, 0);
    csm_model *model;
    for (int constant_y = 0; constant_y < 2; constant_y++) {
        for (size_t i = 0; i < 200; i++) set.x[i] = constant_y ? (float)i : 3;
        for (size_t i = 0; i < 100; i++) set.y[i] = constant_y ? 0.1 : (double)(i % 4);
        assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
        assert_int_equal(describe(model).rounds, 0);
        double *out = predict(model, &set), gain[2];
        for (size_t i = 0; i < 100; i++) assert_true(fabs(out[i] - (constant_y ? 0.1 : 1.5)) < 1e-15);
        assert_ok(csm_model_importance(model, gain, 2));
        assert_true(gain[0] == 0 && gain[1] == 0);
        free(out);
        csm_model_free(model);
    }
    dataset_free(&set);
}

static void too_few_rows_for_two_leaves_give_a_single_one(void **state) {
    (void)state;
    dataset set = dataset_new(39, 2, 18, 0);
    for (size_t i = 0; i < 39; i++) set.y[i] = set.x[2 * i];
    csm_model *model;
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0)); /* min_rows is 20 */
    assert_int_equal(describe(model).rounds, 0);
    csm_model_free(model);
    const csm_parameter one = {"min_rows", 1};
    set.rows = set.samples.length = set.samples.x.rows = set.samples.y.rows = 1;
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, &one, 1));
    double *out = predict(model, &set);
    assert_true(out[0] == set.y[0]);
    free(out);
    csm_model_free(model);
    dataset_free(&set);
}

static void values_of_any_size_are_told_apart(void **state) {
    (void)state;
    static const float values[] = {-3e38f, -1, -1e-44f, 0, 1e-44f, 1, 1.0000001f, 3e38f};
    dataset set = dataset_new(80, 1, 19, 0);
    for (size_t i = 0; i < 80; i++) {
        set.x[i] = values[i % 8];
        set.y[i] = (double)(i % 8 * 7 % 8);
    }
    const csm_parameter parameters[] = {
        {"rounds", 1}, {"leaves", 8}, {"min_rows", 1}, {"l2", 0}, {"learning_rate", 1}};
    csm_model *model;
    assert_ok(train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));
    double *out = predict(model, &set);
    for (size_t i = 0; i < 80; i++) assert_true(fabs(out[i] - set.y[i]) < 1e-12);
    free(out);
    csm_model_free(model);
    dataset_free(&set);
}

/* 255 bins of 100000 values: about equal mass, and a value of great mass stands alone. */
static void bins_share_the_mass_and_spare_a_heavy_value(void **state) {
    (void)state;
    size_t rows = 100000, count[255] = {0};
    dataset set = dataset_new(rows, 1, 20, 0);
    for (size_t i = 0; i < rows / 2; i++) set.x[2 * i] = 0; /* half of all */
    csm_context *context = context_new(2);
    gbt_bins bins;
    const gbt_bins_options options = {.bins = 255};
    assert_ok(
        gbt_bins_build(&bins, context, &set.samples.x, &options, csm_gbt_kernels_of(csm_backend_isa())));
    assert_int_equal(bins.count[0], 255);
    size_t heavy = 0;
    for (size_t i = 0; i < rows; i++) {
        uint8_t code = bins.code[i * bins.stride];
        count[code]++;
        assert_true(set.x[i] <= bins.edge[code]);
        if (code > 0) assert_true(set.x[i] > bins.edge[code - 1]);
    }
    for (size_t b = 0; b < 255; b++) {
        if (count[b] > 1000)
            heavy++;
        else
            assert_true(count[b] >= 100 && count[b] <= 400); /* 50000 / 254 = 197 */
    }
    assert_int_equal(heavy, 1);
    gbt_bins_free(&bins);
    csm_context_free(context);
    dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(seed_and_stream_choose_the_sample),
        cmocka_unit_test(a_weight_of_two_equals_a_row_given_twice),
        cmocka_unit_test(a_row_of_weight_zero_changes_no_leaf),
        cmocka_unit_test(views_of_any_layout_give_the_same_model),
        cmocka_unit_test(a_planted_signal_is_found_and_shuffled_labels_are_not),
        cmocka_unit_test(training_loss_falls_with_every_round),
        cmocka_unit_test(the_losses_are_those_of_their_definitions),
        cmocka_unit_test(quantiles_leave_their_share_below),
        cmocka_unit_test(huber_is_moved_less_by_outliers_than_squares_are),
        cmocka_unit_test(early_stopping_keeps_the_best_round),
        cmocka_unit_test(column_sampling_reaches_every_feature_in_time),
        cmocka_unit_test(limits_of_a_tree_are_kept),
        cmocka_unit_test(features_and_targets_that_are_constant_give_the_mean),
        cmocka_unit_test(too_few_rows_for_two_leaves_give_a_single_one),
        cmocka_unit_test(values_of_any_size_are_told_apart),
        cmocka_unit_test(bins_share_the_mass_and_spare_a_heavy_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
