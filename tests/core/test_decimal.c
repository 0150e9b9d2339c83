/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <math.h>

static csm_decimal parsed(const char *text) {
    csm_decimal value = {0};
    assert_ok(csm_decimal_parse(&value, text, strlen(text)));
    return value;
}

static void a_decimal_is_read_exactly_and_without_trailing_zeros(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ticks;
        int32_t scale;
    } cases[] = {
        {"0", 0, 0},
        {"-0.000", 0, 0},
        {"0e999999999999999999", 0, 0},
        {"1", 1, 0},
        {"+1", 1, 0},
        {"-12.50", -125, 1},
        {"0.00001234", 1234, 8},
        {".5", 5, 1},
        {"5.", 5, 0},
        {"007.100", 71, 1},
        {"1000000", 1000000, 0},
        {"1e3", 1000, 0},
        {"1.5E+2", 150, 0},
        {"1.25e1", 125, 1},
        {"100e-2", 1, 0},
        {"1e-18", 1, 18},
        {"1e18", 1000000000000000000, 0},
        {"9e18", 9000000000000000000, 0},
        {"1000000000000000000", 1000000000000000000, 0},
        {"0.123456789012345678", 123456789012345678, 18},
        {"999999999999999999", 999999999999999999, 0},
        {"-999999999.999999999", -999999999999999999, 9},
        {"1.00000000000000000000000000000000000000000000000000", 1, 0},
        {"0.00000000000000000000000000000000000000000000001e47", 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const csm_decimal value = parsed(cases[i].text);
        assert_int_equal(value.ticks, cases[i].ticks);
        assert_int_equal(value.scale, cases[i].scale);
        assert_int_equal(value.reserved, 0);
    }
}

static void what_is_no_exact_decimal_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *part;
    } wrong[] = {
        {"", "no digit at byte 0"},
        {"-", "no digit at byte 1"},
        {".", "no digit"},
        {"+.e1", "no digit"},
        {"nan", "no digit at byte 0"},
        {"NaN", "no digit"},
        {"inf", "no digit"},
        {"Infinity", "no digit"},
        {"-inf", "no digit"},
        {"1e", "exponent without digits at byte 2"},
        {"1e+", "exponent without digits"},
        {"1.2.3", "unexpected byte at byte 3"},
        {"1,5", "unexpected byte at byte 1"},
        {"1 ", "unexpected byte at byte 1"},
        {" 1", "no digit at byte 0"},
        {"0x10", "unexpected byte at byte 1"},
        {"--1", "no digit at byte 1"},
        {"1e5x", "unexpected byte at byte 3"},
        {"1234567890123456789", "more than 18 significant digits at byte 18"},
        {"0.1234567890123456789", "more than 18 significant digits"},
        {"1.0000000000000000001", "more than 18 significant digits"},
        {"1e-19", "more than 18 decimals"},
        {"1.5e-18", "more than 18 decimals"},
        {"1e19", "beyond 64 bits"},
        {"1e999999999999999999999", "beyond 64 bits"},
        {"1e-999999999999999999999", "more than 18 decimals"},
        {"10e18", "beyond 64 bits"},
        {"99999999999999999900", "beyond 64 bits"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        csm_decimal value = {42, 1, 0};
        assert_fails(CSM_EPARSE, wrong[i].part,
                     csm_decimal_parse(&value, wrong[i].text, strlen(wrong[i].text)));
        assert_int_equal(value.ticks, 42);
    }
    csm_decimal value;
    assert_fails(CSM_EPARSE, "byte 1", csm_decimal_parse(&value, "1\0", 2));
    assert_fails(CSM_EINVAL, "NULL", csm_decimal_parse(NULL, "1", 1));
    assert_fails(CSM_EINVAL, "NULL", csm_decimal_parse(&value, NULL, 1));
}

static void the_length_bounds_what_is_read(void **state) {
    (void)state;
    csm_decimal value;
    assert_ok(csm_decimal_parse(&value, "12345", 2));
    assert_int_equal(value.ticks, 12);
}

/* glibc's strtod rounds correctly, and the test runs in the C locale. */
static void assert_nearest(csm_decimal value) {
    char text[CSM_DECIMAL_TEXT];
    csm_decimal_format(value, text, sizeof text);
    const double expected = strtod(text, NULL), got = csm_decimal_double(value);
    if (expected != got) fail_msg("%s: %a instead of %a", text, got, expected);
}

static void every_decimal_becomes_the_nearest_double(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 300000; i++) {
        const uint64_t bits = csm_random_u64(11, 0, i);
        const int32_t shift = (int32_t)(csm_random_u64(11, 1, i) % 64);
        const csm_decimal value = {(int64_t)bits >> shift, (int32_t)(i % 19), 0};
        assert_nearest(value);
    }
}

static void halves_between_two_doubles_go_to_the_even_one(void **state) {
    (void)state;
    const int64_t base = (int64_t)1 << 53;
    const int64_t ticks[] = {base,         base + 1,           base + 2,          base + 3,  base * 512 + 256,
                             INT64_MAX,    INT64_MIN,          INT64_MIN + 1,     -base - 1, base * 4 + 2,
                             base * 4 + 6, base * 64 + 32 + 1, base * 64 + 32 - 1};
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        for (int32_t scale = 0; scale <= 18; scale++) assert_nearest((csm_decimal){ticks[i], scale, 0});
    }
    assert_true(csm_decimal_double((csm_decimal){base + 1, 0, 0}) == 0x1p53);
    assert_true(csm_decimal_double((csm_decimal){base + 3, 0, 0}) == 0x1p53 + 4);
    assert_true(csm_decimal_double((csm_decimal){INT64_MAX, 0, 0}) == 0x1p63);
}

static void a_scale_that_cannot_be_has_no_value(void **state) {
    (void)state;
    char text[CSM_DECIMAL_TEXT];
    assert_true(isnan(csm_decimal_double((csm_decimal){1, 19, 0})));
    assert_true(isnan(csm_decimal_double((csm_decimal){1, -1, 0})));
    assert_string_equal(csm_decimal_format((csm_decimal){1, 19, 0}, text, sizeof text), "nan");
}

static void a_decimal_is_written_plainly(void **state) {
    (void)state;
    char text[CSM_DECIMAL_TEXT];
    assert_string_equal(csm_decimal_format((csm_decimal){-50, 3, 0}, text, sizeof text), "-0.050");
    assert_string_equal(csm_decimal_format((csm_decimal){0, 0, 0}, text, sizeof text), "0");
    assert_string_equal(csm_decimal_format((csm_decimal){1, 18, 0}, text, sizeof text),
                        "0.000000000000000001");
    assert_string_equal(csm_decimal_format((csm_decimal){INT64_MIN, 18, 0}, text, sizeof text),
                        "-9.223372036854775808");
    assert_string_equal(csm_decimal_format((csm_decimal){INT64_MIN, 0, 0}, text, sizeof text),
                        "-9223372036854775808");
    assert_string_equal(csm_decimal_format((csm_decimal){123, 2, 0}, text, 4), "1.2");
    for (uint64_t i = 0; i < 50000; i++) {
        const csm_decimal value = {(int64_t)(csm_random_u64(5, 0, i) % 1000000000000000000u),
                                   (int32_t)(i % 19), 0};
        const csm_decimal back = parsed(csm_decimal_format(value, text, sizeof text));
        assert_true(csm_decimal_double(back) == csm_decimal_double(value));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decimal_is_read_exactly_and_without_trailing_zeros),
        cmocka_unit_test(what_is_no_exact_decimal_is_refused),
        cmocka_unit_test(the_length_bounds_what_is_read),
        cmocka_unit_test(every_decimal_becomes_the_nearest_double),
        cmocka_unit_test(halves_between_two_doubles_go_to_the_even_one),
        cmocka_unit_test(a_scale_that_cannot_be_has_no_value),
        cmocka_unit_test(a_decimal_is_written_plainly),
    };
    return cmocka_run_group_tests_name("core.decimal", tests, NULL, NULL);
}
