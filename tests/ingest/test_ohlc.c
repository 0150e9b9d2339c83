/* SPDX-License-Identifier: MIT */
#include "ingest/parse.h"
#include "ingest/decimal_text.h"

#include <cryptosmart/store.h>

#define NOW ((csm_time)1700000000 * CSM_SECOND)
#define REPLY(rows, last) "{\"error\":[],\"result\":{\"XXBTZUSD\":[" rows "],\"last\":" last "}}"
#define ROW(time) "[" time ",\"10.5\",\"11.0\",\"10.25\",\"10.75\",\"10.6\",\"3.50000000\",7]"
#define QUIET(time) "[" time ",\"10.5\",\"10.5\",\"10.5\",\"10.5\",\"0.0\",\"0.00000000\",0]"

static void the_recorded_reply_of_2017_becomes_bars(void **state) {
    (void)state;
    csm_buffer text = fixture_read("fixtures/kraken_rest/xchange_ohlc.json");
    csm_source_ask ask = ask_for(CSM_MINUTE);
    parsed p = parse_bytes("kraken.ohlc", &ask, text.data, text.length, NOW);
    if (p.status != CSM_OK) fail_msg("%s", csm_error_message());
    assert_int_equal(p.answer.part_count, 1);
    const csm_table *rows = p.answer.parts[0].rows;
    /* 720 rows, last = 1502445600: the row behind it is the open candle (read with Python's json) */
    assert_int_equal(csm_table_rows(rows), 719);
    assert_string_equal(p.answer.parts[0].native, "XXBTZUSD");
    assert_cell(rows, 0, "time", "1502402520000000000");
    assert_cell(rows, 0, "available", "1502402580000000000");
    assert_cell(rows, 0, "open", "3449.992");
    assert_cell(rows, 0, "high", "3449.999");
    assert_cell(rows, 1, "low", "3440.001");
    assert_cell(rows, 1, "volume", "7.36749998");
    assert_cell(rows, 1, "vwap", "3441.656");
    assert_cell(rows, 1, "trades", "12");
    assert_string_equal(p.answer.cursor, "1502445600");
    csm_source_answer_free(&p.answer);
    csm_buffer_free(&text);
}

static void the_open_bar_never_enters(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(CSM_MINUTE);
    /* last names 1699999860 as the newest closed bar */
    parsed p =
        parse_text("kraken.ohlc", &ask, REPLY(ROW("1699999860") "," ROW("1699999920"), "1699999860"), NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_int_equal(csm_table_rows(p.answer.parts[0].rows), 1);
    csm_source_answer_free(&p.answer);
    /* last says closed, but when the reply arrived the minute was not over */
    p = parse_text("kraken.ohlc", &ask, REPLY(ROW("1699999860") "," ROW("1699999980"), "1699999980"), NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_int_equal(csm_table_rows(p.answer.parts[0].rows), 1);
    assert_string_equal(p.answer.cursor, "1699999860");
    csm_source_answer_free(&p.answer);
}

static void an_interval_without_trade_has_no_price(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(CSM_MINUTE);
    parsed p =
        parse_text("kraken.ohlc", &ask,
                   REPLY(ROW("1699999740") "," QUIET("1699999800") "," ROW("1699999860"), "1699999860"), NOW);
    assert_int_equal(p.status, CSM_OK);
    const csm_table *rows = p.answer.parts[0].rows;
    assert_int_equal(csm_table_rows(rows), 3);
    assert_cell(rows, 1, "state", "1");
    assert_cell(rows, 1, "close", "-");
    assert_cell(rows, 1, "vwap", "-");
    assert_cell(rows, 1, "volume", "0.0");
    assert_cell(rows, 2, "state", "0");
    csm_source_answer_free(&p.answer);
}

static void an_interval_left_out_stays_out_and_is_told(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(CSM_MINUTE);
    parsed p =
        parse_text("kraken.ohlc", &ask, REPLY(ROW("1699999680") "," ROW("1699999860"), "1699999860"), NOW);
    assert_int_equal(p.status, CSM_OK);
    assert_int_equal(csm_table_rows(p.answer.parts[0].rows), 2);
    assert_string_equal(p.answer.note.data, "2 intervals missing between the candles");
    csm_source_answer_free(&p.answer);
}

static void rows_that_cannot_be_true_are_refused(void **state) {
    (void)state;
    static const char *const replies[] = {
        REPLY(ROW("1699999860") "," ROW("1699999860"), "1699999860"),                 /* twice */
        REPLY(ROW("1699999860") "," ROW("1699999800"), "1699999860"),                 /* backwards */
        REPLY(ROW("1699999861"), "1699999861"),                                       /* between minutes */
        REPLY(ROW("1800000000"), "1800000000"),                                       /* in the future */
        REPLY(ROW("-60"), "1699999860"),                                              /* before 1970 */
        REPLY("[1699999860,\"10\",\"9\",\"8\",\"9\",\"9\",\"1\",1]", "1699999860"),   /* high under open */
        REPLY("[1699999860,\"10\",\"11\",\"10\",\"9\",\"9\",\"1\",1]", "1699999860"), /* low over close */
        REPLY("[1699999860,\"0\",\"0\",\"0\",\"0\",\"0\",\"1\",1]", "1699999860"),    /* no price */
        REPLY("[1699999860,\"-1\",\"1\",\"-1\",\"1\",\"1\",\"1\",1]", "1699999860"),
        REPLY("[1699999860,\"NaN\",\"1\",\"1\",\"1\",\"1\",\"1\",1]", "1699999860"),
        REPLY("[1699999860,\"Infinity\",\"1\",\"1\",\"1\",\"1\",\"1\",1]", "1699999860"),
        REPLY("[1699999860,\"1e308\",\"1e308\",\"1\",\"1\",\"1\",\"1\",1]", "1699999860"),
        REPLY("[1699999860,\"1\",\"1\",\"1\",\"1\",\"1\",\"-1\",1]", "1699999860"),
        REPLY("[1699999860,\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",0]", "1699999860"), /* volume, no trade */
        REPLY("[1699999860,\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",-1]", "1699999860"),
        REPLY("[1699999860,\"1\",\"1\",\"1\",\"1\",\"1\",\"1\"]", "1699999860"),     /* short */
        REPLY("[1699999860,\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",1,1]", "1699999860"), /* long */
        REPLY("[1699999860,1,\"1\",\"1\",\"1\",\"1\",\"1\",1]", "1699999860"),       /* a number as double */
        REPLY("[1699999860,\"\",\"1\",\"1\",\"1\",\"1\",\"1\",1]", "1699999860"),
        REPLY(ROW("1699999860"), "\"1699999860\""),
        "{\"error\":[],\"result\":{\"A\":[],\"B\":[],\"last\":1}}",
        "{\"error\":[],\"result\":{\"A\":[]}}",
        "{\"error\":[],\"result\":{\"last\":1}}",
        "{\"error\":[],\"result\":{\"A\":[],\"last\":1,\"last\":1}}",
        "{\"error\":[],\"result\":{\"A\":[],\"last\":1}} x",
        "{\"error\":[],\"result\":[]}",
        "{\"result\":{\"A\":[],\"last\":1}}",
        "",
        "<html>",
        "null",
    };
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        csm_source_ask ask = ask_for(CSM_MINUTE);
        parsed p = parse_text("kraken.ohlc", &ask, replies[i], NOW);
        if (p.status != CSM_EPARSE) fail_msg("taken: %s", replies[i]);
        csm_source_answer_free(&p.answer);
    }
}

static void a_cut_reply_is_refused_at_every_thousandth_byte(void **state) {
    (void)state;
    csm_buffer text = fixture_read("fixtures/kraken_rest/xchange_ohlc.json");
    csm_source_ask ask = ask_for(CSM_MINUTE);
    for (size_t length = 0; length + 10 < text.length; length += 1000) {
        parsed p = parse_bytes("kraken.ohlc", &ask, text.data, length, NOW);
        assert_int_equal(p.status, CSM_EPARSE);
        csm_source_answer_free(&p.answer);
    }
    csm_buffer_free(&text);
}

static void an_error_string_has_its_own_status(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(CSM_HOUR);
    parsed p =
        parse_text("kraken.ohlc", &ask,
                   "{\"error\":[\"EQuery:Unknown asset pair\"],\"result\":{\"A\":[],\"last\":1}}", NOW);
    assert_int_equal(p.status, CSM_EPERMANENT);
    csm_source_answer_free(&p.answer);
    p = parse_text("kraken.ohlc", &ask, "{\"error\":[\"WGeneral:soon\"],\"result\":{\"A\":[],\"last\":1}}",
                   NOW);
    assert_int_equal(p.status, CSM_OK);
    csm_source_answer_free(&p.answer);
}

static void a_request_names_pair_minutes_and_cursor(void **state) {
    (void)state;
    const csm_source_driver *driver = csm_source_driver_of(csm_ingest_source_find("kraken.ohlc"));
    csm_market market = {.native = "XXBTZUSD"};
    csm_source_ask ask = ask_for(4 * CSM_HOUR);
    ask.base_url = "http://h/0";
    ask.market = &market;
    csm_buffer url = {0};
    assert_int_equal(driver->request(&url, &ask), CSM_OK);
    assert_string_equal(url.data, "http://h/0/public/OHLC?pair=XXBTZUSD&interval=240");
    csm_buffer_free(&url);
    url = (csm_buffer){0};
    ask.cursor = "1700000000";
    assert_int_equal(driver->request(&url, &ask), CSM_OK);
    assert_string_equal(url.data, "http://h/0/public/OHLC?pair=XXBTZUSD&interval=240&since=1699985600");
    csm_buffer_free(&url);
    url = (csm_buffer){0};
    ask.interval = 2 * CSM_HOUR;
    assert_int_equal(driver->request(&url, &ask), CSM_EINVAL);
    csm_buffer_free(&url);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    csm_source_ask ask = ask_for(CSM_MINUTE);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status != CSM_OK; n++) {
        csm_fault_allocation(n, false);
        parsed p = parse_text("kraken.ohlc", &ask,
                              REPLY(ROW("1699999680") "," ROW("1699999860"), "1699999860"), NOW);
        csm_fault_allocation(0, false);
        status = p.status;
        assert_true(status == CSM_OK || status == CSM_ENOMEM);
        csm_source_answer_free(&p.answer);
        assert_true(n < 200);
    }
}

static void assert_same_rows(const csm_table *a, const csm_table *b) {
    assert_int_equal(csm_table_rows(a), csm_table_rows(b));
    for (size_t c = 0; c < csm_table_columns(a); c++)
        for (size_t r = 0; r < csm_table_rows(a); r++) {
            csm_decimal x = {csm_table_ticks(a, c)[r], csm_table_scale(a, c), 0};
            csm_decimal y = {csm_table_ticks(b, c)[r], csm_table_scale(b, c), 0};
            if (x.ticks == CSM_CELL_MISSING || y.ticks == CSM_CELL_MISSING)
                assert_true(x.ticks == y.ticks);
            else
                assert_int_equal(csm_decimal_compare(x, y), 0);
        }
}

/* The recording is pretty-printed and goes the exact way; without white space it goes the quick one. */
static void the_quick_way_and_the_exact_one_give_the_same_bars(void **state) {
    (void)state;
    csm_buffer text = fixture_read("fixtures/kraken_rest/xchange_ohlc.json");
    csm_source_ask ask = ask_for(CSM_MINUTE);
    char *tight = malloc(text.length + 1);
    size_t length = 0;
    assert_non_null(tight);
    for (size_t i = 0; i < text.length; i++)
        if (strchr(" \n\r\t", text.data[i]) == NULL) tight[length++] = text.data[i];
    parsed exact = parse_bytes("kraken.ohlc", &ask, text.data, text.length, NOW);
    parsed quick = parse_bytes("kraken.ohlc", &ask, tight, length, NOW);
    assert_int_equal(exact.status, CSM_OK);
    assert_int_equal(quick.status, CSM_OK);
    assert_same_rows(exact.answer.parts[0].rows, quick.answer.parts[0].rows);
    csm_source_answer_free(&exact.answer);
    csm_source_answer_free(&quick.answer);
    free(tight);
    csm_buffer_free(&text);
}

static void decimals_of_the_quick_path_are_those_of_the_exact_type(void **state) {
    (void)state;
    static const char *const texts[] = {"0",
                                        "0.0",
                                        "00.10",
                                        "1",
                                        "100",
                                        "123.4500",
                                        "0.00000001",
                                        "999999999999999999",
                                        "0.99999999999999999",
                                        "1.",
                                        ".5",
                                        "1e3",
                                        "-1",
                                        "+1",
                                        "",
                                        " 1",
                                        "1 ",
                                        "1.2.3",
                                        "0x1",
                                        "12345678901234567890",
                                        "1000000000000000000000.00",
                                        "1.e5"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        csm_decimal quick = {0}, exact = {0};
        csm_slice slice = {texts[i], strlen(texts[i])};
        csm_status a = csm_decimal_from_slice(&quick, slice);
        csm_status b = csm_decimal_parse(&exact, texts[i], slice.length);
        assert_int_equal(a, b);
        if (a == CSM_OK && (quick.ticks != exact.ticks || quick.scale != exact.scale))
            fail_msg("%s differs", texts[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_recorded_reply_of_2017_becomes_bars),
        cmocka_unit_test(the_open_bar_never_enters),
        cmocka_unit_test(an_interval_without_trade_has_no_price),
        cmocka_unit_test(an_interval_left_out_stays_out_and_is_told),
        cmocka_unit_test(rows_that_cannot_be_true_are_refused),
        cmocka_unit_test(a_cut_reply_is_refused_at_every_thousandth_byte),
        cmocka_unit_test(an_error_string_has_its_own_status),
        cmocka_unit_test(a_request_names_pair_minutes_and_cursor),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(the_quick_way_and_the_exact_one_give_the_same_bars),
        cmocka_unit_test(decimals_of_the_quick_path_are_those_of_the_exact_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
