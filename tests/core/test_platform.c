/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <errno.h>
#include <signal.h>
#include <sys/time.h>

static void the_clocks_run_forward(void **state) {
    (void)state;
    const csm_time wall = csm_platform_now(), start = csm_platform_monotonic();
    assert_true(wall > 1700000000 * CSM_SECOND);
    csm_platform_sleep(2 * CSM_MILLISECOND);
    assert_true(csm_platform_monotonic() - start >= 2 * CSM_MILLISECOND);
    csm_platform_sleep(0);
    csm_platform_sleep(-CSM_DAY);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int number) {
    (void)number;
    alarms = alarms + 1;
}

static void a_signal_does_not_cut_a_sleep_short(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = count_alarm}, before;
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, &before);
    const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &often, NULL);
    const csm_time start = csm_platform_monotonic();
    csm_platform_sleep(20 * CSM_MILLISECOND);
    const csm_time slept = csm_platform_monotonic() - start;
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);
    assert_true(alarms > 0);
    assert_true(slept >= 20 * CSM_MILLISECOND);
}

static void there_is_a_processor_and_a_process(void **state) {
    (void)state;
    assert_true(csm_platform_processors() >= 1);
    assert_int_equal(csm_platform_process(), getpid());
}

static void an_error_number_has_a_text_cut_to_its_room(void **state) {
    (void)state;
    char text[64];
    assert_string_equal(csm_platform_error_text(ENOENT, text, sizeof text), strerror(ENOENT));
    assert_int_equal(strlen(csm_platform_error_text(ENOENT, text, 5)), 4);
    assert_non_null(strstr(csm_platform_error_text(98765, text, sizeof text), "98765"));
}

typedef struct counter {
    csm_mutex *lock;
    int value;
    int blocked;
} counter;

static void count_up(void *user) {
    counter *c = user;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int i = 0; i < 10000; i++) {
        csm_mutex_lock(c->lock);
        c->value++;
        c->blocked += i == 0 && sigismember(&mask, SIGINT) && sigismember(&mask, SIGALRM);
        csm_mutex_unlock(c->lock);
    }
}

static void threads_share_under_a_mutex_and_leave_signals_to_the_host(void **state) {
    (void)state;
    counter c = {0};
    csm_thread *threads[4];
    assert_ok(csm_mutex_new(&c.lock));
    for (int i = 0; i < 4; i++) assert_ok(csm_thread_start(&threads[i], count_up, &c));
    for (int i = 0; i < 4; i++) csm_thread_join(threads[i]);
    assert_int_equal(c.value, 40000);
    assert_int_equal(c.blocked, 4);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_false(sigismember(&mask, SIGINT));
    csm_mutex_free(c.lock);
    csm_mutex_free(NULL);
    csm_thread_join(NULL);
}

static void without_memory_there_is_neither_thread_nor_mutex(void **state) {
    (void)state;
    counter c = {0};
    csm_thread *thread;
    csm_fault_allocation(1, true);
    assert_fails(CSM_ENOMEM, "out of memory", csm_thread_start(&thread, count_up, &c));
    assert_fails(CSM_ENOMEM, "out of memory", csm_mutex_new(&c.lock));
    csm_fault_allocation(0, false);
    assert_null(thread);
    assert_null(c.lock);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clocks_run_forward),
        cmocka_unit_test(a_signal_does_not_cut_a_sleep_short),
        cmocka_unit_test(there_is_a_processor_and_a_process),
        cmocka_unit_test(an_error_number_has_a_text_cut_to_its_room),
        cmocka_unit_test(threads_share_under_a_mutex_and_leave_signals_to_the_host),
        cmocka_unit_test(without_memory_there_is_neither_thread_nor_mutex),
    };
    return cmocka_run_group_tests_name("core.platform", tests, NULL, NULL);
}
