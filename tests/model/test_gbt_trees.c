/* SPDX-License-Identifier: MIT */
/* Trees built by hand: which way missing values and categories go, several outputs, and what a file keeps of them. */
#include "model/support.h"

#include "model/gbt/internal.h"
#include "core/platform.h"

#define LEAF(amount)                                                                                         \
    { .feature = -1, .value = (amount), .cover = 1 }

/* One split on feature 0 and leaves 1 (left), 2 (right). */
static csm_model *stump(uint32_t flags, float threshold, const uint32_t *words, uint32_t word_count) {
    const double base = 0;
    gbt_ensemble *ensemble;
    gbt_node nodes[3] = {
        {.feature = 0, .threshold = threshold, .left = 1, .flags = flags, .cover = 2}, LEAF(1), LEAF(2)};
    csm_model_info info = {.learner = "gbt",
                           .outputs = 1,
                           .features = 1,
                           .rounds = 1,
                           .training_loss = NAN,
                           .validation_loss = NAN};
    double values[GBT_PARAMETER_COUNT];
    csm_model *model;
    assert_ok(gbt_ensemble_new(&ensemble, 1, 1, &base));
    ensemble->missing = 1;
    if (words) assert_ok(gbt_ensemble_add_set(&nodes[0].set, ensemble, words, word_count));
    assert_ok(gbt_ensemble_append(ensemble, nodes, 3));
    assert_ok(csm_model_parameters(values, &csm_learner_gbt.about, NULL, 0));
    assert_ok(csm_model_new(&model, &csm_learner_gbt, &info, NULL, values));
    model->state = ensemble;
    return model;
}

static int side(const csm_model *model, float x) {
    double out = 0;
    csm_matrix view = csm_matrix_f64(&out, 1, 1);
    csm_samples samples = {.x = csm_matrix_f32(&x, 1, 1), .length = 1};
    assert_ok(csm_model_predict(model, NULL, &samples, &view));
    return out == 1 ? 'l' : 'r';
}

static void expect_sides(const csm_model *model, const float *x, const char *sides) {
    for (size_t i = 0; sides[i]; i++) {
        if (side(model, x[i]) != sides[i])
            fail_msg("x[%zu] = %g goes %c, expected %c", i, (double)x[i], side(model, x[i]), sides[i]);
    }
}

static void check_stump(uint32_t flags, float threshold, const char *sides) {
    const float x[] = {-2, -1e-36F, 0, 0.5F, 3, NAN};
    csm_model *model = stump(flags, threshold, NULL, 0);
    expect_sides(model, x, sides);
    csm_model_free(model);
}

/* Expected sides follow LightGBM's NumericalDecision (include/LightGBM/tree.h). */
static void missing_values_go_where_the_node_says(void **state) {
    (void)state;
    check_stump(0, 0.5F, "llllrl");
    check_stump(0, -1, "lrrrrr");
    check_stump(GBT_NODE_MISSING_NAN, 0.5F, "llllrr");
    check_stump(GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_LEFT, -1, "lrrrrl");
    check_stump(GBT_NODE_MISSING_ZERO, 0.5F, "lrrlrr");
    check_stump(GBT_NODE_MISSING_ZERO | GBT_NODE_MISSING_LEFT, -1, "lllrrl");
}

static void a_category_in_the_set_goes_left(void **state) {
    const uint32_t words[2] = {1u << 0 | 1u << 31, 1u << 1}; /* 0, 31, 33 */
    const float x[] = {0, 0.9F, 31, 33, 1, 34, 64, -1, 1e9F, NAN};
    csm_model *model = stump(GBT_NODE_CATEGORICAL, 0, words, 2);
    (void)state;
    expect_sides(model, x, "llllrrrrrr");
    csm_model_free(model);
    model = stump(GBT_NODE_CATEGORICAL | GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_LEFT, 0, words, 2);
    expect_sides(model, x, "llllrrrrrl");
    csm_model_free(model);
}

/* Two outputs, four trees of one leaf each: output o is base[o] + the trees of its own. */
static csm_model *two_outputs(void) {
    const double base[2] = {10, 20};
    gbt_ensemble *ensemble;
    csm_model_info info = {.learner = "gbt",
                           .outputs = 2,
                           .features = 1,
                           .rounds = 2,
                           .training_loss = NAN,
                           .validation_loss = NAN};
    double values[GBT_PARAMETER_COUNT];
    csm_model *model;
    assert_ok(gbt_ensemble_new(&ensemble, 1, 2, base));
    ensemble->link[1] = (gbt_link){GBT_LINK_LOGISTIC, 0.5};
    for (int t = 0; t < 4; t++) {
        const gbt_node leaf = LEAF(t + 1);
        assert_ok(gbt_ensemble_append(ensemble, &leaf, 1));
    }
    assert_ok(csm_model_parameters(values, &csm_learner_gbt.about, NULL, 0));
    assert_ok(csm_model_new(&model, &csm_learner_gbt, &info, NULL, values));
    model->state = ensemble;
    return model;
}

static void expect_two_outputs(const csm_model *model) {
    float x[3] = {0, 1, 2};
    double out[6];
    csm_samples samples = {.x = csm_matrix_f32(x, 3, 1), .length = 3};
    csm_matrix columns = {
        .data = out, .rows = 3, .cols = 2, .row_stride = 1, .col_stride = 3, .dtype = CSM_F64};
    assert_ok(csm_model_predict(model, NULL, &samples, &columns));
    for (int r = 0; r < 3; r++) {
        assert_true(out[r] == 10 + 1 + 3);
        assert_true(out[3 + r] == 20 + 2 + 4);
    }
}

static void trees_take_turns_between_outputs(void **state) {
    (void)state;
    csm_model *model = two_outputs();
    expect_two_outputs(model);
    csm_model_free(model);
}

static csm_model *save_and_load(const csm_model *model) {
    char path[] = "/tmp/csm-trees-XXXXXX";
    csm_model *loaded;
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    assert_ok(csm_model_save(model, path, NULL));
    assert_ok(csm_model_load(&loaded, path));
    assert_ok(csm_file_remove(path));
    return loaded;
}

static void a_file_keeps_flags_sets_outputs_and_links(void **state) {
    const uint32_t words[1] = {1u << 5};
    const float x[] = {5, 6, NAN};
    csm_model *model =
        stump(GBT_NODE_CATEGORICAL | GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_LEFT, 0, words, 1);
    csm_model *loaded = save_and_load(model);
    (void)state;
    expect_sides(loaded, x, "lrl");
    csm_model_free(loaded);
    csm_model_free(model);
    model = two_outputs();
    loaded = save_and_load(model);
    expect_two_outputs(loaded);
    const gbt_ensemble *ensemble = loaded->state;
    assert_int_equal(ensemble->link[0].kind, GBT_LINK_IDENTITY);
    assert_int_equal(ensemble->link[1].kind, GBT_LINK_LOGISTIC);
    assert_true(ensemble->link[1].scale == 0.5);
    csm_model_free(loaded);
    csm_model_free(model);
}

static void expect_refusal(csm_model *model, csm_status expected, const char *text) {
    csm_tensors_writer *writer;
    csm_tensors *tensors;
    csm_buffer file = {0};
    csm_model *loaded;
    assert_ok(csm_tensors_writer_new(&writer));
    assert_ok(csm_model_write(writer, "", model));
    assert_ok(csm_tensors_finish(&file, writer));
    assert_ok(csm_tensors_read(&tensors, file.data, file.length));
    assert_int_equal(csm_model_read(&loaded, tensors, ""), expected);
    if (!strstr(csm_error_message(), text)) fail_msg("'%s' lacks '%s'", csm_error_message(), text);
    csm_tensors_free(tensors);
    csm_buffer_free(&file);
    csm_tensors_writer_free(writer);
    csm_model_free(model);
}

static void a_file_with_flags_or_sets_out_of_place_is_refused(void **state) {
    const uint32_t words[1] = {1};
    csm_model *model = stump(GBT_NODE_CATEGORICAL, 0, words, 1);
    (void)state;
    ((gbt_ensemble *)model->state)->nodes[0].set = 2;
    expect_refusal(model, CSM_ECORRUPT, "set 2 of node 0");
    model = stump(GBT_NODE_CATEGORICAL, 0, words, 1);
    ((gbt_ensemble *)model->state)->category[0] = 2;
    expect_refusal(model, CSM_ECORRUPT, "set 0 of node 0");
    expect_refusal(stump(GBT_NODE_CATEGORICAL, 0, NULL, 0), CSM_ECORRUPT, "set 0 of node 0");
    expect_refusal(stump(16, 0, NULL, 0), CSM_EUNSUPPORTED, "flags 16");
    expect_refusal(stump(GBT_NODE_MISSING_ZERO | GBT_NODE_MISSING_NAN, 0, NULL, 0), CSM_ECORRUPT, "exclude");
    model = two_outputs();
    ((gbt_ensemble *)model->state)->link[0].kind = GBT_LINK_KINDS;
    expect_refusal(model, CSM_EUNSUPPORTED, "link");
    model = two_outputs();
    ((gbt_ensemble *)model->state)->link[0].kind = GBT_LINK_SOFTMAX;
    expect_refusal(model, CSM_ECORRUPT, "softmax over 1 of 2");
    model = two_outputs();
    gbt_ensemble_truncate(model->state, 3);
    expect_refusal(model, CSM_ECORRUPT, "not a multiple");
}

static void a_tensor_of_a_later_version_is_refused(void **state) {
    csm_model *model = two_outputs(), *loaded;
    csm_tensors_writer *writer;
    csm_tensors *tensors;
    csm_buffer file = {0};
    const double later = 1;
    (void)state;
    assert_ok(csm_tensors_writer_new(&writer));
    assert_ok(csm_model_write(writer, "a.", model));
    assert_ok(csm_tensors_add_array(writer, "a.", "gbt.later", CSM_TENSOR_F64, &later, 1));
    assert_ok(csm_tensors_finish(&file, writer));
    assert_ok(csm_tensors_read(&tensors, file.data, file.length));
    assert_int_equal(csm_model_read(&loaded, tensors, "a."), CSM_EUNSUPPORTED);
    assert_non_null(strstr(csm_error_message(), "gbt.later"));
    csm_tensors_free(tensors);
    csm_buffer_free(&file);
    csm_tensors_writer_free(writer);
    csm_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_values_go_where_the_node_says),
        cmocka_unit_test(a_category_in_the_set_goes_left),
        cmocka_unit_test(trees_take_turns_between_outputs),
        cmocka_unit_test(a_file_keeps_flags_sets_outputs_and_links),
        cmocka_unit_test(a_file_with_flags_or_sets_out_of_place_is_refused),
        cmocka_unit_test(a_tensor_of_a_later_version_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
