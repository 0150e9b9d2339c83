/* SPDX-License-Identifier: MIT */
/* Opening a workspace through the pipeline: the ledger's tail is checked on a writing open, one writer at a time, and the doctor
 * names what is wrong. */
#include "market.h"

#include <sqlite3.h>
#include <sys/wait.h>

static void tamper(const market *m, const char *sql) {
    char *path = csm_strformat("%s/catalog.db", m->workspace);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    csm_dealloc(path);
}

static void train_and_predict(market *m) {
    csm_training *training = NULL;
    csm_ranking *ranking = NULL;
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.as_of = market_end();
    options.backfill = 1;
    assert_ok(csm_pipeline_train(&training, m->pipeline, market_end()));
    assert_ok(csm_pipeline_predict(&ranking, m->pipeline, &options));
    csm_ranking_free(ranking);
    csm_training_free(training);
}

static void a_tampered_ledger_refuses_writers_and_tells_readers_through_the_doctor(void **state) {
    (void)state;
    market *m = market_new(2, planted_signal, 29);
    train_and_predict(m);
    csm_pipeline_free(m->pipeline);
    m->pipeline = NULL;
    tamper(m, "DROP TRIGGER ledger_keeps; UPDATE ledger SET probability = 0.999 WHERE row = 2");
    assert_fails(CSM_ECORRUPT, "row 2",
                 csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_WRITE));
    assert_null(m->pipeline);
    csm_checks *checks = NULL;
    assert_ok(csm_pipeline_doctor(&checks, m->context, m->config, m->workspace));
    bool named = false;
    for (size_t i = 0; i < csm_checks_count(checks); i++) {
        const csm_check *check = csm_checks_at(checks, i);
        named = named || (strcmp(check->name, "ledger") == 0 && check->level == CSM_LOG_ERROR &&
                          strstr(check->text, "row 2"));
    }
    assert_true(named);
    csm_checks_free(checks);
    market_free(m);
}

static void a_second_writer_is_told_to_wait_and_a_reader_is_not(void **state) {
    (void)state;
    market *m = market_new(1, random_walk, 31);
    pid_t child = fork();
    if (child == 0) {
        csm_pipeline *second = NULL, *reader = NULL;
        csm_status writing = csm_pipeline_open(&second, m->context, m->config, m->workspace, CSM_STORE_WRITE);
        csm_status reading = csm_pipeline_open(&reader, m->context, m->config, m->workspace, CSM_STORE_READ);
        _exit(writing == CSM_ELOCKED && reading == CSM_OK ? 0 : 1);
    }
    int code = 1;
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 0);
    market_free(m);
}

/* Whatever the order of their hashes: eight models after one another, each the only champion in its turn. */
static void the_newest_training_is_the_only_champion(void **state) {
    (void)state;
    market *m = market_new(2, planted_signal, 43);
    for (uint32_t i = 0; i < 8; i++) {
        csm_training *training = NULL, *champion = NULL;
        assert_ok(csm_pipeline_train(&training, m->pipeline, market_end() - (8 - i) * CSM_DAY));
        assert_ok(csm_pipeline_champion(&champion, m->pipeline));
        assert_string_equal(csm_training_hash(champion), csm_training_hash(training));
        csm_training_free(champion);
        csm_training_free(training);
    }
    market_free(m);
}

static void status_counts_what_is_there(void **state) {
    (void)state;
    market *m = market_new(3, random_walk, 37);
    csm_pipeline_status s;
    assert_ok(csm_pipeline_status_report(&s, m->pipeline));
    assert_true(s.markets == 3 && s.universe == 3 && s.streams == 3);
    assert_true(s.rows == 3 * MARKET_HOURS && s.first == MARKET_START && s.last == market_end() - CSM_HOUR);
    assert_true(s.history_clock == (csm_time)MARKET_DAYS * CSM_DAY && s.live_clock == 0);
    assert_true(s.trained == CSM_TIME_MIN && s.discovered == MARKET_START && s.ledger.rows == 0);
    market_free(m);
}

static void fusing_gives_rows_for_every_market_and_reasons_for_the_rest(void **state) {
    (void)state;
    market *m = market_new(3, random_walk, 41);
    csm_frame *frame = NULL;
    csm_time from = market_end() - CSM_DAY;
    assert_ok(csm_pipeline_fuse(&frame, m->pipeline, from, market_end(), market_end()));
    assert_int_equal(csm_frame_rows(frame) + csm_frame_excluded_count(frame), 3 * 24);
    assert_int_equal(csm_frame_excluded_count(frame), 0);
    csm_frame_free(frame);
    assert_fails(CSM_ENODATA, "no decision between",
                 csm_pipeline_fuse(&frame, m->pipeline, market_end() + CSM_DAY, CSM_TIME_MAX, market_end()));
    market_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tampered_ledger_refuses_writers_and_tells_readers_through_the_doctor),
        cmocka_unit_test(a_second_writer_is_told_to_wait_and_a_reader_is_not),
        cmocka_unit_test(the_newest_training_is_the_only_champion),
        cmocka_unit_test(status_counts_what_is_there),
        cmocka_unit_test(fusing_gives_rows_for_every_market_and_reasons_for_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
