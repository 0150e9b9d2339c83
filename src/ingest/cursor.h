/* SPDX-License-Identifier: MIT */
/* Where the last answer of a source ended, kept in the catalogue; and raw answers that cannot be had again. */
#ifndef CSM_INGEST_CURSOR_H
#define CSM_INGEST_CURSOR_H

#include "core/internal.h"

#include <cryptosmart/store.h>

typedef struct csm_cursor {
    char *text;      /* "" when there is none; csm_dealloc */
    int64_t last_id; /* CSM_ID_UNKNOWN when there is none */
} csm_cursor;

/* stream.kind is not looked at: a source gives one kind. */
csm_status csm_cursor_load(csm_cursor *out, const csm_store *store, const char *source,
                           const csm_stream *stream);
csm_status csm_cursor_save(csm_store *store, const char *source, const csm_stream *stream,
                           const csm_cursor *cursor, csm_time now);

/* Keeps a body once, compressed. */
csm_status csm_raw_reply_keep(csm_store *store, const char *source, const char *request, csm_time received,
                              const char *body, size_t length);

#endif
