/* SPDX-License-Identifier: MIT */
/* Files whose rows are stored together: the disk is waited for once a group, not once a file. */
#include "ingest/import.h"

#include <string.h>

#define GROUP_FILES ((size_t)64)
#define GROUP_ROWS ((size_t)1 << 20) /* about 80 MB of tables and 10 MB of images */

static void forget(csm_import_group *group) {
    for (size_t i = 0; i < group->file_count; i++) csm_import_file_free(group->files[i]);
    for (size_t i = 0; i < group->append_count; i++) csm_table_free(group->appends[i].rows);
    group->file_count = group->append_count = group->rows = 0;
}

void csm_import_group_free(csm_import_group *group) {
    forget(group);
    csm_dealloc(group->files);
    csm_dealloc(group->items);
    csm_dealloc(group->appends);
    csm_dealloc(group->owners);
    *group = (csm_import_group){0};
}

static csm_status grow(void **first, size_t first_size, size_t **second, size_t count, size_t *capacity) {
    if (count < *capacity) return CSM_OK;
    const size_t larger = *capacity ? 2 * *capacity : 16;
    void *a = csm_realloc_array(*first, larger, first_size);
    if (a == NULL) return CSM_ENOMEM;
    *first = a;
    size_t *b = csm_realloc_array(*second, larger, sizeof *b);
    if (b == NULL) return CSM_ENOMEM;
    *second = b;
    *capacity = larger;
    return CSM_OK;
}

/* Takes the file. */
csm_status csm_import_group_take(csm_import_group *group, csm_import_file *file, size_t item) {
    void *files = group->files;
    const csm_status status =
        grow(&files, sizeof *group->files, &group->items, group->file_count, &group->file_capacity);
    group->files = files;
    if (status != CSM_OK) {
        csm_import_file_free(file);
        return status;
    }
    group->items[group->file_count] = item;
    group->files[group->file_count++] = file;
    return CSM_OK;
}

/* Takes the rows, of the newest file. */
csm_status csm_import_group_append(csm_import_group *group, const csm_stream *stream,
                                   const csm_provenance *provenance, csm_table *rows) {
    void *appends = group->appends;
    const csm_status status =
        grow(&appends, sizeof *group->appends, &group->owners, group->append_count, &group->append_capacity);
    group->appends = appends;
    if (status != CSM_OK) {
        csm_table_free(rows);
        return status;
    }
    group->owners[group->append_count] = group->file_count - 1;
    group->appends[group->append_count++] =
        (csm_append){.stream = *stream, .provenance = *provenance, .rows = rows};
    group->rows += rows->rows;
    return CSM_OK;
}

static void drop_appends_of(csm_import_group *group, size_t file) {
    size_t kept = 0;
    for (size_t i = 0; i < group->append_count; i++) {
        if (group->owners[i] == file) {
            csm_table_free(group->appends[i].rows);
            continue;
        }
        group->appends[kept] = group->appends[i];
        group->owners[kept++] = group->owners[i];
    }
    group->append_count = kept;
}

/* These end the import; anything else is the file's own misfortune. */
static bool stops_everything(csm_status status) {
    return status == CSM_ENOMEM || status == CSM_ECANCELLED || status == CSM_ENOSPACE ||
           status == CSM_EREADONLY || status == CSM_EIO || status == CSM_ECORRUPT || status == CSM_EINTERNAL;
}

/* Writes a failure into the file's item. */
csm_status csm_import_say_failure(const csm_import *import, csm_import_file *file, size_t item_index,
                                  csm_status status) {
    csm_ingest_item *item = &import->report->items[item_index];
    if (file->status == CSM_OK) csm_import_file_fail(file, status);
    const char *text = file->text != NULL ? file->text : csm_status_name(status);
    item->net_class = CSM_NET_PARSE;
    item->rows = 0;
    if (import->report->first_failure == CSM_OK) import->report->first_failure = status;
    const csm_status said = csm_report_say(import->report, item, text);
    return stops_everything(status) ? csm_fail(status, "%s: %s", file->name, text) : said;
}

static csm_status note_stored(const csm_import_group *group) {
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < group->append_count; i++) {
        csm_ingest_item *item = &group->import->report->items[group->items[group->owners[i]]];
        uint64_t count = 0;
        item->rows += group->appends[i].stored;
        status = csm_stream_extent(&count, &item->newest, group->import->store, &group->appends[i].stream);
    }
    return status;
}

csm_status csm_import_group_store(csm_import_group *group) {
    const csm_import *import = group->import;
    csm_status status = CSM_OK;
    while (group->append_count > 0) {
        size_t failed = group->append_count;
        status =
            csm_append_group(import->store, import->context, group->appends, group->append_count, &failed);
        if (status == CSM_OK) status = note_stored(group);
        if (status == CSM_OK || failed >= group->append_count) break;
        const size_t file = group->owners[failed];
        status = csm_import_say_failure(import, group->files[file], group->items[file], status);
        if (status != CSM_OK) break;
        drop_appends_of(group, file);
    }
    forget(group);
    return status;
}

bool csm_import_group_is_full(const csm_import_group *group, size_t rows) {
    return group->file_count >= GROUP_FILES || group->rows + rows > GROUP_ROWS;
}

bool csm_import_group_holds(const csm_import_group *group, const csm_stream *stream) {
    for (size_t i = 0; i < group->append_count; i++) {
        const csm_stream *other = &group->appends[i].stream;
        if (other->interval == stream->interval && strcmp(other->kind, stream->kind) == 0 &&
            strcmp(other->symbol, stream->symbol) == 0)
            return true;
    }
    return false;
}
