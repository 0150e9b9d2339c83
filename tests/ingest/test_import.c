/* SPDX-License-Identifier: MIT */
#include "ingest/import_rows.h"
#include "ingest/parse.h"
#include "discover/workspace.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#define HEAD "ts,open,high,low,close,volume\n"
#define H1 "1700006400,10,12,9.5,11,3.25\n" /* 2023-11-15T00:00Z */
#define H2 "1700010000,11,11,11,11,0\n"
#define H4 "1700017200,11,13,11,12.75,0.00000001\n"
#define H5 "1700020800,12.75,13,12,12,7\n"

static csm_import_options options_for(const char *venue, const char *quote) {
    csm_import_options options;
    csm_import_options_init(&options);
    options.venue = venue;
    options.quote = quote;
    options.origin = "test data";
    return options;
}

static csm_ingest_report *import_path(const workspace *w, const char *path,
                                      const csm_import_options *options) {
    csm_ingest_report *report = NULL;
    assert_ok(csm_ingest_import(&report, w->context, w->store, path, options));
    return report;
}

/* libarchive writes what libarchive reads: the formats themselves are not what is tested here. */
static const char *pack(const workspace *w, const char *name, bool zip, const char *const *entries,
                        const char *const *texts, size_t count) {
    static char path[800];
    snprintf(path, sizeof path, "%s/%s", w->path, name);
    struct archive *writer = archive_write_new();
    if (zip)
        archive_write_set_format_zip(writer);
    else {
        archive_write_set_format_raw(writer);
        if (strstr(name, ".xz") != NULL) archive_write_add_filter_xz(writer);
        if (strstr(name, ".gz") != NULL) archive_write_add_filter_gzip(writer);
    }
    assert_int_equal(archive_write_open_filename(writer, path), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, entries[i]);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)strlen(texts[i]));
        assert_int_equal(archive_write_header(writer, entry), ARCHIVE_OK);
        assert_true(archive_write_data(writer, texts[i], strlen(texts[i])) >= 0);
        archive_entry_free(entry);
    }
    archive_write_close(writer);
    archive_write_free(writer);
    return path;
}

static void a_csv_becomes_bars_without_its_last_one(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    csm_ingest_report *report = import_path(w, workspace_text(w, "BTC.csv", HEAD H1 H2 H4 H5), &options);
    assert_int_equal(csm_ingest_report_count(report), 1);
    const csm_ingest_item *item = csm_ingest_report_at(report, 0);
    assert_string_equal(item->market, "binance:BTC/USDT");
    assert_string_equal(item->source, "BTC.csv");
    assert_string_equal(item->text, "last bar dropped; 1 intervals missing in 1 gaps");
    assert_int_equal(item->rows, 3);
    assert_int_equal(item->newest, (csm_time)1700017200 * CSM_SECOND);
    csm_table *bars = workspace_read(w, "bars", "binance", "BTC/USDT", CSM_HOUR, 1);
    assert_int_equal(csm_table_rows(bars), 3);
    assert_cell(bars, 0, "available", "1700010000000000000");
    assert_cell(bars, 0, "low", "9.50");
    assert_cell(bars, 1, "state", "1"); /* volume 0 at one price: nobody traded */
    assert_cell(bars, 1, "close", "-");
    assert_cell(bars, 2, "volume", "0.00000001");
    csm_table_free(bars);
    csm_ingest_report_free(report);
}

static void importing_twice_stores_nothing_twice(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    const char *path = workspace_text(w, "BTC.csv", HEAD H1 H2 H4 H5);
    csm_ingest_report_free(import_path(w, path, &options));
    csm_ingest_report *report = import_path(w, path, &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 0);
    csm_ingest_report_free(report);
}

static void provenance_names_file_hash_and_origin(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    csm_ingest_report_free(import_path(w, workspace_text(w, "BTC.csv", HEAD H1 H2), &options));
    csm_stream_list *list = NULL;
    assert_ok(csm_store_streams(&list, w->store, "bars", "binance"));
    assert_int_equal(csm_stream_list_count(list), 1);
    assert_string_equal(csm_stream_list_at(list, 0)->source, "import.csv");
    assert_string_equal(csm_stream_list_at(list, 0)->origin, "test data");
    csm_stream_list_free(list);
    options.origin = NULL;
    csm_ingest_report *report = NULL;
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, w->path, &options), CSM_EPROVENANCE);
}

static void packed_files_and_folders_are_read(void **state) {
    const workspace *w = *state;
    const char *text[] = {HEAD H1 H2 H4};
    const char *name[] = {"data"};
    csm_import_options options = options_for("binance", "USDT");
    pack(w, "ETH.csv.xz", false, name, text, 1);
    pack(w, "LTC.csv.gz", false, name, text, 1);
    workspace_text(w, "_coverage.csv", "symbol,rows\nETH,3\n");
    workspace_text(w, "notes.txt", "nothing");
    workspace_text(w, "XRP.csv", HEAD H1 H2 H4);
    csm_ingest_report *report = import_path(w, w->path, &options);
    assert_int_equal(csm_ingest_report_count(report), 3);
    assert_string_equal(csm_ingest_report_at(report, 0)->market, "binance:ETH/USDT");
    assert_string_equal(csm_ingest_report_at(report, 1)->market, "binance:LTC/USDT");
    assert_string_equal(csm_ingest_report_at(report, 2)->market, "binance:XRP/USDT");
    for (size_t i = 0; i < 3; i++) assert_int_equal(csm_ingest_report_at(report, i)->rows, 2);
    csm_ingest_report_free(report);
}

static void one_bad_file_of_a_folder_does_not_stop_the_others(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    workspace_text(w, "ETH.csv", HEAD H1 "1700010000,10,9,8,9,1\n" H4);
    workspace_text(w, "LTC.csv", HEAD H1 H2 H4);
    csm_ingest_report *report = import_path(w, w->path, &options);
    assert_int_equal(csm_ingest_report_count(report), 2);
    assert_int_equal(csm_ingest_report_at(report, 0)->net_class, CSM_NET_PARSE);
    assert_string_equal(csm_ingest_report_at(report, 0)->text,
                        "ETH.csv: line 3: high is under open: \"1700010000\"");
    assert_int_equal(csm_ingest_report_at(report, 1)->rows, 2);
    csm_table *bars = workspace_read(w, "bars", "binance", "ETH/USDT", CSM_HOUR, 1);
    assert_int_equal(csm_table_rows(bars), 0);
    csm_table_free(bars);
    csm_ingest_report_free(report);
}

/* What the store alone can see: other values that claim to have been known at the same time. */
static void a_file_the_store_refuses_leaves_the_others_of_its_group(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    const char *name[] = {"ADA.csv", "BTC.csv", "ETH.csv", "later/ADA.csv"};
    const char *text[] = {HEAD H1 H2 H4, HEAD "1700006400,10,12,9.5,11.5,3.25\n" H2 H5, HEAD H1 H4 H5,
                          HEAD H2 H4 H5};
    options.drop_last = 0;
    csm_ingest_report_free(import_path(w, workspace_text(w, "BTC.csv", HEAD H1 H2), &options));
    csm_ingest_report *report = import_path(w, pack(w, "all.zip", true, name, text, 4), &options);
    assert_int_equal(csm_ingest_report_count(report), 4);
    static const int rows[] = {3, 0, 3, 1}; /* the later ADA begins a group: two of its rows are known then */
    for (size_t i = 0; i < 4; i++) assert_int_equal(csm_ingest_report_at(report, i)->rows, rows[i]);
    assert_int_equal(csm_ingest_report_at(report, 0)->newest, (csm_time)1700017200 * CSM_SECOND);
    assert_int_equal(csm_ingest_report_at(report, 2)->newest, (csm_time)1700020800 * CSM_SECOND);
    const csm_ingest_item *refused = csm_ingest_report_at(report, 1);
    assert_string_equal(refused->source, "BTC.csv");
    assert_int_equal(refused->net_class, CSM_NET_PARSE);
    assert_non_null(strstr(refused->text, "contradict"));
    csm_ingest_report_free(report);
    csm_table *bars = workspace_read(w, "bars", "binance", "BTC/USDT", CSM_HOUR, 1);
    assert_int_equal(csm_table_rows(bars), 2); /* no row of the refused file */
    csm_table_free(bars);
}

static void a_zip_of_ohlcvt_needs_the_registry_or_a_symbol(void **state) {
    const workspace *w = *state;
    const char *names[] = {"data/XBTUSD_60.csv", "data/XBTUSD_1.csv", "__MACOSX/._XBTUSD_60.csv",
                           "data/readme.txt"};
    const char *texts[] = {
        "1700006400,10,12,9.5,11,3.25,5\n1700010000,11,12,11,12,1,2\n1700013600,12,12,12,12,1,1\n",
        "1700006400,10,12,9.5,11,3.25,5\n1700006460,10,12,9.5,11,3.25,5\n", "junk", "junk"};
    const char *path = pack(w, "Kraken.zip", true, names, texts, 4);
    csm_import_options options = options_for("kraken", NULL);
    csm_ingest_report *report = NULL;
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, &options), CSM_ENOTFOUND);
    options.symbol = "BTC/USD";
    options.interval = CSM_HOUR; /* the entry of minutes is left aside */
    report = import_path(w, path, &options);
    assert_int_equal(csm_ingest_report_count(report), 1);
    assert_string_equal(csm_ingest_report_at(report, 0)->source, "XBTUSD_60.csv");
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 2);
    csm_table *bars = workspace_read(w, "bars", "kraken", "BTC/USD", CSM_HOUR, 1);
    assert_cell(bars, 0, "trades", "5");
    csm_table_free(bars);
    csm_ingest_report_free(report);
}

static void the_interval_comes_from_name_rows_or_caller(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("kraken", NULL);
    options.symbol = "BTC/USD";
    csm_ingest_report_free(import_path(
        w, workspace_text(w, "XBTUSD_240.csv", "1700006400,1,1,1,1,1,1\n1700020800,1,1,1,1,1,1\n"),
        &options));
    csm_table *bars = workspace_read(w, "bars", "kraken", "BTC/USD", 4 * CSM_HOUR, 1);
    assert_int_equal(csm_table_rows(bars), 1);
    csm_table_free(bars);
    csm_ingest_report *report = NULL;
    assert_int_equal(
        csm_ingest_import(&report, w->context, w->store, workspace_text(w, "BTC.csv", HEAD H1), &options),
        CSM_EPARSE); /* one row tells no interval */
    options.interval = CSM_HOUR;
    options.drop_last = 0;
    report = import_path(w, workspace_text(w, "BTC.csv", HEAD H1), &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 1);
    csm_ingest_report_free(report);
    options.interval = CSM_DAY; /* 01:00 is no multiple of a day */
    assert_int_equal(
        csm_ingest_import(&report, w->context, w->store, workspace_text(w, "BTC.csv", HEAD H1 H2), &options),
        CSM_EPARSE);
    assert_non_null(strstr(csm_error_message(), "line 3"));
}

static void rows_outside_the_range_are_left_out_and_counted(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    options.from = (csm_time)1700010000 * CSM_SECOND;
    options.to = (csm_time)1700017200 * CSM_SECOND;
    csm_ingest_report *report = import_path(w, workspace_text(w, "BTC.csv", HEAD H1 H2 H4 H5), &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 1);
    assert_string_equal(csm_ingest_report_at(report, 0)->text, "last bar dropped; 2 rows outside the range");
    csm_ingest_report_free(report);
}

static void rows_that_cannot_be_true_are_refused_with_their_line(void **state) {
    const workspace *w = *state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {HEAD H1 H1, "line 3: not after the line before"},
        {HEAD H2 H1, "line 3: not after the line before"},
        {HEAD H1 "1700010000,NaN,1,1,1,1\n", "line 3: no decimal: \"NaN\""},
        {HEAD H1 "1700010000,1,inf,1,1,1\n", "line 3: no decimal: \"inf\""},
        {HEAD H1 "1700010000,1,1e308,1,1,1\n", "line 3: no decimal: \"1e308\""},
        {HEAD H1 "1700010000,1,1,-1,1,1\n", "line 3: low is not positive"},
        {HEAD H1 "1700010000,1,1,1,1,-1\n", "line 3: volume is negative"},
        {HEAD H1 "1700010000,1,1,1,1\n", "line 3: another number of fields"},
        {HEAD H1 "1700010000.5,1,1,1,1,1\n", "line 3: no time in Unix seconds"},
        {HEAD H1 "-3600,1,1,1,1,1\n", "line 3: no time in Unix seconds"},
        {HEAD H1 "1800000000,1,1,1,1,1\n", "line 3: in the future"},
        {HEAD H1 "\n" H2, "line 4: a record after an empty line"},
        {HEAD H1 "1700010000,,1,1,1,1\n", "line 3: no decimal: \"\""},
        {HEAD H1 "1700010000,\"1\",1,1,1,1\n", "line 3: no decimal"},
        {HEAD, "no rows"},
        {"", "empty"},
        {"ts,open,high,low,close,volume_usd\n" H1, "line 1: neither"},
        {"<html>\n", "line 1: neither"},
    };
    csm_import_options options = options_for("binance", "USDT");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        csm_ingest_report *report = NULL;
        csm_status status = csm_ingest_import(&report, w->context, w->store,
                                              workspace_text(w, "BTC.csv", cases[i].text), &options);
        if (status != CSM_EPARSE || strstr(csm_error_message(), cases[i].message) == NULL)
            fail_msg("case %zu: %s: %s", i, csm_status_name(status), csm_error_message());
    }
    csm_table *bars = workspace_read(w, "bars", "binance", "BTC/USDT", CSM_HOUR, 1);
    assert_int_equal(csm_table_rows(bars), 0);
    csm_table_free(bars);
}

static void a_line_without_end_and_damaged_archives_are_refused(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    csm_ingest_report *report = NULL;
    char *endless = calloc(1, 10001);
    assert_non_null(endless);
    memset(endless, '1', 10000);
    assert_int_equal(
        csm_ingest_import(&report, w->context, w->store, workspace_text(w, "A.csv", endless), &options),
        CSM_EPARSE);
    free(endless);
    const char *text[] = {HEAD H1 H2 H4 H5};
    const char *name[] = {"data"};
    static const char *const packed[] = {"ETH.csv.xz", "ETH.csv.gz", "ETH.zip"};
    for (size_t i = 0; i < 3; i++) {
        csm_buffer bytes = {0};
        const char *inner[] = {"ETH.csv"};
        const char *path = pack(w, packed[i], i == 2, i == 2 ? inner : name, text, 1);
        assert_ok(csm_file_read(&bytes, path, 1 << 20));
        for (size_t length = 1; length < bytes.length; length += 5) { /* cut anywhere: never all the rows */
            csm_status status = csm_ingest_import(&report, w->context, w->store,
                                                  workspace_file(w, packed[i], bytes.data, length), &options);
            if (status == CSM_OK) { /* a zip without its index is whole when its entry is */
                assert_int_equal(i, 2);
                csm_ingest_report_free(report);
            } else {
                assert_true(status == CSM_EPARSE || status == CSM_ENOTFOUND);
            }
        }
        csm_buffer_free(&bytes);
    }
}

static void an_archive_that_bursts_is_refused(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    csm_ingest_report *report = NULL;
    /* One line repeats what cannot repeat; the parser stops it long before the ratio does. */
    csm_buffer text = {0};
    assert_ok(csm_buffer_printf(&text, HEAD));
    for (int i = 0; i < 200000; i++) assert_ok(csm_buffer_append(&text, "1,1,1,1,1,1\n", 12));
    const char *name[] = {"data"};
    const char *texts[] = {text.data};
    const char *path = pack(w, "ETH.csv.xz", false, name, texts, 1);
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, &options), CSM_EPARSE);
    csm_buffer_free(&text);
}

static void fear_and_greed_days_enter_as_values(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("alternative.me", NULL);
    csm_ingest_report *report = import_path(
        w,
        workspace_text(w, "fng.csv",
                       "date,value,classification\n2018-02-01,30,Fear\n2018-02-02,15,Extreme Fear\n"),
        &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 2);
    csm_table *values = workspace_read(w, "value", "alternative.me", "fear_greed", 0, 1);
    assert_int_equal(csm_table_rows(values), 2);
    assert_cell(values, 0, "available", "1517446800000000000"); /* 2018-02-01T01:00Z */
    assert_cell(values, 1, "value", "15");
    csm_table_free(values);
    csm_ingest_report_free(report);
    assert_int_equal(
        csm_ingest_import(&report, w->context, w->store,
                          workspace_text(w, "f2.csv", "date,value,classification\n2018-02-01,101,Fear\n"),
                          &options),
        CSM_EPARSE);
}

static void recorded_fear_and_greed_keeps_its_missing_days(void **state) {
    const workspace *w = *state;
    csm_buffer text = fixture_read("data/sentiment/fear_greed/fear_greed_daily.csv");
    ((workspace *)w)->now = (csm_time)1767225600 * CSM_SECOND;
    csm_import_options options = options_for("alternative.me", NULL);
    csm_ingest_report *report =
        import_path(w, workspace_file(w, "fng.csv", text.data, text.length), &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows,
                     2870); /* SOURCES.md; 2018-04-14..16 and 2024-10-26 missing */
    assert_string_equal(csm_ingest_report_at(report, 0)->text, "4 intervals missing in 2 gaps");
    csm_ingest_report_free(report);
    csm_buffer_free(&text);
}

static void a_relisted_coin_is_split_into_epochs(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    csm_buffer text = fixture_read("data/market/binance_spot_1h_2021_2023/LUNA.csv.xz");
    csm_ingest_report *report =
        import_path(w, workspace_file(w, "LUNA.csv", text.data, text.length), &options);
    assert_non_null(strstr(csm_ingest_report_at(report, 0)->text, "split by listing epoch"));
    csm_table *before = workspace_read(w, "bars", "binance", "LUNA/USDT", CSM_HOUR, 1);
    csm_table *after = workspace_read(w, "bars", "binance", "LUNA/USDT", CSM_HOUR, 2);
    assert_true(csm_table_rows(before) > 0 && csm_table_rows(after) > 0);
    assert_int_equal(csm_table_ticks(before, 0)[csm_table_rows(before) - 1] / CSM_SECOND, 1652400000);
    assert_int_equal(csm_table_ticks(after, 0)[0] / CSM_SECOND, 1653976800);
    csm_table_free(before);
    csm_table_free(after);
    csm_ingest_report_free(report);
    csm_buffer_free(&text);
}

/* 70253 rows with 10856 missing hours: _coverage.csv of the recording, counted by its author's script. */
static void krakens_own_archive_is_imported_whole(void **state) {
    const workspace *w = *state;
    csm_buffer text = fixture_read("data/market/kraken_spot_1h_xbt_eth/XBTUSD.csv.xz");
    csm_import_options options = options_for("kraken", NULL);
    options.symbol = "BTC/USD";
    options.drop_last = 0;
    csm_ingest_report *report =
        import_path(w, workspace_file(w, "XBTUSD.csv", text.data, text.length), &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 70253);
    assert_string_equal(csm_ingest_report_at(report, 0)->text, "10856 intervals missing in 3254 gaps");
    csm_ingest_report_free(report);
    csm_buffer_free(&text);
}

static void wrong_options_are_refused(void **state) {
    const workspace *w = *state;
    csm_ingest_report *report = NULL;
    csm_import_options options = options_for(NULL, "USDT");
    const char *path = workspace_text(w, "BTC.csv", HEAD H1 H2);
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, &options), CSM_EINVAL);
    options = options_for("binance", "USDT");
    options.format = 9;
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, &options), CSM_EINVAL);
    options = options_for("binance", "USDT");
    options.from = options.to;
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, &options), CSM_EINVAL);
    options = options_for("binance", NULL);
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, &options), CSM_EINVAL);
    options = options_for("binance", "../x");
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, &options), CSM_EINVAL);
    options = options_for("binance", "USDT");
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, "/nowhere/BTC.csv", &options),
                     CSM_ENOTFOUND);
    assert_int_equal(csm_ingest_import(&report, w->context, w->store, path, NULL), CSM_EINVAL);
    assert_int_equal(csm_ingest_import(NULL, w->context, w->store, path, &options), CSM_EINVAL);
    options.size = offsetof(csm_import_options, from); /* an older, smaller struct */
    assert_ok(csm_ingest_import(&report, w->context, w->store, path, &options));
    csm_ingest_report_free(report);
}

static void every_failed_allocation_leaves_no_trace(void **state) {
    const workspace *w = *state;
    csm_import_options options = options_for("binance", "USDT");
    const char *path = workspace_text(w, "BTC.csv", HEAD H1 H2 H4);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status != CSM_OK; n++) {
        csm_ingest_report *report = NULL;
        csm_fault_allocation(n, false);
        status = csm_ingest_import(&report, w->context, w->store, path, &options);
        csm_fault_allocation(0, false);
        if (status != CSM_OK && status != CSM_ENOMEM)
            fail_msg("%s: %s", csm_status_name(status), csm_error_message());
        assert_true((status == CSM_OK) == (report != NULL));
        csm_ingest_report_free(report);
        assert_true(n < 5000);
    }
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, workspace_setup, workspace_teardown)

/* Whole lines at hand are taken in one pass, pieces of lines are held and split: every form of number reads the same. */
static void a_file_reads_the_same_whole_and_in_pieces(void **state) {
    (void)state;
    static const char *const numbers[] = {"10",          "10.5",
                                          "0010.5000",   "123456.12345678",
                                          "1234567.1",   "12345678.1",
                                          "9.123456789", "10.",
                                          "1e1",         "10.5.5",
                                          "-10",         "",
                                          "x",           "123456789012345678.5"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        csm_import_rows whole, pieces;
        csm_buffer text = {0};
        assert_ok(csm_buffer_printf(&text, "ts,open,high,low,close,volume,trades\n"));
        for (int k = 0; k < 12; k++) {
            const char *n = k == 2 ? numbers[i] : "10";
            assert_ok(csm_buffer_printf(&text, "%d,%s,200000000000000000,0.5,%s,%s,%d\r\n",
                                        1700006400 + 3600 * k, n, n, n, k));
        }
        csm_import_rows_init(&whole, CSM_IMPORT_AUTO, 0, CSM_TIME_MAX);
        csm_import_rows_init(&pieces, CSM_IMPORT_AUTO, 0, CSM_TIME_MAX);
        const csm_status one = csm_import_rows_push(&whole, text.data, text.length);
        csm_status many = CSM_OK;
        for (size_t at = 0; at < text.length && many == CSM_OK; at++)
            many = csm_import_rows_push(&pieces, text.data + at, 1);
        assert_int_equal(one, many);
        assert_int_equal(csm_table_rows(whole.table), csm_table_rows(pieces.table));
        for (size_t c = 0; c < csm_table_columns(whole.table); c++) {
            assert_int_equal(csm_table_scale(whole.table, c), csm_table_scale(pieces.table, c));
            assert_memory_equal(csm_table_ticks(whole.table, c), csm_table_ticks(pieces.table, c),
                                csm_table_rows(whole.table) * sizeof(int64_t));
        }
        csm_import_rows_free(&whole);
        csm_import_rows_free(&pieces);
        csm_buffer_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_reads_the_same_whole_and_in_pieces),
        with_store(a_csv_becomes_bars_without_its_last_one),
        with_store(importing_twice_stores_nothing_twice),
        with_store(provenance_names_file_hash_and_origin),
        with_store(packed_files_and_folders_are_read),
        with_store(one_bad_file_of_a_folder_does_not_stop_the_others),
        with_store(a_file_the_store_refuses_leaves_the_others_of_its_group),
        with_store(a_zip_of_ohlcvt_needs_the_registry_or_a_symbol),
        with_store(the_interval_comes_from_name_rows_or_caller),
        with_store(rows_outside_the_range_are_left_out_and_counted),
        with_store(rows_that_cannot_be_true_are_refused_with_their_line),
        with_store(a_line_without_end_and_damaged_archives_are_refused),
        with_store(an_archive_that_bursts_is_refused),
        with_store(fear_and_greed_days_enter_as_values),
        with_store(recorded_fear_and_greed_keeps_its_missing_days),
        with_store(a_relisted_coin_is_split_into_epochs),
        with_store(krakens_own_archive_is_imported_whole),
        with_store(wrong_options_are_refused),
        with_store(every_failed_allocation_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
