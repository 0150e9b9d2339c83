/* SPDX-License-Identifier: MIT */
/* Shapley values against their definition: a sum over all subsets of features. */
#include "model/trees.h"

#include "model/explain/trees.h"

#define ROWS 70
#define SUBSETS_MAX 6 /* features of brute force */

/* ---- the games ---- */

/* Mean value of a subtree when features in S are known (Lundberg et al. 2020, algorithm 1), or with the others taken from
 * `other`. */
static double subtree(const gbt_ensemble *e, size_t n, const float *row, const float *other, unsigned known) {
    const gbt_node *node = &e->nodes[n];
    if (node->feature < 0) return node->value;
    const gbt_node *left = &e->nodes[node->left];
    bool is_known = known >> node->feature & 1;
    if (is_known || other) {
        bool goes_left = gbt_goes_left(e, node, (is_known ? row : other)[node->feature]);
        return subtree(e, (size_t)node->left + !goes_left, row, other, known);
    }
    double share = left->cover / node->cover;
    return share * subtree(e, (size_t)node->left, row, other, known) +
           (1 - share) * subtree(e, (size_t)node->left + 1, row, other, known);
}

/* Score of one output, background rows averaged; background NULL: by covers. */
static double game(const gbt_ensemble *e, uint32_t output, const float *row, const float *background,
                   size_t count, unsigned known) {
    double sum = 0;
    for (size_t b = 0; b < (background ? count : 1); b++) {
        const float *other = background ? background + b * e->features : NULL;
        for (size_t t = output; t < e->trees; t += e->outputs)
            sum += subtree(e, e->root[t], row, other, known);
    }
    return e->base[output] + sum / (background ? (double)count : 1);
}

static double factorial(unsigned n) {
    return n < 2 ? 1 : n * factorial(n - 1);
}

static double shapley(const double *value, unsigned features, unsigned i) {
    double sum = 0;
    for (unsigned s = 0; s < 1u << features; s++) {
        if (s >> i & 1) continue;
        unsigned size = (unsigned)__builtin_popcount(s);
        double weight = factorial(size) * factorial(features - size - 1) / factorial(features);
        sum += weight * (value[s | 1u << i] - value[s]);
    }
    return sum;
}

/* Half of the Shapley interaction index (Lundberg et al. 2020, eq. 3). */
static double interaction(const double *value, unsigned features, unsigned i, unsigned j) {
    unsigned both = 1u << i | 1u << j;
    double sum = 0;
    for (unsigned s = 0; s < 1u << features; s++) {
        if (s & both) continue;
        unsigned size = (unsigned)__builtin_popcount(s);
        double weight = factorial(size) * factorial(features - size - 2) / (2 * factorial(features - 1));
        sum += weight * (value[s | both] - value[s | 1u << i] - value[s | 1u << j] + value[s]);
    }
    return sum;
}

/* ---- comparisons ---- */

static csm_explainer *explainer_of(const csm_model *model, const csm_matrix *background) {
    csm_explainer_options options;
    csm_explainer *explainer;
    csm_explainer_options_init(&options);
    options.background = background;
    assert_ok(csm_explainer_new(&explainer, model, &options));
    return explainer;
}

static void compare_values(const forest_shape *shape, size_t background_rows) {
    csm_model *model = random_forest(shape);
    const gbt_ensemble *e = model->state;
    unsigned features = (unsigned)shape->features;
    float *x = random_rows(shape, ROWS), *background = background_rows ? x + 20 * features : NULL;
    csm_matrix in = csm_matrix_f32(x, ROWS, features),
               other = csm_matrix_f32(background, background_rows, features);
    size_t width = shape->outputs * (features + 1);
    double *out = calloc(ROWS * width, sizeof *out);
    csm_matrix to = csm_matrix_f64(out, ROWS, width);
    csm_explainer *explainer = explainer_of(model, background ? &other : NULL);
    assert_ok(csm_explainer_values(explainer, NULL, &in, &to));
    for (size_t r = 0; r < ROWS; r++) {
        for (uint32_t o = 0; o < shape->outputs; o++) {
            double value[1 << SUBSETS_MAX];
            for (unsigned s = 0; s < 1u << features; s++)
                value[s] = game(e, o, x + r * features, background, background_rows, s);
            for (unsigned f = 0; f <= features; f++) {
                double expected = f < features ? shapley(value, features, f) : value[0];
                double found = out[r * width + o * (features + 1) + f];
                if (!(fabs(found - expected) < 1e-11))
                    fail_msg("seed %d, row %zu, output %u, feature %u: %.15g, by subsets %.15g",
                             (int)shape->seed, r, o, f, found, expected);
            }
        }
    }
    csm_explainer_free(explainer);
    free(out);
    free(x);
    csm_model_free(model);
}

static const forest_shape shapes[] = {
    {.seed = 1, .features = 3, .outputs = 1, .rounds = 1, .leaves = 4},
    {.seed = 2, .features = 5, .outputs = 1, .rounds = 3, .leaves = 9},
    {.seed = 3, .features = 2, .outputs = 1, .rounds = 2, .leaves = 30}, /* features repeat on every path */
    {.seed = 4, .features = 6, .outputs = 2, .rounds = 2, .leaves = 40},
    {.seed = 5, .features = 4, .outputs = 1, .rounds = 3, .leaves = 12, .missing = true, .categorical = true},
    {.seed = 6, .features = 4, .outputs = 1, .rounds = 2, .leaves = 12, .grain = 0.5},
    {.seed = 7, .features = 1, .outputs = 1, .rounds = 1, .leaves = 400}, /* several columns of one feature */
    {.seed = 8, .features = 2, .outputs = 1, .rounds = 2, .leaves = 1},
};

static void path_dependent_values_are_the_shapley_values(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) compare_values(&shapes[i], 0);
}

static void interventional_values_are_the_shapley_values(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) compare_values(&shapes[i], 17);
    compare_values(&shapes[1], 1);
}

static void a_background_of_several_blocks_counts_as_a_whole(void **state) {
    const forest_shape shape = {.seed = 9, .features = 4, .outputs = 1, .rounds = 4, .leaves = 10};
    csm_model *model = random_forest(&shape);
    float *x = random_rows(&shape, 600);
    double out[3 * 5], mean = 0;
    (void)state;
    csm_matrix in = csm_matrix_f32(x, 3, 4), background = csm_matrix_f32(x, 600, 4),
               to = csm_matrix_f64(out, 3, 5);
    csm_explainer *explainer = explainer_of(model, &background);
    assert_ok(csm_explainer_values(explainer, NULL, &in, &to));
    for (size_t r = 0; r < 600; r++) mean += plain_score(model->state, 4, 0, x + 4 * r) / 600;
    for (size_t r = 0; r < 3; r++) {
        double sum = 0;
        for (size_t f = 0; f < 5; f++) sum += out[5 * r + f];
        assert_true(fabs(out[5 * r + 4] - mean) < 1e-12);
        assert_true(fabs(sum - plain_score(model->state, 4, 0, x + 4 * r)) < 1e-12);
    }
    csm_explainer_free(explainer);
    free(x);
    csm_model_free(model);
}

static void compare_interactions(const forest_shape *shape) {
    csm_model *model = random_forest(shape);
    unsigned features = (unsigned)shape->features, side = features + 1;
    float *x = random_rows(shape, ROWS);
    csm_matrix in = csm_matrix_f32(x, ROWS, features);
    double *out = calloc(ROWS * shape->outputs * side * side, sizeof *out);
    csm_matrix to = csm_matrix_f64(out, ROWS, shape->outputs * side * side);
    csm_explainer *explainer = explainer_of(model, NULL);
    assert_ok(csm_explainer_interactions(explainer, NULL, &in, &to));
    for (size_t r = 0; r < ROWS; r++) {
        for (uint32_t o = 0; o < shape->outputs; o++) {
            const double *matrix = out + (r * shape->outputs + o) * side * side;
            double value[1 << SUBSETS_MAX];
            for (unsigned s = 0; s < 1u << features; s++)
                value[s] = game(model->state, o, x + r * features, NULL, 0, s);
            for (unsigned i = 0; i < features; i++) {
                double sum = 0;
                for (unsigned j = 0; j < features; j++) {
                    sum += matrix[i * side + j];
                    if (i != j)
                        assert_true(fabs(matrix[i * side + j] - interaction(value, features, i, j)) < 1e-11);
                }
                assert_true(fabs(sum - shapley(value, features, i)) < 1e-11);
                assert_true(matrix[i * side + features] == 0 && matrix[features * side + i] == 0);
            }
            assert_true(fabs(matrix[side * side - 1] - value[0]) < 1e-11);
        }
    }
    csm_explainer_free(explainer);
    free(out);
    free(x);
    csm_model_free(model);
}

static void interactions_are_the_shapley_interaction_index(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT(shapes); i++) compare_interactions(&shapes[i]);
}

/* Wide models: paths of every length up to about 60 distinct features; contributions still add up. */
static void contributions_add_up_to_the_prediction(void **state) {
    const forest_shape wide[] = {
        {.seed = 20, .features = 110, .outputs = 1, .rounds = 20, .leaves = 63},
        {.seed = 21, .features = 300, .outputs = 3, .rounds = 2, .leaves = 255, .missing = true}};
    (void)state;
    for (size_t i = 0; i < COUNT(wide); i++) {
        csm_model *model = random_forest(&wide[i]);
        size_t features = wide[i].features, width = wide[i].outputs * (features + 1);
        float *x = random_rows(&wide[i], 300);
        double *out = calloc(300 * width, sizeof *out);
        csm_matrix in = csm_matrix_f32(x, 300, features), to = csm_matrix_f64(out, 300, width);
        csm_explainer *explainer = explainer_of(model, NULL);
        assert_ok(csm_explainer_values(explainer, NULL, &in, &to));
        for (size_t r = 0; r < 300; r++) {
            for (uint32_t o = 0; o < wide[i].outputs; o++) {
                double sum = 0;
                for (size_t f = 0; f <= features; f++) sum += out[r * width + o * (features + 1) + f];
                double score =
                    plain_score(model->state, wide[i].rounds * wide[i].outputs, o, x + r * features);
                assert_true(fabs(sum - score) < 1e-11);
            }
        }
        csm_explainer_free(explainer);
        free(out);
        free(x);
        csm_model_free(model);
    }
}

/* What the trainer leaves in nodes (covers, sides of missing values, sets) is enough to explain it. */
static void a_trained_model_is_explained(void **state) {
    dataset set = dataset_new(2000, 5, 3, 0);
    const csm_parameter parameters[] = {{"rounds", 20}, {"leaves", 15}, {"missing", 1}};
    const uint8_t categorical[5] = {0, 0, 0, 0, 1};
    csm_train_options options;
    csm_context *context = context_new(1);
    csm_model *model;
    double out[300 * 6];
    (void)state;
    plant_regression(&set, 3, 0.2);
    for (size_t i = 0; i < 2000; i++) {
        set.x[5 * i + 4] = (float)(i * 7 % 11);
        set.y[i] += i * 7 % 11 % 3 == 1;
        if (i % 9 == 0) set.x[5 * i + i % 5] = NAN;
    }
    csm_model_train_options_init(&options);
    options.parameters = parameters;
    options.parameter_count = 3;
    options.categorical = categorical;
    assert_ok(csm_model_train(&model, context, "gbt", &set.samples, &options));
    double *score = predict(model, &set);
    csm_matrix in = csm_matrix_f32(set.x, 300, 5), to = csm_matrix_f64(out, 300, 6);
    csm_explainer *explainer = explainer_of(model, NULL);
    assert_ok(csm_explainer_values(explainer, NULL, &in, &to));
    for (size_t r = 0; r < 300; r++) {
        double sum = 0;
        for (size_t f = 0; f < 6; f++) sum += out[6 * r + f];
        assert_true(fabs(sum - score[r]) < 1e-12);
    }
    csm_explainer_free(explainer);
    csm_model_free(model);
    csm_context_free(context);
    free(score);
    dataset_free(&set);
}

/* A chain in which every node has a feature of its own: the longest path a tree can have. */
static csm_model *chain(size_t length) {
    const double base = 0;
    gbt_ensemble *ensemble;
    gbt_node *nodes = calloc(2 * length + 1, sizeof *nodes);
    assert_ok(gbt_ensemble_new(&ensemble, length, 1, &base));
    for (size_t n = 0; n < length; n++) {
        nodes[2 * n] = (gbt_node){
            .feature = (int32_t)n, .left = (int32_t)(2 * n + 1), .cover = (double)(length + 1 - n)};
        nodes[2 * n + 1] = (gbt_node){.feature = -1, .value = (double)n, .cover = 1};
        nodes[2 * n + 2] = (gbt_node){.feature = -1, .value = -1, .cover = (double)(length - n)};
    }
    /* the right child of node 2n is node 2n + 2, the next one of the chain */
    assert_ok(gbt_ensemble_append(ensemble, nodes, 2 * length + 1));
    free(nodes);
    return model_of(ensemble);
}

static void long_paths_are_exact_up_to_their_limit_and_then_refused(void **state) {
    static float x[300];
    static double out[301];
    csm_explainer *explainer;
    (void)state;
    for (size_t i = 0; i < 300; i++) x[i] = i % 3 == 0 ? -1 : 1;
    x[0] = 1;
    for (size_t length = 16; length <= GBT_PATH_FEATURES; length *= 4) {
        csm_model *model = chain(length);
        csm_matrix in = csm_matrix_f32(x, 1, length), to = csm_matrix_f64(out, 1, length + 1);
        double sum = 0;
        explainer = explainer_of(model, NULL);
        assert_ok(csm_explainer_values(explainer, NULL, &in, &to));
        for (size_t f = 0; f <= length; f++) sum += out[f];
        assert_true(fabs(sum - plain_score(model->state, 1, 0, x)) < 1e-9);
        csm_explainer_free(explainer);
        csm_model_free(model);
    }
    csm_model *model = chain(GBT_PATH_FEATURES + 1);
    assert_int_equal(csm_explainer_new(&explainer, model, NULL), CSM_EUNSUPPORTED);
    assert_non_null(strstr(csm_error_message(), "257 distinct features"));
    csm_model_free(model);
    model = chain(INTERVENTIONAL_FEATURES + 1);
    csm_matrix background = csm_matrix_f32(x, 2, INTERVENTIONAL_FEATURES + 1);
    const csm_explainer_options options = {sizeof options, &background};
    assert_int_equal(csm_explainer_new(&explainer, model, &options), CSM_EUNSUPPORTED);
    csm_model_free(model);
}

static void any_instruction_set_and_number_of_threads_gives_the_same_bits(void **state) {
    const forest_shape shape = {
        .seed = 30, .features = 30, .outputs = 2, .rounds = 10, .leaves = 40, .missing = true};
    csm_model *model = random_forest(&shape);
    size_t width = 2 * 31, rows = 700;
    float *x = random_rows(&shape, rows);
    double *first = calloc(rows * width, sizeof *first), *other = calloc(rows * width, sizeof *other);
    csm_matrix in = csm_matrix_f32(x, rows, 30), to = csm_matrix_f64(first, rows, width);
    csm_explainer *explainer = explainer_of(model, NULL);
    (void)state;
    assert_ok(csm_explainer_values(explainer, NULL, &in, &to));
    to.data = other;
    for (uint32_t threads = 2; threads <= 4; threads += 2) {
        csm_context *context = context_new(threads);
        assert_ok(csm_explainer_values(explainer, context, &in, &to));
        assert_memory_equal(first, other, rows * width * sizeof *first);
        csm_context_free(context);
    }
    for (int isa = CSM_ISA_SCALAR; isa <= (int)csm_backend_isa(); isa++) {
        tree_explanation trees = {.isa = (csm_isa)isa};
        assert_ok(gbt_plan_new(&trees.plan, model->state, 20));
        assert_ok(tree_paths_make(&trees, model->state, true));
        assert_ok(tree_explain(&trees, NULL, &in, &to));
        assert_memory_equal(first, other, rows * width * sizeof *first);
        gbt_plan_free(trees.plan);
        tree_paths_free(&trees.paths);
        csm_dealloc(trees.expected);
    }
    csm_explainer_free(explainer);
    free(first);
    free(other);
    free(x);
    csm_model_free(model);
}

static void importance_is_the_mean_absolute_contribution(void **state) {
    const forest_shape shape = {.seed = 40, .features = 5, .outputs = 2, .rounds = 5, .leaves = 8};
    csm_model *model = random_forest(&shape);
    size_t rows = 5000;
    float *x = random_rows(&shape, rows);
    double *out = calloc(rows * 12, sizeof *out), found[10], splits[5] = {0}, counted[5];
    csm_matrix in = csm_matrix_f32(x, rows, 5), to = csm_matrix_f64(out, rows, 12);
    csm_explainer *explainer = explainer_of(model, NULL);
    const gbt_ensemble *ensemble = model->state;
    (void)state;
    assert_ok(csm_explainer_values(explainer, NULL, &in, &to));
    assert_ok(csm_explainer_importance(explainer, NULL, &in, found, 10));
    for (size_t c = 0; c < 10; c++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++) sum += fabs(out[12 * r + c / 5 * 6 + c % 5]);
        assert_true(fabs(found[c] - sum / (double)rows) < 1e-12);
    }
    for (size_t n = 0; n < ensemble->node_count; n++) {
        if (ensemble->nodes[n].feature >= 0) splits[ensemble->nodes[n].feature]++;
    }
    assert_ok(csm_model_split_counts(model, counted, 5));
    assert_memory_equal(splits, counted, sizeof splits);
    assert_int_equal(csm_model_split_counts(model, counted, 4), CSM_EINVAL);
    in.rows = 0;
    assert_int_equal(csm_explainer_importance(explainer, NULL, &in, found, 10), CSM_ENODATA);
    assert_int_equal(csm_explainer_importance(explainer, NULL, &in, found, 9), CSM_EINVAL);
    csm_explainer_free(explainer);
    free(out);
    free(x);
    csm_model_free(model);
}

static void what_cannot_be_explained_is_refused(void **state) {
    const forest_shape shape = {.seed = 50, .features = 3, .outputs = 1, .rounds = 2, .leaves = 4};
    csm_model *model = random_forest(&shape);
    gbt_ensemble *ensemble = model->state;
    csm_explainer *explainer;
    float x[6] = {0};
    double out[32];
    csm_matrix in = csm_matrix_f32(x, 2, 3), to = csm_matrix_f64(out, 2, 4), wide = csm_matrix_f32(x, 1, 4);
    csm_explainer_options options = {sizeof options, &wide};
    (void)state;
    assert_int_equal(csm_explainer_new(&explainer, model, &options), CSM_EINVAL);
    wide.cols = 3, wide.rows = 0;
    assert_int_equal(csm_explainer_new(&explainer, model, &options), CSM_ENODATA);
    wide.rows = 1;
    assert_ok(csm_explainer_new(&explainer, model, &options));
    to.cols = 16;
    assert_int_equal(csm_explainer_interactions(explainer, NULL, &in, &to), CSM_EUNSUPPORTED);
    assert_int_equal(csm_explainer_values(explainer, NULL, &in, &to), CSM_EINVAL);
    to.cols = 4, x[4] = NAN;
    assert_int_equal(csm_explainer_values(explainer, NULL, &in, &to), CSM_EINVAL);
    assert_non_null(strstr(csm_error_message(), "row 1, column 1"));
    csm_explainer_free(explainer);
    csm_explainer_free(NULL);
    for (size_t n = 0; n < ensemble->node_count; n++) ensemble->nodes[n].cover = 0;
    assert_int_equal(csm_explainer_new(&explainer, model, NULL), CSM_EUNSUPPORTED);
    assert_non_null(strstr(csm_error_message(), "no covers"));
    assert_ok(csm_explainer_new(&explainer, model, &options)); /* a background needs none */
    csm_explainer_free(explainer);
    csm_model_free(model);
}

static csm_status explain_all(const csm_model *model, csm_matrix *background, csm_matrix *x) {
    const csm_explainer_options options = {sizeof options, background};
    csm_explainer *explainer = NULL;
    double out[2 * 16], importance[3];
    csm_matrix to = csm_matrix_f64(out, 2, 4), pairs = csm_matrix_f64(out, 2, 16);
    csm_status status = csm_explainer_new(&explainer, model, &options);
    if (!status) status = csm_explainer_values(explainer, NULL, x, &to);
    if (!status) status = csm_explainer_importance(explainer, NULL, x, importance, 3);
    if (!status && !background) status = csm_explainer_interactions(explainer, NULL, x, &pairs);
    csm_explainer_free(explainer);
    return status;
}

static void a_failed_allocation_leaves_nothing_behind(void **state) {
    const forest_shape shape = {.seed = 60, .features = 3, .outputs = 1, .rounds = 2, .leaves = 4};
    csm_model *model = random_forest(&shape);
    float x[6] = {0};
    csm_matrix rows = csm_matrix_f32(x, 2, 3);
    (void)state;
    for (int with = 0; with < 2; with++) {
        csm_status status = CSM_ENOMEM;
        for (uint64_t n = 1; status; n++) {
            assert_true(n < 500);
            csm_fault_allocation(n, false);
            status = explain_all(model, with ? &rows : NULL, &rows);
            csm_fault_allocation(0, false);
            assert_true(status == CSM_OK || status == CSM_ENOMEM);
        }
    }
    csm_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_dependent_values_are_the_shapley_values),
        cmocka_unit_test(interventional_values_are_the_shapley_values),
        cmocka_unit_test(a_background_of_several_blocks_counts_as_a_whole),
        cmocka_unit_test(interactions_are_the_shapley_interaction_index),
        cmocka_unit_test(contributions_add_up_to_the_prediction),
        cmocka_unit_test(a_trained_model_is_explained),
        cmocka_unit_test(long_paths_are_exact_up_to_their_limit_and_then_refused),
        cmocka_unit_test(any_instruction_set_and_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(importance_is_the_mean_absolute_contribution),
        cmocka_unit_test(what_cannot_be_explained_is_refused),
        cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
