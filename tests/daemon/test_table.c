/* SPDX-License-Identifier: MIT */
/* The scheduler's memory: what is queued, once; what a kill leaves; what follows an end. */
#include "failure.h"
#include "scheduler_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#define NOW (1700000000 * CSM_SECOND)

typedef struct place {
    char folder[256];
    char path[300];
    database *db;
} place;

static int set_up(void **state) {
    place *p = calloc(1, sizeof *p);
    const char *base = getenv("TMPDIR");
    snprintf(p->folder, sizeof p->folder, "%s/csm-table-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(p->folder)) return -1;
    snprintf(p->path, sizeof p->path, "%s/daemon.db", p->folder);
    *state = p;
    return database_open(&p->db, p->path) == CSM_OK ? 0 : -1;
}

static int tear_down(void **state) {
    place *p = *state;
    char command[400];
    database_close(p->db);
    snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    int code = system(command);
    free(p);
    return code;
}

static int64_t number(place *p, const char *sql) {
    int64_t value = 0;
    assert_int_equal(database_integer(&value, p->db, sql, ""), CSM_OK);
    return value;
}

static void a_turn_that_has_come_is_queued_once_and_the_next_one_is_set(void **state) {
    place *p = *state;
    assert_int_equal(table_know_job(p->db, "learn", CSM_HOUR, NOW, NOW + CSM_HOUR), CSM_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(table_queue_due(p->db, "learn", 30, NOW, NOW + CSM_HOUR), CSM_OK);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs"), 1);
    assert_int_equal(number(p, "SELECT next_due FROM jobs"), NOW + CSM_HOUR);
}

static void turns_missed_for_days_are_caught_up_once(void **state) {
    place *p = *state;
    csm_time later = NOW + 9 * CSM_DAY;
    assert_int_equal(table_know_job(p->db, "learn", CSM_HOUR, NOW, NOW + CSM_HOUR), CSM_OK);
    assert_int_equal(table_queue_due(p->db, "learn", 30, later, later + CSM_HOUR), CSM_OK);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs"), 1);
    assert_int_equal(number(p, "SELECT next_due FROM jobs"), later + CSM_HOUR);
}

static void no_turn_is_queued_while_a_run_is_open(void **state) {
    place *p = *state;
    int64_t run = 0;
    assert_int_equal(table_know_job(p->db, "learn", CSM_HOUR, NOW, NOW + CSM_HOUR), CSM_OK);
    assert_int_equal(table_queue_by_hand(&run, p->db, "learn", 29, "ann", NOW), CSM_OK);
    assert_int_equal(table_start_run(p->db, run, NOW), CSM_OK);
    assert_int_equal(table_queue_due(p->db, "learn", 30, NOW, NOW + CSM_HOUR), CSM_OK);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs"), 1);
    assert_int_equal(table_queue_by_hand(&run, p->db, "learn", 29, "bob", NOW), CSM_EEXIST);
}

static void asking_for_a_queued_run_brings_it_forward(void **state) {
    place *p = *state;
    int64_t first = 0, second = 0;
    assert_int_equal(table_queue_by_hand(&first, p->db, "learn", 29, "ann", NOW), CSM_OK);
    assert_int_equal(database_run(p->db, "UPDATE job_runs SET not_before=?, priority=90", "i", NOW + CSM_DAY),
                     CSM_OK);
    assert_int_equal(table_queue_by_hand(&second, p->db, "learn", 29, "bob", NOW), CSM_OK);
    assert_int_equal(first, second);
    assert_int_equal(number(p, "SELECT not_before FROM job_runs"), NOW);
    assert_int_equal(number(p, "SELECT priority FROM job_runs"), 29);
}

static void runs_under_way_at_a_kill_are_interrupted_and_queued_again(void **state) {
    place *p = *state;
    int64_t kept = 0, cancelled = 0;
    size_t interrupted = 0;
    assert_int_equal(table_queue_by_hand(&kept, p->db, "learn", 29, "ann", NOW), CSM_OK);
    assert_int_equal(table_start_run(p->db, kept, NOW), CSM_OK);
    assert_int_equal(table_queue_by_hand(&cancelled, p->db, "predict", 19, "ann", NOW), CSM_OK);
    assert_int_equal(table_start_run(p->db, cancelled, NOW), CSM_OK);
    assert_int_equal(table_cancel(p->db, cancelled, "bob", NOW), CSM_OK);
    assert_true(table_is_cancelled(p->db, cancelled));
    database_close(p->db);
    assert_int_equal(database_open(&p->db, p->path), CSM_OK);
    assert_int_equal(table_recover(&interrupted, p->db, NOW + CSM_MINUTE), CSM_OK);
    assert_int_equal(interrupted, 2);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs WHERE state='interrupted'"), 2);
    assert_int_equal(
        number(p, "SELECT count(*) FROM job_runs WHERE state='queued' AND job='learn' AND cause='restart'"),
        1);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs WHERE state='queued' AND job='predict'"), 0);
    assert_int_equal(table_recover(&interrupted, p->db, NOW + CSM_HOUR), CSM_OK);
    assert_int_equal(interrupted, 0);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs WHERE state='queued'"), 1);
}

static void the_queue_goes_by_priority_then_age_and_waits_for_its_time(void **state) {
    place *p = *state;
    queued_run queue[QUEUE_MOST];
    size_t count = 0;
    int64_t run = 0;
    assert_int_equal(table_queue_by_hand(&run, p->db, "retrain", 80, "a", NOW), CSM_OK);
    assert_int_equal(table_queue_by_hand(&run, p->db, "learn", 30, "a", NOW), CSM_OK);
    assert_int_equal(table_queue_by_hand(&run, p->db, "predict", 20, "a", NOW + CSM_HOUR), CSM_OK);
    assert_int_equal(table_queue(queue, &count, p->db, NOW), CSM_OK);
    assert_int_equal(count, 2);
    assert_string_equal(queue[0].job, "learn");
    assert_string_equal(queue[1].job, "retrain");
    csm_time next = 0;
    assert_int_equal(table_next_event(&next, p->db), CSM_OK);
    assert_int_equal(next, NOW);
}

static void a_failure_that_may_pass_is_tried_again_later_and_counted(void **state) {
    place *p = *state;
    int64_t run = 0;
    assert_int_equal(table_know_job(p->db, "learn", CSM_HOUR, NOW, NOW + CSM_HOUR), CSM_OK);
    assert_int_equal(table_queue_by_hand(&run, p->db, "learn", 29, "ann", NOW), CSM_OK);
    assert_int_equal(table_start_run(p->db, run, NOW), CSM_OK);
    run_record end = {.run = run,
                      .now = NOW + 5,
                      .state = "failed",
                      .code = 6,
                      .again = true,
                      .retry = true,
                      .attempt = 0,
                      .not_before = NOW + CSM_MINUTE};
    assert_int_equal(table_end_run(p->db, "learn", 30, &end), CSM_OK);
    assert_int_equal(number(p, "SELECT attempt FROM job_runs WHERE state='queued' AND cause='retry'"), 1);
    assert_int_equal(number(p, "SELECT not_before FROM job_runs WHERE state='queued'"), NOW + CSM_MINUTE);
    assert_int_equal(number(p, "SELECT failures FROM jobs"), 1);
    run_record good = {.run = run + 1, .now = NOW + 9, .state = "done", .attempt = 1};
    assert_int_equal(table_end_run(p->db, "learn", 30, &good), CSM_OK);
    assert_int_equal(number(p, "SELECT failures FROM jobs"), 0);
}

static void a_run_that_left_a_cursor_goes_on_at_once(void **state) {
    place *p = *state;
    int64_t run = 0;
    assert_int_equal(table_queue_by_hand(&run, p->db, "ingest.kraken.ohlc", 39, "ann", NOW), CSM_OK);
    run_record end = {.run = run, .now = NOW, .state = "done", .more = true};
    assert_int_equal(table_end_run(p->db, "ingest.kraken.ohlc", 40, &end), CSM_OK);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs WHERE state='queued' AND cause='continue'"), 1);
}

static void a_queued_run_can_be_cancelled_an_ended_one_cannot(void **state) {
    place *p = *state;
    int64_t run = 0;
    assert_int_equal(table_queue_by_hand(&run, p->db, "learn", 29, "ann", NOW), CSM_OK);
    assert_int_equal(table_cancel(p->db, run, "bob", NOW), CSM_OK);
    assert_int_equal(table_cancel(p->db, run, "bob", NOW), CSM_EEXIST);
    assert_int_equal(table_cancel(p->db, run + 7, "bob", NOW), CSM_ENOTFOUND);
}

static void a_cadence_that_was_shortened_or_switched_off_counts_from_the_next_start(void **state) {
    place *p = *state;
    assert_int_equal(table_know_job(p->db, "retrain", 7 * CSM_DAY, NOW, NOW + 7 * CSM_DAY), CSM_OK);
    assert_int_equal(number(p, "SELECT next_due FROM jobs"), NOW);
    assert_int_equal(database_run(p->db, "UPDATE jobs SET next_due=?", "i", NOW + 7 * CSM_DAY), CSM_OK);
    assert_int_equal(table_know_job(p->db, "retrain", CSM_DAY, NOW, NOW + CSM_DAY), CSM_OK);
    assert_int_equal(number(p, "SELECT next_due FROM jobs"), NOW + CSM_DAY);
    assert_int_equal(table_know_job(p->db, "retrain", 0, NOW, CSM_TIME_MAX), CSM_OK);
    assert_true(number(p, "SELECT next_due FROM jobs") == CSM_TIME_MAX);
}

static void old_runs_go_with_their_logs_and_open_ones_stay(void **state) {
    place *p = *state;
    int64_t run = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(table_queue_by_hand(&run, p->db, "learn", 29, "ann", NOW), CSM_OK);
        assert_int_equal(database_run(p->db, "INSERT INTO job_log VALUES(?,1,0,'info','m','t')", "i", run),
                         CSM_OK);
        if (i == 4) break;
        run_record end = {.run = run, .now = NOW, .state = "done"};
        assert_int_equal(table_end_run(p->db, "learn", 30, &end), CSM_OK);
    }
    assert_int_equal(table_trim(p->db, 2), CSM_OK);
    assert_int_equal(number(p, "SELECT count(*) FROM job_runs"), 3);
    assert_int_equal(number(p, "SELECT count(*) FROM job_log"), 3);
}

static void a_source_that_is_no_job_any_more_leaves_neither_facts_nor_alerts(void **state) {
    place *p = *state;
    const job_entry jobs[] = {{.name = "ingest.kraken.ohlc"}};
    assert_int_equal(
        database_run(p->db,
                     "INSERT INTO facts "
                     "VALUES('source.latched.kraken.ohlc',1,'',1,1),('source.latched.old.one',1,'',1,1)",
                     ""),
        CSM_OK);
    assert_int_equal(database_run(p->db,
                                  "INSERT INTO alerts(rule,severity,text,value,raised) "
                                  "VALUES('source_latched.kraken.ohlc','critical','',1,1),"
                                  "('source_latched.old.one','critical','',1,1)",
                                  ""),
                     CSM_OK);
    assert_int_equal(table_forget_sources(p->db, jobs, 1, NOW), CSM_OK);
    assert_int_equal(number(p, "SELECT count(*) FROM facts"), 1);
    assert_int_equal(
        number(p, "SELECT count(*) FROM alerts WHERE cleared IS NULL AND rule='source_latched.kraken.ohlc'"),
        1);
    assert_int_equal(number(p, "SELECT count(*) FROM alerts WHERE cleared IS NULL"), 1);
}

static void the_audit_trail_cannot_be_changed(void **state) {
    place *p = *state;
    assert_int_equal(
        database_run(
            p->db,
            "INSERT INTO audit(time, who, action, subject, detail, address) VALUES(1,'a','b','c','d','e')",
            ""),
        CSM_OK);
    assert_int_not_equal(database_run(p->db, "UPDATE audit SET who='x'", ""), CSM_OK);
    assert_int_not_equal(database_run(p->db, "DELETE FROM audit", ""), CSM_OK);
}

static void a_failed_transaction_leaves_nothing(void **state) {
    place *p = *state;
    assert_int_equal(database_begin(p->db), CSM_OK);
    assert_int_equal(database_run(p->db, "INSERT INTO jobs(name, next_due) VALUES('x', 1)", ""), CSM_OK);
    assert_int_equal(database_end(p->db, CSM_EIO), CSM_EIO);
    assert_int_equal(number(p, "SELECT count(*) FROM jobs"), 0);
}

static void a_newer_or_damaged_file_is_refused(void **state) {
    place *p = *state;
    database *other = NULL;
    assert_int_equal(database_run(p->db, "PRAGMA user_version=999", ""), CSM_OK);
    assert_int_equal(database_open(&other, p->path), CSM_EUNSUPPORTED);
    char bad[320];
    snprintf(bad, sizeof bad, "%s/bad.db", p->folder);
    FILE *file = fopen(bad, "w");
    for (int i = 0; i < 4000; i++) fputs("no database ", file);
    fclose(file);
    assert_int_equal(database_open(&other, bad), CSM_ECORRUPT);
    assert_null(other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        T(a_turn_that_has_come_is_queued_once_and_the_next_one_is_set),
        T(turns_missed_for_days_are_caught_up_once),
        T(no_turn_is_queued_while_a_run_is_open),
        T(asking_for_a_queued_run_brings_it_forward),
        T(runs_under_way_at_a_kill_are_interrupted_and_queued_again),
        T(the_queue_goes_by_priority_then_age_and_waits_for_its_time),
        T(a_failure_that_may_pass_is_tried_again_later_and_counted),
        T(a_run_that_left_a_cursor_goes_on_at_once),
        T(a_queued_run_can_be_cancelled_an_ended_one_cannot),
        T(a_cadence_that_was_shortened_or_switched_off_counts_from_the_next_start),
        T(old_runs_go_with_their_logs_and_open_ones_stay),
        T(a_source_that_is_no_job_any_more_leaves_neither_facts_nor_alerts),
        T(the_audit_trail_cannot_be_changed),
        T(a_failed_transaction_leaves_nothing),
        T(a_newer_or_damaged_file_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
