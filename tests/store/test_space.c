/* SPDX-License-Identifier: MIT */
/* A disk that is full: a small tmpfs in a mount namespace of its own, which needs root; skipped visibly elsewhere. */
#include "fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define SKIPPED 77

static int run_child(int (*run)(workspace *w), workspace *w, const char *size) {
    const pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
            mount("tmpfs", w->path, "tmpfs", 0, size))
            _exit(SKIPPED);
        _exit(run(w));
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFEXITED(result) ? WEXITSTATUS(result) : 99;
}

static int fail_with(const char *what) {
    fprintf(stderr, "%s: %s\n", what, csm_error_message());
    return 1;
}

static csm_status append_count(csm_store *store, workspace *w, int64_t first, int64_t count) {
    csm_table *bars = NULL;
    csm_status status = csm_table_new(&bars, "bars");
    /* volumes that do not compress */
    for (int64_t i = 0; i < count && !status; i++) {
        const csm_time time = START + (first + i) * HOUR;
        const int64_t noise = (int64_t)(csm_random_u64(3, 0, (uint64_t)(first + i)) >> 8);
        const csm_decimal cells[10] = {
            dec(time, 0), dec(time + HOUR, 0), dec(5, 0), dec(6, 0), dec(4, 0),
            dec(5, 0),    dec(noise, 8),       missing(), missing(), dec(CSM_BAR_TRADED, 0)};
        status = csm_table_append(bars, cells);
    }
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + (first + count) * HOUR);
    if (!status) status = csm_store_append(store, w->context, &stream, bars, &source);
    csm_table_free(bars);
    return status;
}

static int64_t rows_there(csm_store *store, workspace *w) {
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *table = NULL;
    if (csm_store_read(&table, store, w->context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX))
        return -1;
    const int64_t rows = (int64_t)csm_table_rows(table);
    csm_table_free(table);
    return rows;
}

/* Fills the disk with appends of `step` rows, frees space, and goes on. */
static int fill(workspace *w, int64_t step) {
    char ballast[300];
    csm_store *store = NULL;
    uint64_t findings = 0;
    snprintf(ballast, sizeof ballast, "%s/ballast", w->path);
    char *zeros = calloc(1, 400000);
    if (!zeros || csm_file_write_atomic(ballast, zeros, 400000, 0644)) return fail_with("ballast");
    free(zeros);
    if (csm_store_open(&store, w->context, w->path, CSM_STORE_CREATE)) return fail_with("open");
    int64_t rows = 0;
    csm_status status = CSM_OK;
    for (int turn = 0; turn < 2000 && !status; turn++) {
        status = append_count(store, w, rows, step);
        if (!status) rows += step;
    }
    if (status != CSM_ENOSPACE) return fail_with("the disk never was full");
    if (rows_there(store, w) != rows) return fail_with("rows on a full disk");
    if (append_count(store, w, rows, step) != CSM_ENOSPACE)
        return fail_with("a second append on a full disk");
    csm_store_free(store);
    csm_file_remove(ballast);
    if (csm_store_open(&store, w->context, w->path, CSM_STORE_WRITE)) return fail_with("open again");
    if (append_count(store, w, rows, step)) return fail_with("append after space was freed");
    if (rows_there(store, w) != rows + step) return fail_with("rows after space was freed");
    if (csm_store_verify(&findings, store, w->context) || findings) return fail_with("verify");
    csm_store_free(store);
    return 0;
}

static int fill_with_tails(workspace *w) {
    return fill(w, 200);
}

static int fill_with_segments(workspace *w) {
    return fill(w, 5000);
}

static void expect_survival(int result) {
    if (result == SKIPPED) {
        print_message("skipped: a tmpfs cannot be mounted here\n");
        skip();
    }
    assert_int_equal(result, 0);
}

static void test_small_appends_on_a_full_disk_lose_nothing(void **state) {
    expect_survival(run_child(fill_with_tails, *state, "size=3m"));
}

static void test_segments_on_a_full_disk_lose_nothing(void **state) {
    expect_survival(run_child(fill_with_segments, *state, "size=3m"));
}

/* A roll needs room for the segment while the tail is there still. */
static int roll_without_room(workspace *w) {
    char ballast[300];
    csm_store *store = NULL;
    uint64_t space = 0, findings = 0;
    snprintf(ballast, sizeof ballast, "%s/ballast", w->path);
    if (csm_store_open(&store, w->context, w->path, CSM_STORE_CREATE)) return fail_with("open");
    for (int64_t i = 0; i < 10; i++) {
        if (append_count(store, w, 400 * i, 400)) return fail_with("append");
    }
    if (csm_folder_space(&space, w->path)) return fail_with("space");
    char *zeros = calloc(1, space);
    if (!zeros || csm_file_write_atomic(ballast, zeros, (size_t)space - 8192, 0644))
        return fail_with("ballast");
    free(zeros);
    if (csm_store_roll(store, w->context) != CSM_ENOSPACE) return fail_with("roll without room");
    if (rows_there(store, w) != 4000) return fail_with("rows after a failed roll");
    csm_file_remove(ballast);
    if (csm_store_roll(store, w->context)) return fail_with("roll with room");
    if (rows_there(store, w) != 4000) return fail_with("rows after the roll");
    if (csm_store_verify(&findings, store, w->context) || findings) return fail_with("verify");
    csm_store_free(store);
    return 0;
}

static void test_a_roll_without_room_leaves_the_tail(void **state) {
    expect_survival(run_child(roll_without_room, *state, "size=4m"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_small_appends_on_a_full_disk_lose_nothing),
        TEST(test_segments_on_a_full_disk_lose_nothing),
        TEST(test_a_roll_without_room_leaves_the_tail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
