/* SPDX-License-Identifier: MIT */
/* The learner "lstm" trained on the emulated card, through the public options, beside the same training on the processor. */
#include "backend/lstm_training.h"

#include "core/platform.h"
#include "emulator.h"

static void assert_card_clean(void) {
    assert_string_equal("", emulator_failure());
    assert_int_equal(0, emulator_memory_used());
    assert_int_equal(0, emulator_objects());
}

static void a_card_learns_what_the_processor_learns(void **unused) {
    (void)unused;
    emulator_reset(NULL, EMULATOR_SHUFFLED, 5);
    assert_card_learns_as_the_processor();
    assert_true(emulator_launches() > 0);
    assert_card_clean();
}

static void a_training_cut_short_ends_with_the_same_bits(void **unused) {
    (void)unused;
    market *m = market_new();
    char *folder = support_folder_new(), *path = support_path(folder, "training.safetensors");
    double whole[(WINDOWS - LEARNT) * OUTPUTS], resumed[(WINDOWS - LEARNT) * OUTPUTS];
    csm_model *model;
    uint64_t limit = 14; /* of 3 steps an epoch and 4 epochs a member: in the second member */
    csm_train_options options = options_of(m, CSM_DEVICE_CUDA);
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    assert_ok(train_lstm(&model, m, &options, NULL));
    predict_checks(whole, model, m);
    csm_model_free(model);
    options.checkpoint = path;
    assert_fails(CSM_ECANCELLED, "", train_lstm(&model, m, &options, &limit));
    options.device = CSM_DEVICE_CPU;
    assert_fails(CSM_EINVAL, "or device", train_lstm(&model, m, &options, NULL));
    options.device = CSM_DEVICE_CUDA;
    assert_ok(train_lstm(&model, m, &options, NULL));
    predict_checks(resumed, model, m);
    csm_model_free(model);
    assert_card_clean();
    assert_memory_equal(whole, resumed, sizeof whole);
    csm_dealloc(path);
    support_folder_remove(folder);
    free(m);
}

/* Call after call of CUDA's runtime fails: an error, nothing left on the card, and never the processor instead. */
static void whatever_fails_on_the_card_is_the_callers_to_know(void **unused) {
    (void)unused;
    market *m = market_new();
    csm_parameter few[] = {{"hidden", 4}, {"epochs", 1}, {"batch", 48}};
    csm_train_options options = options_of(m, CSM_DEVICE_CUDA);
    options.parameters = few;
    options.parameter_count = 3;
    csm_status status = CSM_EDEVICE;
    for (uint64_t n = 1; status; n += n < 40 ? 1 : 7) {
        csm_model *model;
        emulator_reset(NULL, EMULATOR_FORWARD, 1);
        emulator_fail_call(n);
        status = train_lstm(&model, m, &options, NULL);
        if (status) {
            assert_null(model);
            assert_true(status == CSM_EDEVICE || status == CSM_ENOMEM);
            assert_true(csm_error_message()[0] != '\0');
        }
        csm_model_free(model);
        assert_card_clean();
    }
    const emulator_card small = {9, 0, 132, 4096, 232448, 16};
    csm_model *model;
    emulator_reset(&small, EMULATOR_FORWARD, 1);
    assert_fails(CSM_ENOMEM, "MiB", train_lstm(&model, m, &options, NULL));
    free(m);
}

static void trees_say_that_they_are_not_trained_there(void **unused) {
    (void)unused;
    market *m = market_new();
    csm_model *model;
    csm_train_options options;
    csm_context *context = NULL;
    csm_samples rows = m->learn;
    csm_model_train_options_init(&options);
    rows.x.rows = LEARNT;
    rows.y.cols = 1;
    rows.window_end = NULL;
    rows.window_length = 0;
    options.device = CSM_DEVICE_CUDA;
    assert_ok(csm_context_new(&context, NULL));
    assert_fails(CSM_EUNSUPPORTED, "CPU only", csm_model_train(&model, context, "gbt", &rows, &options));
    options.device = 2;
    assert_fails(CSM_EINVAL, "device 2", csm_model_train(&model, context, "gbt", &rows, &options));
    options.device = CSM_DEVICE_CPU;
    options.precision = 4;
    assert_fails(CSM_EINVAL, "precision 4", csm_model_train(&model, context, "gbt", &rows, &options));
    csm_context_free(context);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_learns_what_the_processor_learns),
        cmocka_unit_test(a_training_cut_short_ends_with_the_same_bits),
        cmocka_unit_test(whatever_fails_on_the_card_is_the_callers_to_know),
        cmocka_unit_test(trees_say_that_they_are_not_trained_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
