/* SPDX-License-Identifier: MIT */
/* Prediction of every kind against the plainest walk, bit for bit, on each instruction set of this processor. */
#include "model/trees.h"

#include "model/gbt/predictor.h"

#include <float.h>

#define ROWS 600

static void compare_runs(const csm_model *model, const float *x, size_t features, csm_isa isa) {
    const gbt_ensemble *ensemble = model->state;
    uint32_t outputs = ensemble->outputs;
    gbt_plan *plan;
    gbt_scratch *scratch;
    double *out = calloc((size_t)ROWS * outputs, sizeof *out), single[8];
    csm_matrix in = csm_matrix_f32((float *)(uintptr_t)x, ROWS, features),
               to = csm_matrix_f64(out, ROWS, outputs);
    assert_ok(gbt_plan_new(&plan, ensemble, ensemble->trees));
    assert_ok(gbt_scratch_new(&scratch, plan));
    const gbt_run run = {plan, GBT_RESULT_RAW, 0, isa};
    assert_ok(gbt_run_rows(&run, scratch, &in, &to, 0, ROWS));
    for (size_t r = 0; r < ROWS; r++) {
        assert_ok(gbt_run_row(&run, scratch, x + r * features, single));
        for (uint32_t o = 0; o < outputs; o++) {
            double expected = plain_score(ensemble, ensemble->trees, o, x + r * features);
            if (out[r * outputs + o] != expected || single[o] != expected)
                fail_msg("isa %d, row %zu, output %u: batch %.17g, single %.17g, plainly %.17g", (int)isa, r,
                         o, out[r * outputs + o], single[o], expected);
        }
    }
    gbt_scratch_free(scratch);
    gbt_plan_free(plan);
    free(out);
}

static void compare_shape(const forest_shape *shape) {
    csm_model *model = random_forest(shape);
    float *x = random_rows(shape, ROWS);
    for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++)
        compare_runs(model, x, shape->features, (csm_isa)isa);
    free(x);
    csm_model_free(model);
}

static void batches_and_single_rows_equal_a_plain_walk(void **state) {
    (void)state;
    compare_shape(&(forest_shape){.seed = 1, .features = 5, .outputs = 1, .rounds = 30, .leaves = 31});
    compare_shape(&(forest_shape){.seed = 2, .features = 40, .outputs = 1, .rounds = 21, .leaves = 64});
    compare_shape(&(forest_shape){.seed = 3, .features = 17, .outputs = 3, .rounds = 9, .leaves = 16});
    compare_shape(&(forest_shape){.seed = 4, .features = 1, .outputs = 1, .rounds = 3, .leaves = 2});
    compare_shape(&(forest_shape){.seed = 5, .features = 3, .outputs = 1, .rounds = 2, .leaves = 1});
}

static void missing_values_and_categories_equal_a_plain_walk(void **state) {
    (void)state;
    for (uint64_t seed = 10; seed < 14; seed++)
        compare_shape(&(forest_shape){.seed = seed,
                                      .features = 4,
                                      .outputs = 2,
                                      .rounds = 20,
                                      .leaves = 40,
                                      .missing = true,
                                      .categorical = true});
    compare_shape(&(forest_shape){
        .seed = 14, .features = 2, .outputs = 1, .rounds = 20, .leaves = 8, .categorical = true});
}

static void values_that_equal_a_threshold_go_left(void **state) {
    (void)state;
    for (uint64_t seed = 20; seed < 24; seed++)
        compare_shape(&(forest_shape){
            .seed = seed, .features = 3, .outputs = 1, .rounds = 9, .leaves = 20, .grain = 0.25});
}

static void features_of_more_than_255_thresholds_take_several_columns(void **state) {
    (void)state;
    compare_shape(&(forest_shape){.seed = 30, .features = 2, .outputs = 1, .rounds = 40, .leaves = 63});
    compare_shape(&(forest_shape){
        .seed = 31, .features = 1, .outputs = 1, .rounds = 30, .leaves = 100, .missing = true});
}

static void large_trees_equal_a_plain_walk(void **state) {
    (void)state;
    compare_shape(&(forest_shape){.seed = 40, .features = 9, .outputs = 1, .rounds = 3, .leaves = 65});
    compare_shape(&(forest_shape){.seed = 41, .features = 9, .outputs = 1, .rounds = 3, .leaves = 257});
    compare_shape(&(forest_shape){.seed = 42, .features = 9, .outputs = 1, .rounds = 2, .leaves = 1024});
    compare_shape(&(forest_shape){.seed = 43, .features = 9, .outputs = 1, .rounds = 2, .leaves = 1025});
    compare_shape(&(forest_shape){.seed = 44, .features = 9, .outputs = 1, .rounds = 1, .leaves = 70000});
}

static const forest_shape common = {
    .seed = 50, .features = 37, .outputs = 2, .rounds = 25, .leaves = 31, .missing = true};

static csm_predictor *predictor_of(const csm_model *model, uint32_t result, size_t rounds, size_t stage) {
    csm_predictor_options options;
    csm_predictor *predictor;
    csm_predictor_options_init(&options);
    options.result = result;
    options.rounds = rounds;
    options.stage = stage;
    assert_ok(csm_predictor_new(&predictor, model, &options));
    return predictor;
}

/* Any dtype and any strides hold the same rows; `spacing` spreads them in memory. */
static void check_view(const csm_predictor *predictor, const float *x, const double *expected,
                       csm_dtype dtype, ptrdiff_t row_stride, ptrdiff_t col_stride) {
    size_t features = common.features;
    size_t span =
        (size_t)((ROWS - 1) * llabs(row_stride) + (ptrdiff_t)(features - 1) * llabs(col_stride)) + 1;
    double *memory = calloc(span, sizeof *memory), *out = calloc(2 * ROWS, sizeof *out);
    ptrdiff_t origin = (row_stride < 0 ? -(ROWS - 1) * row_stride : 0) +
                       (col_stride < 0 ? -(ptrdiff_t)(features - 1) * col_stride : 0);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t f = 0; f < features; f++) {
            ptrdiff_t at = origin + (ptrdiff_t)r * row_stride + (ptrdiff_t)f * col_stride;
            if (dtype == CSM_F64)
                memory[at] = x[r * features + f];
            else
                ((float *)memory)[at] = x[r * features + f];
        }
    }
    void *first = dtype == CSM_F64 ? (void *)(memory + origin) : (void *)((float *)memory + origin);
    const csm_matrix in = {first, ROWS, features, row_stride, col_stride, dtype, 0};
    csm_matrix to = {
        .data = out, .rows = ROWS, .cols = 2, .row_stride = 1, .col_stride = ROWS, .dtype = CSM_F64};
    assert_ok(csm_predictor_run(predictor, NULL, &in, &to));
    for (size_t i = 0; i < 2 * ROWS; i++) assert_true(out[i % 2 * ROWS + i / 2] == expected[i]);
    free(memory);
    free(out);
}

static void any_view_of_the_rows_gives_the_same_predictions(void **state) {
    csm_model *model = random_forest(&common);
    float *x = random_rows(&common, ROWS);
    csm_predictor *predictor = predictor_of(model, CSM_RESULT_RAW, 0, 0);
    double expected[2 * ROWS];
    ptrdiff_t cols = (ptrdiff_t)common.features;
    (void)state;
    for (size_t i = 0; i < 2 * ROWS; i++)
        expected[i] = plain_score(model->state, 50, (uint32_t)(i % 2), x + i / 2 * common.features);
    for (int dtype = CSM_F32; dtype <= CSM_F64; dtype++) {
        check_view(predictor, x, expected, (csm_dtype)dtype, cols, 1);
        check_view(predictor, x, expected, (csm_dtype)dtype, cols + 5, 1);
        check_view(predictor, x, expected, (csm_dtype)dtype, 1, ROWS);
        check_view(predictor, x, expected, (csm_dtype)dtype, -cols, 1);
        check_view(predictor, x, expected, (csm_dtype)dtype, 2 * cols, -2);
    }
    csm_predictor_free(predictor);
    free(x);
    csm_model_free(model);
}

static void stages_are_the_scores_after_so_many_rounds(void **state) {
    csm_model *model = random_forest(&common);
    float *x = random_rows(&common, ROWS);
    csm_predictor *predictor = predictor_of(model, CSM_RESULT_RAW, 23, 5); /* after 5, 10, 15, 20, 23 */
    double out[ROWS][10], row[10];
    csm_matrix in = csm_matrix_f32(x, ROWS, common.features), to = csm_matrix_f64(out[0], ROWS, 10);
    (void)state;
    assert_int_equal(csm_predictor_columns(predictor), 10);
    assert_ok(csm_predictor_run(predictor, NULL, &in, &to));
    for (size_t r = 0; r < ROWS; r++) {
        assert_ok(csm_predictor_row(predictor, x + r * common.features, common.features, row, 10));
        for (size_t c = 0; c < 10; c++) {
            size_t rounds = c / 2 == 4 ? 23 : 5 * (c / 2 + 1);
            double expected = plain_score(model->state, 2 * rounds, c % 2, x + r * common.features);
            assert_true(out[r][c] == expected);
            assert_true(row[c] == expected);
        }
    }
    csm_predictor_free(predictor);
    free(x);
    csm_model_free(model);
}

/* Leaves to the left of `node` within its tree. */
static size_t leaf_number(const gbt_ensemble *ensemble, size_t at, const gbt_node *wanted, size_t *count) {
    const gbt_node *node = &ensemble->nodes[at];
    if (node == wanted) return *count;
    if (node->feature < 0) {
        ++*count;
        return SIZE_MAX;
    }
    size_t left = leaf_number(ensemble, (size_t)node->left, wanted, count);
    return left != SIZE_MAX ? left : leaf_number(ensemble, (size_t)node->left + 1, wanted, count);
}

static void leaf_numbers_count_from_the_left(void **state) {
    const forest_shape shape = {
        .seed = 60, .features = 6, .outputs = 1, .rounds = 4, .leaves = 300, .missing = true};
    csm_model *model = random_forest(&shape);
    const gbt_ensemble *ensemble = model->state;
    float *x = random_rows(&shape, ROWS);
    csm_predictor *predictor = predictor_of(model, CSM_RESULT_LEAF, 0, 0);
    double out[ROWS][4], row[4];
    csm_matrix in = csm_matrix_f32(x, ROWS, 6), to = csm_matrix_f64(out[0], ROWS, 4);
    (void)state;
    assert_int_equal(csm_predictor_columns(predictor), 4);
    assert_ok(csm_predictor_run(predictor, NULL, &in, &to));
    for (size_t r = 0; r < ROWS; r++) {
        assert_ok(csm_predictor_row(predictor, x + r * 6, 6, row, 4));
        for (size_t t = 0; t < 4; t++) {
            size_t before = 0;
            size_t expected = leaf_number(ensemble, ensemble->root[t], walk(ensemble, t, x + r * 6), &before);
            assert_true(out[r][t] == (double)expected);
            assert_true(row[t] == (double)expected);
        }
    }
    csm_predictor_free(predictor);
    free(x);
    csm_model_free(model);
}

/* Responses of raw scores by the C library's functions. */
static void responses_follow_the_links(void **state) {
    csm_model *model =
        random_forest(&(forest_shape){.seed = 70, .features = 3, .outputs = 2, .rounds = 6, .leaves = 8});
    gbt_ensemble *ensemble = model->state;
    const float row[3] = {0.3F, -0.2F, 1};
    double a = plain_score(ensemble, 12, 0, row), b = plain_score(ensemble, 12, 1, row), out[2];
    const struct {
        gbt_link link[2];
        double expected[2];
    } cases[] = {
        {{{GBT_LINK_LOGISTIC, 1}, {GBT_LINK_LOGISTIC, 0.5}}, {1 / (1 + exp(-a)), 1 / (1 + exp(-0.5 * b))}},
        {{{GBT_LINK_SOFTMAX, 1}, {GBT_LINK_SOFTMAX, 1}},
         {exp(a) / (exp(a) + exp(b)), exp(b) / (exp(a) + exp(b))}},
        {{{GBT_LINK_EXP, 1}, {GBT_LINK_IDENTITY, 1}}, {exp(a), b}},
        {{{GBT_LINK_LOG1P_EXP, 1}, {GBT_LINK_SQUARE, 1}}, {log1p(exp(a)), b * fabs(b)}},
        {{{GBT_LINK_STEP, 1}, {GBT_LINK_IDENTITY, 1}}, {a > 0 ? 1 : 0, b}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        memcpy(ensemble->link, cases[i].link, sizeof cases[i].link);
        csm_predictor *predictor = predictor_of(model, CSM_RESULT_RESPONSE, 0, 0);
        assert_ok(csm_predictor_row(predictor, row, 3, out, 2));
        for (int o = 0; o < 2; o++) assert_true(fabs(out[o] - cases[i].expected[o]) < 1e-14);
        csm_predictor_free(predictor);
    }
    csm_model_free(model);
}

static void a_prepared_predictor_allocates_nothing(void **state) {
    csm_model *model = random_forest(&common);
    float *x = random_rows(&common, ROWS);
    csm_predictor *predictor = predictor_of(model, CSM_RESULT_RAW, 0, 0);
    double out[2 * ROWS];
    csm_matrix in = csm_matrix_f32(x, ROWS, common.features), to = csm_matrix_f64(out, ROWS, 2);
    (void)state;
    csm_fault_allocation(0, false);
    assert_ok(csm_predictor_run(predictor, NULL, &in, &to));
    assert_ok(csm_predictor_row(predictor, x, common.features, out, 2));
    assert_int_equal(csm_fault_allocations_seen(), 0);
    csm_predictor_free(predictor);
    free(x);
    csm_model_free(model);
}

typedef struct caller {
    const csm_predictor *predictor;
    const float *x;
    double *out;
} caller;

static csm_status call_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const caller *c = user;
    (void)worker;
    for (size_t r = begin; r < end; r++) {
        csm_status status =
            csm_predictor_row(c->predictor, c->x + r * common.features, common.features, c->out + 2 * r, 2);
        if (status) return status;
    }
    return CSM_OK;
}

static void a_predictor_may_be_shared_by_threads(void **state) {
    csm_model *model = random_forest(&common);
    float *x = random_rows(&common, ROWS);
    csm_predictor *predictor = predictor_of(model, CSM_RESULT_RAW, 0, 0);
    double batch[2 * ROWS], rows[2 * ROWS];
    csm_matrix in = csm_matrix_f32(x, ROWS, common.features), to = csm_matrix_f64(batch, ROWS, 2);
    csm_context *context = context_new(4);
    (void)state;
    assert_ok(csm_predictor_run(predictor, context, &in, &to));
    assert_ok(csm_parallel_for(4, ROWS, 1, call_rows, &(caller){predictor, x, rows}));
    assert_memory_equal(batch, rows, sizeof batch);
    csm_context_free(context);
    csm_predictor_free(predictor);
    free(x);
    csm_model_free(model);
}

static void values_that_are_not_finite_are_named(void **state) {
    csm_model *model =
        random_forest(&(forest_shape){.seed = 80, .features = 20, .outputs = 1, .rounds = 2, .leaves = 4});
    csm_predictor *predictor = predictor_of(model, CSM_RESULT_RAW, 0, 0);
    double x[300 * 20] = {0}, out[300];
    float row[20] = {0};
    csm_matrix in = csm_matrix_f64(x, 300, 20), to = csm_matrix_f64(out, 300, 1);
    const double bad[] = {NAN, INFINITY, -INFINITY, 1e300};
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        x[277 * 20 + 18] = bad[i];
        assert_int_equal(csm_predictor_run(predictor, NULL, &in, &to), CSM_EINVAL);
        assert_non_null(strstr(csm_error_message(), "row 277, column 18"));
    }
    row[7] = NAN;
    assert_int_equal(csm_predictor_row(predictor, row, 20, out, 1), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "column 7"));
    csm_predictor_free(predictor);
    csm_model_free(model);
    model = random_forest(&common);
    predictor = predictor_of(model, CSM_RESULT_RAW, 0, 0);
    float *rows = random_rows(&common, 3);
    rows[common.features] = -INFINITY;
    in = csm_matrix_f32(rows, 3, common.features), to = csm_matrix_f64(out, 3, 2);
    assert_int_equal(csm_predictor_run(predictor, NULL, &in, &to), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "row 1, column 0"));
    free(rows);
    csm_predictor_free(predictor);
    csm_model_free(model);
}

static void wrong_shapes_and_options_are_refused(void **state) {
    csm_model *model = random_forest(&common);
    csm_predictor_options options;
    csm_predictor *predictor = NULL;
    double out[4];
    float x[2 * 37] = {0};
    csm_matrix in = csm_matrix_f32(x, 2, 36), to = csm_matrix_f64(out, 2, 2);
    (void)state;
    csm_predictor_options_init(&options);
    options.result = 3;
    assert_int_equal(csm_predictor_new(&predictor, model, &options), CSM_EINVAL);
    options = (csm_predictor_options){.size = sizeof options, .rounds = 26};
    assert_int_equal(csm_predictor_new(&predictor, model, &options), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "26 rounds of a model that has 25"));
    options = (csm_predictor_options){.size = sizeof options, .stage = 1, .result = CSM_RESULT_LEAF};
    assert_int_equal(csm_predictor_new(&predictor, model, &options), CSM_EINVAL);
    options = (csm_predictor_options){.size = offsetof(csm_predictor_options, stage), .rounds = 3};
    assert_ok(csm_predictor_new(&predictor, model, &options)); /* of an older caller */
    assert_int_equal(csm_predictor_run(predictor, NULL, &in, &to), CSM_EINVAL);
    in.cols = 37, to.cols = 3;
    assert_int_equal(csm_predictor_run(predictor, NULL, &in, &to), CSM_EINVAL);
    assert_int_equal(csm_predictor_row(predictor, x, 37, out, 1), CSM_EINVAL);
    csm_predictor_free(predictor);
    csm_predictor_free(NULL);
    csm_model_free(model);
}

static void a_failed_allocation_leaves_nothing_behind(void **state) {
    csm_model *model = random_forest(&common);
    csm_predictor *predictor = NULL;
    csm_status status = CSM_ENOMEM;
    (void)state;
    for (uint64_t n = 1; status; n++) {
        assert_true(n < 200);
        csm_fault_allocation(n, false);
        status = csm_predictor_new(&predictor, model, NULL);
        csm_fault_allocation(0, false);
        assert_true(status == CSM_OK || status == CSM_ENOMEM);
    }
    csm_predictor_free(predictor);
    csm_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_and_single_rows_equal_a_plain_walk),
        cmocka_unit_test(missing_values_and_categories_equal_a_plain_walk),
        cmocka_unit_test(values_that_equal_a_threshold_go_left),
        cmocka_unit_test(features_of_more_than_255_thresholds_take_several_columns),
        cmocka_unit_test(large_trees_equal_a_plain_walk),
        cmocka_unit_test(any_view_of_the_rows_gives_the_same_predictions),
        cmocka_unit_test(stages_are_the_scores_after_so_many_rounds),
        cmocka_unit_test(leaf_numbers_count_from_the_left),
        cmocka_unit_test(responses_follow_the_links),
        cmocka_unit_test(a_prepared_predictor_allocates_nothing),
        cmocka_unit_test(a_predictor_may_be_shared_by_threads),
        cmocka_unit_test(values_that_are_not_finite_are_named),
        cmocka_unit_test(wrong_shapes_and_options_are_refused),
        cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
