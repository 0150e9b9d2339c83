/* SPDX-License-Identifier: MIT */
#include "model/support.h"

static csm_walk_options walk_of_days(csm_time days, csm_time first_train, csm_time test, csm_time validate,
                                     csm_time horizon) {
    csm_walk_options options;
    csm_model_walk_options_init(&options);
    options.from = 100 * CSM_DAY;
    options.to = (100 + days) * CSM_DAY;
    options.first_train = first_train * CSM_DAY;
    options.test_span = test * CSM_DAY;
    options.validate_span = validate * CSM_DAY;
    options.horizon = horizon * CSM_DAY;
    return options;
}

static void folds_walk_forward_with_a_purge_before_each_next_part(void **state) {
    (void)state;
    csm_walk_options options = walk_of_days(100, 50, 20, 10, 3);
    csm_fold fold[8];
    size_t count;
    assert_ok(csm_model_walk_forward(fold, 8, &count, &options));
    assert_int_equal(count, 3);
    for (size_t k = 0; k < count; k++) {
        csm_time test = (150 + 20 * (csm_time)k) * CSM_DAY;
        assert_int_equal(fold[k].test_from, test);
        assert_int_equal(fold[k].test_to, k == 2 ? options.to : test + 20 * CSM_DAY);
        assert_int_equal(fold[k].validate_to, test - 3 * CSM_DAY);
        assert_int_equal(fold[k].validate_from, test - 13 * CSM_DAY);
        assert_int_equal(fold[k].train_to, test - 16 * CSM_DAY);
        assert_int_equal(fold[k].train_from, options.from);
    }
}

static void no_label_of_a_part_reaches_into_the_next(void **state) {
    (void)state;
    for (csm_time validate = 0; validate <= 12; validate += 6) {
        csm_walk_options options = walk_of_days(365, 120, 28, validate, 30);
        options.train_span = 60 * CSM_DAY;
        csm_fold fold[32];
        size_t count;
        assert_ok(csm_model_walk_forward(fold, 32, &count, &options));
        for (size_t k = 0; k < count; k++) {
            csm_time next = validate ? fold[k].validate_from : fold[k].test_from;
            assert_true(fold[k].train_from < fold[k].train_to);
            assert_true(fold[k].train_to - fold[k].train_from <= 60 * CSM_DAY);
            assert_true(fold[k].train_to + options.horizon <= next);
            assert_true(fold[k].validate_to + options.horizon <= fold[k].test_from);
            assert_true(fold[k].validate_to - fold[k].validate_from == validate * CSM_DAY);
            if (k) assert_true(fold[k].test_from == fold[k - 1].test_to);
        }
        assert_true(fold[count - 1].test_to == options.to);
    }
}

static void the_number_of_folds_can_be_asked_for(void **state) {
    (void)state;
    csm_walk_options options = walk_of_days(100, 50, 20, 0, 1);
    csm_fold fold[2];
    size_t count = 0;
    assert_fails(CSM_EINVAL, "3 folds", csm_model_walk_forward(NULL, 0, &count, &options));
    assert_int_equal(count, 3);
    assert_fails(CSM_EINVAL, "3 folds", csm_model_walk_forward(fold, 2, &count, &options));
    assert_int_equal(count, 3);
}

static void walks_that_cannot_be_are_refused(void **state) {
    (void)state;
    csm_fold fold[4];
    size_t count;
    csm_walk_options options = walk_of_days(100, 100, 20, 0, 1);
    assert_fails(CSM_ENODATA, "left to test", csm_model_walk_forward(fold, 4, &count, &options));
    options = walk_of_days(100, 50, 0, 0, 1);
    assert_fails(CSM_EINVAL, "test_span", csm_model_walk_forward(fold, 4, &count, &options));
    options = walk_of_days(100, 50, 20, 0, 50);
    assert_fails(CSM_EINVAL, "leaves no training", csm_model_walk_forward(fold, 4, &count, &options));
    options = walk_of_days(100, 50, 20, 10, 20);
    assert_fails(CSM_EINVAL, "leaves no training", csm_model_walk_forward(fold, 4, &count, &options));
    options = walk_of_days(0, 50, 20, 10, 20);
    assert_fails(CSM_EINVAL, "no span", csm_model_walk_forward(fold, 4, &count, &options));
    options = walk_of_days(100, 50, 20, 0, 1);
    options.from = CSM_TIME_MIN;
    options.to = CSM_TIME_MAX;
    assert_fails(CSM_EINVAL, "no span", csm_model_walk_forward(fold, 4, &count, &options));
    options = walk_of_days(100, 50, 20, 0, 1);
    options.test_span = CSM_TIME_MAX;
    assert_fails(CSM_EINVAL, "test_span", csm_model_walk_forward(fold, 4, &count, &options));
    assert_fails(CSM_EINVAL, "NULL", csm_model_walk_forward(fold, 4, NULL, &options));
}

static void purging_keeps_what_ends_by_the_limit(void **state) {
    (void)state;
    static const csm_time begin[] = {0, 10, 20, 30, 40}, end[] = {15, 25, 36, 45, 55};
    static const uint8_t expected[] = {0, 1, 1, 0, 0};
    uint8_t keep[5];
    assert_ok(csm_model_purge(keep, begin, end, 5, 10, 40, 36));
    assert_memory_equal(keep, expected, 5);
    assert_fails(CSM_EINVAL, "label 0", csm_model_purge(keep, end, begin, 5, 0, 9, 9));
    assert_fails(CSM_EINVAL, "NULL", csm_model_purge(NULL, begin, end, 5, 0, 9, 9));
    assert_ok(csm_model_purge(NULL, NULL, NULL, 0, 0, 9, 9));
}

/* Counts, hour by hour, how many labels of the coin are alive, as Lopez de Prado's snippet 4.1 and 4.2 do. */
static double uniqueness_by_hours(const csm_time *begin, const csm_time *end, const uint32_t *group, size_t n,
                                  size_t label) {
    double sum = 0, hours = 0;
    for (csm_time hour = begin[label]; hour < end[label]; hour += CSM_HOUR) {
        double alive = 0;
        for (size_t i = 0; i < n; i++) alive += group[i] == group[label] && begin[i] <= hour && hour < end[i];
        sum += 1 / alive;
        hours++;
    }
    return sum / hours;
}

static void uniqueness_equals_counting_every_hour(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        csm_time begin[60], end[60];
        uint32_t group[60];
        double out[60];
        for (size_t i = 0; i < 60; i++) {
            begin[i] = 1700000000 * CSM_SECOND + (csm_time)(100 * csm_random_uniform(seed, 1, i)) * CSM_HOUR;
            end[i] = begin[i] + (csm_time)(1 + 30 * csm_random_uniform(seed, 2, i)) * CSM_HOUR;
            group[i] = (uint32_t)(3 * csm_random_uniform(seed, 3, i));
        }
        assert_ok(csm_model_uniqueness(out, begin, end, group, 60));
        for (size_t i = 0; i < 60; i++) {
            assert_true(out[i] > 0 && out[i] <= 1);
            assert_true(fabs(out[i] - uniqueness_by_hours(begin, end, group, 60, i)) < 1e-9);
        }
    }
}

static void labels_apart_are_unique_and_copies_share(void **state) {
    (void)state;
    static const csm_time begin[] = {0, 10, 20, 20, 20}, end[] = {10, 20, 30, 30, 30};
    static const uint32_t group[] = {1, 1, 1, 1, 2};
    double out[5];
    assert_ok(csm_model_uniqueness(out, begin, end, group, 5));
    assert_true(out[0] == 1 && out[1] == 1 && out[2] == 0.5 && out[3] == 0.5 && out[4] == 1);
    assert_ok(csm_model_uniqueness(NULL, NULL, NULL, NULL, 0));
    assert_fails(CSM_EINVAL, "label 0", csm_model_uniqueness(out, end, begin, group, 5));
    csm_fault_allocation(1, false);
    assert_int_equal(csm_model_uniqueness(out, begin, end, group, 5), CSM_ENOMEM);
    csm_fault_allocation(0, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_walk_forward_with_a_purge_before_each_next_part),
        cmocka_unit_test(no_label_of_a_part_reaches_into_the_next),
        cmocka_unit_test(the_number_of_folds_can_be_asked_for),
        cmocka_unit_test(walks_that_cannot_be_are_refused),
        cmocka_unit_test(purging_keeps_what_ends_by_the_limit),
        cmocka_unit_test(uniqueness_equals_counting_every_hour),
        cmocka_unit_test(labels_apart_are_unique_and_copies_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
