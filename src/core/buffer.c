/* SPDX-License-Identifier: MIT */
#include "core/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Makes room for `more` bytes and a terminator. */
static csm_status reserve(csm_buffer *buffer, size_t more) {
    if (more >= SIZE_MAX - buffer->length)
        return csm_fail(CSM_ENOMEM, "buffer: %zu more bytes after %zu exceed the address space", more,
                        buffer->length);
    const size_t needed = buffer->length + more + 1;
    if (needed <= buffer->capacity) return CSM_OK;
    size_t capacity = buffer->capacity < 64 ? 64 : buffer->capacity;
    while (capacity < needed) capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    char *data = csm_realloc_array(buffer->data, capacity, 1);
    if (!data) return CSM_ENOMEM;
    buffer->data = data;
    buffer->capacity = capacity;
    return CSM_OK;
}

csm_status csm_buffer_reserve(csm_buffer *buffer, size_t more) {
    const csm_status status = reserve(buffer, more);
    if (!status) buffer->data[buffer->length] = '\0';
    return status;
}

csm_status csm_buffer_append(csm_buffer *buffer, const void *data, size_t length) {
    const csm_status status = reserve(buffer, length);
    if (status) return status;
    if (length) memcpy(buffer->data + buffer->length, data, length);
    buffer->length += length;
    buffer->data[buffer->length] = '\0';
    return CSM_OK;
}

csm_status csm_buffer_printf(csm_buffer *buffer, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    csm_status status;
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        status = csm_fail(CSM_EINTERNAL, "buffer: text could not be formatted: \"%s\"", format);
    } else {
        status = reserve(buffer, (size_t)length);
        if (!status) {
            vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, again);
            buffer->length += (size_t)length;
        }
    }
    va_end(again);
    va_end(arguments);
    return status;
}

csm_status csm_buffer_real(csm_buffer *buffer, double value) {
    char text[64], plain[64];
    size_t length = 0;
    snprintf(text, sizeof text, "%.17g", value);
    for (const char *at = text; *at; at++) {
        const bool known = strchr("0123456789+-einfa", *at) != NULL;
        if (known)
            plain[length++] = *at;
        else if (length == 0 || plain[length - 1] != '.') /* the locale's point may have several bytes */
            plain[length++] = '.';
    }
    return csm_buffer_append(buffer, plain, length);
}

void csm_buffer_free(csm_buffer *buffer) {
    if (!buffer) return;
    csm_dealloc(buffer->data);
    *buffer = (csm_buffer){0};
}
