/* SPDX-License-Identifier: MIT */
/* Models of LightGBM and XGBoost against what those libraries predict (tests/model/oracle/exchange_fixtures.py makes the
 * files; oracle/exchange.py compares many more models and what is exported). */
#include "model/trees.h"

#include "core/platform.h"
#include "model/gbt/exchange/exchange.h"

#include <unistd.h>

#define FOLDER CSM_SOURCE_DIR "/tests/model/exchange/"
#define ROWS 120
#define FIELDS 14

static void read_rows(double table[ROWS][FIELDS]) {
    csm_buffer file = {0};
    assert_ok(csm_file_read(&file, FOLDER "rows.csv", 1 << 20));
    char *at = strchr(file.data, '\n');
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t c = 0; c < FIELDS; c++) {
            assert_non_null(at);
            table[r][c] = strtod(at + 1, &at);
            assert_true(*at == (c + 1 < FIELDS ? ',' : '\n'));
        }
    }
    csm_buffer_free(&file);
}

/* Columns first.. of the table hold raw scores, then responses. */
static void expect_predictions(const csm_model *model, size_t first) {
    static double table[ROWS][FIELDS];
    uint32_t outputs = describe(model).outputs;
    read_rows(table);
    for (uint32_t result = CSM_RESULT_RAW; result <= CSM_RESULT_RESPONSE; result++) {
        csm_predictor_options options;
        csm_predictor *predictor;
        double out[ROWS * 3];
        csm_matrix in = csm_matrix_f64(table[0], ROWS, 4), to = csm_matrix_f64(out, ROWS, outputs);
        in.row_stride = FIELDS;
        csm_predictor_options_init(&options);
        options.result = result;
        assert_ok(csm_predictor_new(&predictor, model, &options));
        assert_ok(csm_predictor_run(predictor, NULL, &in, &to));
        for (size_t i = 0; i < (size_t)ROWS * outputs; i++) {
            double expected = table[i / outputs][first + result * outputs + i % outputs];
            if (!(fabs(out[i] - expected) <= 1e-6 * (1 + fabs(expected))))
                fail_msg("row %zu, output %zu: %.9g, expected %.9g", i / outputs, i % outputs, out[i],
                         expected);
        }
        csm_predictor_free(predictor);
    }
}

static csm_model *import_file(const char *name, uint32_t format) {
    char *path = csm_strformat(FOLDER "%s", name);
    csm_model *model;
    assert_ok(csm_model_import(&model, path, format));
    csm_dealloc(path);
    return model;
}

static void a_lightgbm_model_predicts_as_lightgbm_does(void **state) {
    (void)state;
    csm_model *model = import_file("lightgbm.txt", CSM_EXCHANGE_LIGHTGBM);
    csm_model_info info = describe(model);
    assert_int_equal(info.features, 4);
    assert_int_equal(info.rounds, 4);
    assert_int_equal(info.objective, CSM_OBJECTIVE_LOGISTIC);
    assert_string_equal(csm_model_feature_name(model, 3), "weekday");
    expect_predictions(model, 4);
    csm_model_free(model);
}

static void xgboost_models_predict_as_xgboost_does(void **state) {
    (void)state;
    csm_model *model = import_file("xgboost_multi.json", CSM_EXCHANGE_XGBOOST);
    assert_int_equal(describe(model).outputs, 3);
    assert_string_equal(csm_model_feature_name(model, 0), "momentum");
    expect_predictions(model, 6);
    csm_model_free(model);
    model = import_file("xgboost_dart.json", CSM_EXCHANGE_XGBOOST);
    expect_predictions(model, 12);
    csm_model_free(model);
}

static char *temporary_path(void) {
    char *path = csm_strdup("/tmp/csm-exchange-XXXXXX");
    int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    return path;
}

static void an_imported_model_can_be_saved_and_loaded(void **state) {
    csm_model *model = import_file("lightgbm.txt", CSM_EXCHANGE_LIGHTGBM), *loaded;
    char *path = temporary_path();
    (void)state;
    assert_ok(csm_model_save(model, path, NULL));
    assert_ok(csm_model_load(&loaded, path));
    expect_predictions(loaded, 4);
    assert_ok(csm_file_remove(path));
    csm_dealloc(path);
    csm_model_free(loaded);
    csm_model_free(model);
}

static void what_is_written_for_lightgbm_reads_back_the_same(void **state) {
    csm_model *model = import_file("lightgbm.txt", CSM_EXCHANGE_LIGHTGBM), *back;
    char *path = temporary_path();
    (void)state;
    assert_ok(csm_model_export(model, path, CSM_EXCHANGE_LIGHTGBM, 0));
    assert_ok(csm_model_import(&back, path, CSM_EXCHANGE_LIGHTGBM));
    expect_predictions(back, 4);
    csm_model_free(back);
    assert_ok(csm_model_export(model, path, CSM_EXCHANGE_LIGHTGBM, 3));
    assert_ok(csm_model_import(&back, path, CSM_EXCHANGE_LIGHTGBM));
    assert_int_equal(describe(back).rounds, 3);
    csm_model_free(back);
    csm_model_free(model);
    model = import_file("xgboost_dart.json", CSM_EXCHANGE_XGBOOST);
    assert_ok(csm_model_export(model, path, CSM_EXCHANGE_LIGHTGBM, 0));
    assert_ok(csm_model_import(&back, path, CSM_EXCHANGE_LIGHTGBM));
    expect_predictions(back, 12);
    assert_ok(csm_file_remove(path));
    csm_dealloc(path);
    csm_model_free(back);
    csm_model_free(model);
}

/* A walk over the dumped JSON alone. */
static double walk_json(const json_t *tree, const double *row) {
    const json_t *nodes = json_object_get(tree, "nodes");
    size_t n = 0;
    for (;;) {
        const json_t *node = json_array_get(nodes, n), *set = json_object_get(node, "in"), *member;
        if (json_object_get(node, "leaf")) return json_real_value(json_object_get(node, "leaf"));
        double value = row[json_integer_value(json_object_get(node, "feature"))];
        bool left = value <= json_number_value(json_object_get(node, "at_most"));
        size_t i;
        if (set) left = false;
        json_array_foreach((json_t *)(uintptr_t)set, i, member) left =
            left || value == (double)json_integer_value(member);
        if (isnan(value)) left = strcmp(json_string_value(json_object_get(node, "nan")), "left") == 0;
        n = (size_t)json_integer_value(json_object_get(node, left ? "left" : "right"));
    }
}

static void the_json_dump_tells_all_that_a_prediction_needs(void **state) {
    static double table[ROWS][FIELDS];
    csm_model *model = import_file("xgboost_multi.json", CSM_EXCHANGE_XGBOOST);
    csm_buffer text = {0};
    (void)state;
    read_rows(table);
    assert_ok(gbt_export_json(&text, model, 2));
    json_t *root = json_loadb(text.data, text.length, 0, NULL), *trees = json_object_get(root, "trees");
    assert_int_equal(json_array_size(trees), 6);
    for (size_t r = 0; r < ROWS; r++) {
        for (size_t o = 0; o < 3; o++) {
            const json_t *output = json_array_get(json_object_get(root, "outputs"), o);
            double sum = json_real_value(json_object_get(output, "base"));
            for (size_t t = o; t < 6; t += 3) sum += walk_json(json_array_get(trees, t), table[r]);
            assert_true(fabs(sum - table[r][6 + o]) < 1e-6 * (1 + fabs(sum)));
        }
    }
    json_decref(root);
    csm_buffer_free(&text);
    csm_model_free(model);
}

static void the_graphviz_dump_has_a_line_for_each_node_and_edge(void **state) {
    csm_model *model = import_file("lightgbm.txt", CSM_EXCHANGE_LIGHTGBM);
    const gbt_ensemble *ensemble = model->state;
    csm_buffer text = {0};
    size_t nodes = 0, edges = 0, inner = 0;
    (void)state;
    for (size_t n = 0; n < ensemble->node_count; n++) inner += ensemble->nodes[n].feature >= 0;
    csm_dealloc(model->feature_names[0]);
    model->feature_names[0] = csm_strdup("a \"quoted\\ name\n");
    assert_ok(gbt_export_graphviz(&text, model, 4));
    assert_non_null(strstr(text.data, "a \\\"quoted\\\\ name \\n&le;"));
    for (char *at = text.data; (at = strstr(at, " [label=")); at++) nodes++;
    for (char *at = text.data; (at = strstr(at, " -> ")); at++) edges++;
    assert_int_equal(nodes, ensemble->node_count + edges);
    assert_int_equal(edges, 2 * inner);
    csm_buffer_free(&text);
    csm_model_free(model);
}

static void onnx_is_written_for_numeric_trees_and_refused_for_categories(void **state) {
    const forest_shape shape = {.seed = 1, .features = 3, .outputs = 2, .rounds = 3, .leaves = 5};
    csm_model *model = random_forest(&shape);
    csm_buffer bytes = {0};
    (void)state;
    assert_ok(gbt_export_onnx(&bytes, model, 3));
    assert_true(bytes.length > 500);
    assert_memory_equal(bytes.data, "\x08\x08\x12\x0elibcryptosmart", 18); /* ir_version 8, producer */
    csm_buffer_free(&bytes);
    csm_model_free(model);
    model = import_file("lightgbm.txt", CSM_EXCHANGE_LIGHTGBM);
    assert_int_equal(gbt_export_onnx(&bytes, model, 4), CSM_EUNSUPPORTED);
    assert_non_null(strstr(csm_error_message(), "categories"));
    csm_buffer_free(&bytes);
    csm_model_free(model);
}

/* ---- what is refused ---- */

/* The file with the first `from` replaced by `to`; then it must fail with this status and text. */
static void expect_edit(const char *name, uint32_t format, const char *from, const char *to,
                        csm_status expected, const char *message) {
    char *path = csm_strformat(FOLDER "%s", name);
    csm_buffer file = {0}, edited = {0};
    csm_model *model;
    assert_ok(csm_file_read(&file, path, 1 << 20));
    char *at = strstr(file.data, from);
    if (!at) fail_msg("%s has no '%s'", name, from);
    assert_ok(csm_buffer_append(&edited, file.data, (size_t)(at - file.data)));
    assert_ok(csm_buffer_append(&edited, to, strlen(to)));
    assert_ok(csm_buffer_append(&edited, at + strlen(from), strlen(at + strlen(from))));
    csm_status status = format == CSM_EXCHANGE_LIGHTGBM
                            ? gbt_import_lightgbm(&model, edited.data, edited.length)
                            : gbt_import_xgboost(&model, edited.data, edited.length);
    if (status != expected || !strstr(csm_error_message(), message))
        fail_msg("'%s' for '%s': %s '%s'", to, from, csm_status_name(status), csm_error_message());
    assert_null(model);
    csm_buffer_free(&file);
    csm_buffer_free(&edited);
    csm_dealloc(path);
}

static void damaged_lightgbm_text_is_refused_with_text(void **state) {
    const struct {
        const char *from, *to;
        csm_status status;
        const char *message;
    } edits[] = {
        {"tree\n", "forest\n", CSM_EPARSE, "not a LightGBM text model"},
        {"version=v4", "version=v9", CSM_EUNSUPPORTED, "v2, v3 and v4"},
        {"max_feature_idx=3", "max_feature_idx=-1", CSM_EPARSE, "max_feature_idx"},
        {"max_feature_idx=3", "max_feature_idx=2", CSM_EPARSE, "feature_names"},
        {"objective=binary", "objective=magic", CSM_EUNSUPPORTED, "magic"},
        {"sigmoid:0.8", "sigmoid:-1", CSM_EPARSE, "sigmoid"},
        {"num_leaves=7", "num_leaves=8", CSM_EPARSE, "leaf_value has 7 values, expected 8"},
        {"num_leaves=7", "num_leaves=0", CSM_EPARSE, "num_leaves is 0"},
        {"num_leaves=7", "num_leaves=1e9", CSM_EPARSE, "values"},
        {"left_child=2", "left_child=0", CSM_EPARSE, "is not its own"},
        {"left_child=2", "left_child=99", CSM_EPARSE, "is not its own"},
        {"split_feature=3", "split_feature=17", CSM_EPARSE, "splits on feature 17 of 4"},
        {"decision_type=9", "decision_type=64", CSM_EPARSE, "decision_type 64"},
        {"threshold=0", "threshold=7", CSM_EPARSE, "threshold 7 is not one of"},
        {"cat_boundaries=0", "cat_boundaries=9", CSM_EPARSE, "cat_boundaries"},
        {"is_linear=0", "is_linear=1", CSM_EUNSUPPORTED, "linear trees"},
        {"leaf_value=", "leaf_value=x", CSM_EPARSE, "leaf_value"},
        {"num_tree_per_iteration=1", "num_tree_per_iteration=3", CSM_EPARSE, "multiple of 3"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(edits); i++)
        expect_edit("lightgbm.txt", CSM_EXCHANGE_LIGHTGBM, edits[i].from, edits[i].to, edits[i].status,
                    edits[i].message);
}

static void damaged_xgboost_json_is_refused_with_text(void **state) {
    const struct {
        const char *from, *to;
        csm_status status;
        const char *message;
    } edits[] = {
        {"{", "[", CSM_EPARSE, "not an XGBoost JSON model"},
        {"\"learner\"", "\"teacher\"", CSM_EPARSE, "no learner"},
        {"multi:softprob", "multi:magic", CSM_EUNSUPPORTED, "multi:magic"},
        {"\"gbtree\"", "\"gblinear\"", CSM_EUNSUPPORTED, "gblinear"},
        {"\"num_feature\":\"4\",\"num_target", "\"num_feature\":\"-4\",\"num_target", CSM_EPARSE,
         "num_feature"},
        {"\"num_feature\":\"4\",\"num_target", "\"num_feature\":\"3\",\"num_target", CSM_EPARSE,
         "feature_names"},
        {"\"base_score\":\"[", "\"base_score\":\"[1,", CSM_EPARSE, "base_score has 4 values"},
        {"\"left_children\":[1", "\"left_children\":[0", CSM_EPARSE, "is not its own"},
        {"\"left_children\":[1", "\"left_children\":[1.5", CSM_EPARSE, "left_children"},
        {"\"right_children\":[2", "\"right_children\":[1", CSM_EPARSE, "is not its own"},
        {"\"split_indices\":[", "\"split_indices\":[0,", CSM_EPARSE, "split_indices is not an array of"},
        {"\"categories_sizes\":[", "\"categories_sizes\":[9999,", CSM_EPARSE, "categories_sizes"},
        {"\"categories\":[", "\"categories\":[16777216,", CSM_EPARSE, "categories"},
        {"\"size_leaf_vector\":\"1\"", "\"size_leaf_vector\":\"2\"", CSM_EUNSUPPORTED, "leaves of 2 values"},
        {"\"tree_info\":[0", "\"tree_info\":[7", CSM_EPARSE, "tree_info"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(edits); i++)
        expect_edit("xgboost_multi.json", CSM_EXCHANGE_XGBOOST, edits[i].from, edits[i].to, edits[i].status,
                    edits[i].message);
    expect_edit("xgboost_dart.json", CSM_EXCHANGE_XGBOOST, "\"weight_drop\":[", "\"weight_drop\":[1,",
                CSM_EPARSE, "weight_drop");
}

static void a_wrong_format_or_model_is_refused(void **state) {
    csm_model *model;
    (void)state;
    assert_int_equal(csm_model_import(&model, FOLDER "rows.csv", CSM_EXCHANGE_ONNX), CSM_EINVAL);
    assert_int_equal(csm_model_import(&model, FOLDER "rows.csv", 99), CSM_EINVAL);
    assert_int_equal(csm_model_import(&model, FOLDER "absent", CSM_EXCHANGE_LIGHTGBM), CSM_ENOTFOUND);
    assert_int_equal(csm_model_import(&model, FOLDER "rows.csv", CSM_EXCHANGE_LIGHTGBM), CSM_EPARSE);
    assert_null(model);
    model = import_file("lightgbm.txt", CSM_EXCHANGE_LIGHTGBM);
    assert_int_equal(csm_model_export(model, "/tmp/x", CSM_EXCHANGE_XGBOOST, 0), CSM_EINVAL);
    assert_int_equal(csm_model_export(model, "/tmp/x", CSM_EXCHANGE_JSON, 5), CSM_EINVAL);
    csm_model_free(model);
}

typedef csm_status (*trial_fn)(const csm_buffer *file, const csm_model *model);

static csm_status try_lightgbm(const csm_buffer *file, const csm_model *model) {
    csm_model *read = NULL;
    csm_status status = gbt_import_lightgbm(&read, file->data, file->length);
    (void)model;
    csm_model_free(read);
    return status;
}

static csm_status try_xgboost(const csm_buffer *file, const csm_model *model) {
    csm_model *read = NULL;
    csm_status status = gbt_import_xgboost(&read, file->data, file->length);
    (void)model;
    csm_model_free(read);
    return status;
}

static csm_status try_writing(const csm_model *model,
                              csm_status (*write)(csm_buffer *, const csm_model *, size_t)) {
    csm_buffer out = {0};
    csm_status status = write(&out, model, 2);
    csm_buffer_free(&out);
    return status;
}

static csm_status try_exports(const csm_buffer *file, const csm_model *model) {
    csm_status status = try_writing(model, gbt_export_lightgbm);
    (void)file;
    if (!status) status = try_writing(model, gbt_export_onnx);
    if (!status) status = try_writing(model, gbt_export_json);
    return status ? status : try_writing(model, gbt_export_graphviz);
}

static void fail_each_allocation(trial_fn trial, const char *name, const csm_model *model) {
    csm_buffer file = {0};
    csm_status status = CSM_ENOMEM;
    if (name) {
        char *path = csm_strformat(FOLDER "%s", name);
        assert_ok(csm_file_read(&file, path, 1 << 20));
        csm_dealloc(path);
    }
    for (uint64_t n = 1; status; n++) {
        assert_true(n < 20000);
        csm_fault_allocation(n, false);
        status = trial(&file, model);
        csm_fault_allocation(0, false);
        assert_true(status == CSM_OK || status == CSM_ENOMEM);
    }
    csm_buffer_free(&file);
}

static void a_failed_allocation_leaves_nothing_behind(void **state) {
    const forest_shape shape = {.seed = 2, .features = 3, .outputs = 1, .rounds = 2, .leaves = 4};
    csm_model *model = random_forest(&shape);
    (void)state;
    fail_each_allocation(try_lightgbm, "lightgbm.txt", NULL);
    fail_each_allocation(try_xgboost, "xgboost_multi.json", NULL);
    fail_each_allocation(try_xgboost, "xgboost_dart.json", NULL);
    fail_each_allocation(try_exports, NULL, model);
    csm_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lightgbm_model_predicts_as_lightgbm_does),
        cmocka_unit_test(xgboost_models_predict_as_xgboost_does),
        cmocka_unit_test(an_imported_model_can_be_saved_and_loaded),
        cmocka_unit_test(what_is_written_for_lightgbm_reads_back_the_same),
        cmocka_unit_test(the_json_dump_tells_all_that_a_prediction_needs),
        cmocka_unit_test(the_graphviz_dump_has_a_line_for_each_node_and_edge),
        cmocka_unit_test(onnx_is_written_for_numeric_trees_and_refused_for_categories),
        cmocka_unit_test(damaged_lightgbm_text_is_refused_with_text),
        cmocka_unit_test(damaged_xgboost_json_is_refused_with_text),
        cmocka_unit_test(a_wrong_format_or_model_is_refused),
        cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
