/* SPDX-License-Identifier: MIT */
/* A child appends numbered batches and says which are acknowledged; it is killed at any instant. Nothing acknowledged may
 * be missing, nothing may be there twice, and the full check finds nothing. */
#include "fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define KILLS 100
#define SMALL 5
#define LARGE 4100 /* a segment at once */
#define LARGE_EVERY 23
#define ROLL_EVERY 7

static int64_t rows_of(int64_t batch) {
    return batch % LARGE_EVERY == LARGE_EVERY - 1 ? LARGE : SMALL;
}

static int64_t first_hour_of(int64_t batch) {
    return batch / LARGE_EVERY * ((LARGE_EVERY - 1) * SMALL + LARGE) + batch % LARGE_EVERY * SMALL;
}

/* Appends batches from `batch` on until it is killed. */
static void child_run(const workspace *w, int64_t batch, int acknowledge) {
    csm_store *store = NULL;
    const csm_stream stream = bar_stream("BTC/USD");
    if (csm_store_open(&store, w->context, w->path, CSM_STORE_CREATE)) _exit(10);
    for (;; batch++) {
        const int64_t first = first_hour_of(batch), count = rows_of(batch);
        csm_table *bars = NULL;
        if (csm_table_new(&bars, "bars")) _exit(11);
        for (int64_t i = 0; i < count; i++)
            add_bar(bars, first + i, 3500000 + ((first + i) * 7919) % 1000, 0);
        const csm_provenance source = source_at(START + (first + count + 1) * HOUR);
        if (csm_store_append(store, w->context, &stream, bars, &source)) _exit(12);
        csm_table_free(bars);
        if (write(acknowledge, &batch, sizeof batch) != sizeof batch) _exit(13);
        if (batch % ROLL_EVERY == 0 && csm_store_roll(store, w->context)) _exit(14);
    }
}

/* Largest batch that was acknowledged before the kill, or `newest`. */
static int64_t kill_one(const workspace *w, int64_t newest, long microseconds) {
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(pipes[0]);
        child_run(w, newest + 1, pipes[1]);
    }
    close(pipes[1]);
    const struct timespec wait = {.tv_sec = microseconds / 1000000, .tv_nsec = microseconds % 1000000 * 1000};
    nanosleep(&wait, NULL);
    kill(child, SIGKILL);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    if (!WIFSIGNALED(result)) fail_msg("the child ended by itself with %d", WEXITSTATUS(result));
    int64_t batch;
    while (read(pipes[0], &batch, sizeof batch) == sizeof batch) newest = batch;
    close(pipes[0]);
    return newest;
}

/* Every row up to the acknowledged batch, perhaps a batch more, each once and as it was given. Returns that batch. */
static int64_t check(const workspace *w, int64_t acknowledged, csm_store_recovery *total) {
    csm_store_recovery report;
    const csm_stream stream = bar_stream("BTC/USD");
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    assert_ok(csm_store_recovery_report(&report, store));
    assert_int_equal(report.segments_missing, 0);
    total->temporaries_swept += report.temporaries_swept;
    total->segments_adopted += report.segments_adopted;
    total->segments_quarantined += report.segments_quarantined;
    csm_table *all = read_all(store, w, &stream);
    int64_t batch = acknowledged;
    if ((int64_t)all->rows == first_hour_of(acknowledged + 2)) batch++; /* committed, but not acknowledged */
    csm_table *expected = bars_from(0, first_hour_of(batch + 1));
    assert_same_table(expected, all);
    int64_t stored;
    assert_ok(csm_catalog_number(
        &stored, store,
        "SELECT coalesce((SELECT sum(rows) FROM segments), 0) + coalesce((SELECT sum(rows) FROM tail), 0)",
        -1));
    assert_int_equal(stored, all->rows);
    csm_table_free(expected);
    csm_table_free(all);
    csm_store_free(store);
    return batch;
}

static void test_a_kill_at_any_instant_loses_nothing_acknowledged(void **state) {
    const workspace *w = *state;
    int64_t newest = -1;
    csm_store_recovery total = {0};
    uint64_t findings;
    for (int i = 0; i < KILLS; i++) {
        const long wait = (long)(csm_random_u64(20, 1, (uint64_t)i) % 100000);
        newest = check(w, kill_one(w, newest, wait), &total);
    }
    csm_store *store = open_store(w, CSM_STORE_READ);
    assert_ok(csm_store_verify(&findings, store, w->context));
    if (findings) fail_msg("%s", csm_error_message());
    csm_store_free(store);
    assert_true(newest > KILLS / 4); /* work was done between the kills */
    print_message("%lld batches, %llu temporaries swept, %llu segments adopted, %llu quarantined\n",
                  (long long)newest, (unsigned long long)total.temporaries_swept,
                  (unsigned long long)total.segments_adopted, (unsigned long long)total.segments_quarantined);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_kill_at_any_instant_loses_nothing_acknowledged,
                                        workspace_setup, workspace_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
