/* SPDX-License-Identifier: MIT */
#include "store/segment_file.h"

#include <stdio.h>
#include <string.h>

void csm_manifest_row_free(csm_manifest_row *row) {
    csm_dealloc(row->path);
    *row = (csm_manifest_row){0};
}

csm_status csm_segment_describe(csm_manifest_row *out, const csm_stream *stream, const csm_buffer *image,
                                const csm_table *rows) {
    *out = (csm_manifest_row){.bytes = image->length, .rows = rows->rows, .span = csm_table_span(rows)};
    const csm_hash hash = csm_hash_bytes(image->data, image->length);
    csm_hash_format(&hash, out->sha256);
    out->path = csm_segment_path(stream, image, 0);
    return out->path ? CSM_OK : CSM_ENOMEM;
}

csm_status csm_manifest_names(bool *named, const csm_store *store, const char *path) {
    csm_statement *s = NULL;
    *named = false;
    csm_status status = csm_catalog_prepare(
        &s, store, "SELECT 1 FROM segments WHERE path = ?1 UNION ALL SELECT 1 FROM retired WHERE path = ?1");
    if (!status) status = csm_statement_bind_text(s, 1, path);
    if (!status) status = csm_statement_step(s, named);
    csm_statement_close(s);
    return status;
}

static csm_status insert_segment(int64_t *id, csm_store *store, int64_t stream, const csm_manifest_row *row) {
    csm_statement *s = NULL;
    bool more = false;
    const int64_t values[] = {(int64_t)row->bytes, (int64_t)row->rows, row->span.first,
                              row->span.last,      row->span.oldest,   row->span.newest};
    csm_status status =
        csm_catalog_prepare(&s, store,
                            "INSERT INTO segments (stream, path, sha256, bytes, rows, first, last, "
                            "oldest, newest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id");
    if (!status) status = csm_statement_bind_i64(s, 1, stream);
    if (!status) status = csm_statement_bind_text(s, 2, row->path);
    if (!status) status = csm_statement_bind_text(s, 3, row->sha256);
    for (int i = 0; i < 6 && !status; i++) status = csm_statement_bind_i64(s, i + 4, values[i]);
    if (!status) status = csm_statement_step(s, &more);
    if (!status && more) *id = csm_statement_i64(s, 0);
    if (!status && more) status = csm_statement_step(s, &more);
    csm_statement_close(s);
    return status;
}

csm_status csm_manifest_add(csm_store *store, int64_t stream, const csm_manifest_row *row,
                            const int64_t *sources, size_t source_count) {
    csm_statement *s = NULL;
    int64_t id = 0;
    csm_status status = insert_segment(&id, store, stream, row);
    if (!status)
        status = csm_catalog_prepare(
            &s, store, "INSERT INTO segment_provenance (segment, position, provenance) VALUES (?, ?, ?)");
    for (size_t i = 0; i < source_count && !status; i++) {
        bool more;
        status = csm_statement_bind_i64(s, 1, id);
        if (!status) status = csm_statement_bind_i64(s, 2, (int64_t)i);
        if (!status) status = csm_statement_bind_i64(s, 3, sources[i]);
        if (!status) status = csm_statement_step(s, &more);
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_segment_file_bytes(csm_buffer *out, const char *full, uint64_t bytes, const char *sha256) {
    char hex[CSM_HASH_TEXT];
    const csm_status status = csm_file_read(out, full, CSM_SEGMENT_BYTES_MAX);
    if (status) return status;
    const csm_hash hash = csm_hash_bytes(out->data, out->length);
    if (out->length == bytes && strcmp(csm_hash_format(&hash, hex), sha256) == 0) return CSM_OK;
    return csm_fail(CSM_ECORRUPT, "%s: its SHA-256 is not the manifest's", full);
}

/* The file as it is now, into one block of its size. */
static csm_status read_bytes(uint8_t **out, size_t *length, const char *full) {
    uint64_t size = 0;
    *out = NULL;
    csm_status status = csm_file_size(&size, full);
    if (status == CSM_ENOTFOUND || (!status && size > CSM_SEGMENT_BYTES_MAX))
        status = csm_fail(CSM_ECORRUPT, "%s: the manifest names it, but it is absent or too large", full);
    if (status) return status;
    *length = (size_t)size;
    *out = csm_alloc(*length);
    if (!*out) return CSM_ENOMEM;
    status = csm_file_read_part(*out, full, 0, *length);
    return status == CSM_EPARSE ? csm_fail(CSM_ECORRUPT, "%s: shrinks while it is read", full) : status;
}

csm_status csm_segment_file_read(csm_segment **out, const csm_store *store, const char *path, bool sources,
                                 uint32_t threads) {
    uint8_t *bytes = NULL;
    size_t length = 0;
    *out = NULL;
    char *full = csm_strformat("%s/%s", store->path, path);
    if (!full) return CSM_ENOMEM;
    csm_status status = read_bytes(&bytes, &length, full);
    if (!status) status = csm_segment_decode(out, bytes, length, full, sources, threads);
    csm_dealloc(bytes);
    csm_dealloc(full);
    return status;
}
