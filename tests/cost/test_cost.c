/* SPDX-License-Identifier: MIT */
#include "fuse/workspace.h"

#include "cost/cost.h"

#define NOW SERIES_START

static csm_market plain_market(void) {
    return market_of("BTC", "BTC/USD");
}

static csm_market tiered_market(void) {
    csm_market market = plain_market();
    market.taker_tiers = 3;
    market.taker_volume[1] = 50000;
    market.taker_volume[2] = 100000;
    market.taker_percent[0] = 0.40;
    market.taker_percent[1] = 0.35;
    market.taker_percent[2] = 0.24;
    return market;
}

static void put_ticker(csm_store *store, csm_context *context, const csm_market *market, csm_time time,
                       double bid, double ask) {
    csm_table *table = new_table("ticker");
    const csm_stream stream = stream_of(market, "ticker", 0);
    const csm_decimal cells[7] = {dec(time, 0), dec(time, 0), tick(bid), tick(ask),
                                  missing(),    missing(),    missing()};
    assert_ok(csm_table_append(table, cells));
    assert_ok(csm_store_append(store, context, &stream, table, &test_origin));
    csm_table_free(table);
}

/* Two levels a side, `volume` each: bids 99.9 and 99, asks 100.1 and 101. */
static void put_book(csm_store *store, csm_context *context, const csm_market *market, csm_time time,
                     double volume) {
    static const double price[2][2] = {{99.9, 99.0}, {100.1, 101.0}};
    csm_table *table = new_table("book");
    const csm_stream stream = stream_of(market, "book", 0);
    for (int side = 0; side < 2; side++) {
        for (int level = 0; level < 2; level++) {
            const csm_decimal cells[6] = {
                dec(time, 0), dec(time, 0), dec(side, 0), dec(level, 0), tick(price[side][level]),
                tick(volume)};
            assert_ok(csm_table_append(table, cells));
        }
    }
    assert_ok(csm_store_append(store, context, &stream, table, &test_origin));
    csm_table_free(table);
}

static csm_cost cost_at(const csm_store *store, csm_context *context, const csm_market *market, csm_time time,
                        const csm_cost_options *options) {
    csm_cost_model *model = NULL;
    csm_cost cost;
    assert_ok(csm_cost_open(&model, context, store, market, CSM_TIME_MAX, options));
    assert_ok(csm_cost_at(&cost, model, time));
    csm_cost_free(model);
    return cost;
}

static void near(double value, double expected) {
    if (!(fabs(value - expected) <= 1e-12)) fail_msg("%.17g is not %.17g", value, expected);
}

static void the_break_even_is_the_move_that_pays_everything_back(void **state) {
    (void)state;
    const double f = 0.004, s = 0.001, b = 0.0005, l = 0.0007, mid = 250;
    const double move = csm_cost_break_even(f, s, b, l);
    const double paid = mid * (1 + s / 2) * (1 + b) * (1 + f);
    const double received = mid * exp(move) * (1 - s / 2) * (1 - l) * (1 - f);
    near(received / paid, 1);
    near(csm_cost_break_even(0, 0, 0, 0), 0);
    near(csm_cost_break_even(0.01, 0, 0, 0), log(1.01 / 0.99));
}

static void walking_a_book_gives_the_mean_price(void **state) {
    (void)state;
    const double price[] = {100, 101, 105}, volume[] = {1, 2, 10};
    double mean;
    assert_ok(csm_cost_walk(&mean, price, volume, 3, 60));
    near(mean, 100);
    assert_ok(csm_cost_walk(&mean, price, volume, 3, 100));
    near(mean, 100);
    assert_ok(csm_cost_walk(&mean, price, volume, 3, 100 + 202 + 105));
    near(mean, 407.0 / 4);
    assert_status(CSM_ENODATA, csm_cost_walk(&mean, price, volume, 2, 303));
    assert_text("302 of 303");
    assert_status(CSM_ENODATA, csm_cost_walk(&mean, price, volume, 0, 1));
    assert_status(CSM_EINVAL, csm_cost_walk(&mean, price, volume, 3, 0));
    assert_status(CSM_EINVAL, csm_cost_walk(&mean, price, volume, 3, (double)NAN));
    assert_status(CSM_EINVAL, csm_cost_walk(NULL, price, volume, 3, 1));
    const double broken[] = {-1};
    assert_status(CSM_EINVAL, csm_cost_walk(&mean, broken, volume, 1, 1));
    assert_text("level 0");
}

static void what_is_not_known_is_assumed_and_says_so(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_market market = plain_market();
    const csm_cost cost = cost_at(store, w->context, &market, NOW, NULL);
    assert_int_equal(cost.assumed,
                     CSM_COST_FEE_ASSUMED | CSM_COST_SPREAD_ASSUMED | CSM_COST_SLIPPAGE_ASSUMED);
    near(cost.fee, 0.008);
    near(cost.spread, 0.001);
    near(cost.slippage, 0.001);
    near(cost.total, csm_cost_break_even(0.004, 0.001, 0.0005, 0.0005));
    csm_store_free(store);
}

static void the_fee_is_that_of_the_tier(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_market market = tiered_market();
    static const double volume[] = {0, 49999, 50000, 1e9}, percent[] = {0.40, 0.40, 0.35, 0.24};
    for (int i = 0; i < 4; i++) {
        csm_cost_options options;
        csm_cost_options_init(&options);
        options.monthly_volume = volume[i];
        const csm_cost cost = cost_at(store, w->context, &market, NOW, &options);
        near(cost.fee, 2 * percent[i] / 100);
        assert_int_equal(cost.assumed & CSM_COST_FEE_ASSUMED, 0);
    }
    csm_store_free(store);
}

static void a_ticker_shows_the_spread_and_a_book_the_slippage_too(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_market market = plain_market();
    put_ticker(store, w->context, &market, NOW, 99.5, 100.5);
    csm_cost cost = cost_at(store, w->context, &market, NOW + CSM_MINUTE, NULL);
    assert_int_equal(cost.assumed, CSM_COST_FEE_ASSUMED | CSM_COST_SLIPPAGE_ASSUMED);
    near(cost.spread, 0.01);
    put_book(store, w->context, &market, NOW + 2 * CSM_MINUTE, 6);
    cost = cost_at(store, w->context, &market, NOW + 2 * CSM_MINUTE, NULL);
    assert_int_equal(cost.assumed, CSM_COST_FEE_ASSUMED);
    near(cost.spread, 0.2 / 100);
    /* Q = 1000: 600.6 at 100.1, 399.4 at 101; 599.4 at 99.9, 400.6 at 99 */
    const double buy = 1000 / (6 + 399.4 / 101) / 100.1 - 1, sell = 1 - 1000 / (6 + 400.6 / 99) / 99.9;
    near(cost.slippage, buy + sell);
    near(cost.total, csm_cost_break_even(0.004, 0.002, buy, sell));
    /* a ticker that follows gives the spread, the book before it still the depth */
    put_ticker(store, w->context, &market, NOW + 3 * CSM_MINUTE, 99.8, 100.2);
    cost = cost_at(store, w->context, &market, NOW + 3 * CSM_MINUTE, NULL);
    near(cost.spread, 0.004);
    near(cost.slippage, buy + sell);
    csm_store_free(store);
}

static void only_what_was_known_and_is_young_counts(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_market market = plain_market();
    put_book(store, w->context, &market, NOW, 100);
    assert_true(cost_at(store, w->context, &market, NOW - 1, NULL).assumed & CSM_COST_SPREAD_ASSUMED);
    assert_false(cost_at(store, w->context, &market, NOW, NULL).assumed & CSM_COST_SPREAD_ASSUMED);
    assert_false(cost_at(store, w->context, &market, NOW + CSM_HOUR, NULL).assumed & CSM_COST_SPREAD_ASSUMED);
    assert_true(cost_at(store, w->context, &market, NOW + CSM_HOUR + 1, NULL).assumed &
                CSM_COST_SPREAD_ASSUMED);
    csm_cost_model *model = NULL;
    csm_cost cost;
    assert_ok(csm_cost_open(&model, w->context, store, &market, NOW - 1, NULL));
    assert_status(CSM_EINVAL, csm_cost_at(&cost, model, NOW));
    csm_cost_free(model);
    csm_cost_free(NULL);
    csm_store_free(store);
}

static void a_book_too_thin_costs_at_least_all_of_it(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_market market = plain_market();
    put_book(store, w->context, &market, NOW, 1);
    const csm_cost cost = cost_at(store, w->context, &market, NOW, NULL);
    assert_int_equal(cost.assumed, CSM_COST_FEE_ASSUMED | CSM_COST_SLIPPAGE_ASSUMED);
    near(cost.slippage, (201.1 / 2 / 100.1 - 1) + (1 - 198.9 / 2 / 99.9));
    csm_store_free(store);
}

static void the_hash_names_options_and_schedule(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_market plain = plain_market(), tiered = tiered_market();
    csm_cost_options options;
    csm_cost_options_init(&options);
    options.notional = 2000;
    const csm_market *markets[] = {&plain, &plain, &tiered, &plain};
    const csm_cost_options *with[] = {NULL, NULL, NULL, &options};
    char hash[4][65];
    for (int i = 0; i < 4; i++) {
        csm_cost_model *model = NULL;
        assert_ok(csm_cost_open(&model, w->context, store, markets[i], CSM_TIME_MAX, with[i]));
        assert_ok(csm_cost_hash(hash[i], 65, model));
        assert_status(CSM_EINVAL, csm_cost_hash(hash[i], 64, model));
        csm_cost_free(model);
    }
    assert_string_equal(hash[0], hash[1]);
    assert_string_not_equal(hash[0], hash[2]);
    assert_string_not_equal(hash[0], hash[3]);
    csm_store_free(store);
}

static void options_out_of_range_are_named(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    csm_market market = tiered_market();
    csm_cost_options good, bad[6];
    csm_cost_options_init(&good);
    for (int i = 0; i < 6; i++) bad[i] = good;
    static const char *name[] = {"notional",       "monthly_volume",   "assumed_fee",
                                 "assumed_spread", "assumed_slippage", "book_age"};
    bad[0].notional = 0;
    bad[1].monthly_volume = -1;
    bad[2].assumed_fee = 0.5;
    bad[3].assumed_spread = (double)NAN;
    bad[4].assumed_slippage = -0.1;
    bad[5].book_age = -1;
    csm_cost_model *model = NULL;
    for (int i = 0; i < 6; i++) {
        assert_status(CSM_EINVAL, csm_cost_open(&model, w->context, store, &market, NOW, &bad[i]));
        assert_text(name[i]);
        assert_null(model);
    }
    market.taker_percent[1] = 80;
    assert_status(CSM_EINVAL, csm_cost_open(&model, w->context, store, &market, NOW, NULL));
    market.taker_tiers = 99;
    assert_status(CSM_EINVAL, csm_cost_open(&model, w->context, store, &market, NOW, NULL));
    assert_status(CSM_EINVAL, csm_cost_open(&model, w->context, NULL, &market, NOW, NULL));
    csm_store_free(store);
}

static void memory_that_runs_out_leaves_nothing_behind(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_market market = tiered_market();
    put_ticker(store, w->context, &market, NOW, 99.5, 100.5);
    put_book(store, w->context, &market, NOW, 100);
    csm_status status = CSM_ENOMEM;
    uint64_t n = 0;
    while (status) {
        csm_cost_model *model = NULL;
        csm_fault_allocation(++n, false);
        status = csm_cost_open(&model, w->context, store, &market, CSM_TIME_MAX, NULL);
        csm_fault_allocation(0, false);
        if (status) assert_status(CSM_ENOMEM, status);
        assert_int_equal(model == NULL, status != CSM_OK);
        csm_cost_free(model);
    }
    assert_true(n > 8);
    csm_store_free(store);
}

#define with_workspace(test) cmocka_unit_test_setup_teardown(test, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_break_even_is_the_move_that_pays_everything_back),
        cmocka_unit_test(walking_a_book_gives_the_mean_price),
        with_workspace(what_is_not_known_is_assumed_and_says_so),
        with_workspace(the_fee_is_that_of_the_tier),
        with_workspace(a_ticker_shows_the_spread_and_a_book_the_slippage_too),
        with_workspace(only_what_was_known_and_is_young_counts),
        with_workspace(a_book_too_thin_costs_at_least_all_of_it),
        with_workspace(the_hash_names_options_and_schedule),
        with_workspace(options_out_of_range_are_named),
        with_workspace(memory_that_runs_out_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
