/* SPDX-License-Identifier: MIT */
/* Maturing: outcomes come from the bars by the labelling function, late bars are waited for, delisted coins did not rise. */
#include <cryptosmart/fuse.h>
#include <cryptosmart/learn.h>

#include "../core/support.h"

#include <math.h>

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DECISION (19000 * CSM_DAY)

typedef struct fixture {
    char *folder;
    csm_context *context;
    csm_store *store;
    csm_time now;
    csm_market market;
} fixture;

static csm_time clock_of(void *user) {
    return ((fixture *)user)->now;
}

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->folder = support_folder_new();
    f->now = DECISION + CSM_MINUTE;
    f->market = (csm_market){.id = "kraken:BTC/USD",
                             .venue = "kraken",
                             .symbol = "BTC/USD",
                             .coin = "BTC",
                             .quote = "USD",
                             .native = "XXBTZUSD",
                             .altname = "XBTUSD",
                             .status = "online",
                             .delisted = CSM_TIME_MAX,
                             .epoch = 1,
                             .canonical = 1};
    assert_ok(csm_context_new(&f->context, NULL));
    csm_context_set_clock(f->context, clock_of, f);
    char *path = support_path(f->folder, "workspace");
    assert_ok(csm_store_open(&f->store, f->context, path, CSM_STORE_CREATE));
    csm_dealloc(path);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    csm_store_free(f->store);
    csm_context_free(f->context);
    support_folder_remove(f->folder);
    free(f);
    return 0;
}

/* Hourly traded bars that open at first, first + 1 h, ...; bar i trades at 100 + i all through. */
static void put_bars(fixture *f, csm_time first, size_t n) {
    csm_table *table = NULL;
    assert_ok(csm_table_new(&table, "bars"));
    for (size_t i = 0; i < n; i++) {
        csm_decimal cells[16];
        csm_time open = first + (csm_time)i * CSM_HOUR;
        int64_t price = 100 + (open - DECISION) / CSM_HOUR;
        for (size_t c = 0; c < csm_table_columns(table); c++)
            cells[c] = (csm_decimal){CSM_CELL_MISSING, 0, 0};
        static const char *const prices[] = {"open", "high", "low", "close"};
        for (size_t c = 0; c < 4; c++)
            cells[csm_table_column_find(table, prices[c])] = (csm_decimal){price, 0, 0};
        cells[csm_table_column_find(table, "time")].ticks = open;
        cells[csm_table_column_find(table, "available")].ticks = open + CSM_HOUR;
        cells[csm_table_column_find(table, "volume")] = (csm_decimal){5, 0, 0};
        cells[csm_table_column_find(table, "state")] = (csm_decimal){CSM_BAR_TRADED, 0, 0};
        assert_ok(csm_table_append(table, cells));
    }
    csm_stream stream = {
        .kind = "bars", .venue = "kraken", .symbol = "BTC/USD", .interval = CSM_HOUR, .epoch = 1};
    csm_provenance provenance = {"test", "generated for a test", "", f->now};
    assert_ok(csm_store_append(f->store, f->context, &stream, table, &provenance));
    csm_table_free(table);
}

static void predict_one(fixture *f, double cost) {
    csm_forecast one = {.time = DECISION,
                        .last_update = DECISION,
                        .price = 100,
                        .horizon_count = 2,
                        .epoch = 1,
                        .coin = "BTC",
                        .market = "kraken:BTC/USD"};
    for (uint32_t h = 0; h < 2; h++)
        one.horizons[h] = (csm_horizon_forecast){.horizon = h ? 30 * CSM_DAY : 24 * CSM_HOUR,
                                                 .expected_return = 0.1,
                                                 .low = NAN,
                                                 .high = NAN,
                                                 .probability = 0.9,
                                                 .lower = NAN,
                                                 .cost = cost};
    csm_ranking *ranking = NULL;
    assert_ok(csm_rank_build(&ranking, &one, 1, NULL));
    csm_ledger_lineage lineage = {.model = HASH,
                                  .config = HASH,
                                  .features = HASH,
                                  .watermark = HASH,
                                  .event = {HASH, HASH},
                                  .interval = CSM_HOUR};
    csm_ledger_head head;
    assert_ok(csm_learn_append(&head, f->context, f->store, ranking, &lineage, 0));
    csm_ranking_free(ranking);
}

static csm_maturing mature(fixture *f) {
    const csm_market *markets[] = {&f->market};
    csm_maturing maturing;
    assert_ok(csm_learn_mature(&maturing, f->context, f->store, markets, 1, f->now));
    return maturing;
}

/* The 24 h entry, copied. */
static csm_ledger_entry entry_24h(fixture *f) {
    csm_ledger_history *history = NULL;
    assert_ok(csm_learn_history(&history, f->store, 24 * CSM_HOUR, CSM_TIME_MIN, CSM_TIME_MAX, 0));
    assert_int_equal(csm_ledger_history_count(history), 1);
    csm_ledger_entry entry = *csm_ledger_history_at(history, 0);
    csm_ledger_history_free(history);
    entry.market = entry.coin = NULL;
    return entry;
}

static void nothing_matures_before_its_time(void **state) {
    fixture *f = *state;
    predict_one(f, 0.01);
    f->now = DECISION + 24 * CSM_HOUR - 1;
    csm_maturing m = mature(f);
    assert_true(m.matured == 0 && m.pending == 2);
    assert_int_equal(entry_24h(f).state, CSM_TARGET_PENDING);
}

static void an_outcome_is_the_return_from_next_open_to_last_close(void **state) {
    fixture *f = *state;
    predict_one(f, 0.01);
    f->now = DECISION + 25 * CSM_HOUR;
    put_bars(f, DECISION - 3 * CSM_HOUR, 3 + 25);
    csm_maturing m = mature(f);
    assert_true(m.matured == 1 && m.unknown == 0 && m.pending == 1);
    csm_ledger_entry e = entry_24h(f);
    assert_int_equal(e.state, CSM_TARGET_KNOWN);
    assert_int_equal(e.rises, 1);
    assert_true(fabs(e.log_return - log(123.0 / 100.0)) < 1e-12);
}

static void a_rise_within_the_costs_is_no_rise(void **state) {
    fixture *f = *state;
    predict_one(f, 0.25);
    f->now = DECISION + 25 * CSM_HOUR;
    put_bars(f, DECISION - 3 * CSM_HOUR, 3 + 25);
    mature(f);
    assert_int_equal(entry_24h(f).rises, 0);
}

static void late_bars_are_waited_for_and_then_scored(void **state) {
    fixture *f = *state;
    predict_one(f, 0.01);
    f->now = DECISION + 10 * CSM_HOUR;
    put_bars(f, DECISION - 3 * CSM_HOUR, 3 + 10);
    f->now = DECISION + 30 * CSM_HOUR;
    assert_true(mature(f).matured == 0);
    put_bars(f, DECISION + 10 * CSM_HOUR, 20);
    assert_true(mature(f).matured == 1);
    assert_int_equal(entry_24h(f).state, CSM_TARGET_KNOWN);
}

static void bars_that_never_come_make_the_outcome_unknown(void **state) {
    fixture *f = *state;
    predict_one(f, 0.01);
    f->now = DECISION + 5 * CSM_HOUR;
    put_bars(f, DECISION - 3 * CSM_HOUR, 3 + 5);
    f->now = DECISION + 16 * CSM_DAY;
    csm_maturing m = mature(f);
    assert_true(m.matured == 1 && m.unknown == 1);
    assert_int_equal(entry_24h(f).state, CSM_TARGET_UNKNOWN);
}

static void a_coin_delisted_inside_the_horizon_did_not_rise(void **state) {
    fixture *f = *state;
    predict_one(f, 0.01);
    f->now = DECISION + 10 * CSM_HOUR;
    put_bars(f, DECISION - 3 * CSM_HOUR, 3 + 10);
    f->market.delisted = DECISION + 12 * CSM_HOUR;
    f->now = DECISION + 30 * CSM_HOUR;
    assert_true(mature(f).matured == 1);
    csm_ledger_entry e = entry_24h(f);
    assert_int_equal(e.state, CSM_TARGET_KNOWN);
    assert_int_equal(e.rises, 0);
}

static void maturing_twice_changes_nothing(void **state) {
    fixture *f = *state;
    predict_one(f, 0.01);
    f->now = DECISION + 25 * CSM_HOUR;
    put_bars(f, DECISION - 3 * CSM_HOUR, 3 + 25);
    assert_true(mature(f).matured == 1);
    assert_true(mature(f).matured == 0);
    csm_ledger_head head;
    assert_ok(csm_learn_verify(&head, f->context, f->store));
}

static void scores_count_live_matured_rows_alone(void **state) {
    fixture *f = *state;
    csm_scores scores;
    csm_evidence evidence;
    predict_one(f, 0.01);
    assert_fails(CSM_ENODATA, "no live prediction",
                 csm_learn_scores(&scores, &evidence, f->context, f->store, 24 * CSM_HOUR));
    f->now = DECISION + 25 * CSM_HOUR;
    put_bars(f, DECISION - 3 * CSM_HOUR, 3 + 25);
    mature(f);
    assert_ok(csm_learn_scores(&scores, &evidence, f->context, f->store, 24 * CSM_HOUR));
    assert_true(scores.rows == 1 && evidence.issued == 1);
    assert_true(fabs(scores.brier.value - 0.01) < 1e-12);
    assert_int_equal(evidence.status, CSM_EVIDENCE_UNPROVEN);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(nothing_matures_before_its_time),
        TEST(an_outcome_is_the_return_from_next_open_to_last_close),
        TEST(a_rise_within_the_costs_is_no_rise),
        TEST(late_bars_are_waited_for_and_then_scored),
        TEST(bars_that_never_come_make_the_outcome_unknown),
        TEST(a_coin_delisted_inside_the_horizon_did_not_rise),
        TEST(maturing_twice_changes_nothing),
        TEST(scores_count_live_matured_rows_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
