/* SPDX-License-Identifier: MIT */
#include "core/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef CSM_FAULTS
/* Test builds only. Per thread, so that one test does not disturb another's threads. */
static _Thread_local struct {
    uint64_t seen;
    uint64_t fail_at; /* 0: never */
    bool forever;
} faults;

void csm_fault_allocation(uint64_t n, bool forever) {
    faults.seen = 0;
    faults.fail_at = n;
    faults.forever = forever;
}

uint64_t csm_fault_allocations_seen(void) {
    return faults.seen;
}

static bool allocation_must_fail(void) {
    faults.seen++;
    if (faults.fail_at == 0) return false;
    return faults.seen == faults.fail_at || (faults.forever && faults.seen > faults.fail_at);
}
#else
static bool allocation_must_fail(void) {
    return false;
}
#endif

static void *fail_memory(size_t bytes) {
    csm_fail(CSM_ENOMEM, "out of memory: %zu bytes were asked for", bytes);
    return NULL;
}

void *csm_alloc(size_t bytes) {
    /* More than PTRDIFF_MAX no allocator grants, and differences of pointers would overflow. */
    void *block = bytes > PTRDIFF_MAX || allocation_must_fail() ? NULL : malloc(bytes ? bytes : 1);
    return block ? block : fail_memory(bytes);
}

static bool array_bytes(size_t *bytes, size_t count, size_t element) {
    if (element != 0 && count > (size_t)PTRDIFF_MAX / element) {
        csm_fail(CSM_ENOMEM, "out of memory: %zu elements of %zu bytes exceed the address space", count,
                 element);
        return false;
    }
    *bytes = count * element;
    return true;
}

void *csm_alloc_array(size_t count, size_t element) {
    size_t bytes;
    if (!array_bytes(&bytes, count, element)) return NULL;
    void *block = allocation_must_fail() ? NULL : calloc(bytes ? bytes : 1, 1);
    return block ? block : fail_memory(bytes);
}

void *csm_realloc_array(void *block, size_t count, size_t element) {
    size_t bytes;
    if (!array_bytes(&bytes, count, element)) return NULL;
    void *grown = allocation_must_fail() ? NULL : realloc(block, bytes ? bytes : 1);
    return grown ? grown : fail_memory(bytes);
}

char *csm_strndup(const char *text, size_t length) {
    if (length == SIZE_MAX) return fail_memory(length);
    char *copy = csm_alloc(length + 1);
    if (!copy) return NULL;
    if (length) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *csm_strdup(const char *text) {
    return csm_strndup(text, strlen(text));
}

char *csm_strformat(const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    char *text = NULL;
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        csm_fail(CSM_EINTERNAL, "text could not be formatted: \"%s\"", format);
    } else {
        text = csm_alloc((size_t)length + 1);
        if (text) vsnprintf(text, (size_t)length + 1, format, again);
    }
    va_end(again);
    va_end(arguments);
    return text;
}

void csm_dealloc(void *block) {
    free(block);
}
