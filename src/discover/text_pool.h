/* SPDX-License-Identifier: MIT */
/* Many short strings that live and die together with a list of rows. */
#ifndef CSM_DISCOVER_TEXT_POOL_H
#define CSM_DISCOVER_TEXT_POOL_H

#include "core/internal.h"

typedef struct csm_text_block csm_text_block;
typedef struct csm_text_pool {
    csm_text_block *newest; /* zero-initialise */
} csm_text_pool;

/* A zero-terminated copy that stays where it is until the pool is freed; NULL and error text when memory is short. */
const char *csm_text_pool_add(csm_text_pool *pool, const char *text, size_t length);
const char *csm_text_pool_format(csm_text_pool *pool, const char *format, ...) CSM_PRINTF(2, 3);
void csm_text_pool_free(csm_text_pool *pool);

#endif
