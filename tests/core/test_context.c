/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <signal.h>

static void a_context_without_options_has_seed_one_and_all_processors(void **state) {
    (void)state;
    csm_context *context;
    assert_ok(csm_context_new(&context, NULL));
    assert_int_equal(csm_context_seed(context), 1);
    assert_int_equal(csm_context_threads(context), csm_platform_processors());
    csm_context_free(context);
}

static void options_reach_the_context(void **state) {
    (void)state;
    csm_context_options options;
    csm_context_options_init(&options);
    assert_int_equal(options.size, sizeof options);
    options.seed = 77;
    options.threads = 1024;
    csm_context *context;
    assert_ok(csm_context_new(&context, &options));
    assert_int_equal(csm_context_seed(context), 77);
    assert_int_equal(csm_context_threads(context), 1024);
    csm_context_free(context);
}

static void options_outside_their_range_are_refused_by_name(void **state) {
    (void)state;
    csm_context_options options;
    csm_context *context = (csm_context *)&options;
    csm_context_options_init(&options);
    options.threads = 1025;
    assert_fails(CSM_EINVAL, "threads 1025", csm_context_new(&context, &options));
    assert_null(context);
    options.threads = 1;
    options.log_level = 4;
    assert_fails(CSM_EINVAL, "log_level 4", csm_context_new(&context, &options));
    options.size = 3;
    assert_fails(CSM_EINVAL, "size 3", csm_context_new(&context, &options));
    assert_fails(CSM_EINVAL, "NULL", csm_context_new(NULL, NULL));
}

static void an_older_struct_with_the_seed_alone_is_accepted(void **state) {
    (void)state;
    const struct {
        size_t size;
        uint64_t seed;
    } older = {sizeof older, 9};
    csm_context *context;
    assert_ok(csm_context_new(&context, (const csm_context_options *)(const void *)&older));
    assert_int_equal(csm_context_seed(context), 9);
    csm_context_free(context);
}

static void every_function_takes_no_context(void **state) {
    (void)state;
    csm_context_free(NULL);
    csm_context_cancel(NULL);
    csm_context_resume(NULL);
    csm_context_set_log(NULL, NULL, NULL);
    csm_context_set_progress(NULL, NULL, NULL);
    csm_context_set_clock(NULL, NULL, NULL);
    csm_log_write(NULL, CSM_LOG_ERROR, "core", "x");
    assert_false(csm_cancelled(NULL));
    assert_ok(csm_progress(NULL, "x", 0, 0));
    assert_int_equal(csm_context_threads(NULL), 1);
    assert_int_equal(csm_context_seed(NULL), 1);
    assert_true(csm_context_now(NULL) > 1700000000 * CSM_SECOND);
    assert_null(csm_context_retain(NULL));
    csm_context_release(NULL);
}

static csm_time fixed_clock(void *user) {
    return *(csm_time *)user;
}

static void the_callers_clock_replaces_the_systems(void **state) {
    (void)state;
    csm_context *context;
    csm_time then = 12345;
    assert_ok(csm_context_new(&context, NULL));
    assert_true(csm_context_now(context) > 1700000000 * CSM_SECOND);
    csm_context_set_clock(context, fixed_clock, &then);
    assert_int_equal(csm_context_now(context), 12345);
    csm_context_free(context);
}

typedef struct log_record {
    int calls;
    csm_log_level level;
    char text[4096];
} log_record;

static void keep_log(void *user, csm_log_level level, const char *module, const char *text) {
    log_record *record = user;
    record->calls++;
    record->level = level;
    snprintf(record->text, sizeof record->text, "%s|%s", module, text);
}

static void the_log_takes_one_line_of_its_level_or_graver(void **state) {
    (void)state;
    csm_context *context;
    log_record record = {0};
    assert_ok(csm_context_new(&context, NULL));
    csm_log_write(context, CSM_LOG_ERROR, "core", "nobody listens");
    csm_context_set_log(context, keep_log, &record);
    csm_log_write(context, CSM_LOG_INFO, "core", "too fine");
    assert_int_equal(record.calls, 0);
    csm_log_write(context, CSM_LOG_WARN, "net", "reply %d\nforged\r\x7f\x01", 1);
    assert_int_equal(record.calls, 1);
    assert_int_equal(record.level, CSM_LOG_WARN);
    assert_string_equal(record.text, "net|reply 1 forged   ");
    char longer[5000];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    csm_log_write(context, CSM_LOG_ERROR, "core", "%s", longer);
    assert_int_equal(strlen(record.text), strlen("core|") + 2047);
    csm_context_free(context);
}

typedef struct progress_record {
    uint64_t done;
    uint64_t total;
    int answer;
    char what[32];
} progress_record;

static int keep_progress(void *user, const char *what, uint64_t done, uint64_t total) {
    progress_record *record = user;
    record->done = done;
    record->total = total;
    snprintf(record->what, sizeof record->what, "%s", what);
    return record->answer;
}

static void progress_reaches_the_caller_who_may_cancel(void **state) {
    (void)state;
    csm_context *context;
    progress_record record = {0};
    assert_ok(csm_context_new(&context, NULL));
    assert_ok(csm_progress(context, "candles", 1, 2));
    csm_context_set_progress(context, keep_progress, &record);
    assert_ok(csm_progress(context, "candles", 3, 4));
    assert_string_equal(record.what, "candles");
    assert_int_equal(record.done, 3);
    assert_int_equal(record.total, 4);
    record.answer = 1;
    assert_fails(CSM_ECANCELLED, "candles", csm_progress(context, "candles", 4, 4));
    record.answer = 0;
    assert_ok(csm_progress(context, "candles", 4, 4));
    csm_context_free(context);
}

static csm_context *signalled;

static void cancel_from_signal(int number) {
    (void)number;
    csm_context_cancel(signalled);
}

static void a_cancel_from_a_signal_handler_stands_until_resumed(void **state) {
    (void)state;
    csm_context *context;
    assert_ok(csm_context_new(&context, NULL));
    signalled = context;
    void (*before)(int) = signal(SIGUSR1, cancel_from_signal);
    assert_false(csm_cancelled(context));
    raise(SIGUSR1);
    signal(SIGUSR1, before);
    assert_true(csm_cancelled(context));
    assert_fails(CSM_ECANCELLED, "csm_context_cancel", csm_progress(context, "training", 0, 0));
    assert_fails(CSM_ECANCELLED, "csm_context_cancel", csm_progress(context, "training", 0, 0));
    csm_context_resume(context);
    assert_ok(csm_progress(context, "training", 0, 0));
    csm_context_free(context);
}

static void an_object_may_outlive_the_callers_reference_and_its_callbacks(void **state) {
    (void)state;
    csm_context *context;
    log_record record = {0};
    assert_ok(csm_context_new(&context, NULL));
    csm_context_set_log(context, keep_log, &record);
    csm_context *held = csm_context_retain(context);
    assert_ptr_equal(held, context);
    csm_context_free(context);
    csm_log_write(held, CSM_LOG_ERROR, "core", "the owner is gone");
    assert_int_equal(record.calls, 0);
    assert_int_equal(csm_context_seed(held), 1);
    csm_context_release(held);
}

static void a_context_without_memory_is_an_error(void **state) {
    (void)state;
    csm_context *context;
    csm_fault_allocation(1, false);
    assert_fails(CSM_ENOMEM, "out of memory", csm_context_new(&context, NULL));
    csm_fault_allocation(0, false);
    assert_null(context);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_without_options_has_seed_one_and_all_processors),
        cmocka_unit_test(options_reach_the_context),
        cmocka_unit_test(options_outside_their_range_are_refused_by_name),
        cmocka_unit_test(an_older_struct_with_the_seed_alone_is_accepted),
        cmocka_unit_test(every_function_takes_no_context),
        cmocka_unit_test(the_callers_clock_replaces_the_systems),
        cmocka_unit_test(the_log_takes_one_line_of_its_level_or_graver),
        cmocka_unit_test(progress_reaches_the_caller_who_may_cancel),
        cmocka_unit_test(a_cancel_from_a_signal_handler_stands_until_resumed),
        cmocka_unit_test(an_object_may_outlive_the_callers_reference_and_its_callbacks),
        cmocka_unit_test(a_context_without_memory_is_an_error),
    };
    return cmocka_run_group_tests_name("core.context", tests, NULL, NULL);
}
