/* SPDX-License-Identifier: MIT */
/* The ledger: written before the outcome, chained, append-only, and honest about every kind of tampering. */
#include "learn/ledger.h"
#include "store/internal.h"

#include "../core/support.h"

#include <math.h>
#include <sqlite3.h>

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DECISION (19000 * CSM_DAY)

typedef struct fixture {
    char *folder;
    csm_context *context;
    csm_store *store;
    csm_time now;
} fixture;

static csm_time clock_of(void *user) {
    return ((fixture *)user)->now;
}

static void open_store(fixture *f, uint32_t mode) {
    char *path = support_path(f->folder, "workspace");
    assert_ok(csm_store_open(&f->store, f->context, path, mode));
    csm_dealloc(path);
}

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->folder = support_folder_new();
    f->now = DECISION + CSM_MINUTE;
    assert_ok(csm_context_new(&f->context, NULL));
    csm_context_set_clock(f->context, clock_of, f);
    open_store(f, CSM_STORE_CREATE);
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

static csm_forecast forecast(const char *coin, double probability) {
    csm_forecast f = {
        .time = DECISION, .last_update = DECISION, .price = 100, .horizon_count = 2, .epoch = 1};
    snprintf(f.coin, sizeof f.coin, "%s", coin);
    snprintf(f.market, sizeof f.market, "kraken:%s/USD", coin);
    for (uint32_t h = 0; h < 2; h++)
        f.horizons[h] = (csm_horizon_forecast){.horizon = h ? 30 * CSM_DAY : CSM_HOUR,
                                               .expected_return = 0.1,
                                               .low = -0.2,
                                               .high = 0.4,
                                               .probability = probability,
                                               .lower = 0.7,
                                               .cost = 0.01};
    f.gate = (csm_gate_input){.probability = probability,
                              .expected_return = 0.1,
                              .cost = 0.01,
                              .traded_value = 1e9,
                              .history = 200 * CSM_DAY,
                              .matured = 1};
    return f;
}

static csm_ranking *ranking(double probability) {
    csm_forecast forecasts[2] = {forecast("BTC", probability), forecast("ETH", 0.4)};
    csm_ranking *out = NULL;
    assert_ok(csm_rank_build(&out, forecasts, 2, NULL));
    return out;
}

static csm_ledger_lineage lineage(const char *model) {
    return (csm_ledger_lineage){.model = model,
                                .config = HASH_B,
                                .features = HASH_B,
                                .watermark = HASH_B,
                                .event = {HASH_A, HASH_B},
                                .interval = CSM_HOUR};
}

static csm_status append(fixture *f, const char *model, int backfill) {
    csm_ranking *r = ranking(0.9);
    csm_ledger_lineage l = lineage(model);
    csm_ledger_head head;
    csm_status status = csm_learn_append(&head, f->context, f->store, r, &l, backfill);
    csm_ranking_free(r);
    return status;
}

/* Runs SQL on the catalogue behind the library's back, as somebody with an editor would. */
static int tamper(fixture *f, const char *sql) {
    csm_store_free(f->store);
    f->store = NULL;
    char *path = support_path(f->folder, "workspace/catalog.db");
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    csm_dealloc(path);
    open_store(f, CSM_STORE_WRITE);
    return code;
}

#define UNLOCK "DROP TRIGGER ledger_keeps; DROP TRIGGER ledger_keeps_all; "

static void an_empty_ledger_verifies_and_its_head_is_zeros(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    assert_ok(csm_learn_verify(&head, f->context, f->store));
    assert_true(head.rows == 0);
    assert_int_equal(strspn(head.hash, "0"), 64);
}

static void a_batch_holds_a_header_and_a_row_a_coin_and_horizon(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    assert_ok(append(f, HASH_A, 0));
    assert_ok(csm_learn_verify(&head, f->context, f->store));
    assert_true(head.rows == 1 + 2 * 2);
    csm_ledger_history *history = NULL;
    assert_ok(csm_learn_history(&history, f->store, 0, CSM_TIME_MIN, CSM_TIME_MAX, 0));
    assert_int_equal(csm_ledger_history_count(history), 4);
    const csm_ledger_entry *e = csm_ledger_history_at(history, 1);
    assert_string_equal(e->market, "kraken:BTC/USD");
    assert_true(e->horizon == 30 * CSM_DAY && e->decision == DECISION && e->written == f->now);
    assert_true(e->probability == 0.9 && e->lower == 0.7 && e->show == 0 && isnan(e->log_return));
    csm_ledger_history_free(history);
}

static void abstaining_is_written_too(void **state) {
    fixture *f = *state;
    csm_ranking *r = ranking(0.5);
    csm_ledger_lineage l = lineage(HASH_A);
    csm_ledger_head head;
    assert_int_equal(csm_ranking_count(r), 0);
    assert_ok(csm_learn_append(&head, f->context, f->store, r, &l, 0));
    assert_true(head.rows == 5);
    csm_ranking_free(r);
}

static void the_same_decision_of_the_same_model_is_written_once(void **state) {
    fixture *f = *state;
    assert_ok(append(f, HASH_A, 0));
    assert_fails(CSM_EEXIST, "stands at row 1", append(f, HASH_A, 0));
    assert_ok(append(f, HASH_B, 0));
    csm_ledger_head head;
    assert_ok(csm_learn_verify(&head, f->context, f->store));
    assert_true(head.rows == 10);
}

static void a_decision_whose_outcome_could_be_known_is_refused_unless_marked(void **state) {
    fixture *f = *state;
    f->now = DECISION + CSM_HOUR;
    assert_fails(CSM_EINVAL, "could be known already", append(f, HASH_A, 0));
    assert_ok(append(f, HASH_A, 1));
    csm_time live = 1;
    assert_ok(csm_learn_live_clock(&live, f->store));
    assert_true(live == 0);
}

static void the_live_clock_runs_from_the_first_live_row_to_the_newest(void **state) {
    fixture *f = *state;
    csm_time live = 0;
    assert_ok(append(f, HASH_A, 0));
    f->now += 30 * CSM_MINUTE;
    assert_ok(append(f, HASH_B, 0));
    assert_ok(csm_learn_live_clock(&live, f->store));
    assert_true(live == 30 * CSM_MINUTE);
}

static void a_lineage_without_hashes_is_refused(void **state) {
    fixture *f = *state;
    assert_fails(CSM_EINVAL, "lineage model 'short'", append(f, "short", 0));
    csm_ledger_head head;
    assert_ok(csm_learn_head(&head, f->store));
    assert_true(head.rows == 0);
}

static void rows_cannot_be_changed_or_deleted(void **state) {
    fixture *f = *state;
    assert_ok(append(f, HASH_A, 0));
    assert_int_equal(tamper(f, "UPDATE ledger SET probability = 0.99 WHERE row = 2"), SQLITE_CONSTRAINT);
    assert_int_equal(tamper(f, "DELETE FROM ledger WHERE row = 5"), SQLITE_CONSTRAINT);
    csm_ledger_head head;
    assert_ok(csm_learn_verify(&head, f->context, f->store));
}

static void a_changed_number_is_found(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    assert_ok(append(f, HASH_A, 0));
    assert_int_equal(tamper(f, UNLOCK "UPDATE ledger SET probability = 0.91 WHERE row = 3"), SQLITE_OK);
    assert_fails(CSM_ECORRUPT, "row 3", csm_learn_verify(&head, f->context, f->store));
    assert_fails(CSM_ECORRUPT, "row 3", csm_ledger_verify_tail(f->store, 3));
}

static void a_removed_row_is_found(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    assert_ok(append(f, HASH_A, 0));
    assert_int_equal(tamper(f, UNLOCK "DELETE FROM ledger WHERE row = 4"), SQLITE_OK);
    assert_fails(CSM_ECORRUPT, "row 5 follows row 3", csm_learn_verify(&head, f->context, f->store));
}

static void a_rewritten_row_breaks_the_link_of_the_next(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    assert_ok(append(f, HASH_A, 0));
    assert_int_equal(tamper(f, UNLOCK "UPDATE ledger SET previous = hash WHERE row = 3"), SQLITE_OK);
    assert_fails(CSM_ECORRUPT, "row 3: does not link", csm_learn_verify(&head, f->context, f->store));
}

static void a_cut_tail_shows_against_the_exported_head(void **state) {
    fixture *f = *state;
    csm_ledger_head exported, now;
    assert_ok(append(f, HASH_A, 0));
    assert_ok(csm_learn_head(&exported, f->store));
    assert_int_equal(tamper(f, UNLOCK "DELETE FROM ledger WHERE row > 3"), SQLITE_OK);
    assert_ok(csm_learn_verify(&now, f->context, f->store));
    assert_string_not_equal(now.hash, exported.hash);
}

static void an_outcome_without_its_prediction_is_found(void **state) {
    fixture *f = *state;
    csm_ledger_head head;
    assert_ok(append(f, HASH_A, 0));
    assert_int_equal(tamper(f, "INSERT INTO outcomes VALUES (2, 1, 0, 1, 1, 1, 0.5, 1, 2, '" HASH_A "')"),
                     SQLITE_OK);
    assert_fails(CSM_ECORRUPT, "1 outcomes belong to no prediction",
                 csm_learn_verify(&head, f->context, f->store));
}

static void a_read_only_store_takes_no_row(void **state) {
    fixture *f = *state;
    csm_store_free(f->store);
    open_store(f, CSM_STORE_READ);
    assert_fails(CSM_EREADONLY, "", append(f, HASH_A, 0));
}

static void two_processes_that_share_the_workspace_write_one_chain(void **state) {
    fixture *f = *state;
    csm_store_free(f->store);
    open_store(f, CSM_STORE_SHARED);
    csm_store *second = f->store;
    open_store(f, CSM_STORE_SHARED);
    csm_ledger_head head;
    assert_ok(append(f, HASH_A, 0));
    assert_ok(csm_learn_head(&head, second));
    assert_true(head.rows == 0); /* its own generation */
    csm_store *first = f->store;
    f->store = second;
    assert_fails(CSM_EEXIST, "stands at row", append(f, HASH_A, 0)); /* a commit sees what others wrote */
    assert_ok(append(f, HASH_B, 0));
    assert_ok(csm_learn_verify(&head, f->context, second));
    assert_true(head.rows == 10);
    csm_store_free(first);
}

static void a_failed_allocation_leaves_no_half_batch(void **state) {
    fixture *f = *state;
    csm_ranking *r = ranking(0.9);
    csm_ledger_lineage l = lineage(HASH_A);
    csm_ledger_head head;
    for (uint64_t n = 1;; n++) {
        csm_fault_allocation(n, false);
        csm_status status = csm_learn_append(&head, f->context, f->store, r, &l, 0);
        csm_fault_allocation(0, false);
        if (status == CSM_OK) break;
        assert_int_equal(status, CSM_ENOMEM);
        assert_ok(csm_learn_verify(&head, f->context, f->store));
        assert_true(head.rows == 0);
    }
    csm_ranking_free(r);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_ledger_verifies_and_its_head_is_zeros),
        TEST(a_batch_holds_a_header_and_a_row_a_coin_and_horizon),
        TEST(abstaining_is_written_too),
        TEST(the_same_decision_of_the_same_model_is_written_once),
        TEST(a_decision_whose_outcome_could_be_known_is_refused_unless_marked),
        TEST(the_live_clock_runs_from_the_first_live_row_to_the_newest),
        TEST(a_lineage_without_hashes_is_refused),
        TEST(rows_cannot_be_changed_or_deleted),
        TEST(a_changed_number_is_found),
        TEST(a_removed_row_is_found),
        TEST(a_rewritten_row_breaks_the_link_of_the_next),
        TEST(a_cut_tail_shows_against_the_exported_head),
        TEST(an_outcome_without_its_prediction_is_found),
        TEST(a_read_only_store_takes_no_row),
        TEST(two_processes_that_share_the_workspace_write_one_chain),
        TEST(a_failed_allocation_leaves_no_half_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
