/* SPDX-License-Identifier: MIT */
/* Trees on the card that is there against the CPU's kernels, bit for bit. tests/gpu.sh runs it. */
#include "backend/gbt_device.h"

static bool no_card(void) {
    uint32_t count;
    assert_ok(csm_backend_device_count(&count));
    if (count == 0) print_message("no CUDA device: %s\n", csm_error_message());
    return count == 0;
}

static void without_cuda_every_function_says_so(void **unused) {
    (void)unused;
    csm_gbt_cuda *gbt;
    if (csm_backend_has_cuda()) skip();
    assert_fails(CSM_EDEVICE, "without CUDA", csm_gbt_cuda_new(&gbt, NULL));
    assert_null(gbt);
    assert_fails(CSM_EDEVICE, "without CUDA", csm_gbt_cuda_memory(NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_gbt_cuda_sum(NULL, NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_gbt_cuda_grow(NULL, NULL, NULL, NULL, NULL));
    assert_fails(CSM_EDEVICE, "without CUDA", csm_gbt_cuda_predict(NULL, NULL, NULL, 0));
    csm_gbt_cuda_free(NULL);
}

static void trees_are_the_cpus_bit_for_bit(void **unused) {
    (void)unused;
    const tree_case cases[] = {
        {3000, 37, 64, 8, 10, 1, 20, 0.1, 7},    {1500, 9, 256, 12, 4, 1, 1, 0, 0},
        {200000, 120, 64, 63, 30, 1, 20, 1, 0},  {300000, 65, 256, 63, 12, 1, 20, 0, 9},
        {150000, 100, 256, 31, 12, 0, 20, 1, 4},
    };
    const size_t count =
        getenv("CSM_GPU_QUICK") ? 2 : sizeof cases / sizeof *cases; /* under compute-sanitizer */
    if (no_card()) skip();
    for (size_t i = 0; i < count; i++) tree_check(&cases[i]);
}

static void predictions_walk_like_the_cpu(void **unused) {
    (void)unused;
    if (no_card()) skip();
    forest_check();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_cuda_every_function_says_so),
        cmocka_unit_test(trees_are_the_cpus_bit_for_bit),
        cmocka_unit_test(predictions_walk_like_the_cpu),
    };
    return cmocka_run_group_tests_name("gbt cuda", tests, NULL, NULL);
}
