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

/* Named by the CRC-32 in the footer, which is known before the SHA-256 is; `attempt` tells files of equal CRC apart. */
static char *path_of(const csm_stream *stream, const csm_buffer *image, unsigned attempt) {
    char venue[NAME_PART + 1], symbol[NAME_PART + 1];
    const uint8_t *crc = (const uint8_t *)image->data + image->length - CSM_FOOTER_BYTES + 16;
    plain_name(venue, stream->venue);
    plain_name(symbol, stream->symbol);
    const char *parts = attempt ? "segments/%s/%02x/%s_%s_%02x%02x%02x%02x-%u.h5"
                                : "segments/%s/%02x/%s_%s_%02x%02x%02x%02x.h5";
    return csm_strformat(parts, stream->kind, crc[3], venue, symbol, crc[3], crc[2], crc[1], crc[0], attempt);
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
    out->path = path_of(stream, image, 0);
    return out->path ? CSM_OK : CSM_ENOMEM;
}

typedef struct writing {
    csm_manifest_row *row;
    const csm_buffer *image;
    char *full;
} writing;

/* Two things that do not wait for each other: 0 hashes the image, 1 writes it and reads it back. */
static csm_status hash_or_write(void *user, size_t begin, size_t end, uint32_t worker) {
    const writing *w = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++) {
        if (i == 0) {
            const csm_hash hash = csm_hash_bytes(w->image->data, w->image->length);
            csm_hash_format(&hash, w->row->sha256);
            continue;
        }
        status = csm_file_write_atomic(w->full, w->image->data, w->image->length, 0644);
        if (!status) status = compare_with_disk(w->full, w->image);
    }
    return status;
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

/* A name the manifest does not give to another file. What an append that failed left under it is written over. */
static csm_status choose_path(writing *w, const csm_store *store, const csm_stream *stream) {
    csm_status status = CSM_OK;
    bool named = true;
    for (unsigned attempt = 0; named && !status; attempt++) {
        csm_dealloc(w->row->path);
        w->row->path = path_of(stream, w->image, attempt);
        status = w->row->path ? csm_manifest_names(&named, store, w->row->path) : CSM_ENOMEM;
    }
    if (!status) w->full = csm_strformat("%s/%s", store->path, w->row->path);
    return status ? status : w->full ? CSM_OK : CSM_ENOMEM;
}

csm_status csm_segment_file_write(csm_manifest_row *out, const csm_store *store, csm_context *context,
                                  const csm_stream *stream, const csm_buffer *image, const csm_table *rows) {
    *out = (csm_manifest_row){.bytes = image->length, .rows = rows->rows, .span = csm_table_span(rows)};
    writing w = {.row = out, .image = image};
    const uint32_t threads = image->length < 65536 ? 1 : csm_context_threads(context);
    csm_status status = choose_path(&w, store, stream);
    if (!status) status = make_folder_of(w.full);
    if (!status) status = csm_parallel_for(threads, 2, 1, hash_or_write, &w);
    if (status) csm_manifest_row_free(out);
    csm_dealloc(w.full);
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
