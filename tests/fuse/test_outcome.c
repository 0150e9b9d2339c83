/* SPDX-License-Identifier: MIT */
/* Every state of an outcome, on bars drawn by hand. Letters, an hour each: T traded, n nobody traded, - missing. */
#include "fuse/series.h"

#include "fuse/targets.h"

#define START SERIES_START

static csm_time hour(size_t i) {
    return START + (csm_time)i * CSM_HOUR;
}

/* The decision is at hour 0; bar i opens at 100 + i and closes at 100.5 + i. */
static csm_target outcome(const char *drawing, csm_time horizon, csm_time as_of, csm_time delisted,
                          double cost) {
    csm_time time[64];
    double open[64], high[64], low[64], close[64], volume[64];
    uint8_t state[64];
    size_t n = 0;
    for (size_t i = 0; drawing[i]; i++) {
        if (drawing[i] == '-') continue;
        const bool traded = drawing[i] == 'T';
        time[n] = hour(i);
        state[n] = traded ? CSM_BAR_TRADED : CSM_BAR_NO_TRADE;
        open[n] = traded ? 100 + (double)i : (double)NAN;
        close[n] = traded ? 100.5 + (double)i : (double)NAN;
        high[n] = close[n];
        low[n] = open[n];
        volume[n++] = traded ? 1 : 0;
    }
    const csm_bars bars = {.length = n,
                           .interval = CSM_HOUR,
                           .time = time,
                           .open = open,
                           .high = high,
                           .low = low,
                           .close = close,
                           .volume = volume,
                           .state = state};
    csm_target target;
    assert_int_equal(csm_target_of(&target, &bars, START, horizon, as_of, delisted, cost), CSM_OK);
    assert_true(target.matures == START + horizon);
    assert_true(target.cost == cost);
    if (target.state != CSM_TARGET_KNOWN) assert_true(isnan(target.log_return) && target.rises == 0);
    return target;
}

static csm_target listed(const char *drawing, size_t hours, double cost) {
    return outcome(drawing, (csm_time)hours * CSM_HOUR, CSM_TIME_MAX, CSM_TIME_MAX, cost);
}

static void check_known(csm_target t, size_t entry, size_t exit, bool rises) {
    assert_int_equal(t.state, CSM_TARGET_KNOWN);
    assert_true(t.entry_time == hour(entry) && t.entry == 100 + (double)entry);
    assert_true(t.exit_time == hour(exit + 1) && t.exit == 100.5 + (double)exit);
    assert_true(fabs(t.log_return - log(t.exit / t.entry)) < 1e-15);
    assert_int_equal(t.rises, rises);
}

static void entry_is_the_next_open_and_exit_the_last_close(void **state) {
    (void)state;
    check_known(listed("TTTTTTTT", 1, 0.001), 0, 0, true);
    check_known(listed("TTTTTTTT", 4, 0.001), 0, 3, true);
    check_known(listed("TTTTTTTT", 4, 0.5), 0, 3, false);
}

static void the_event_is_strictly_more_than_the_cost(void **state) {
    (void)state;
    const double move = csm_log(103.5 / 100);
    check_known(listed("TTTTTTTT", 4, move), 0, 3, false);
    check_known(listed("TTTTTTTT", 4, nextafter(move, 0)), 0, 3, true);
}

static void idle_bars_delay_entry_and_age_the_exit(void **state) {
    (void)state;
    check_known(listed("nnTTTTTT", 8, 0), 2, 7, true);
    check_known(listed("TTTnnnnn", 8, 0), 0, 2, true);
    check_known(listed("nnnnnnTTTTTT", 12, 0), 6, 11, true); /* six hours: still within the limit */
    check_known(listed("TTTTTTnnnnnn", 12, 0), 0, 5, true);
}

static void prices_past_the_age_limit_are_not_executable(void **state) {
    (void)state;
    assert_int_equal(listed("nnnnnnnTTTTT", 12, 0).state, CSM_TARGET_NO_ENTRY);
    assert_int_equal(listed("TTTTTnnnnnnn", 12, 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(listed("nnTT", 2, 0).state,
                     CSM_TARGET_NO_ENTRY); /* the first trade is past the horizon */
}

static void a_gap_at_either_end_makes_the_label_unknown(void **state) {
    (void)state;
    assert_int_equal(listed("-TTTTTTT", 4, 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(listed("n-TTTTTT", 4, 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(listed("TTT-TTTT", 4, 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(listed("TTn-TTTT", 4, 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(listed("T-n", 3, 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(listed("TTT", 4, 0).state, CSM_TARGET_UNKNOWN); /* the data ends too early */
    assert_int_equal(listed("", 4, 0).state, CSM_TARGET_UNKNOWN);
    check_known(listed("T--TTTTT", 8, 0), 0, 7, true); /* a gap between them takes nothing away */
}

static void an_outcome_is_pending_until_its_end_is_past(void **state) {
    (void)state;
    const csm_target early = outcome("TTTT", 4 * CSM_HOUR, hour(4) - 1, CSM_TIME_MAX, 0);
    assert_int_equal(early.state, CSM_TARGET_PENDING);
    assert_true(early.entry == 100 && isnan(early.exit));
    check_known(outcome("TTTT", 4 * CSM_HOUR, hour(4), CSM_TIME_MAX, 0), 0, 3, true);
    assert_int_equal(outcome("", 4 * CSM_HOUR, hour(0), CSM_TIME_MAX, 0).state, CSM_TARGET_PENDING);
}

static void delisting_inside_the_horizon_is_no_rise_at_the_last_price(void **state) {
    (void)state;
    check_known(outcome("TTTT", 8 * CSM_HOUR, CSM_TIME_MAX, hour(6), 0), 0, 3, false);
    check_known(outcome("TTT-n", 8 * CSM_HOUR, CSM_TIME_MAX, hour(8), 0), 0, 2, false);
    /* not known yet at as_of, or after the horizon: an ordinary gap */
    assert_int_equal(outcome("TTTT", 8 * CSM_HOUR, hour(8), hour(8) + 1, 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(outcome("TTTT", 8 * CSM_HOUR, CSM_TIME_MAX, hour(9), 0).state, CSM_TARGET_UNKNOWN);
    assert_int_equal(outcome("TTTT", 8 * CSM_HOUR, hour(7), hour(6), 0).state, CSM_TARGET_PENDING);
    assert_int_equal(outcome("", 8 * CSM_HOUR, CSM_TIME_MAX, hour(6), 0).state, CSM_TARGET_NO_ENTRY);
    assert_int_equal(outcome("TTTT", 8 * CSM_HOUR, CSM_TIME_MAX, hour(0), 0).state, CSM_TARGET_NO_ENTRY);
}

static void horizons_are_whole_intervals(void **state) {
    (void)state;
    assert_int_equal(csm_target_check(CSM_HOUR, 24 * CSM_HOUR), CSM_OK);
    assert_int_equal(csm_target_check(CSM_HOUR, 90 * CSM_MINUTE), CSM_EINVAL);
    assert_int_equal(csm_target_check(CSM_HOUR, 0), CSM_EINVAL);
    assert_int_equal(csm_target_check(CSM_HOUR, CSM_TIME_MAX), CSM_EINVAL);
    assert_int_equal(csm_target_check(0, CSM_HOUR), CSM_EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entry_is_the_next_open_and_exit_the_last_close),
        cmocka_unit_test(the_event_is_strictly_more_than_the_cost),
        cmocka_unit_test(idle_bars_delay_entry_and_age_the_exit),
        cmocka_unit_test(prices_past_the_age_limit_are_not_executable),
        cmocka_unit_test(a_gap_at_either_end_makes_the_label_unknown),
        cmocka_unit_test(an_outcome_is_pending_until_its_end_is_past),
        cmocka_unit_test(delisting_inside_the_horizon_is_no_rise_at_the_last_price),
        cmocka_unit_test(horizons_are_whole_intervals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
