/* SPDX-License-Identifier: MIT */
/* Trades, tickers, books and the Fear & Greed index, from recorded replies and hostile ones. */
#include "ingest/parse.h"

#define NOW ((csm_time)1700000000 * CSM_SECOND)

static void refuse_all(const char *source, const char *const *replies, size_t count) {
    for (size_t i = 0; i < count; i++) {
        csm_source_ask ask = ask_for(0);
        parsed p = parse_text(source, &ask, replies[i], NOW);
        if (p.status != CSM_EPARSE) fail_msg("%s took: %s", source, replies[i]);
        csm_source_answer_free(&p.answer);
    }
}

static void refuse_cuts(const char *source, const char *fixture) {
    csm_buffer text = fixture_read(fixture);
    csm_source_ask ask = ask_for(0);
    while (text.length > 0 && text.data[text.length - 1] != '}') text.length--;
    for (size_t length = 0; length < text.length; length += 7) {
        parsed p = parse_bytes(source, &ask, text.data, length, NOW);
        assert_int_equal(p.status, CSM_EPARSE);
        csm_source_answer_free(&p.answer);
    }
    csm_buffer_free(&text);
}

#define TRADES(rows, last) "{\"error\":[],\"result\":{\"XXBTZUSD\":[" rows "],\"last\":" last "}}"

static void trades_keep_nanoseconds_and_the_cursor_verbatim(void **state) {
    (void)state;
    csm_buffer text = fixture_read("fixtures/kraken_rest/krakennet_GetTradeHistory.json");
    csm_source_ask ask = ask_for(0);
    parsed p = parse_bytes("kraken.trades", &ask, text.data, text.length, NOW);
    assert_int_equal(p.status, CSM_OK);
    const csm_table *rows = p.answer.parts[0].rows;
    assert_int_equal(csm_table_rows(rows), 3);
    assert_cell(rows, 0, "time", "1688669597827736900");
    assert_cell(rows, 0, "price", "30243.4");
    assert_cell(rows, 0, "volume", "0.34507674");
    assert_cell(rows, 0, "side", "0");
    assert_cell(rows, 0, "order_type", "0");
    assert_cell(rows, 2, "side", "1");
    assert_cell(rows, 2, "trade_id", "61044956");
    assert_string_equal(p.answer.cursor, "1688671969993150842");
    assert_int_equal(p.answer.last_id, 61044956);
    assert_string_equal(p.answer.note.data,
                        "2 trade ids missing"); /* 61044954 and 61044955 are not in the recording */
    assert_false(p.answer.more);
    csm_source_answer_free(&p.answer);
    csm_buffer_free(&text);
}

static void old_trades_of_six_fields_are_read_and_a_gap_to_the_page_before_is_told(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(0);
    parsed p = parse_text(
        "kraken.trades", &ask,
        TRADES("[\"1023.82219\",\"0.00435995\",1385579841.7774,\"s\",\"l\",\"\"]", "\"1385579841777400000\""),
        NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_cell(p.answer.parts[0].rows, 0, "trade_id", "-");
    csm_source_answer_free(&p.answer);
    ask.last_id = 10;
    p = parse_text(
        "kraken.trades", &ask,
        TRADES(
            "[\"1\",\"1\",1699999999.1,\"s\",\"l\",\"\",10],[\"1\",\"1\",1699999999.1,\"s\",\"l\",\"\",14]",
            "\"1699999999100000000\""),
        NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_int_equal(csm_table_rows(p.answer.parts[0].rows), 1); /* id 10 came with the page before */
    assert_string_equal(p.answer.note.data, "3 trade ids missing");
    csm_source_answer_free(&p.answer);
}

static void a_short_last_is_no_cursor(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(0);
    parsed p = parse_text("kraken.trades", &ask,
                          TRADES("[\"1\",\"1\",1699999999.25,\"s\",\"l\",\"\",10]", "\"1699999999\""), NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_string_equal(p.answer.cursor, "1699999999250000000");
    csm_source_answer_free(&p.answer);
}

static void the_xchange_recording_of_2013_is_read(void **state) {
    (void)state;
    csm_buffer text = fixture_read("fixtures/kraken_rest/xchange_trades.json");
    csm_source_ask ask = ask_for(0);
    parsed p = parse_bytes("kraken.trades", &ask, text.data, text.length, NOW);
    if (p.status != CSM_OK) fail_msg("%s", csm_error_message());
    assert_true(csm_table_rows(p.answer.parts[0].rows) > 5);
    csm_source_answer_free(&p.answer);
    csm_buffer_free(&text);
}

static void trades_that_cannot_be_true_are_refused(void **state) {
    (void)state;
    static const char *const replies[] = {
        TRADES("[\"0\",\"1\",1699999999.1,\"s\",\"l\",\"\",1]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"-1\",1699999999.1,\"s\",\"l\",\"\",1]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1700000999.1,\"s\",\"l\",\"\",1]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1699999999.1,\"x\",\"l\",\"\",1]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1699999999.1,\"s\",\"l\",\"\",0]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1699999999.1,\"s\",\"l\",\"\",1.5]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1699999999.1234567891,\"s\",\"l\",\"\",1]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1e308,\"s\",\"l\",\"\",1]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",NaN,\"s\",\"l\",\"\",1]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1699999999.2,\"s\",\"l\",\"\",1],[\"1\",\"1\",1699999999.1,\"s\",\"l\",\"\",2]",
               "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1699999999.1,\"s\",\"l\"]", "\"1699999999100000000\""),
        TRADES("[\"1\",\"1\",1699999999.1,\"s\",\"l\",\"\",1,2]", "\"1699999999100000000\""),
        TRADES("", "\"not a cursor\""),
        "{\"error\":[],\"result\":{\"A\":[]}}",
        "{\"error\":[],\"result\":{\"last\":\"1\"}}",
    };
    refuse_all("kraken.trades", replies, sizeof replies / sizeof replies[0]);
    refuse_cuts("kraken.trades", "fixtures/kraken_rest/krakennet_GetTradeHistory.json");
}

static void a_full_page_asks_for_more_until_the_cursor_stands(void **state) {
    (void)state;
    csm_buffer text = {0};
    assert_int_equal(csm_buffer_printf(&text, "{\"error\":[],\"result\":{\"A\":["), CSM_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(csm_buffer_printf(&text, "%s[\"1\",\"1\",16999%05d.5,\"s\",\"l\",\"\",%d]",
                                           i ? "," : "", i, i + 1),
                         CSM_OK);
    assert_int_equal(csm_buffer_printf(&text, "],\"last\":\"1699900999500000000\"}}"), CSM_OK);
    csm_source_ask ask = ask_for(0);
    parsed p = parse_bytes("kraken.trades", &ask, text.data, text.length, NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_true(p.answer.more);
    csm_source_answer_free(&p.answer);
    ask.cursor = "1699900999500000000";
    p = parse_bytes("kraken.trades", &ask, text.data, text.length, NOW);
    assert_false(p.answer.more);
    csm_source_answer_free(&p.answer);
    csm_buffer_free(&text);
}

static void a_ticker_is_a_snapshot_of_the_time_of_receipt(void **state) {
    (void)state;
    csm_buffer text = fixture_read("fixtures/kraken_rest/krakennet_GetTicker.json");
    csm_source_ask ask = ask_for(0);
    parsed p = parse_bytes("kraken.ticker", &ask, text.data, text.length, NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_int_equal(p.answer.part_count, 1);
    assert_string_equal(p.answer.parts[0].native, "XXBTZUSD");
    const csm_table *rows = p.answer.parts[0].rows;
    assert_cell(rows, 0, "time", "1700000000000000000");
    assert_cell(rows, 0, "available", "1700000000000000000");
    assert_cell(rows, 0, "bid", "30300");
    assert_cell(rows, 0, "ask", "30300.1");
    assert_cell(rows, 0, "last", "30303.2");
    assert_cell(rows, 0, "volume", "4412.73601799");
    assert_cell(rows, 0, "trades", "38907");
    csm_source_answer_free(&p.answer);
    csm_buffer_free(&text);
}

static void one_bad_ticker_does_not_spoil_the_others(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(0);
    parsed p =
        parse_text("kraken.ticker", &ask,
                   "{\"error\":[],\"result\":{"
                   "\"A\":{\"a\":[\"1\"],\"b\":[\"2\"],\"c\":[\"1\"],\"v\":[\"1\",\"1\"],\"t\":[1,1]},"
                   "\"B\":{\"a\":[\"0.0\"],\"b\":[\"2\"],\"c\":[\"0\"],\"v\":[\"0\",\"0\"],\"t\":[0,0]},"
                   "\"C\":{\"a\":[\"-1\"],\"x\":{}}}}",
                   NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_int_equal(p.answer.part_count, 3);
    assert_null(p.answer.parts[0].rows);
    assert_string_equal(p.answer.parts[0].why, "bid is over ask");
    assert_cell(p.answer.parts[1].rows, 0, "ask", "-");
    assert_cell(p.answer.parts[1].rows, 0, "bid", "2");
    assert_string_equal(p.answer.parts[2].why, "a price is negative");
    csm_source_answer_free(&p.answer);
}

static void tickers_of_the_wrong_shape_are_refused(void **state) {
    (void)state;
    static const char *const replies[] = {
        "{\"error\":[],\"result\":{\"A\":[]}}",
        "{\"error\":[],\"result\":{\"A\":{\"a\":[]}}}",
        "{\"error\":[],\"result\":{\"A\":{\"a\":[\"NaN\"]}}}",
        "{\"error\":[],\"result\":{\"A\":{\"v\":[\"1\"]}}}",
        "{\"error\":[],\"result\":{\"A\":{\"t\":[1,2.5]}}}",
        "{\"error\":[],\"result\":{\"A\":{\"c\":\"1\"}}}",
    };
    refuse_all("kraken.ticker", replies, sizeof replies / sizeof replies[0]);
    refuse_cuts("kraken.ticker", "fixtures/kraken_rest/xchange_ticker.json");
}

static void a_book_has_bids_then_asks_best_first(void **state) {
    (void)state;
    csm_buffer text = fixture_read("fixtures/kraken_rest/krakennet_GetOrderBook.json");
    csm_source_ask ask = ask_for(0);
    parsed p = parse_bytes("kraken.depth", &ask, text.data, text.length, NOW);
    assert_int_equal(p.status, CSM_OK);
    const csm_table *rows = p.answer.parts[0].rows;
    assert_int_equal(csm_table_rows(rows), 6);
    assert_cell(rows, 0, "side", "1"); /* the reply gives asks first */
    assert_cell(rows, 0, "level", "0");
    assert_cell(rows, 0, "price", "30384.1");
    assert_cell(rows, 3, "side", "0");
    assert_cell(rows, 3, "price", "30297.0");
    assert_cell(rows, 5, "level", "2");
    assert_cell(rows, 5, "volume", "5.001");
    csm_source_answer_free(&p.answer);
    csm_buffer_free(&text);
}

#define BOOK(bids, asks) "{\"error\":[],\"result\":{\"A\":{\"bids\":[" bids "],\"asks\":[" asks "]}}}"

static void books_that_cannot_be_true_are_refused(void **state) {
    (void)state;
    static const char *const replies[] = {
        BOOK("[\"2\",\"1\",1]", "[\"1\",\"1\",1]"), /* crossed */
        BOOK("[\"1\",\"1\",1],[\"1\",\"1\",1]", ""),
        BOOK("[\"1\",\"1\",1],[\"2\",\"1\",1]", ""),
        BOOK("", "[\"2\",\"1\",1],[\"1\",\"1\",1]"),
        BOOK("[\"0\",\"1\",1]", ""),
        BOOK("[\"1\",\"-1\",1]", ""),
        BOOK("[\"1\",\"1\"]", ""),
        "{\"error\":[],\"result\":{\"A\":{\"bids\":[]}}}",
        "{\"error\":[],\"result\":{\"A\":{\"bids\":[],\"bids\":[],\"asks\":[]}}}",
        "{\"error\":[],\"result\":{}}",
    };
    refuse_all("kraken.depth", replies, sizeof replies / sizeof replies[0]);
    refuse_cuts("kraken.depth", "fixtures/kraken_rest/krakennet_GetOrderBook.json");
}

/* Two rows of the reply recorded on 2026-09-29 (shape and values as in the API's sheet). */
#define FNG                                                                                                  \
    "{\"name\":\"Fear and Greed Index\",\"data\":[{\"value\":\"73\",\"value_classification\":\"Greed\","     \
    "\"timestamp\":\"1790640000\",\"time_until_update\":\"39845\"},{\"value\":\"74\","                       \
    "\"value_classification\":\"Greed\",\"timestamp\":\"1790553600\"}],\"metadata\":{\"error\":null}}"
#define SEEN ((csm_time)1790690000 * CSM_SECOND)

static void the_index_is_known_an_hour_after_midnight(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(0);
    parsed p = parse_text("alternative.fear_greed", &ask, FNG, SEEN);
    assert_int_equal(p.status, CSM_OK);
    const csm_table *rows = p.answer.parts[0].rows;
    assert_int_equal(csm_table_rows(rows), 2);
    assert_cell(rows, 0, "value", "74"); /* the oldest first */
    assert_cell(rows, 1, "time", "1790640000000000000");
    assert_cell(rows, 1, "available", "1790643600000000000");
    assert_cell(rows, 1, "value", "73");
    assert_string_equal(p.answer.cursor, "1790640000");
    csm_source_answer_free(&p.answer);
    /* ten minutes after midnight today's value is not taken yet */
    p = parse_text("alternative.fear_greed", &ask, FNG, (csm_time)1790640600 * CSM_SECOND);
    assert_int_equal(csm_table_rows(p.answer.parts[0].rows), 1);
    assert_string_equal(p.answer.cursor, "1790553600");
    csm_source_answer_free(&p.answer);
}

static void numbers_and_spaces_are_taken_but_contradictions_are_not(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(0);
    parsed p = parse_text("alternative.fear_greed", &ask,
                          "{\"data\":[{\"value\":40,\"timestamp\":\" 1699920000 \"},{\"value\":\"40\","
                          "\"timestamp\":1699920000}],\"metadata\":{\"error\":null}}",
                          NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_int_equal(csm_table_rows(p.answer.parts[0].rows), 1);
    csm_source_answer_free(&p.answer);
    p = parse_text("alternative.fear_greed", &ask, "{\"data\":null,\"metadata\":{\"error\":\"busy\"}}", NOW);
    assert_int_equal(p.status, CSM_ETRANSIENT);
    csm_source_answer_free(&p.answer);
    static const char *const replies[] = {
        "{\"data\":[{\"value\":\"101\",\"timestamp\":\"1699920000\"}]}",
        "{\"data\":[{\"value\":\"-1\",\"timestamp\":\"1699920000\"}]}",
        "{\"data\":[{\"value\":\"50\",\"timestamp\":\"1699920001\"}]}",
        "{\"data\":[{\"value\":\"50\",\"timestamp\":\"1800000000\"}]}",
        "{\"data\":[{\"value\":\"50\",\"timestamp\":\"1699833600\"},{\"value\":\"50\",\"timestamp\":"
        "\"1699920000\"}]}",
        "{\"data\":[{\"value\":\"50\",\"timestamp\":\"1699920000\"},{\"value\":\"51\",\"timestamp\":"
        "\"1699920000\"}]}",
        "{\"data\":[{\"value\":\"\",\"timestamp\":\"1699920000\"}]}",
        "{\"data\":[{\"value\":1e308,\"timestamp\":\"1699920000\"}]}",
        "{\"data\":[7]}",
        "{\"data\":null}",
        "{}",
        "",
    };
    refuse_all("alternative.fear_greed", replies, sizeof replies / sizeof replies[0]);
}

static void every_source_of_the_table_is_found_by_name(void **state) {
    (void)state;
    assert_true(csm_ingest_source_count() >= 5);
    for (size_t i = 0; i < csm_ingest_source_count(); i++) {
        const csm_source *source = csm_ingest_source_at(i);
        assert_ptr_equal(csm_ingest_source_find(source->name), source);
        assert_non_null(csm_source_driver_of(source));
        csm_table *table = NULL;
        assert_int_equal(csm_table_new(&table, source->kind), CSM_OK);
        csm_table_free(table);
    }
    assert_null(csm_ingest_source_at(csm_ingest_source_count()));
    assert_null(csm_ingest_source_find("nowhere"));
    assert_null(csm_ingest_source_find(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trades_keep_nanoseconds_and_the_cursor_verbatim),
        cmocka_unit_test(old_trades_of_six_fields_are_read_and_a_gap_to_the_page_before_is_told),
        cmocka_unit_test(a_short_last_is_no_cursor),
        cmocka_unit_test(the_xchange_recording_of_2013_is_read),
        cmocka_unit_test(trades_that_cannot_be_true_are_refused),
        cmocka_unit_test(a_full_page_asks_for_more_until_the_cursor_stands),
        cmocka_unit_test(a_ticker_is_a_snapshot_of_the_time_of_receipt),
        cmocka_unit_test(one_bad_ticker_does_not_spoil_the_others),
        cmocka_unit_test(tickers_of_the_wrong_shape_are_refused),
        cmocka_unit_test(a_book_has_bids_then_asks_best_first),
        cmocka_unit_test(books_that_cannot_be_true_are_refused),
        cmocka_unit_test(the_index_is_known_an_hour_after_midnight),
        cmocka_unit_test(numbers_and_spaces_are_taken_but_contradictions_are_not),
        cmocka_unit_test(every_source_of_the_table_is_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
