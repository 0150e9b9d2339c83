/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include "store/manifest.h"

#include <sys/stat.h>

typedef struct pair {
    workspace *from;
    char folder[300];
    char target[300];
} pair;

static pair make_pair(void **state) {
    pair p = {.from = *state};
    snprintf(p.folder, sizeof p.folder, "%s/export", p.from->path);
    snprintf(p.target, sizeof p.target, "%s/target", p.from->path);
    return p;
}

static csm_store *filled_store(const workspace *w) {
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    append_bars(store, w, "ETH/USD", 0, 30);
    append_bars(store, w, "ETH/USD", 30, 30);
    return store;
}

static void hex_of(char hex[CSM_HASH_TEXT], const csm_store *store, const workspace *w) {
    assert_ok(csm_store_watermark(hex, CSM_HASH_TEXT, store, w->context, CSM_TIME_MAX));
}

static void assert_clean(const csm_store *store, const workspace *w) {
    uint64_t findings = 99;
    assert_ok(csm_store_verify(&findings, store, w->context));
    if (findings) fail_msg("%llu findings: %s", (unsigned long long)findings, csm_error_message());
}

static void test_an_exported_folder_adopted_elsewhere_holds_the_same_records(void **state) {
    const pair p = make_pair(state);
    char before[CSM_HASH_TEXT], after[CSM_HASH_TEXT];
    csm_store *store = filled_store(p.from), *target = NULL;
    assert_ok(csm_store_export(store, p.from->context, p.folder));
    hex_of(before, store, p.from);
    assert_ok(csm_store_open(&target, p.from->context, p.target, CSM_STORE_CREATE));
    assert_ok(csm_store_adopt(target, p.from->context, p.folder));
    hex_of(after, target, p.from);
    assert_string_equal(before, after);
    assert_clean(target, p.from);
    csm_stream_list *list;
    assert_ok(csm_store_streams(&list, target, NULL, NULL));
    assert_int_equal(csm_stream_list_count(list), 2);
    const csm_stream_info *eth = csm_stream_list_at(list, 1);
    assert_string_equal(eth->stream.symbol, "ETH/USD");
    assert_int_equal(eth->rows, 60);
    assert_true(eth->first == START && eth->last == START + 59 * HOUR && eth->available == START + 60 * HOUR);
    assert_string_equal(eth->source, "kraken.ohlc");
    csm_stream_list_free(list);
    csm_store_free(target);
    csm_store_free(store);
}

static void test_adopting_twice_changes_nothing(void **state) {
    const pair p = make_pair(state);
    char first[CSM_HASH_TEXT], second[CSM_HASH_TEXT];
    csm_store *store = filled_store(p.from);
    assert_ok(csm_store_export(store, p.from->context, p.folder));
    hex_of(first, store, p.from);
    assert_ok(csm_store_adopt(store, p.from->context, p.folder));
    hex_of(second, store, p.from);
    assert_string_equal(first, second);
    int64_t rows;
    assert_ok(csm_catalog_number(
        &rows, store, "SELECT (SELECT sum(rows) FROM segments) + (SELECT sum(rows) FROM tail)", 0));
    assert_int_equal(rows, 5060);
    csm_store_free(store);
}

static void test_adopting_what_is_partly_there_adds_the_rest(void **state) {
    const pair p = make_pair(state);
    csm_store *store = filled_store(p.from), *target = NULL;
    assert_ok(csm_store_export(store, p.from->context, p.folder));
    assert_ok(csm_store_open(&target, p.from->context, p.target, CSM_STORE_CREATE));
    append_bars(target, p.from, "BTC/USD", 4000, 2000);
    assert_ok(csm_store_adopt(target, p.from->context, p.folder));
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *all = read_all(target, p.from, &stream), *expected = bars_from(0, 6000);
    assert_same_table(expected, all);
    assert_clean(target, p.from);
    int64_t rows;
    assert_ok(csm_catalog_number(&rows, target, "SELECT sum(rows) FROM segments WHERE stream = 1", 0));
    assert_int_equal(rows, 4000);
    csm_table_free(all);
    csm_table_free(expected);
    csm_store_free(target);
    csm_store_free(store);
}

static void test_export_needs_an_empty_folder(void **state) {
    const pair p = make_pair(state);
    csm_store *store = filled_store(p.from);
    assert_status(CSM_EEXIST, csm_store_export(store, p.from->context, p.from->path));
    csm_store_free(store);
}

static void change_manifest(const pair *p, const char *find, const char *replace) {
    char path[400];
    csm_buffer text = {0}, changed = {0};
    snprintf(path, sizeof path, "%s/manifest.json", p->folder);
    assert_ok(csm_file_read(&text, path, 1 << 20));
    char *at = strstr(text.data, find);
    assert_non_null(at);
    assert_ok(csm_buffer_append(&changed, text.data, (size_t)(at - text.data)));
    assert_ok(csm_buffer_printf(&changed, "%s%s", replace, at + strlen(find)));
    assert_ok(csm_file_write_atomic(path, changed.data, changed.length, 0644));
    csm_buffer_free(&text);
    csm_buffer_free(&changed);
}

static void test_a_manifest_that_leads_elsewhere_is_refused(void **state) {
    static const char *const bad[] = {"\"path\": \"../../etc/passwd.h5\"", "\"path\": \"/etc/passwd.h5\"",
                                      "\"path\": \"segments/../x.h5\"",    "\"path\": \"segments\\\\x.h5\"",
                                      "\"path\": \"segments//x.h5\"",      "\"path\": \"x.h5\\u0000\"",
                                      "\"path\": \".hidden.h5\"",          "\"path\": 7"};
    const pair p = make_pair(state);
    csm_store *store = filled_store(p.from), *target = NULL;
    assert_ok(csm_store_open(&target, p.from->context, p.target, CSM_STORE_CREATE));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_ok(csm_store_export(store, p.from->context, p.folder));
        csm_buffer text = {0};
        char path[400], old[300];
        snprintf(path, sizeof path, "%s/manifest.json", p.folder);
        assert_ok(csm_file_read(&text, path, 1 << 20));
        const char *at = strstr(text.data, "\"path\": \"");
        snprintf(old, sizeof old, "%.*s", (int)(strchr(at + 9, '"') + 1 - at), at);
        change_manifest(&p, old, bad[i]);
        assert_status(CSM_EPARSE, csm_store_adopt(target, p.from->context, p.folder));
        csm_buffer_free(&text);
        remove_folder(p.folder);
    }
    csm_store_free(target);
    csm_store_free(store);
}

static void find_segment(char out[600], const char *folder) {
    csm_manifest manifest;
    csm_buffer text = {0};
    char path[400];
    snprintf(path, sizeof path, "%s/manifest.json", folder);
    assert_ok(csm_file_read(&text, path, 1 << 20));
    assert_ok(csm_manifest_parse(&manifest, text.data, text.length));
    snprintf(out, 600, "%s/%s", folder, manifest.entries[0].path);
    csm_manifest_free(&manifest);
    csm_buffer_free(&text);
}

static void test_a_changed_segment_is_refused_by_its_hash(void **state) {
    const pair p = make_pair(state);
    char path[600];
    csm_buffer bytes = {0};
    csm_store *store = filled_store(p.from), *target = NULL;
    assert_ok(csm_store_export(store, p.from->context, p.folder));
    find_segment(path, p.folder);
    assert_ok(csm_file_read(&bytes, path, 1 << 20));
    bytes.data[bytes.length / 2] ^= 1;
    assert_ok(csm_file_write_atomic(path, bytes.data, bytes.length, 0644));
    assert_ok(csm_store_open(&target, p.from->context, p.target, CSM_STORE_CREATE));
    assert_status(CSM_ECORRUPT, csm_store_adopt(target, p.from->context, p.folder));
    assert_text(path);
    csm_buffer_free(&bytes);
    csm_store_free(target);
    csm_store_free(store);
}

static void test_a_segment_that_is_a_link_is_refused(void **state) {
    const pair p = make_pair(state);
    char path[600], moved[400];
    csm_store *store = filled_store(p.from), *target = NULL;
    assert_ok(csm_store_export(store, p.from->context, p.folder));
    find_segment(path, p.folder);
    snprintf(moved, sizeof moved, "%s/elsewhere.h5", p.from->path);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    assert_ok(csm_store_open(&target, p.from->context, p.target, CSM_STORE_CREATE));
    assert_status(CSM_ECORRUPT, csm_store_adopt(target, p.from->context, p.folder));
    assert_text("symbolic link");
    csm_store_free(target);
    csm_store_free(store);
}

static void test_a_manifest_and_a_segment_that_disagree_are_refused(void **state) {
    const pair p = make_pair(state);
    csm_store *store = filled_store(p.from), *target = NULL;
    assert_ok(csm_store_export(store, p.from->context, p.folder));
    change_manifest(&p, "\"symbol\": \"BTC/USD\"", "\"symbol\": \"DOGE/USD\"");
    assert_ok(csm_store_open(&target, p.from->context, p.target, CSM_STORE_CREATE));
    assert_status(CSM_ECORRUPT, csm_store_adopt(target, p.from->context, p.folder));
    assert_text("other rows than the manifest says");
    csm_store_free(target);
    csm_store_free(store);
}

static void test_the_same_records_give_the_same_manifest(void **state) {
    const pair p = make_pair(state);
    char path[400], other[400];
    csm_buffer a = {0}, b = {0};
    csm_store *store = filled_store(p.from);
    assert_ok(csm_store_export(store, p.from->context, p.folder));
    assert_ok(csm_store_export(store, p.from->context, p.target));
    snprintf(path, sizeof path, "%s/manifest.json", p.folder);
    snprintf(other, sizeof other, "%s/manifest.json", p.target);
    assert_ok(csm_file_read(&a, path, 1 << 20));
    assert_ok(csm_file_read(&b, other, 1 << 20));
    assert_string_equal(a.data, b.data);
    csm_buffer_free(&a);
    csm_buffer_free(&b);
    csm_store_free(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_an_exported_folder_adopted_elsewhere_holds_the_same_records),
        TEST(test_adopting_twice_changes_nothing),
        TEST(test_adopting_what_is_partly_there_adds_the_rest),
        TEST(test_export_needs_an_empty_folder),
        TEST(test_a_manifest_that_leads_elsewhere_is_refused),
        TEST(test_a_changed_segment_is_refused_by_its_hash),
        TEST(test_a_segment_that_is_a_link_is_refused),
        TEST(test_a_manifest_and_a_segment_that_disagree_are_refused),
        TEST(test_the_same_records_give_the_same_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
