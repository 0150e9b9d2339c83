/* SPDX-License-Identifier: MIT */
/* Many appends, one acknowledgement: all of them or none, also after a kill. */
#include "fixture.h"

#include "store/append.h"

#define MEMBERS 4
static const char *const symbols[MEMBERS] = {"BTC/USD", "ETH/USD", "ADA/USD", "SOL/USD"};
static const int64_t counts[MEMBERS] = {5000, 30, 9000, 4096};

static void fill(csm_append *appends) {
    for (size_t i = 0; i < MEMBERS; i++)
        appends[i] = (csm_append){.stream = bar_stream(symbols[i]),
                                  .provenance = source_at(START + 100000 * HOUR),
                                  .rows = bars_from(0, counts[i])};
}

static void drop(csm_append *appends) {
    for (size_t i = 0; i < MEMBERS; i++) csm_table_free(appends[i].rows);
}

static int64_t number(const csm_store *store, const char *sql) {
    int64_t value;
    assert_ok(csm_catalog_number(&value, store, sql, -1));
    return value;
}

static int file_count;

static int count_file(const char *path, const struct stat *info, int flag, struct FTW *where) {
    (void)info;
    (void)where;
    if (flag == FTW_F && (strstr(path, ".h5") || strstr(path, ".tmp-"))) file_count++;
    return 0;
}

static int files_in(const workspace *w) {
    file_count = 0;
    nftw(w->path, count_file, 16, FTW_PHYS);
    return file_count;
}

static void assert_members(const csm_store *store, const workspace *w, bool there) {
    uint64_t findings;
    for (size_t i = 0; i < MEMBERS; i++) {
        const csm_stream stream = bar_stream(symbols[i]);
        csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, there ? counts[i] : 0);
        assert_same_table(expected, back);
        csm_table_free(expected);
        csm_table_free(back);
    }
    assert_ok(csm_store_verify(&findings, store, w->context));
    if (findings) fail_msg("%s", csm_error_message());
}

static void append_all(csm_store *store, const workspace *w, bool again) {
    csm_append appends[MEMBERS];
    size_t failed = 99;
    fill(appends);
    assert_ok(csm_append_group(store, w->context, appends, MEMBERS, &failed));
    assert_int_equal(failed, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++) assert_int_equal(appends[i].stored, again ? 0 : counts[i]);
    drop(appends);
}

static void test_a_group_is_stored_as_its_appends_alone_would_be(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_all(store, w, false);
    assert_members(store, w, true);
    assert_int_equal(number(store, "SELECT count(*) FROM segments"), 3);
    assert_int_equal(number(store, "SELECT sum(rows) FROM tail"), 30);
    assert_int_equal(files_in(w), 3); /* no temporary, no note */
    char together[65], alone[65];
    assert_ok(csm_store_watermark(together, sizeof together, store, w->context, CSM_TIME_MAX));
    append_all(store, w, true); /* known already */
    assert_int_equal(number(store, "SELECT count(*) FROM segments"), 3);
    csm_store_free(store);
    remove_folder(w->path);
    store = open_store(w, CSM_STORE_CREATE);
    for (size_t i = 0; i < MEMBERS; i++) {
        const csm_stream stream = bar_stream(symbols[i]);
        const csm_provenance source = source_at(START + 100000 * HOUR);
        csm_table *bars = bars_from(0, counts[i]);
        assert_ok(csm_store_append(store, w->context, &stream, bars, &source));
        csm_table_free(bars);
    }
    assert_ok(csm_store_watermark(alone, sizeof alone, store, w->context, CSM_TIME_MAX));
    assert_string_equal(together, alone);
    csm_store_free(store);
}

static void test_one_bad_member_refuses_the_group_and_is_named(void **state) {
    const workspace *w = *state;
    csm_append appends[MEMBERS];
    size_t failed;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    fill(appends);
    appends[2].rows->ticks[CSM_COLUMN_HIGH][8000] = 1;
    assert_status(CSM_EINVAL, csm_append_group(store, w->context, appends, MEMBERS, &failed));
    assert_int_equal(failed, 2);
    assert_text("ADA/USD");
    drop(appends);
    fill(appends);
    appends[3].provenance.request = "";
    assert_status(CSM_EPROVENANCE, csm_append_group(store, w->context, appends, MEMBERS, &failed));
    assert_int_equal(failed, 3);
    drop(appends);
    fill(appends);
    appends[3].stream.symbol = "BTC/USD";
    assert_status(CSM_EINVAL, csm_append_group(store, w->context, appends, MEMBERS, &failed));
    assert_int_equal(failed, 3);
    assert_text("BTC/USD is in this group already");
    drop(appends);
    assert_members(store, w, false);
    assert_int_equal(files_in(w), 0);
    csm_store_free(store);
}

static void test_a_group_that_cannot_be_committed_leaves_what_was_there(void **state) {
    const workspace *w = *state;
    csm_append appends[MEMBERS];
    size_t failed;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    assert_ok(csm_catalog_begin(store)); /* a second transaction is refused */
    fill(appends);
    assert_status(CSM_EINTERNAL, csm_append_group(store, w->context, appends, MEMBERS, &failed));
    assert_int_equal(failed, MEMBERS);
    drop(appends);
    csm_catalog_rollback(store);
    csm_store_free(store);
    store = open_store(w, CSM_STORE_WRITE); /* recovery does not adopt them */
    assert_members(store, w, false);
    assert_int_equal(files_in(w), 0);
    append_all(store, w, false);
    assert_members(store, w, true);
    csm_store_free(store);
}

/* What a kill between the first rename and the commit leaves: segments nobody names, and the note. */
static void test_what_a_note_lists_is_removed_unless_the_manifest_names_it(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_all(store, w, false);
    char note[300], kept[300];
    snprintf(note, sizeof note, "%s/.tmp-group-1-0", w->path);
    snprintf(kept, sizeof kept, "%s/catalog.db", w->path);
    csm_buffer text = {0};
    csm_statement *s;
    bool row;
    assert_ok(csm_catalog_prepare(&s, store, "SELECT path FROM segments ORDER BY path"));
    for (;;) {
        assert_ok(csm_statement_step(s, &row));
        if (!row) break;
        assert_ok(csm_buffer_printf(&text, "%s\n", csm_statement_text(s, 0)));
    }
    csm_statement_close(s);
    assert_ok(csm_buffer_printf(&text, "catalog.db\n../x.h5\nsegments/bars/00/absent.h5\nsegments/bars/cut"));
    csm_store_recovery report;
    for (int named = 1; named >= 0; named--) {
        if (!named) {
            assert_ok(csm_catalog_run(store, "DELETE FROM segment_provenance"));
            assert_ok(csm_catalog_run(store, "DELETE FROM segments"));
            assert_ok(csm_catalog_run(store, "DELETE FROM tail"));
        }
        csm_store_free(store);
        assert_ok(csm_file_write_atomic(note, text.data, text.length, 0644));
        store = open_store(w, CSM_STORE_WRITE);
        assert_ok(csm_store_recovery_report(&report, store));
        assert_int_equal(report.segments_adopted + report.segments_quarantined + report.segments_missing, 0);
        assert_int_equal(report.temporaries_swept, named ? 1 : 4);
        assert_members(store, w, named);
        assert_true(csm_file_exists(kept));
        assert_int_equal(files_in(w), named ? 3 : 0);
    }
    csm_buffer_free(&text);
    csm_store_free(store);
}

static void test_a_failing_allocation_stores_nothing_of_the_group(void **state) {
    const workspace *w = *state;
    csm_context_options options;
    csm_context *single = NULL;
    csm_context_options_init(&options);
    options.threads = 1; /* the hook counts this thread's allocations */
    assert_ok(csm_context_new(&single, &options));
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    for (uint64_t n = 1;; n += 1 + n / 40) {
        csm_append appends[MEMBERS];
        size_t failed;
        fill(appends);
        csm_fault_allocation(n, false);
        const csm_status status = csm_append_group(store, single, appends, MEMBERS, &failed);
        const bool reached = csm_fault_allocations_seen() >= n;
        csm_fault_allocation(0, false);
        drop(appends);
        if (!reached) {
            assert_ok(status);
            break;
        }
        if (status == CSM_OK) break; /* what failed was not needed: the commit is through */
        assert_status(CSM_ENOMEM, status);
        assert_int_equal(number(store, "SELECT count(*) FROM segments"), 0);
        assert_int_equal(number(store, "SELECT count(*) FROM tail"), 0);
        assert_true(n < 100000);
    }
    assert_members(store, w, true);
    csm_store_free(store);
    csm_context_free(single);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_a_group_is_stored_as_its_appends_alone_would_be),
        TEST(test_one_bad_member_refuses_the_group_and_is_named),
        TEST(test_a_group_that_cannot_be_committed_leaves_what_was_there),
        TEST(test_what_a_note_lists_is_removed_unless_the_manifest_names_it),
        TEST(test_a_failing_allocation_stores_nothing_of_the_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
