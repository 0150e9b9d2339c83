/* SPDX-License-Identifier: MIT */
#include "model/support.h"

#include "core/golden.h"

#define MEMBERS 3

typedef struct members {
    golden table;
    size_t rows;
    double *prediction; /* (rows, MEMBERS) */
    csm_matrix view;
} members;

static members members_new(void) {
    members m = {.table = golden_read_from("model", "stack.txt", 6)};
    m.rows = m.table.rows;
    m.prediction = calloc(m.rows * MEMBERS, sizeof(double));
    for (size_t r = 0; r < m.rows; r++) {
        for (size_t i = 0; i < MEMBERS; i++) m.prediction[r * MEMBERS + i] = m.table.column[i][r];
    }
    m.view = csm_matrix_f64(m.prediction, m.rows, MEMBERS);
    return m;
}

static void members_free(members *m) {
    golden_free(&m->table);
    free(m->prediction);
}

static void the_weights_are_those_of_scipys_bounded_minimum(void **state) {
    (void)state;
    members m = members_new();
    golden expected = golden_read_from("model", "stack_expected.txt", 6);
    for (size_t e = 0; e < expected.rows; e++) {
        bool logistic = expected.column[0][e] > 0;
        double weight[MEMBERS];
        assert_ok(csm_model_stack(weight, &m.view, m.table.column[logistic ? 4 : 3], m.table.column[5],
                                  m.rows, logistic ? CSM_OBJECTIVE_LOGISTIC : CSM_OBJECTIVE_SQUARED,
                                  expected.column[1][e]));
        for (size_t i = 0; i < MEMBERS; i++) assert_near(weight[i], expected.column[2 + i][e], 1e-5);
    }
    golden_free(&expected);
    members_free(&m);
}

static void a_harmful_member_gets_nothing_and_cautious_ones_more_than_one(void **state) {
    (void)state;
    members m = members_new();
    double weight[MEMBERS];
    /* the first two are too cautious: nothing is gained by mixing in their contrary */
    for (size_t r = 0; r < m.rows; r++) {
        double *f = m.prediction + r * MEMBERS;
        f[2] = -f[0];
        f[0] *= 0.2;
        f[1] *= 0.2;
    }
    const uint32_t objectives[] = {CSM_OBJECTIVE_SQUARED, CSM_OBJECTIVE_LOGISTIC};
    for (size_t o = 0; o < 2; o++) {
        assert_ok(
            csm_model_stack(weight, &m.view, m.table.column[o ? 4 : 3], NULL, m.rows, objectives[o], 0));
        assert_true(weight[2] == 0);
        assert_true(weight[0] > 0.5 && weight[1] > 0.5 && weight[0] + weight[1] > 2);
    }
    members_free(&m);
}

static void shrinking_hard_gives_equal_weights_and_one_member_its_own_slope(void **state) {
    (void)state;
    members m = members_new();
    double weight[MEMBERS];
    assert_ok(csm_model_stack(weight, &m.view, m.table.column[4], NULL, m.rows, CSM_OBJECTIVE_LOGISTIC, 1e9));
    for (size_t i = 0; i < MEMBERS; i++) assert_near(weight[i], 1.0 / MEMBERS, 1e-6);
    m.view.cols = 1;
    assert_ok(csm_model_stack(weight, &m.view, m.table.column[4], NULL, m.rows, CSM_OBJECTIVE_LOGISTIC, 0));
    assert_true(weight[0] > 0.1 && weight[0] < 2);
    m.view.data = m.prediction + 2; /* noise: next to nothing */
    assert_ok(csm_model_stack(weight, &m.view, m.table.column[4], NULL, m.rows, CSM_OBJECTIVE_LOGISTIC, 0));
    assert_true(weight[0] < 0.3);
    members_free(&m);
}

static void twins_share_their_weight_when_it_shrinks(void **state) {
    (void)state;
    members m = members_new();
    double weight[MEMBERS];
    for (size_t r = 0; r < m.rows; r++) m.prediction[r * MEMBERS + 1] = m.prediction[r * MEMBERS];
    assert_ok(csm_model_stack(weight, &m.view, m.table.column[3], NULL, m.rows, CSM_OBJECTIVE_SQUARED, 1e-3));
    assert_near(weight[0], weight[1], 1e-9);
    assert_ok(csm_model_stack(weight, &m.view, m.table.column[3], NULL, m.rows, CSM_OBJECTIVE_SQUARED, 0));
    assert_true(weight[0] + weight[1] > 0.4);
    members_free(&m);
}

static void what_cannot_be_mixed_is_named(void **state) {
    (void)state;
    members m = members_new();
    double weight[MEMBERS];
    double *y = m.table.column[3];
    assert_fails(CSM_EINVAL, "NULL", csm_model_stack(NULL, &m.view, y, NULL, m.rows, 0, 0));
    assert_fails(CSM_ENODATA, "no out-of-fold", csm_model_stack(weight, &m.view, y, NULL, 0, 0, 0));
    assert_fails(CSM_EINVAL, "objective 2", csm_model_stack(weight, &m.view, y, NULL, m.rows, 2, 0));
    assert_fails(CSM_EINVAL, "shrink", csm_model_stack(weight, &m.view, y, NULL, m.rows, 0, -1));
    assert_fails(CSM_EINVAL,
                 "y =", csm_model_stack(weight, &m.view, y, NULL, m.rows, CSM_OBJECTIVE_LOGISTIC, 0));
    assert_fails(CSM_EINVAL, "expected 7 x 1..8", csm_model_stack(weight, &m.view, y, NULL, 7, 0, 0));
    m.prediction[5 * MEMBERS + 1] = NAN;
    assert_fails(CSM_EINVAL, "row 5, member 1", csm_model_stack(weight, &m.view, y, NULL, m.rows, 0, 0));
    m.prediction[5 * MEMBERS + 1] = 0;
    double *none = calloc(m.rows, sizeof *none);
    assert_fails(CSM_ENODATA, "sum is 0", csm_model_stack(weight, &m.view, y, none, m.rows, 0, 0));
    none[3] = -1;
    assert_fails(CSM_EINVAL, "weight -1 of row 3", csm_model_stack(weight, &m.view, y, none, m.rows, 0, 0));
    free(none);
    members_free(&m);
}

/* ---- a planted signal that no member sees whole ---- */

#define HOURS 6000
#define WINDOW 6

/* The row decides through |x0|, which a line cannot see, and the hour three before through x1, which rows do not hold. */
static void plant(dataset *set) {
    for (size_t i = 0; i < set->rows; i++) {
        const double row = fabs((double)set->x[2 * i]) - 0.67;
        const double before = i >= 3 ? (double)set->x[2 * (i - 3) + 1] : 0;
        set->y[i] = csm_random_uniform(9, 3, i) < 1 / (1 + exp(-2 * row - 2 * before)) ? 1 : 0;
    }
}

static csm_samples part_of(const dataset *set, const int64_t *ends, size_t begin, size_t end, bool windows) {
    csm_samples samples = {.length = end - begin};
    samples.y = csm_matrix_f64(set->y + begin, end - begin, 1);
    samples.x =
        windows ? csm_matrix_f32(set->x, set->rows, 2) : csm_matrix_f32(set->x + 2 * begin, end - begin, 2);
    if (windows) samples.window_end = ends + begin;
    if (windows) samples.window_length = WINDOW;
    return samples;
}

static double log_loss(const double *score, const double *y, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += log1p(exp(y[i] > 0 ? -score[i] : score[i]));
    return sum / (double)n;
}

/* Trained on the first half, weighed on the next quarter, judged on the last. */
static void on_a_planted_signal_the_stack_beats_its_best_member(void **state) {
    (void)state;
    static const char *const learners[MEMBERS] = {"gbt", "lstm", "linear"};
    const csm_parameter small[MEMBERS][2] = {{{"rounds", 60}, {"leaves", 8}},
                                             {{"learning_rate", 0.01}, {"epochs", 25}},
                                             {{"l2", 0.01}, {"iterations", 50}}};
    enum { HALF = HOURS / 2, QUARTER = HOURS / 4 };
    dataset set = dataset_new(HOURS, 2, 9, 0);
    int64_t *ends = calloc(HOURS, sizeof *ends);
    double *prediction = calloc(HALF * MEMBERS, sizeof *prediction), *alone = calloc(HALF, sizeof *alone);
    double weight[MEMBERS], best = INFINITY;
    csm_context *context = context_new(2);
    plant(&set);
    for (size_t i = 0; i < HOURS; i++) ends[i] = (int64_t)i;
    for (size_t m = 0; m < MEMBERS; m++) {
        const bool windows = csm_model_learner_find(learners[m])->sequences;
        const csm_samples learn = part_of(&set, ends, WINDOW, HALF, windows),
                          check = part_of(&set, ends, HALF, HOURS, windows);
        csm_train_options options;
        csm_model *model = NULL;
        csm_matrix view = csm_matrix_f64(alone, HALF, 1);
        csm_model_train_options_init(&options);
        options.objective = CSM_OBJECTIVE_LOGISTIC;
        options.parameters = small[m];
        options.parameter_count = 2;
        assert_ok(csm_model_train(&model, context, learners[m], &learn, &options));
        assert_ok(csm_model_predict(model, context, &check, &view));
        for (size_t i = 0; i < HALF; i++) prediction[i * MEMBERS + m] = alone[i];
        const double loss = log_loss(alone + QUARTER, set.y + HALF + QUARTER, QUARTER);
        if (loss < best) best = loss;
        csm_model_free(model);
    }
    const csm_matrix earlier = csm_matrix_f64(prediction, QUARTER, MEMBERS);
    assert_ok(csm_model_stack(weight, &earlier, set.y + HALF, NULL, QUARTER, CSM_OBJECTIVE_LOGISTIC, 1e-3));
    for (size_t i = 0; i < HALF; i++) {
        alone[i] = 0;
        for (size_t m = 0; m < MEMBERS; m++) alone[i] += weight[m] * prediction[i * MEMBERS + m];
    }
    assert_true(log_loss(alone + QUARTER, set.y + HALF + QUARTER, QUARTER) < best - 0.003);
    assert_true(weight[0] > 0.1 && weight[1] > 0.1);
    csm_context_free(context);
    free(alone);
    free(prediction);
    free(ends);
    dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weights_are_those_of_scipys_bounded_minimum),
        cmocka_unit_test(a_harmful_member_gets_nothing_and_cautious_ones_more_than_one),
        cmocka_unit_test(shrinking_hard_gives_equal_weights_and_one_member_its_own_slope),
        cmocka_unit_test(twins_share_their_weight_when_it_shrinks),
        cmocka_unit_test(what_cannot_be_mixed_is_named),
        cmocka_unit_test(on_a_planted_signal_the_stack_beats_its_best_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
