/* SPDX-License-Identifier: MIT */
/* When an alert is raised, when it ends, and when it may wake somebody. */
#include "rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

static const rule above = {.name = "a", .fact = "clock.skew", .direction = RULE_ABOVE, .clear = 0.5};
static const rule below = {
    .name = "b", .fact = "disk.free", .direction = RULE_BELOW, .clear = 1.2, .wait = true};

static void hysteresis_keeps_a_value_on_the_edge_from_flapping(void **state) {
    (void)state;
    csm_time since = CSM_TIME_MIN;
    assert_int_equal(rule_judge(&above, 5, 5.0, false, 0, 0, &since), RULE_QUIET);
    assert_int_equal(rule_judge(&above, 5, 5.1, false, 0, 0, &since), RULE_RAISE);
    assert_int_equal(rule_judge(&above, 5, 4.9, true, 1, 0, &since), RULE_QUIET);
    assert_int_equal(rule_judge(&above, 5, 2.6, true, 2, 0, &since), RULE_QUIET);
    assert_int_equal(rule_judge(&above, 5, 2.5, true, 3, 0, &since), RULE_CLEAR);
}

static void a_condition_that_can_wait_must_hold(void **state) {
    (void)state;
    csm_time since = CSM_TIME_MIN;
    assert_int_equal(rule_judge(&below, 0.1, 0.09, false, 100, 50, &since), RULE_WAITING);
    assert_int_equal(rule_judge(&below, 0.1, 0.09, false, 149, 50, &since), RULE_WAITING);
    assert_int_equal(rule_judge(&below, 0.1, 0.11, false, 149, 50, &since), RULE_QUIET);
    assert_int_equal(rule_judge(&below, 0.1, 0.09, false, 160, 50, &since), RULE_WAITING);
    assert_int_equal(rule_judge(&below, 0.1, 0.09, false, 210, 50, &since), RULE_RAISE);
    assert_int_equal(rule_judge(&below, 0.1, 0.11, true, 220, 50, &since), RULE_QUIET);
    assert_int_equal(rule_judge(&below, 0.1, 0.13, true, 220, 50, &since), RULE_CLEAR);
}

static void what_is_not_known_raises_and_clears_nothing(void **state) {
    (void)state;
    csm_time since = CSM_TIME_MIN;
    assert_int_equal(rule_judge(&above, 5, (double)NAN, false, 0, 0, &since), RULE_QUIET);
    assert_int_equal(rule_judge(&above, 5, (double)NAN, true, 0, 0, &since), RULE_QUIET);
}

static void a_threshold_of_zero_is_cleared_by_zero(void **state) {
    (void)state;
    const rule zero = {.direction = RULE_ABOVE, .clear = 1};
    csm_time since = CSM_TIME_MIN;
    assert_int_equal(rule_judge(&zero, 0, 1, false, 0, 0, &since), RULE_RAISE);
    assert_int_equal(rule_judge(&zero, 0, 1, true, 0, 0, &since), RULE_QUIET);
    assert_int_equal(rule_judge(&zero, 0, 0, true, 0, 0, &since), RULE_CLEAR);
}

static void a_star_gives_each_subject_an_alert_of_its_own(void **state) {
    (void)state;
    const rule star = {.fact = "source.latched.*"};
    const char *subject = NULL;
    assert_true(rule_matches(&star, "source.latched.kraken.ohlc", &subject));
    assert_string_equal(subject, "kraken.ohlc");
    assert_false(rule_matches(&star, "source.trouble.kraken.ohlc", &subject));
    assert_true(rule_matches(&above, "clock.skew", &subject));
    assert_string_equal(subject, "");
    assert_false(rule_matches(&above, "clock.skewed", &subject));
}

static void every_rule_clears_on_the_good_side_of_its_threshold(void **state) {
    (void)state;
    for (size_t i = 0; i < rules_count(); i++) {
        const rule *r = rules_at(i);
        if (r->direction == RULE_BELOW)
            assert_true(r->clear >= 1);
        else
            assert_true(r->clear <= 1 && r->clear > 0);
    }
}

static void quiet_hours_may_span_midnight(void **state) {
    (void)state;
    csm_time day = 19000 * CSM_DAY, from = 22 * CSM_HOUR, to = 7 * CSM_HOUR;
    assert_int_equal(quiet_until(day + 21 * CSM_HOUR, from, to), day + 21 * CSM_HOUR);
    assert_int_equal(quiet_until(day + 22 * CSM_HOUR, from, to), day + CSM_DAY + to);
    assert_int_equal(quiet_until(day + CSM_HOUR, from, to), day + to);
    assert_int_equal(quiet_until(day + to, from, to), day + to);
    assert_int_equal(quiet_until(day + 13 * CSM_HOUR, 12 * CSM_HOUR, 14 * CSM_HOUR), day + 14 * CSM_HOUR);
    assert_int_equal(quiet_until(day + 14 * CSM_HOUR, 12 * CSM_HOUR, 14 * CSM_HOUR), day + 14 * CSM_HOUR);
    assert_int_equal(quiet_until(day + 5, 0, 0), day + 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hysteresis_keeps_a_value_on_the_edge_from_flapping),
        cmocka_unit_test(a_condition_that_can_wait_must_hold),
        cmocka_unit_test(what_is_not_known_raises_and_clears_nothing),
        cmocka_unit_test(a_threshold_of_zero_is_cleared_by_zero),
        cmocka_unit_test(a_star_gives_each_subject_an_alert_of_its_own),
        cmocka_unit_test(every_rule_clears_on_the_good_side_of_its_threshold),
        cmocka_unit_test(quiet_hours_may_span_midnight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
