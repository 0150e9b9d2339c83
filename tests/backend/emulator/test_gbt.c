/* SPDX-License-Identifier: MIT */
/* Trees on the emulated card: histograms, partitions, searches and whole trees are the CPU's, bit for bit. */
#include "backend/gbt_device.h"

#include "emulator.h"

static void check(const tree_case *c, const emulator_card *card, emulator_order order) {
    emulator_reset(card, order, 29);
    tree_check(c);
    assert_string_equal("", emulator_failure());
    assert_int_equal(0, emulator_memory_used());
    assert_int_equal(0, emulator_objects());
}

/* More rows than a partition's chunk and a histogram's tile; more features than a warp; rows and a feature left out. */
static void trees_are_the_cpus_under_every_order_of_threads(void **unused) {
    (void)unused;
    const tree_case cases[] = {
        {1300, 37, 64, 5, 10, 1, 20, 0.1, 7},
        {1100, 9, 256, 7, 4, 1, 1, 0, 0},
        {1600, 34, 64, 4, 30, 0, 5, 1, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (emulator_order order = EMULATOR_FORWARD; order < EMULATOR_ORDERS; order++)
            check(&cases[i], NULL, order);
}

/* 256 slots with 64-bit buckets need 96 KB; such a card adds each tile to memory. */
static void a_card_with_little_shared_memory_gives_the_same(void **unused) {
    (void)unused;
    const emulator_card turing = {7, 5, 40, (size_t)1 << 30, 64 * 1024, 0};
    const tree_case c = {1100, 9, 256, 5, 6, 1, 1, 0, 5};
    check(&c, &turing, EMULATOR_SHUFFLED);
}

static void a_tree_ends_where_nothing_is_gained(void **unused) {
    (void)unused;
    const tree_case few = {40, 5, 64, 30, 30, 1, 8, 0, 0}, flat = {300, 5, 64, 30, 1, 1, 1, 0, 0},
                    one = {1, 3, 64, 4, 9, 1, 1, 0, 0};
    check(&few, NULL, EMULATOR_BACKWARD);
    check(&flat, NULL, EMULATOR_BACKWARD);
    check(&one, NULL, EMULATOR_BACKWARD);
}

/* Hessians of 0 to 15: the estimate allows sides that turn out too small. */
static void a_side_shorter_than_its_estimate_is_handed_back(void **unused) {
    (void)unused;
    const tree_case c = {400, 6, 64, 40, 30, 0, 9, 0, 0};
    tree_problem p;
    csm_gbt_cuda_split split[40];
    uint32_t row[400];
    bool short_side;
    tree_problem_new(&p, &c);
    (void)tree_grow(split, row, &short_side, &p);
    assert_true(short_side); /* or the case shows nothing */
    tree_problem_free(&p);
    check(&c, NULL, EMULATOR_FORWARD);
}

static void predictions_walk_like_the_cpu(void **unused) {
    (void)unused;
    emulator_reset(NULL, EMULATOR_SHUFFLED, 2);
    forest_check();
    assert_int_equal(0, emulator_memory_used());
    assert_int_equal(0, emulator_objects());
}

static void odd_data_and_rounds_are_refused(void **unused) {
    (void)unused;
    const tree_case c = {50, 5, 64, 4, 9, 1, 1, 0, 0};
    tree_problem p;
    csm_gbt_cuda *gbt;
    csm_gbt_cuda_split split[4];
    uint32_t row[50], splits;
    uint64_t bytes;
    tree_problem_new(&p, &c);
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    p.data.slots = 100;
    assert_fails(CSM_EINVAL, "100 slots", csm_gbt_cuda_new(&gbt, &p.data));
    p.data.slots = 64;
    p.data.leaves = 1;
    assert_fails(CSM_EINVAL, "1 leaves", csm_gbt_cuda_new(&gbt, &p.data));
    p.data.leaves = 4;
    p.data.stride = 4;
    assert_fails(CSM_EINVAL, "4 bytes apart", csm_gbt_cuda_memory(&bytes, &p.data));
    p.data.stride = 8;
    p.data.device = 5;
    assert_fails(CSM_EDEVICE, "no device 5", csm_gbt_cuda_new(&gbt, &p.data));
    p.data.device = 0;
    assert_ok(csm_gbt_cuda_memory(&bytes, &p.data));
    assert_ok(csm_gbt_cuda_new(&gbt, &p.data));
    assert_int_equal(bytes, emulator_memory_used());
    p.row[7] = 50;
    assert_fails(CSM_EINVAL, "row 7 of the tree is 50",
                 csm_gbt_cuda_grow(gbt, split, &splits, row, &p.round));
    p.row[7] = 7;
    p.feature[1] = 0;
    assert_fails(CSM_EINVAL, "feature 1 of the tree is 0",
                 csm_gbt_cuda_grow(gbt, split, &splits, row, &p.round));
    p.feature[1] = 1;
    p.round.row_count = 0;
    assert_fails(CSM_EINVAL, "0 of 50 rows", csm_gbt_cuda_grow(gbt, split, &splits, row, &p.round));
    csm_gbt_cuda_free(gbt);
    csm_gbt_cuda_free(NULL);
    const emulator_card small = {9, 0, 132, 1 << 10, 227 * 1024, 8};
    emulator_reset(&small, EMULATOR_FORWARD, 1);
    assert_fails(CSM_ENOMEM, "device memory are needed", csm_gbt_cuda_new(&gbt, &p.data));
    tree_problem_free(&p);
}

static void every_failing_call_of_the_runtime_is_an_error_and_nothing_leaks(void **unused) {
    (void)unused;
    const tree_case c = {50, 5, 64, 3, 9, 1, 1, 0, 0};
    tree_problem p;
    csm_gbt_cuda_split split[3];
    uint32_t row[50], splits;
    csm_status status = CSM_EDEVICE;
    tree_problem_new(&p, &c);
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    for (uint64_t n = 1; status != CSM_OK; n++) {
        csm_gbt_cuda *gbt;
        emulator_fail_call(n);
        status = csm_gbt_cuda_new(&gbt, &p.data);
        if (!status) status = csm_gbt_cuda_grow(gbt, split, &splits, row, &p.round);
        csm_gbt_cuda_free(gbt);
        emulator_fail_call(0);
        if (status) assert_true(status == CSM_EDEVICE || status == CSM_ENOMEM);
        assert_int_equal(0, emulator_memory_used());
        assert_int_equal(0, emulator_objects());
        assert_true(n < 200);
    }
    tree_problem_free(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_the_cpus_under_every_order_of_threads),
        cmocka_unit_test(a_card_with_little_shared_memory_gives_the_same),
        cmocka_unit_test(a_tree_ends_where_nothing_is_gained),
        cmocka_unit_test(a_side_shorter_than_its_estimate_is_handed_back),
        cmocka_unit_test(predictions_walk_like_the_cpu),
        cmocka_unit_test(odd_data_and_rounds_are_refused),
        cmocka_unit_test(every_failing_call_of_the_runtime_is_an_error_and_nothing_leaks),
    };
    return cmocka_run_group_tests_name("emulated gbt", tests, NULL, NULL);
}
