/* SPDX-License-Identifier: MIT */
/* A store's records as a folder of segments with a manifest, and back. */
#include "store/append.h"
#include "store/manifest.h"

#include <string.h>

/* ---- export ---- */

typedef struct exporting {
    const csm_store *store;
    csm_context *context;
    const char *folder;
    csm_manifest manifest;
    size_t capacity;
} exporting;

static csm_status write_below(const char *folder, const char *path, const void *data, size_t length) {
    char *full = csm_strformat("%s/%s", folder, path);
    if (!full) return CSM_ENOMEM;
    char *parent = csm_strndup(full, (size_t)(strrchr(full, '/') - full));
    csm_status status = parent ? csm_folder_make(parent) : CSM_ENOMEM;
    if (!status) status = csm_file_write_atomic(full, data, length, 0644);
    csm_dealloc(parent);
    csm_dealloc(full);
    return status;
}

/* A new entry at the end of the manifest with copies of what `stream` and `row` say. */
static csm_status add_entry(csm_manifest_entry **out, exporting *e, const csm_stream *stream,
                            const csm_manifest_row *row) {
    csm_manifest *m = &e->manifest;
    if (m->count == e->capacity) {
        const size_t capacity = e->capacity ? 2 * e->capacity : 64;
        csm_manifest_entry *grown = csm_realloc_array(m->entries, capacity, sizeof *grown);
        if (!grown) return CSM_ENOMEM;
        m->entries = grown;
        e->capacity = capacity;
    }
    csm_manifest_entry *entry = &m->entries[m->count++];
    *entry =
        (csm_manifest_entry){.stream = *stream, .bytes = row->bytes, .rows = row->rows, .span = row->span};
    memcpy(entry->sha256, row->sha256, sizeof entry->sha256);
    entry->path = csm_strdup(row->path);
    entry->stream.venue = csm_strdup(stream->venue);
    entry->stream.symbol = csm_strdup(stream->symbol);
    *out = entry;
    return entry->path && entry->stream.venue && entry->stream.symbol ? CSM_OK : CSM_ENOMEM;
}

static csm_status entry_sources(csm_manifest_entry *entry, const csm_store *store, const int64_t *ids,
                                size_t count) {
    entry->sources = csm_alloc_array(count, sizeof *entry->sources);
    if (!entry->sources) return CSM_ENOMEM;
    entry->source_count = count;
    csm_status status = CSM_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = csm_provenance_load(&entry->sources[i], store, ids[i]);
    return status;
}

static csm_status segment_sources(csm_records *ids, const csm_store *store, int64_t segment) {
    csm_statement *s = NULL;
    bool row = false;
    uint32_t index;
    csm_status status = csm_catalog_prepare(
        &s, store, "SELECT provenance FROM segment_provenance WHERE segment = ? ORDER BY position");
    if (!status) status = csm_statement_bind_i64(s, 1, segment);
    while (!status && !(status = csm_statement_step(s, &row)) && row)
        status = csm_records_source(&index, ids, csm_statement_i64(s, 0));
    csm_statement_close(s);
    return status;
}

/* Copies one segment's file after comparing its hash. */
static csm_status copy_file(const exporting *e, const csm_manifest_row *row) {
    csm_buffer bytes = {0};
    char *full = csm_strformat("%s/%s", e->store->path, row->path);
    csm_status status = full ? csm_segment_file_bytes(&bytes, full, row->bytes, row->sha256) : CSM_ENOMEM;
    if (!status) status = write_below(e->folder, row->path, bytes.data, bytes.length);
    csm_buffer_free(&bytes);
    csm_dealloc(full);
    return status;
}

static csm_status export_segment(exporting *e, const csm_stream *stream, const csm_manifest_row *row) {
    csm_manifest_entry *entry;
    csm_records ids = {0};
    csm_status status = copy_file(e, row);
    if (!status) status = add_entry(&entry, e, stream, row);
    if (!status) status = segment_sources(&ids, e->store, row->id);
    if (!status) status = entry_sources(entry, e->store, ids.sources, ids.source_count);
    csm_records_free(&ids);
    return status;
}

static csm_status export_segments(exporting *e, const csm_stream *stream, int64_t id) {
    csm_statement *s = NULL;
    bool more = false;
    csm_status status =
        csm_catalog_prepare(&s, e->store,
                            "SELECT id, path, sha256, bytes, rows, first, last, oldest, newest FROM segments "
                            "WHERE stream = ? ORDER BY id");
    if (!status) status = csm_statement_bind_i64(s, 1, id);
    while (!status && !(status = csm_statement_step(s, &more)) && more) {
        csm_manifest_row row = {.id = csm_statement_i64(s, 0),
                                .bytes = (uint64_t)csm_statement_i64(s, 3),
                                .rows = (size_t)csm_statement_i64(s, 4),
                                .span = {csm_statement_i64(s, 5), csm_statement_i64(s, 6),
                                         csm_statement_i64(s, 7), csm_statement_i64(s, 8)}};
        csm_hash hash;
        status = csm_hash_parse(&hash, csm_statement_text(s, 2));
        if (!status) csm_hash_format(&hash, row.sha256);
        row.path = csm_strdup(csm_statement_text(s, 1));
        if (!status && !row.path) status = CSM_ENOMEM;
        if (!status) status = export_segment(e, stream, &row);
        csm_manifest_row_free(&row);
    }
    csm_statement_close(s);
    return status;
}

/* The tail as a segment that only the exported folder has: the store itself stays as it is. */
static csm_status export_tail(exporting *e, const csm_stream *stream, int64_t id) {
    csm_records tail = {0};
    csm_buffer image = {0};
    csm_manifest_row row = {0};
    csm_manifest_entry sources = {0}, *entry;
    csm_status status = csm_records_init(&tail, csm_kind_find(stream->kind));
    if (!status) status = csm_gather_tail(&tail, e->store, e->context, id);
    if (status || tail.table->rows == 0) goto done;
    status = csm_records_sort(&tail);
    if (!status) csm_segment_shape(tail.table);
    if (!status) status = entry_sources(&sources, e->store, tail.sources, tail.source_count);
    if (!status)
        status = csm_segment_encode(&image, stream, tail.table, tail.provenance, sources.sources,
                                    tail.source_count, csm_context_threads(e->context));
    if (!status) status = csm_segment_describe(&row, stream, &image, tail.table);
    if (!status) status = write_below(e->folder, row.path, image.data, image.length);
    if (!status) status = add_entry(&entry, e, stream, &row);
    if (!status) {
        entry->sources = sources.sources;
        entry->source_count = sources.source_count;
        sources.sources = NULL;
    }
done:
    csm_sources_free(sources.sources, sources.source_count);
    csm_manifest_row_free(&row);
    csm_buffer_free(&image);
    csm_records_free(&tail);
    return status;
}

csm_status csm_store_export(const csm_store *store, csm_context *context, const char *folder) {
    if (!store || !context || !folder) return csm_fail(CSM_EINVAL, "csm_store_export: an argument is NULL");
    exporting e = {.store = store, .context = context, .folder = folder};
    csm_stream_list *list = NULL;
    csm_buffer json = {0};
    csm_status status = csm_require_empty(folder, "an export");
    if (!status) status = csm_store_streams(&list, store, NULL, NULL);
    for (size_t i = 0; !status && i < csm_stream_list_count(list); i++) {
        const csm_stream *stream = &csm_stream_list_at(list, i)->stream;
        status = csm_progress(context, "export", i, csm_stream_list_count(list));
        if (!status) status = export_segments(&e, stream, csm_stream_list_id(list, i));
        if (!status) status = export_tail(&e, stream, csm_stream_list_id(list, i));
    }
    if (!status) status = csm_manifest_format(&json, &e.manifest);
    if (!status) status = write_below(folder, "manifest.json", json.data, json.length);
    csm_buffer_free(&json);
    csm_stream_list_free(list);
    csm_manifest_free(&e.manifest);
    return status;
}

/* ---- adopt ---- */

/* No component of the path below `folder` may be a link to somewhere else. */
static csm_status refuse_links(const char *folder, const char *path) {
    csm_status status = CSM_OK;
    for (const char *slash = path; slash && !status;) {
        slash = strchr(slash + 1, '/');
        const int length = slash ? (int)(slash - path) : (int)strlen(path);
        char *part = csm_strformat("%s/%.*s", folder, length, path);
        if (!part) return CSM_ENOMEM;
        if (csm_file_is_link(part)) status = csm_fail(CSM_ECORRUPT, "%s is a symbolic link", part);
        csm_dealloc(part);
    }
    return status;
}

static bool says_the_same(const csm_manifest_entry *entry, const csm_segment *segment) {
    const csm_span span = csm_table_span(segment->table);
    return strcmp(entry->stream.kind, segment->stream.kind) == 0 &&
           strcmp(entry->stream.venue, segment->stream.venue) == 0 &&
           strcmp(entry->stream.symbol, segment->stream.symbol) == 0 &&
           entry->stream.epoch == segment->stream.epoch &&
           entry->stream.interval == segment->stream.interval && entry->rows == segment->table->rows &&
           memcmp(&span, &entry->span, sizeof span) == 0;
}

static csm_status read_entry(csm_segment **out, csm_buffer *bytes, const csm_manifest_entry *entry,
                             const char *full, uint32_t threads) {
    csm_status status = csm_segment_file_bytes(bytes, full, entry->bytes, entry->sha256);
    if (status)
        return status == CSM_EPARSE || status == CSM_ENOTFOUND ? csm_fail_prefix(CSM_ECORRUPT, "manifest")
                                                               : status;
    status = csm_segment_decode(out, bytes->data, bytes->length, full, true, threads);
    if (!status && !says_the_same(entry, *out))
        status = csm_fail(CSM_ECORRUPT, "%s: holds other rows than the manifest says", full);
    return status;
}

static csm_status adopt_entry(csm_store *store, csm_context *context, const char *folder,
                              const csm_manifest_entry *entry) {
    csm_buffer bytes = {0};
    csm_segment *segment = NULL;
    bool adopted;
    char *full = csm_strformat("%s/%s", folder, entry->path);
    csm_status status = full ? refuse_links(folder, entry->path) : CSM_ENOMEM;
    if (!status) status = read_entry(&segment, &bytes, entry, full, csm_context_threads(context));
    if (!status) status = csm_adopt_segment(&adopted, store, context, segment, NULL, &bytes);
    csm_segment_free(segment);
    csm_buffer_free(&bytes);
    csm_dealloc(full);
    return status;
}

csm_status csm_store_adopt(csm_store *store, csm_context *context, const char *folder) {
    if (!store || !context || !folder) return csm_fail(CSM_EINVAL, "csm_store_adopt: an argument is NULL");
    if (store->mode == CSM_STORE_READ)
        return csm_fail(CSM_EREADONLY, "csm_store_adopt: %s is opened read-only", store->path);
    csm_manifest manifest = {0};
    csm_buffer json = {0};
    char *path = csm_strformat("%s/manifest.json", folder);
    csm_status status = path ? csm_file_read(&json, path, CSM_MANIFEST_BYTES_MAX) : CSM_ENOMEM;
    if (!status) {
        status = csm_manifest_parse(&manifest, json.data, json.length);
        if (status) csm_fail_prefix(status, "%s", path);
    }
    for (size_t i = 0; i < manifest.count && !status; i++) {
        status = csm_progress(context, "adopt", i, manifest.count);
        if (!status) status = adopt_entry(store, context, folder, &manifest.entries[i]);
    }
    csm_manifest_free(&manifest);
    csm_buffer_free(&json);
    csm_dealloc(path);
    return status;
}
