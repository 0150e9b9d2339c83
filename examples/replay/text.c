/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *take_memory(size_t bytes) {
    void *memory = calloc(1, bytes ? bytes : 1);
    if (!memory) {
        fprintf(stderr, "cryptosmart-replay: out of memory (%zu bytes)\n", bytes);
        exit(1);
    }
    return memory;
}

static void make_room(text *t, size_t more) {
    if (t->length + more + 1 <= t->capacity) return;
    size_t capacity = t->capacity ? t->capacity : 256;
    while (capacity < t->length + more + 1) capacity *= 2;
    char *data = take_memory(capacity);
    if (t->length) memcpy(data, t->data, t->length);
    free(t->data);
    t->data = data;
    t->capacity = capacity;
}

void text_bytes(text *t, const char *data, size_t length) {
    make_room(t, length);
    if (length) memcpy(t->data + t->length, data, length);
    t->length += length;
    t->data[t->length] = '\0';
}

void text_add(text *t, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length > 0) {
        make_room(t, (size_t)length);
        vsnprintf(t->data + t->length, (size_t)length + 1, format, again);
        t->length += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void text_decimal(text *t, wide ticks, int32_t scale, int32_t decimals) {
    while (scale < decimals && scale < 18) {
        ticks *= 10;
        scale++;
    }
    while (scale > decimals && scale > 0 && ticks % 10 == 0) {
        ticks /= 10;
        scale--;
    }
    char digits[48];
    size_t n = 0;
    const bool negative = ticks < 0;
    if (negative) ticks = -ticks;
    do {
        digits[n++] = (char)('0' + (int)(ticks % 10));
        ticks /= 10;
    } while (n < sizeof digits && (ticks > 0 || n <= (size_t)scale));
    if (negative) text_bytes(t, "-", 1);
    for (size_t i = n; i-- > 0;) {
        text_bytes(t, &digits[i], 1);
        if (i == (size_t)scale && scale > 0) text_bytes(t, ".", 1);
    }
}

void text_free(text *t) {
    free(t->data);
    *t = (text){0};
}
