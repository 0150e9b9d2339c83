/* SPDX-License-Identifier: MIT */
/* Several processes with one workspace open SHARED: commits take turns, readers see whole generations, and a killed one
 * harms no other. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define BATCH 5
#define LARGE 4100 /* a segment at once */
#define LARGE_EVERY 9
#define ROLL_EVERY 7
#define KILLS 40

static void make_workspace(const workspace *w) {
    csm_store_free(open_store(w, CSM_STORE_CREATE));
}

static size_t rows_of(const csm_store *store, const workspace *w, const char *symbol) {
    const csm_stream stream = bar_stream(symbol);
    csm_table *all = read_all(store, w, &stream);
    const size_t rows = all->rows;
    csm_table_free(all);
    return rows;
}

static csm_status try_append(csm_store *store, const workspace *w, const char *symbol, int64_t first,
                             int64_t count) {
    csm_table *bars = bars_from(first, count);
    const csm_stream stream = bar_stream(symbol);
    const csm_provenance source = source_at(START + (first + count + 1) * HOUR);
    const csm_status status = csm_store_append(store, w->context, &stream, bars, &source);
    csm_table_free(bars);
    return status;
}

static void nap(long microseconds) {
    const struct timespec wait = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
    nanosleep(&wait, NULL);
}

/* ---- generations ---- */

static void test_a_shared_store_needs_a_workspace_and_a_folder_it_may_write(void **state) {
    const workspace *w = *state;
    csm_store *store = NULL;
    assert_status(CSM_ENOTFOUND, csm_store_open(&store, w->context, w->path, CSM_STORE_SHARED));
    make_workspace(w);
    if (geteuid() == 0) return; /* root may write everywhere */
    chmod(w->path, 0500);
    const csm_status status = csm_store_open(&store, w->context, w->path, CSM_STORE_SHARED);
    chmod(w->path, 0700);
    assert_status(CSM_EREADONLY, status);
}

static void test_readers_see_one_generation_until_they_refresh(void **state) {
    const workspace *w = *state;
    make_workspace(w);
    csm_store *writer = open_store(w, CSM_STORE_SHARED), *other = open_store(w, CSM_STORE_SHARED);
    csm_store *reader = open_store(w, CSM_STORE_READ);
    assert_int_equal(rows_of(other, w, "BTC/USD"), 0);
    append_bars(writer, w, "BTC/USD", 0, 10);
    append_bars(writer, w, "BTC/USD", 10, 5000);
    assert_ok(csm_store_roll(writer, w->context));
    assert_int_equal(rows_of(writer, w, "BTC/USD"), 5010);
    assert_int_equal(rows_of(other, w, "BTC/USD"), 0);
    assert_int_equal(rows_of(reader, w, "BTC/USD"), 0);
    assert_ok(csm_store_refresh(other));
    assert_ok(csm_store_refresh(reader));
    assert_ok(csm_store_refresh(writer));
    assert_int_equal(rows_of(other, w, "BTC/USD"), 5010);
    assert_int_equal(rows_of(reader, w, "BTC/USD"), 5010);
    assert_status(CSM_EINVAL, csm_store_refresh(NULL));
    csm_store_free(reader);
    csm_store_free(other);
    csm_store_free(writer);
}

static void test_a_commit_reads_what_others_committed_before_it(void **state) {
    const workspace *w = *state;
    make_workspace(w);
    csm_store *a = open_store(w, CSM_STORE_SHARED), *b = open_store(w, CSM_STORE_SHARED);
    for (int i = 0; i < 6; i++) {
        append_bars(i % 2 ? a : b, w, "BTC/USD", 0, 10 * (i + 1)); /* what is known already is left out */
        assert_int_equal(rows_of(i % 2 ? a : b, w, "BTC/USD"), (size_t)(10 * (i + 1)));
    }
    int64_t stored;
    assert_ok(csm_store_refresh(a));
    assert_ok(csm_catalog_number(&stored, a, "SELECT sum(rows) FROM tail", 0));
    assert_int_equal(stored, 60);
    csm_store_free(b);
    csm_store_free(a);
}

/* ---- waiting ---- */

static void test_a_writer_makes_a_shared_commit_wait_and_then_fail_with_nothing_changed(void **state) {
    const workspace *w = *state;
    make_workspace(w);
    csm_store *shared = open_store(w, CSM_STORE_SHARED);
    append_bars(shared, w, "BTC/USD", 0, 10);
    csm_store *writer = open_store(w, CSM_STORE_WRITE);
    assert_status(CSM_EINVAL, csm_store_set_patience(shared, -1));
    assert_ok(csm_store_set_patience(shared, 80 * CSM_MILLISECOND));
    const csm_time begin = csm_platform_monotonic();
    assert_status(CSM_ELOCKED, try_append(shared, w, "BTC/USD", 10, 10));
    assert_true(csm_platform_monotonic() - begin >= 80 * CSM_MILLISECOND);
    assert_status(CSM_ELOCKED, try_append(shared, w, "BTC/USD", 10, 5000));
    assert_status(CSM_ELOCKED, csm_store_roll(shared, w->context));
    assert_status(CSM_ELOCKED, csm_catalog_begin(shared));
    assert_int_equal(rows_of(shared, w, "BTC/USD"), 10); /* reading goes on */
    csm_store_free(writer);
    assert_ok(csm_store_refresh(shared));
    assert_int_equal(rows_of(shared, w, "BTC/USD"), 10);
    assert_ok(try_append(shared, w, "BTC/USD", 10, 10));
    assert_int_equal(rows_of(shared, w, "BTC/USD"), 20);
    csm_store_free(shared);
}

static void test_a_commit_that_waits_goes_on_when_the_writer_is_done(void **state) {
    const workspace *w = *state;
    make_workspace(w);
    int pipes[2];
    char byte = 'x';
    assert_int_equal(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        csm_store *writer = NULL;
        if (csm_store_open(&writer, w->context, w->path, CSM_STORE_WRITE)) _exit(1);
        if (write(pipes[1], &byte, 1) != 1) _exit(2);
        nap(150000);
        append_bars(writer, w, "BTC/USD", 0, 10);
        csm_store_free(writer);
        _exit(0);
    }
    assert_int_equal(read(pipes[0], &byte, 1), 1);
    csm_store *shared = open_store(w, CSM_STORE_SHARED);
    assert_ok(try_append(shared, w, "BTC/USD", 10, 10));
    assert_int_equal(rows_of(shared, w, "BTC/USD"), 20);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    csm_store_free(shared);
    close(pipes[0]);
    close(pipes[1]);
}

static void test_cancelling_ends_the_wait(void **state) {
    const workspace *w = *state;
    make_workspace(w);
    csm_store *shared = open_store(w, CSM_STORE_SHARED), *writer = open_store(w, CSM_STORE_WRITE);
    csm_context_cancel(w->context);
    assert_status(CSM_ECANCELLED, csm_catalog_begin(shared));
    csm_store_free(writer);
    csm_store_free(shared);
}

/* ---- kills ---- */

static void test_one_killed_inside_its_commit_is_recovered_by_the_next(void **state) {
    const workspace *w = *state;
    char temporary[600], note[600];
    make_workspace(w);
    csm_store *other = open_store(w, CSM_STORE_SHARED);
    append_bars(other, w, "BTC/USD", 0, 10);
    snprintf(temporary, sizeof temporary, "%s/segments/.tmp-half.h5-1-1", w->path);
    snprintf(note, sizeof note, "%s/.tmp-group-1-0", w->path);
    const pid_t child = fork();
    if (child == 0) {
        csm_store *store = NULL;
        if (csm_store_open(&store, w->context, w->path, CSM_STORE_SHARED)) _exit(1);
        if (csm_store_enter(store) || csm_catalog_begin(store)) _exit(2);
        if (csm_catalog_run(store, "DELETE FROM tail")) _exit(3);
        if (csm_file_write_atomic(temporary, "half", 4, 0644)) _exit(4);
        if (csm_file_write_atomic(note, "segments/bars/00/no.h5\n", 23, 0644)) _exit(5);
        raise(SIGKILL);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFSIGNALED(result));
    assert_true(csm_file_exists(temporary));
    assert_int_equal(rows_of(other, w, "BTC/USD"), 10);
    assert_ok(try_append(other, w, "BTC/USD", 10, 10));
    assert_int_equal(rows_of(other, w, "BTC/USD"), 20);
    assert_false(csm_file_exists(temporary));
    assert_false(csm_file_exists(note));
    csm_store_recovery report;
    assert_ok(csm_store_recovery_report(&report, other));
    assert_int_equal(report.temporaries_swept, 2);
    assert_ok(try_append(other, w, "BTC/USD", 20, 10)); /* the lock was released well: no recovery now */
    assert_ok(csm_store_recovery_report(&report, other));
    assert_int_equal(report.temporaries_swept, 2);
    csm_store_free(other);
}

static void test_a_recovery_that_fails_is_asked_for_again(void **state) {
    const workspace *w = *state;
    char path[300];
    csm_lock *lock = NULL;
    make_workspace(w);
    csm_store *store = open_store(w, CSM_STORE_SHARED);
    snprintf(path, sizeof path, "%s/lock", w->path);
    assert_ok(csm_lock_take(&lock, path));
    csm_lock_abandon(lock);
    uint64_t failures = 0;
    for (uint64_t n = 1;; n++) {
        csm_fault_allocation(n, false);
        const csm_status status = csm_store_enter(store);
        csm_fault_allocation(0, false);
        if (!status) break;
        assert_status(CSM_ENOMEM, status);
        failures++;
        csm_lock *look = NULL;
        assert_ok(csm_lock_take(&look, path));
        assert_true(csm_lock_was_abandoned(look)); /* not forgotten */
        csm_lock_abandon(look);
    }
    csm_store_leave(store);
    assert_true(failures > 3);
    assert_ok(csm_lock_take(&lock, path));
    assert_false(csm_lock_was_abandoned(lock));
    csm_lock_release(lock);
    csm_store_free(store);
}

static void test_temporaries_of_others_beside_the_catalogue_stay_for_an_hour(void **state) {
    const workspace *w = *state;
    char young[600], old[600];
    make_workspace(w);
    snprintf(young, sizeof young, "%s/.tmp-net.json-1-1", w->path);
    snprintf(old, sizeof old, "%s/.tmp-net.json-1-2", w->path);
    assert_ok(csm_file_write_atomic(young, "{", 1, 0644));
    assert_ok(csm_file_write_atomic(old, "{", 1, 0644));
    const struct timespec then[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
    assert_int_equal(utimensat(AT_FDCWD, old, then, 0), 0);
    csm_store_free(open_store(w, CSM_STORE_WRITE));
    assert_true(csm_file_exists(young));
    assert_false(csm_file_exists(old));
}

/* ---- many ---- */

static const char *const own[2] = {"AAA/USD", "BBB/USD"};

static int64_t count_of(int64_t batch) {
    return batch % LARGE_EVERY == LARGE_EVERY - 1 ? LARGE : BATCH;
}

static int64_t first_of(int64_t batch) {
    return batch / LARGE_EVERY * ((LARGE_EVERY - 1) * BATCH + LARGE) + batch % LARGE_EVERY * BATCH;
}

/* Appends every batch to its own series and every second hour-block of a common one until it is killed. */
static void child_run(const workspace *w, int which, int64_t batch, int acknowledge) {
    csm_store *store = NULL;
    if (csm_store_open(&store, w->context, w->path, CSM_STORE_SHARED)) _exit(10);
    for (;; batch++) {
        if (try_append(store, w, own[which], first_of(batch), count_of(batch))) _exit(11);
        if (try_append(store, w, "BTC/USD", (2 * batch + which) * BATCH, BATCH)) _exit(12);
        if (write(acknowledge, &batch, sizeof batch) != sizeof batch) _exit(13);
        if (batch % ROLL_EVERY == which && csm_store_roll(store, w->context)) _exit(14);
    }
}

typedef struct child {
    pid_t process;
    int pipe;
    int64_t newest; /* acknowledged batch */
} child;

static void start(child *c, const workspace *w, int which) {
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    c->process = fork();
    if (c->process == 0) {
        close(pipes[0]);
        child_run(w, which, c->newest + 1, pipes[1]);
    }
    close(pipes[1]);
    c->pipe = pipes[0];
}

static void stop(child *c) {
    int result;
    int64_t batch;
    kill(c->process, SIGKILL);
    assert_int_equal(waitpid(c->process, &result, 0), c->process);
    if (!WIFSIGNALED(result)) fail_msg("a child ended by itself with %d", WEXITSTATUS(result));
    while (read(c->pipe, &batch, sizeof batch) == sizeof batch) c->newest = batch;
    close(c->pipe);
}

/* Each acknowledged row is there once; a batch more may be, committed but not acknowledged. */
static void check_own(const workspace *w, const csm_store *store, const child *c, int which) {
    const csm_stream stream = bar_stream(own[which]);
    csm_table *all = read_all(store, w, &stream);
    int64_t batch = c->newest;
    if ((int64_t)all->rows == first_of(batch + 2)) batch++;
    csm_table *expected = bars_from(0, first_of(batch + 1));
    assert_same_table(expected, all);
    csm_table_free(expected);
    csm_table_free(all);
}

static void check_common(const workspace *w, const csm_store *store, const child c[2]) {
    const csm_stream stream = bar_stream("BTC/USD");
    csm_table *all = read_all(store, w, &stream);
    size_t at = 0;
    for (int64_t block = 0; block / 2 <= c[block % 2].newest; block++) {
        for (int64_t i = 0; i < BATCH; i++, at++)
            assert_int_equal(all->ticks[CSM_COLUMN_TIME][at], START + (block * BATCH + i) * HOUR);
    }
    csm_table_free(all);
}

static void test_two_processes_append_at_once_under_kills_and_lose_nothing(void **state) {
    const workspace *w = *state;
    child c[2] = {{.newest = -1}, {.newest = -1}};
    make_workspace(w);
    start(&c[0], w, 0);
    start(&c[1], w, 1);
    for (int i = 0; i < KILLS; i++) {
        nap((long)(csm_random_u64(30, 1, (uint64_t)i) % 60000));
        const int which = i % 2;
        stop(&c[which]);
        start(&c[which], w, which);
    }
    nap(300000); /* in peace */
    stop(&c[0]);
    stop(&c[1]);
    uint64_t findings;
    csm_store *store = open_store(w, CSM_STORE_WRITE);
    check_own(w, store, &c[0], 0);
    check_own(w, store, &c[1], 1);
    check_common(w, store, c);
    assert_ok(csm_store_verify(&findings, store, w->context));
    if (findings) fail_msg("%s", csm_error_message());
    csm_store_free(store);
    assert_true(c[0].newest > 3 && c[1].newest > 3);
    print_message("%lld and %lld batches\n", (long long)c[0].newest, (long long)c[1].newest);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, workspace_setup, workspace_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_shared_store_needs_a_workspace_and_a_folder_it_may_write),
        TEST(test_readers_see_one_generation_until_they_refresh),
        TEST(test_a_commit_reads_what_others_committed_before_it),
        TEST(test_a_writer_makes_a_shared_commit_wait_and_then_fail_with_nothing_changed),
        TEST(test_a_commit_that_waits_goes_on_when_the_writer_is_done),
        TEST(test_cancelling_ends_the_wait),
        TEST(test_one_killed_inside_its_commit_is_recovered_by_the_next),
        TEST(test_a_recovery_that_fails_is_asked_for_again),
        TEST(test_temporaries_of_others_beside_the_catalogue_stay_for_an_hour),
        TEST(test_two_processes_append_at_once_under_kills_and_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
