/* SPDX-License-Identifier: MIT */
/* Taking in a segment that was written elsewhere, or whose manifest row was lost. */
#include "store/append.h"

#include <string.h>

csm_status csm_adopt_check_rows(const csm_segment *segment) {
    csm_status status = CSM_OK;
    for (size_t i = 0; i < segment->table->rows && !status; i++)
        status = csm_kind_check_row(segment->table, i, segment->stream.interval,
                                    segment->sources[segment->provenance[i]].received);
    for (size_t i = 0; i < segment->source_count && !status; i++)
        status = csm_provenance_check(&segment->sources[i]);
    return status == CSM_EINVAL || status == CSM_EPROVENANCE ? csm_fail_prefix(CSM_ECORRUPT, "segment")
                                                             : status;
}

typedef struct adopting {
    csm_store *store;
    csm_context *context;
    const csm_segment *segment;
    csm_records fresh; /* its rows that are not stored yet; provenance as in the segment */
    int64_t *sources;  /* ids of the segment's sources */
} adopting;

static csm_status find_fresh(adopting *a) {
    const csm_segment *segment = a->segment;
    const csm_span span = csm_table_span(segment->table);
    csm_records present = {0};
    int64_t stream = 0;
    uint32_t *map = csm_alloc_array(segment->source_count, sizeof *map);
    csm_status status = map ? csm_records_init(&a->fresh, segment->kind) : CSM_ENOMEM;
    for (uint32_t i = 0; !status && i < segment->source_count; i++) map[i] = i;
    if (!status)
        status =
            csm_records_extend(&a->fresh, segment->table, segment->provenance, map, 0, segment->table->rows);
    if (!status) status = csm_stream_find(&stream, a->store, &segment->stream);
    if (!status && stream) status = csm_stream_fits(a->store, stream, a->fresh.table);
    if (!status && stream)
        status = csm_store_gather(&present, a->store, a->context, segment->kind, stream, span.first,
                                  span.last == CSM_TIME_MAX ? span.last : span.last + 1, CSM_TIME_MAX, false);
    if (!status) status = csm_append_leave_known(&a->fresh, stream ? &present : NULL);
    csm_records_free(&present);
    csm_dealloc(map);
    return status;
}

/* Source of the row that was known last. */
static uint32_t newest_source(const csm_records *records) {
    const csm_time *available = records->table->ticks[CSM_COLUMN_AVAILABLE];
    size_t newest = 0;
    for (size_t i = 1; i < records->table->rows; i++) {
        if (available[i] >= available[newest]) newest = i;
    }
    return records->provenance[newest];
}

static csm_status commit(adopting *a, const csm_manifest_row *row) {
    const csm_segment *segment = a->segment;
    csm_extremes range[CSM_COLUMNS_MAX];
    csm_table_range(range, a->fresh.table);
    const csm_digits digits = csm_table_digits(a->fresh.table, range);
    int64_t stream;
    csm_status status = csm_catalog_begin(a->store);
    if (status) return status;
    for (size_t i = 0; i < segment->source_count && !status; i++)
        status = csm_provenance_note(&a->sources[i], a->store, &segment->sources[i]);
    if (!status)
        status = csm_stream_note(&stream, a->store, &segment->stream, &digits, csm_range_span(range).newest,
                                 a->sources[newest_source(&a->fresh)]);
    if (!status) status = csm_manifest_add(a->store, stream, row, a->sources, segment->source_count);
    if (!status) status = csm_catalog_commit(a->store);
    if (status) csm_catalog_rollback(a->store);
    return status;
}

/* The manifest row of a file that stands in the workspace already. */
static csm_status describe(csm_manifest_row *out, const csm_segment *segment, const char *path,
                           const csm_buffer *bytes) {
    const csm_status status = csm_segment_describe(out, &segment->stream, bytes, segment->table);
    if (status) return status;
    csm_dealloc(out->path);
    out->path = csm_strdup(path);
    return out->path ? CSM_OK : CSM_ENOMEM;
}

static csm_status take(bool *adopted, adopting *a, const char *path, const csm_buffer *bytes) {
    const csm_segment *segment = a->segment;
    csm_manifest_row row = {0};
    csm_status status;
    const bool all = a->fresh.table->rows == segment->table->rows;
    if (!all) csm_segment_shape(a->fresh.table);
    if (all && path)
        status = describe(&row, segment, path, bytes);
    else if (all)
        status = csm_segment_file_write(&row, a->store, a->context, &segment->stream, bytes, segment->table);
    else
        status = csm_append_segment(&row, a->store, a->context, &segment->stream, a->fresh.table,
                                    a->fresh.provenance, segment->sources, segment->source_count);
    if (!status) status = commit(a, &row);
    *adopted = !status && all;
    csm_manifest_row_free(&row);
    return status;
}

csm_status csm_adopt_segment(bool *adopted, csm_store *store, csm_context *context,
                             const csm_segment *segment, const char *path, const csm_buffer *bytes) {
    adopting a = {.store = store, .context = context, .segment = segment};
    const csm_kind *kind;
    *adopted = false;
    csm_status status = csm_stream_check(&segment->stream, &kind);
    if (status == CSM_EINVAL) status = csm_fail_prefix(CSM_ECORRUPT, "segment");
    if (!status) status = csm_adopt_check_rows(segment);
    if (status) return status;
    a.sources = csm_alloc_array(segment->source_count, sizeof *a.sources);
    status = a.sources ? csm_store_enter(store) : CSM_ENOMEM;
    if (!status) {
        status = find_fresh(&a);
        if (!status && a.fresh.table->rows > 0) status = take(adopted, &a, path, bytes);
        csm_store_leave(store);
    }
    csm_records_free(&a.fresh);
    csm_dealloc(a.sources);
    return status;
}
