/* SPDX-License-Identifier: MIT */
/* Learners on the card that is there, beside the same trainings on the processor. tests/gpu.sh runs it. */
#include "backend/training_device.h"

static void skip_without_a_card(void) {
    uint32_t cards = 0;
    assert_ok(csm_backend_device_count(&cards));
    if (cards > 0) return;
    print_message("no CUDA device: %s\n", csm_error_message());
    skip();
}

static void a_card_learns_what_the_processor_learns(void **unused) {
    (void)unused;
    skip_without_a_card();
    assert_card_learns_as_the_processor();
}

static void trees_of_a_card_are_the_processors_bit_for_bit(void **unused) {
    (void)unused;
    skip_without_a_card();
    assert_card_grows_the_processors_trees();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_learns_what_the_processor_learns),
        cmocka_unit_test(trees_of_a_card_are_the_processors_bit_for_bit),
    };
    return cmocka_run_group_tests_name("learners on a card", tests, NULL, NULL);
}
