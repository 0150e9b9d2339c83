/* SPDX-License-Identifier: MIT */
/* Skill or luck, and what evaluate draws over time. The series here are made for the tests: they never enter a workspace. */
#include "../../examples/cli/report.h"

#include "core/support.h"

#include <math.h>

#define H CSM_DAY
#define COINS 20

static csm_context *context;

static void assert_near(double a, double b, double tolerance) {
    assert_true(fabs(a - b) <= tolerance);
}

static int set_up(void **state) {
    (void)state;
    return csm_context_new(&context, NULL) == CSM_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    csm_context_free(context);
    return 0;
}

static csm_walk_row row_of(csm_time time, uint32_t market, double probability, double expected,
                           double momentum, double log_return) {
    return (csm_walk_row){.time = time,
                          .matures = time + H,
                          .probability = probability,
                          .expected_return = expected,
                          .low = NAN,
                          .high = NAN,
                          .log_return = log_return,
                          .cost = 0.01,
                          .momentum = momentum,
                          .show = probability < 0.80 ? CSM_REASON_MASK(PROBABILITY_LOW) : 0,
                          .market = market,
                          .rises = log_return > 0.01};
}

static csm_horizon_training training_of(size_t rows, size_t members) {
    csm_horizon_training t = {.horizon = H, .walk_rows = rows, .members = members};
    for (size_t m = 0; m < members; m++)
        snprintf(t.member[m].name, sizeof t.member[m].name, "m%u", (unsigned)(m % 100));
    return t;
}

static double noise(uint64_t stream, uint64_t i) {
    return csm_random_uniform(7, stream, i) - 0.5;
}

/* Days of 20 coins: noise, and `edge` more for the two coins that the first member ranks highest; momentum and the second member rank by
 * noise of their own. The market falls as often as it rises. */
static csm_walk_row *make_rows(size_t days, double edge) {
    csm_walk_row *rows = calloc(days * COINS, sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < days * COINS; i++) {
        const size_t day = i / COINS, coin = i % COINS;
        const bool chosen = (coin + day) % 10 == 0;
        const double market = 0.02 * noise(1, day),
                     happened = market + 0.05 * noise(2, i) + (chosen ? edge : 0);
        rows[i] = row_of((csm_time)day * H, (uint32_t)coin, chosen ? 0.9 : 0.2 + 0.1 * noise(3, i),
                         chosen ? 1 : noise(4, i), noise(5, i), happened);
        rows[i].member_return[0] = rows[i].expected_return;
        rows[i].member_return[1] = noise(6, i);
    }
    return rows;
}

static void a_planted_edge_is_skill_over_momentum_market_and_base_rate(void **state) {
    (void)state;
    enum { DAYS = 400 };
    csm_walk_row *rows = make_rows(DAYS, 0.05);
    const csm_horizon_training t = training_of((size_t)DAYS * COINS, 2);
    skill s;
    assert_ok(skill_make(&s, context, &t, rows, 10));
    assert_int_equal(s.strategies, 4);
    assert_string_equal(s.strategy[0].name, "ensemble");
    assert_string_equal(s.strategy[3].name, "momentum");
    assert_int_equal(s.blocks, DAYS);
    assert_int_equal(s.silent, 0);
    assert_true(s.issued.rows == DAYS && s.issued.deflated > 0.99);
    assert_true(s.issued.deflated <= s.issued.probabilistic);
    assert_near(s.strategy[0].top, s.issued.mean, 1e-12); /* here both hold the same two coins */
    assert_near(s.strategy[0].top - s.strategy[0].top_doubled, 0.01, 1e-12);
    assert_true(s.over_base.consistent < 0.05);
    assert_true(s.over_momentum.consistent < 0.05 && s.over_market.consistent < 0.05);
    assert_int_equal(s.parts, 16);
    assert_near(s.overfitting.probability, 0, 0);
    free(rows);
}

static void without_an_edge_nothing_is_superior(void **state) {
    (void)state;
    enum { DAYS = 400 };
    csm_walk_row *rows = make_rows(DAYS, 0);
    const csm_horizon_training t = training_of((size_t)DAYS * COINS, 2);
    skill s;
    assert_ok(skill_make(&s, context, &t, rows, 10));
    assert_true(s.issued.deflated < 0.05); /* the costs are certain */
    assert_true(s.over_base.consistent > 0.5);
    assert_true(s.over_market.consistent > 0.5);
    assert_true(s.over_momentum.consistent > 0.05);
    assert_true(s.drawdown < -1); /* 400 days at 1 % */
    free(rows);
}

static void coins_with_equal_expectations_share_their_places(void **state) {
    (void)state;
    /* 20 coins, two places: one coin stands above, nineteen are tied behind it */
    csm_walk_row rows[COINS];
    double rest = 0;
    for (uint32_t c = 0; c < COINS; c++) {
        const double happened = 0.001 * (double)(c * c);
        rows[c] = row_of(0, c, 0.3, c == 7 ? 2 : 1, -(double)c, happened);
        if (c != 7) rest += happened / 19;
    }
    const csm_horizon_training t = training_of(COINS, 1);
    skill s;
    assert_ok(skill_make(&s, context, &t, rows, 0));
    assert_int_equal(s.strategies, 2); /* one member is the ensemble */
    assert_near(s.strategy[0].top, (0.049 + rest) / 2 - 0.01, 1e-12);
    assert_near(s.strategy[1].top, (0.000 + 0.001) / 2 - 0.01, 1e-12); /* momentum: coins 0 and 1 */
}

static void spread_precision_and_turnover_are_those_of_the_tenths(void **state) {
    (void)state;
    /* 20 coins on three dates: coins 0 and 1 on top, then 1 and 2, then all tied; the two with the highest number are lowest */
    enum { DATES = 3 };
    csm_walk_row rows[DATES * COINS];
    for (size_t i = 0; i < DATES * COINS; i++) {
        const size_t date = i / COINS, coin = i % COINS;
        const bool top = coin == date || coin == date + 1;
        rows[i] = row_of((csm_time)date * H, (uint32_t)coin, 0.3,
                         date == 2 ? 1
                         : top     ? 100
                                   : -(double)coin,
                         -1,
                         coin == 1           ? 0.10
                         : coin >= COINS - 2 ? -0.04
                                             : 0);
    }
    const csm_horizon_training t = training_of(DATES * COINS, 1);
    skill s;
    assert_ok(skill_make(&s, context, &t, rows, 0));
    const double all = (0.10 - 0.08) / COINS; /* where all are tied */
    assert_near(s.strategy[0].spread, (2 * (0.05 + 0.04 - 0.02) + (0 - 0.02)) / 3, 1e-12);
    assert_near(s.strategy[0].top, (2 * 0.05 + all) / 3 - 0.01, 1e-12);
    assert_near(s.strategy[0].precision, (0.5 + 0.5 + 1.0 / COINS) / 3, 1e-12);
    assert_near(s.base_rate, 1.0 / COINS, 1e-12);
    /* one of two is new, then eighteen of twenty that hold a twentieth each */
    assert_near(s.strategy[0].turnover, (0.5 + 18.0 / COINS) / 2, 1e-12);
    assert_near(s.strategy[1].turnover, 0, 1e-12);
}

static void blocks_are_means_of_dates_and_empty_dates_are_nothing(void **state) {
    (void)state;
    /* two decisions a block: the first issues one call of +5 % net, the second none */
    enum { BLOCKS = 20 };
    csm_walk_row rows[4 * BLOCKS];
    for (size_t d = 0; d < 2 * BLOCKS; d++) {
        const bool issues = d % 2 == 0;
        const csm_time time = (csm_time)d * H / 2;
        rows[2 * d] = row_of(time, 0, issues ? 0.95 : 0.1, 1, 1, 0.06 + (d < 4 ? 0.02 : 0));
        rows[2 * d + 1] = row_of(time, 1, 0.1, 0, 0, -0.02);
    }
    const csm_horizon_training t = training_of(4 * BLOCKS, 1);
    skill s;
    assert_ok(skill_make(&s, context, &t, rows, 1));
    assert_int_equal(s.dates, 2 * BLOCKS);
    assert_int_equal(s.silent, BLOCKS);
    assert_int_equal(s.blocks, BLOCKS);
    assert_near(s.issued.mean, (18 * 0.05 + 2 * 0.07) / 2 / BLOCKS, 1e-12);
    assert_near(s.market, (36 * 0.02 + 4 * 0.03) / 40, 1e-12);
}

static void the_base_rate_knows_matured_outcomes_alone(void **state) {
    (void)state;
    /* Outcomes alternate by day. A forecast that is the matured share gains nothing anywhere: no test can be made. */
    enum { DAYS = 40 };
    csm_walk_row rows[2 * DAYS];
    double rises = 0;
    for (size_t d = 0; d < DAYS; d++) {
        /* matured by day d: decisions of days before d */
        const double share = d ? rises / (2 * (double)d) : 0.5;
        for (size_t c = 0; c < 2; c++)
            rows[2 * d + c] =
                row_of((csm_time)d * H, (uint32_t)c, share, (double)c, 1, (d + c) % 3 == 0 ? 0.1 : -0.1);
        for (size_t c = 0; c < 2; c++) rises += rows[2 * d + c].rises;
    }
    const csm_horizon_training t = training_of(2 * DAYS, 1);
    skill s;
    assert_ok(skill_make(&s, context, &t, rows, 1));
    assert_true(isnan(s.over_base.consistent));
    for (size_t i = 0; i < 2 * DAYS; i++)
        rows[i].probability = rows[i].rises ? 0.7 : 0.1; /* sees the future */
    assert_ok(skill_make(&s, context, &t, rows, 1));
    assert_true(s.over_base.consistent < 0.01);
}

static void a_short_record_is_not_judged(void **state) {
    (void)state;
    csm_walk_row *rows = make_rows(7, 0.05);
    csm_horizon_training t = training_of(7 * COINS, 2);
    skill s;
    assert_ok(skill_make(&s, context, &t, rows, 1));
    assert_int_equal(s.parts, 0);
    assert_true(isnan(s.over_base.consistent) && isnan(s.over_momentum.consistent));
    for (size_t i = 0; i < 7 * COINS; i++) rows[i].probability = NAN;
    assert_ok(skill_make(&s, context, &t, rows, 1));
    assert_int_equal(s.blocks, 0);
    assert_int_equal(s.issued.rows, 0);
    t.walk_rows = 0;
    assert_ok(skill_make(&s, context, &t, NULL, 1));
    assert_true(s.blocks == 0 && isnan(s.drawdown));
    free(rows);
}

static void rank_ic_is_a_mean_over_dates_of_a_period(void **state) {
    (void)state;
    /* 40 days from 1 January 1970: perfect order in January, the same expectation for all in February */
    enum { DAYS = 40 };
    csm_walk_row rows[3 * DAYS];
    for (size_t d = 0; d < DAYS; d++) {
        for (size_t c = 0; c < 3; c++)
            rows[3 * d + c] = row_of((csm_time)d * H, (uint32_t)c, 0.5, d < 31 ? (double)c : 1, -(double)c,
                                     0.01 * (double)c);
    }
    ic_period *periods = NULL;
    size_t count = 0;
    assert_ok(ic_periods(&periods, &count, rows, 3 * DAYS));
    assert_int_equal(count, 2);
    assert_int_equal(periods[0].dates, 31);
    assert_near(periods[0].model, 1, 1e-12);
    assert_near(periods[0].momentum, -1, 1e-12);
    assert_int_equal(periods[1].dates, 9);
    assert_near(periods[1].model, 0, 0);
    assert_true(periods[1].from == 31 * H && periods[1].to == 39 * H);
    free(periods);
}

static void a_drawdown_is_the_deepest_fall_below_the_highest(void **state) {
    (void)state;
    /* +20 %, -50 %, nothing, +10 %, net of 1 % costs */
    const double happened[] = {log(1.2), log(0.5), 5, log(1.1)};
    csm_walk_row rows[4];
    walk_date *dates = NULL;
    size_t count = 0;
    for (size_t d = 0; d < 4; d++)
        rows[d] = row_of((csm_time)d * H, 0, d == 2 ? 0.5 : 0.9, 1, 1, happened[d] + 0.01);
    assert_ok(walk_dates(&dates, &count, rows, 4));
    assert_near(issued_drawdown(dates, count, H), log(0.5), 1e-12);
    assert_true(isnan(issued_drawdown(dates + 2, 1, H)));
    free(dates);
}

static void the_plots_over_time_and_the_section_are_drawn(void **state) {
    (void)state;
    enum { DAYS = 200 };
    csm_walk_row *rows = make_rows(DAYS, 0.02);
    const csm_horizon_training t = training_of((size_t)DAYS * COINS, 2);
    skill s;
    walk_date *dates = NULL;
    size_t count = 0;
    markup m = {0};
    assert_ok(skill_make(&s, context, &t, rows, 3));
    assert_ok(walk_dates(&dates, &count, rows, t.walk_rows));
    report_skill(&m, &t, &s, "24h");
    assert_ok(plot_rank_ic(&m, rows, t.walk_rows, "24h"));
    plot_drawdown(&m, &t, dates, count, "24h");
    assert_false(m.failed);
    assert_non_null(strstr(m.text, "Skill or luck"));
    assert_non_null(strstr(m.text, "3 trials"));
    assert_non_null(strstr(m.text, "id=\"rank-ic-24h"));
    assert_non_null(strstr(m.text, "id=\"drawdown-24h"));
    assert_null(strstr(m.text, "nan"));
    markup_free(&m);
    free(dates);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_edge_is_skill_over_momentum_market_and_base_rate),
        cmocka_unit_test(without_an_edge_nothing_is_superior),
        cmocka_unit_test(coins_with_equal_expectations_share_their_places),
        cmocka_unit_test(spread_precision_and_turnover_are_those_of_the_tenths),
        cmocka_unit_test(blocks_are_means_of_dates_and_empty_dates_are_nothing),
        cmocka_unit_test(the_base_rate_knows_matured_outcomes_alone),
        cmocka_unit_test(a_short_record_is_not_judged),
        cmocka_unit_test(rank_ic_is_a_mean_over_dates_of_a_period),
        cmocka_unit_test(a_drawdown_is_the_deepest_fall_below_the_highest),
        cmocka_unit_test(the_plots_over_time_and_the_section_are_drawn),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
