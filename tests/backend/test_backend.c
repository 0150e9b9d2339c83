/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <cryptosmart/backend.h>

static void every_instruction_set_has_a_name(void **unused) {
    (void)unused;
    assert_string_equal("scalar", csm_backend_isa_name(CSM_ISA_SCALAR));
    assert_string_equal("avx2", csm_backend_isa_name(CSM_ISA_AVX2));
    assert_string_equal("avx512", csm_backend_isa_name(CSM_ISA_AVX512));
    assert_string_equal("unknown", csm_backend_isa_name((csm_isa)7));
}

/* Compared with what Linux reports, another reading of the same processor. */
static void the_instruction_set_is_one_the_kernel_reports_too(void **unused) {
    (void)unused;
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[8192];
    int avx2 = 0, avx512 = 0;
    if (file == NULL) {
        print_message("no /proc/cpuinfo on this system\n");
        skip();
    }
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "flags", 5) == 0) {
            avx2 = strstr(line, " avx2 ") != NULL;
            avx512 = strstr(line, " avx512f ") != NULL && strstr(line, " avx512dq ") != NULL &&
                     strstr(line, " avx512vl ") != NULL && strstr(line, " avx512bw ") != NULL;
            break;
        }
    fclose(file);
    assert_int_equal(avx512 ? CSM_ISA_AVX512 : avx2 ? CSM_ISA_AVX2 : CSM_ISA_SCALAR, csm_backend_isa());
}

static void counting_devices_never_fails_on_a_machine_without_them(void **unused) {
    (void)unused;
    uint32_t count = 77;
    assert_int_equal(CSM_OK, csm_backend_device_count(&count));
    assert_true(count < 77);
    if (!csm_backend_has_cuda()) assert_int_equal(0, count);
    if (count == 0) assert_true(strlen(csm_error_message()) > 0);
    assert_int_equal(CSM_EINVAL, csm_backend_device_count(NULL));
}

static void a_device_past_the_last_is_not_found(void **unused) {
    (void)unused;
    uint32_t count;
    csm_device_info info;
    assert_int_equal(CSM_OK, csm_backend_device_count(&count));
    assert_int_equal(CSM_ENOTFOUND, csm_backend_device_info(&info, count));
    assert_non_null(strstr(csm_error_message(), "device"));
    assert_int_equal(CSM_EINVAL, csm_backend_device_info(NULL, 0));
}

static void every_device_describes_itself(void **unused) {
    (void)unused;
    uint32_t count;
    assert_int_equal(CSM_OK, csm_backend_device_count(&count));
    if (count == 0) {
        print_message("no CUDA device: %s\n", csm_error_message());
        skip();
    }
    for (uint32_t device = 0; device < count; device++) {
        csm_device_info info;
        assert_int_equal(CSM_OK, csm_backend_device_info(&info, device));
        assert_true(strlen(info.name) > 0);
        assert_true(info.memory_bytes > 0 && info.memory_free_bytes <= info.memory_bytes);
        assert_true(info.compute_major > 0 && info.multiprocessors > 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_set_has_a_name),
        cmocka_unit_test(the_instruction_set_is_one_the_kernel_reports_too),
        cmocka_unit_test(counting_devices_never_fails_on_a_machine_without_them),
        cmocka_unit_test(a_device_past_the_last_is_not_found),
        cmocka_unit_test(every_device_describes_itself),
    };
    return cmocka_run_group_tests_name("backend", tests, NULL, NULL);
}
