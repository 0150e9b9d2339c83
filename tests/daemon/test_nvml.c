/* SPDX-License-Identifier: MIT */
/* GPUs as a table of calls plays them: one that works, one that was lost, a driver that lacks calls. */
#include "nvml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

static unsigned present = 2;
static int state_of_second;

static int fake_init(void) {
    return 0;
}

static int fake_count(unsigned *count) {
    *count = present;
    return 0;
}

static int fake_handle(unsigned index, void **device) {
    static int devices[2];
    *device = &devices[index];
    return 0;
}

static int fake_name(void *device, char *text, unsigned size) {
    (void)device;
    snprintf(text, size, "NVIDIA RTX 2000 Ada Generation");
    return 0;
}

static int fake_utilization(void *device, void *rates) {
    void *first = NULL;
    fake_handle(0, &first);
    if (device != first && state_of_second) return state_of_second;
    ((unsigned *)rates)[0] = 37;
    return 0;
}

static int fake_memory(void *device, void *memory) {
    unsigned long long *values = memory;
    (void)device;
    values[0] = 16000;
    values[1] = 12000;
    values[2] = 4000;
    return 0;
}

static int fake_temperature(void *device, int sensor, unsigned *celsius) {
    (void)device;
    assert_int_equal(sensor, 0);
    *celsius = 61;
    return 0;
}

static int not_supported(void *device, unsigned *value) {
    (void)device;
    *value = 7;
    return 3;
}

static nvml fake(void) {
    nvml n = {.ready = true,
              .calls = {.init = fake_init,
                        .count = fake_count,
                        .handle = fake_handle,
                        .name = fake_name,
                        .utilization = fake_utilization,
                        .memory = fake_memory,
                        .temperature = fake_temperature,
                        .power = not_supported}};
    present = 2;
    state_of_second = 0;
    return n;
}

static void a_gpu_is_measured_and_what_it_does_not_support_is_not_known(void **state) {
    (void)state;
    nvml n = fake();
    nvml_gpu gpus[NVML_GPUS];
    assert_int_equal(nvml_measure(&n, gpus), 2);
    assert_string_equal(gpus[1].name, "NVIDIA RTX 2000 Ada Generation");
    assert_true(gpus[0].utilization == 0.37 && gpus[0].memory_used == 4000 && gpus[0].memory_total == 16000);
    assert_true(gpus[0].temperature == 61 && isnan(gpus[0].power) && !gpus[0].lost);
}

static void a_gpu_that_falls_off_the_bus_is_lost_and_stays_on_the_list(void **state) {
    (void)state;
    nvml n = fake();
    nvml_gpu gpus[NVML_GPUS];
    assert_int_equal(nvml_measure(&n, gpus), 2);
    state_of_second = 15;
    assert_int_equal(nvml_measure(&n, gpus), 2);
    assert_true(gpus[1].lost && !gpus[0].lost);
    present = 1;
    assert_int_equal(nvml_measure(&n, gpus), 2);
    assert_true(gpus[1].lost && isnan(gpus[1].temperature));
}

static void a_driver_that_lacks_calls_leaves_their_values_unknown(void **state) {
    (void)state;
    nvml n = fake();
    nvml_gpu gpus[NVML_GPUS];
    n.calls.utilization = NULL;
    n.calls.memory = NULL;
    n.calls.temperature = NULL;
    assert_int_equal(nvml_measure(&n, gpus), 2);
    assert_true(isnan(gpus[0].utilization) && isnan(gpus[0].memory_used) && isnan(gpus[0].temperature) &&
                !gpus[0].lost);
}

static void without_a_driver_there_is_nothing_to_see(void **state) {
    (void)state;
    nvml n = {.ready = false};
    nvml_gpu gpus[NVML_GPUS];
    assert_int_equal(nvml_measure(&n, gpus), 0);
    nvml_close(&n);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gpu_is_measured_and_what_it_does_not_support_is_not_known),
        cmocka_unit_test(a_gpu_that_falls_off_the_bus_is_lost_and_stays_on_the_list),
        cmocka_unit_test(a_driver_that_lacks_calls_leaves_their_values_unknown),
        cmocka_unit_test(without_a_driver_there_is_nothing_to_see),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
