/* SPDX-License-Identifier: MIT */
#include "support.h"

static void every_reason_has_a_name_and_a_sentence(void **state) {
    (void)state;
    int named = 0;
    for (uint32_t bit = 0; bit < 64; bit++) {
        assert_int_equal(csm_reason_name(bit) == NULL, csm_reason_text(bit) == NULL);
        named += csm_reason_name(bit) != NULL;
    }
    int listed = 0;
#define CSM_REASON(bit, name, text)                                                                          \
    assert_string_equal(csm_reason_name(bit), #name);                                                        \
    assert_string_equal(csm_reason_text(bit), text);                                                         \
    listed++;
#include <cryptosmart/reasons.def>
#undef CSM_REASON
    assert_int_equal(named, listed);
}

static void a_bit_without_a_reason_has_no_name(void **state) {
    (void)state;
    assert_null(csm_reason_name(63));
    assert_null(csm_reason_text(63));
    assert_null(csm_reason_name(64));
    assert_null(csm_reason_name(UINT32_MAX));
}

static void reasons_are_listed_in_the_order_of_their_bits(void **state) {
    (void)state;
    char text[128];
    assert_string_equal(csm_reason_format(0, text, sizeof text), "");
    assert_string_equal(csm_reason_format(CSM_REASON_MASK(STALE), text, sizeof text), "STALE");
    assert_string_equal(
        csm_reason_format(CSM_REASON_MASK(NO_MODEL) | CSM_REASON_MASK(STALE), text, sizeof text),
        "STALE|NO_MODEL");
    assert_string_equal(csm_reason_format((csm_reason)1 << 63 | 1, text, sizeof text), "NOT_TRADABLE|BIT_63");
}

static void a_list_is_cut_to_its_room(void **state) {
    (void)state;
    char text[16];
    memset(text, 'x', sizeof text);
    csm_reason_format(~(csm_reason)0, text, 10);
    assert_string_equal(text, "NOT_TRADA");
    assert_int_equal(text[10], 'x');
    csm_reason_format(~(csm_reason)0, text, 1);
    assert_string_equal(text, "");
    assert_ptr_equal(csm_reason_format(1, text, 0), text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_name_and_a_sentence),
        cmocka_unit_test(a_bit_without_a_reason_has_no_name),
        cmocka_unit_test(reasons_are_listed_in_the_order_of_their_bits),
        cmocka_unit_test(a_list_is_cut_to_its_room),
    };
    return cmocka_run_group_tests_name("core.reason", tests, NULL, NULL);
}
