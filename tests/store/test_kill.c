/* SPDX-License-Identifier: MIT */
/* A child appends numbered batches and says which are acknowledged; it is killed at any instant. Nothing acknowledged may
 * be missing, nothing may be there twice, no group of appends may be there in part, and the full check finds nothing. */
#include "fixture.h"

#include "store/append.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define KILLS 100
#define SMALL 5
#define LARGE 4100 /* a segment at once */
#define LARGE_EVERY 11
#define ROLL_EVERY 7

static int64_t rows_of(int64_t batch) {
    return batch % LARGE_EVERY == LARGE_EVERY - 1 ? LARGE : SMALL;
}

static int64_t first_hour_of(int64_t batch) {
    return batch / LARGE_EVERY * ((LARGE_EVERY - 1) * SMALL + LARGE) + batch % LARGE_EVERY * SMALL;
}

/* Bars [first, first + count). */
static csm_table *numbered_bars(int64_t first, int64_t count) {
    csm_table *bars = NULL;
    if (csm_table_new(&bars, "bars")) _exit(11);
    for (int64_t i = 0; i < count; i++) add_bar(bars, first + i, 3500000 + ((first + i) * 7919) % 1000, 0);
    return bars;
}

/* A large batch is a group: a segment of BTC/USD, two more series that only groups have, one of them small. */
static csm_status append_group(csm_store *store, const workspace *w, int64_t batch,
                               const csm_provenance *source) {
    static const char *const symbols[] = {"BTC/USD", "ETH/USD", "ADA/USD"};
    const int64_t group = batch / LARGE_EVERY, count[] = {LARGE, LARGE, SMALL};
    const int64_t first[] = {first_hour_of(batch), group * LARGE, group * SMALL};
    csm_append appends[3];
    size_t failed;
    for (int i = 0; i < 3; i++)
        appends[i] = (csm_append){.stream = bar_stream(symbols[i]),
                                  .provenance = *source,
                                  .rows = numbered_bars(first[i], count[i])};
    const csm_status status = csm_append_group(store, w->context, appends, 3, &failed);
    for (int i = 0; i < 3; i++) csm_table_free(appends[i].rows);
    return status;
}

/* Appends batches from `batch` on until it is killed. */
static void child_run(const workspace *w, int64_t batch, int acknowledge) {
    csm_store *store = NULL;
    const csm_stream stream = bar_stream("BTC/USD");
    if (csm_store_open(&store, w->context, w->path, CSM_STORE_CREATE)) _exit(10);
    for (;; batch++) {
        const int64_t first = first_hour_of(batch), count = rows_of(batch);
        const csm_provenance source = source_at(START + (first + count + 1) * HOUR);
        if (count == LARGE) {
            if (append_group(store, w, batch, &source)) _exit(15);
        } else {
            csm_table *bars = numbered_bars(first, count);
            if (csm_store_append(store, w->context, &stream, bars, &source)) _exit(12);
            csm_table_free(bars);
        }
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

/* A series that groups of up to `batch` wrote has `rows` a group, neither more nor less. Returns its rows. */
static size_t check_groups(const workspace *w, csm_store *store, const char *symbol, int64_t batch,
                           int64_t rows) {
    const csm_stream stream = bar_stream(symbol);
    csm_table *all = read_all(store, w, &stream);
    csm_table *expected = bars_from(0, (batch + 1) / LARGE_EVERY * rows);
    const size_t count = all->rows;
    assert_same_table(expected, all);
    csm_table_free(expected);
    csm_table_free(all);
    return count;
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
    const size_t others =
        check_groups(w, store, "ETH/USD", batch, LARGE) + check_groups(w, store, "ADA/USD", batch, SMALL);
    assert_int_equal(stored, all->rows + others);
    csm_table_free(expected);
    csm_table_free(all);
    csm_store_free(store);
    return batch;
}

static void test_a_kill_at_any_instant_loses_nothing_acknowledged_and_parts_no_group(void **state) {
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
        cmocka_unit_test_setup_teardown(
            test_a_kill_at_any_instant_loses_nothing_acknowledged_and_parts_no_group, workspace_setup,
            workspace_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
