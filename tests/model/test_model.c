/* SPDX-License-Identifier: MIT */
/* The interface that all learners share: table, options, samples, files. */
#include "model/support.h"

#include "model/gbt/internal.h"

/* ---- table ---- */

static void the_table_of_learners_is_consistent(void **state) {
    (void)state;
    assert_true(csm_model_learner_count() >= 1);
    for (size_t i = 0; i < csm_model_learner_count(); i++) {
        const csm_learner *learner = csm_model_learner_at(i);
        assert_ptr_equal(csm_model_learner_find(learner->name), learner);
        assert_true(learner->objectives != 0 && learner->parameter_count > 0);
        for (size_t p = 0; p < learner->parameter_count; p++) {
            const csm_learner_parameter *parameter = &learner->parameters[p];
            assert_non_null(parameter->name);
            assert_true(strlen(parameter->text) > 5);
            assert_true(parameter->minimum <= parameter->standard &&
                        parameter->standard <= parameter->maximum);
            if (parameter->integer) assert_true(parameter->standard == floor(parameter->standard));
            if (parameter->log_scale) assert_true(parameter->minimum > 0);
            for (size_t q = 0; q < p; q++)
                assert_string_not_equal(parameter->name, learner->parameters[q].name);
        }
    }
    assert_null(csm_model_learner_at(csm_model_learner_count()));
    assert_null(csm_model_learner_find("tarot"));
    assert_null(csm_model_learner_find(NULL));
}

/* ---- refusals ---- */

static dataset small_set(void) {
    dataset set = dataset_new(60, 3, 1, 0);
    plant_classes(&set, 1);
    return set;
}

#define REFUSED_PARAMETER(status, text, ...)                                                                 \
    do {                                                                                                     \
        const csm_parameter parameters[] = {__VA_ARGS__};                                                    \
        assert_fails(status, text,                                                                           \
                     train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, parameters, COUNT(parameters)));          \
        assert_null(model);                                                                                  \
    } while (0)

static void wrong_parameters_are_named(void **state) {
    (void)state;
    dataset set = small_set();
    csm_model *model = NULL;
    REFUSED_PARAMETER(CSM_EINVAL, "'leafs'", {"leafs", 3});
    REFUSED_PARAMETER(CSM_EINVAL, "leaves = 1 is outside 2..1024", {"leaves", 1});
    REFUSED_PARAMETER(CSM_EINVAL, "leaves = nan", {"leaves", NAN});
    REFUSED_PARAMETER(CSM_EINVAL, "rounds = 2.5 is not a whole number", {"rounds", 2.5});
    REFUSED_PARAMETER(CSM_EINVAL, "learning_rate = inf", {"learning_rate", INFINITY});
    REFUSED_PARAMETER(CSM_EINVAL, "rounds is given twice", {"rounds", 2}, {"rounds", 2});
    REFUSED_PARAMETER(CSM_EINVAL, "parameter 0 has no name", {NULL, 2});
    for (size_t p = 0; p < GBT_PARAMETER_COUNT; p++) {
        const csm_learner_parameter *parameter = &csm_model_learner_find("gbt")->parameters[p];
        REFUSED_PARAMETER(CSM_EINVAL, parameter->name, {parameter->name, parameter->maximum * 2 + 1});
        REFUSED_PARAMETER(CSM_EINVAL, parameter->name, {parameter->name, -1});
    }
    dataset_free(&set);
}

static void wrong_samples_are_named_by_row_and_column(void **state) {
    (void)state;
    dataset set = small_set();
    csm_model *model = NULL;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t k = 0; k < 3; k++) {
        float kept = set.x[40 * 3 + 2];
        set.x[40 * 3 + 2] = bad[k];
        assert_fails(CSM_EINVAL, "row 40, column 2", train(&model, &set, CSM_OBJECTIVE_SQUARED, 2, NULL, 0));
        set.x[40 * 3 + 2] = kept;
    }
    set.y[7] = NAN;
    assert_fails(CSM_EINVAL, "row 7, column 0", train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
    set.y[7] = 2;
    assert_fails(CSM_EINVAL, "y = 2 at row 7", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.y[7] = 1;
    set.samples.weight = set.weight;
    assert_fails(CSM_ENODATA, "every weight is 0", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.weight[9] = -1;
    assert_fails(CSM_EINVAL, "row 9", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.samples.weight = NULL;
    static const int64_t window_end[60];
    set.samples.window_end = window_end;
    assert_fails(CSM_EINVAL, "rows, not windows", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.samples.window_end = NULL;
    set.samples.x.rows = 59;
    assert_fails(CSM_EINVAL, "59 rows for 60", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.samples.x.rows = 60;
    set.samples.x.dtype = (csm_dtype)7;
    assert_fails(CSM_EINVAL, "dtype 7", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.samples.x.dtype = CSM_F32;
    set.samples.x.cols = 0;
    assert_fails(CSM_EINVAL, "0 columns", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.samples.x.cols = 3;
    double wide[120] = {1};
    set.samples.y = csm_matrix_f64(wide, 60, 2);
    assert_fails(CSM_ENODATA, "one class", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    assert_null(model);
    dataset_free(&set);
}

static void too_large_values_in_doubles_are_refused(void **state) {
    (void)state;
    dataset set = small_set();
    double x[60 * 3] = {0};
    csm_model *model = NULL;
    x[10] = 1e39; /* no float */
    set.samples.x = csm_matrix_f64(x, 60, 3);
    assert_fails(CSM_EINVAL, "row 3, column 1", train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
    x[10] = 0;
    for (size_t i = 0; i < 60; i++) set.y[i] = i % 2 ? 1e300 : -1e300;
    assert_fails(CSM_EINVAL, "overflows", train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
    dataset_free(&set);
}

static void nothing_to_learn_from_is_no_data(void **state) {
    (void)state;
    dataset set = small_set();
    csm_model *model = NULL;
    for (size_t i = 0; i < 60; i++) set.y[i] = 1;
    assert_fails(CSM_ENODATA, "one class", train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    set.samples.length = set.samples.x.rows = set.samples.y.rows = 0;
    assert_fails(CSM_ENODATA, "no rows", train(&model, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
    dataset_free(&set);
}

static void wrong_options_are_refused(void **state) {
    (void)state;
    dataset set = small_set(), check = small_set();
    csm_context *context = context_new(1);
    csm_train_options options;
    csm_model *model = NULL;
    csm_model_train_options_init(&options);
    assert_fails(CSM_ENOTFOUND, "'svm'", csm_model_train(&model, context, "svm", &set.samples, &options));
    assert_fails(CSM_ENOTFOUND, "NULL", csm_model_train(&model, context, NULL, &set.samples, &options));
    assert_fails(CSM_EINVAL, "NULL", csm_model_train(&model, NULL, "gbt", &set.samples, &options));
    assert_fails(CSM_EINVAL, "NULL", csm_model_train(NULL, context, "gbt", &set.samples, &options));
    options.objective = 5;
    assert_fails(CSM_EINVAL, "objective 5", csm_model_train(&model, context, "gbt", &set.samples, &options));
    options.objective = UINT32_MAX;
    assert_fails(CSM_EINVAL, "objective", csm_model_train(&model, context, "gbt", &set.samples, &options));
    options.objective = 0;
    options.early_stopping_rounds = 5;
    assert_fails(CSM_EINVAL, "validation", csm_model_train(&model, context, "gbt", &set.samples, &options));
    options.validation = &check.samples;
    check.x[5 * 3 + 1] = NAN;
    assert_fails(CSM_EINVAL, "validation: x is not a finite float at row 5, column 1",
                 csm_model_train(&model, context, "gbt", &set.samples, &options));
    check.samples.x.cols = 2;
    assert_fails(CSM_EINVAL, "validation: x has 2 columns",
                 csm_model_train(&model, context, "gbt", &set.samples, &options));
    static const char *const names[] = {"a", NULL, "c"};
    options.feature_names = names;
    assert_fails(CSM_EINVAL, "feature 1", csm_model_train(&model, context, "gbt", &set.samples, &options));
    assert_null(model);
    csm_context_free(context);
    dataset_free(&set);
    dataset_free(&check);
}

static void smaller_and_larger_option_structs_follow_the_protocol(void **state) {
    (void)state;
    dataset set = small_set();
    csm_context *context = context_new(1);
    struct {
        csm_train_options options;
        uint64_t newer;
    } larger;
    csm_model *model;
    memset(&larger, 0, sizeof larger);
    csm_model_train_options_init(&larger.options);
    larger.options.size = offsetof(csm_train_options, feature_names);
    assert_ok(csm_model_train(&model, context, "gbt", &set.samples, &larger.options));
    csm_model_free(model);
    larger.options.size = sizeof larger;
    assert_ok(csm_model_train(&model, context, "gbt", &set.samples, &larger.options));
    csm_model_free(model);
    larger.newer = 1;
    assert_int_equal(csm_model_train(&model, context, "gbt", &set.samples, &larger.options), CSM_EINVAL);
    assert_ok(csm_model_train(&model, context, "gbt", &set.samples, NULL));
    csm_model_free(model);
    csm_context_free(context);
    dataset_free(&set);
}

static int cancel_in_round_three(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)what;
    (void)total;
    ++*(int *)user;
    return done == 3;
}

static void progress_can_cancel_a_training(void **state) {
    (void)state;
    dataset set = small_set();
    csm_context *context = context_new(1);
    csm_model *model = NULL;
    int calls = 0;
    csm_context_set_progress(context, cancel_in_round_three, &calls);
    assert_int_equal(csm_model_train(&model, context, "gbt", &set.samples, NULL), CSM_ECANCELLED);
    assert_int_equal(calls, 4);
    assert_null(model);
    csm_context_free(context);
    dataset_free(&set);
}

static void predictions_are_refused_for_other_shapes(void **state) {
    (void)state;
    dataset set = small_set();
    csm_model *model;
    double out[60];
    csm_matrix view = csm_matrix_f64(out, 60, 1);
    assert_ok(train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    csm_samples samples = set.samples;
    samples.x.cols = 2;
    assert_fails(CSM_EINVAL, "2 columns, expected 3", csm_model_predict(model, NULL, &samples, &view));
    samples.x.cols = 3;
    view.rows = 59;
    assert_fails(CSM_EINVAL, "59 x 1", csm_model_predict(model, NULL, &samples, &view));
    view.rows = 60;
    set.x[59 * 3] = NAN;
    assert_fails(CSM_EINVAL, "row 59, column 0", csm_model_predict(model, NULL, &samples, &view));
    samples.length = samples.x.rows = view.rows = 0;
    assert_ok(csm_model_predict(model, NULL, &samples, &view));
    assert_fails(CSM_EINVAL, "NULL", csm_model_predict(NULL, NULL, &samples, &view));
    assert_fails(CSM_EINVAL, "2 features", csm_model_importance(model, out, 2));
    csm_model_free(model);
    csm_model_free(NULL);
    dataset_free(&set);
}

/* ---- files ---- */

static void a_model_saved_and_loaded_predicts_the_same_bits(void **state) {
    (void)state;
    static const char *const names[] = {"rsi_14", "volume \"z\"", "\xc3\xa4nderung"};
    dataset set = small_set();
    char *folder = support_folder_new(), *path = support_path(folder, "a.safetensors");
    csm_context *context = context_new(1);
    csm_train_options options;
    csm_model *model, *loaded;
    const csm_parameter parameters[] = {{"learning_rate", 0.1 + 0.2}, {"rounds", 11}, {"min_rows", 5}};
    csm_model_train_options_init(&options);
    options.objective = CSM_OBJECTIVE_LOGISTIC;
    options.feature_names = names;
    options.parameters = parameters;
    options.parameter_count = COUNT(parameters);
    assert_ok(csm_model_train(&model, context, "gbt", &set.samples, &options));
    assert_ok(csm_model_save(model, path, "{\"recipe\": \"test\"}"));
    assert_ok(csm_model_load(&loaded, path));
    double *before = predict(model, &set), *after = predict(loaded, &set);
    assert_memory_equal(before, after, set.rows * sizeof *before);
    csm_model_info a = describe(model), b = describe(loaded);
    assert_memory_equal(&a, &b, offsetof(csm_model_info, validation_loss));
    assert_true(isnan(a.validation_loss) && isnan(b.validation_loss));
    for (size_t f = 0; f < 3; f++) assert_string_equal(csm_model_feature_name(loaded, f), names[f]);
    assert_null(csm_model_feature_name(loaded, 3));
    assert_memory_equal(model->values, loaded->values, GBT_PARAMETER_COUNT * sizeof(double));
    double gain[2][3];
    assert_ok(csm_model_importance(model, gain[0], 3));
    assert_ok(csm_model_importance(loaded, gain[1], 3));
    assert_memory_equal(gain[0], gain[1], sizeof gain[0]);
    free(before);
    free(after);
    csm_model_free(model);
    csm_model_free(loaded);
    csm_context_free(context);
    csm_dealloc(path);
    support_folder_remove(folder);
    dataset_free(&set);
}

static void several_models_live_in_one_file(void **state) {
    (void)state;
    dataset set = small_set();
    csm_model *one, *two, *read;
    csm_tensors_writer *writer;
    csm_tensors *tensors;
    csm_buffer file = {0};
    assert_ok(train(&one, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    assert_ok(train(&two, &set, CSM_OBJECTIVE_SQUARED, 1, NULL, 0));
    assert_ok(csm_tensors_writer_new(&writer));
    assert_ok(csm_model_write(writer, "24h.direction.", one));
    assert_ok(csm_model_write(writer, "24h.expected.", two));
    assert_fails(CSM_EINVAL, "twice", csm_model_write(writer, "24h.expected.", two));
    assert_ok(csm_tensors_finish(&file, writer));
    assert_ok(csm_tensors_read(&tensors, file.data, file.length));
    assert_ok(csm_model_read(&read, tensors, "24h.expected."));
    double *before = predict(two, &set), *after = predict(read, &set);
    assert_memory_equal(before, after, set.rows * sizeof *before);
    assert_int_equal(describe(read).objective, CSM_OBJECTIVE_SQUARED);
    csm_model_free(read);
    assert_fails(CSM_ENOTFOUND, "'7d.'", csm_model_read(&read, tensors, "7d."));
    assert_null(read);
    free(before);
    free(after);
    csm_tensors_free(tensors);
    csm_tensors_writer_free(writer);
    csm_buffer_free(&file);
    csm_model_free(one);
    csm_model_free(two);
    dataset_free(&set);
}

static void files_that_are_absent_or_broken_are_named(void **state) {
    (void)state;
    dataset set = small_set();
    char *folder = support_folder_new(), *path = support_path(folder, "a.safetensors");
    csm_model *model, *loaded = NULL;
    csm_buffer file = {0};
    assert_ok(train(&model, &set, CSM_OBJECTIVE_LOGISTIC, 1, NULL, 0));
    assert_fails(CSM_ENOTFOUND, path, csm_model_load(&loaded, path));
    assert_fails(CSM_EINVAL, "JSON object", csm_model_save(model, path, "[1]"));
    assert_fails(CSM_EINVAL, "JSON object", csm_model_save(model, path, "{"));
    assert_ok(csm_model_save(model, path, NULL));
    assert_ok(csm_file_read(&file, path, 1 << 24));
    file.data[file.length - 3] ^= 4;
    assert_ok(csm_file_write_atomic(path, file.data, file.length, 0644));
    assert_fails(CSM_ECORRUPT, path, csm_model_load(&loaded, path));
    assert_ok(csm_file_write_atomic(path, "not a model", 11, 0644));
    assert_fails(CSM_EPARSE, path, csm_model_load(&loaded, path));
    assert_null(loaded);
    assert_fails(CSM_EINVAL, "NULL", csm_model_load(&loaded, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_model_save(NULL, path, NULL));
    csm_buffer_free(&file);
    csm_model_free(model);
    csm_dealloc(path);
    support_folder_remove(folder);
    dataset_free(&set);
}

/* A hand-made tree of three nodes, with one thing wrong. */
typedef struct forged_tree {
    const char *description; /* NULL: a right one */
    int32_t feature[3], left[3], root[2];
    float threshold[3];
    double value[3], base;
} forged_tree;

static csm_status read_forged(const forged_tree *tree) {
    static const char right[] =
        "{\"format\":1,\"learner\":\"gbt\",\"objective\":0,\"outputs\":1,\"rounds\":1,\"trained_rows\":9,"
        "\"training_loss\":1.5,\"validation_loss\":null,\"parameters\":{\"leaves\":31},\"features\":[\"a\","
        "\"b\"]}";
    static const double ones[] = {1, 1, 1};
    csm_tensors_writer *writer;
    csm_tensors *tensors;
    csm_buffer file = {0};
    csm_model *model = NULL;
    assert_ok(csm_tensors_writer_new(&writer));
    assert_ok(csm_tensors_add_text(writer, "", "model", tree->description ? tree->description : right));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.feature", CSM_TENSOR_I32, tree->feature, 3));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.left", CSM_TENSOR_I32, tree->left, 3));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.threshold", CSM_TENSOR_F32, tree->threshold, 3));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.value", CSM_TENSOR_F64, tree->value, 3));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.gain", CSM_TENSOR_F64, ones, 3));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.cover", CSM_TENSOR_F64, ones, 3));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.root", CSM_TENSOR_I32, tree->root, 2));
    assert_ok(csm_tensors_add_array(writer, "", "gbt.base", CSM_TENSOR_F64, &tree->base, 1));
    assert_ok(csm_tensors_finish(&file, writer));
    assert_ok(csm_tensors_read(&tensors, file.data, file.length));
    csm_status status = csm_model_read(&model, tensors, "");
    if (!status) {
        float x[] = {0, 0, 1, 0};
        double out[2];
        csm_samples samples = {.x = csm_matrix_f32(x, 2, 2), .length = 2};
        csm_matrix view = csm_matrix_f64(out, 2, 1);
        assert_ok(csm_model_predict(model, NULL, &samples, &view));
        assert_true(out[0] == tree->base + tree->value[1] && out[1] == tree->base + tree->value[2]);
    }
    csm_model_free(model);
    csm_tensors_free(tensors);
    csm_tensors_writer_free(writer);
    csm_buffer_free(&file);
    return status;
}

static void forged_models_with_a_right_checksum_are_refused(void **state) {
    (void)state;
    static const forged_tree right = {NULL, {0, -1, -1}, {1, 0, 0}, {0, 3}, {0.5f, 0, 0}, {0, 10, 20}, 0.25};
    assert_ok(read_forged(&right));
#define FORGED(status, text, change)                                                                         \
    do {                                                                                                     \
        forged_tree tree = right;                                                                            \
        tree.change;                                                                                         \
        assert_fails(status, text, read_forged(&tree));                                                      \
    } while (0)
    FORGED(CSM_ECORRUPT, "children at 0", left[0] = 0); /* an endless walk */
    FORGED(CSM_ECORRUPT, "children at 2", left[0] = 2);
    FORGED(CSM_ECORRUPT, "children at -1", left[0] = -1);
    FORGED(CSM_ECORRUPT, "feature 2 of 2", feature[0] = 2);
    FORGED(CSM_ECORRUPT, "feature -2", feature[0] = -2);
    FORGED(CSM_ECORRUPT, "node 2", feature[2] = 1);
    FORGED(CSM_ECORRUPT, "not finite", value[1] = NAN);
    FORGED(CSM_ECORRUPT, "not finite", threshold[0] = NAN);
    FORGED(CSM_ECORRUPT, "base", base = INFINITY);
    FORGED(CSM_ECORRUPT, "gbt.root", root[1] = 2);
    FORGED(CSM_ECORRUPT, "gbt.root", root[0] = 1);
    FORGED(CSM_EPARSE, "not a JSON object", description = "[]");
    FORGED(CSM_EUNSUPPORTED, "format 2", description = "{\"format\":2}");
    FORGED(CSM_ECORRUPT, "format number", description = "{}");
    FORGED(CSM_EUNSUPPORTED, "'tarot'", description = "{\"format\":1,\"learner\":\"tarot\"}");
    FORGED(CSM_ECORRUPT, "lacks a member", description = "{\"format\":1,\"learner\":\"gbt\"}");
#define HEAD                                                                                                 \
    "{\"format\":1,\"learner\":\"gbt\",\"objective\":0,\"outputs\":1,\"rounds\":1,\"trained_rows\":9,"
    FORGED(CSM_ECORRUPT, "0 feature names",
           description = HEAD "\"training_loss\":1,\"validation_loss\":null}");
    FORGED(CSM_ECORRUPT, "feature name 0",
           description =
               HEAD "\"training_loss\":1,\"validation_loss\":null,\"parameters\":{},\"features\":[7]}");
    FORGED(CSM_ECORRUPT, "parameters",
           description = HEAD "\"training_loss\":1,\"validation_loss\":null,\"parameters\":{\"leaves\":-1},"
                              "\"features\":[\"a\",\"b\"]}");
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    dataset set = small_set();
    csm_context *context = context_new(1);
    csm_train_options options;
    const csm_parameter parameters[] = {{"rounds", 3}, {"min_rows", 5}, {"leaves", 4}};
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = COUNT(parameters);
    options.validation = &set.samples;
    for (uint32_t objective = 0; objective < 4; objective++) {
        csm_status status = CSM_ENOMEM;
        options.objective = objective;
        for (uint64_t n = 1; status; n++) {
            csm_model *model = NULL, *copy = NULL;
            csm_tensors_writer *writer = NULL;
            csm_tensors *tensors = NULL;
            csm_buffer file = {0};
            double out[60];
            csm_matrix view = csm_matrix_f64(out, 60, 1);
            csm_fault_allocation(n, false);
            status = csm_model_train(&model, context, "gbt", &set.samples, &options);
            if (!status) status = csm_tensors_writer_new(&writer);
            if (!status) status = csm_model_write(writer, "p.", model);
            if (!status) status = csm_tensors_finish(&file, writer);
            if (!status) status = csm_tensors_read(&tensors, file.data, file.length);
            if (!status) status = csm_model_read(&copy, tensors, "p.");
            if (!status) status = csm_model_predict(copy, context, &set.samples, &view);
            csm_fault_allocation(0, false);
            if (status) assert_int_equal(status, CSM_ENOMEM);
            csm_model_free(model);
            csm_model_free(copy);
            csm_tensors_free(tensors);
            csm_tensors_writer_free(writer);
            csm_buffer_free(&file);
            assert_true(n < 2000);
        }
    }
    csm_context_free(context);
    dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_learners_is_consistent),
        cmocka_unit_test(wrong_parameters_are_named),
        cmocka_unit_test(wrong_samples_are_named_by_row_and_column),
        cmocka_unit_test(too_large_values_in_doubles_are_refused),
        cmocka_unit_test(nothing_to_learn_from_is_no_data),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(smaller_and_larger_option_structs_follow_the_protocol),
        cmocka_unit_test(progress_can_cancel_a_training),
        cmocka_unit_test(predictions_are_refused_for_other_shapes),
        cmocka_unit_test(a_model_saved_and_loaded_predicts_the_same_bits),
        cmocka_unit_test(several_models_live_in_one_file),
        cmocka_unit_test(files_that_are_absent_or_broken_are_named),
        cmocka_unit_test(forged_models_with_a_right_checksum_are_refused),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
