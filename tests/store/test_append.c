/* SPDX-License-Identifier: MIT */
#include "fixture.h"

static void test_a_few_rows_come_back_as_they_were(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 100);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, 100);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_store_free(store);
    store = open_store(w, CSM_STORE_READ);
    back = read_all(store, w, &stream);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    csm_store_free(store);
}

static void test_many_rows_become_a_segment_and_come_back(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 40000);
    int64_t tail, segments;
    assert_ok(csm_catalog_number(&tail, store, "SELECT count(*) FROM tail", -1));
    assert_ok(csm_catalog_number(&segments, store, "SELECT count(*) FROM segments", -1));
    assert_int_equal(tail, 0);
    assert_int_equal(segments, 1);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, 40000);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    csm_store_free(store);
}

/* ---- revisions ---- */

static void append_one(csm_store *store, const workspace *w, int64_t hour, int64_t close, csm_time later) {
    csm_table *bars = new_table("bars");
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + 1000 * HOUR);
    add_bar(bars, hour, close, later);
    assert_ok(csm_store_append(store, w->context, &stream, bars, &source));
    csm_table_free(bars);
}

static int64_t close_as_of(const csm_store *store, const workspace *w, csm_time as_of) {
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *table;
    assert_ok(csm_store_read(&table, store, w->context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, as_of));
    const size_t rows = csm_table_rows(table);
    assert_true(rows < 2);
    const int64_t close = rows ? csm_table_ticks(table, CSM_COLUMN_CLOSE)[0] : -1;
    csm_table_free(table);
    return close;
}

static int64_t stored_rows(const csm_store *store) {
    int64_t rows;
    assert_ok(csm_catalog_number(
        &rows, store,
        "SELECT coalesce((SELECT sum(rows) FROM segments), 0) + coalesce((SELECT sum(rows) FROM tail), 0)",
        -1));
    return rows;
}

static void test_a_revision_is_seen_from_when_it_was_known_and_not_before(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_one(store, w, 0, 10001, 0);
    append_one(store, w, 0, 20002, 5 * HOUR);
    append_one(store, w, 0, 10001, 9 * HOUR); /* back to the first value: a revision again */
    for (int rolled = 0; rolled < 2; rolled++) {
        const csm_time known = START + HOUR;
        assert_int_equal(close_as_of(store, w, known - 1), -1);
        assert_int_equal(close_as_of(store, w, known), 10001);
        assert_int_equal(close_as_of(store, w, known + 5 * HOUR - 1), 10001);
        assert_int_equal(close_as_of(store, w, known + 5 * HOUR), 20002);
        assert_int_equal(close_as_of(store, w, known + 9 * HOUR), 10001);
        assert_int_equal(close_as_of(store, w, CSM_TIME_MAX), 10001);
        assert_ok(csm_store_roll(store, w->context));
    }
    assert_int_equal(stored_rows(store), 3);
    csm_store_free(store);
}

static void test_rows_known_already_are_not_stored_twice(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 100);
    append_bars(store, w, "BTC/USD", 0, 100);
    append_bars(store, w, "BTC/USD", 50, 100);
    assert_int_equal(stored_rows(store), 150);
    assert_ok(csm_store_roll(store, w->context));
    append_bars(store, w, "BTC/USD", 0, 5000);
    append_bars(store, w, "BTC/USD", 0, 5000);
    assert_int_equal(stored_rows(store), 5000);
    append_one(store, w, 7, 3500000 + 7 * 7919 % 1000, 24 * HOUR); /* the same values, heard again later */
    assert_int_equal(stored_rows(store), 5000);
    csm_store_free(store);
}

static void test_two_truths_of_one_time_are_refused(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + 1000 * HOUR);
    csm_table *bars = new_table("bars");
    add_bar(bars, 3, 10001, 0);
    add_bar(bars, 3, 10002, 0);
    assert_status(CSM_EINVAL, csm_store_append(store, w->context, &stream, bars, &source));
    assert_text("contradict");
    csm_table_free(bars);
    append_one(store, w, 3, 10001, 0);
    bars = new_table("bars");
    add_bar(bars, 3, 10002, 0);
    assert_status(CSM_EINVAL, csm_store_append(store, w->context, &stream, bars, &source));
    assert_int_equal(stored_rows(store), 1);
    csm_table_free(bars);
    csm_store_free(store);
}

static void test_rows_in_any_order_come_back_in_order(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + 10000 * HOUR);
    csm_table *bars = new_table("bars");
    for (int64_t i = 0; i < 5003; i++) {
        const int64_t hour = i * 1009 % 5003; /* 5003 is prime: a permutation */
        add_bar(bars, hour, 3500000 + (hour * 7919) % 1000, 0);
        if (i % 5 == 0) add_bar(bars, hour, 3500000 + (hour * 7919) % 1000, 0); /* exact repetition */
    }
    assert_ok(csm_store_append(store, w->context, &stream, bars, &source));
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, 5003);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    csm_table_free(bars);
    csm_store_free(store);
}

/* ---- identity ---- */

static void test_epochs_intervals_venues_and_symbols_are_apart(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    csm_stream streams[5];
    for (size_t i = 0; i < 5; i++) streams[i] = bar_stream("LUNA/USD");
    streams[1].epoch = 2;
    streams[2].interval = CSM_HOUR / 4;
    streams[3].venue = "binance";
    streams[4].symbol = "LUNC/USD";
    const csm_provenance source = source_at(START + 100 * HOUR);
    for (int64_t i = 0; i < 5; i++) {
        csm_table *bars = new_table("bars");
        add_bar(bars, 0, 100000 + i, 0);
        assert_ok(csm_store_append(store, w->context, &streams[i], bars, &source));
        csm_table_free(bars);
    }
    for (int64_t i = 0; i < 5; i++) {
        csm_table *back = read_all(store, w, &streams[i]);
        assert_int_equal(csm_table_rows(back), 1);
        assert_int_equal(csm_table_ticks(back, CSM_COLUMN_CLOSE)[0], 100000 + i);
        csm_table_free(back);
    }
    csm_stream_list *list;
    assert_ok(csm_store_streams(&list, store, "bars", "kraken"));
    assert_int_equal(csm_stream_list_count(list), 4);
    assert_true(csm_stream_list_at(list, 0)->stream.interval == CSM_HOUR / 4);
    assert_int_equal(csm_stream_list_at(list, 2)->stream.epoch, 2);
    assert_string_equal(csm_stream_list_at(list, 3)->stream.symbol, "LUNC/USD");
    assert_null(csm_stream_list_at(list, 4));
    csm_stream_list_free(list);
    csm_store_free(store);
}

static void test_an_unknown_stream_reads_as_empty(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = bar_stream("NONE/USD");
    csm_table *back = read_all(store, w, &stream);
    assert_int_equal(csm_table_rows(back), 0);
    csm_table_free(back);
    csm_bar_series *series;
    assert_ok(csm_store_read_bars(&series, store, w->context, &stream, 0, START, START));
    assert_int_equal(csm_bar_series_view(series).length, 0);
    csm_bar_series_free(series);
    csm_store_free(store);
}

/* ---- what is refused ---- */

static csm_status append_with(csm_store *store, const workspace *w, const csm_provenance *source) {
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *bars = bars_from(0, 3);
    const csm_status status = csm_store_append(store, w->context, &stream, bars, source);
    csm_table_free(bars);
    return status;
}

static void test_records_without_provenance_are_refused(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    csm_provenance source = source_at(START + 100 * HOUR);
    assert_status(CSM_EPROVENANCE, append_with(store, w, NULL));
    source.source = "";
    assert_status(CSM_EPROVENANCE, append_with(store, w, &source));
    source = source_at(START + 100 * HOUR);
    source.request = NULL;
    assert_status(CSM_EPROVENANCE, append_with(store, w, &source));
    source = source_at(CSM_TIME_MIN);
    assert_status(CSM_EPROVENANCE, append_with(store, w, &source));
    source = source_at(START + 100 * HOUR);
    source.request = "bad \xff utf-8";
    assert_status(CSM_EPROVENANCE, append_with(store, w, &source));
    source = source_at(START + 100 * HOUR);
    source.origin = NULL; /* as "" */
    assert_ok(append_with(store, w, &source));
    assert_int_equal(stored_rows(store), 3);
    csm_store_free(store);
}

static void test_records_from_the_future_are_refused(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    csm_provenance source = source_at(START + 3 * HOUR - 2 * CSM_MINUTE);
    assert_status(CSM_EINVAL, append_with(store, w, &source));
    assert_text("row 2");
    assert_text("later than its receipt");
    source.received = START + 3 * HOUR - CSM_SECOND; /* clocks may differ a little */
    assert_ok(append_with(store, w, &source));
    csm_store_free(store);
}

static void test_names_that_cannot_be_are_refused(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    csm_table *bars = bars_from(0, 3);
    const csm_provenance source = source_at(START + 100 * HOUR);
    csm_stream bad[7];
    for (size_t i = 0; i < 7; i++) bad[i] = bar_stream("BTC/USD");
    bad[0].kind = "candles";
    bad[1].venue = "";
    bad[2].symbol = NULL;
    bad[3].epoch = -1;
    bad[4].interval = 0;
    bad[5].symbol = "BTC\n";
    bad[6].kind = "trades"; /* with rows of bars */
    for (size_t i = 0; i < 7; i++)
        assert_status(CSM_EINVAL, csm_store_append(store, w->context, &bad[i], bars, &source));
    csm_stream good = bar_stream("BTC/USD");
    assert_status(CSM_EINVAL, csm_store_append(NULL, w->context, &good, bars, &source));
    assert_status(CSM_EINVAL, csm_store_append(store, NULL, &good, bars, &source));
    assert_status(CSM_EINVAL, csm_store_append(store, w->context, NULL, bars, &source));
    assert_status(CSM_EINVAL, csm_store_append(store, w->context, &good, NULL, &source));
    assert_int_equal(stored_rows(store), 0);
    csm_table_free(bars);
    csm_store_free(store);
}

static csm_status append_value(csm_store *store, const workspace *w, int64_t hour, csm_decimal value) {
    const csm_stream stream = {
        .kind = "value", .venue = "alternative.me", .symbol = "fear_greed", .epoch = 1};
    const csm_provenance source = source_at(START + 1000 * HOUR);
    csm_table *table = new_table("value");
    const csm_decimal cells[3] = {dec(START + hour * HOUR, 0), dec(START + hour * HOUR, 0), value};
    assert_ok(csm_table_append(table, cells));
    const csm_status status = csm_store_append(store, w->context, &stream, table, &source);
    csm_table_free(table);
    return status;
}

/* 17 digits before the point and 18 after it cannot stand in one column of 64 bits; the second append is refused, so
 * that the stream stays readable. */
static void test_a_column_never_needs_more_digits_than_64_bits_hold(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    assert_ok(append_value(store, w, 0, dec(1, 18)));
    assert_status(CSM_EINVAL, append_value(store, w, 1, dec(10000000000000000, 0)));
    assert_text("column value");
    assert_status(CSM_EINVAL, append_value(store, w, 1, dec(10, 0)));
    assert_ok(append_value(store, w, 1, dec(-999999999999999999, 18)));
    const csm_stream stream = {
        .kind = "value", .venue = "alternative.me", .symbol = "fear_greed", .epoch = 1};
    csm_table *back = read_all(store, w, &stream);
    assert_int_equal(csm_table_rows(back), 2);
    assert_int_equal(csm_table_scale(back, 2), 18);
    csm_table_free(back);
    csm_store_free(store);
}

/* ---- kinds ---- */

static void test_trades_of_one_instant_are_kept_apart_by_their_number(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = {.kind = "trades", .venue = "kraken", .symbol = "BTC/USD", .epoch = 1};
    const csm_provenance source = source_at(START + 100 * HOUR);
    csm_table *table = new_table("trades");
    for (int64_t i = 0; i < 4; i++) {
        const csm_decimal cells[7] = {dec(START, 0),
                                      dec(START + 1, 0),
                                      dec(3500000 + i % 2, 1),
                                      dec(25, 3),
                                      dec(i % 2, 0),
                                      dec(1, 0),
                                      i < 2 ? dec(900 + i, 0) : missing()};
        assert_ok(csm_table_append(table, cells));
    }
    assert_ok(csm_store_append(store, w->context, &stream, table, &source));
    assert_ok(csm_store_append(store, w->context, &stream, table, &source));
    csm_table *back = read_all(store, w, &stream);
    assert_int_equal(csm_table_rows(back), 4); /* two numbered, two that differ in their values */
    assert_int_equal(stored_rows(store), 4);
    csm_table_free(back);
    csm_table_free(table);
    csm_store_free(store);
}

static void test_a_book_keeps_every_level_of_both_sides(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = {.kind = "book", .venue = "kraken", .symbol = "BTC/USD", .epoch = 1};
    const csm_provenance source = source_at(START + 100 * HOUR);
    csm_table *table = new_table("book");
    for (int64_t snapshot = 0; snapshot < 3; snapshot++) {
        for (int64_t side = 0; side < 2; side++) {
            for (int64_t level = 0; level < 800; level++) {
                const csm_time time = START + snapshot * CSM_MINUTE;
                const csm_decimal cells[6] = {dec(time, 0),
                                              dec(time + 7, 0),
                                              dec(side, 0),
                                              dec(level, 0),
                                              dec(350000 + (side ? level + 1 : -level) * 3 + snapshot, 1),
                                              dec(1 + level * 31 % 977, 8)};
                assert_ok(csm_table_append(table, cells));
            }
        }
    }
    assert_ok(csm_store_append(store, w->context, &stream, table, &source));
    csm_table *back = read_all(store, w, &stream);
    assert_same_table(table, back);
    csm_table_free(back);
    csm_table_free(table);
    csm_store_free(store);
}

/* ---- views ---- */

static void test_bars_are_nearest_doubles_and_nan_where_nobody_traded(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + 100 * HOUR);
    csm_table *bars = bars_from(0, 2);
    const csm_time time = START + 2 * HOUR;
    const csm_decimal quiet[10] = {
        dec(time, 0), dec(time + HOUR, 0), missing(), missing(), missing(),
        missing(),    dec(0, 0),           missing(), dec(0, 0), dec(CSM_BAR_NO_TRADE, 0)};
    assert_ok(csm_table_append(bars, quiet));
    assert_ok(csm_store_append(store, w->context, &stream, bars, &source));
    csm_bar_series *series;
    assert_ok(
        csm_store_read_bars(&series, store, w->context, &stream, START, START + 3 * HOUR, CSM_TIME_MAX));
    csm_store_free(store);
    const csm_bars view = csm_bar_series_view(series);
    assert_int_equal(view.length, 3);
    assert_true(view.interval == HOUR);
    assert_true(view.time[2] == time);
    assert_true(view.close[0] == 35000.00 && view.close[1] == 35009.19 && view.open[1] == 35009.16);
    assert_true(view.volume[1] == 1.23464708);
    assert_int_equal(view.state[1], CSM_BAR_TRADED);
    assert_int_equal(view.state[2], CSM_BAR_NO_TRADE);
    assert_true(view.close[2] != view.close[2] && view.open[2] != view.open[2]);
    assert_true(view.volume[2] == 0);
    csm_bar_series_free(series);
    csm_table_free(bars);
}

static void test_a_read_takes_from_inclusive_to_exclusive(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    append_bars(store, w, "BTC/USD", 5000, 20);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *table;
    assert_ok(csm_store_read(&table, store, w->context, &stream, START + 4990 * HOUR, START + 5010 * HOUR,
                             CSM_TIME_MAX));
    assert_int_equal(csm_table_rows(table), 20);
    assert_true(csm_table_ticks(table, 0)[0] == START + 4990 * HOUR);
    assert_true(csm_table_ticks(table, 0)[19] == START + 5009 * HOUR);
    csm_table_free(table);
    assert_ok(csm_store_read(&table, store, w->context, &stream, START, START, CSM_TIME_MAX));
    assert_int_equal(csm_table_rows(table), 0);
    csm_table_free(table);
    csm_store_free(store);
}

/* ---- rolling ---- */

static void test_rolling_keeps_rows_and_provenance_and_few_files(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = bar_stream("BTC/USD");
    char before[CSM_HASH_TEXT], after[CSM_HASH_TEXT];
    for (int64_t i = 0; i < 40; i++) {
        append_bars(store, w, "BTC/USD", 10 * i, 10);
        assert_ok(csm_store_watermark(before, sizeof before, store, w->context, CSM_TIME_MAX));
        assert_ok(csm_store_roll(store, w->context));
        assert_ok(csm_store_watermark(after, sizeof after, store, w->context, CSM_TIME_MAX));
        assert_string_equal(before, after);
    }
    int64_t segments, sources, tail;
    assert_ok(csm_catalog_number(&segments, store, "SELECT count(*) FROM segments", 0));
    assert_ok(
        csm_catalog_number(&sources, store, "SELECT count(DISTINCT provenance) FROM segment_provenance", 0));
    assert_ok(csm_catalog_number(&tail, store, "SELECT count(*) FROM tail", -1));
    assert_in_range(segments, 1, 7);
    assert_int_equal(sources, 40);
    assert_int_equal(tail, 0);
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, 400);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    uint64_t findings;
    assert_ok(csm_store_verify(&findings, store, w->context));
    assert_int_equal(findings, 0);
    csm_store_free(store);
}

static void test_a_reader_keeps_its_generation_while_the_writer_goes_on(void **state) {
    const workspace *w = *state;
    csm_store *writer = open_store(w, CSM_STORE_CREATE);
    const csm_stream stream = bar_stream("BTC/USD");
    append_bars(writer, w, "BTC/USD", 0, 100);
    csm_store *reader = open_store(w, CSM_STORE_READ);
    append_bars(writer, w, "BTC/USD", 100, 100);
    assert_ok(csm_store_roll(writer, w->context));
    append_bars(writer, w, "BTC/USD", 200, 100);
    assert_ok(
        csm_store_roll(writer, w->context)); /* rewrites the first segment; its file stays for readers */
    csm_table *table = read_all(reader, w, &stream);
    assert_int_equal(csm_table_rows(table), 100);
    csm_table_free(table);
    csm_store_free(reader);
    reader = open_store(w, CSM_STORE_READ);
    table = read_all(reader, w, &stream);
    assert_int_equal(csm_table_rows(table), 300);
    csm_table_free(table);
    csm_store_free(reader);
    csm_store_free(writer);
}

static void test_the_watermark_of_a_time_does_not_move_when_later_records_come(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    char before[CSM_HASH_TEXT], after[CSM_HASH_TEXT];
    append_bars(store, w, "BTC/USD", 0, 100);
    const csm_time as_of = START + 100 * HOUR;
    assert_ok(csm_store_watermark(before, sizeof before, store, w->context, as_of));
    append_bars(store, w, "BTC/USD", 100, 50);
    append_one(store, w, 5, 77700, 200 * HOUR);
    csm_stream other = bar_stream("AAA/USD");
    csm_table *late = bars_from(300, 10);
    const csm_provenance source = source_at(START + 1000 * HOUR);
    assert_ok(csm_store_append(store, w->context, &other, late, &source));
    csm_table_free(late);
    assert_ok(csm_store_watermark(after, sizeof after, store, w->context, as_of));
    assert_string_equal(before, after);
    assert_ok(csm_store_watermark(after, sizeof after, store, w->context, CSM_TIME_MAX));
    assert_string_not_equal(before, after);
    assert_status(CSM_EINVAL, csm_store_watermark(after, 64, store, w->context, as_of));
    csm_store_free(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_few_rows_come_back_as_they_were),
        TEST(test_many_rows_become_a_segment_and_come_back),
        TEST(test_a_revision_is_seen_from_when_it_was_known_and_not_before),
        TEST(test_rows_known_already_are_not_stored_twice),
        TEST(test_two_truths_of_one_time_are_refused),
        TEST(test_rows_in_any_order_come_back_in_order),
        TEST(test_epochs_intervals_venues_and_symbols_are_apart),
        TEST(test_an_unknown_stream_reads_as_empty),
        TEST(test_records_without_provenance_are_refused),
        TEST(test_records_from_the_future_are_refused),
        TEST(test_names_that_cannot_be_are_refused),
        TEST(test_a_column_never_needs_more_digits_than_64_bits_hold),
        TEST(test_trades_of_one_instant_are_kept_apart_by_their_number),
        TEST(test_a_book_keeps_every_level_of_both_sides),
        TEST(test_bars_are_nearest_doubles_and_nan_where_nobody_traded),
        TEST(test_a_read_takes_from_inclusive_to_exclusive),
        TEST(test_rolling_keeps_rows_and_provenance_and_few_files),
        TEST(test_a_reader_keeps_its_generation_while_the_writer_goes_on),
        TEST(test_the_watermark_of_a_time_does_not_move_when_later_records_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
