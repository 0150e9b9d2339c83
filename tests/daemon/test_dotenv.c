/* SPDX-License-Identifier: MIT */
/* .env files: the cases on which both common dialects agree, and the stricter rule where they differ. */
#include "dotenv.h"
#include "failure.h"
#include "log.h"
#include "secrets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct seen {
    char name[64];
    char value[256];
    int line;
    int count;
} seen;

static csm_status see(void *user, const char *name, const char *value, int line) {
    seen *s = user;
    snprintf(s->name, sizeof s->name, "%s", name);
    snprintf(s->value, sizeof s->value, "%s", value);
    s->line = line;
    s->count++;
    return CSM_OK;
}

static void values_are_read_as_they_stand(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"A=", ""},
        {"A=''", ""},
        {"A=\"\"", ""},
        {"A= b ", "b"},
        {"A=\" b \"", " b "},
        {"A=b # c", "b"},
        {"A=b#c", "b#c"},
        {"A='b # c' # d", "b # c"},
        {"A=\"x\\ny\"", "x\ny"},
        {"A='x\\ny'", "x\\ny"},
        {"A=x\\ny", "x\\ny"},
        {"A=equals==", "equals=="},
        {"A={\"foo\": \"bar\"}", "{\"foo\": \"bar\"}"},
        {"export A=1", "1"},
        {"export  A = 1", "1"},
        {"A=\"multi\nline\"", "multi\nline"},
        {"\xef\xbb\xbf"
         "A=1",
         "1"},
        {"A=1\nA=2", "2"},
        {"\r\n # x\r\nA=3\r\n", "3"},
        {"A=$HOME`id`", "$HOME`id`"},
        {"A=\"\\$x\\\"\\q\"", "$x\"\\q"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        seen s = {.count = 0};
        assert_int_equal(dotenv_parse(cases[i][0], strlen(cases[i][0]), "f", see, &s), CSM_OK);
        assert_string_equal(s.name, "A");
        assert_string_equal(s.value, cases[i][1]);
    }
}

static void faults_name_the_line_and_never_the_value(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\nA", "\nA=\"canary", "\nA='canary", "\n1A=canary", "\nA='canary' x", "\n=canary", "\nA:canary"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        seen s = {.count = 0};
        assert_int_equal(dotenv_parse(bad[i], strlen(bad[i]), "f", see, &s), CSM_EPARSE);
        assert_int_equal(strncmp(failure_text(), "f:2: ", 5), 0);
        assert_null(strstr(failure_text(), "canary"));
        assert_int_equal(s.count, 0);
    }
    seen s = {.count = 0};
    assert_int_equal(dotenv_parse("A=x\0y", 5, "f", see, &s), CSM_EPARSE);
}

static void a_file_that_others_may_read_is_refused(void **state) {
    (void)state;
    const char *base = getenv("TMPDIR");
    char path[256], link[300];
    seen s = {.count = 0};
    snprintf(path, sizeof path, "%s/csm-env-XXXXXX", base ? base : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "A=1\n", 4), 4);
    close(fd);
    snprintf(link, sizeof link, "%s-link", path);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(dotenv_load(path, see, &s), CSM_OK);
    assert_int_equal(dotenv_load(link, see, &s), CSM_EIO);
    for (unsigned mode = 0; mode < 0100; mode++) {
        chmod(path, 0600 | mode);
        assert_int_equal(dotenv_load(path, see, &s), mode == 0 ? CSM_OK : CSM_EAUTH);
    }
    unlink(link);
    unlink(path);
    assert_int_equal(dotenv_load(path, see, &s), CSM_ENOTFOUND);
}

static void a_secret_is_replaced_wherever_it_stands(void **state) {
    (void)state;
    redactor r;
    secrets s = {{NULL}};
    redactor_init(&r);
    assert_int_equal(secrets_set(&s, &r, SECRET_telegram_token, "123:canary"), CSM_OK);
    assert_int_equal(
        secrets_set(&s, &r, SECRET_slack_webhook, "https://hooks.example/services/T0/B0/canary2"), CSM_OK);
    assert_int_equal(secrets_set(&s, &r, SECRET_telegram_token, "second"), CSM_OK);
    assert_string_equal(s.value[SECRET_telegram_token], "123:canary");
    char text[256] = "GET /bot123:canary/x and 123:canary, POST /services/T0/B0/canary2 failed";
    redactor_apply(&r, text);
    assert_string_equal(text, "GET /bot***/x and ***, POST *** failed");
    secrets_free(&s);
    redactor_free(&r);
}

int main(void) {
    if (sodium_init() < 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_as_they_stand),
        cmocka_unit_test(faults_name_the_line_and_never_the_value),
        cmocka_unit_test(a_file_that_others_may_read_is_refused),
        cmocka_unit_test(a_secret_is_replaced_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
