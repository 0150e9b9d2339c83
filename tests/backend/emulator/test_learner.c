/* SPDX-License-Identifier: MIT */
/* Learners trained on the emulated card, through the public options, beside the same training on the processor. */
#include "backend/training_device.h"

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

/* ---- trees ---- */

static void trees_of_a_card_are_the_processors_bit_for_bit(void **unused) {
    (void)unused;
    emulator_reset(NULL, EMULATOR_SHUFFLED, 3);
    assert_card_grows_the_processors_trees();
    assert_true(emulator_launches() > 0);
    assert_card_clean();
}

static void what_only_the_processor_can_grow_is_refused_by_name(void **unused) {
    (void)unused;
    csm_model *model;
    dataset set = dataset_new(60, 3, 31, 0);
    plant_classes(&set, 32);
    const struct {
        csm_parameter value;
        const char *text;
    } cases[] = {{{"quantise", 0}, "quantise = 0"},
                 {{"missing", 1}, "missing values"},
                 {{"l1", 1}, "l1"},
                 {{"depth_wise", 1}, "depth_wise"}};
    emulator_reset(NULL, EMULATOR_FORWARD, 1);
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_fails(CSM_EUNSUPPORTED, cases[i].text,
                     train_trees(&model, &set, CSM_DEVICE_CUDA, &cases[i].value, 1));
    emulator_fail_call(2);
    assert_fails(CSM_EDEVICE, "", train_trees(&model, &set, CSM_DEVICE_CUDA, NULL, 0));
    assert_card_clean();
    assert_fails(CSM_EINVAL, "device 2", train_trees(&model, &set, (csm_device)2, NULL, 0));
    csm_context *context = context_new(1);
    csm_train_options options;
    csm_model_train_options_init(&options);
    options.device = CSM_DEVICE_CUDA;
    assert_fails(CSM_EUNSUPPORTED, "linear is trained on the CPU only",
                 csm_model_train(&model, context, "linear", &set.samples, &options));
    options.precision = 4;
    assert_fails(CSM_EINVAL, "precision 4", csm_model_train(&model, context, "gbt", &set.samples, &options));
    csm_context_free(context);
    dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_learns_what_the_processor_learns),
        cmocka_unit_test(a_training_cut_short_ends_with_the_same_bits),
        cmocka_unit_test(whatever_fails_on_the_card_is_the_callers_to_know),
        cmocka_unit_test(trees_of_a_card_are_the_processors_bit_for_bit),
        cmocka_unit_test(what_only_the_processor_can_grow_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
