/* SPDX-License-Identifier: MIT */
/* Every allocation of the library is made to fail once: the call answers CSM_ENOMEM, leaks nothing, and what was stored
 * before is there afterwards. What SQLite, HDF5, zlib and jansson allocate themselves is theirs. */
#include "fixture.h"

static csm_context *single(void) {
    csm_context_options options;
    csm_context *context = NULL;
    csm_context_options_init(&options);
    options.threads = 1; /* the hook counts this thread's allocations */
    assert_ok(csm_context_new(&context, &options));
    return context;
}

typedef csm_status (*step)(workspace *w, csm_context *context);

/* Runs `run` with the n-th allocation failing, n = 1, 2, ..., until it gets through. */
static void fail_each_allocation(workspace *w, csm_context *context, step run) {
    uint64_t n = 1;
    for (;; n++) {
        csm_fault_allocation(n, false);
        const csm_status status = run(w, context);
        const bool reached = csm_fault_allocations_seen() >= n;
        csm_fault_allocation(0, false);
        if (!reached) {
            if (status) fail_msg("%s", csm_error_message());
            break;
        }
        if (status != CSM_OK && status != CSM_ENOMEM)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, csm_status_name(status),
                     csm_error_message());
        assert_true(n < 20000);
    }
    assert_true(n > 3);
}

static csm_status open_and_close(workspace *w, csm_context *context) {
    csm_store *store = NULL;
    const csm_status status = csm_store_open(&store, context, w->path, CSM_STORE_CREATE);
    csm_store_free(store);
    return status;
}

static csm_status open_to_read(workspace *w, csm_context *context) {
    csm_store *store = NULL;
    const csm_status status = csm_store_open(&store, context, w->path, CSM_STORE_READ);
    csm_store_free(store);
    return status;
}

static csm_store *current;
static csm_table *rows_to_append;

static csm_status append_rows(workspace *w, csm_context *context) {
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + 100000 * HOUR);
    (void)w;
    return csm_store_append(current, context, &stream, rows_to_append, &source);
}

static csm_status roll(workspace *w, csm_context *context) {
    (void)w;
    return csm_store_roll(current, context);
}

static csm_status read_rows(workspace *w, csm_context *context) {
    const csm_stream stream = bar_stream("BTC/USD");
    csm_bar_series *series = NULL;
    (void)w;
    const csm_status status =
        csm_store_read_bars(&series, current, context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX);
    csm_bar_series_free(series);
    return status;
}

static csm_status list_streams(workspace *w, csm_context *context) {
    csm_stream_list *list = NULL;
    (void)w;
    (void)context;
    const csm_status status = csm_store_streams(&list, current, NULL, NULL);
    csm_stream_list_free(list);
    return status;
}

static csm_status watermark(workspace *w, csm_context *context) {
    char hex[CSM_HASH_TEXT];
    (void)w;
    return csm_store_watermark(hex, sizeof hex, current, context, CSM_TIME_MAX);
}

static csm_status verify(workspace *w, csm_context *context) {
    uint64_t findings = 0;
    (void)w;
    const csm_status status = csm_store_verify(&findings, current, context);
    return status ? status : findings ? CSM_ECORRUPT : CSM_OK;
}

static csm_status export_all(workspace *w, csm_context *context) {
    char folder[300];
    snprintf(folder, sizeof folder, "%s/export", w->path);
    const csm_status status = csm_store_export(current, context, folder);
    if (status) remove_folder(folder);
    return status;
}

static csm_status adopt_all(workspace *w, csm_context *context) {
    char folder[300], target[300];
    csm_store *store = NULL;
    snprintf(folder, sizeof folder, "%s/export", w->path);
    snprintf(target, sizeof target, "%s/target", w->path);
    csm_status status = csm_store_open(&store, context, target, CSM_STORE_CREATE);
    if (!status) status = csm_store_adopt(store, context, folder);
    csm_store_free(store);
    return status;
}

static csm_status build_table(workspace *w, csm_context *context) {
    csm_table *table = NULL;
    (void)w;
    (void)context;
    csm_status status = csm_table_new(&table, "value");
    for (int64_t i = 0; i < 40 && !status; i++) {
        const csm_decimal cells[3] = {dec(i, 0), dec(i, 0), dec(i, (int32_t)(i % 5))};
        status = csm_table_append(table, cells);
    }
    csm_table_free(table);
    return status;
}

static void test_opening(void **state) {
    workspace *w = *state;
    csm_context *context = single();
    fail_each_allocation(w, context, open_and_close);
    fail_each_allocation(w, context, open_to_read);
    fail_each_allocation(w, context, build_table);
    csm_context_free(context);
}

static void test_appending_rolling_and_reading(void **state) {
    workspace *w = *state;
    csm_context *context = single();
    current = open_store(w, CSM_STORE_CREATE);
    rows_to_append = bars_from(0, 30);
    fail_each_allocation(w, context, append_rows);
    csm_table_free(rows_to_append);
    rows_to_append = bars_from(20, 30);
    fail_each_allocation(w, context, append_rows);
    fail_each_allocation(w, context, roll);
    csm_table_free(rows_to_append);
    rows_to_append = bars_from(50, 4200);
    fail_each_allocation(w, context, append_rows);
    csm_table_free(rows_to_append);
    fail_each_allocation(w, context, read_rows);
    fail_each_allocation(w, context, list_streams);
    fail_each_allocation(w, context, watermark);
    fail_each_allocation(w, context, verify);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *back = read_all(current, w, &stream), *expected = bars_from(0, 4250);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    csm_store_free(current);
    csm_context_free(context);
}

static void test_exporting_and_adopting(void **state) {
    workspace *w = *state;
    csm_context *context = single();
    current = open_store(w, CSM_STORE_CREATE);
    append_bars(current, w, "BTC/USD", 0, 4200);
    append_bars(current, w, "ETH/USD", 0, 20);
    fail_each_allocation(w, context, export_all);
    fail_each_allocation(w, context, adopt_all);
    csm_store_free(current);
    csm_context_free(context);
}

/* A cut-off workspace is recovered under failing allocations: in the end adopted, never lost. */
static void test_recovering(void **state) {
    workspace *w = *state;
    csm_context *context = single();
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 4200);
    static const char *const forget[] = {"segment_provenance", "segments", "stream_columns", "streams",
                                         "provenance"};
    for (size_t i = 0; i < 5; i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "DELETE FROM %s", forget[i]);
        assert_ok(csm_catalog_run(store, sql));
    }
    csm_store_free(store);
    fail_each_allocation(w, context, open_and_close);
    store = open_store(w, CSM_STORE_WRITE);
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *back = read_all(store, w, &stream), *expected = bars_from(0, 4200);
    assert_same_table(expected, back);
    csm_table_free(back);
    csm_table_free(expected);
    csm_store_free(store);
    csm_context_free(context);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_opening),
        TEST(test_appending_rolling_and_reading),
        TEST(test_exporting_and_adopting),
        TEST(test_recovering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
