/* SPDX-License-Identifier: MIT */
/* Appends, one or many with one acknowledgement: checked, reduced to what is new, encoded side by side, then written and
 * committed together. */
#include "store/append.h"

#include <string.h>

#define TAIL_ROWS_MAX 4096 /* an append of more rows becomes a segment at once */

typedef struct member {
    csm_append *append;
    const csm_kind *kind;
    size_t first; /* its files among the group's */
    size_t parts; /* 0: to the tail */
    size_t rows;  /* as given */
    csm_span span;
    csm_digits digits;
    csm_status status;
} member;

typedef struct group {
    csm_store *store;
    csm_context *context;
    member *members;
    size_t count;
    csm_segment_file *files;
    size_t file_count;
    uint32_t outer; /* threads over members */
    uint32_t inner; /* threads within one */
} group;

static csm_status fail_member(member *m, csm_status status) {
    m->status = status;
    return status ? csm_fail_prefix(status, "%s:%s", m->append->stream.venue, m->append->stream.symbol)
                  : CSM_OK;
}

/* ---- checks ---- */

static bool same_stream(const csm_stream *a, const csm_stream *b) {
    return a->epoch == b->epoch && a->interval == b->interval && strcmp(a->symbol, b->symbol) == 0 &&
           strcmp(a->venue, b->venue) == 0 && strcmp(a->kind, b->kind) == 0;
}

static csm_status check_member(const group *g, size_t i) {
    member *m = &g->members[i];
    const csm_append *append = m->append;
    csm_status status = csm_stream_check(&append->stream, &m->kind);
    if (!status) status = csm_provenance_check(&append->provenance);
    if (!status && append->rows->kind != m->kind)
        status =
            csm_fail(CSM_EINVAL, "rows of %s for a stream of %s", append->rows->kind->name, m->kind->name);
    for (size_t k = 0; k < i && !status; k++) {
        if (same_stream(&g->members[k].append->stream, &append->stream))
            status = csm_fail(CSM_EINVAL, "%s:%s is in this group already", append->stream.venue,
                              append->stream.symbol);
    }
    m->status = status;
    return status ? csm_fail_prefix(status, "csm_store_append") : CSM_OK;
}

/* What the catalogue keeps of a member's rows. */
static void look_at(member *m, csm_extremes *range) {
    csm_table_range(range, m->append->rows);
    m->rows = m->append->rows->rows;
    m->span = csm_range_span(range);
    m->digits = csm_table_digits(m->append->rows, range);
}

/* Rules, order and shape of each member's rows, on all threads. */
static csm_status prepare(void *user, size_t begin, size_t end, uint32_t worker) {
    const group *g = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++) {
        member *m = &g->members[i];
        csm_records fresh = {.table = m->append->rows};
        csm_extremes range[CSM_COLUMNS_MAX];
        csm_segment_shape(fresh.table); /* first: prices in one scale are checked faster */
        look_at(m, range);
        status = csm_kind_check_rows(fresh.table, range, m->append->stream.interval,
                                     m->append->provenance.received);
        if (!status) status = csm_records_sort(&fresh);
        status = fail_member(m, status);
    }
    return status;
}

/* ---- what is new ---- */

static csm_status leave_known(const group *g, const member *m) {
    csm_records present = {0}, fresh = {.table = m->append->rows};
    int64_t stream;
    const csm_span span = m->span;
    csm_status status = csm_stream_find(&stream, g->store, &m->append->stream);
    if (!status && stream) status = csm_stream_fits(g->store, stream, fresh.table);
    if (!status && stream)
        status = csm_store_gather(&present, g->store, g->context, m->kind, stream, span.first,
                                  span.last == CSM_TIME_MAX ? span.last : span.last + 1, CSM_TIME_MAX, false);
    if (!status) status = csm_append_leave_known(&fresh, stream ? &present : NULL);
    csm_records_free(&present);
    return status;
}

static csm_status take_new(group *g) {
    csm_status status = CSM_OK;
    for (size_t i = 0; i < g->count && !status; i++) {
        member *m = &g->members[i];
        if (m->append->rows->rows >= TAIL_ROWS_MAX) status = csm_progress(g->context, "append", i, g->count);
        if (!status && m->append->rows->rows > 0) status = fail_member(m, leave_known(g, m));
        const size_t rows = m->append->rows->rows;
        m->first = g->file_count;
        m->parts = rows < TAIL_ROWS_MAX ? 0 : (rows + CSM_SEGMENT_ROWS_MAX - 1) / CSM_SEGMENT_ROWS_MAX;
        g->file_count += m->parts;
        m->append->stored = rows;
    }
    return status;
}

/* ---- segments ---- */

/* Rows [begin, end) as the image of a file. */
static csm_status encode_part(csm_segment_file *file, const member *m, size_t begin, size_t end,
                              uint32_t threads) {
    const csm_provenance *from = &m->append->provenance;
    const csm_provenance source = {.source = from->source,
                                   .request = from->request,
                                   .origin = from->origin ? from->origin : "",
                                   .received = from->received};
    const csm_table *rows = m->append->rows;
    csm_table *part = NULL;
    csm_status status = CSM_OK;
    if (begin > 0 || end < rows->rows) {
        status = csm_table_make(&part, m->kind);
        if (!status) status = csm_table_extend(part, rows, begin, end);
        rows = part;
    }
    if (!status)
        status = csm_segment_encode(&file->image, &m->append->stream, rows, NULL, &source, 1, threads);
    if (!status)
        file->row = (csm_manifest_row){
            .bytes = file->image.length, .rows = rows->rows, .span = part ? csm_table_span(part) : m->span};
    file->stream = &m->append->stream;
    csm_table_free(part);
    return status;
}

static csm_status encode(void *user, size_t begin, size_t end, uint32_t worker) {
    const group *g = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++) {
        member *m = &g->members[i];
        const size_t rows = m->append->rows->rows;
        csm_extremes range[CSM_COLUMNS_MAX];
        if (rows != m->rows) look_at(m, range); /* some were known */
        for (size_t k = 0; k < m->parts && !status; k++) {
            const size_t at = k * CSM_SEGMENT_ROWS_MAX, left = rows - at;
            status = encode_part(&g->files[m->first + k], m, at,
                                 left < CSM_SEGMENT_ROWS_MAX ? rows : at + CSM_SEGMENT_ROWS_MAX, g->inner);
        }
        status = fail_member(m, status);
    }
    return status;
}

/* ---- one transaction ---- */

static csm_status name_member(const group *g, const member *m) {
    int64_t source = 0, stream = 0;
    csm_status status = csm_provenance_note(&source, g->store, &m->append->provenance);
    if (!status)
        status = csm_stream_note(&stream, g->store, &m->append->stream, &m->digits, m->span.newest, source);
    if (!status && m->parts == 0) status = csm_tail_insert(g->store, stream, source, m->append->rows);
    for (size_t k = 0; k < m->parts && !status; k++)
        status = csm_manifest_add(g->store, stream, &g->files[m->first + k].row, &source, 1);
    return status;
}

static csm_status commit(const group *g) {
    csm_status status = csm_catalog_begin(g->store);
    if (status) return status;
    for (size_t i = 0; i < g->count && !status; i++) {
        if (g->members[i].append->rows->rows > 0) status = name_member(g, &g->members[i]);
    }
    if (!status) status = csm_catalog_commit(g->store);
    if (status) csm_catalog_rollback(g->store);
    return status;
}

/* Segments and tail blocks that the group makes. */
static size_t things_of(const group *g) {
    size_t things = 0;
    for (size_t i = 0; i < g->count; i++)
        things += g->members[i].parts ? g->members[i].parts : g->members[i].append->rows->rows > 0;
    return things;
}

/* From the look at what is stored until the commit no other process may write. */
static csm_status store_new(group *g) {
    char *note = NULL;
    csm_status status = take_new(g);
    const size_t things = things_of(g);
    if (status) return status;
    if (things == 0) return CSM_OK;
    /* More than one, and files among them: none may become visible without the others. */
    const bool noted = g->file_count > 0 && things > 1;
    g->files = csm_alloc_array(g->file_count, sizeof *g->files);
    if (!g->files) return CSM_ENOMEM;
    status = csm_parallel_for(g->outer, g->count, 1, encode, g);
    if (!status)
        status = csm_segment_files_write(g->files, g->file_count, g->store, g->context, noted ? &note : NULL);
    if (!status) status = commit(g);
    /* After a commit that failed the note stays: recovery knows from the manifest whether it did. */
    if (!status && note) (void)csm_file_remove(note);
    if (status && note) g->store->unclean = true;
    csm_dealloc(note);
    return status;
}

static csm_status append_all(group *g) {
    csm_status status = CSM_OK;
    for (size_t i = 0; i < g->count && !status; i++) status = check_member(g, i);
    if (!status) status = csm_parallel_for(g->outer, g->count, 1, prepare, g);
    if (!status) status = csm_store_enter(g->store);
    if (status) return status;
    status = store_new(g);
    csm_store_leave(g->store);
    return status;
}

csm_status csm_append_group(csm_store *store, csm_context *context, csm_append *appends, size_t count,
                            size_t *failed) {
    const uint32_t threads = csm_context_threads(context);
    group g = {.store = store, .context = context, .count = count};
    *failed = count;
    if (store->mode == CSM_STORE_READ)
        return csm_fail(CSM_EREADONLY, "csm_store_append: %s is opened read-only", store->path);
    if (count == 0) return CSM_OK;
    g.outer = count > 1 ? threads : 1;
    g.inner = count > 1 ? 1 : threads;
    g.members = csm_alloc_array(count, sizeof *g.members);
    if (!g.members) return CSM_ENOMEM;
    for (size_t i = 0; i < count; i++) g.members[i].append = &appends[i];
    const csm_status status = append_all(&g);
    for (size_t i = count; status && i > 0; i--) {
        if (g.members[i - 1].status) *failed = i - 1;
    }
    csm_segment_files_free(g.files, g.file_count);
    csm_dealloc(g.members);
    return status;
}

csm_status csm_store_append(csm_store *store, csm_context *context, const csm_stream *stream,
                            const csm_table *rows, const csm_provenance *provenance) {
    if (!store || !context || !rows) return csm_fail(CSM_EINVAL, "csm_store_append: an argument is NULL");
    const csm_kind *kind;
    size_t failed;
    csm_append append = {0};
    csm_status status = csm_stream_check(stream, &kind);
    if (!status) status = csm_provenance_check(provenance);
    if (status) return csm_fail_prefix(status, "csm_store_append");
    append.stream = *stream;
    append.provenance = *provenance;
    status = csm_table_make(&append.rows, rows->kind);
    if (!status) status = csm_table_extend(append.rows, rows, 0, rows->rows);
    if (!status) status = csm_append_group(store, context, &append, 1, &failed);
    csm_table_free(append.rows);
    return status;
}
