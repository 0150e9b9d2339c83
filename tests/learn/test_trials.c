/* SPDX-License-Identifier: MIT */
/* The trial register: append-only, counted by trial, the same after a repetition. */
#include "store/internal.h"

#include <cryptosmart/learn.h>

#include "../core/support.h"

#include <math.h>
#include <sqlite3.h>

#define SEARCH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SEARCH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

typedef struct fixture {
    char *folder;
    csm_context *context;
    csm_store *store;
} fixture;

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->folder = support_folder_new();
    assert_ok(csm_context_new(&f->context, NULL));
    char *path = support_path(f->folder, "workspace");
    assert_ok(csm_store_open(&f->store, f->context, path, CSM_STORE_CREATE));
    csm_dealloc(path);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    csm_store_free(f->store);
    csm_context_free(f->context);
    support_folder_remove(f->folder);
    free(f);
    return 0;
}

static csm_trial_record record(const char *search, int64_t number, int64_t steps) {
    return (csm_trial_record){.search = search,
                              .subject = "trees",
                              .recipe = "spine-1",
                              .parameters = "{\"leaves\":15}",
                              .number = number,
                              .steps = steps,
                              .seed = UINT64_MAX,
                              .horizon = CSM_DAY,
                              .loss = 0.69};
}

static int64_t trials(const fixture *f, csm_time horizon) {
    int64_t count = -1;
    assert_ok(csm_learn_trials(&count, f->store, horizon));
    return count;
}

static int64_t rows(const fixture *f) {
    int64_t count = -1;
    assert_ok(csm_catalog_number(&count, f->store, "SELECT count(*) FROM trials", -1));
    return count;
}

static void a_trial_counts_once_however_many_steps_it_got(void **state) {
    fixture *f = *state;
    const csm_trial_record added[] = {record(SEARCH_A, 0, 1), record(SEARCH_A, 0, 2), record(SEARCH_A, 1, 1),
                                      record(SEARCH_B, 0, 1)};
    assert_true(trials(f, 0) == 0);
    for (size_t i = 0; i < 4; i++) assert_ok(csm_learn_trial_add(f->context, f->store, &added[i]));
    csm_trial_record failed = record(SEARCH_B, 7, 0);
    failed.loss = NAN;
    failed.horizon = CSM_HOUR;
    assert_ok(csm_learn_trial_add(f->context, f->store, &failed));
    assert_true(trials(f, 0) == 4);
    assert_true(trials(f, CSM_DAY) == 3);
    assert_true(trials(f, CSM_HOUR) == 1);
    assert_true(rows(f) == 5);
}

static void a_repetition_adds_nothing_and_changes_nothing(void **state) {
    fixture *f = *state;
    csm_trial_record again = record(SEARCH_A, 0, 1);
    assert_ok(csm_learn_trial_add(f->context, f->store, &again));
    again.loss = 0.1;
    assert_ok(csm_learn_trial_add(f->context, f->store, &again));
    assert_true(rows(f) == 1);
    int64_t kept = 0;
    assert_ok(csm_catalog_number(&kept, f->store, "SELECT count(*) FROM trials WHERE loss = 0.69", -1));
    assert_true(kept == 1);
}

static void the_database_itself_refuses_changes(void **state) {
    fixture *f = *state;
    const csm_trial_record added = record(SEARCH_A, 0, 1);
    assert_ok(csm_learn_trial_add(f->context, f->store, &added));
    static const char *const changes[] = {
        "UPDATE trials SET loss = 0", "DELETE FROM trials",
        "INSERT OR REPLACE INTO trials (row, registered, search, number, steps, horizon, subject, recipe, "
        "parameters, seed, loss) SELECT row, registered, search, number, steps, horizon, subject, recipe, "
        "parameters, seed, 0 FROM trials",
        "INSERT OR REPLACE INTO trials (registered, search, number, steps, horizon, subject, recipe, "
        "parameters, seed, loss) SELECT registered, search, number, steps, horizon, subject, recipe, "
        "parameters, seed, 0 FROM trials"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *error = NULL;
        assert_int_equal(sqlite3_exec(f->store->catalog, changes[i], NULL, NULL, &error) & 0xff,
                         SQLITE_CONSTRAINT);
        assert_string_equal(error, "the trial register is append-only");
        sqlite3_free(error);
    }
}

static void wrong_records_are_refused_and_leave_nothing(void **state) {
    fixture *f = *state;
    csm_trial_record wrong = record("short", 0, 1);
    assert_fails(CSM_EINVAL, "'short' is not a SHA-256", csm_learn_trial_add(f->context, f->store, &wrong));
    wrong = record(SEARCH_A, -1, 1);
    assert_fails(CSM_EINVAL, "number -1", csm_learn_trial_add(f->context, f->store, &wrong));
    wrong = record(SEARCH_A, 0, 1);
    wrong.parameters = NULL;
    assert_fails(CSM_EINVAL, "required", csm_learn_trial_add(f->context, f->store, &wrong));
    wrong.parameters = "{leaves";
    assert_true(csm_learn_trial_add(f->context, f->store, &wrong) != CSM_OK);
    assert_true(rows(f) == 0);
    assert_fails(CSM_EINVAL, "required", csm_learn_trials(NULL, f->store, 0));
}

static void every_failed_allocation_leaves_the_register_as_it_was(void **state) {
    fixture *f = *state;
    const csm_trial_record added = record(SEARCH_A, 0, 1);
    csm_status status = CSM_ENOMEM;
    for (uint64_t n = 1; status == CSM_ENOMEM; n++) {
        assert_true(rows(f) == 0);
        csm_fault_allocation(n, false);
        status = csm_learn_trial_add(f->context, f->store, &added);
        csm_fault_allocation(0, false);
    }
    assert_ok(status);
    assert_true(rows(f) == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_trial_counts_once_however_many_steps_it_got, setup, teardown),
        cmocka_unit_test_setup_teardown(a_repetition_adds_nothing_and_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(the_database_itself_refuses_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_records_are_refused_and_leave_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(every_failed_allocation_leaves_the_register_as_it_was, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
