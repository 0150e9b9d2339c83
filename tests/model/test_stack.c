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

static void the_weights_are_those_of_scipys_constrained_minimum(void **state) {
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

static void a_harmful_member_gets_nothing_and_weights_stay_on_the_simplex(void **state) {
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
        assert_true(weight[0] > 0 && weight[1] >= 0);
        assert_near(weight[0] + weight[1], 1, 1e-12);
    }
    members_free(&m);
}

static void shrinking_hard_gives_equal_weights_and_one_member_gets_all(void **state) {
    (void)state;
    members m = members_new();
    double weight[MEMBERS];
    assert_ok(csm_model_stack(weight, &m.view, m.table.column[4], NULL, m.rows, CSM_OBJECTIVE_LOGISTIC, 1e9));
    for (size_t i = 0; i < MEMBERS; i++) assert_near(weight[i], 1.0 / MEMBERS, 1e-6);
    m.view.cols = 1;
    assert_ok(csm_model_stack(weight, &m.view, m.table.column[4], NULL, m.rows, CSM_OBJECTIVE_LOGISTIC, 0));
    assert_true(weight[0] == 1);
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
    assert_near(weight[0] + weight[1] + weight[2], 1, 1e-12);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_weights_are_those_of_scipys_constrained_minimum),
        cmocka_unit_test(a_harmful_member_gets_nothing_and_weights_stay_on_the_simplex),
        cmocka_unit_test(shrinking_hard_gives_equal_weights_and_one_member_gets_all),
        cmocka_unit_test(twins_share_their_weight_when_it_shrinks),
        cmocka_unit_test(what_cannot_be_mixed_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
