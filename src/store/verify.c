/* SPDX-License-Identifier: MIT */
/* The full check: the catalogue's own, every hash, every row's invariants, and that manifest, segments and sources say
 * the same. */
#include "store/append.h"

#include <stdio.h>
#include <string.h>

#define FIRST_TEXT 1024

typedef struct verifying {
    const csm_store *store;
    csm_context *context;
    uint64_t findings;
    char first[FIRST_TEXT]; /* text of the first finding */
} verifying;

/* A fault of the data is a finding and the check goes on; anything else ends it. */
static csm_status note(verifying *v, csm_status status) {
    if (status != CSM_ECORRUPT && status != CSM_EINVAL && status != CSM_EPROVENANCE && status != CSM_EPARSE &&
        status != CSM_ENOTFOUND && status != CSM_EUNSUPPORTED)
        return status;
    if (v->findings++ == 0) snprintf(v->first, sizeof v->first, "%s", csm_error_message());
    csm_log_write(v->context, CSM_LOG_ERROR, "store", "verify: %s", csm_error_message());
    return CSM_OK;
}

/* ---- catalogue ---- */

static csm_status check_pragma(verifying *v, const char *sql, const char *good) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, v->store, sql);
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        const char *word = csm_statement_text(s, 0);
        if (word && good && strcmp(word, good) == 0) continue;
        status =
            note(v, csm_fail(CSM_ECORRUPT, "%s/catalog.db: %s: %s", v->store->path, sql, word ? word : "?"));
    }
    csm_statement_close(s);
    return status;
}

/* ---- segments ---- */

static bool same_source(const csm_provenance *a, const csm_provenance *b) {
    return strcmp(a->source, b->source) == 0 && strcmp(a->request, b->request) == 0 &&
           strcmp(a->origin, b->origin) == 0 && a->received == b->received;
}

static csm_status compare_sources(const verifying *v, int64_t id, const csm_segment *segment,
                                  const char *path) {
    csm_statement *s = NULL;
    bool row = false;
    size_t i = 0;
    csm_status status = csm_catalog_prepare(
        &s, v->store,
        "SELECT source, request, origin, received FROM segment_provenance g JOIN provenance p "
        "ON p.id = g.provenance WHERE segment = ? ORDER BY position");
    if (!status) status = csm_statement_bind_i64(s, 1, id);
    for (; !status && !(status = csm_statement_step(s, &row)) && row; i++) {
        const csm_provenance stored = {.source = csm_statement_text(s, 0),
                                       .request = csm_statement_text(s, 1),
                                       .origin = csm_statement_text(s, 2),
                                       .received = csm_statement_i64(s, 3)};
        if (i >= segment->source_count || !same_source(&stored, &segment->sources[i]))
            status = csm_fail(CSM_ECORRUPT, "%s: source %zu is not the catalogue's", path, i);
    }
    csm_statement_close(s);
    if (!status && i != segment->source_count)
        status =
            csm_fail(CSM_ECORRUPT, "%s: %zu sources, the catalogue has %zu", path, segment->source_count, i);
    return status;
}

static csm_status compare_with_row(const csm_segment *segment, const csm_stream *stream, csm_statement *s,
                                   const char *path) {
    const csm_span span = csm_table_span(segment->table);
    const csm_stream *own = &segment->stream;
    if (strcmp(own->kind, stream->kind) != 0 || strcmp(own->venue, stream->venue) != 0 ||
        strcmp(own->symbol, stream->symbol) != 0 || own->epoch != stream->epoch ||
        own->interval != stream->interval)
        return csm_fail(CSM_ECORRUPT, "%s: holds %s of %s:%s, the manifest says %s:%s", path, own->kind,
                        own->venue, own->symbol, stream->venue, stream->symbol);
    if (csm_statement_i64(s, 4) != (int64_t)segment->table->rows || csm_statement_i64(s, 5) != span.first ||
        csm_statement_i64(s, 6) != span.last || csm_statement_i64(s, 7) != span.oldest ||
        csm_statement_i64(s, 8) != span.newest)
        return csm_fail(CSM_ECORRUPT, "%s: other rows or times than the manifest says", path);
    return CSM_OK;
}

static csm_status check_segment(const verifying *v, const csm_stream *stream, csm_statement *s) {
    csm_buffer bytes = {0};
    csm_segment *segment = NULL;
    char *full = csm_strformat("%s/%s", v->store->path, csm_statement_text(s, 1));
    csm_status status = full ? csm_segment_file_bytes(&bytes, full, (uint64_t)csm_statement_i64(s, 3),
                                                      csm_statement_text(s, 2))
                             : CSM_ENOMEM;
    if (!status)
        status = csm_segment_decode(&segment, bytes.data, bytes.length, full, true,
                                    csm_context_threads(v->context));
    if (!status) status = compare_with_row(segment, stream, s, full);
    if (!status) status = compare_sources(v, csm_statement_i64(s, 0), segment, full);
    if (!status) {
        status = csm_adopt_check_rows(segment);
        if (status) csm_fail_prefix(status, "%s", full);
    }
    csm_segment_free(segment);
    csm_buffer_free(&bytes);
    csm_dealloc(full);
    return status;
}

static csm_status check_segments(verifying *v, const csm_stream *stream, int64_t id) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, v->store,
                            "SELECT id, path, sha256, bytes, rows, first, last, oldest, newest "
                            "FROM segments WHERE stream = ? ORDER BY id");
    if (!status) status = csm_statement_bind_i64(s, 1, id);
    while (!status && !(status = csm_statement_step(s, &row)) && row)
        status = note(v, check_segment(v, stream, s));
    csm_statement_close(s);
    return status;
}

/* ---- live tail ---- */

static csm_status check_block(const csm_stream *stream, csm_statement *s) {
    size_t length;
    csm_table *table = NULL;
    const void *cells = csm_statement_blob(s, 0, &length);
    csm_status status = csm_tail_decode(&table, csm_kind_find(stream->kind), cells, length);
    if (status) return status;
    const csm_span span = csm_table_span(table);
    if (csm_statement_i64(s, 1) != (int64_t)table->rows || csm_statement_i64(s, 2) != span.first ||
        csm_statement_i64(s, 3) != span.last || csm_statement_i64(s, 4) != span.oldest ||
        csm_statement_i64(s, 5) != span.newest)
        status = csm_fail(CSM_ECORRUPT, "tail: a block has other rows or times than its row says");
    for (size_t i = 0; i < table->rows && !status; i++)
        status = csm_kind_check_row(table, i, stream->interval, csm_statement_i64(s, 6));
    csm_table_free(table);
    return status;
}

static csm_status check_tail(verifying *v, const csm_stream *stream, int64_t id) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, v->store,
                            "SELECT cells, rows, first, last, oldest, newest, received FROM tail t "
                            "JOIN provenance p ON p.id = t.provenance WHERE stream = ? ORDER BY t.id");
    if (!status) status = csm_statement_bind_i64(s, 1, id);
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        csm_status found = check_block(stream, s);
        if (found)
            found =
                csm_fail_prefix(found, "%s/catalog.db: %s:%s", v->store->path, stream->venue, stream->symbol);
        status = note(v, found);
    }
    csm_statement_close(s);
    return status;
}

/* ---- both together: no row twice, no two truths ---- */

static csm_status check_rows_together(const verifying *v, const csm_stream *stream, int64_t id) {
    csm_records all = {0};
    csm_status status = csm_store_gather(&all, v->store, v->context, csm_kind_find(stream->kind), id,
                                         CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX, false);
    for (size_t i = 1; !status && i < all.table->rows; i++) {
        char time[CSM_TIME_TEXT];
        if (csm_kind_compare(all.table, i - 1, i) != 0) continue;
        status = csm_fail(CSM_ECORRUPT, "%s:%s: two rows of %s", stream->venue, stream->symbol,
                          csm_time_format(all.table->ticks[CSM_COLUMN_TIME][i], time, sizeof time));
    }
    csm_records_free(&all);
    return status;
}

static csm_status check_stream(verifying *v, const csm_stream *stream, int64_t id) {
    const uint64_t before = v->findings;
    csm_status status = check_segments(v, stream, id);
    if (!status) status = check_tail(v, stream, id);
    if (!status && v->findings == before) status = note(v, check_rows_together(v, stream, id));
    return status;
}

csm_status csm_store_verify(uint64_t *findings, const csm_store *store, csm_context *context) {
    if (!findings || !store || !context) return csm_fail(CSM_EINVAL, "csm_store_verify: an argument is NULL");
    verifying v = {.store = store, .context = context};
    csm_stream_list *list = NULL;
    *findings = 0;
    csm_status status = check_pragma(&v, "PRAGMA integrity_check", "ok");
    if (!status) status = check_pragma(&v, "PRAGMA foreign_key_check", NULL);
    if (!status) status = csm_store_streams(&list, store, NULL, NULL);
    for (size_t i = 0; !status && i < csm_stream_list_count(list); i++) {
        status = csm_progress(context, "verify", i, csm_stream_list_count(list));
        if (!status)
            status = check_stream(&v, &csm_stream_list_at(list, i)->stream, csm_stream_list_id(list, i));
    }
    csm_stream_list_free(list);
    if (status) return status;
    *findings = v.findings;
    if (v.findings) csm_fail(CSM_ECORRUPT, "%s", v.first); /* the text alone; the check itself succeeded */
    return CSM_OK;
}
