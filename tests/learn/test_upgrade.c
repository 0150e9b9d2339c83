/* SPDX-License-Identifier: MIT */
/* A workspace of a build before decisions and shadow forecasts: its rows keep their hashes, outcomes and champion. */
#include "learn/ledger.h"
#include "store/internal.h"

#include "../core/support.h"

#include <cryptosmart/pipeline.h>
#include <sqlite3.h>

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ROWS 50

static void run(sqlite3 *db, const char *sql) {
    char *text = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK) fail_msg("%s: %s", sql, text);
}

/* Versions that the stages had then. */
static int64_t version_then(const char *stage) {
    return strcmp(stage, "learn") == 0 ? 2 : 1;
}

static void make_tables(sqlite3 *db) {
    static const struct {
        const char *stage;
        int64_t version;
        const char *text;
    } entries[] = {
#define CSM_SCHEMA(stage, version, text) {#stage, version, text},
#include "store/schema.def"
#undef CSM_SCHEMA
    };
    run(db, "CREATE TABLE schema (stage TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
    run(db, "PRAGMA application_id = 0x43534d31");
    run(db, "PRAGMA user_version = 1");
    run(db, "PRAGMA journal_mode = WAL");
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        if (entries[i].version <= version_then(entries[i].stage)) run(db, entries[i].text);
    }
    static const char *const stages[] = {"store", "learn", "pipeline", "discover", "ingest"};
    for (size_t i = 0; i < 5; i++) {
        char *sql = csm_strformat("INSERT INTO schema VALUES ('%s', %lld)", stages[i],
                                  (long long)version_then(stages[i]));
        run(db, sql);
        csm_dealloc(sql);
    }
}

static void add_rows(sqlite3 *db) {
    char previous[CSM_HASH_TEXT] = ZEROS;
    for (int64_t i = 1; i <= ROWS; i++) {
        ledger_row row = {.row = i,
                          .kind = i == 1 ? CSM_LEDGER_BATCH : CSM_LEDGER_FORECAST,
                          .batch = 1,
                          .written = 1000,
                          .decision = 900,
                          .horizon = 50,
                          .probability = 0.5,
                          .market = "kraken:BTC/USD",
                          .coin = "BTC",
                          .text = i == 1 ? "model " HASH_A "\n"
                                         : "member trees score 1 weight 1 return 0 weight 1\n"};
        memcpy(row.previous, previous, sizeof previous);
        csm_ledger_hash(row.hash, &row);
        char *sql = csm_strformat(
            "INSERT INTO ledger VALUES (%lld,%lld,1,1000,900,0,50,0,0,0,0,0,0.5,0.0,0.0,0.0,0.0,0.0,0.0,"
            "'kraken:BTC/USD','BTC','%s','%s','%s')",
            (long long)i, (long long)row.kind, row.text, row.previous, row.hash);
        run(db, sql);
        csm_dealloc(sql);
        memcpy(previous, row.hash, sizeof previous);
        if (i != 2) continue;
        sql = csm_strformat("INSERT INTO outcomes VALUES (2, 950, 0, 1, 900, 950, 0.25, 1.0, 1.28, '%s')",
                            row.hash);
        run(db, sql);
        csm_dealloc(sql);
    }
}

static void an_older_ledger_goes_on_in_the_same_chain(void **state) {
    (void)state;
    char *folder = support_folder_new(), *workspace = support_path(folder, "workspace"),
         *path = csm_strformat("%s/catalog.db", workspace);
    sqlite3 *db = NULL;
    csm_context *context = NULL;
    csm_store *store = NULL;
    csm_ledger_head before, after;
    csm_ledger_history *history = NULL;
    assert_ok(csm_folder_make(workspace));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    make_tables(db);
    add_rows(db);
    run(db, "INSERT INTO models VALUES ('" HASH_A "', 'models/" HASH_A ".safetensors', 5, 6, 'champion')");
    sqlite3_close(db);
    assert_ok(csm_context_new(&context, NULL));
    assert_fails(CSM_EUNSUPPORTED, "open it once for writing",
                 csm_store_open(&store, context, workspace, CSM_STORE_READ));
    assert_ok(csm_store_open(&store, context, workspace, CSM_STORE_WRITE));
    assert_ok(csm_learn_verify(&before, context, store));
    assert_true(before.rows == ROWS);
    assert_ok(csm_learn_history(&history, store, 0, CSM_TIME_MIN, CSM_TIME_MAX, 0));
    assert_int_equal(csm_ledger_history_count(history), ROWS - 1);
    assert_true(csm_ledger_history_at(history, 0)->state == 0 &&
                csm_ledger_history_at(history, 0)->log_return == 0.25);
    csm_ledger_history_free(history);
    assert_ok(csm_catalog_begin(store));
    assert_ok(csm_ledger_decide(context, store, CSM_DECISION_WEIGHTS, 1, 0, HASH_A, "trees 1\n", false));
    assert_ok(csm_catalog_commit(store));
    assert_ok(csm_learn_verify(&after, context, store));
    assert_true(after.rows == ROWS + 1);
    assert_fails(CSM_EEXIST, "append-only",
                 csm_catalog_run(store, "UPDATE ledger SET probability = 0.9 WHERE row = 2"));
    assert_fails(CSM_EEXIST, "append-only", csm_catalog_run(store, "DELETE FROM outcomes"));
    int64_t champions = 0;
    assert_ok(csm_catalog_number(
        &champions, store, "SELECT count(*) FROM models WHERE role = 'champion' AND championed = 6", 0));
    assert_true(champions == 1);
    csm_store_free(store);
    /* Opening again changes nothing. */
    assert_ok(csm_store_open(&store, context, workspace, CSM_STORE_WRITE));
    assert_ok(csm_learn_head(&before, store));
    assert_string_equal(before.hash, after.hash);
    csm_store_free(store);
    csm_context_free(context);
    csm_dealloc(path);
    csm_dealloc(workspace);
    support_folder_remove(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(an_older_ledger_goes_on_in_the_same_chain)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
