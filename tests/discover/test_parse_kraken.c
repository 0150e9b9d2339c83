/* SPDX-License-Identifier: MIT */
#include "discover/fixture.h"
#include "discover/listing.h"

#include <cryptosmart/discover.h>

#define PAIR                                                                                                 \
    "\"altname\":\"XBTUSD\",\"wsname\":\"XBT/USD\",\"aclass_base\":\"currency\",\"base\":\"XXBT\","          \
    "\"aclass_quote\":\"currency\",\"quote\":\"ZUSD\",\"pair_decimals\":1,\"lot_decimals\":8,"
#define LISTING(records) "{\"error\":[],\"result\":{" records "}}"

static csm_listing *parse(const char *text) {
    csm_listing *listing = NULL;
    csm_status status = csm_discover_parse_kraken(&listing, text, strlen(text), NULL, 0);
    if (status != CSM_OK) fail_msg("%s", csm_error_message());
    return listing;
}

static csm_listing *parse_fixture(const char *name) {
    csm_buffer text = fixture_read(name);
    csm_listing *listing = NULL;
    assert_int_equal(csm_discover_parse_kraken(&listing, text.data, text.length, NULL, 0), CSM_OK);
    csm_buffer_free(&text);
    return listing;
}

static const csm_market *find(const csm_listing *listing, const char *native) {
    for (size_t i = 0; i < csm_listing_count(listing); i++)
        if (strcmp(csm_listing_at(listing, i)->native, native) == 0) return csm_listing_at(listing, i);
    fail_msg("%s is not in the listing", native);
    return NULL;
}

static void count_reasons(const csm_listing *listing, size_t by_reason[64], size_t *clean) {
    memset(by_reason, 0, 64 * sizeof(size_t));
    *clean = 0;
    for (size_t i = 0; i < csm_listing_count(listing); i++) {
        csm_reason reasons = csm_listing_at(listing, i)->excluded;
        if (reasons == 0)
            ++*clean;
        else
            by_reason[__builtin_ctzll(reasons)]++;
    }
}

static void assert_decimal(csm_decimal value, const char *text) {
    char shown[64];
    assert_string_equal(csm_decimal_format(value, shown, sizeof shown), text);
}

/* Golden counts: a Python script over json.load of the same file, names from wsname, lists from exclusions.def. */
static void every_pair_of_the_2026_listing_becomes_a_row(void **state) {
    (void)state;
    csm_listing *listing = parse_fixture(FIXTURE_2026);
    size_t by_reason[64], clean;
    assert_int_equal(csm_listing_count(listing), 1434);
    count_reasons(listing, by_reason, &clean);
    assert_int_equal(clean, 1260);
    assert_int_equal(by_reason[CSM_REASON_NOT_TRADABLE], 69);
    assert_int_equal(by_reason[CSM_REASON_FIAT_BASE], 12);
    assert_int_equal(by_reason[CSM_REASON_STABLECOIN], 70);
    assert_int_equal(by_reason[CSM_REASON_TOKENIZED_ASSET], 2);
    assert_int_equal(by_reason[CSM_REASON_WRAPPED], 21);
    assert_int_equal(by_reason[CSM_REASON_BAD_RECORD], 0);
    csm_listing_free(listing);
}

static void the_2021_schema_has_no_status_and_is_taken_as_online(void **state) {
    (void)state;
    csm_listing *listing = parse_fixture(FIXTURE_2021);
    size_t by_reason[64], clean;
    assert_int_equal(csm_listing_count(listing), 304);
    count_reasons(listing, by_reason, &clean);
    assert_int_equal(clean, 257);
    assert_int_equal(by_reason[CSM_REASON_DARK_POOL], 11);
    assert_int_equal(by_reason[CSM_REASON_FIAT_BASE], 12);
    assert_int_equal(by_reason[CSM_REASON_STABLECOIN], 19);
    assert_int_equal(by_reason[CSM_REASON_WRAPPED], 5);
    const csm_market *dark = find(listing, "XXBTZUSD.d");
    assert_string_equal(dark->symbol, "BTC/USD.d");
    assert_string_equal(dark->coin, "BTC");
    const csm_market *market = find(listing, "XXBTZUSD");
    assert_string_equal(market->status, "");
    assert_int_equal(market->tick_size.ticks, CSM_CELL_MISSING);
    csm_listing_free(listing);
}

static void terms_of_a_market_are_exact_decimals(void **state) {
    (void)state;
    csm_listing *listing = parse_fixture(FIXTURE_2026);
    const csm_market *market = find(listing, "XXBTZUSD");
    assert_string_equal(market->id, "kraken:BTC/USD");
    assert_string_equal(market->symbol, "BTC/USD");
    assert_string_equal(market->altname, "XBTUSD");
    assert_string_equal(market->status, "online");
    assert_decimal(market->order_minimum, "0.00005");
    assert_decimal(market->cost_minimum, "0.5");
    assert_decimal(market->tick_size, "0.1");
    assert_int_equal(market->price_decimals, 1);
    assert_int_equal(market->lot_decimals, 8);
    assert_true(market->taker_tiers > 0 && market->maker_tiers > 0);
    assert_true(market->taker_volume[0] == 0.0 && market->taker_percent[0] > market->maker_percent[0]);
    csm_listing_free(listing);
}

static void names_follow_assets_and_renames(void **state) {
    (void)state;
    const char *pairs =
        LISTING("\"XXBTZUSD\":{" PAIR "\"status\":\"online\"},"
                "\"LUNA2USD\":{\"altname\":\"LUNA2USD\",\"wsname\":\"LUNA2/USD\",\"base\":\"LUNA2\","
                "\"quote\":\"ZUSD\",\"pair_decimals\":1,\"lot_decimals\":8,\"status\":\"online\"},"
                "\"LUNAUSD\":{\"altname\":\"LUNAUSD\",\"wsname\":\"LUNA/USD\",\"base\":\"LUNA\","
                "\"quote\":\"ZUSD\",\"pair_decimals\":1,\"lot_decimals\":8,\"status\":\"online\"},"
                "\"XREPZUSD\":{\"altname\":\"REPUSD\",\"wsname\":\"REP/USD\",\"base\":\"XREP\","
                "\"quote\":\"ZUSD\",\"pair_decimals\":1,\"lot_decimals\":8,\"status\":\"online\"},"
                "\"REPV2USD\":{\"altname\":\"REPV2USD\",\"wsname\":\"REPV2/USD\",\"base\":\"REPV2\","
                "\"quote\":\"ZUSD\",\"pair_decimals\":1,\"lot_decimals\":8,\"status\":\"online\"},"
                "\"XXDGZUSD\":{\"altname\":\"XDGUSD\",\"wsname\":\"XDG/USD\",\"base\":\"XXDG\","
                "\"quote\":\"ZUSD\",\"pair_decimals\":1,\"lot_decimals\":8,\"status\":\"online\"}");
    const char *assets = LISTING("\"XXBT\":{\"altname\":\"XBT\"},\"ZUSD\":{\"altname\":\"USD\"},"
                                 "\"LUNA\":{\"altname\":\"LUNA\"},\"LUNA2\":{\"altname\":\"LUNA2\"},"
                                 "\"XREP\":{\"altname\":\"REP\"},\"REPV2\":{\"altname\":\"REPV2\"},"
                                 "\"XXDG\":{\"altname\":\"XDG\"}");
    csm_listing *listing = NULL;
    for (int with_assets = 0; with_assets < 2; with_assets++) {
        assert_int_equal(csm_discover_parse_kraken(&listing, pairs, strlen(pairs),
                                                   with_assets ? assets : NULL,
                                                   with_assets ? strlen(assets) : 0),
                         CSM_OK);
        assert_string_equal(find(listing, "XXBTZUSD")->symbol, "BTC/USD");
        assert_string_equal(find(listing, "LUNA2USD")->symbol, "LUNA/USD");
        assert_string_equal(find(listing, "LUNAUSD")->symbol, "LUNC/USD");
        assert_string_equal(find(listing, "XREPZUSD")->symbol, "REPV1/USD");
        assert_string_equal(find(listing, "REPV2USD")->symbol, "REP/USD");
        assert_string_equal(find(listing, "XXDGZUSD")->symbol, "DOGE/USD");
        csm_listing_free(listing);
    }
}

static void the_prefix_rule_needs_a_second_name_that_confirms_it(void **state) {
    (void)state;
    csm_listing *listing = parse_fixture(FIXTURE_2026);
    assert_string_equal(find(listing, "XNAPUSD")->coin, "XNAP");
    assert_string_equal(find(listing, "ZEUSUSD")->coin, "ZEUS");
    assert_string_equal(find(listing, "XZECZUSD")->coin, "ZEC");
    csm_listing_free(listing);
}

static void a_bad_record_becomes_a_row_with_its_reason(void **state) {
    (void)state;
    static const struct {
        const char *text, *note;
    } cases[] = {
        {LISTING("\"A\":7"), "the record is not an object"},
        {LISTING("\"A\":{\"altname\":\"A\"}"), "base is absent"},
        {LISTING("\"A\":{" PAIR "\"status\":4}"), "status is not a text"},
        {LISTING("\"A\":{" PAIR "\"ordermin\":\"-1\"}"), "ordermin is negative"},
        {LISTING("\"A\":{" PAIR "\"ordermin\":\"NaN\"}"), "ordermin is not a decimal"},
        {LISTING("\"A\":{" PAIR "\"costmin\":0.5}"), "costmin is not a decimal as text"},
        {LISTING("\"A\":{" PAIR "\"fees\":[[1,0.2]]}"), "fees does not ascend from volume 0"},
        {LISTING("\"A\":{" PAIR "\"fees\":[[0]]}"), "fees has a tier that is not [volume, percent]"},
        {LISTING("\"A\":{" PAIR "\"fees\":[[0,1e308]]}"), "fees has a fee outside -100..100 percent"},
        {LISTING("\"A\":{" PAIR "\"aclass_base\":\"weather\"}"),
         NULL}, /* twice the same name: refused whole */
        {LISTING(
             "\"A\":{\"altname\":\"A\",\"base\":\"../etc\",\"quote\":\"ZUSD\",\"wsname\":\"../etc/USD\"}"),
         "base is no asset name"},
        {LISTING("\"A\":{\"altname\":\"A\",\"base\":\"B\",\"quote\":\"ZUSD\"}"), "wsname is absent"},
        {LISTING("\"A\":{\"altname\":\"A\",\"base\":\"B\",\"quote\":\"ZUSD\",\"wsname\":\"B/USD\"}"),
         "pair_decimals is not a whole number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        csm_listing *listing = NULL;
        csm_status status =
            csm_discover_parse_kraken(&listing, cases[i].text, strlen(cases[i].text), NULL, 0);
        if (cases[i].note == NULL) {
            assert_int_equal(status, CSM_EPARSE);
            assert_null(listing);
            continue;
        }
        assert_int_equal(status, CSM_OK);
        assert_int_equal(csm_listing_count(listing), 1);
        assert_true(csm_listing_at(listing, 0)->excluded & CSM_REASON_MASK(BAD_RECORD));
        assert_string_equal(listing->details[0].note, cases[i].note);
        assert_true(*csm_listing_at(listing, 0)->symbol != '\0');
        csm_listing_free(listing);
    }
}

static void a_symbol_claimed_twice_is_a_contradiction(void **state) {
    (void)state;
    csm_listing *listing = parse(
        LISTING("\"XXBTZUSD\":{" PAIR "\"status\":\"online\"},\"XBTUSD\":{" PAIR "\"status\":\"online\"}"));
    assert_int_equal(csm_listing_at(listing, 0)->excluded, 0);
    assert_true(csm_listing_at(listing, 1)->excluded & CSM_REASON_MASK(BAD_RECORD));
    assert_string_not_equal(csm_listing_at(listing, 1)->symbol, "BTC/USD");
    assert_string_equal(listing->details[1].note, "symbol BTC/USD is claimed twice");
    csm_listing_free(listing);
}

static void statuses_classes_and_empty_fees_are_read_as_they_are(void **state) {
    (void)state;
    csm_listing *listing = parse(LISTING(
        "\"A\":{" PAIR "\"status\":\"cancel_only\"},"
        "\"B\":{\"altname\":\"AAPLxUSD\",\"wsname\":\"AAPLx/USD\",\"aclass_base\":\"tokenized_asset\","
        "\"base\":\"AAPLx\",\"quote\":\"ZUSD\",\"pair_decimals\":2,\"lot_decimals\":8,\"status\":\"online\"},"
        "\"C\":{\"altname\":\"SOLUSD\",\"wsname\":\"SOL/"
        "USD\",\"base\":\"SOL\",\"quote\":\"ZUSD\",\"fees\":[],"
        "\"fees_maker\":[],\"pair_decimals\":2,\"lot_decimals\":8,\"status\":\"limit_only\"},"
        "\"D\":{\"altname\":\"DOTUSD\",\"wsname\":\"DOT/USD\",\"base\":\"DOT\",\"quote\":\"ZUSD\","
        "\"pair_decimals\":2,\"lot_decimals\":8,\"status\":\"sleeping\"}"));
    assert_int_equal(find(listing, "A")->excluded, CSM_REASON_MASK(NOT_TRADABLE));
    assert_int_equal(find(listing, "B")->excluded, CSM_REASON_MASK(TOKENIZED_ASSET));
    assert_int_equal(find(listing, "C")->excluded, 0);
    assert_int_equal(find(listing, "C")->taker_tiers, 0);
    assert_int_equal(find(listing, "D")->excluded, CSM_REASON_MASK(NOT_TRADABLE));
    csm_listing_free(listing);
}

static void a_reply_that_is_not_whole_is_refused(void **state) {
    (void)state;
    csm_buffer text = fixture_read(FIXTURE_2021);
    for (size_t length = 0; length < text.length - 1; length += 1000) {
        csm_listing *listing = NULL;
        assert_int_equal(csm_discover_parse_kraken(&listing, text.data, length, NULL, 0), CSM_EPARSE);
        assert_null(listing);
        assert_non_null(strstr(csm_error_message(), "byte"));
    }
    csm_buffer_free(&text);
}

static void errors_inside_the_envelope_have_their_own_status(void **state) {
    (void)state;
    static const struct {
        const char *text;
        csm_status status;
    } cases[] = {
        {"{\"error\":[\"EAPI:Rate limit exceeded\"]}", CSM_ELIMITED},
        {"{\"error\":[\"EService: Throttled: 1700000000\"]}", CSM_ELIMITED},
        {"{\"error\":[\"EService:Unavailable\"]}", CSM_ETRANSIENT},
        {"{\"error\":[\"EQuery:Unknown asset pair\"],\"result\":null}", CSM_EPERMANENT},
        {"{\"error\":[\"EAPI:Invalid key\"]}", CSM_EAUTH},
        {"{\"error\":[\"ENews:never seen\"]}", CSM_EPERMANENT},
        {"{\"error\":[],\"result\":null}", CSM_EPARSE},
        {"{\"error\":[],\"result\":{}}", CSM_EPARSE},
        {"{\"result\":{}}", CSM_EPARSE},
        {"[]", CSM_EPARSE},
        {"<html>", CSM_EPARSE},
        {"", CSM_EPARSE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        csm_listing *listing = NULL;
        assert_int_equal(csm_discover_parse_kraken(&listing, cases[i].text, strlen(cases[i].text), NULL, 0),
                         cases[i].status);
    }
}

static void older_recorded_listings_are_read(void **state) {
    (void)state;
    csm_buffer pairs = fixture_read("fixtures/kraken_rest/xchange_assetpairs.json");
    csm_buffer assets = fixture_read("fixtures/kraken_rest/xchange_assets.json");
    csm_listing *listing = NULL;
    assert_int_equal(
        csm_discover_parse_kraken(&listing, pairs.data, pairs.length, assets.data, assets.length), CSM_OK);
    assert_int_equal(csm_listing_count(listing), 86);
    assert_string_equal(find(listing, "XXBTZEUR")->symbol, "BTC/EUR");
    csm_listing_free(listing);
    csm_buffer_free(&pairs);
    csm_buffer_free(&assets);
}

static void every_failed_allocation_is_reported_and_leaks_nothing(void **state) {
    (void)state;
    const char *text = LISTING("\"XXBTZUSD\":{" PAIR "\"status\":\"online\",\"ordermin\":\"x\"},\"B\":{" PAIR
                               "\"status\":\"online\"},\"C\":4");
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status != CSM_OK; n++) {
        csm_listing *listing = NULL;
        csm_fault_allocation(n, false);
        status = csm_discover_parse_kraken(&listing, text, strlen(text), NULL, 0);
        csm_fault_allocation(0, false);
        assert_true(status == CSM_OK || status == CSM_ENOMEM);
        assert_true((status == CSM_OK) == (listing != NULL));
        csm_listing_free(listing);
        assert_true(n < 1000);
    }
}

static void a_manifest_gives_one_row_a_line(void **state) {
    (void)state;
    const char *text =
        "# dated 2023-12-30\nvenue,symbol,coin,quote,status,reason\r\n"
        "binance,BTC/USDT,BTC,USDT,TRADING,\n\nbinance,USDC/USDT,USDC,USDT,TRADING,STABLECOIN\n";
    csm_listing *listing = NULL;
    assert_int_equal(csm_discover_parse_manifest(&listing, text, strlen(text)), CSM_OK);
    assert_int_equal(csm_listing_count(listing), 2);
    assert_string_equal(csm_listing_at(listing, 0)->id, "binance:BTC/USDT");
    assert_int_equal(csm_listing_at(listing, 0)->excluded, 0);
    assert_int_equal(csm_listing_at(listing, 1)->excluded, CSM_REASON_MASK(STABLECOIN));
    assert_null(csm_listing_at(listing, 2));
    csm_listing_free(listing);
}

static void a_wrong_manifest_is_refused_with_its_line(void **state) {
    (void)state;
#define HEAD "venue,symbol,coin,quote,status,reason\n"
    static const char *const cases[] = {
        "",
        "venue,symbol\n",
        HEAD,
        HEAD "binance,BTC/USDT,BTC,USDT,TRADING\n",
        HEAD "binance,BTC/USDT,BTC,USDT,TRADING,,\n",
        HEAD "binance,BTC/USDT,BTC,USDT,TRADING,NO_SUCH\n",
        HEAD "binance,BTC/USD,BTC,USDT,TRADING,\n",
        HEAD "binance,BTC/USDT,BTC,USDT,TRADING,\nkraken,ETH/USDT,ETH,USDT,TRADING,\n",
        HEAD "binance,BTC/USDT,BTC,USDT,TRADING,\nbinance,BTC/USDT,BTC,USDT,TRADING,\n",
        HEAD "binance,\"BTC/USDT\",BTC,USDT,TRADING,\n",
        HEAD "../x,BTC/USDT,BTC,USDT,TRADING,\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        csm_listing *listing = NULL;
        assert_int_equal(csm_discover_parse_manifest(&listing, cases[i], strlen(cases[i])), CSM_EPARSE);
        assert_null(listing);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_the_2026_listing_becomes_a_row),
        cmocka_unit_test(the_2021_schema_has_no_status_and_is_taken_as_online),
        cmocka_unit_test(terms_of_a_market_are_exact_decimals),
        cmocka_unit_test(names_follow_assets_and_renames),
        cmocka_unit_test(the_prefix_rule_needs_a_second_name_that_confirms_it),
        cmocka_unit_test(a_bad_record_becomes_a_row_with_its_reason),
        cmocka_unit_test(a_symbol_claimed_twice_is_a_contradiction),
        cmocka_unit_test(statuses_classes_and_empty_fees_are_read_as_they_are),
        cmocka_unit_test(a_reply_that_is_not_whole_is_refused),
        cmocka_unit_test(errors_inside_the_envelope_have_their_own_status),
        cmocka_unit_test(older_recorded_listings_are_read),
        cmocka_unit_test(every_failed_allocation_is_reported_and_leaks_nothing),
        cmocka_unit_test(a_manifest_gives_one_row_a_line),
        cmocka_unit_test(a_wrong_manifest_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
