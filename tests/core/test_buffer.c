/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include "support.h"

static void appended_bytes_stand_in_order_and_end_in_zero(void **state) {
    (void)state;
    csm_buffer buffer = {0};
    assert_ok(csm_buffer_append(&buffer, "ab\0c", 4));
    assert_ok(csm_buffer_append(&buffer, NULL, 0));
    assert_ok(csm_buffer_printf(&buffer, "-%d-", 12));
    assert_int_equal(buffer.length, 8);
    assert_memory_equal(buffer.data, "ab\0c-12-\0", 9);
    csm_buffer_free(&buffer);
    assert_null(buffer.data);
    csm_buffer_free(&buffer);
    csm_buffer_free(NULL);
}

static void an_empty_append_makes_an_empty_text(void **state) {
    (void)state;
    csm_buffer buffer = {0};
    assert_ok(csm_buffer_append(&buffer, NULL, 0));
    assert_string_equal(buffer.data, "");
    csm_buffer_free(&buffer);
}

static void a_buffer_grows_as_far_as_needed(void **state) {
    (void)state;
    csm_buffer buffer = {0};
    for (int i = 0; i < 20000; i++) assert_ok(csm_buffer_printf(&buffer, "%05d", i));
    assert_int_equal(buffer.length, 100000);
    assert_memory_equal(buffer.data + 5 * 12345, "12345", 5);
    assert_ok(csm_buffer_reserve(&buffer, 1000000));
    assert_true(buffer.capacity > 1100000);
    assert_int_equal(buffer.length, 100000);
    csm_buffer_free(&buffer);
}

static void a_length_beyond_the_address_space_is_refused(void **state) {
    (void)state;
    csm_buffer buffer = {0};
    assert_ok(csm_buffer_append(&buffer, "abc", 3));
    assert_fails(CSM_ENOMEM, "exceed", csm_buffer_reserve(&buffer, SIZE_MAX - 3));
    assert_fails(CSM_ENOMEM, "exceed", csm_buffer_reserve(&buffer, SIZE_MAX));
    assert_string_equal(buffer.data, "abc");
    csm_buffer_free(&buffer);
}

static void without_memory_the_content_stays(void **state) {
    (void)state;
    csm_buffer buffer = {0};
    char longer[500];
    memset(longer, 'x', sizeof longer);
    assert_ok(csm_buffer_append(&buffer, "abc", 3));
    csm_fault_allocation(1, true);
    assert_fails(CSM_ENOMEM, "out of memory", csm_buffer_append(&buffer, longer, sizeof longer));
    assert_fails(CSM_ENOMEM, "out of memory", csm_buffer_printf(&buffer, "%200d", 1));
    csm_fault_allocation(0, false);
    assert_string_equal(buffer.data, "abc");
    csm_buffer_free(&buffer);
}

static void a_real_reads_back_exactly_whatever_the_locale(void **state) {
    (void)state;
    const double values[] = {0, -0.5, 0.1, 1e-300, -1.7976931348623157e308, 12345678.9, 1.0 / 3};
    const char *const names[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "nl_NL.UTF-8"};
    for (size_t l = 0; l <= sizeof names / sizeof names[0]; l++) { /* the last one is the test's own */
        if (l < sizeof names / sizeof names[0] && !setlocale(LC_NUMERIC, names[l])) continue;
        for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
            csm_buffer buffer = {0};
            assert_ok(csm_buffer_real(&buffer, values[i]));
            setlocale(LC_NUMERIC, "C");
            assert_true(strtod(buffer.data, NULL) == values[i]);
            assert_null(strchr(buffer.data, ','));
            csm_buffer_free(&buffer);
            if (l < sizeof names / sizeof names[0]) setlocale(LC_NUMERIC, names[l]);
        }
        setlocale(LC_NUMERIC, "C");
    }
    csm_buffer buffer = {0};
    assert_ok(csm_buffer_real(&buffer, 0.0035));
    assert_string_equal(buffer.data, "0.0035000000000000001");
    csm_buffer_free(&buffer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_reads_back_exactly_whatever_the_locale),
        cmocka_unit_test(appended_bytes_stand_in_order_and_end_in_zero),
        cmocka_unit_test(an_empty_append_makes_an_empty_text),
        cmocka_unit_test(a_buffer_grows_as_far_as_needed),
        cmocka_unit_test(a_length_beyond_the_address_space_is_refused),
        cmocka_unit_test(without_memory_the_content_stays),
    };
    return cmocka_run_group_tests_name("core.buffer", tests, NULL, NULL);
}
