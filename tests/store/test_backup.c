/* SPDX-License-Identifier: MIT */
/* A backup is one generation, whole or refused; what is restored from it is the workspace it was made of. */
#include "fixture.h"

#include "store/backup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define KILLS 25

typedef struct places {
    char backup[300];
    char restored[300];
    char scratch[300];
} places;

static places places_of(const workspace *w) {
    places p;
    snprintf(p.backup, sizeof p.backup, "%s-backup", w->path);
    snprintf(p.restored, sizeof p.restored, "%s-restored", w->path);
    snprintf(p.scratch, sizeof p.scratch, "%s-scratch", w->path);
    return p;
}

static int teardown(void **state) {
    const places p = places_of(*state);
    remove_folder(p.backup);
    remove_folder(p.restored);
    remove_folder(p.scratch);
    return workspace_teardown(state);
}

/* Segments, a tail, and a model file that the catalogue names. */
static csm_store *filled(const workspace *w) {
    char path[400], hex[CSM_HASH_TEXT], sql[400];
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 5000);
    append_bars(store, w, "ETH/USD", 0, 4200);
    append_bars(store, w, "BTC/USD", 5000, 7);
    const csm_hash hash = csm_hash_bytes("a model", 7);
    snprintf(path, sizeof path, "%s/models", w->path);
    assert_ok(csm_folder_make(path));
    snprintf(path, sizeof path, "%s/models/%s.safetensors", w->path, csm_hash_format(&hash, hex));
    assert_ok(csm_file_write_atomic(path, "a model", 7, 0644));
    snprintf(sql, sizeof sql,
             "INSERT INTO models (hash, path, as_of, created, since, role) VALUES ('%s', "
             "'models/%s.safetensors', 0, 0, "
             "0, 'champion')",
             hex, hex);
    assert_ok(csm_catalog_begin(store));
    assert_ok(csm_catalog_run(store, sql));
    assert_ok(csm_catalog_commit(store));
    return store;
}

static void watermark_of(char hex[CSM_HASH_TEXT], const workspace *w, const char *path) {
    csm_store *store = NULL;
    assert_ok(csm_store_open(&store, w->context, path, CSM_STORE_WRITE));
    assert_ok(csm_store_watermark(hex, CSM_HASH_TEXT, store, w->context, CSM_TIME_MAX));
    csm_store_free(store);
}

static void assert_verified(const workspace *w, const places *p) {
    uint64_t findings = 1;
    assert_ok(csm_store_verify_backup(&findings, w->context, p->backup, p->scratch));
    if (findings) fail_msg("%s", csm_error_message());
    remove_folder(p->scratch);
}

static size_t entries_in(const char *folder) {
    char **names = NULL;
    size_t count = 0;
    assert_ok(csm_folder_list(&names, &count, folder));
    csm_folder_list_free(names, count);
    return count;
}

static void test_a_restored_workspace_is_the_one_that_was_backed_up(void **state) {
    const workspace *w = *state;
    const places p = places_of(w);
    char before[CSM_HASH_TEXT], after[CSM_HASH_TEXT], model[500];
    csm_store *store = filled(w);
    assert_ok(csm_store_watermark(before, sizeof before, store, w->context, CSM_TIME_MAX));
    assert_ok(csm_store_backup(store, w->context, p.backup));
    append_bars(store, w, "BTC/USD", 5007, 20); /* what comes later is not in it */
    assert_ok(csm_store_roll(store, w->context));
    csm_store_free(store);
    assert_verified(w, &p);
    assert_ok(csm_store_restore(w->context, p.backup, p.restored));
    watermark_of(after, w, p.restored);
    assert_string_equal(before, after);
    const csm_hash hash = csm_hash_bytes("a model", 7);
    snprintf(model, sizeof model, "%s/models/%s.safetensors", p.restored, csm_hash_format(&hash, after));
    assert_true(csm_file_exists(model));
}

static void test_readers_and_sharers_can_back_up_while_others_write(void **state) {
    const workspace *w = *state;
    const places p = places_of(w);
    const csm_store_mode modes[] = {CSM_STORE_READ, CSM_STORE_SHARED};
    csm_store_free(filled(w));
    for (int i = 0; i < 2; i++) {
        char before[CSM_HASH_TEXT], after[CSM_HASH_TEXT];
        csm_store *store = open_store(w, modes[i]), *writer = open_store(w, CSM_STORE_SHARED);
        assert_ok(csm_store_watermark(before, sizeof before, store, w->context, CSM_TIME_MAX));
        append_bars(writer, w, "BTC/USD", 6000 + 10 * i, 10);
        assert_ok(csm_store_backup(store, w->context, p.backup)); /* of the generation it sees */
        assert_verified(w, &p);
        assert_ok(csm_store_restore(w->context, p.backup, p.restored));
        watermark_of(after, w, p.restored);
        assert_string_equal(before, after);
        csm_store_free(writer);
        csm_store_free(store);
        remove_folder(p.restored);
        remove_folder(p.backup);
    }
}

static void test_folders_that_are_not_empty_are_refused(void **state) {
    const workspace *w = *state;
    const places p = places_of(w);
    uint64_t findings;
    csm_store *store = filled(w);
    assert_status(CSM_EEXIST, csm_store_backup(store, w->context, w->path));
    assert_ok(csm_store_backup(store, w->context, p.backup));
    assert_status(CSM_EEXIST, csm_store_backup(store, w->context, p.backup));
    csm_store_free(store);
    assert_status(CSM_EEXIST, csm_store_restore(w->context, p.backup, w->path));
    assert_text(w->path);
    assert_status(CSM_EEXIST, csm_store_verify_backup(&findings, w->context, p.backup, w->path));
    assert_status(CSM_ENOTFOUND, csm_store_restore(w->context, w->path, p.restored));
    assert_text("backup.json");
    assert_status(CSM_EINVAL, csm_store_restore(w->context, NULL, p.restored));
    assert_status(CSM_EINVAL, csm_store_backup(NULL, w->context, p.backup));
}

/* A damaged copy must not hurt the workspace, whose file a hard link is. */
static void flip(const char *path) {
    csm_buffer bytes = {0};
    assert_ok(csm_file_read(&bytes, path, (size_t)1 << 30));
    bytes.data[bytes.length / 2] ^= 1;
    assert_ok(csm_file_write_atomic(path, bytes.data, bytes.length, 0644));
    csm_buffer_free(&bytes);
}

static void test_one_flipped_bit_in_any_file_is_found_and_never_restored(void **state) {
    const workspace *w = *state;
    const places p = places_of(w);
    csm_backup_list list;
    csm_store *store = filled(w);
    assert_ok(csm_store_backup(store, w->context, p.backup));
    csm_store_free(store);
    assert_ok(csm_backup_list_read(&list, p.backup));
    assert_int_equal(list.count, 4); /* catalogue, a model, two segments */
    for (size_t i = 0; i < list.count; i++) {
        char path[700];
        uint64_t findings = 0;
        snprintf(path, sizeof path, "%s/%s", p.backup, list.files[i].path);
        flip(path);
        assert_ok(csm_store_verify_backup(&findings, w->context, p.backup, p.scratch));
        assert_int_equal(findings, 1);
        assert_text(list.files[i].path);
        assert_status(CSM_ECORRUPT, csm_store_restore(w->context, p.backup, p.restored));
        assert_text(list.files[i].path);
        assert_int_equal(entries_in(p.restored), 0);
        flip(path);
    }
    assert_verified(w, &p);
    csm_backup_list_free(&list);
}

static void test_a_file_that_is_missing_is_found(void **state) {
    const workspace *w = *state;
    const places p = places_of(w);
    csm_backup_list list;
    char path[700];
    uint64_t findings = 0;
    csm_store *store = filled(w);
    assert_ok(csm_store_backup(store, w->context, p.backup));
    assert_ok(csm_backup_list_read(&list, p.backup));
    snprintf(path, sizeof path, "%s/%s", p.backup, list.files[list.count - 1].path);
    assert_ok(csm_file_remove(path));
    assert_ok(csm_store_verify_backup(&findings, w->context, p.backup, p.scratch));
    assert_int_equal(findings, 1);
    assert_status(CSM_ECORRUPT, csm_store_restore(w->context, p.backup, p.restored));
    remove_folder(p.backup);
    snprintf(path, sizeof path, "%s/%s", w->path, list.files[list.count - 1].path);
    assert_ok(csm_file_remove(path));
    assert_status(CSM_ECORRUPT, csm_store_backup(store, w->context, p.backup));
    assert_text(list.files[list.count - 1].path);
    assert_int_equal(entries_in(p.backup), 0);
    csm_store_free(store);
    csm_backup_list_free(&list);
}

static void test_a_killed_backup_is_whole_or_refused(void **state) {
    const workspace *w = *state;
    const places p = places_of(w);
    size_t whole = 0, refused = 0;
    csm_store_free(filled(w));
    for (int i = 0; i < KILLS; i++) {
        const pid_t child = fork();
        if (child == 0) {
            csm_store *store = NULL;
            if (csm_store_open(&store, w->context, w->path, CSM_STORE_READ)) _exit(1);
            _exit(csm_store_backup(store, w->context, p.backup) ? 2 : 0);
        }
        const struct timespec wait = {.tv_nsec = (long)(csm_random_u64(40, 1, (uint64_t)i) % 60000000)};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        int result;
        assert_int_equal(waitpid(child, &result, 0), child);
        if (WIFEXITED(result)) assert_int_equal(WEXITSTATUS(result), 0);
        uint64_t findings = 0;
        const csm_status status = csm_store_verify_backup(&findings, w->context, p.backup, p.scratch);
        assert_int_equal(findings, 0);
        if (status) assert_status(CSM_ENOTFOUND, status);
        whole += status == CSM_OK;
        refused += status != CSM_OK;
        remove_folder(p.scratch);
        remove_folder(p.backup);
    }
    print_message("%zu whole, %zu refused\n", whole, refused);
}

static void test_without_memory_nothing_is_left(void **state) {
    const workspace *w = *state;
    const places p = places_of(w);
    csm_store *store = filled(w);
    for (uint64_t n = 1;; n++) {
        csm_fault_allocation(n, false);
        const csm_status status = csm_store_backup(store, w->context, p.backup);
        csm_fault_allocation(0, false);
        if (!status) break;
        assert_status(CSM_ENOMEM, status);
    }
    csm_store_free(store);
    for (uint64_t n = 1;; n++) {
        csm_fault_allocation(n, false);
        const csm_status status = csm_store_restore(w->context, p.backup, p.restored);
        csm_fault_allocation(0, false);
        if (!status) break;
        assert_status(CSM_ENOMEM, status);
    }
    assert_verified(w, &p);
}

static void test_lists_that_lie_are_refused(void **state) {
    (void)state;
    static const char *const lies[] = {
        "",
        "{}",
        "{\"format\":\"cryptosmart backup\",\"version\":2,\"created\":\"2024-01-01T00:00:00Z\",\"files\":[]}",
        "{\"format\":\"cryptosmart backup\",\"version\":1,\"created\":\"2024-01-01T00:00:00Z\",\"files\":[]}",
        "{\"format\":\"cryptosmart backup\",\"version\":1,\"created\":\"soon\",\"files\":[]}",
        "{\"format\":\"cryptosmart backup\",\"version\":1,\"created\":\"2024-01-01T00:00:00Z\",\"files\":"
        "[{\"path\":\"../catalog.db\",\"bytes\":1,\"sha256\":"
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
        "{\"format\":\"cryptosmart backup\",\"version\":1,\"created\":\"2024-01-01T00:00:00Z\",\"files\":"
        "[{\"path\":\"catalog.db\",\"bytes\":-1,\"sha256\":"
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}]}",
        "{\"format\":\"cryptosmart backup\",\"version\":1,\"created\":\"2024-01-01T00:00:00Z\",\"files\":"
        "[{\"path\":\"catalog.db\",\"bytes\":1,\"sha256\":\"aa\"}]}",
    };
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        csm_backup_list list;
        const csm_status status = csm_backup_list_parse(&list, lies[i], strlen(lies[i]));
        assert_status(i == 2 ? CSM_EUNSUPPORTED : CSM_EPARSE, status);
        assert_int_equal(list.count, 0);
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, workspace_setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_restored_workspace_is_the_one_that_was_backed_up),
        TEST(test_readers_and_sharers_can_back_up_while_others_write),
        TEST(test_folders_that_are_not_empty_are_refused),
        TEST(test_one_flipped_bit_in_any_file_is_found_and_never_restored),
        TEST(test_a_file_that_is_missing_is_found),
        TEST(test_a_killed_backup_is_whole_or_refused),
        TEST(test_without_memory_nothing_is_left),
        TEST(test_lists_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
