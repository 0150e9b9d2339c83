/* SPDX-License-Identifier: MIT */
#include "core/support.h"

#include <cryptosmart/rank.h>

#include <math.h>

#define COINS 12

/* Four horizons that all point up, and nothing that stands against the coin. */
static csm_forecast good_coin(const char *market, double expected_return, double probability) {
    static const csm_time horizons[] = {CSM_HOUR, CSM_DAY, 7 * CSM_DAY, 30 * CSM_DAY};
    csm_forecast forecast = {.horizon_count = 4};
    snprintf(forecast.coin, sizeof forecast.coin, "%s", market);
    snprintf(forecast.market, sizeof forecast.market, "kraken:%s/USD", market);
    for (size_t h = 0; h < 4; h++)
        forecast.horizons[h] = (csm_horizon_forecast){.horizon = horizons[h],
                                                      .expected_return = expected_return,
                                                      .probability = probability,
                                                      .lower = NAN,
                                                      .cost = 0.005,
                                                      .evidence = CSM_EVIDENCE_CONSISTENT};
    forecast.gate =
        (csm_gate_input){.traded_value = 1e7, .history = 20 * CSM_WEEK, .live = 13 * CSM_WEEK, .matured = 1};
    return forecast;
}

static csm_ranking *rank(const csm_forecast *forecasts, size_t n, const csm_rank_options *options) {
    csm_ranking *ranking;
    assert_ok(csm_rank_build(&ranking, forecasts, n, options));
    return ranking;
}

static void assert_shown(const csm_ranking *ranking, const char *const *coins, size_t n) {
    assert_int_equal(csm_ranking_count(ranking), n);
    for (size_t i = 0; i < n; i++) assert_string_equal(csm_ranking_at(ranking, i)->coin, coins[i]);
    assert_null(csm_ranking_at(ranking, n));
}

/* The funnel loses nobody, whatever stands against whom. */
static void assert_funnel_adds_up(const csm_ranking *ranking, size_t passing) {
    size_t left = csm_ranking_total(ranking);
    for (size_t i = 0; i < csm_ranking_funnel_count(ranking); i++) {
        const csm_funnel_step *step = csm_ranking_funnel_at(ranking, i);
        assert_true(step->fell <= step->failed);
        left -= step->fell;
        assert_int_equal(step->left, left);
    }
    assert_int_equal(left, passing);
    assert_null(csm_ranking_funnel_at(ranking, csm_ranking_funnel_count(ranking)));
}

static void the_highest_expected_return_comes_first(void **state) {
    (void)state;
    const csm_forecast coins[] = {good_coin("A", 0.05, 0.9), good_coin("B", 0.20, 0.81),
                                  good_coin("C", 0.10, 0.85)};
    static const char *const expected[] = {"B", "C", "A"};
    csm_ranking *ranking = rank(coins, 3, NULL);
    assert_shown(ranking, expected, 3);
    assert_funnel_adds_up(ranking, 3);
    csm_ranking_free(ranking);
}

static void ties_fall_to_probability_then_name_then_input_order(void **state) {
    (void)state;
    const csm_forecast coins[] = {good_coin("D", 0.1, 0.85), good_coin("B", 0.1, 0.85),
                                  good_coin("C", 0.1, 0.95)};
    static const char *const expected[] = {"C", "B", "D"};
    csm_ranking *ranking = rank(coins, 3, NULL);
    assert_shown(ranking, expected, 3);
    csm_ranking_free(ranking);
    csm_forecast twins[] = {good_coin("T", 0.1, 0.85), good_coin("T", 0.1, 0.85)};
    twins[0].price = 1;
    twins[1].price = 2;
    ranking = rank(twins, 2, NULL);
    assert_true(csm_ranking_at(ranking, 0)->price == 1 && csm_ranking_at(ranking, 1)->price == 2);
    csm_ranking_free(ranking);
}

static void only_the_horizon_of_the_gate_decides(void **state) {
    (void)state;
    csm_forecast coin = good_coin("A", 0.05, 0.85);
    csm_rank_options options;
    csm_rank_options_init(&options);
    coin.horizons[1].probability = 0.6; /* 24h */
    csm_ranking *ranking = rank(&coin, 1, &options);
    assert_int_equal(csm_ranking_count(ranking), 1);
    assert_true(csm_ranking_at(ranking, 0)->trade == 0);
    csm_ranking_free(ranking);
    options.horizon = CSM_DAY;
    ranking = rank(&coin, 1, &options);
    assert_int_equal(csm_ranking_count(ranking), 0);
    assert_true(csm_ranking_all_at(ranking, 0)->show == CSM_REASON_MASK(PROBABILITY_LOW));
    csm_ranking_free(ranking);
}

static void a_horizon_without_a_forecast_has_no_model(void **state) {
    (void)state;
    csm_forecast coins[] = {good_coin("A", 0.05, 0.85), good_coin("B", 0.05, 0.85),
                            good_coin("C", 0.05, 0.85)};
    coins[0].horizons[3].probability = NAN;
    coins[1].horizon_count = 3;
    coins[2].horizons[3].expected_return = NAN;
    csm_ranking *ranking = rank(coins, 3, NULL);
    assert_int_equal(csm_ranking_count(ranking), 0);
    for (size_t i = 0; i < 3; i++)
        assert_true(csm_ranking_all_at(ranking, i)->show == CSM_REASON_MASK(NO_MODEL));
    csm_ranking_free(ranking);
}

static void agreement_counts_horizons_that_point_up(void **state) {
    (void)state;
    csm_forecast coin = good_coin("A", 0.05, 0.85);
    coin.horizons[0].probability = 0.49;
    coin.horizons[2].expected_return = -0.01;
    csm_ranking *ranking = rank(&coin, 1, NULL);
    const csm_forecast *row = csm_ranking_at(ranking, 0);
    assert_int_equal(row->agreement, 2);
    assert_int_equal(row->gate.agreement, 0);
    assert_true(row->show == 0 && row->trade == CSM_REASON_MASK(NO_CONSENSUS));
    csm_ranking_free(ranking);
    csm_rank_options options;
    csm_rank_options_init(&options);
    options.gate.require_consensus = 1;
    ranking = rank(&coin, 1, &options);
    assert_int_equal(csm_ranking_count(ranking), 0);
    const csm_funnel_step *last = csm_ranking_funnel_at(ranking, csm_ranking_funnel_count(ranking) - 1);
    assert_int_equal(last->reason, CSM_REASON_NO_CONSENSUS);
    assert_int_equal(last->fell, 1);
    csm_ranking_free(ranking);
}

static void the_funnel_counts_each_coin_where_it_falls_first(void **state) {
    (void)state;
    csm_forecast coins[6];
    for (size_t i = 0; i < 6; i++) coins[i] = good_coin("A", 0.05, 0.85);
    coins[0].gate.data = CSM_REASON_MASK(STALE) | CSM_REASON_MASK(GAPS);
    coins[1].gate.data = CSM_REASON_MASK(STALE);
    coins[1].horizons[3].probability = 0.1;
    coins[2].gate.traded_value = NAN;
    coins[2].gate.history = 0;
    coins[3].horizons[3].evidence = CSM_EVIDENCE_REVOKED;
    coins[4].horizons[3].probability = 0.5;
    coins[4].horizons[3].expected_return = 0.001;
    static const struct {
        uint32_t reason;
        size_t fell, failed, left;
    } expected[] = {{CSM_REASON_GAPS, 1, 1, 5},          {CSM_REASON_STALE, 1, 2, 4},
                    {CSM_REASON_NO_MODEL, 0, 0, 4},      {CSM_REASON_NOT_CALIBRATED, 0, 0, 4},
                    {CSM_REASON_HISTORY_CLOCK, 1, 1, 3}, {CSM_REASON_ILLIQUID, 0, 1, 3},
                    {CSM_REASON_DRIFT_ALARM, 0, 0, 3},   {CSM_REASON_EVIDENCE_REVOKED, 1, 1, 2},
                    {CSM_REASON_EVIDENCE_LOW, 0, 0, 2},  {CSM_REASON_PROBABILITY_LOW, 1, 2, 1},
                    {CSM_REASON_RETURN_LOW, 0, 1, 1}};
    csm_ranking *ranking = rank(coins, 6, NULL);
    assert_int_equal(csm_ranking_funnel_count(ranking), sizeof expected / sizeof *expected);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const csm_funnel_step *step = csm_ranking_funnel_at(ranking, i);
        assert_int_equal(step->reason, expected[i].reason);
        assert_int_equal(step->fell, expected[i].fell);
        assert_int_equal(step->failed, expected[i].failed);
        assert_int_equal(step->left, expected[i].left);
    }
    assert_funnel_adds_up(ranking, 1);
    csm_ranking_free(ranking);
}

static void random_forecasts_never_break_the_funnel_or_the_gate(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        csm_forecast coins[COINS];
        size_t passing = 0;
        for (size_t i = 0; i < COINS; i++) {
            coins[i] = good_coin("A", 0.05 * csm_random_normal(seed, 1, i), csm_random_uniform(seed, 2, i));
            if (csm_random_uniform(seed, 3, i) < 0.3)
                coins[i].gate.data = csm_random_u64(seed, 4, i) & csm_random_u64(seed, 5, i);
            coins[i].gate.drift = csm_random_uniform(seed, 6, i) < 0.1;
            coins[i].horizons[3].evidence = (uint32_t)(4 * csm_random_uniform(seed, 7, i));
        }
        csm_rank_options options;
        csm_rank_options_init(&options);
        options.gate.require_consensus = seed % 2;
        csm_ranking *ranking = rank(coins, COINS, &options);
        for (size_t i = 0; i < COINS; i++) {
            const csm_forecast *row = csm_ranking_all_at(ranking, i);
            passing += row->show == 0;
            if (row->show == 0) assert_true(row->horizons[3].probability >= 0.80 && row->gate.data == 0);
        }
        assert_funnel_adds_up(ranking, passing);
        assert_int_equal(csm_ranking_count(ranking), passing);
        csm_ranking_free(ranking);
    }
}

static void a_limit_shortens_the_table_but_not_the_funnel(void **state) {
    (void)state;
    const csm_forecast coins[] = {good_coin("A", 0.05, 0.9), good_coin("B", 0.20, 0.81),
                                  good_coin("C", 0.10, 0.85)};
    static const char *const expected[] = {"B", "C"};
    csm_rank_options options;
    csm_rank_options_init(&options);
    options.limit = 2;
    csm_ranking *ranking = rank(coins, 3, &options);
    assert_shown(ranking, expected, 2);
    assert_funnel_adds_up(ranking, 3);
    assert_int_equal(csm_ranking_total(ranking), 3);
    csm_ranking_free(ranking);
}

static void an_empty_table_is_a_normal_result(void **state) {
    (void)state;
    csm_forecast coin = good_coin("A", 0.05, 0.5);
    csm_ranking *ranking = rank(&coin, 1, NULL);
    assert_int_equal(csm_ranking_count(ranking), 0);
    assert_null(csm_ranking_at(ranking, 0));
    assert_string_equal(csm_ranking_all_at(ranking, 0)->coin, "A");
    csm_ranking_free(ranking);
    ranking = rank(NULL, 0, NULL);
    assert_int_equal(csm_ranking_total(ranking), 0);
    assert_funnel_adds_up(ranking, 0);
    assert_null(csm_ranking_all_at(ranking, 0));
    csm_ranking_free(ranking);
    csm_ranking_free(NULL);
    assert_int_equal(csm_ranking_count(NULL), 0);
}

static void wrong_input_is_named(void **state) {
    (void)state;
    csm_forecast coins[] = {good_coin("A", 0.05, 0.9), good_coin("B", 0.05, 0.9)};
    csm_ranking *ranking = NULL;
    csm_rank_options options;
    csm_rank_options_init(&options);
    options.gate.threshold = 0.5;
    assert_fails(CSM_EINVAL, "threshold 0.5", csm_rank_build(&ranking, NULL, 0, &options));
    csm_rank_options_init(&options);
    options.horizon = 0;
    assert_fails(CSM_EINVAL, "horizon 0", csm_rank_build(&ranking, coins, 2, &options));
    coins[1].horizon_count = CSM_HORIZONS_MAX + 1;
    assert_fails(CSM_EINVAL, "forecast 1 (kraken:B/USD) has 9 horizons",
                 csm_rank_build(&ranking, coins, 2, NULL));
    coins[1].horizon_count = 4;
    coins[1].horizons[3].probability = 2;
    assert_fails(CSM_EINVAL, "forecast 1 (kraken:B/USD)", csm_rank_build(&ranking, coins, 2, NULL));
    coins[1].horizons[3].probability = 0.9;
    memset(coins[1].market, 'x', sizeof coins[1].market);
    assert_fails(CSM_EINVAL, "forecast 1 is not terminated", csm_rank_build(&ranking, coins, 2, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_rank_build(&ranking, NULL, 2, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_rank_build(NULL, coins, 2, NULL));
    assert_null(ranking);
}

static void every_failed_allocation_ends_in_an_error(void **state) {
    (void)state;
    const csm_forecast coin = good_coin("A", 0.05, 0.9);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status; n++) {
        csm_ranking *ranking = NULL;
        csm_fault_allocation(n, false);
        status = csm_rank_build(&ranking, &coin, 1, NULL);
        csm_fault_allocation(0, false);
        if (status) assert_int_equal(status, CSM_ENOMEM);
        csm_ranking_free(ranking);
        assert_true(n < 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_expected_return_comes_first),
        cmocka_unit_test(ties_fall_to_probability_then_name_then_input_order),
        cmocka_unit_test(only_the_horizon_of_the_gate_decides),
        cmocka_unit_test(a_horizon_without_a_forecast_has_no_model),
        cmocka_unit_test(agreement_counts_horizons_that_point_up),
        cmocka_unit_test(the_funnel_counts_each_coin_where_it_falls_first),
        cmocka_unit_test(random_forecasts_never_break_the_funnel_or_the_gate),
        cmocka_unit_test(a_limit_shortens_the_table_but_not_the_funnel),
        cmocka_unit_test(an_empty_table_is_a_normal_result),
        cmocka_unit_test(wrong_input_is_named),
        cmocka_unit_test(every_failed_allocation_ends_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
