/* SPDX-License-Identifier: MIT */
#include "fixture.h"

static void run_sql(const csm_store *store, const char *sql) {
    assert_ok(csm_catalog_run(store, sql));
}

static void path_of_first(char out[600], const csm_store *store) {
    csm_statement *s;
    bool row;
    assert_ok(csm_catalog_prepare(&s, store, "SELECT path FROM segments ORDER BY id LIMIT 1"));
    assert_ok(csm_statement_step(s, &row));
    assert_true(row);
    snprintf(out, 600, "%s/%s", csm_store_path(store), csm_statement_text(s, 0));
    csm_statement_close(s);
}

static csm_store_recovery reopen(const workspace *w, csm_store **store) {
    csm_store_recovery report;
    csm_store_free(*store);
    *store = open_store(w, CSM_STORE_WRITE);
    assert_ok(csm_store_recovery_report(&report, *store));
    return report;
}

static void forget_segments(csm_store *store) {
    run_sql(store, "DELETE FROM segment_provenance");
    run_sql(store, "DELETE FROM segments");
    run_sql(store, "DELETE FROM tail");
    run_sql(store, "DELETE FROM stream_columns");
    run_sql(store, "DELETE FROM streams");
    run_sql(store, "DELETE FROM provenance");
}

static void assert_bars(const csm_store *store, const workspace *w, int64_t count) {
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, count);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    uint64_t findings;
    assert_ok(csm_store_verify(&findings, store, w->context));
    if (findings) fail_msg("%s", csm_error_message());
}

static void test_a_clean_workspace_has_nothing_to_recover(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 100);
    append_bars(store, w, "ETH/USD", 0, 5000);
    const csm_store_recovery r = reopen(w, &store);
    assert_int_equal(r.temporaries_swept + r.segments_adopted + r.segments_quarantined + r.segments_missing,
                     0);
    assert_int_equal(r.tail_rows, 100);
    csm_store_free(store);
}

static void test_temporaries_are_swept(void **state) {
    const workspace *w = *state;
    char path[600];
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    path_of_first(path, store);
    char *slash = strrchr(path, '/');
    strcpy(slash, "/.tmp-kraken.h5-77-0");
    assert_ok(csm_file_write_atomic(path, "half", 4, 0644));
    assert_int_equal(reopen(w, &store).temporaries_swept, 1);
    assert_false(csm_file_exists(path));
    assert_bars(store, w, 5000);
    csm_store_free(store);
}

static void test_a_segment_whose_row_was_not_committed_is_adopted(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    forget_segments(store);
    const csm_store_recovery r = reopen(w, &store);
    assert_int_equal(r.segments_adopted, 1);
    assert_int_equal(r.segments_quarantined, 0);
    assert_bars(store, w, 5000);
    csm_store_free(store);
}

/* What a kill between the file and the transaction of a roll leaves: the rows are in the tail still. */
static void test_a_segment_whose_rows_are_in_the_tail_is_quarantined(void **state) {
    const workspace *w = *state;
    char path[600], target[700];
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 50);
    run_sql(store, "CREATE TABLE kept AS SELECT * FROM tail");
    assert_ok(csm_store_roll(store, w->context));
    path_of_first(path, store);
    run_sql(store, "DELETE FROM segment_provenance");
    run_sql(store, "DELETE FROM segments");
    run_sql(store, "INSERT INTO tail SELECT * FROM kept");
    run_sql(store, "DROP TABLE kept");
    const csm_store_recovery r = reopen(w, &store);
    assert_int_equal(r.segments_quarantined, 1);
    assert_int_equal(r.tail_rows, 50);
    assert_false(csm_file_exists(path));
    snprintf(target, sizeof target, "%s/quarantine%s.txt", w->path, strrchr(path, '/'));
    assert_true(csm_file_exists(target));
    assert_bars(store, w, 50);
    assert_ok(csm_store_roll(store, w->context));
    assert_bars(store, w, 50);
    csm_store_free(store);
}

static void cut(const char *path, size_t bytes) {
    csm_buffer all = {0};
    assert_ok(csm_file_read(&all, path, 1 << 24));
    assert_ok(csm_file_write_atomic(path, all.data, all.length - bytes, 0644));
    csm_buffer_free(&all);
}

static void test_an_unnamed_file_that_is_not_whole_is_quarantined(void **state) {
    const workspace *w = *state;
    char path[600];
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    path_of_first(path, store);
    forget_segments(store);
    cut(path, 100);
    assert_int_equal(reopen(w, &store).segments_quarantined, 1);
    csm_stream_list *list;
    assert_ok(csm_store_streams(&list, store, NULL, NULL));
    assert_int_equal(csm_stream_list_count(list), 0);
    csm_stream_list_free(list);
    append_bars(store, w, "BTC/USD", 0, 5000);
    assert_bars(store, w, 5000);
    /* A second one of the same name finds its place too. */
    path_of_first(path, store);
    forget_segments(store);
    cut(path, 100);
    assert_int_equal(reopen(w, &store).segments_quarantined, 1);
    csm_store_free(store);
}

static void test_a_named_segment_that_is_cut_is_counted_and_only_its_reads_fail(void **state) {
    const workspace *w = *state;
    char path[600];
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "ETH/USD", 0, 5000);
    append_bars(store, w, "BTC/USD", 0, 6000);
    path_of_first(path, store);
    cut(path, 1);
    assert_int_equal(reopen(w, &store).segments_missing, 1);
    const csm_stream eth = bar_stream("ETH/USD"), btc = bar_stream("BTC/USD");
    csm_table *table;
    assert_status(CSM_ECORRUPT,
                  csm_store_read(&table, store, w->context, &eth, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX));
    assert_text(path);
    assert_null(table);
    table = read_all(store, w, &btc);
    assert_int_equal(csm_table_rows(table), 6000);
    csm_table_free(table);
    uint64_t findings;
    assert_ok(csm_store_verify(&findings, store, w->context));
    assert_int_equal(findings, 1);
    assert_text(path);
    csm_store_free(store);
}

static void test_a_named_segment_that_is_gone_is_counted(void **state) {
    const workspace *w = *state;
    char path[600];
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 6000);
    path_of_first(path, store);
    assert_ok(csm_file_remove(path));
    assert_int_equal(reopen(w, &store).segments_missing, 1);
    const csm_stream btc = bar_stream("BTC/USD");
    csm_table *table;
    assert_status(CSM_ECORRUPT,
                  csm_store_read(&table, store, w->context, &btc, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX));
    assert_text(path);
    csm_store_free(store);
}

/* Any one bit: the hash finds it always; a read either fails or the bit lay where nothing depends on it. */
static void test_no_flipped_bit_of_a_segment_changes_a_row_unnoticed(void **state) {
    const workspace *w = *state;
    char path[600];
    csm_buffer bytes = {0};
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 4200);
    path_of_first(path, store);
    assert_ok(csm_file_read(&bytes, path, 1 << 24));
    const csm_stream btc = bar_stream("BTC/USD");
    csm_table *expected = bars_from(0, 4200);
    size_t refused = 0, tried = 0;
    for (size_t i = 0; i < bytes.length; i += 1 + i % 37, tried++) {
        csm_table *table = NULL;
        bytes.data[i] ^= (char)(1 << (i % 8));
        FILE *file = fopen(path, "wb");
        assert_int_equal(fwrite(bytes.data, 1, bytes.length, file), bytes.length);
        fclose(file);
        bytes.data[i] ^= (char)(1 << (i % 8));
        const csm_status status =
            csm_store_read(&table, store, w->context, &btc, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX);
        if (status) {
            assert_true(status == CSM_ECORRUPT || status == CSM_EUNSUPPORTED);
            assert_text(path);
            refused++;
        } else {
            assert_same_table(expected, table);
        }
        csm_table_free(table);
    }
    assert_true(refused > tried / 2);
    csm_table_free(expected);
    csm_buffer_free(&bytes);
    csm_store_free(store);
}

static void test_a_flipped_bit_in_the_tail_is_noticed(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 10);
    run_sql(store,
            "UPDATE tail SET cells = CAST(substr(cells, 1, 99) || x'A5' || substr(cells, 101) AS BLOB)");
    const csm_stream btc = bar_stream("BTC/USD");
    csm_table *table;
    assert_status(CSM_ECORRUPT,
                  csm_store_read(&table, store, w->context, &btc, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX));
    uint64_t findings;
    assert_ok(csm_store_verify(&findings, store, w->context));
    assert_int_equal(findings, 1);
    csm_store_free(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_clean_workspace_has_nothing_to_recover),
        TEST(test_temporaries_are_swept),
        TEST(test_a_segment_whose_row_was_not_committed_is_adopted),
        TEST(test_a_segment_whose_rows_are_in_the_tail_is_quarantined),
        TEST(test_an_unnamed_file_that_is_not_whole_is_quarantined),
        TEST(test_a_named_segment_that_is_cut_is_counted_and_only_its_reads_fail),
        TEST(test_a_named_segment_that_is_gone_is_counted),
        TEST(test_no_flipped_bit_of_a_segment_changes_a_row_unnoticed),
        TEST(test_a_flipped_bit_in_the_tail_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
