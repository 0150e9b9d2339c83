/* SPDX-License-Identifier: MIT */
/* What a stream holds: the segments and tail blocks whose spans meet the question, merged. */
#include "store/segment_file.h"

#include <string.h>

typedef struct question {
    const csm_store *store;
    csm_context *context;
    const csm_kind *kind;
    int64_t stream;
    csm_time from;
    csm_time to;
    csm_time as_of;
    bool sources;
} question;

/* First row at or after `time`; rows are sorted by time. */
static size_t lower_bound(const csm_table *table, csm_time time) {
    size_t begin = 0, end = table->rows;
    while (begin < end) {
        const size_t middle = begin + (end - begin) / 2;
        if (table->ticks[CSM_COLUMN_TIME][middle] < time)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

static bool is_in_question(const question *q, csm_span span) {
    return span.first >= q->from && (span.last < q->to || q->to == CSM_TIME_MAX) && span.newest <= q->as_of;
}

/* Adds the rows in question of a sorted piece, run by run of those known at as_of. A first piece that is wanted whole is
 * taken as it is: *whole then holds the table there was before. */
static csm_status add_piece(csm_records *out, const question *q, csm_table **whole, const uint32_t *index,
                            const uint32_t *map) {
    csm_table *piece = *whole;
    if (!map && out->table->rows == 0 && is_in_question(q, csm_table_span(piece))) {
        *whole = out->table;
        out->table = piece;
        return CSM_OK;
    }
    const size_t begin = lower_bound(piece, q->from);
    const size_t end = q->to == CSM_TIME_MAX ? piece->rows : lower_bound(piece, q->to);
    const csm_time *available = piece->ticks[CSM_COLUMN_AVAILABLE];
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status;) {
        size_t stop = i;
        while (stop < end && available[stop] <= q->as_of) stop++;
        status = csm_records_extend(out, piece, index, map, i, stop);
        i = stop + 1;
    }
    return status;
}

/* map[i] is the index in out->sources of the segment's source i. */
static csm_status map_sources(uint32_t **map, csm_records *out, const question *q, int64_t segment,
                              size_t count) {
    csm_statement *s = NULL;
    bool row = false;
    size_t found = 0;
    *map = csm_alloc_array(count, sizeof **map);
    if (!*map) return CSM_ENOMEM;
    csm_status status = csm_catalog_prepare(
        &s, q->store,
        "SELECT position, provenance FROM segment_provenance WHERE segment = ? ORDER BY position");
    if (!status) status = csm_statement_bind_i64(s, 1, segment);
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        const int64_t position = csm_statement_i64(s, 0);
        if (position < 0 || (uint64_t)position >= count) continue;
        status = csm_records_source(&(*map)[position], out, csm_statement_i64(s, 1));
        found++;
    }
    csm_statement_close(s);
    if (!status && found != count)
        status = csm_fail(CSM_ECORRUPT, "%s/catalog.db: segment %lld has %zu of %zu sources", q->store->path,
                          (long long)segment, found, count);
    return status;
}

static csm_status add_segment(csm_records *out, const question *q, int64_t id, const char *path) {
    csm_segment *segment = NULL;
    uint32_t *map = NULL;
    csm_status status =
        csm_segment_file_read(&segment, q->store, path, q->sources, csm_context_threads(q->context));
    if (!status && segment->kind != q->kind)
        status = csm_fail(CSM_ECORRUPT, "%s/%s: holds %s, the manifest says %s", q->store->path, path,
                          segment->kind->name, q->kind->name);
    if (!status && q->sources) status = map_sources(&map, out, q, id, segment->source_count);
    if (!status) status = add_piece(out, q, &segment->table, segment->provenance, map);
    csm_dealloc(map);
    csm_segment_free(segment);
    return status;
}

static csm_status bind_question(csm_statement *s, const question *q) {
    csm_status status = csm_statement_bind_i64(s, 1, q->stream);
    if (!status) status = csm_statement_bind_i64(s, 2, q->to);
    if (!status) status = csm_statement_bind_i64(s, 3, q->from);
    if (!status) status = csm_statement_bind_i64(s, 4, q->as_of);
    return status;
}

static csm_status add_segments(csm_records *out, const question *q) {
    csm_statement *s = NULL;
    bool row = false;
    uint64_t done = 0;
    csm_status status = csm_catalog_prepare(&s, q->store,
                                            "SELECT id, path FROM segments WHERE stream = ?1 AND "
                                            "(first < ?2 OR ?2 = 9223372036854775807) AND last >= ?3 AND "
                                            "oldest <= ?4 ORDER BY first, id");
    if (!status) status = bind_question(s, q);
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        status = csm_progress(q->context, "segments", done++, 0);
        if (!status) status = add_segment(out, q, csm_statement_i64(s, 0), csm_statement_text(s, 1));
    }
    csm_statement_close(s);
    return status;
}

static csm_status add_block(csm_records *out, const question *q, csm_statement *s) {
    size_t length;
    uint32_t source = 0;
    csm_table *table = NULL;
    const void *cells = csm_statement_blob(s, 1, &length);
    csm_status status = csm_tail_decode(&table, q->kind, cells, length);
    if (status) return csm_fail_prefix(status, "%s/catalog.db", q->store->path);
    if (q->sources) status = csm_records_source(&source, out, csm_statement_i64(s, 0));
    if (!status) status = add_piece(out, q, &table, NULL, q->sources ? &source : NULL);
    csm_table_free(table);
    return status;
}

static csm_status add_tail(csm_records *out, const question *q) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, q->store,
                                            "SELECT provenance, cells FROM tail WHERE stream = ?1 AND "
                                            "(first < ?2 OR ?2 = 9223372036854775807) AND last >= ?3 AND "
                                            "oldest <= ?4 ORDER BY first, id");
    if (!status) status = bind_question(s, q);
    while (!status && !(status = csm_statement_step(s, &row)) && row) status = add_block(out, q, s);
    csm_statement_close(s);
    return status;
}

csm_status csm_gather_segment(csm_records *out, const csm_store *store, csm_context *context, int64_t stream,
                              int64_t id, const char *path) {
    const question q = {.store = store,
                        .context = context,
                        .kind = out->table->kind,
                        .stream = stream,
                        .from = CSM_TIME_MIN,
                        .to = CSM_TIME_MAX,
                        .as_of = CSM_TIME_MAX,
                        .sources = true};
    return add_segment(out, &q, id, path);
}

csm_status csm_gather_tail(csm_records *out, const csm_store *store, csm_context *context, int64_t stream) {
    const question q = {.store = store,
                        .context = context,
                        .kind = out->table->kind,
                        .stream = stream,
                        .from = CSM_TIME_MIN,
                        .to = CSM_TIME_MAX,
                        .as_of = CSM_TIME_MAX,
                        .sources = true};
    return add_tail(out, &q);
}

csm_status csm_store_gather(csm_records *out, const csm_store *store, csm_context *context,
                            const csm_kind *kind, int64_t stream, csm_time from, csm_time to, csm_time as_of,
                            bool sources) {
    const question q = {.store = store,
                        .context = context,
                        .kind = kind,
                        .stream = stream,
                        .from = from,
                        .to = to,
                        .as_of = as_of,
                        .sources = sources};
    csm_status status = csm_records_init(out, kind);
    if (!status) status = add_segments(out, &q);
    if (!status) status = add_tail(out, &q);
    if (!status) status = csm_records_sort(out);
    if (status) csm_records_free(out);
    return status;
}
