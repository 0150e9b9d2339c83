/* SPDX-License-Identifier: MIT */
/* Calm and turbulent markets. The series here are made for the tests: they never enter a workspace. */
#include "../../examples/cli/report.h"

#include "core/support.h"

#include <math.h>

#define FIRST ((csm_time)18700 * CSM_DAY)
#define DAYS 500
#define COINS 8

static csm_context *context;
static double volatility[DAYS], returns[DAYS];

static bool is_wild(size_t day) {
    return day / 40 % 2 == 1;
}

static int set_up(void **state) {
    (void)state;
    for (size_t d = 0; d < DAYS; d++) {
        const double level = is_wild(d) ? -4 : -5.5;
        volatility[d] = level + 0.3 * csm_random_normal(3, 1, d);
        returns[d] = exp(level) * 5 * csm_random_normal(3, 2, d);
    }
    return csm_context_new(&context, NULL) == CSM_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    csm_context_free(context);
    return 0;
}

static regimes make(size_t days) {
    regimes r;
    assert_ok(regimes_of_days(&r, context, FIRST, volatility, returns, days));
    return r;
}

static void planted_regimes_are_told_apart(void **state) {
    (void)state;
    regimes r = make(DAYS);
    size_t right = 0, known = 0;
    for (size_t d = 0; d < DAYS; d++) {
        if (!isfinite(r.turbulent[d])) continue;
        known++;
        right += (r.turbulent[d] > 0.5) == is_wild(d);
    }
    assert_int_equal(known, DAYS - 180);
    assert_true(right > known * 95 / 100);
    regimes_free(&r);
}

static void days_that_come_later_change_no_state(void **state) {
    (void)state;
    regimes whole = make(DAYS), then = make(400);
    assert_memory_equal(whole.turbulent + 180, then.turbulent + 180, (400 - 180) * sizeof(double));
    regimes_free(&then);
    regimes_free(&whole);
}

static void a_decision_knows_the_last_day_that_had_ended(void **state) {
    (void)state;
    double turbulent[] = {NAN, 0.1, 0.9, 0.4};
    const regimes r = {.first = FIRST, .days = 4, .turbulent = turbulent};
    assert_int_equal(regime_at(&r, FIRST), -1);
    assert_int_equal(regime_at(&r, FIRST + CSM_DAY), -1); /* day 0 is not known */
    assert_int_equal(regime_at(&r, FIRST + 2 * CSM_DAY), 0);
    assert_int_equal(regime_at(&r, FIRST + 3 * CSM_DAY - CSM_HOUR), 0);
    assert_int_equal(regime_at(&r, FIRST + 3 * CSM_DAY), 1);
    assert_int_equal(regime_at(&r, FIRST + 4 * CSM_DAY), 0);
    assert_int_equal(regime_at(&r, FIRST + 5 * CSM_DAY), -1);
    assert_int_equal(regime_at(&r, FIRST - CSM_DAY), -1);
    assert_string_equal(regime_name(0), "calm");
    assert_string_equal(regime_name(1), "turbulent");
    assert_string_equal(regime_name(-1), "unknown");
}

static void days_without_trades_neither_break_nor_look_ahead(void **state) {
    (void)state;
    double holes[DAYS];
    regimes r, honest;
    memcpy(holes, volatility, sizeof holes);
    holes[0] = holes[1] = holes[250] = NAN;
    assert_ok(regimes_of_days(&r, context, FIRST, holes, returns, DAYS));
    assert_true(r.first == FIRST + 2 * CSM_DAY && r.days == DAYS - 2);
    assert_true(isfinite(r.turbulent[248]));
    regimes_free(&r);
    memcpy(holes, volatility, sizeof holes);
    for (size_t d = 300; d < DAYS; d++) holes[d] = -5; /* a market that stops moving: no failure */
    assert_ok(regimes_of_days(&honest, context, FIRST, holes, returns, DAYS));
    regimes_free(&honest);
    for (size_t d = 0; d < DAYS; d++) holes[d] = -5;
    assert_ok(regimes_of_days(&r, context, FIRST, holes, holes, DAYS));
    assert_int_equal(regime_at(&r, FIRST + 300 * CSM_DAY), -1);
    regimes_free(&r);
    assert_ok(regimes_of_days(&r, context, FIRST, holes, holes, 0));
    regimes_free(&r);
}

/* Daily rows: in turbulent days only the second member ranks, in calm ones the ensemble does. */
static csm_walk_row *make_rows(size_t n) {
    csm_walk_row *rows = calloc(n, sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < n; i++) {
        const size_t day = 180 + i / COINS;
        const bool wild = is_wild(day - 1);
        const double happened = 0.05 * csm_random_normal(4, 1, i), noise = csm_random_normal(4, 2, i);
        rows[i] = (csm_walk_row){.time = FIRST + (csm_time)day * CSM_DAY,
                                 .matures = FIRST + (csm_time)(day + 1) * CSM_DAY,
                                 .probability = i % COINS == 0 && wild ? 0.9 : 0.4,
                                 .expected_return = wild ? noise : happened + 0.02 * noise,
                                 .momentum = 0,
                                 .log_return = happened,
                                 .market = (uint32_t)(i % COINS),
                                 .rises = happened > 0,
                                 .show = i % COINS == 0 && wild ? 0 : CSM_REASON_MASK(PROBABILITY_LOW)};
        rows[i].member_return[0] = noise;
        rows[i].member_return[1] = happened + 0.01 * noise;
    }
    return rows;
}

static void slices_hold_each_prediction_once_and_name_a_member_that_is_ahead(void **state) {
    (void)state;
    const size_t n = (size_t)(DAYS - 180) * COINS;
    regimes r = make(DAYS);
    csm_walk_row *rows = make_rows(n);
    csm_horizon_training t = {.horizon = CSM_DAY, .walk_rows = n, .members = 2};
    regime_slice slices[REGIMES];
    markup m = {0};
    snprintf(t.member[0].name, sizeof t.member[0].name, "noise");
    snprintf(t.member[1].name, sizeof t.member[1].name, "seer");
    assert_ok(regime_slices(slices, context, &r, &t, rows));
    assert_int_equal(slices[0].model.rows + slices[1].model.rows + COINS, n); /* day 179 is not known */
    assert_true(slices[0].model.rank_ic.value > 0.7);
    assert_true(slices[1].model.rank_ic.value < 0.3);
    assert_int_equal(slices[1].ahead, 1);
    assert_int_equal(slices[1].members, 2);
    assert_true(slices[1].issued > 100 && slices[1].precision > 0.3 && slices[1].precision < 0.7);
    assert_true(slices[0].issued < 20);
    report_regimes(&m, &t, slices, "24h");
    assert_false(m.failed);
    assert_non_null(strstr(m.text, "turbulent"));
    assert_non_null(strstr(m.text, "<b>seer</b> is above"));
    markup_free(&m);
    t.walk_rows = 0;
    assert_ok(regime_slices(slices, context, &r, &t, NULL));
    assert_int_equal(slices[0].model.rows, 0);
    report_regimes(&m, &t, slices, "24h");
    assert_null(m.text);
    free(rows);
    regimes_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_regimes_are_told_apart),
        cmocka_unit_test(days_that_come_later_change_no_state),
        cmocka_unit_test(a_decision_knows_the_last_day_that_had_ended),
        cmocka_unit_test(days_without_trades_neither_break_nor_look_ahead),
        cmocka_unit_test(slices_hold_each_prediction_once_and_name_a_member_that_is_ahead),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
