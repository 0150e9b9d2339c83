/* SPDX-License-Identifier: MIT */
/* The learner "lstm" on the card that is there, beside the same training on the processor. tests/gpu.sh runs it. */
#include "backend/lstm_training.h"

static void a_card_learns_what_the_processor_learns(void **unused) {
    (void)unused;
    uint32_t cards = 0;
    assert_ok(csm_backend_device_count(&cards));
    if (cards == 0) {
        print_message("no CUDA device: %s\n", csm_error_message());
        skip();
    }
    assert_card_learns_as_the_processor();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_learns_what_the_processor_learns),
    };
    return cmocka_run_group_tests_name("lstm learner on a card", tests, NULL, NULL);
}
