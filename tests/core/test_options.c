/* SPDX-License-Identifier: MIT */
#include "support.h"

typedef struct sample_options {
    size_t size;
    uint64_t first;
    uint64_t second;
} sample_options;

static const sample_options defaults = {sizeof defaults, 10, 20};

static csm_status take(sample_options *out, const void *user) {
    *out = defaults;
    return csm_options_take(out, sizeof *out, user, "sample_options");
}

static void no_options_mean_the_defaults(void **state) {
    (void)state;
    sample_options out;
    assert_ok(take(&out, NULL));
    assert_memory_equal(&out, &defaults, sizeof out);
}

static void options_of_this_version_replace_the_defaults(void **state) {
    (void)state;
    sample_options out;
    const sample_options user = {sizeof user, 1, 2};
    assert_ok(take(&out, &user));
    assert_memory_equal(&out, &user, sizeof out);
}

static void an_older_smaller_struct_keeps_the_newer_defaults(void **state) {
    (void)state;
    sample_options out;
    const struct {
        size_t size;
        uint64_t first;
    } user = {sizeof user, 1};
    assert_ok(take(&out, &user));
    assert_int_equal(out.size, sizeof out);
    assert_int_equal(out.first, 1);
    assert_int_equal(out.second, 20);
}

static void a_newer_struct_is_taken_only_when_what_is_unknown_is_zero(void **state) {
    (void)state;
    sample_options out;
    struct {
        size_t size;
        uint64_t known[2];
        uint64_t unknown[2];
    } user = {sizeof user, {1, 2}, {0, 0}};
    assert_ok(take(&out, &user));
    assert_int_equal(out.size, sizeof out);
    assert_int_equal(out.second, 2);
    user.unknown[1] = 1;
    assert_fails(CSM_EINVAL, "byte 32 of 40", take(&out, &user));
    assert_memory_equal(&out, &defaults, sizeof out);
}

static void sizes_that_no_struct_has_are_refused(void **state) {
    (void)state;
    sample_options out;
    sample_options user = {0, 1, 2};
    assert_fails(CSM_EINVAL, "sample_options: size 0", take(&out, &user));
    user.size = sizeof(size_t) - 1;
    assert_fails(CSM_EINVAL, "size 7", take(&out, &user));
    user.size = SIZE_MAX;
    assert_fails(CSM_EINVAL, "65536", take(&out, &user));
    user.size = sizeof(size_t);
    assert_ok(take(&out, &user));
    assert_memory_equal(&out, &defaults, sizeof out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_options_mean_the_defaults),
        cmocka_unit_test(options_of_this_version_replace_the_defaults),
        cmocka_unit_test(an_older_smaller_struct_keeps_the_newer_defaults),
        cmocka_unit_test(a_newer_struct_is_taken_only_when_what_is_unknown_is_zero),
        cmocka_unit_test(sizes_that_no_struct_has_are_refused),
    };
    return cmocka_run_group_tests_name("core.options", tests, NULL, NULL);
}
