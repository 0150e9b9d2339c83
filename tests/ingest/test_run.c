/* SPDX-License-Identifier: MIT */
/* Sources run against recorded replies (a cassette) and a real HTTP server on the loopback. */
#include "ingest/parse.h"
#include "discover/workspace.h"
#include "net/loopback.h"
#include "store/catalog.h"

#include <zlib.h>

#define CASSETTE CSM_SOURCE_DIR "/tests/ingest/cassettes/kraken.jsonl"
#define HOUR_OF_THE_TAPE ((csm_time)1688672700 * CSM_SECOND) /* 2023-07-06T19:45Z */

static csm_net *net_open(const workspace *w, bool tape) {
    csm_net *net = NULL;
    csm_net_options options;
    csm_net_options_init(&options);
    options.cassette_path = tape ? CASSETTE : NULL;
    options.cassette_mode = tape ? CSM_CASSETTE_REPLAY : CSM_CASSETTE_OFF;
    assert_ok(csm_net_new(&net, w->context, &options));
    return net;
}

static csm_market market_named(const char *native, const char *symbol) {
    return (csm_market){.id = symbol,
                        .venue = "kraken",
                        .symbol = symbol,
                        .coin = "BTC",
                        .quote = "USD",
                        .native = native,
                        .altname = "",
                        .status = "online",
                        .listed = CSM_TIME_MIN,
                        .delisted = CSM_TIME_MAX,
                        .epoch = 1};
}

static csm_ingest_report *run_source(const workspace *w, csm_net *net, const char *name,
                                     const csm_market *market, const csm_ingest_options *options) {
    csm_ingest_report *report = NULL;
    assert_ok(csm_ingest_run(&report, w->context, w->store, net, csm_ingest_source_find(name), &market,
                             market != NULL, options));
    return report;
}

static const char *catalog_text(const workspace *w, const char *sql) {
    static char text[256];
    csm_statement *s = NULL;
    bool row = false;
    assert_ok(csm_catalog_prepare(&s, w->store, sql));
    assert_ok(csm_statement_step(s, &row));
    snprintf(text, sizeof text, "%s",
             row && csm_statement_text(s, 0) != NULL ? csm_statement_text(s, 0) : "none");
    csm_statement_close(s);
    return text;
}

static void a_recorded_session_fills_registry_and_store(void **state) {
    workspace *w = *state;
    w->now = HOUR_OF_THE_TAPE;
    csm_net *net = net_open(w, true);
    csm_discovery *discovery = NULL;
    assert_ok(csm_discover_kraken(&discovery, w->context, w->store, net, NULL, NULL));
    assert_int_equal(csm_discovery_coverage(discovery)->pairs_offered, 2);
    csm_discovery_free(discovery);
    const csm_market market = market_named("XXBTZUSD", "BTC/USD");
    const csm_time minute = CSM_MINUTE;
    csm_ingest_options options;
    csm_ingest_options_init(&options);
    options.intervals = &minute;
    options.interval_count = 1;
    csm_ingest_report *report = run_source(w, net, "kraken.ohlc", &market, &options);
    assert_int_equal(csm_ingest_report_count(report), 1);
    assert_string_equal(csm_ingest_report_at(report, 0)->text, "");
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 4);
    assert_int_equal(csm_ingest_report_at(report, 0)->requests, 1);
    assert_int_equal(csm_ingest_report_at(report, 0)->newest, (csm_time)1688671380 * CSM_SECOND);
    csm_ingest_report_free(report);
    report = run_source(w, net, "kraken.trades", &market, NULL);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 3);
    assert_string_equal(csm_ingest_report_at(report, 0)->text, "2 trade ids missing");
    csm_ingest_report_free(report);
    assert_string_equal(catalog_text(w, "SELECT cursor FROM ingest_cursors WHERE source = 'kraken.trades'"),
                        "1688671969993150842");
    report = run_source(w, net, "kraken.depth", &market, NULL);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 6);
    csm_ingest_report_free(report);
    report = run_source(w, net, "kraken.ticker", &market, NULL);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 1);
    assert_string_equal(csm_ingest_report_at(report, 0)->market, "");
    csm_ingest_report_free(report);
    report = run_source(w, net, "alternative.fear_greed", NULL, NULL);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 2);
    csm_ingest_report_free(report);
    csm_net_free(net);
}

static void raw_replies_of_sentiment_are_kept_compressed(void **state) {
    workspace *w = *state;
    w->now = HOUR_OF_THE_TAPE;
    csm_net *net = net_open(w, true);
    csm_ingest_report_free(run_source(w, net, "alternative.fear_greed", NULL, NULL));
    csm_net_free(net);
    csm_statement *s = NULL;
    bool row = false;
    size_t length = 0;
    char body[2000];
    uLongf size = sizeof body;
    assert_ok(csm_catalog_prepare(&s, w->store, "SELECT body, bytes, source, request FROM raw_replies"));
    assert_ok(csm_statement_step(s, &row));
    assert_true(row);
    const void *packed = csm_statement_blob(s, 0, &length);
    assert_int_equal(uncompress((Bytef *)body, &size, packed, (uLong)length), Z_OK);
    assert_int_equal(size, csm_statement_i64(s, 1));
    assert_memory_equal(body, "{\"name\":\"Fear and Greed Index\"", 30);
    assert_string_equal(csm_statement_text(s, 2), "alternative.fear_greed");
    assert_string_equal(csm_statement_text(s, 3), "https://api.alternative.me/fng/?limit=10");
    csm_statement_close(s);
}

/* ---- a server that answers what the test says ---- */

typedef struct script {
    csm_time now;  /* seconds */
    int first_id;  /* of the trades of a page */
    int fail_pair; /* 1: BADUSD is unknown */
    int revise;    /* 1: the second bar's close differs */
    char seen[8][256];
    atomic_uint seen_count;
} script;

static void answer_trades(int fd, const script *s, const loopback_request *request) {
    csm_buffer body = {0};
    const char *since = strstr(request->path, "since=");
    long long after = since != NULL ? atoll(since + 6) / 1000000000 : s->now - 3000;
    long long begin = after + 1, end = begin + 1000 < s->now ? begin + 1000 : s->now;
    csm_buffer_printf(&body, "{\"error\":[],\"result\":{\"XXBTZUSD\":[");
    for (long long t = begin; t < end; t++)
        csm_buffer_printf(&body, "%s[\"%lld.5\",\"0.25\",%lld.0,\"b\",\"l\",\"\",%lld]", t > begin ? "," : "",
                          100 + t % 7, t, t - (s->now - 3000));
    csm_buffer_printf(&body, "],\"last\":\"%lld000000000\"}}", end > begin ? end - 1 : after);
    loopback_reply(fd, 200, "Content-Type: application/json\r\n", body.data, body.length);
    csm_buffer_free(&body);
}

static void answer_ohlc(int fd, const script *s, const loopback_request *request) {
    char body[1024];
    long long hour = s->now / 3600 * 3600;
    const char *pair = strstr(request->path, "OTHUSD") != NULL ? "XXBTZUSD" : "TESTUSD";
    snprintf(body, sizeof body,
             "{\"error\":[],\"result\":{\"%s\":[[%lld,\"1\",\"2\",\"1\",\"2\",\"1.5\",\"4\",3],"
             "[%lld,\"2\",\"3\",\"2\",\"%s\",\"2.5\",\"4\",3],[%lld,\"2\",\"2\",\"2\",\"2\",\"2\",\"1\",1]],"
             "\"last\":%lld}}",
             pair, hour - 7200, hour - 3600, s->revise ? "3" : "2.5", hour, hour - 3600);
    loopback_text(fd, 200, "Content-Type: application/json\r\n", body);
}

static void answer(loopback *server, int fd, const loopback_request *request, void *user) {
    script *s = user;
    (void)server;
    unsigned index = atomic_fetch_add(&s->seen_count, 1);
    if (index < 8) snprintf(s->seen[index], sizeof s->seen[index], "%.255s", request->path);
    if (strstr(request->path, "BADUSD") != NULL)
        loopback_text(fd, 200, NULL, "{\"error\":[\"EQuery:Unknown asset pair\"]}");
    else if (strstr(request->path, "CUTUSD") != NULL)
        loopback_text(fd, 200, NULL, "{\"error\":[],\"result\":{\"CUTUSD\":[[1,}}");
    else if (strstr(request->path, "HTMUSD") != NULL)
        loopback_text(fd, 200, "Content-Type: text/html\r\n", "<html>maintenance</html>");
    else if (strstr(request->path, "/public/Trades") != NULL)
        answer_trades(fd, s, request);
    else
        answer_ohlc(fd, s, request);
}

static void deep_history_is_paged_to_its_end_and_resumes_at_its_cursor(void **state) {
    workspace *w = *state;
    script s = {.now = 1700003000};
    loopback *server = loopback_start(answer, &s);
    csm_net *net = net_open(w, false);
    const csm_market market = market_named("XXBTZUSD", "BTC/USD");
    csm_ingest_options options;
    csm_ingest_options_init(&options);
    options.base_url = server->base;
    options.provenance_prefix = "replay:";
    options.from = (csm_time)1700000001 * CSM_SECOND;
    options.most_requests = 2;
    csm_ingest_report *report = run_source(w, net, "kraken.trades", &market, &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->requests, 2);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 2000); /* stopped by the bound, and kept */
    csm_ingest_report_free(report);
    options.most_requests = 0;
    report = run_source(w, net, "kraken.trades", &market, &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 999);
    assert_string_equal(csm_ingest_report_at(report, 0)->text, "");
    csm_ingest_report_free(report);
    assert_non_null(strstr(s.seen[0], "since=1700000000999999999"));
    assert_non_null(strstr(s.seen[2], "since=1700002000000000000"));
    assert_string_equal(catalog_text(w, "SELECT source FROM ingest_cursors"), "replay:kraken.trades");
    csm_stream_list *list = NULL;
    assert_ok(csm_store_streams(&list, w->store, "trades", "kraken"));
    assert_string_equal(csm_stream_list_at(list, 0)->source, "replay:kraken.trades");
    assert_int_equal(csm_stream_list_at(list, 0)->rows, 2999);
    csm_stream_list_free(list);
    csm_net_free(net);
    loopback_stop(server);
}

static void one_markets_failure_is_its_own(void **state) {
    workspace *w = *state;
    script s = {.now = 1700003000};
    loopback *server = loopback_start(answer, &s);
    csm_net *net = net_open(w, false);
    const char *const natives[] = {"BADUSD", "CUTUSD", "HTMUSD", "OTHUSD", "TESTUSD"};
    csm_market markets[5];
    const csm_market *list[5];
    for (size_t i = 0; i < 5; i++) {
        markets[i] = market_named(natives[i], natives[i]);
        list[i] = &markets[i];
    }
    const csm_time hour = CSM_HOUR;
    csm_ingest_options options;
    csm_ingest_options_init(&options);
    options.base_url = server->base;
    options.intervals = &hour;
    options.interval_count = 1;
    csm_ingest_report *report = NULL;
    assert_ok(csm_ingest_run(&report, w->context, w->store, net, csm_ingest_source_find("kraken.ohlc"), list,
                             5, &options));
    assert_int_equal(csm_ingest_report_count(report), 5);
    assert_int_equal(csm_ingest_report_at(report, 0)->net_class, CSM_NET_PERMANENT);
    assert_string_equal(csm_ingest_report_at(report, 0)->text, "1h: EQuery:Unknown asset pair");
    assert_int_equal(csm_ingest_report_at(report, 1)->net_class, CSM_NET_PARSE);
    assert_int_equal(csm_ingest_report_at(report, 2)->net_class, CSM_NET_TRANSIENT);
    assert_non_null(
        strstr(csm_ingest_report_at(report, 3)->text, "asked for OTHUSD, the reply is about XXBTZUSD"));
    assert_int_equal(csm_ingest_report_at(report, 4)->net_class, CSM_NET_OK);
    assert_int_equal(csm_ingest_report_at(report, 4)->rows, 2);
    csm_ingest_report_free(report);
    csm_net_free(net);
    loopback_stop(server);
}

static void a_bar_told_differently_later_is_a_revision(void **state) {
    workspace *w = *state;
    script s = {.now = 1700003000};
    loopback *server = loopback_start(answer, &s);
    csm_net *net = net_open(w, false);
    const csm_market market = market_named("TESTUSD", "TEST/USD");
    const csm_time hour = CSM_HOUR;
    csm_ingest_options options;
    csm_ingest_options_init(&options);
    options.base_url = server->base;
    options.intervals = &hour;
    options.interval_count = 1;
    csm_ingest_report_free(run_source(w, net, "kraken.ohlc", &market, &options));
    csm_ingest_report *report = run_source(w, net, "kraken.ohlc", &market, &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 0); /* the same again */
    csm_ingest_report_free(report);
    s.revise = 1;
    report = run_source(w, net, "kraken.ohlc", &market, &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 1);
    csm_ingest_report_free(report);
    report = run_source(w, net, "kraken.ohlc", &market, &options); /* and the revision again */
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 0);
    csm_ingest_report_free(report);
    csm_table *now = workspace_read(w, "bars", "kraken", "TEST/USD", CSM_HOUR, 1);
    assert_cell(now, 1, "close", "3.0");
    csm_table_free(now);
    csm_stream stream = {"bars", "kraken", "TEST/USD", CSM_HOUR, 1, 0};
    csm_table *then = NULL;
    assert_ok(csm_store_read(&then, w->store, w->context, &stream, CSM_TIME_MIN, CSM_TIME_MAX,
                             (csm_time)1700003600 * CSM_SECOND));
    assert_cell(then, 1, "close", "2.5");
    csm_table_free(then);
    csm_net_free(net);
    loopback_stop(server);
}

static void rows_before_a_relisting_do_not_enter_its_epoch(void **state) {
    workspace *w = *state;
    script s = {.now = 1700003000};
    loopback *server = loopback_start(answer, &s);
    csm_net *net = net_open(w, false);
    csm_market market = market_named("TESTUSD", "TEST/USD");
    market.epoch = 2;
    market.listed = (csm_time)1699996400 * CSM_SECOND; /* after the first bar's open */
    const csm_time hour = CSM_HOUR;
    csm_ingest_options options;
    csm_ingest_options_init(&options);
    options.base_url = server->base;
    options.intervals = &hour;
    options.interval_count = 1;
    csm_ingest_report *report = run_source(w, net, "kraken.ohlc", &market, &options);
    assert_int_equal(csm_ingest_report_at(report, 0)->rows, 1);
    csm_ingest_report_free(report);
    csm_table *bars = workspace_read(w, "bars", "kraken", "TEST/USD", CSM_HOUR, 2);
    assert_int_equal(csm_table_rows(bars), 1);
    csm_table_free(bars);
    csm_net_free(net);
    loopback_stop(server);
}

static int cancel_after_first(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)total;
    (void)user;
    return strcmp(what, "requests") == 0 && done > 0;
}

static void a_cancelled_run_keeps_what_came(void **state) {
    workspace *w = *state;
    script s = {.now = 1700003000};
    loopback *server = loopback_start(answer, &s);
    csm_net *net = net_open(w, false);
    csm_market markets[40];
    const csm_market *list[40];
    static char names[40][16];
    for (size_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "TEST%zu/USD", i);
        markets[i] = market_named("TESTUSD", names[i]);
        list[i] = &markets[i];
    }
    const csm_time hour = CSM_HOUR;
    csm_ingest_options options;
    csm_ingest_options_init(&options);
    options.base_url = server->base;
    options.intervals = &hour;
    options.interval_count = 1;
    csm_ingest_report *report = NULL;
    csm_context_set_progress(w->context, cancel_after_first, NULL);
    assert_int_equal(csm_ingest_run(&report, w->context, w->store, net, csm_ingest_source_find("kraken.ohlc"),
                                    list, 40, &options),
                     CSM_ECANCELLED);
    assert_null(report);
    csm_context_set_progress(w->context, NULL, NULL);
    csm_stream_list *streams = NULL;
    assert_ok(csm_store_streams(&streams, w->store, "bars", "kraken"));
    assert_true(csm_stream_list_count(streams) > 0 && csm_stream_list_count(streams) < 40);
    assert_int_equal(csm_stream_list_at(streams, 0)->rows, 2);
    csm_stream_list_free(streams);
    csm_net_free(net);
    loopback_stop(server);
}

static void wrong_calls_are_refused(void **state) {
    workspace *w = *state;
    csm_net *net = net_open(w, true);
    csm_ingest_report *report = NULL;
    csm_market market = market_named("X&Y", "BTC/USD");
    const csm_market *list = &market;
    const csm_source *source = csm_ingest_source_find("kraken.ohlc");
    assert_int_equal(csm_ingest_run(&report, w->context, w->store, net, source, &list, 1, NULL), CSM_EINVAL);
    market = market_named("XXBTZUSD", "BTC/USD");
    market.venue = "binance";
    assert_int_equal(csm_ingest_run(&report, w->context, w->store, net, source, &list, 1, NULL), CSM_EINVAL);
    market.venue = "kraken";
    const csm_time odd = 2 * CSM_HOUR;
    csm_ingest_options options;
    csm_ingest_options_init(&options);
    options.intervals = &odd;
    options.interval_count = 1;
    assert_int_equal(csm_ingest_run(&report, w->context, w->store, net, source, &list, 1, &options),
                     CSM_EINVAL);
    options.depth = 501;
    assert_int_equal(csm_ingest_run(&report, w->context, w->store, net, source, &list, 1, &options),
                     CSM_EINVAL);
    assert_int_equal(csm_ingest_run(&report, w->context, w->store, net, source, NULL, 1, NULL), CSM_EINVAL);
    assert_int_equal(csm_ingest_run(NULL, w->context, w->store, net, source, &list, 1, NULL), CSM_EINVAL);
    csm_source invented = {.name = "nowhere"};
    assert_int_equal(csm_ingest_run(&report, w->context, w->store, net, &invented, &list, 1, NULL),
                     CSM_EINVAL);
    assert_ok(csm_ingest_run(&report, w->context, w->store, net, source, NULL, 0,
                             NULL)); /* no market: nothing to ask */
    assert_int_equal(csm_ingest_report_count(report), 0);
    csm_ingest_report_free(report);
    csm_net_free(net);
}

static uint32_t classify(const char *body, int32_t http_status, uint32_t so_far, csm_time *retry_at) {
    char text[200] = "";
    csm_net_reply reply = {.net_class = so_far,
                           .http_status = http_status,
                           .received = 1000 * CSM_SECOND,
                           .content_type = "",
                           .body = body,
                           .length = strlen(body),
                           .url = "",
                           .text = ""};
    const csm_source_driver *driver = csm_source_driver_of(csm_ingest_source_find("kraken.ohlc"));
    *retry_at = CSM_TIME_MIN;
    return driver->net->classify(NULL, &reply, retry_at, text, sizeof text);
}

static void krakens_error_strings_have_classes(void **state) {
    (void)state;
    csm_time at;
    assert_int_equal(classify("{\"error\":[],\"result\":{}}", 200, CSM_NET_OK, &at), CSM_NET_OK);
    assert_int_equal(classify("{\"error\":[\"EAPI:Rate limit exceeded\"]}", 200, CSM_NET_OK, &at),
                     CSM_NET_LIMITED);
    assert_int_equal(at, CSM_TIME_MIN);
    assert_int_equal(classify("{\"error\":[\"EService: Throttled: 1700000000\"]}", 200, CSM_NET_OK, &at),
                     CSM_NET_LIMITED);
    assert_int_equal(at, (csm_time)1700000000 * CSM_SECOND);
    assert_int_equal(classify("{\"error\":[\"EService:Throttled:1700000000\"]}", 200, CSM_NET_OK, &at),
                     CSM_NET_LIMITED);
    assert_int_equal(at, (csm_time)1700000000 * CSM_SECOND);
    assert_int_equal(classify("{\"error\":[\"EService: Throttled: 99999999999999\"]}", 200, CSM_NET_OK, &at),
                     CSM_NET_LIMITED);
    assert_int_equal(at, CSM_TIME_MIN);
    assert_int_equal(classify("{\"error\":[\"EGeneral:Temporary lockout\"]}", 200, CSM_NET_OK, &at),
                     CSM_NET_LIMITED);
    assert_int_equal(at, (1000 + 900) * CSM_SECOND);
    assert_int_equal(classify("{\"error\":[\"EService:Unavailable\"]}", 200, CSM_NET_OK, &at),
                     CSM_NET_TRANSIENT);
    assert_int_equal(classify("{\"error\":[\"EService:Busy\"]}", 200, CSM_NET_OK, &at), CSM_NET_TRANSIENT);
    assert_int_equal(classify("{\"error\":[\"EQuery:Unknown asset pair\"]}", 200, CSM_NET_OK, &at),
                     CSM_NET_PERMANENT);
    assert_int_equal(classify("{\"error\":[\"EAPI:Invalid key\"]}", 200, CSM_NET_OK, &at), CSM_NET_AUTH);
    assert_int_equal(classify("{\"error\":[\"WGeneral:Danger\"],\"result\":{}}", 200, CSM_NET_OK, &at),
                     CSM_NET_OK);
    assert_int_equal(classify("<html>", 200, CSM_NET_OK, &at), CSM_NET_TRANSIENT);
    assert_int_equal(classify("<html>", 429, CSM_NET_LIMITED, &at), CSM_NET_LIMITED);
    assert_int_equal(classify("<html>", 404, CSM_NET_PERMANENT, &at), CSM_NET_PERMANENT);
    assert_int_equal(classify("{\"error\":[],\"result\":{\"a\":", 200, CSM_NET_OK, &at), CSM_NET_TRANSIENT);
    assert_int_equal(classify("{\"result\":{}}", 200, CSM_NET_OK, &at), CSM_NET_PARSE);
    assert_int_equal(classify("{\"error\":7}", 200, CSM_NET_OK, &at), CSM_NET_PARSE);
    assert_int_equal(classify("{\"fault\":1}", 503, CSM_NET_TRANSIENT, &at), CSM_NET_TRANSIENT);
    assert_int_equal(classify("   ", 200, CSM_NET_OK, &at), CSM_NET_TRANSIENT);
}

static void a_failed_discovery_changes_nothing(void **state) {
    workspace *w = *state;
    script s = {.now = 1700003000};
    loopback *server = loopback_start(answer, &s);
    csm_net *net = net_open(w, false);
    char base[128];
    csm_discovery *discovery = NULL;
    snprintf(base, sizeof base, "%s/BADUSD", server->base);
    assert_int_equal(csm_discover_kraken(&discovery, w->context, w->store, net, base, NULL), CSM_EPERMANENT);
    assert_non_null(strstr(csm_error_message(), "EQuery:Unknown asset pair"));
    snprintf(base, sizeof base, "%s/HTMUSD", server->base);
    assert_int_equal(csm_discover_kraken(&discovery, w->context, w->store, net, base, NULL), CSM_ETRANSIENT);
    assert_null(discovery);
    assert_int_equal(csm_discover_last(&discovery, w->store, "kraken"), CSM_ENOTFOUND);
    csm_net_free(net);
    loopback_stop(server);
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_store(a_recorded_session_fills_registry_and_store),
        with_store(raw_replies_of_sentiment_are_kept_compressed),
        with_store(deep_history_is_paged_to_its_end_and_resumes_at_its_cursor),
        with_store(one_markets_failure_is_its_own),
        with_store(a_bar_told_differently_later_is_a_revision),
        with_store(rows_before_a_relisting_do_not_enter_its_epoch),
        with_store(a_cancelled_run_keeps_what_came),
        with_store(wrong_calls_are_refused),
        cmocka_unit_test(krakens_error_strings_have_classes),
        with_store(a_failed_discovery_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
