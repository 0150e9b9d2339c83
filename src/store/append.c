/* SPDX-License-Identifier: MIT */
/* Appending: check every row, leave out what is known, then one durable commit. */
#include "store/append.h"

#include <string.h>

#define TAIL_ROWS_MAX 4096 /* an append of more rows becomes a segment at once */

/* ---- what is new ---- */

static csm_status fail_contradiction(const csm_table *table, size_t row) {
    char time[CSM_TIME_TEXT], available[CSM_TIME_TEXT];
    csm_time_format(table->ticks[CSM_COLUMN_TIME][row], time, sizeof time);
    csm_time_format(table->ticks[CSM_COLUMN_AVAILABLE][row], available, sizeof available);
    return csm_fail(CSM_EINVAL, "%s: two rows of %s, available at %s, contradict each other",
                    table->kind->name, time, available);
}

/* Walks the rows in order and picks the new ones that say something: a row whose values are those last known under its
 * key is not stored again. Rows before `present` are stored already. keep receives row numbers. */
static csm_status pick_new(size_t *keep, size_t *count, const csm_table *table, const size_t *order,
                           size_t present) {
    size_t last = SIZE_MAX; /* newest row under the current key */
    *count = 0;
    for (size_t i = 0; i < table->rows; i++) {
        const size_t row = order[i];
        if (last != SIZE_MAX && csm_kind_compare_key(table, last, row) != 0) last = SIZE_MAX;
        if (row >= present) {
            if (last != SIZE_MAX && csm_kind_same_values(table, last, row)) continue;
            if (last != SIZE_MAX && csm_kind_compare(table, last, row) == 0)
                return fail_contradiction(table, row);
            keep[(*count)++] = row;
        }
        last = row;
    }
    return CSM_OK;
}

csm_status csm_append_leave_known(csm_records *fresh, const csm_records *present) {
    csm_table *both = NULL;
    size_t *order = NULL, *keep = NULL, count = 0;
    bool sorted;
    const size_t known = present ? present->table->rows : 0;
    if (known == 0 && csm_table_times_ascend(fresh->table)) return CSM_OK;
    csm_status status = csm_table_make(&both, fresh->table->kind);
    if (!status && present) status = csm_table_extend(both, present->table, 0, known);
    if (!status) status = csm_table_extend(both, fresh->table, 0, fresh->table->rows);
    if (!status) status = csm_table_order(&order, &sorted, both);
    if (status) goto done;
    keep = csm_alloc_array(fresh->table->rows, sizeof *keep);
    status = keep ? pick_new(keep, &count, both, order, known) : CSM_ENOMEM;
    if (status) goto done;
    for (size_t i = 0; i < count; i++) keep[i] -= known;
    status = csm_records_take(fresh, keep, count);
done:
    csm_dealloc(keep);
    csm_dealloc(order);
    csm_table_free(both);
    return status;
}

/* ---- where it goes ---- */

csm_status csm_append_segment(csm_manifest_row *out, const csm_store *store, csm_context *context,
                              const csm_stream *stream, const csm_table *rows, const uint32_t *provenance,
                              const csm_provenance *sources, size_t source_count) {
    csm_buffer image = {0};
    csm_status status = csm_segment_encode(&image, stream, rows, provenance, sources, source_count,
                                           csm_context_threads(context));
    if (!status) status = csm_segment_file_write(out, store, context, stream, &image, rows);
    csm_buffer_free(&image);
    return status;
}

typedef struct appending {
    csm_store *store;
    csm_context *context;
    const csm_stream *stream;
    const csm_provenance *provenance;
    const csm_kind *kind;
    csm_records fresh;
} appending;

static csm_status commit_to_tail(const appending *a) {
    int64_t source, stream;
    csm_status status = csm_catalog_begin(a->store);
    if (status) return status;
    status = csm_provenance_note(&source, a->store, a->provenance);
    if (!status) status = csm_stream_note(&stream, a->store, a->stream, a->fresh.table, source);
    if (!status) status = csm_tail_insert(a->store, stream, source, a->fresh.table);
    if (!status) status = csm_catalog_commit(a->store);
    if (status) csm_catalog_rollback(a->store);
    return status;
}

static csm_status commit_segments(const appending *a, const csm_manifest_row *rows, size_t count) {
    int64_t source, stream;
    csm_status status = csm_catalog_begin(a->store);
    if (status) return status;
    status = csm_provenance_note(&source, a->store, a->provenance);
    if (!status) status = csm_stream_note(&stream, a->store, a->stream, a->fresh.table, source);
    for (size_t i = 0; i < count && !status; i++)
        status = csm_manifest_add(a->store, stream, &rows[i], &source, 1);
    if (!status) status = csm_catalog_commit(a->store);
    if (status) csm_catalog_rollback(a->store);
    return status;
}

/* Rows [begin, end) as a file of their own. */
static csm_status write_part(csm_manifest_row *out, const appending *a, size_t begin, size_t end) {
    const csm_provenance source = {.source = a->provenance->source,
                                   .request = a->provenance->request,
                                   .origin = a->provenance->origin ? a->provenance->origin : "",
                                   .received = a->provenance->received};
    if (begin == 0 && end == a->fresh.table->rows)
        return csm_append_segment(out, a->store, a->context, a->stream, a->fresh.table, a->fresh.provenance,
                                  &source, 1);
    csm_table *part = NULL;
    csm_status status = csm_table_make(&part, a->kind);
    if (!status) status = csm_table_extend(part, a->fresh.table, begin, end);
    if (!status) status = csm_append_segment(out, a->store, a->context, a->stream, part, NULL, &source, 1);
    csm_table_free(part);
    return status;
}

static csm_status commit_to_segments(const appending *a) {
    const size_t rows = a->fresh.table->rows,
                 count = (rows + CSM_SEGMENT_ROWS_MAX - 1) / CSM_SEGMENT_ROWS_MAX;
    csm_manifest_row *written = csm_alloc_array(count, sizeof *written);
    if (!written) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    for (size_t i = 0; i < count && !status; i++) {
        const size_t begin = i * CSM_SEGMENT_ROWS_MAX, left = rows - begin;
        status = csm_progress(a->context, "append", begin, rows);
        if (!status)
            status = write_part(&written[i], a, begin,
                                left < CSM_SEGMENT_ROWS_MAX ? rows : begin + CSM_SEGMENT_ROWS_MAX);
    }
    if (!status) status = commit_segments(a, written, count);
    for (size_t i = 0; i < count; i++) csm_manifest_row_free(&written[i]);
    csm_dealloc(written);
    return status;
}

static csm_status take_rows(appending *a, const csm_table *rows) {
    csm_status status = csm_kind_check_rows(rows, a->stream->interval, a->provenance->received);
    if (!status) status = csm_records_extend(&a->fresh, rows, NULL, NULL, 0, rows->rows);
    if (!status) status = csm_records_sort(&a->fresh);
    return status;
}

static csm_status leave_known(appending *a) {
    csm_records present = {0};
    int64_t stream;
    const csm_span span = csm_table_span(a->fresh.table);
    csm_status status = csm_stream_find(&stream, a->store, a->stream);
    if (!status && stream) status = csm_stream_fits(a->store, stream, a->fresh.table);
    if (!status && stream)
        status = csm_store_gather(&present, a->store, a->context, a->kind, stream, span.first,
                                  span.last == CSM_TIME_MAX ? span.last : span.last + 1, CSM_TIME_MAX, false);
    if (!status) status = csm_append_leave_known(&a->fresh, stream ? &present : NULL);
    csm_records_free(&present);
    return status;
}

csm_status csm_store_append(csm_store *store, csm_context *context, const csm_stream *stream,
                            const csm_table *rows, const csm_provenance *provenance) {
    if (!store || !context || !rows) return csm_fail(CSM_EINVAL, "csm_store_append: an argument is NULL");
    appending a = {.store = store, .context = context, .stream = stream, .provenance = provenance};
    csm_status status = csm_stream_check(stream, &a.kind);
    if (!status) status = csm_provenance_check(provenance);
    if (status) return csm_fail_prefix(status, "csm_store_append");
    if (!store->lock) return csm_fail(CSM_EREADONLY, "csm_store_append: %s is opened read-only", store->path);
    if (rows->kind != a.kind)
        return csm_fail(CSM_EINVAL, "csm_store_append: rows of %s for a stream of %s", rows->kind->name,
                        a.kind->name);
    if (rows->rows == 0) return CSM_OK;
    status = csm_records_init(&a.fresh, a.kind);
    if (!status) status = take_rows(&a, rows);
    if (!status) csm_segment_shape(a.fresh.table);
    if (!status) status = leave_known(&a);
    if (!status && a.fresh.table->rows > 0)
        status = a.fresh.table->rows < TAIL_ROWS_MAX ? commit_to_tail(&a) : commit_to_segments(&a);
    csm_records_free(&a.fresh);
    return status ? csm_fail_prefix(status, "%s:%s", stream->venue, stream->symbol) : CSM_OK;
}
