/* SPDX-License-Identifier: MIT */
/* Bars from trades: only where the ids show that no trade is missing. */
#include "ingest/parse.h"
#include "discover/workspace.h"

#define T0 ((int64_t)1700006400) /* 2023-11-15T00:00Z, seconds */

typedef struct row {
    int64_t second;
    const char *price;
    const char *volume;
    int64_t id;
} row;

static void append_trades(const workspace *w, const row *rows, size_t count) {
    csm_table *table = NULL;
    assert_ok(csm_table_new(&table, "trades"));
    for (size_t i = 0; i < count; i++) {
        csm_decimal cells[7] = {{.ticks = (T0 + rows[i].second) * CSM_SECOND},
                                {.ticks = (T0 + rows[i].second) * CSM_SECOND}};
        assert_ok(csm_decimal_parse(&cells[2], rows[i].price, strlen(rows[i].price)));
        assert_ok(csm_decimal_parse(&cells[3], rows[i].volume, strlen(rows[i].volume)));
        cells[5].ticks = CSM_CELL_MISSING;
        cells[6].ticks = rows[i].id;
        assert_ok(csm_table_append(table, cells));
    }
    const csm_stream stream = {"trades", "kraken", "BTC/USD", 0, 1, 0};
    const csm_provenance provenance = {"kraken.trades", "test", "", w->now};
    assert_ok(csm_store_append(w->store, w->context, &stream, table, &provenance));
    csm_table_free(table);
}

static uint64_t rebuild(const workspace *w, csm_time interval) {
    const csm_market market = {.id = "kraken:BTC/USD", .venue = "kraken", .symbol = "BTC/USD", .epoch = 1};
    uint64_t rows = 0;
    assert_ok(csm_ingest_bars_from_trades(&rows, w->context, w->store, &market, interval, CSM_TIME_MIN,
                                          CSM_TIME_MAX));
    return rows;
}

#define HOUR(n) ((n)*3600)

static void whole_hours_become_exact_bars(void **state) {
    const workspace *w = *state;
    static const row rows[] = {
        {HOUR(-1) + 10, "99", "1", 41},
        {HOUR(0), "100.5", "0.1", 42}, /* on the hour: belongs to the hour it opens */
        {HOUR(0) + 5, "101.25", "0.2", 43},
        {HOUR(0) + 5, "100", "0.00000001", 44},
        {HOUR(0) + 3599, "100.75", "0.3", 45},
        {HOUR(2) + 1, "102", "1", 46}, /* nothing in the hour before, and the ids prove it */
        {HOUR(3) + 1, "103", "1", 47},
    };
    append_trades(w, rows, sizeof rows / sizeof rows[0]);
    assert_int_equal(rebuild(w, CSM_HOUR), 3);
    csm_table *bars = workspace_read(w, "bars", "kraken", "BTC/USD", CSM_HOUR, 1);
    assert_int_equal(csm_table_rows(bars), 3);
    assert_int_equal(csm_table_ticks(bars, 0)[0], T0 * CSM_SECOND);
    assert_int_equal(csm_table_ticks(bars, 1)[0], (T0 + HOUR(1)) * CSM_SECOND);
    assert_cell(bars, 0, "open", "100.50");
    assert_cell(bars, 0, "high", "101.25");
    assert_cell(bars, 0, "low", "100.00");
    assert_cell(bars, 0, "close", "100.75");
    assert_cell(bars, 0, "volume", "0.60000001");
    assert_cell(bars, 0, "trades", "4");
    assert_cell(bars, 1, "state", "1");
    assert_cell(bars, 1, "open", "-");
    assert_cell(bars, 2, "close", "102.00");
    csm_table_free(bars);
    assert_int_equal(rebuild(w, CSM_HOUR), 0); /* they are there */
}

static void an_hour_with_a_missing_id_is_not_made(void **state) {
    const workspace *w = *state;
    static const row rows[] = {
        {HOUR(-1) + 10, "99", "1", 41}, {HOUR(0) + 1, "100", "1", 42}, {HOUR(0) + 9, "100", "1", 44},
        {HOUR(1) + 1, "100", "1", 45},  {HOUR(2) + 1, "100", "1", 46}, {HOUR(3) + 1, "100", "1", 48},
        {HOUR(4) + 1, "100", "1", 49},
    };
    append_trades(w, rows, sizeof rows / sizeof rows[0]);
    assert_int_equal(rebuild(w, CSM_HOUR),
                     1); /* hour 1 alone: 0 lacks 43, 2 and 3 lack 47 on one side or the other */
    csm_table *bars = workspace_read(w, "bars", "kraken", "BTC/USD", CSM_HOUR, 1);
    assert_int_equal(csm_table_ticks(bars, 0)[0], (T0 + HOUR(1)) * CSM_SECOND);
    csm_table_free(bars);
}

static void the_first_trade_ever_needs_nothing_before_it(void **state) {
    const workspace *w = *state;
    static const row rows[] = {{HOUR(0) + 1800, "100", "1", 1}, {HOUR(1) + 1, "100", "1", 2}};
    append_trades(w, rows, 2);
    assert_int_equal(rebuild(w, CSM_HOUR), 1);
}

static void trades_without_ids_prove_nothing(void **state) {
    const workspace *w = *state;
    static const row rows[] = {{HOUR(-1), "100", "1", CSM_CELL_MISSING},
                               {HOUR(0) + 1, "100", "1", CSM_CELL_MISSING},
                               {HOUR(1) + 1, "100", "1", CSM_CELL_MISSING}};
    append_trades(w, rows, 3);
    assert_int_equal(rebuild(w, CSM_HOUR), 0);
}

static void candles_of_the_exchange_are_not_replaced(void **state) {
    const workspace *w = *state;
    csm_table *bars = NULL;
    assert_ok(csm_table_new(&bars, "bars"));
    const csm_decimal cells[10] = {{.ticks = T0 * CSM_SECOND},
                                   {.ticks = (T0 + HOUR(1)) * CSM_SECOND},
                                   {.ticks = 7},
                                   {.ticks = 7},
                                   {.ticks = 7},
                                   {.ticks = 7},
                                   {.ticks = 1},
                                   {.ticks = 7},
                                   {.ticks = 1},
                                   {.ticks = 0}};
    assert_ok(csm_table_append(bars, cells));
    const csm_stream stream = {"bars", "kraken", "BTC/USD", CSM_HOUR, 1, 0};
    const csm_provenance provenance = {"kraken.ohlc", "test", "", w->now};
    assert_ok(csm_store_append(w->store, w->context, &stream, bars, &provenance));
    csm_table_free(bars);
    static const row rows[] = {
        {HOUR(-1), "100", "1", 4}, {HOUR(0) + 1, "100", "1", 5}, {HOUR(1) + 1, "100", "1", 6}};
    append_trades(w, rows, 3);
    assert_int_equal(rebuild(w, CSM_HOUR), 0);
    bars = workspace_read(w, "bars", "kraken", "BTC/USD", CSM_HOUR, 1);
    assert_cell(bars, 0, "close", "7");
    csm_table_free(bars);
}

static void a_week_of_quiet_between_trades_is_looked_across(void **state) {
    const workspace *w = *state;
    static const row rows[] = {
        {HOUR(-200), "100", "1", 4}, {HOUR(0) + 1, "100", "1", 5}, {HOUR(400), "100", "1", 6}};
    append_trades(w, rows, 3);
    /* from the hour after the first trade's to the hour of the last: 599 hours, one of them traded */
    assert_int_equal(rebuild(w, CSM_HOUR), 599);
}

static void calls_without_sense_are_refused(void **state) {
    const workspace *w = *state;
    const csm_market market = {.id = "kraken:BTC/USD", .venue = "kraken", .symbol = "BTC/USD", .epoch = 1};
    uint64_t rows = 1;
    assert_int_equal(csm_ingest_bars_from_trades(&rows, w->context, w->store, &market, 0, 0, 1), CSM_EINVAL);
    assert_int_equal(csm_ingest_bars_from_trades(&rows, w->context, w->store, &market, CSM_HOUR, 1, 1),
                     CSM_EINVAL);
    assert_int_equal(csm_ingest_bars_from_trades(&rows, w->context, w->store, NULL, CSM_HOUR, 0, 1),
                     CSM_EINVAL);
    assert_int_equal(csm_ingest_bars_from_trades(NULL, w->context, w->store, &market, CSM_HOUR, 0, 1),
                     CSM_EINVAL);
    assert_ok(csm_ingest_bars_from_trades(&rows, w->context, w->store, &market, CSM_HOUR, 0, CSM_DAY));
    assert_int_equal(rows, 0);
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_store(whole_hours_become_exact_bars),
        with_store(an_hour_with_a_missing_id_is_not_made),
        with_store(the_first_trade_ever_needs_nothing_before_it),
        with_store(trades_without_ids_prove_nothing),
        with_store(candles_of_the_exchange_are_not_replaced),
        with_store(a_week_of_quiet_between_trades_is_looked_across),
        with_store(calls_without_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
