/* SPDX-License-Identifier: MIT */
/* Listings against the registry: events, epochs, coverage, and the registry as of a time. */
#include "discover/listing.h"
#include "discover/workspace.h"

#define SPRING_2021 ((csm_time)1618617600 * CSM_SECOND) /* 2021-04-17 */
#define WINTER_2026 ((csm_time)1768176000 * CSM_SECOND) /* 2026-01-12 */

#define HEAD "venue,symbol,coin,quote,status,reason\n"
#define LINE(coin, quote, status, reason)                                                                    \
    "binance," coin "/" quote "," coin "," quote "," status "," reason "\n"

static csm_provenance received_at(csm_time time) {
    return (csm_provenance){.source = "test", .request = "listing", .origin = "", .received = time};
}

static csm_discovery *apply_manifest(const workspace *w, const char *text, csm_time time) {
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    csm_provenance provenance = received_at(time);
    assert_ok(csm_discover_parse_manifest(&listing, text, strlen(text)));
    assert_ok(
        csm_discover_apply(&discovery, w->context, w->store, listing, text, strlen(text), &provenance, NULL));
    csm_listing_free(listing);
    return discovery;
}

static csm_discovery *apply_fixture(const workspace *w, const char *name, csm_time time) {
    csm_buffer text = fixture_read(name);
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    csm_provenance provenance = received_at(time);
    assert_ok(csm_discover_parse_kraken(&listing, text.data, text.length, NULL, 0));
    assert_ok(csm_discover_apply(&discovery, w->context, w->store, listing, text.data, text.length,
                                 &provenance, NULL));
    csm_listing_free(listing);
    csm_buffer_free(&text);
    return discovery;
}

static size_t count_events(const csm_discovery *discovery, uint32_t kind) {
    size_t count = 0;
    for (size_t i = 0; i < csm_discovery_event_count(discovery); i++)
        count += csm_discovery_event_at(discovery, i)->kind == kind;
    return count;
}

static csm_market_list *markets(const workspace *w, const char *venue, csm_time as_of, uint32_t flags) {
    csm_market_list *list = NULL;
    assert_ok(csm_discover_markets(&list, w->store, venue, as_of, flags));
    return list;
}

static size_t count_markets(const workspace *w, const char *venue, csm_time as_of, uint32_t flags) {
    csm_market_list *list = markets(w, venue, as_of, flags);
    size_t count = csm_market_list_count(list);
    csm_market_list_free(list);
    return count;
}

static const csm_market *find(const csm_market_list *list, const char *id, int32_t epoch) {
    for (size_t i = 0; i < csm_market_list_count(list); i++) {
        const csm_market *market = csm_market_list_at(list, i);
        if (strcmp(market->id, id) == 0 && market->epoch == epoch) return market;
    }
    return NULL;
}

/* Golden counts: a Python script over json.load of the two files; names from wsname with the renames of the API's sheet, lists
 * from exclusions.def, one canonical market a coin in the order USD, EUR, USDT. */
static void the_listing_of_2026_is_covered_in_pairs_and_coins(void **state) {
    const workspace *w = *state;
    csm_discovery *discovery = apply_fixture(w, FIXTURE_2026, WINTER_2026);
    const csm_coverage *c = csm_discovery_coverage(discovery);
    assert_int_equal(c->pairs_offered, 1434);
    assert_int_equal(c->pairs_processed, 555);
    assert_int_equal(c->pairs_excluded, 1434 - 555);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_NOT_TRADABLE], 69);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_FIAT_BASE], 12);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_STABLECOIN], 70);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_TOKENIZED_ASSET], 2);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_WRAPPED], 21);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_NOT_CANONICAL], 565);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_QUOTE_NOT_MODELLED], 140);
    assert_int_equal(c->coins_offered, 616);
    assert_int_equal(c->coins_processed, 555);
    assert_int_equal(c->coins_excluded, 61);
    assert_int_equal(strlen(c->listing_hash), 64);
    assert_string_equal(c->venue, "kraken");
    assert_int_equal(csm_discovery_event_count(discovery), 1434);
    assert_int_equal(count_events(discovery, CSM_LISTING_NEW), 1434);
    csm_discovery_free(discovery);
}

static void from_2021_to_2026_every_change_is_an_event(void **state) {
    const workspace *w = *state;
    csm_discovery *first = apply_fixture(w, FIXTURE_2021, SPRING_2021);
    const csm_coverage *c = csm_discovery_coverage(first);
    assert_int_equal(c->pairs_offered, 304);
    assert_int_equal(c->pairs_processed, 51);
    assert_int_equal(c->coins_offered, 61);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_DARK_POOL], 11);
    csm_discovery *second = apply_fixture(w, FIXTURE_2026, WINTER_2026);
    assert_int_equal(count_events(second, CSM_LISTING_NEW), 1224);
    assert_int_equal(count_events(second, CSM_LISTING_VANISHED), 94);
    assert_int_equal(count_events(second, CSM_LISTING_BACK), 0);
    assert_int_equal(count_events(second, CSM_LISTING_STATUS), 210); /* the older schema had no status */
    assert_int_equal(count_markets(w, "kraken", WINTER_2026, CSM_MARKETS_ALL), 1434);
    assert_int_equal(count_markets(w, "kraken", WINTER_2026, CSM_MARKETS_EVER), 1434 + 94);
    assert_int_equal(count_markets(w, "kraken", WINTER_2026 - 1, CSM_MARKETS_ALL), 304);
    assert_int_equal(count_markets(w, "kraken", SPRING_2021 - 1, CSM_MARKETS_EVER), 0);
    assert_int_equal(count_markets(w, "kraken", CSM_TIME_MAX, CSM_MARKETS_PROCESSED), 555);
    assert_int_equal(count_markets(w, NULL, CSM_TIME_MAX, CSM_MARKETS_CANONICAL), 555);
    assert_int_equal(count_markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_EVER), 0);
    csm_discovery_free(first);
    csm_discovery_free(second);
}

static void what_was_known_then_is_what_is_read_then(void **state) {
    const workspace *w = *state;
    csm_discovery_free(
        apply_manifest(w, HEAD LINE("AAA", "USDT", "TRADING", "") LINE("BBB", "USDT", "TRADING", ""), 100));
    csm_discovery_free(apply_manifest(w, HEAD LINE("AAA", "USDT", "HALT", "NOT_TRADABLE"), 200));
    csm_market_list *then = markets(w, "binance", 150, CSM_MARKETS_ALL);
    assert_int_equal(csm_market_list_count(then), 2);
    assert_string_equal(find(then, "binance:AAA/USDT", 1)->status, "TRADING");
    assert_int_equal(find(then, "binance:BBB/USDT", 1)->delisted, CSM_TIME_MAX); /* nobody knew */
    csm_market_list *now = markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_EVER);
    assert_int_equal(csm_market_list_count(now), 2);
    const csm_market *gone = find(now, "binance:BBB/USDT", 1);
    assert_int_equal(gone->delisted, 200);
    assert_int_equal(gone->listed, 100);
    assert_true(gone->excluded & CSM_REASON_MASK(DELISTED));
    assert_int_equal(gone->canonical, 1); /* it was, while it was listed */
    assert_int_equal(count_markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_PROCESSED), 0);
    assert_int_equal(count_markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_PROCESSED | CSM_MARKETS_EVER), 1);
    csm_market_list_free(then);
    csm_market_list_free(now);
}

static void a_market_that_comes_back_is_another_epoch(void **state) {
    const workspace *w = *state;
    const char *both = HEAD LINE("AAA", "USDT", "TRADING", "") LINE("BBB", "USDT", "TRADING", "");
    const char *one = HEAD LINE("AAA", "USDT", "TRADING", "");
    csm_discovery_free(apply_manifest(w, both, 100));
    csm_discovery *gone = apply_manifest(w, one, 200);
    assert_int_equal(count_events(gone, CSM_LISTING_VANISHED), 1);
    assert_string_equal(csm_discovery_event_at(gone, 0)->before, "TRADING");
    csm_discovery_free(gone);
    csm_discovery *still = apply_manifest(w, one, 300);
    assert_int_equal(csm_discovery_event_count(still), 0);
    csm_discovery_free(still);
    csm_discovery *back = apply_manifest(w, both, 400);
    assert_int_equal(csm_discovery_event_count(back), 1);
    const csm_listing_event *event = csm_discovery_event_at(back, 0);
    assert_int_equal(event->kind, CSM_LISTING_BACK);
    assert_string_equal(csm_discover_event_name(event->kind), "back");
    assert_int_equal(event->epoch, 2);
    assert_int_equal(event->time, 400);
    assert_non_null(strstr(event->before, "delisted 1970-01-01"));
    csm_market_list *ever = markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_EVER);
    assert_int_equal(csm_market_list_count(ever), 3);
    assert_int_equal(find(ever, "binance:BBB/USDT", 1)->delisted, 200);
    assert_int_equal(find(ever, "binance:BBB/USDT", 2)->listed, 400);
    csm_market_list_free(ever);
    csm_discovery_free(back);
    csm_discovery_free(apply_manifest(w, one, 500));
    csm_discovery_free(apply_manifest(w, both, 600));
    ever = markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_EVER);
    assert_non_null(find(ever, "binance:BBB/USDT", 3));
    csm_market_list_free(ever);
}

static void a_known_relisting_starts_its_epoch_even_when_the_registry_began_later(void **state) {
    const workspace *w = *state;
    const csm_time may_2022 = (csm_time)1653976800 * CSM_SECOND;
    csm_discovery_free(apply_manifest(w, HEAD LINE("LUNA", "USDT", "TRADING", ""), may_2022 + CSM_DAY));
    csm_market_list *ever = markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_EVER | CSM_MARKETS_PROCESSED);
    assert_int_equal(csm_market_list_count(ever), 2);
    assert_int_equal(find(ever, "binance:LUNA/USDT", 1)->delisted, may_2022);
    assert_int_equal(find(ever, "binance:LUNA/USDT", 2)->delisted, CSM_TIME_MAX);
    csm_market_list_free(ever);
}

static void a_redenomination_ends_the_epoch_of_a_market_that_stayed_listed(void **state) {
    const workspace *w = *state;
    const csm_time june_2021 = (csm_time)1623988800 * CSM_SECOND;
    const char *text = HEAD LINE("SUN", "USDT", "TRADING", "");
    csm_discovery_free(apply_manifest(w, text, june_2021 - CSM_DAY));
    csm_discovery *later = apply_manifest(w, text, june_2021 + CSM_DAY);
    assert_int_equal(count_events(later, CSM_LISTING_VANISHED), 1);
    assert_int_equal(count_events(later, CSM_LISTING_BACK), 1);
    csm_market_list *now = markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_ALL);
    assert_int_equal(csm_market_list_at(now, 0)->epoch, 2);
    csm_market_list_free(now);
    csm_discovery_free(later);
}

static void the_canonical_market_is_the_first_wanted_quote(void **state) {
    const workspace *w = *state;
    csm_discovery_free(apply_manifest(w,
                                      HEAD LINE("AAA", "EUR", "TRADING", "") LINE("AAA", "USD", "TRADING", "")
                                          LINE("BBB", "USDT", "TRADING", "") LINE("BBB", "EUR", "TRADING", "")
                                              LINE("CCC", "BTC", "TRADING", ""),
                                      100));
    csm_market_list *all = markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_ALL);
    assert_int_equal(find(all, "binance:AAA/USD", 1)->canonical, 1);
    assert_int_equal(find(all, "binance:AAA/EUR", 1)->excluded, CSM_REASON_MASK(NOT_CANONICAL));
    assert_int_equal(find(all, "binance:BBB/EUR", 1)->canonical, 1);
    assert_int_equal(find(all, "binance:BBB/USDT", 1)->canonical, 0);
    assert_int_equal(find(all, "binance:CCC/BTC", 1)->excluded, CSM_REASON_MASK(QUOTE_NOT_MODELLED));
    csm_market_list_free(all);
}

static void quotes_are_the_callers_choice(void **state) {
    const workspace *w = *state;
    const char *text = HEAD LINE("AAA", "EUR", "TRADING", "") LINE("AAA", "USD", "TRADING", "");
    static const char *const quotes[] = {"BTC", "EUR", NULL};
    csm_discover_options options;
    csm_discover_options_init(&options);
    options.quotes = quotes;
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    csm_provenance provenance = received_at(100);
    assert_ok(csm_discover_parse_manifest(&listing, text, strlen(text)));
    assert_ok(csm_discover_apply(&discovery, w->context, w->store, listing, text, strlen(text), &provenance,
                                 &options));
    csm_market_list *list = markets(w, NULL, CSM_TIME_MAX, CSM_MARKETS_CANONICAL);
    assert_int_equal(csm_market_list_count(list), 1);
    assert_string_equal(csm_market_list_at(list, 0)->symbol, "AAA/EUR");
    csm_market_list_free(list);
    csm_discovery_free(discovery);
    csm_listing_free(listing);
}

static void among_venues_the_most_traded_market_of_the_same_quote_stands_for_the_coin(void **state) {
    const workspace *w = *state;
    csm_discovery_free(
        apply_manifest(w, HEAD LINE("AAA", "USD", "TRADING", "") LINE("BBB", "USDT", "TRADING", ""), 100));
    csm_discovery_free(
        apply_manifest(w, HEAD "kraken,AAA/USD,AAA,USD,online,\nkraken,BBB/USD,BBB,USD,online,\n", 200));
    csm_market_list *list = markets(w, NULL, CSM_TIME_MAX, CSM_MARKETS_CANONICAL);
    assert_int_equal(csm_market_list_count(list), 2);
    assert_string_equal(csm_market_list_at(list, 0)->id,
                        "binance:AAA/USD"); /* nothing traded: the venue's name decides */
    assert_string_equal(csm_market_list_at(list, 1)->id, "kraken:BBB/USD"); /* USD before USDT */
    csm_market_list_free(list);
    csm_import_options options;
    csm_import_options_init(&options);
    options.venue = "kraken";
    options.quote = "USD";
    options.origin = "test data";
    csm_ingest_report *report = NULL;
    assert_ok(csm_ingest_import(&report, w->context, w->store,
                                workspace_text(w, "AAA.csv",
                                               "ts,open,high,low,close,volume\n1699920000,1,1,1,1,5\n"
                                               "1700006400,1,1,1,1,5\n1700092800,1,1,1,1,5\n"),
                                &options));
    csm_ingest_report_free(report);
    list = markets(w, NULL, CSM_TIME_MAX, CSM_MARKETS_CANONICAL);
    assert_string_equal(csm_market_list_at(list, 0)->id, "kraken:AAA/USD");
    csm_market_list_free(list);
    assert_int_equal(count_markets(w, "binance", CSM_TIME_MAX, CSM_MARKETS_CANONICAL),
                     2); /* each venue keeps its own */
}

static void terms_that_change_are_told_and_come_back_as_they_were(void **state) {
    const workspace *w = *state;
    const char *const listing_text[] = {
        "{\"error\":[],\"result\":{\"SOLUSD\":{\"altname\":\"SOLUSD\",\"wsname\":\"SOL/"
        "USD\",\"base\":\"SOL\",\"quote\":\"ZUSD\","
        "\"pair_decimals\":2,\"lot_decimals\":8,\"ordermin\":\"0.02\",\"costmin\":\"0.5\",\"tick_size\":\"0."
        "01\","
        "\"fees\":[[0,0.4],[10000,0.35]],\"fees_maker\":[[0,0.25],[10000,-0.02]],\"status\":\"online\"}}}",
        "{\"error\":[],\"result\":{\"SOLUSD\":{\"altname\":\"SOLUSD\",\"wsname\":\"SOL/"
        "USD\",\"base\":\"SOL\",\"quote\":\"ZUSD\","
        "\"pair_decimals\":2,\"lot_decimals\":8,\"ordermin\":\"0.04\",\"costmin\":\"0.5\",\"tick_size\":\"0."
        "01\","
        "\"fees\":[],\"fees_maker\":[],\"status\":\"online\"}}}"};
    for (size_t i = 0; i < 2; i++) {
        csm_listing *listing = NULL;
        csm_discovery *discovery = NULL;
        csm_provenance provenance = received_at((csm_time)(100 + i));
        assert_ok(csm_discover_parse_kraken(&listing, listing_text[i], strlen(listing_text[i]), NULL, 0));
        assert_ok(csm_discover_apply(&discovery, w->context, w->store, listing, listing_text[i],
                                     strlen(listing_text[i]), &provenance, NULL));
        if (i == 1) {
            assert_int_equal(csm_discovery_event_count(discovery), 1);
            assert_int_equal(csm_discovery_event_at(discovery, 0)->kind, CSM_LISTING_TERMS);
            assert_non_null(
                strstr(csm_discovery_event_at(discovery, 0)->before, "minimum 0.02 cost 0.5 tick 0.01"));
        }
        csm_discovery_free(discovery);
        csm_listing_free(listing);
    }
    csm_market_list *then = markets(w, "kraken", 100, CSM_MARKETS_ALL);
    const csm_market *market = csm_market_list_at(then, 0);
    assert_int_equal(market->taker_tiers, 2);
    assert_true(market->taker_percent[0] == 0.4 && market->taker_volume[1] == 10000.0 &&
                market->maker_percent[1] == -0.02);
    assert_int_equal(market->order_minimum.ticks, 2);
    assert_int_equal(market->order_minimum.scale, 2);
    csm_market_list_free(then);
    csm_market_list *now = markets(w, "kraken", CSM_TIME_MAX, CSM_MARKETS_ALL);
    assert_int_equal(csm_market_list_at(now, 0)->taker_tiers, 0);
    csm_market_list_free(now);
}

static void a_run_whose_equation_does_not_hold_changes_nothing(void **state) {
    const workspace *w = *state;
    const char *one = HEAD LINE("AAA", "USDT", "TRADING", "");
    const char *two = HEAD LINE("AAA", "USDT", "TRADING", "") LINE("AAA", "EUR", "TRADING", "");
    const char *other_coin = HEAD LINE("AAA", "USDT", "TRADING", "") LINE("BBB", "USDT", "TRADING", "");
    const char *const raws[] = {two, other_coin, HEAD};
    csm_listing *listing = NULL;
    csm_provenance provenance = received_at(100);
    assert_ok(csm_discover_parse_manifest(&listing, one, strlen(one)));
    for (size_t i = 0; i < 3; i++) { /* rows of one listing, bytes of another: as if rows had been lost */
        csm_discovery *discovery = NULL;
        assert_int_equal(csm_discover_apply(&discovery, w->context, w->store, listing, raws[i],
                                            strlen(raws[i]), &provenance, NULL),
                         CSM_ECOVERAGE);
        assert_null(discovery);
    }
    assert_non_null(strstr(csm_error_message(), "0 pairs offered, but 1 processed"));
    assert_int_equal(count_markets(w, NULL, CSM_TIME_MAX, CSM_MARKETS_EVER), 0);
    csm_discovery *last = NULL;
    assert_int_equal(csm_discover_last(&last, w->store, "binance"), CSM_ENOTFOUND);
    csm_listing_free(listing);
}

static void coins_are_counted_apart_from_pairs(void **state) {
    const workspace *w = *state;
    const char *rows = HEAD LINE("AAA", "USDT", "TRADING", "") LINE("AAA", "EUR", "TRADING", "");
    const char *raw = HEAD LINE("AAA", "USDT", "TRADING", "") LINE("BBB", "EUR", "TRADING", "");
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    csm_provenance provenance = received_at(100);
    assert_ok(csm_discover_parse_manifest(&listing, rows, strlen(rows)));
    assert_int_equal(
        csm_discover_apply(&discovery, w->context, w->store, listing, raw, strlen(raw), &provenance, NULL),
        CSM_ECOVERAGE);
    assert_non_null(strstr(csm_error_message(), "2 coins offered, but 1 processed"));
    csm_listing_free(listing);
}

static void the_last_run_can_be_read_back(void **state) {
    const workspace *w = *state;
    csm_discovery *run = apply_fixture(w, FIXTURE_2026, WINTER_2026);
    csm_discovery *last = NULL;
    assert_ok(csm_discover_last(&last, w->store, "kraken"));
    const csm_coverage *a = csm_discovery_coverage(run), *b = csm_discovery_coverage(last);
    assert_string_equal(a->listing_hash, b->listing_hash);
    assert_int_equal(a->time, b->time);
    assert_int_equal(a->run, b->run);
    assert_int_equal(a->pairs_offered, b->pairs_offered);
    assert_int_equal(a->coins_processed, b->coins_processed);
    assert_memory_equal(a->pairs_by_reason, b->pairs_by_reason, sizeof a->pairs_by_reason);
    assert_memory_equal(a->coins_by_reason, b->coins_by_reason, sizeof a->coins_by_reason);
    assert_int_equal(csm_discovery_event_count(last), 0);
    csm_discovery_free(run);
    csm_discovery_free(last);
}

static void bad_records_are_registered_and_counted(void **state) {
    const workspace *w = *state;
    const char *text = "{\"error\":[],\"result\":{\"A\":7,\"../../etc\":{\"base\":\"../"
                       "x\",\"quote\":\"ZUSD\",\"altname\":\"q\"},"
                       "\"B\":{\"base\":5}}}";
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    csm_provenance provenance = received_at(100);
    assert_ok(csm_discover_parse_kraken(&listing, text, strlen(text), NULL, 0));
    assert_ok(
        csm_discover_apply(&discovery, w->context, w->store, listing, text, strlen(text), &provenance, NULL));
    const csm_coverage *c = csm_discovery_coverage(discovery);
    assert_int_equal(c->pairs_offered, 3);
    assert_int_equal(c->coins_offered, 3);
    assert_int_equal(c->pairs_by_reason[CSM_REASON_BAD_RECORD], 3);
    csm_discovery_free(discovery);
    csm_listing_free(listing);
}

static void time_does_not_run_backwards(void **state) {
    const workspace *w = *state;
    const char *text = HEAD LINE("AAA", "USDT", "TRADING", "");
    csm_discovery_free(apply_manifest(w, text, 200));
    csm_discovery_free(
        apply_manifest(w, HEAD LINE("AAA", "USDT", "HALT", ""), 200)); /* the same moment is fine */
    assert_int_equal(count_markets(w, NULL, 200, CSM_MARKETS_ALL), 1);
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    csm_provenance provenance = received_at(199);
    assert_ok(csm_discover_parse_manifest(&listing, text, strlen(text)));
    assert_int_equal(
        csm_discover_apply(&discovery, w->context, w->store, listing, text, strlen(text), &provenance, NULL),
        CSM_EINVAL);
    provenance.request = "";
    assert_int_equal(
        csm_discover_apply(&discovery, w->context, w->store, listing, text, strlen(text), &provenance, NULL),
        CSM_EPROVENANCE);
    assert_int_equal(
        csm_discover_apply(NULL, w->context, w->store, listing, text, strlen(text), &provenance, NULL),
        CSM_EINVAL);
    csm_market_list *list = NULL;
    assert_int_equal(csm_discover_markets(&list, w->store, NULL, CSM_TIME_MAX, 64), CSM_EINVAL);
    csm_listing_free(listing);
}

typedef struct log_catch {
    char text[512];
} log_catch;

static void catch_warning(void *user, csm_log_level level, const char *module, const char *text) {
    if (level == CSM_LOG_WARN && strcmp(module, "discover") == 0)
        snprintf(((log_catch *)user)->text, sizeof((log_catch *)user)->text, "%s", text);
}

static void half_a_venue_gone_at_once_is_a_warning(void **state) {
    const workspace *w = *state;
    log_catch caught = {""};
    csm_discovery_free(apply_manifest(
        w, HEAD LINE("AAA", "USDT", "T", "") LINE("BBB", "USDT", "T", "") LINE("CCC", "USDT", "T", ""), 100));
    csm_context_set_log(w->context, catch_warning, &caught);
    csm_discovery_free(apply_manifest(w, HEAD LINE("AAA", "USDT", "T", ""), 200));
    assert_string_equal(caught.text, "binance: 2 of 3 markets vanished at once");
    csm_context_set_log(w->context, NULL, NULL);
}

static void every_failed_allocation_changes_nothing(void **state) {
    const workspace *w = *state;
    const char *text = HEAD LINE("AAA", "USDT", "TRADING", "") LINE("BBB", "EUR", "TRADING", "");
    csm_listing *listing = NULL;
    csm_provenance provenance = received_at(100);
    assert_ok(csm_discover_parse_manifest(&listing, text, strlen(text)));
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status != CSM_OK; n++) {
        csm_discovery *discovery = NULL;
        csm_fault_allocation(n, false);
        status = csm_discover_apply(&discovery, w->context, w->store, listing, text, strlen(text),
                                    &provenance, NULL);
        csm_fault_allocation(0, false);
        if (status != CSM_OK) {
            assert_int_equal(status, CSM_ENOMEM);
            assert_int_equal(count_markets(w, NULL, CSM_TIME_MAX, CSM_MARKETS_EVER), 0);
        }
        csm_discovery_free(discovery);
        assert_true(n < 5000);
    }
    csm_listing_free(listing);
}

#define with_store(test) cmocka_unit_test_setup_teardown(test, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_store(the_listing_of_2026_is_covered_in_pairs_and_coins),
        with_store(from_2021_to_2026_every_change_is_an_event),
        with_store(what_was_known_then_is_what_is_read_then),
        with_store(a_market_that_comes_back_is_another_epoch),
        with_store(a_known_relisting_starts_its_epoch_even_when_the_registry_began_later),
        with_store(a_redenomination_ends_the_epoch_of_a_market_that_stayed_listed),
        with_store(the_canonical_market_is_the_first_wanted_quote),
        with_store(quotes_are_the_callers_choice),
        with_store(among_venues_the_most_traded_market_of_the_same_quote_stands_for_the_coin),
        with_store(terms_that_change_are_told_and_come_back_as_they_were),
        with_store(a_run_whose_equation_does_not_hold_changes_nothing),
        with_store(coins_are_counted_apart_from_pairs),
        with_store(the_last_run_can_be_read_back),
        with_store(bad_records_are_registered_and_counted),
        with_store(time_does_not_run_backwards),
        with_store(half_a_venue_gone_at_once_is_a_warning),
        with_store(every_failed_allocation_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
