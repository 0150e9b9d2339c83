/* SPDX-License-Identifier: MIT */
#include "core/support.h"

#include <cryptosmart/model.h>

#include "core/internal.h"

#include <math.h>

enum { N = 300, GROUPS = 6, TESTS = 2, COMBINATIONS = 15 };

typedef struct labels {
    csm_time begin[N];
    csm_time end[N];
} labels;

/* Decisions of three coins every four hours, in no order, labels of 30 hours but some that end early. */
static labels make_labels(void) {
    labels l;
    for (size_t i = 0; i < N; i++) {
        size_t place = i * 7 % N;
        l.begin[i] = (csm_time)(place / 3) * 4 * CSM_HOUR;
        l.end[i] = l.begin[i] + (i % 11 == 0 ? 3 : 30) * CSM_HOUR;
    }
    return l;
}

/* ---- against the definition ---- */

static void no_training_label_touches_a_tested_one(void **state) {
    (void)state;
    labels l = make_labels();
    uint8_t part[N];
    for (uint64_t c = 0; c < COMBINATIONS; c++) {
        for (csm_time embargo = 0; embargo <= 20 * CSM_HOUR; embargo += 10 * CSM_HOUR) {
            size_t train = 0;
            assert_ok(csm_model_combinatorial(part, l.begin, l.end, N, GROUPS, TESTS, c, embargo));
            for (size_t i = 0; i < N; i++) {
                train += part[i] == CSM_PART_TRAIN;
                for (size_t k = 0; k < N && part[i] == CSM_PART_TRAIN; k++) {
                    if (part[k] != CSM_PART_TEST) continue;
                    assert_false(l.begin[i] < l.end[k] && l.end[i] > l.begin[k]);
                    assert_false(l.begin[i] >= l.end[k] && l.begin[i] < l.end[k] + embargo);
                }
            }
            assert_true(train >= N / 5); /* no more is lost than the spans beside the tested groups */
        }
    }
}

static void a_row_far_from_every_tested_group_trains(void **state) {
    (void)state;
    labels l = make_labels();
    uint8_t part[N];
    for (uint64_t c = 0; c < COMBINATIONS; c++) {
        assert_ok(csm_model_combinatorial(part, l.begin, l.end, N, GROUPS, TESTS, c, 0));
        for (size_t i = 0; i < N; i++) {
            csm_time nearest = CSM_TIME_MAX;
            for (size_t k = 0; k < N; k++) {
                csm_time distance =
                    l.begin[k] > l.begin[i] ? l.begin[k] - l.begin[i] : l.begin[i] - l.begin[k];
                if (part[k] == CSM_PART_TEST && distance < nearest) nearest = distance;
            }
            if (nearest >= 30 * CSM_HOUR) assert_int_equal(part[i], CSM_PART_TRAIN);
        }
    }
}

static void every_row_is_tested_equally_often_and_rows_of_one_decision_together(void **state) {
    (void)state;
    labels l = make_labels();
    size_t tested[N] = {0};
    uint8_t part[COMBINATIONS][N];
    uint64_t count;
    assert_ok(csm_model_combinations(&count, GROUPS, TESTS));
    assert_int_equal(count, COMBINATIONS);
    for (uint64_t c = 0; c < COMBINATIONS; c++) {
        assert_ok(csm_model_combinatorial(part[c], l.begin, l.end, N, GROUPS, TESTS, c, 0));
        for (size_t i = 0; i < N; i++) {
            tested[i] += part[c][i] == CSM_PART_TEST;
            for (size_t k = 0; k < N; k++)
                if (l.begin[i] == l.begin[k])
                    assert_true((part[c][i] == CSM_PART_TEST) == (part[c][k] == CSM_PART_TEST));
        }
        for (uint64_t earlier = 0; earlier < c; earlier++)
            assert_true(memcmp(part[earlier], part[c], N) != 0);
    }
    for (size_t i = 0; i < N; i++) assert_int_equal(tested[i], 5); /* 4 + 3 + 2 + 1 of 5 choose 1 */
}

static void more_groups_than_decisions_leave_some_empty(void **state) {
    (void)state;
    static const csm_time begin[] = {1, 1, 2, 2}, end[] = {2, 2, 3, 3};
    uint8_t part[4];
    size_t tested = 0;
    uint64_t count;
    assert_ok(csm_model_combinations(&count, 4, 1));
    for (uint64_t c = 0; c < count; c++) {
        assert_ok(csm_model_combinatorial(part, begin, end, 4, 4, 1, c, 0));
        for (size_t i = 0; i < 4; i++) tested += part[i] == CSM_PART_TEST;
    }
    assert_int_equal(tested, 4);
    assert_ok(csm_model_combinations(&count, 32, 16));
    assert_int_equal(count, 601080390);
}

static void wrong_input_is_named(void **state) {
    (void)state;
    static const csm_time begin[] = {1, 2}, end[] = {2, 1};
    uint8_t part[2];
    uint64_t count;
    assert_fails(CSM_EINVAL, "33 groups", csm_model_combinations(&count, 33, 2));
    assert_fails(CSM_EINVAL, "4 of 4", csm_model_combinations(&count, 4, 4));
    assert_fails(CSM_EINVAL, "NULL", csm_model_combinations(NULL, 4, 2));
    assert_fails(CSM_EINVAL, "0 of 4", csm_model_combinatorial(part, begin, begin, 2, 4, 0, 0, 0));
    assert_fails(CSM_EINVAL, "combination 4 of 4",
                 csm_model_combinatorial(part, begin, begin, 2, 4, 1, 4, 0));
    assert_fails(CSM_EINVAL, "embargo of -1", csm_model_combinatorial(part, begin, begin, 2, 4, 1, 0, -1));
    assert_fails(CSM_EINVAL, "label 1 ends", csm_model_combinatorial(part, begin, end, 2, 4, 1, 0, 0));
    assert_fails(CSM_EINVAL, "0 rows", csm_model_combinatorial(part, begin, end, 0, 4, 1, 0, 0));
    csm_fault_allocation(1, false);
    assert_int_equal(csm_model_combinatorial(part, begin, begin, 2, 4, 1, 0, 0), CSM_ENOMEM);
    csm_fault_allocation(0, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_training_label_touches_a_tested_one),
        cmocka_unit_test(a_row_far_from_every_tested_group_trains),
        cmocka_unit_test(every_row_is_tested_equally_often_and_rows_of_one_decision_together),
        cmocka_unit_test(more_groups_than_decisions_leave_some_empty),
        cmocka_unit_test(wrong_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
