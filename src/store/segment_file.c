/* SPDX-License-Identifier: MIT */
#include "store/segment_file.h"

#include <stdio.h>
#include <string.h>

#define NAME_PART 48 /* bytes of venue and of symbol in a file's name */

void csm_manifest_row_free(csm_manifest_row *row) {
    csm_dealloc(row->path);
    *row = (csm_manifest_row){0};
}

/* Letters, digits and dots stay; everything else becomes '-', so that a name never leaves its folder. */
static void plain_name(char out[NAME_PART + 1], const char *text) {
    size_t n = 0;
    for (; n < NAME_PART && text[n]; n++) {
        const char c = text[n];
        const bool keep =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c == '.' && n > 0);
        out[n] = keep ? c : '-';
    }
    out[n] = '\0';
}

static char *path_of(const csm_stream *stream, const char *sha256) {
    char venue[NAME_PART + 1], symbol[NAME_PART + 1];
    plain_name(venue, stream->venue);
    plain_name(symbol, stream->symbol);
    return csm_strformat("segments/%s/%.2s/%s_%s_%.16s.h5", stream->kind, sha256, venue, symbol, sha256);
}

static csm_status make_folder_of(const char *full) {
    char *folder = csm_strndup(full, (size_t)(strrchr(full, '/') - full));
    if (!folder) return CSM_ENOMEM;
    const csm_status status = csm_file_exists(folder) ? CSM_OK : csm_folder_make(folder);
    csm_dealloc(folder);
    return status;
}

static csm_status compare_with_disk(const char *full, const csm_buffer *image) {
    csm_buffer back = {0};
    csm_status status = csm_file_read(&back, full, CSM_SEGMENT_BYTES_MAX);
    if (!status && (back.length != image->length || memcmp(back.data, image->data, back.length) != 0))
        status = csm_fail(CSM_EIO, "%s: reads back other bytes than were written", full);
    csm_buffer_free(&back);
    return status;
}

csm_status csm_segment_describe(csm_manifest_row *out, const csm_stream *stream, const csm_buffer *image,
                                const csm_table *rows) {
    *out = (csm_manifest_row){.bytes = image->length, .rows = rows->rows, .span = csm_table_span(rows)};
    const csm_hash hash = csm_hash_bytes(image->data, image->length);
    csm_hash_format(&hash, out->sha256);
    out->path = path_of(stream, out->sha256);
    return out->path ? CSM_OK : CSM_ENOMEM;
}

csm_status csm_segment_file_write(csm_manifest_row *out, const csm_store *store, const csm_stream *stream,
                                  const csm_buffer *image, const csm_table *rows) {
    csm_status status = csm_segment_describe(out, stream, image, rows);
    if (status) return status;
    char *full = csm_strformat("%s/%s", store->path, out->path);
    status = full ? make_folder_of(full) : CSM_ENOMEM;
    if (!status) status = csm_file_write_atomic(full, image->data, image->length, 0644);
    if (!status) status = compare_with_disk(full, image);
    if (status) csm_manifest_row_free(out);
    csm_dealloc(full);
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

csm_status csm_segment_file_read(csm_segment **out, const csm_store *store, const char *path, bool whole,
                                 uint32_t threads) {
    csm_buffer bytes = {0};
    *out = NULL;
    char *full = csm_strformat("%s/%s", store->path, path);
    if (!full) return CSM_ENOMEM;
    csm_status status = csm_file_read(&bytes, full, CSM_SEGMENT_BYTES_MAX);
    if (status == CSM_ENOTFOUND || status == CSM_EPARSE)
        status = csm_fail(CSM_ECORRUPT, "%s: the manifest names it, but it is absent or too large", full);
    if (!status) status = csm_segment_decode(out, bytes.data, bytes.length, full, whole, threads);
    csm_buffer_free(&bytes);
    csm_dealloc(full);
    return status;
}
