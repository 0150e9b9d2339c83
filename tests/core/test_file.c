/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int new_folder(void **state) {
    *state = support_folder_new();
    return 0;
}

static int remove_folder(void **state) {
    support_folder_remove(*state);
    return 0;
}

static size_t names_in(const char *folder) {
    char **names;
    size_t count;
    assert_ok(csm_folder_list(&names, &count, folder));
    csm_folder_list_free(names, count);
    return count;
}

static void assert_content(const char *path, const char *expected) {
    csm_buffer content = {0};
    assert_ok(csm_file_read(&content, path, 1 << 20));
    assert_string_equal(content.data, expected);
    csm_buffer_free(&content);
}

static void a_file_is_written_whole_and_read_back(void **state) {
    char *path = support_path(*state, "segment");
    assert_false(csm_file_exists(path));
    assert_ok(csm_file_write_atomic(path, "first", 5, 0600));
    assert_content(path, "first");
    assert_ok(csm_file_write_atomic(path, "2", 1, 0600));
    assert_content(path, "2");
    assert_ok(csm_file_write_atomic(path, NULL, 0, 0600));
    assert_content(path, "");
    assert_true(csm_file_exists(path));
    assert_int_equal(names_in(*state), 1);
    unsigned mode;
    assert_ok(csm_file_mode(&mode, path));
    assert_int_equal(mode, 0600);
    csm_dealloc(path);
}

static void reading_replaces_the_buffer_and_keeps_zero_bytes(void **state) {
    char *path = support_path(*state, "bytes");
    char data[200000];
    for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i % 251);
    assert_ok(csm_file_write_atomic(path, data, sizeof data, 0644));
    csm_buffer content = {0};
    assert_ok(csm_buffer_append(&content, "before", 6));
    assert_ok(csm_file_read(&content, path, sizeof data));
    assert_int_equal(content.length, sizeof data);
    assert_memory_equal(content.data, data, sizeof data);
    assert_fails(CSM_EPARSE, "limit of 199999 bytes", csm_file_read(&content, path, sizeof data - 1));
    assert_int_equal(content.length, 0);
    csm_buffer_free(&content);
    csm_dealloc(path);
}

static void what_is_absent_is_not_found_and_named(void **state) {
    char *path = support_path(*state, "absent");
    char *below = support_path(*state, "absent/file");
    csm_buffer content = {0};
    csm_hash hash;
    uint64_t size;
    unsigned mode;
    char **names;
    size_t count;
    assert_fails(CSM_ENOTFOUND, path, csm_file_read(&content, path, 10));
    assert_fails(CSM_ENOTFOUND, path, csm_file_size(&size, path));
    assert_fails(CSM_ENOTFOUND, path, csm_file_mode(&mode, path));
    assert_fails(CSM_ENOTFOUND, path, csm_file_hash(&hash, path));
    assert_fails(CSM_ENOTFOUND, path, csm_file_sync(path));
    assert_fails(CSM_ENOTFOUND, path, csm_folder_sync(path));
    assert_fails(CSM_ENOTFOUND, path, csm_folder_list(&names, &count, path));
    assert_fails(CSM_ENOTFOUND, path, csm_folder_space(&size, path));
    assert_fails(CSM_ENOTFOUND, path, csm_file_rename(path, below));
    assert_fails(CSM_ENOTFOUND, path, csm_file_link(path, below));
    assert_fails(CSM_ENOTFOUND, below, csm_file_write_atomic(below, "x", 1, 0644));
    assert_ok(csm_file_remove(path));
    assert_ok(csm_folder_remove(path));
    csm_buffer_free(&content);
    csm_dealloc(below);
    csm_dealloc(path);
}

static void a_folder_is_no_file(void **state) {
    csm_buffer content = {0};
    csm_hash hash;
    const char *folder = *state;
    assert_fails(CSM_EIO, folder, csm_file_read(&content, folder, 10));
    assert_fails(CSM_EIO, folder, csm_file_hash(&hash, folder));
    csm_buffer_free(&content);
    char *path = support_path(*state, "");
    assert_fails(CSM_EINVAL, "does not name a file", csm_file_write_atomic(path, "x", 1, 0644));
    csm_dealloc(path);
}

static void a_failed_write_leaves_the_old_file_and_no_temporary(void **state) {
    char *path = support_path(*state, "kept");
    static const char longer[100000];
    assert_ok(csm_file_write_atomic(path, "old", 3, 0644));
    struct rlimit before, tight;
    getrlimit(RLIMIT_FSIZE, &before);
    tight = before;
    tight.rlim_cur = 40000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    const csm_status status = csm_file_write_atomic(path, longer, sizeof longer, 0644);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    assert_fails(CSM_EIO, "kept: write", status);
    assert_content(path, "old");
    assert_int_equal(names_in(*state), 1);
    csm_dealloc(path);
}

static void a_rename_that_fails_sweeps_the_temporary(void **state) {
    char *path = support_path(*state, "folder");
    char *child = support_path(*state, "folder/child");
    assert_ok(csm_folder_make(path));
    assert_ok(csm_file_write_atomic(child, "x", 1, 0644));
    assert_fails(CSM_EIO, "folder", csm_file_write_atomic(path, "x", 1, 0644));
    assert_int_equal(names_in(*state), 1);
    csm_dealloc(child);
    csm_dealloc(path);
}

static void a_temporary_left_by_a_crash_is_passed_by(void **state) {
    char *path = support_path(*state, "file");
    char *name = csm_strformat(".tmp-file-%llu-0", (unsigned long long)csm_platform_process());
    char *stale = support_path(*state, name);
    assert_ok(csm_file_write_atomic(stale, "stale", 5, 0644));
    assert_ok(csm_file_write_atomic(path, "new", 3, 0644));
    assert_content(path, "new");
    assert_content(stale, "stale");
    csm_dealloc(stale);
    csm_dealloc(name);
    csm_dealloc(path);
}

static void a_name_of_the_longest_kind_is_written(void **state) {
    char name[256];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    char *path = support_path(*state, name);
    assert_ok(csm_file_write_atomic(path, "x", 1, 0644));
    assert_content(path, "x");
    csm_dealloc(path);
}

static void a_bare_name_is_written_in_the_current_folder(void **state) {
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(*state), 0);
    const csm_status status = csm_file_write_atomic("bare", "x", 1, 0644);
    assert_int_equal(chdir(before), 0);
    assert_ok(status);
    char *path = support_path(*state, "bare");
    assert_content(path, "x");
    csm_dealloc(path);
}

static void sizes_and_hashes_are_the_contents(void **state) {
    char *path = support_path(*state, "hashed");
    char data[150000];
    memset(data, 'h', sizeof data);
    assert_ok(csm_file_write_atomic(path, data, sizeof data, 0644));
    uint64_t size;
    assert_ok(csm_file_size(&size, path));
    assert_int_equal(size, sizeof data);
    const csm_hash expected = csm_hash_bytes(data, sizeof data);
    csm_hash hash;
    assert_ok(csm_file_hash(&hash, path));
    assert_memory_equal(&hash, &expected, sizeof hash);
    assert_ok(csm_file_sync(path));
    assert_ok(csm_folder_sync(*state));
    csm_dealloc(path);
}

static void a_rename_replaces_and_a_link_does_not(void **state) {
    char *a = support_path(*state, "a");
    char *b = support_path(*state, "b");
    assert_ok(csm_file_write_atomic(a, "a", 1, 0644));
    assert_ok(csm_file_link(a, b));
    assert_content(b, "a");
    assert_fails(CSM_EEXIST, b, csm_file_link(a, b));
    assert_ok(csm_file_write_atomic(a, "A", 1, 0644));
    assert_content(b, "a");
    assert_ok(csm_file_rename(a, b));
    assert_content(b, "A");
    assert_false(csm_file_exists(a));
    assert_ok(csm_file_remove(b));
    assert_false(csm_file_exists(b));
    csm_dealloc(a);
    csm_dealloc(b);
}

static void folders_are_made_with_their_parents(void **state) {
    char *deep = support_path(*state, "one/two//three/");
    char *file = support_path(*state, "one/file");
    char *below = support_path(*state, "one/file/below");
    assert_ok(csm_folder_make(deep));
    assert_ok(csm_folder_make(deep));
    assert_true(csm_file_exists(deep));
    assert_ok(csm_file_write_atomic(file, "x", 1, 0644));
    assert_fails(CSM_EEXIST, "is not a folder", csm_folder_make(file));
    assert_fails(CSM_EEXIST, "is not a folder", csm_folder_make(below));
    assert_fails(CSM_EINVAL, "empty", csm_folder_make(""));
    assert_ok(csm_folder_make("/"));
    *strstr(file, "/file") = '\0';
    assert_fails(CSM_EIO, "one: remove folder", csm_folder_remove(file)); /* not empty */
    csm_dealloc(deep);
    csm_dealloc(file);
    csm_dealloc(below);
}

static void names_are_listed_in_the_order_of_their_bytes(void **state) {
    const char *made[] = {"b", "a", "B", ".hidden", "a1", "\xC3\xA9", "aa"};
    const char *sorted[] = {".hidden", "B", "a", "a1", "aa", "b", "\xC3\xA9"};
    for (size_t i = 0; i < 7; i++) {
        char *path = support_path(*state, made[i]);
        assert_ok(csm_file_write_atomic(path, "", 0, 0644));
        csm_dealloc(path);
    }
    char **names;
    size_t count;
    assert_ok(csm_folder_list(&names, &count, *state));
    assert_int_equal(count, 7);
    for (size_t i = 0; i < 7; i++) assert_string_equal(names[i], sorted[i]);
    csm_folder_list_free(names, count);
    csm_folder_list_free(NULL, 0);
}

static void an_empty_folder_lists_nothing(void **state) {
    assert_int_equal(names_in(*state), 0);
}

static void the_folder_of_a_path_is_what_stands_before_the_last_slash(void **state) {
    (void)state;
    const char *pairs[][2] = {{"a", "."}, {"/a", "/"}, {"a/b", "a"}, {"/a/b/c", "/a/b"}, {"a/", "a"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char *folder = csm_path_folder(pairs[i][0]);
        assert_string_equal(folder, pairs[i][1]);
        csm_dealloc(folder);
    }
}

static void free_space_is_known(void **state) {
    uint64_t bytes = 0;
    assert_ok(csm_folder_space(&bytes, *state));
    assert_true(bytes > 0);
}

/* Every function that allocates, with its n-th allocation failing: an error, no leak, no file half made. */
static csm_status allocate_everywhere(const char *folder, const char *path) {
    csm_buffer content = {0};
    char **names = NULL;
    size_t count = 0;
    csm_hash hash;
    csm_lock *lock = NULL;
    csm_status status = csm_file_write_atomic(path, "content", 7, 0644);
    if (!status) status = csm_file_read(&content, path, 100);
    if (!status) status = csm_file_hash(&hash, path);
    if (!status) status = csm_folder_make(folder);
    if (!status) status = csm_folder_list(&names, &count, folder);
    if (!status) status = csm_lock_take(&lock, path);
    csm_lock_release(lock);
    csm_folder_list_free(names, count);
    csm_buffer_free(&content);
    return status;
}

static void any_allocation_may_fail(void **state) {
    char *path = support_path(*state, "file");
    for (uint64_t n = 1;; n++) {
        csm_fault_allocation(n, false);
        const csm_status status = allocate_everywhere(*state, path);
        const uint64_t seen = csm_fault_allocations_seen();
        csm_fault_allocation(0, false);
        if (seen < n) {
            assert_ok(status);
            assert_true(n > 7);
            break;
        }
        assert_fails(CSM_ENOMEM, "out of memory", status);
        assert_true(names_in(*state) <= 1);
    }
    csm_dealloc(path);
}

int main(void) {
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, new_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_file_is_written_whole_and_read_back),
        IN_A_FOLDER(reading_replaces_the_buffer_and_keeps_zero_bytes),
        IN_A_FOLDER(what_is_absent_is_not_found_and_named),
        IN_A_FOLDER(a_folder_is_no_file),
        IN_A_FOLDER(a_failed_write_leaves_the_old_file_and_no_temporary),
        IN_A_FOLDER(a_rename_that_fails_sweeps_the_temporary),
        IN_A_FOLDER(a_temporary_left_by_a_crash_is_passed_by),
        IN_A_FOLDER(a_name_of_the_longest_kind_is_written),
        IN_A_FOLDER(a_bare_name_is_written_in_the_current_folder),
        IN_A_FOLDER(sizes_and_hashes_are_the_contents),
        IN_A_FOLDER(a_rename_replaces_and_a_link_does_not),
        IN_A_FOLDER(folders_are_made_with_their_parents),
        IN_A_FOLDER(names_are_listed_in_the_order_of_their_bytes),
        IN_A_FOLDER(an_empty_folder_lists_nothing),
        cmocka_unit_test(the_folder_of_a_path_is_what_stands_before_the_last_slash),
        IN_A_FOLDER(free_space_is_known),
        IN_A_FOLDER(any_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("core.file", tests, NULL, NULL);
}
