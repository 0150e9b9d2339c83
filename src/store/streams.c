/* SPDX-License-Identifier: MIT */
/* What is there, stream by stream. */
#include "store/internal.h"

#include <string.h>

struct csm_stream_list {
    csm_stream_info *info;
    int64_t *id;
    size_t count;
    size_t capacity;
};

static csm_status grow(csm_stream_list *list) {
    if (list->count < list->capacity) return CSM_OK;
    const size_t capacity = list->capacity ? 2 * list->capacity : 16;
    csm_stream_info *info = csm_realloc_array(list->info, capacity, sizeof *info);
    if (!info) return CSM_ENOMEM;
    list->info = info;
    int64_t *id = csm_realloc_array(list->id, capacity, sizeof *id);
    if (!id) return CSM_ENOMEM;
    list->id = id;
    list->capacity = capacity;
    return CSM_OK;
}

static csm_status copy_text(const char **out, csm_statement *s, int column) {
    const char *text = csm_statement_text(s, column);
    *out = csm_strdup(text ? text : "");
    return *out ? CSM_OK : CSM_ENOMEM;
}

static csm_status add_row(csm_stream_list *list, csm_statement *s) {
    csm_status status = grow(list);
    if (status) return status;
    const char *name = csm_statement_text(s, 0);
    const csm_kind *kind = csm_kind_find(name);
    if (!kind)
        return csm_fail(CSM_EUNSUPPORTED, "catalogue: kind \"%s\" is not known to this build",
                        name ? name : "");
    csm_stream_info *info = &list->info[list->count];
    *info = (csm_stream_info){.stream = {.kind = kind->name,
                                         .epoch = (int32_t)csm_statement_i64(s, 3),
                                         .interval = csm_statement_i64(s, 4)},
                              .rows = (uint64_t)csm_statement_i64(s, 8),
                              .first = csm_statement_i64(s, 9),
                              .last = csm_statement_i64(s, 10),
                              .available = csm_statement_i64(s, 5)};
    list->id[list->count++] = csm_statement_i64(s, 11);
    status = copy_text(&info->stream.venue, s, 1);
    if (!status) status = copy_text(&info->stream.symbol, s, 2);
    if (!status) status = copy_text(&info->source, s, 6);
    if (!status) status = copy_text(&info->origin, s, 7);
    return status;
}

csm_status csm_store_streams(csm_stream_list **out, const csm_store *store, const char *kind,
                             const char *venue) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "csm_store_streams: an argument is NULL");
    csm_statement *s = NULL;
    bool row = false;
    *out = NULL;
    csm_stream_list *list = csm_alloc_array(1, sizeof *list);
    if (!list) return CSM_ENOMEM;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "WITH piece AS (SELECT stream, rows, first, last FROM segments"
        " UNION ALL SELECT stream, rows, first, last FROM tail) "
        "SELECT kind, venue, symbol, epoch, interval, newest, source, origin, sum(rows), min(first), "
        "max(last), s.id "
        "FROM streams s JOIN piece ON piece.stream = s.id JOIN provenance p ON p.id = s.provenance "
        "WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL OR venue = ?2) "
        "GROUP BY s.id ORDER BY kind, venue, symbol, epoch, interval");
    if (!status) status = csm_statement_bind_text(s, 1, kind);
    if (!status) status = csm_statement_bind_text(s, 2, venue);
    while (!status && !(status = csm_statement_step(s, &row)) && row) status = add_row(list, s);
    csm_statement_close(s);
    if (status) {
        csm_stream_list_free(list);
        return status;
    }
    *out = list;
    return CSM_OK;
}

size_t csm_stream_list_count(const csm_stream_list *list) {
    return list->count;
}

const csm_stream_info *csm_stream_list_at(const csm_stream_list *list, size_t index) {
    return index < list->count ? &list->info[index] : NULL;
}

int64_t csm_stream_list_id(const csm_stream_list *list, size_t index) {
    return index < list->count ? list->id[index] : 0;
}

void csm_stream_list_free(csm_stream_list *list) {
    if (!list) return;
    for (size_t i = 0; i < list->count; i++) {
        csm_dealloc((void *)(uintptr_t)list->info[i].stream.venue);
        csm_dealloc((void *)(uintptr_t)list->info[i].stream.symbol);
        csm_dealloc((void *)(uintptr_t)list->info[i].source);
        csm_dealloc((void *)(uintptr_t)list->info[i].origin);
    }
    csm_dealloc(list->info);
    csm_dealloc(list->id);
    csm_dealloc(list);
}
