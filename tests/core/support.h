/* SPDX-License-Identifier: MIT */
/* What the tests of core share: cmocka with its includes, failure texts, a folder of their own. */
#ifndef CSM_TESTS_CORE_SUPPORT_H
#define CSM_TESTS_CORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/platform.h"

#define assert_ok(expression)                                                                                \
    do {                                                                                                     \
        const csm_status support_status = (expression);                                                      \
        if (support_status) fail_msg("%s: %s", csm_status_name(support_status), csm_error_message());        \
    } while (0)

/* The expression gives `status`, and its text holds `part`. */
#define assert_fails(status, part, expression)                                                               \
    do {                                                                                                     \
        assert_string_equal(csm_status_name(expression), csm_status_name(status));                           \
        if (!strstr(csm_error_message(), part))                                                              \
            fail_msg("the text \"%s\" does not hold \"%s\"", csm_error_message(), part);                     \
    } while (0)

/* A fresh folder under TMPDIR; free the path with support_folder_remove. */
static inline char *support_folder_new(void) {
    const char *base = getenv("TMPDIR");
    char *path = csm_strformat("%s/csm-core-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(path);
    assert_non_null(mkdtemp(path));
    return path;
}

static inline void support_folder_remove(char *path) {
    char **names;
    size_t count;
    assert_ok(csm_folder_list(&names, &count, path));
    for (size_t i = 0; i < count; i++) {
        char *child = csm_strformat("%s/%s", path, names[i]);
        assert_non_null(child);
        if (unlink(child) < 0) {
            support_folder_remove(child);
        } else {
            csm_dealloc(child);
        }
    }
    csm_folder_list_free(names, count);
    assert_int_equal(rmdir(path), 0);
    csm_dealloc(path);
}

static inline char *support_path(const char *folder, const char *name) {
    char *path = csm_strformat("%s/%s", folder, name);
    assert_non_null(path);
    return path;
}

#endif
