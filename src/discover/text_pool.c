/* SPDX-License-Identifier: MIT */
#include "discover/text_pool.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)16384)

struct csm_text_block {
    csm_text_block *older;
    size_t used;
    size_t capacity;
    char text[];
};

/* Room for `bytes` in the newest block, or in a new one. */
static char *pool_room(csm_text_pool *pool, size_t bytes) {
    csm_text_block *block = pool->newest;
    if (block == NULL || block->capacity - block->used < bytes) {
        size_t capacity = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        if (capacity > SIZE_MAX - sizeof(csm_text_block)) {
            csm_fail(CSM_ENOMEM, "text of %zu bytes", bytes);
            return NULL;
        }
        block = csm_alloc(sizeof(csm_text_block) + capacity);
        if (block == NULL) return NULL;
        block->older = pool->newest;
        block->used = 0;
        block->capacity = capacity;
        pool->newest = block;
    }
    char *room = block->text + block->used;
    block->used += bytes;
    return room;
}

const char *csm_text_pool_add(csm_text_pool *pool, const char *text, size_t length) {
    if (length == SIZE_MAX) {
        csm_fail(CSM_ENOMEM, "text of %zu bytes", length);
        return NULL;
    }
    char *copy = pool_room(pool, length + 1);
    if (copy == NULL) return NULL;
    if (length > 0) memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

const char *csm_text_pool_format(csm_text_pool *pool, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        csm_fail(CSM_EINTERNAL, "text pool: format \"%s\" failed", format);
        return NULL;
    }
    char *copy = pool_room(pool, (size_t)length + 1);
    if (copy == NULL) return NULL;
    va_start(arguments, format);
    vsnprintf(copy, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return copy;
}

void csm_text_pool_free(csm_text_pool *pool) {
    while (pool->newest != NULL) {
        csm_text_block *older = pool->newest->older;
        csm_dealloc(pool->newest);
        pool->newest = older;
    }
}
