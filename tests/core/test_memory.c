/* SPDX-License-Identifier: MIT */
#include "support.h"

static void zero_bytes_give_a_valid_block(void **state) {
    (void)state;
    void *block = csm_alloc(0);
    void *array = csm_alloc_array(0, 8);
    assert_non_null(block);
    assert_non_null(array);
    csm_dealloc(block);
    csm_dealloc(array);
    csm_dealloc(NULL);
}

static void an_array_starts_as_zeros_and_keeps_its_content_when_grown(void **state) {
    (void)state;
    int *numbers = csm_alloc_array(100, sizeof *numbers);
    assert_non_null(numbers);
    for (int i = 0; i < 100; i++) assert_int_equal(numbers[i], 0);
    numbers[99] = 5;
    int *grown = csm_realloc_array(numbers, 100000, sizeof *numbers);
    assert_non_null(grown);
    assert_int_equal(grown[99], 5);
    csm_dealloc(grown);
}

static void sizes_beyond_the_address_space_are_refused(void **state) {
    (void)state;
    assert_null(csm_alloc_array(SIZE_MAX / 8 + 1, 8));
    assert_non_null(strstr(csm_error_message(), "exceed the address space"));
    assert_null(csm_realloc_array(NULL, SIZE_MAX, 2));
    assert_null(csm_strndup("a", SIZE_MAX));
    assert_null(csm_alloc(SIZE_MAX / 2 + 1));
    assert_non_null(strstr(csm_error_message(), "out of memory"));
}

static void texts_are_copied_cut_and_formatted(void **state) {
    (void)state;
    char *whole = csm_strdup("coin");
    char *part = csm_strndup("coin", 2);
    char *empty = csm_strndup(NULL, 0);
    char *formatted = csm_strformat("%s/%d", "kraken", 42);
    assert_string_equal(whole, "coin");
    assert_string_equal(part, "co");
    assert_string_equal(empty, "");
    assert_string_equal(formatted, "kraken/42");
    csm_dealloc(whole);
    csm_dealloc(part);
    csm_dealloc(empty);
    csm_dealloc(formatted);
}

static void the_nth_allocation_fails_once_or_for_ever(void **state) {
    (void)state;
    csm_fault_allocation(2, false);
    void *first = csm_alloc(1);
    void *second = csm_alloc(1);
    void *third = csm_alloc_array(1, 1);
    assert_int_equal(csm_fault_allocations_seen(), 3);
    assert_non_null(first);
    assert_null(second);
    assert_non_null(third);
    csm_fault_allocation(1, true);
    assert_null(csm_realloc_array(third, 2, 1));
    assert_null(csm_strdup("x"));
    assert_null(csm_strformat("x"));
    csm_fault_allocation(0, false);
    csm_dealloc(first);
    csm_dealloc(third);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_bytes_give_a_valid_block),
        cmocka_unit_test(an_array_starts_as_zeros_and_keeps_its_content_when_grown),
        cmocka_unit_test(sizes_beyond_the_address_space_are_refused),
        cmocka_unit_test(texts_are_copied_cut_and_formatted),
        cmocka_unit_test(the_nth_allocation_fails_once_or_for_ever),
    };
    return cmocka_run_group_tests_name("core.memory", tests, NULL, NULL);
}
