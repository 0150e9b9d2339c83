/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <errno.h>

static void every_status_has_its_name(void **state) {
    (void)state;
    assert_string_equal(csm_status_name(CSM_OK), "CSM_OK");
    assert_string_equal(csm_status_name(CSM_EINVAL), "CSM_EINVAL");
    assert_string_equal(csm_status_name(CSM_ELOCKED), "CSM_ELOCKED");
    assert_string_equal(csm_status_name(CSM_ECOVERAGE), "CSM_ECOVERAGE");
    assert_string_equal(csm_status_name(CSM_EINTERNAL), "CSM_EINTERNAL");
    for (int status = 0; status >= CSM_EINTERNAL; status--)
        assert_string_not_equal(csm_status_name((csm_status)status), "CSM_UNKNOWN");
}

static void a_number_outside_the_statuses_is_unknown(void **state) {
    (void)state;
    assert_string_equal(csm_status_name((csm_status)1), "CSM_UNKNOWN");
    assert_string_equal(csm_status_name((csm_status)(CSM_EINTERNAL - 1)), "CSM_UNKNOWN");
    assert_string_equal(csm_status_name((csm_status)INT32_MIN), "CSM_UNKNOWN");
}

static void the_version_is_the_headers(void **state) {
    (void)state;
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", CSM_VERSION_MAJOR, CSM_VERSION_MINOR, CSM_VERSION_PATCH);
    assert_string_equal(csm_version(), text);
}

static void a_failure_returns_its_status_and_keeps_its_text(void **state) {
    (void)state;
    assert_int_equal(csm_fail(CSM_EPARSE, "period %d", 7), CSM_EPARSE);
    assert_string_equal(csm_error_message(), "period 7");
}

static void a_prefix_names_the_place_before_the_text(void **state) {
    (void)state;
    csm_fail(CSM_EPARSE, "byte 3");
    assert_int_equal(csm_fail_prefix(CSM_EPARSE, "line %d", 9), CSM_EPARSE);
    assert_string_equal(csm_error_message(), "line 9: byte 3");
}

static void a_text_may_quote_the_text_before_it(void **state) {
    (void)state;
    csm_fail(CSM_EIO, "first");
    csm_fail(CSM_EIO, "%s, again", csm_error_message());
    assert_string_equal(csm_error_message(), "first, again");
}

static void a_long_text_is_cut_between_characters(void **state) {
    (void)state;
    char longer[3001];
    for (size_t shift = 0; shift < 4; shift++) {
        memset(longer, 'a', shift);
        for (size_t i = shift; i + 3 < sizeof longer; i += 3)
            memcpy(longer + i, "\xE2\x82\xAC", 3); /* euro sign */
        longer[2999] = '\0';
        csm_fail(CSM_EINVAL, "%s", longer);
        const char *text = csm_error_message();
        const size_t length = strlen(text);
        assert_in_range(length, 1021, 1023);
        assert_int_equal((length - shift) % 3, 0);
        csm_fail_prefix(CSM_EINVAL, "x");
        assert_in_range(strlen(csm_error_message()), 1021, 1023);
        assert_memory_equal(csm_error_message(), "x: ", 3);
        assert_int_equal((strlen(csm_error_message()) - 3 - shift) % 3, 0);
    }
}

static void a_cut_keeps_whole_characters_of_two_and_four_bytes(void **state) {
    (void)state;
    char longer[2048];
    memset(longer, 'a', sizeof longer);
    memcpy(longer + 1021, "\xC3\xA9", 2); /* ends at byte 1023: fits */
    longer[1500] = '\0';
    csm_fail(CSM_EINVAL, "%s", longer);
    assert_int_equal(strlen(csm_error_message()), 1023);
    memcpy(longer + 1020, "\xF0\x9F\x9A\x80", 4); /* its fourth byte does not */
    csm_fail(CSM_EINVAL, "%s", longer);
    assert_int_equal(strlen(csm_error_message()), 1020);
}

static void an_operating_system_error_takes_the_status_a_caller_acts_on(void **state) {
    (void)state;
    assert_fails(CSM_ENOSPACE, "file x: ", csm_fail_errno(ENOSPC, "file %s", "x"));
    assert_fails(CSM_ENOSPACE, "file", csm_fail_errno(EDQUOT, "file"));
    assert_fails(CSM_EREADONLY, "file", csm_fail_errno(EROFS, "file"));
    assert_fails(CSM_ENOMEM, "file", csm_fail_errno(ENOMEM, "file"));
    assert_fails(CSM_ENOTFOUND, strerror(ENOENT), csm_fail_errno(ENOENT, "file"));
    assert_fails(CSM_EIO, strerror(EACCES), csm_fail_errno(EACCES, "file"));
}

static void fail_elsewhere(void *user) {
    csm_fail(CSM_EIO, "elsewhere");
    *(size_t *)user = strlen(csm_error_message());
}

static void each_thread_has_its_own_text(void **state) {
    (void)state;
    csm_thread *thread;
    size_t length = 0;
    csm_fail(CSM_EIO, "here");
    assert_ok(csm_thread_start(&thread, fail_elsewhere, &length));
    csm_thread_join(thread);
    assert_int_equal(length, strlen("elsewhere"));
    assert_string_equal(csm_error_message(), "here");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_status_has_its_name),
        cmocka_unit_test(a_number_outside_the_statuses_is_unknown),
        cmocka_unit_test(the_version_is_the_headers),
        cmocka_unit_test(a_failure_returns_its_status_and_keeps_its_text),
        cmocka_unit_test(a_prefix_names_the_place_before_the_text),
        cmocka_unit_test(a_text_may_quote_the_text_before_it),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_cut_keeps_whole_characters_of_two_and_four_bytes),
        cmocka_unit_test(an_operating_system_error_takes_the_status_a_caller_acts_on),
        cmocka_unit_test(each_thread_has_its_own_text),
    };
    return cmocka_run_group_tests_name("core.error", tests, NULL, NULL);
}
