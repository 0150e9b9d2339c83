/* SPDX-License-Identifier: MIT */
#include "core/support.h"

#include <cryptosmart/calibrate.h>

#include <math.h>

/* Nothing stands against this coin. */
static csm_gate_input good_coin(void) {
    return (csm_gate_input){.probability = 0.85,
                            .expected_return = 0.10,
                            .cost = 0.01,
                            .traded_value = 1e6,
                            .history = 12 * CSM_WEEK,
                            .live = 12 * CSM_WEEK,
                            .matured = 1,
                            .evidence = CSM_EVIDENCE_CONSISTENT,
                            .agreement = 1};
}

static csm_reason shown_against(const csm_gate_input *input, const csm_gate_options *options) {
    csm_reason show, trade;
    assert_ok(csm_calibrate_gate(&show, &trade, input, options));
    return show;
}

static csm_reason trade_against(const csm_gate_input *input) {
    csm_reason show, trade;
    assert_ok(csm_calibrate_gate(&show, &trade, input, NULL));
    return trade;
}

static void a_coin_that_meets_every_condition_passes(void **state) {
    (void)state;
    csm_gate_input input = good_coin();
    assert_true(shown_against(&input, NULL) == 0);
    assert_true(trade_against(&input) == 0);
}

/* Changes one thing and expects exactly one reason. */
#define FAILS_ALONE(member, value, name)                                                                     \
    do {                                                                                                     \
        csm_gate_input changed = good_coin();                                                                \
        changed.member = (value);                                                                            \
        assert_true(shown_against(&changed, NULL) == CSM_REASON_MASK(name));                                 \
    } while (0)

static void each_condition_fails_alone_with_its_own_reason(void **state) {
    (void)state;
    FAILS_ALONE(probability, 0.7999999, PROBABILITY_LOW);
    FAILS_ALONE(probability, NAN, NO_MODEL);
    FAILS_ALONE(expected_return, NAN, NO_MODEL);
    FAILS_ALONE(expected_return, 0.01, RETURN_LOW);
    FAILS_ALONE(expected_return, -0.1, RETURN_LOW);
    FAILS_ALONE(cost, NAN, RETURN_LOW);
    FAILS_ALONE(history, 12 * CSM_WEEK - 1, HISTORY_CLOCK);
    FAILS_ALONE(matured, 0, NOT_CALIBRATED);
    FAILS_ALONE(evidence, CSM_EVIDENCE_REVOKED, EVIDENCE_REVOKED);
    FAILS_ALONE(drift, 1, DRIFT_ALARM);
    FAILS_ALONE(traded_value, 99999, ILLIQUID);
    FAILS_ALONE(traded_value, NAN, ILLIQUID);
    FAILS_ALONE(traded_value, 0, ILLIQUID);
    FAILS_ALONE(data, CSM_REASON_MASK(STALE), STALE);
}

static void values_at_the_limit_pass(void **state) {
    (void)state;
    csm_gate_input input = good_coin();
    input.probability = 0.80;
    input.traded_value = 100000;
    assert_true(shown_against(&input, NULL) == 0);
}

static void unproven_evidence_is_shown_unless_more_is_demanded(void **state) {
    (void)state;
    csm_gate_options options;
    csm_gate_input input = good_coin();
    csm_calibrate_gate_options_init(&options);
    input.evidence = CSM_EVIDENCE_UNPROVEN;
    assert_true(shown_against(&input, &options) == 0);
    options.minimum_evidence = CSM_EVIDENCE_CONSISTENT;
    assert_true(shown_against(&input, &options) == CSM_REASON_MASK(EVIDENCE_LOW));
    input.evidence = CSM_EVIDENCE_CONSISTENT;
    assert_true(shown_against(&input, &options) == 0);
    options.minimum_evidence = CSM_EVIDENCE_CERTIFIED;
    assert_true(shown_against(&input, &options) == CSM_REASON_MASK(EVIDENCE_LOW));
}

static void a_trade_needs_the_live_clock_and_all_horizons(void **state) {
    (void)state;
    csm_gate_input input = good_coin();
    input.live = 12 * CSM_WEEK - 1;
    assert_true(trade_against(&input) == CSM_REASON_MASK(LIVE_CLOCK));
    assert_true(shown_against(&input, NULL) == 0);
    input.agreement = 0;
    assert_true(trade_against(&input) == (CSM_REASON_MASK(LIVE_CLOCK) | CSM_REASON_MASK(NO_CONSENSUS)));
    assert_true(shown_against(&input, NULL) == 0);
    csm_gate_options options;
    csm_calibrate_gate_options_init(&options);
    options.require_consensus = 1;
    assert_true(shown_against(&input, &options) == CSM_REASON_MASK(NO_CONSENSUS));
}

static void every_reason_is_named_at_once(void **state) {
    (void)state;
    csm_gate_input input = {.probability = 0.1,
                            .expected_return = -1,
                            .traded_value = NAN,
                            .evidence = CSM_EVIDENCE_REVOKED,
                            .drift = 1,
                            .data = CSM_REASON_MASK(GAPS)};
    assert_true(shown_against(&input, NULL) ==
                (CSM_REASON_MASK(GAPS) | CSM_REASON_MASK(NOT_CALIBRATED) | CSM_REASON_MASK(HISTORY_CLOCK) |
                 CSM_REASON_MASK(ILLIQUID) | CSM_REASON_MASK(DRIFT_ALARM) |
                 CSM_REASON_MASK(EVIDENCE_REVOKED) | CSM_REASON_MASK(PROBABILITY_LOW) |
                 CSM_REASON_MASK(RETURN_LOW)));
}

static void the_gate_cannot_be_configured_below_its_least(void **state) {
    (void)state;
    csm_gate_input input = good_coin();
    csm_gate_options options;
    csm_reason show, trade;
    csm_calibrate_gate_options_init(&options);
    options.threshold = 0.79;
    assert_fails(CSM_EINVAL, "threshold 0.79", csm_calibrate_gate(&show, &trade, &input, &options));
    options.threshold = NAN;
    assert_fails(CSM_EINVAL, "threshold", csm_calibrate_gate(&show, &trade, &input, &options));
    csm_calibrate_gate_options_init(&options);
    options.history_needed = 11 * CSM_WEEK;
    assert_fails(CSM_EINVAL, "11.00 weeks", csm_calibrate_gate(&show, &trade, &input, &options));
    csm_calibrate_gate_options_init(&options);
    options.notional = 0;
    assert_fails(CSM_EINVAL, "notional", csm_calibrate_gate(&show, &trade, &input, &options));
    csm_calibrate_gate_options_init(&options);
    options.participation = 1.5;
    assert_fails(CSM_EINVAL, "participation", csm_calibrate_gate(&show, &trade, &input, &options));
    csm_calibrate_gate_options_init(&options);
    options.minimum_evidence = CSM_EVIDENCE_REVOKED;
    assert_fails(CSM_EINVAL, "minimum_evidence", csm_calibrate_gate(&show, &trade, &input, &options));
    input.evidence = 4;
    assert_fails(CSM_EINVAL, "evidence 4", csm_calibrate_gate(&show, &trade, &input, NULL));
    input = good_coin();
    input.probability = 1.01;
    assert_fails(CSM_EINVAL, "probability 1.01", csm_calibrate_gate(&show, &trade, &input, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_calibrate_gate(NULL, &trade, &input, NULL));
}

static void a_stricter_gate_is_obeyed(void **state) {
    (void)state;
    csm_gate_options options;
    csm_gate_input input = good_coin();
    csm_calibrate_gate_options_init(&options);
    options.threshold = 0.9;
    options.history_needed = 26 * CSM_WEEK;
    options.notional = 20000;
    assert_true(
        shown_against(&input, &options) ==
        (CSM_REASON_MASK(PROBABILITY_LOW) | CSM_REASON_MASK(HISTORY_CLOCK) | CSM_REASON_MASK(ILLIQUID)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_coin_that_meets_every_condition_passes),
        cmocka_unit_test(each_condition_fails_alone_with_its_own_reason),
        cmocka_unit_test(values_at_the_limit_pass),
        cmocka_unit_test(unproven_evidence_is_shown_unless_more_is_demanded),
        cmocka_unit_test(a_trade_needs_the_live_clock_and_all_horizons),
        cmocka_unit_test(every_reason_is_named_at_once),
        cmocka_unit_test(the_gate_cannot_be_configured_below_its_least),
        cmocka_unit_test(a_stricter_gate_is_obeyed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
