/* SPDX-License-Identifier: MIT */
#include "model/support.h"

#include "backend/tile.h"
#include "core/golden.h"
#include "model/linear/internal.h"

#define ROWS 150
#define FEATURES 3

typedef struct golden_set {
    golden table;
    float *x;
    csm_samples samples;
} golden_set;

/* target: column of linear.txt (3: y, 4: class) */
static golden_set golden_samples(size_t target) {
    golden_set set = {.table = golden_read_from("model", "linear.txt", 9)};
    assert_int_equal(set.table.rows, ROWS);
    set.x = calloc(ROWS * FEATURES, sizeof *set.x);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t f = 0; f < FEATURES; f++) set.x[r * FEATURES + f] = (float)set.table.column[f][r];
    }
    set.samples = (csm_samples){.x = csm_matrix_f32(set.x, ROWS, FEATURES),
                                .y = csm_matrix_f64(set.table.column[target], ROWS, 1),
                                .weight = set.table.column[5],
                                .length = ROWS};
    return set;
}

static void golden_samples_free(golden_set *set) {
    golden_free(&set->table);
    free(set->x);
}

static csm_model *fit(const csm_samples *samples, uint32_t objective, uint32_t threads, double l2) {
    csm_context *context = context_new(threads);
    const csm_parameter parameters[] = {
        {"l2", l2}, {"tolerance", 1e-13}, {"iterations", 2000}, {"huber_delta", 0.5}};
    csm_train_options options;
    csm_model *model = NULL;
    csm_model_train_options_init(&options);
    options.objective = objective;
    options.parameters = parameters;
    options.parameter_count = COUNT(parameters);
    assert_ok(csm_model_train(&model, context, "linear", samples, &options));
    csm_context_free(context);
    return model;
}

static void predictions_are(const csm_samples *samples, uint32_t objective, const double *expected,
                            double tolerance) {
    csm_model *model = fit(samples, objective, 2, 0.05);
    double out[ROWS];
    csm_matrix view = csm_matrix_f64(out, ROWS, 1);
    assert_ok(csm_model_predict(model, NULL, samples, &view));
    for (size_t r = 0; r < ROWS; r++) assert_near(out[r], expected[r], tolerance);
    csm_model_free(model);
}

static void squared_loss_gives_scikit_learns_ridge(void **state) {
    (void)state;
    golden_set set = golden_samples(3);
    predictions_are(&set.samples, CSM_OBJECTIVE_SQUARED, set.table.column[6], 1e-9);
    golden_samples_free(&set);
}

static void logistic_loss_gives_scikit_learns_logistic_regression(void **state) {
    (void)state;
    golden_set set = golden_samples(4);
    predictions_are(&set.samples, CSM_OBJECTIVE_LOGISTIC, set.table.column[7], 1e-8);
    golden_samples_free(&set);
}

static void hubers_loss_gives_what_scipy_minimises(void **state) {
    (void)state;
    golden_set set = golden_samples(3);
    predictions_are(&set.samples, CSM_OBJECTIVE_HUBER, set.table.column[8], 1e-6);
    golden_samples_free(&set);
}

/* ---- the same bits ---- */

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    dataset set = dataset_new(5000, 7, 5, 0);
    plant_classes(&set, 5);
    double *one = calloc(set.rows, sizeof *one), *many = calloc(set.rows, sizeof *many);
    csm_matrix one_view = csm_matrix_f64(one, set.rows, 1), many_view = csm_matrix_f64(many, set.rows, 1);
    csm_model *first = fit(&set.samples, CSM_OBJECTIVE_LOGISTIC, 1, 0.01);
    csm_model *second = fit(&set.samples, CSM_OBJECTIVE_LOGISTIC, 3, 0.01);
    csm_context *context = context_new(3);
    assert_ok(csm_model_predict(first, NULL, &set.samples, &one_view));
    assert_ok(csm_model_predict(second, context, &set.samples, &many_view));
    assert_memory_equal(one, many, set.rows * sizeof *one);
    csm_context_free(context);
    csm_model_free(first);
    csm_model_free(second);
    free(one);
    free(many);
    dataset_free(&set);
}

static void every_instruction_set_gives_the_same_sums(void **state) {
    (void)state;
    enum { F = 5 };
    double tile[F * CSM_TILE_ROWS], coefficient[F], weight[CSM_TILE_ROWS];
    for (size_t i = 0; i < COUNT(tile); i++) tile[i] = csm_random_normal(1, 1, i);
    for (size_t i = 0; i < F; i++) coefficient[i] = csm_random_normal(1, 2, i);
    for (size_t i = 0; i < CSM_TILE_ROWS; i++) weight[i] = csm_random_uniform(1, 3, i);
    double score[3][CSM_TILE_ROWS] = {{0}}, gradient[3][F] = {{0}}, gram[3][F * F] = {{0}};
    for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++) {
        csm_tile_kernels kernels = csm_tile_kernels_for((csm_isa)isa);
        kernels.scores(score[isa], tile, coefficient, F);
        kernels.gradient(gradient[isa], tile, weight, F);
        kernels.gram(gram[isa], tile, weight, F);
        assert_memory_equal(score[isa], score[0], sizeof score[0]);
        assert_memory_equal(gradient[isa], gradient[0], sizeof gradient[0]);
        assert_memory_equal(gram[isa], gram[0], sizeof gram[0]);
    }
    for (size_t f = 0; f < F; f++) {
        for (size_t g = 0; g <= f; g++) {
            double expected = 0;
            for (size_t r = 0; r < CSM_TILE_ROWS; r++)
                expected += weight[r] * tile[f * CSM_TILE_ROWS + r] * tile[g * CSM_TILE_ROWS + r];
            assert_near(gram[0][f * F + g], expected, 1e-13);
        }
    }
}

/* ---- properties ---- */

static void scaling_and_shifting_a_feature_changes_no_prediction(void **state) {
    (void)state;
    dataset set = dataset_new(400, 3, 9, 0.25);
    plant_regression(&set, 9, 0.5);
    double plain[400], moved[400];
    csm_matrix plain_view = csm_matrix_f64(plain, 400, 1), moved_view = csm_matrix_f64(moved, 400, 1);
    csm_model *model = fit(&set.samples, CSM_OBJECTIVE_SQUARED, 1, 0.1);
    assert_ok(csm_model_predict(model, NULL, &set.samples, &plain_view));
    csm_model_free(model);
    for (size_t r = 0; r < 400; r++) set.x[r * 3 + 1] = set.x[r * 3 + 1] * 64 + 1024;
    model = fit(&set.samples, CSM_OBJECTIVE_SQUARED, 1, 0.1);
    assert_ok(csm_model_predict(model, NULL, &set.samples, &moved_view));
    csm_model_free(model);
    for (size_t r = 0; r < 400; r++) assert_near(moved[r], plain[r], 1e-9);
    dataset_free(&set);
}

static void a_constant_feature_gets_no_weight_and_a_copied_one_needs_a_penalty(void **state) {
    (void)state;
    dataset set = dataset_new(300, 3, 11, 0.25);
    plant_regression(&set, 11, 0.5);
    for (size_t r = 0; r < 300; r++) set.x[r * 3 + 1] = 0.1f;
    csm_model *model = fit(&set.samples, CSM_OBJECTIVE_SQUARED, 1, 0);
    double importance[3];
    assert_ok(csm_model_importance(model, importance, 3));
    assert_true(importance[0] > 0.5);
    assert_true(importance[1] == 0);
    csm_model_free(model);
    for (size_t r = 0; r < 300; r++) set.x[r * 3 + 1] = set.x[r * 3];
    csm_context *context = context_new(1);
    csm_train_options options;
    const csm_parameter none = {"l2", 0};
    csm_model_train_options_init(&options);
    options.parameters = &none;
    options.parameter_count = 1;
    assert_fails(CSM_EINVAL, "feature 1 depends",
                 csm_model_train(&model, context, "linear", &set.samples, &options));
    csm_context_free(context);
    dataset_free(&set);
}

static void separable_classes_stay_finite(void **state) {
    (void)state;
    dataset set = dataset_new(200, 2, 13, 0);
    for (size_t r = 0; r < 200; r++) set.y[r] = set.x[2 * r] > 0;
    csm_model *model = fit(&set.samples, CSM_OBJECTIVE_LOGISTIC, 1, 1e-4);
    double out[200];
    csm_matrix view = csm_matrix_f64(out, 200, 1);
    assert_ok(csm_model_predict(model, NULL, &set.samples, &view));
    size_t right = 0;
    for (size_t r = 0; r < 200; r++) right += isfinite(out[r]) && (out[r] > 0) == (set.y[r] > 0);
    assert_true(right > 195);
    csm_model_free(model);
    dataset_free(&set);
}

/* ---- errors and files ---- */

static void what_it_cannot_do_is_refused(void **state) {
    (void)state;
    dataset set = dataset_new(50, 3, 15, 0);
    csm_context *context = context_new(1);
    csm_train_options options;
    csm_model *model = NULL;
    csm_model_train_options_init(&options);
    plant_regression(&set, 15, 0.1);
    options.validation = &set.samples;
    options.early_stopping_rounds = 3;
    assert_fails(CSM_EINVAL, "early stopping",
                 csm_model_train(&model, context, "linear", &set.samples, &options));
    options.early_stopping_rounds = 0;
    options.objective = CSM_OBJECTIVE_QUANTILE;
    assert_fails(CSM_EINVAL, "objective 2",
                 csm_model_train(&model, context, "linear", &set.samples, &options));
    options.objective = CSM_OBJECTIVE_SQUARED;
    set.x[10] = NAN;
    assert_fails(CSM_EINVAL, "row 3, column 1",
                 csm_model_train(&model, context, "linear", &set.samples, &options));
    csm_context_free(context);
    dataset_free(&set);
}

static void validation_loss_is_that_of_the_other_rows(void **state) {
    (void)state;
    golden_set set = golden_samples(3);
    csm_samples part = set.samples;
    part.x.rows = part.y.rows = part.length = 40;
    csm_context *context = context_new(2);
    csm_train_options options;
    csm_model *model = NULL;
    csm_model_info info;
    double out[40], loss = 0, weight = 0;
    csm_matrix view = csm_matrix_f64(out, 40, 1);
    csm_model_train_options_init(&options);
    options.validation = &part;
    assert_ok(csm_model_train(&model, context, "linear", &set.samples, &options));
    assert_ok(csm_model_describe(&info, model));
    assert_ok(csm_model_predict(model, NULL, &part, &view));
    for (size_t r = 0; r < 40; r++) {
        double residual = out[r] - set.table.column[3][r];
        loss += 0.5 * part.weight[r] * residual * residual;
        weight += part.weight[r];
    }
    assert_near(info.validation_loss, loss / weight, 1e-12);
    csm_model_free(model);
    csm_context_free(context);
    golden_samples_free(&set);
}

static void every_failed_allocation_ends_in_an_error_and_a_file_brings_the_same_model_back(void **state) {
    (void)state;
    dataset set = dataset_new(200, 4, 17, 0);
    plant_classes(&set, 17);
    csm_context *context = context_new(1);
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    options.validation = &set.samples;
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_model *model = NULL, *copy = NULL;
        csm_tensors_writer *writer = NULL;
        csm_tensors *tensors = NULL;
        csm_buffer file = {0};
        double first[200], second[200];
        csm_matrix first_view = csm_matrix_f64(first, 200, 1), second_view = csm_matrix_f64(second, 200, 1);
        csm_fault_allocation(n, false);
        status = csm_model_train(&model, context, "linear", &set.samples, &options);
        if (!status) status = csm_tensors_writer_new(&writer);
        if (!status) status = csm_model_write(writer, "p.", model);
        if (!status) status = csm_tensors_finish(&file, writer);
        if (!status) status = csm_tensors_read(&tensors, file.data, file.length);
        if (!status) status = csm_model_read(&copy, tensors, "p.");
        if (!status) status = csm_model_predict(model, context, &set.samples, &first_view);
        if (!status) status = csm_model_predict(copy, context, &set.samples, &second_view);
        csm_fault_allocation(0, false);
        if (status)
            assert_int_equal(status, CSM_ENOMEM);
        else
            assert_memory_equal(first, second, sizeof first);
        csm_model_free(model);
        csm_model_free(copy);
        csm_tensors_free(tensors);
        csm_tensors_writer_free(writer);
        csm_buffer_free(&file);
        assert_true(n < 2000);
    }
    csm_context_free(context);
    dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(squared_loss_gives_scikit_learns_ridge),
        cmocka_unit_test(logistic_loss_gives_scikit_learns_logistic_regression),
        cmocka_unit_test(hubers_loss_gives_what_scipy_minimises),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(every_instruction_set_gives_the_same_sums),
        cmocka_unit_test(scaling_and_shifting_a_feature_changes_no_prediction),
        cmocka_unit_test(a_constant_feature_gets_no_weight_and_a_copied_one_needs_a_penalty),
        cmocka_unit_test(separable_classes_stay_finite),
        cmocka_unit_test(what_it_cannot_do_is_refused),
        cmocka_unit_test(validation_loss_is_that_of_the_other_rows),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error_and_a_file_brings_the_same_model_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
