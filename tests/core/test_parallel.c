/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdatomic.h>

#define N 1003

typedef struct visits {
    atomic_int seen[N];
    atomic_int calls;
    atomic_uint highest_worker;
    size_t grain;
    size_t fail_from; /* chunks that begin here or later fail */
    _Bool aligned;
} visits;

static csm_status visit(void *user, size_t begin, size_t end, uint32_t worker) {
    visits *v = user;
    atomic_fetch_add(&v->calls, 1);
    if (worker > atomic_load(&v->highest_worker)) atomic_store(&v->highest_worker, worker);
    if (begin % v->grain != 0 || (end != N && end != begin + v->grain)) v->aligned = 0;
    for (size_t i = begin; i < end; i++) atomic_fetch_add(&v->seen[i], 1);
    if (begin >= v->fail_from) return csm_fail(CSM_EPARSE, "row %zu", begin);
    return CSM_OK;
}

static void every_index_is_visited_once_in_the_same_chunks_for_any_number_of_threads(void **state) {
    (void)state;
    const uint32_t threads[] = {1, 2, 3, 8, 200};
    const size_t grains[] = {1, 7, 100, N, 5 * N, SIZE_MAX};
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
        for (size_t g = 0; g < sizeof grains / sizeof grains[0]; g++) {
            if (threads[t] == 200 && g > 1) continue;
            visits v = {.grain = grains[g], .fail_from = SIZE_MAX, .aligned = 1};
            assert_ok(csm_parallel_for(threads[t], N, grains[g], visit, &v));
            for (size_t i = 0; i < N; i++) assert_int_equal(v.seen[i], 1);
            assert_int_equal(v.calls, (N - 1) / grains[g] + 1);
            assert_true(v.highest_worker < threads[t]);
            assert_true(v.aligned);
        }
    }
}

static void the_lowest_failing_chunk_gives_status_and_text(void **state) {
    (void)state;
    for (uint32_t threads = 1; threads <= 8; threads *= 2) {
        for (int round = 0; round < 50; round++) {
            visits v = {.grain = 10, .fail_from = 300, .aligned = 1};
            csm_fail(CSM_EIO, "older text");
            assert_int_equal(csm_parallel_for(threads, N, 10, visit, &v), CSM_EPARSE);
            assert_string_equal(csm_error_message(), "row 300");
            for (size_t i = 0; i < 310; i++) assert_int_equal(v.seen[i], 1);
        }
    }
}

static void an_empty_range_calls_nothing(void **state) {
    (void)state;
    visits v = {.grain = 1};
    assert_ok(csm_parallel_for(4, 0, 1, visit, &v));
    assert_int_equal(v.calls, 0);
}

static void no_threads_or_no_grain_is_a_defect_of_the_caller(void **state) {
    (void)state;
    visits v = {.grain = 1};
    assert_fails(CSM_EINTERNAL, "0 threads", csm_parallel_for(0, N, 1, visit, &v));
    assert_fails(CSM_EINTERNAL, "chunks of 0", csm_parallel_for(1, N, 0, visit, &v));
}

static csm_status record_thread(void *user, size_t begin, size_t end, uint32_t worker) {
    (void)end;
    (void)worker;
    ((const void **)user)[begin] = csm_error_message(); /* differs by thread */
    return CSM_OK;
}

static void one_thread_or_one_chunk_runs_on_the_caller(void **state) {
    (void)state;
    const void *texts[4] = {0};
    assert_ok(csm_parallel_for(1, 4, 1, record_thread, texts));
    for (int i = 0; i < 4; i++) assert_ptr_equal(texts[i], csm_error_message());
    assert_ok(csm_parallel_for(8, 4, 4, record_thread, texts));
    assert_ptr_equal(texts[0], csm_error_message());
}

static csm_status nested(void *user, size_t begin, size_t end, uint32_t worker) {
    (void)begin;
    (void)end;
    (void)worker;
    return csm_parallel_for(2, N, 100, visit, user);
}

static void loops_may_be_nested(void **state) {
    (void)state;
    visits v = {.grain = 100, .fail_from = SIZE_MAX, .aligned = 1};
    assert_ok(csm_parallel_for(3, 5, 1, nested, &v));
    for (size_t i = 0; i < N; i++) assert_int_equal(v.seen[i], 5);
}

static void a_loop_without_memory_fails_whole_and_leaks_nothing(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        visits v = {.grain = 10, .fail_from = SIZE_MAX, .aligned = 1};
        csm_fault_allocation(n, false);
        const csm_status status = csm_parallel_for(3, N, 10, visit, &v);
        const uint64_t seen = csm_fault_allocations_seen();
        csm_fault_allocation(0, false);
        if (seen < n) {
            assert_ok(status);
            assert_true(n > 4); /* workers, lock, two threads */
            break;
        }
        assert_fails(CSM_ENOMEM, "out of memory", status);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_is_visited_once_in_the_same_chunks_for_any_number_of_threads),
        cmocka_unit_test(the_lowest_failing_chunk_gives_status_and_text),
        cmocka_unit_test(an_empty_range_calls_nothing),
        cmocka_unit_test(no_threads_or_no_grain_is_a_defect_of_the_caller),
        cmocka_unit_test(one_thread_or_one_chunk_runs_on_the_caller),
        cmocka_unit_test(loops_may_be_nested),
        cmocka_unit_test(a_loop_without_memory_fails_whole_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("core.parallel", tests, NULL, NULL);
}
