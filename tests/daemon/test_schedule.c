/* SPDX-License-Identifier: MIT */
/* Cadences, retries, exit codes and the table of jobs, by closed forms. */
#include "failure.h"
#include "schedule.h"
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>

static void a_turn_is_a_multiple_of_the_cadence_after_now(void **state) {
    (void)state;
    assert_int_equal(schedule_next(0, CSM_HOUR, 0), CSM_HOUR);
    assert_int_equal(schedule_next(CSM_HOUR - 1, CSM_HOUR, 0), CSM_HOUR);
    assert_int_equal(schedule_next(CSM_HOUR, CSM_HOUR, 0), 2 * CSM_HOUR);
    assert_int_equal(schedule_next(CSM_HOUR, CSM_HOUR, 5 * CSM_MINUTE), CSM_HOUR + 5 * CSM_MINUTE);
    assert_int_equal(schedule_next(CSM_HOUR + 5 * CSM_MINUTE, CSM_HOUR, 5 * CSM_MINUTE),
                     2 * CSM_HOUR + 5 * CSM_MINUTE);
    assert_int_equal(schedule_next(123, 0, 0), CSM_TIME_MAX);
}

static void the_wait_before_a_retry_doubles_up_to_its_limit_with_jitter_in_the_upper_half(void **state) {
    (void)state;
    csm_time step[] = {30, 60, 120, 240, 480, 900, 900, 900};
    for (uint32_t i = 0; i < 8; i++) {
        csm_time least = schedule_backoff(i + 1, 30 * CSM_SECOND, 900 * CSM_SECOND, 0);
        csm_time most = schedule_backoff(i + 1, 30 * CSM_SECOND, 900 * CSM_SECOND, 0.999999);
        assert_int_equal(least, step[i] * CSM_SECOND / 2);
        assert_true(most > least && most <= step[i] * CSM_SECOND);
    }
    assert_true(schedule_backoff(4000000000u, CSM_SECOND, CSM_HOUR, 0.5) <= CSM_HOUR);
}

static void an_end_is_done_to_be_tried_again_failed_or_cancelled(void **state) {
    (void)state;
    char text[128];
    assert_int_equal(schedule_classify(CODE_OK, 0, text, sizeof text), RUN_DONE);
    assert_int_equal(schedule_classify(CODE_NO_DATA, 0, text, sizeof text), RUN_DONE);
    assert_int_equal(schedule_classify(CODE_FAILED, 0, text, sizeof text), RUN_AGAIN);
    assert_int_equal(schedule_classify(CODE_BUSY, 0, text, sizeof text), RUN_AGAIN);
    assert_int_equal(schedule_classify(CODE_NETWORK, 0, text, sizeof text), RUN_AGAIN);
    assert_int_equal(schedule_classify(CODE_USAGE, 0, text, sizeof text), RUN_FAILED);
    assert_int_equal(schedule_classify(CODE_COVERAGE, 0, text, sizeof text), RUN_FAILED);
    assert_int_equal(schedule_classify(CODE_DAMAGED, 0, text, sizeof text), RUN_FAILED);
    assert_int_equal(schedule_classify(CODE_CANCELLED, 0, text, sizeof text), RUN_CANCELLED);
    assert_int_equal(schedule_classify(0, SIGSEGV, text, sizeof text), RUN_AGAIN);
    assert_int_equal(schedule_classify(0, SIGXCPU, text, sizeof text), RUN_FAILED);
    assert_int_equal(schedule_classify(99, 0, text, sizeof text), RUN_AGAIN);
}

static csm_config *config_of(const char *sources) {
    static settings_source none;
    csm_config *config = NULL;
    assert_int_equal(settings_load(&config, &none), CSM_OK);
    if (sources) assert_int_equal(csm_config_set(config, "ingest.sources", sources), CSM_OK);
    return config;
}

static void there_is_a_job_for_every_line_of_the_table_and_every_source(void **state) {
    (void)state;
    job_entry jobs[JOBS_MOST];
    size_t count = 0;
    csm_config *config = config_of("kraken.ohlc, alternative.fear_greed");
    assert_int_equal(schedule_jobs(jobs, &count, config), CSM_OK);
    assert_non_null(schedule_find(jobs, count, "discover"));
    assert_non_null(schedule_find(jobs, count, "ingest.kraken.ohlc"));
    assert_non_null(schedule_find(jobs, count, "ingest.alternative.fear_greed"));
    assert_null(schedule_find(jobs, count, "ingest"));
    assert_int_equal(schedule_find(jobs, count, "discover")->every, 10 * CSM_MINUTE);
    assert_int_equal(schedule_find(jobs, count, "predict")->after, 5 * CSM_MINUTE);
    assert_int_equal(schedule_find(jobs, count, "tune")->every, 0);
    assert_true(schedule_find(jobs, count, "retrain")->kind->heavy);
    csm_config_free(config);
}

static void an_unknown_or_doubled_source_is_refused_by_name(void **state) {
    (void)state;
    job_entry jobs[JOBS_MOST];
    size_t count = 0;
    csm_config *config = config_of("kraken.ohlc,kraken.gossip");
    assert_int_equal(schedule_jobs(jobs, &count, config), CSM_EINVAL);
    assert_non_null(strstr(failure_text(), "kraken.gossip"));
    csm_config_free(config);
    config = config_of("kraken.ohlc,kraken.ohlc");
    assert_int_equal(schedule_jobs(jobs, &count, config), CSM_EINVAL);
    csm_config_free(config);
}

static void only_ingestion_has_a_name_with_a_source(void **state) {
    (void)state;
    assert_non_null(job_kind_find("ingest.kraken.ohlc"));
    assert_non_null(job_kind_find("predict"));
    assert_null(job_kind_find("predict.kraken.ohlc"));
    assert_null(job_kind_find("pre"));
    assert_null(job_kind_find(""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_is_a_multiple_of_the_cadence_after_now),
        cmocka_unit_test(the_wait_before_a_retry_doubles_up_to_its_limit_with_jitter_in_the_upper_half),
        cmocka_unit_test(an_end_is_done_to_be_tried_again_failed_or_cancelled),
        cmocka_unit_test(there_is_a_job_for_every_line_of_the_table_and_every_source),
        cmocka_unit_test(an_unknown_or_doubled_source_is_refused_by_name),
        cmocka_unit_test(only_ingestion_has_a_name_with_a_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
