/* SPDX-License-Identifier: MIT */
#include "ingest/cursor.h"
#include "ingest/source.h"
#include "store/catalog.h"

#include <string.h>
#include <zlib.h>

static csm_status bind_key(csm_statement *s, const char *source, const csm_stream *stream) {
    csm_status status = csm_statement_bind_text(s, 1, source);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, stream->venue);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 3, stream->symbol);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 4, stream->epoch);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 5, stream->interval);
    return status;
}

csm_status csm_cursor_load(csm_cursor *out, const csm_store *store, const char *source,
                           const csm_stream *stream) {
    csm_statement *s = NULL;
    bool row = false;
    const char *text = "";
    *out = (csm_cursor){.text = NULL, .last_id = CSM_ID_UNKNOWN};
    csm_status status =
        csm_catalog_prepare(&s, store,
                            "SELECT cursor, last_id FROM ingest_cursors WHERE source = ?1 AND "
                            "venue = ?2 AND symbol = ?3 AND epoch = ?4 AND interval = ?5");
    if (status == CSM_OK) status = bind_key(s, source, stream);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) {
        text = csm_statement_text(s, 0);
        if (csm_statement_text(s, 1) != NULL) out->last_id = csm_statement_i64(s, 1);
    }
    if (status == CSM_OK) {
        out->text = csm_strdup(text == NULL ? "" : text);
        if (out->text == NULL) status = CSM_ENOMEM;
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_cursor_save(csm_store *store, const char *source, const csm_stream *stream,
                           const csm_cursor *cursor, csm_time now) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_begin(store);
    if (status != CSM_OK) return status;
    status = csm_catalog_prepare(
        &s, store,
        "INSERT INTO ingest_cursors (source, venue, symbol, epoch, interval, cursor, last_id, "
        "updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET "
        "cursor = excluded.cursor, last_id = excluded.last_id, updated = excluded.updated");
    if (status == CSM_OK) status = bind_key(s, source, stream);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 6, cursor->text);
    if (status == CSM_OK && cursor->last_id != CSM_ID_UNKNOWN)
        status = csm_statement_bind_i64(s, 7, cursor->last_id);
    if (status == CSM_OK && cursor->last_id == CSM_ID_UNKNOWN) status = csm_statement_bind_text(s, 7, NULL);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 8, now);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    if (status == CSM_OK) status = csm_catalog_commit(store);
    if (status != CSM_OK) csm_catalog_rollback(store);
    return status;
}

/* ---- raw replies ---- */

static csm_status raw_insert(csm_store *store, const char *source, const char *request, csm_time received,
                             const csm_hash *hash, size_t length, const void *packed, size_t packed_length) {
    csm_statement *s = NULL;
    bool row = false;
    char hex[CSM_HASH_TEXT];
    csm_status status = csm_catalog_begin(store);
    if (status != CSM_OK) return status;
    status =
        csm_catalog_prepare(&s, store,
                            "INSERT INTO raw_replies (source, request, received, sha256, bytes, body) VALUES "
                            "(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (source, sha256) DO NOTHING");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, source);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, request);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, received);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 4, csm_hash_format(hash, hex));
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 5, (int64_t)length);
    if (status == CSM_OK) status = csm_statement_bind_blob(s, 6, packed, packed_length);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    if (status == CSM_OK) status = csm_catalog_commit(store);
    if (status != CSM_OK) csm_catalog_rollback(store);
    return status;
}

csm_status csm_raw_reply_keep(csm_store *store, const char *source, const char *request, csm_time received,
                              const char *body, size_t length) {
    uLongf packed_length = compressBound((uLong)length);
    Bytef *packed = csm_alloc(packed_length);
    if (packed == NULL) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    csm_hash hash = csm_hash_bytes(body, length);
    int code = compress2(packed, &packed_length, (const Bytef *)body, (uLong)length, Z_BEST_COMPRESSION);
    if (code != Z_OK) status = csm_fail(CSM_ENOMEM, "zlib cannot compress %zu bytes: code %d", length, code);
    if (status == CSM_OK)
        status = raw_insert(store, source, request, received, &hash, length, packed, packed_length);
    csm_dealloc(packed);
    return status;
}
