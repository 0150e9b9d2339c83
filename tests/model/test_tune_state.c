/* SPDX-License-Identifier: MIT */
/* The state of a search in a file: a search goes on from it as if nothing had happened, and damage is refused. */
#include "model/tune.h"

#define SPACE four_kinds, COUNT(four_kinds)

static csm_tuner *again(const csm_tuner *tuner) {
    csm_buffer file = {0};
    csm_tuner *copy;
    assert_ok(tune_state_write(&file, tuner));
    assert_ok(tune_state_read(&copy, file.data, file.length));
    csm_buffer_free(&file);
    return copy;
}

static void a_search_killed_after_any_evaluation_ends_the_same(void **state) {
    (void)state;
    csm_tuner *whole = tuner_new(SPACE, 18, 4, 21);
    const size_t evaluations = tuner_run(whole, bowl, SIZE_MAX);
    assert_true(evaluations > 18);
    for (size_t killed = 0; killed <= evaluations; killed++) {
        csm_tuner *first = tuner_new(SPACE, 18, 4, 21);
        tuner_run(first, bowl, killed);
        csm_tuner *second = again(first);
        assert_int_equal(tuner_run(second, bowl, SIZE_MAX), evaluations - killed);
        assert_same_trials(second, whole);
        csm_tuner_free(second);
        csm_tuner_free(first);
    }
    csm_tuner_free(whole);
}

static void what_was_asked_for_and_not_told_is_asked_for_again(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 18, 4, 21);
    csm_trial asked[2], found;
    tuner_run(tuner, bowl, 7);
    for (size_t i = 0; i < 2; i++) assert_ok(csm_tuner_ask(&asked[i], tuner));
    csm_tuner *loaded = again(tuner);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(csm_tuner_ask(&found, loaded));
        const csm_trial *same = found.number == asked[0].number ? &asked[0] : &asked[1];
        assert_int_equal(found.number, same->number);
        assert_int_equal(found.from_step, same->from_step);
        assert_int_equal(found.to_step, same->to_step);
        assert_true(found.parameters[1].value == same->parameters[1].value);
    }
    csm_tuner_free(loaded);
    csm_tuner_free(tuner);
}

static void a_file_holds_options_key_and_space(void **state) {
    (void)state;
    char *folder = support_folder_new(), *path = support_path(folder, "state.safetensors");
    csm_tuner_options options;
    csm_tuner *tuner, *loaded;
    csm_tuner_options_init(&options);
    options.seed = UINT64_MAX - 3;
    options.trials = 6;
    options.steps = 9;
    options.first_steps = 2;
    options.startup = 4;
    options.candidates = 5;
    options.key = "24h of \"coins\"";
    assert_ok(csm_tuner_new(&tuner, SPACE, &options));
    tuner_run(tuner, bowl, 4);
    assert_ok(csm_tuner_save(tuner, path));
    assert_ok(csm_tuner_load(&loaded, path));
    assert_string_equal(csm_tuner_key(loaded), options.key);
    assert_true(loaded->options.seed == options.seed);
    assert_memory_equal(&loaded->options.trials, &options.trials, 6 * sizeof(uint32_t));
    for (size_t d = 0; d < COUNT(four_kinds); d++) {
        assert_string_equal(loaded->axes[d].name, four_kinds[d].name);
        assert_true(loaded->axes[d].minimum == four_kinds[d].minimum);
        assert_true(loaded->axes[d].maximum == four_kinds[d].maximum);
        assert_true(loaded->axes[d].standard == four_kinds[d].standard);
        assert_int_equal(loaded->axes[d].integer, four_kinds[d].integer);
        assert_int_equal(loaded->axes[d].log_scale, four_kinds[d].log_scale);
    }
    csm_tuner_free(loaded);
    csm_tuner_free(tuner);
    assert_fails(CSM_ENOTFOUND, "absent", csm_tuner_load(&loaded, "/tmp/csm-absent/state"));
    csm_dealloc(path);
    support_folder_remove(folder);
}

/* ---- damage ---- */

static void a_changed_byte_anywhere_is_refused(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 5, 2, 21), *loaded = NULL;
    csm_buffer file = {0};
    tuner_run(tuner, bowl, 4);
    assert_ok(tune_state_write(&file, tuner));
    for (size_t i = 0; i < file.length; i += 7) {
        file.data[i] ^= 0x15;
        const csm_status status = tune_state_read(&loaded, file.data, file.length);
        assert_true(status == CSM_EPARSE || status == CSM_ECORRUPT);
        file.data[i] ^= 0x15;
    }
    for (size_t length = 0; length < file.length; length += 11)
        assert_true(tune_state_read(&loaded, file.data, length) != CSM_OK);
    csm_buffer_free(&file);
    csm_tuner_free(tuner);
}

/* Written with a right checksum, so that only what it says is wrong. */
static csm_status reread(csm_tuner *tuner) {
    csm_buffer file = {0};
    csm_tuner *loaded = NULL;
    assert_ok(tune_state_write(&file, tuner));
    const csm_status status = tune_state_read(&loaded, file.data, file.length);
    csm_tuner_free(loaded);
    csm_buffer_free(&file);
    return status;
}

static void a_trial_that_cannot_have_come_about_is_refused(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 8, 4, 21);
    tuner_run(tuner, bowl, 2); /* both stand at the first rung */
    assert_ok(reread(tuner));
#define REFUSED(part, place, wrong)                                                                          \
    do {                                                                                                     \
        const typeof(place) right = place;                                                                   \
        place = wrong;                                                                                       \
        assert_fails(CSM_ECORRUPT, part, reread(tuner));                                                     \
        place = right;                                                                                       \
    } while (0)
    tune_trial *trial = &tuner->trials[0];
    REFUSED("trial 0 cannot", trial->parameters[0].value, 5.1);
    REFUSED("trial 0 cannot", trial->parameters[0].value, NAN);
    REFUSED("trial 0 cannot", trial->parameters[2].value, 2.5);
    REFUSED("trial 0 cannot", trial->loss[0], NAN);
    REFUSED("trial 0 cannot", trial->loss[3], 1);
    REFUSED("trial 0 cannot", trial->told, 3);
    REFUSED("trial 0 cannot", trial->wanted, 9);
    REFUSED("trial 0 cannot", trial->state, CSM_TRIAL_COMPLETE);
    REFUSED("trial 0 has state 4", trial->state, (csm_trial_state)4);
    REFUSED("trials = 0", tuner->options.trials, 0);
    REFUSED("states of at most 1 trials", tuner->options.trials, 1);
    REFUSED("reduction = 1", tuner->options.reduction, 1);
    REFUSED("runs from", tuner->axes[1].minimum, NAN);
    REFUSED("no logarithm", tuner->axes[1].minimum, 0);
#undef REFUSED
    assert_ok(reread(tuner));
    csm_tuner_free(tuner);
}

static void files_of_another_kind_or_version_are_refused(void **state) {
    (void)state;
    csm_tensors_writer *writer;
    csm_tuner *loaded;
    for (int version = 0; version < 2; version++) {
        csm_buffer file = {0};
        assert_ok(csm_tensors_writer_new(&writer));
        if (version) assert_ok(csm_tensors_add_text(writer, "tune.", "format", "2"));
        assert_ok(csm_tensors_finish(&file, writer));
        if (version)
            assert_fails(CSM_EUNSUPPORTED, "tuner format 2",
                         tune_state_read(&loaded, file.data, file.length));
        else
            assert_fails(CSM_EPARSE, "not the state of a tuner",
                         tune_state_read(&loaded, file.data, file.length));
        csm_buffer_free(&file);
        csm_tensors_writer_free(writer);
    }
}

static void every_failed_allocation_while_saving_and_loading_is_told(void **state) {
    (void)state;
    csm_tuner *tuner = tuner_new(SPACE, 5, 2, 21), *loaded = NULL;
    csm_buffer file = {0};
    tuner_run(tuner, bowl, 4);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status == CSM_ENOMEM; n++) {
        csm_buffer_free(&file);
        csm_fault_allocation(n, false);
        status = tune_state_write(&file, tuner);
        csm_fault_allocation(0, false);
    }
    assert_ok(status);
    status = CSM_ENOMEM;
    for (uint64_t n = 1; status == CSM_ENOMEM; n++) {
        csm_fault_allocation(n, false);
        status = tune_state_read(&loaded, file.data, file.length);
        csm_fault_allocation(0, false);
    }
    assert_ok(status);
    assert_same_trials(loaded, tuner);
    csm_tuner_free(loaded);
    csm_buffer_free(&file);
    csm_tuner_free(tuner);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_search_killed_after_any_evaluation_ends_the_same),
        cmocka_unit_test(what_was_asked_for_and_not_told_is_asked_for_again),
        cmocka_unit_test(a_file_holds_options_key_and_space),
        cmocka_unit_test(a_changed_byte_anywhere_is_refused),
        cmocka_unit_test(a_trial_that_cannot_have_come_about_is_refused),
        cmocka_unit_test(files_of_another_kind_or_version_are_refused),
        cmocka_unit_test(every_failed_allocation_while_saving_and_loading_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
