/* SPDX-License-Identifier: MIT */
#include "core/platform.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Fixed and per thread: reporting a failure must not allocate, or running out of memory could not be reported. */
#define ERROR_TEXT 1024
static _Thread_local char error_text[ERROR_TEXT];

/* Drops the last bytes of a cut text that do not form a whole UTF-8 character. */
static void trim_cut_character(char *text, size_t length) {
    size_t start = length;
    while (start > 0 && length - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start == 0) return;
    const unsigned char lead = (unsigned char)text[start - 1];
    const size_t follow = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    if (length - start < follow) text[start - 1] = '\0';
}

static void set_text(const char *text) {
    const size_t length = strlen(text);
    const size_t taken = length < ERROR_TEXT ? length : ERROR_TEXT - 1;
    memmove(error_text, text, taken);
    error_text[taken] = '\0';
    if (taken < length) trim_cut_character(error_text, taken);
}

const char *csm_error_message(void) {
    return error_text;
}

#undef csm_fail /* the analyzer's stand-in */
csm_status csm_fail(csm_status status, const char *format, ...) {
    char text[ERROR_TEXT +
              1]; /* not in place: arguments may point into error_text. One more, to see the cut */
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    set_text(length < 0 ? format : text);
    return status;
}

csm_status csm_fail_prefix(csm_status status, const char *format, ...) {
    char text[2 * ERROR_TEXT + 2]; /* prefix, ": ", what was there */
    va_list arguments;
    va_start(arguments, format);
    const int formatted = vsnprintf(text, ERROR_TEXT, format, arguments);
    va_end(arguments);
    size_t length = formatted < 0 ? 0 : strlen(text);
    memcpy(text + length, ": ", 2);
    memcpy(text + length + 2, error_text, strlen(error_text) + 1);
    set_text(text);
    return status;
}

static csm_status status_of_errno(int error_number) {
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return CSM_ENOSPACE;
    case EROFS:
        return CSM_EREADONLY;
    case ENOMEM:
        return CSM_ENOMEM;
    case ENOENT:
        return CSM_ENOTFOUND;
    default:
        return CSM_EIO;
    }
}

csm_status csm_fail_errno(int error_number, const char *format, ...) {
    char text[ERROR_TEXT];
    va_list arguments;
    va_start(arguments, format);
    const int formatted = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (formatted < 0) text[0] = '\0';
    char reason[128];
    csm_platform_error_text(error_number, reason, sizeof reason);
    return csm_fail(status_of_errno(error_number), "%s: %s", text, reason);
}
