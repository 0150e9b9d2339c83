/* SPDX-License-Identifier: MIT */
/*
 * Rolling: a stream's tail becomes a segment. So that a stream that grows by a few rows a day does not end as a thousand
 * small files, segments that are small beside what is rolled are rewritten with it (the log-structured merge of O'Neil
 * et al. 1996): every row moves about log2(rows) times. Files first, then one transaction swaps the names.
 */
#include "store/append.h"

#include <string.h>

#define MERGED_ROWS_MAX ((size_t)1 << 16) /* segments of this many rows are left alone */

typedef struct piece {
    int64_t id;
    char *path;
} piece;

typedef struct rolling {
    csm_store *store;
    csm_context *context;
    const csm_stream *stream;
    int64_t id;
    piece *merged; /* segments rewritten with the tail */
    size_t merged_count;
    csm_records records;
    csm_provenance *sources; /* of records.sources */
    csm_manifest_row *written;
    size_t written_count;
} rolling;

static void rolling_free(rolling *r) {
    for (size_t i = 0; i < r->merged_count; i++) csm_dealloc(r->merged[i].path);
    for (size_t i = 0; i < r->written_count; i++) csm_manifest_row_free(&r->written[i]);
    csm_dealloc(r->merged);
    csm_dealloc(r->written);
    csm_sources_free(r->sources, r->sources ? r->records.source_count : 0);
    csm_records_free(&r->records);
}

/* ---- what goes into the new segment ---- */

static csm_status add_merged(rolling *r, int64_t id, const char *path) {
    piece *grown = csm_realloc_array(r->merged, r->merged_count + 1, sizeof *grown);
    if (!grown) return CSM_ENOMEM;
    r->merged = grown;
    char *copy = csm_strdup(path);
    if (!copy) return CSM_ENOMEM;
    grown[r->merged_count++] = (piece){.id = id, .path = copy};
    return CSM_OK;
}

/* Newest segments first, as long as each is at most twice what would be written without it. */
static csm_status choose_merged(rolling *r, int64_t tail_rows) {
    csm_statement *s = NULL;
    bool row = false;
    int64_t total = tail_rows;
    csm_status status = csm_catalog_prepare(
        &s, r->store, "SELECT id, path, rows FROM segments WHERE stream = ? ORDER BY id DESC");
    if (!status) status = csm_statement_bind_i64(s, 1, r->id);
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        const int64_t rows = csm_statement_i64(s, 2);
        if (rows > 2 * total || rows + total > (int64_t)MERGED_ROWS_MAX) break;
        status = add_merged(r, csm_statement_i64(s, 0), csm_statement_text(s, 1));
        total += rows;
    }
    csm_statement_close(s);
    return status;
}

static csm_status collect(rolling *r, bool merge) {
    csm_records_free(&r->records);
    csm_status status = csm_records_init(&r->records, csm_kind_find(r->stream->kind));
    for (size_t i = 0; merge && i < r->merged_count && !status; i++)
        status =
            csm_gather_segment(&r->records, r->store, r->context, r->id, r->merged[i].id, r->merged[i].path);
    if (!status) status = csm_gather_tail(&r->records, r->store, r->context, r->id);
    if (!status) status = csm_records_sort(&r->records);
    return status;
}

static csm_status take_rows(rolling *r, int64_t tail_rows) {
    csm_status status = choose_merged(r, tail_rows);
    if (!status) status = collect(r, true);
    if (status ==
        CSM_ECORRUPT) { /* a damaged segment stays where it is and must not keep the tail from rolling */
        for (size_t i = 0; i < r->merged_count; i++) csm_dealloc(r->merged[i].path);
        r->merged_count = 0;
        status = collect(r, false);
    }
    if (status) return status;
    csm_segment_shape(r->records.table);
    if (csm_stream_fits(r->store, r->id, r->records.table)) csm_table_trim(r->records.table);
    return CSM_OK;
}

static csm_status load_sources(rolling *r) {
    r->sources = csm_alloc_array(r->records.source_count, sizeof *r->sources);
    csm_status status = r->sources ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; i < r->records.source_count && !status; i++)
        status = csm_provenance_load(&r->sources[i], r->store, r->records.sources[i]);
    return status;
}

/* ---- writing ---- */

static csm_status write_parts(rolling *r) {
    const size_t rows = r->records.table->rows,
                 parts = (rows + CSM_SEGMENT_ROWS_MAX - 1) / CSM_SEGMENT_ROWS_MAX;
    r->written = csm_alloc_array(parts, sizeof *r->written);
    csm_status status = r->written ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; i < parts && !status; i++) {
        const size_t begin = i * CSM_SEGMENT_ROWS_MAX, left = rows - begin;
        csm_table *part = NULL;
        status = csm_table_make(&part, r->records.table->kind);
        if (!status)
            status = csm_table_extend(part, r->records.table, begin,
                                      begin + (left < CSM_SEGMENT_ROWS_MAX ? left : CSM_SEGMENT_ROWS_MAX));
        if (!status)
            status = csm_append_segment(&r->written[i], r->store, r->context, r->stream, part,
                                        r->records.provenance + begin, r->sources, r->records.source_count);
        r->written_count += !status;
        csm_table_free(part);
    }
    return status;
}

static csm_status run_with_id(const csm_store *store, const char *sql, int64_t id) {
    csm_statement *s = NULL;
    bool row;
    csm_status status = csm_catalog_prepare(&s, store, sql);
    if (!status) status = csm_statement_bind_i64(s, 1, id);
    if (!status) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

static csm_status retire(const csm_store *store, const piece *p) {
    csm_statement *s = NULL;
    bool row;
    csm_status status = run_with_id(store, "DELETE FROM segments WHERE id = ?", p->id);
    if (!status) status = csm_catalog_prepare(&s, store, "INSERT INTO retired (path, at) VALUES (?, ?)");
    if (!status) status = csm_statement_bind_text(s, 1, p->path);
    if (!status) status = csm_statement_bind_i64(s, 2, csm_platform_now());
    if (!status) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

static csm_status commit(rolling *r) {
    csm_extremes range[CSM_COLUMNS_MAX];
    csm_table_range(range, r->records.table);
    const csm_digits digits = csm_table_digits(r->records.table, range);
    csm_status status = csm_catalog_begin(r->store);
    if (status) return status;
    for (size_t i = 0; i < r->written_count && !status; i++)
        status =
            csm_manifest_add(r->store, r->id, &r->written[i], r->records.sources, r->records.source_count);
    for (size_t i = 0; i < r->merged_count && !status; i++) status = retire(r->store, &r->merged[i]);
    if (!status) status = run_with_id(r->store, "DELETE FROM tail WHERE stream = ?", r->id);
    if (!status) status = csm_stream_widen(r->store, r->id, &digits);
    if (!status) status = csm_catalog_commit(r->store);
    if (status) csm_catalog_rollback(r->store);
    return status;
}

static csm_status roll_rows(csm_store *store, csm_context *context, const csm_stream *stream, int64_t id,
                            int64_t tail_rows) {
    rolling r = {.store = store, .context = context, .stream = stream, .id = id};
    csm_status status = take_rows(&r, tail_rows);
    if (!status) status = load_sources(&r);
    if (!status) status = write_parts(&r);
    if (!status) status = commit(&r);
    rolling_free(&r);
    return status ? csm_fail_prefix(status, "%s:%s", stream->venue, stream->symbol) : CSM_OK;
}

static csm_status tail_rows_of(int64_t *rows, const csm_store *store, int64_t id) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, store, "SELECT coalesce(sum(rows), 0) FROM tail WHERE stream = ?");
    if (!status) status = csm_statement_bind_i64(s, 1, id);
    if (!status) status = csm_statement_step(s, &row);
    *rows = !status && row ? csm_statement_i64(s, 0) : 0;
    csm_statement_close(s);
    return status;
}

/* One section a stream: other processes get their turn between two. */
static csm_status roll_stream(csm_store *store, csm_context *context, const csm_stream *stream, int64_t id) {
    int64_t rows = 0;
    csm_status status = csm_store_enter(store);
    if (status) return status;
    status = tail_rows_of(&rows, store, id);
    if (!status && rows > 0) status = roll_rows(store, context, stream, id, rows);
    csm_store_leave(store);
    return status;
}

static csm_status remove_retired(const csm_store *store, csm_time before) {
    csm_statement *find = NULL, *forget = NULL;
    bool row = false, ignored;
    csm_status status =
        csm_catalog_prepare(&find, store, "SELECT path FROM retired WHERE at < ? ORDER BY path");
    if (!status) status = csm_catalog_prepare(&forget, store, "DELETE FROM retired WHERE path = ?");
    for (;;) { /* one at a time: the statement must not read a table that changes under it */
        if (!status) status = csm_statement_bind_i64(find, 1, before);
        if (!status) status = csm_statement_step(find, &row);
        if (status || !row) break;
        const char *path = csm_statement_text(find, 0);
        char *full = path ? csm_strformat("%s/%s", store->path, path) : NULL;
        status = full ? csm_file_remove(full) : CSM_ENOMEM;
        csm_dealloc(full);
        if (!status) status = csm_statement_bind_text(forget, 1, path);
        csm_statement_reset(find);
        if (!status) status = csm_statement_step(forget, &ignored);
    }
    csm_statement_close(forget);
    csm_statement_close(find);
    return status;
}

csm_status csm_store_roll(csm_store *store, csm_context *context) {
    if (!store || !context) return csm_fail(CSM_EINVAL, "csm_store_roll: an argument is NULL");
    if (store->mode == CSM_STORE_READ)
        return csm_fail(CSM_EREADONLY, "csm_store_roll: %s is opened read-only", store->path);
    csm_stream_list *list = NULL;
    csm_status status = csm_store_streams(&list, store, NULL, NULL);
    for (size_t i = 0; !status && i < csm_stream_list_count(list); i++) {
        status = csm_progress(context, "roll", i, csm_stream_list_count(list));
        if (!status)
            status = roll_stream(store, context, &csm_stream_list_at(list, i)->stream,
                                 csm_stream_list_id(list, i));
    }
    csm_stream_list_free(list);
    return status ? status : csm_roll_remove_retired(store, csm_platform_now() - CSM_RETIRED_FOR);
}

csm_status csm_roll_remove_retired(csm_store *store, csm_time before) {
    csm_status status = csm_store_enter(store);
    if (status) return status;
    status = remove_retired(store, before);
    csm_store_leave(store);
    return status;
}
