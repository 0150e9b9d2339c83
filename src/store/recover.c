/* SPDX-License-Identifier: MIT */
/*
 * Start-up is recovery. What a kill can leave behind: temporaries (swept), a whole segment whose manifest row was not
 * committed (adopted when its rows are not stored elsewhere, else quarantined), some segments of a group that was not
 * committed, with the group's note (removed), a file that is not whole (quarantined).
 * What decay can leave: a named segment that is absent or cut (counted; the store opens and reads of it fail).
 */
#include "store/append.h"
#include "store/manifest.h"

#include <stdio.h>
#include <string.h>

#define TEMPORARY ".tmp-"
#define EXTENSION ".h5"
#define NOTE_BYTES_MAX ((size_t)1 << 26)

static bool begins_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool ends_with(const char *text, const char *suffix) {
    const size_t length = strlen(text), tail = strlen(suffix);
    return length >= tail && strcmp(text + length - tail, suffix) == 0;
}

/* ---- the catalogue itself ---- */

static csm_status check_catalog(const csm_store *store) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, store, "PRAGMA quick_check(1)");
    if (!status) status = csm_statement_step(s, &row);
    const char *word = !status && row ? csm_statement_text(s, 0) : NULL;
    if (!status && (!word || strcmp(word, "ok") != 0))
        status =
            csm_fail(CSM_ECORRUPT, "%s/catalog.db: %s", store->path, word ? word : "quick_check is silent");
    csm_statement_close(s);
    return status;
}

/* ---- files the manifest names ---- */

/* Size and footer, as far as they can be seen without reading the whole. */
static csm_status is_whole(bool *whole, const csm_store *store, const char *path, uint64_t bytes) {
    uint8_t footer[CSM_FOOTER_BYTES];
    uint64_t size = 0;
    *whole = false;
    char *full = csm_strformat("%s/%s", store->path, path);
    if (!full) return CSM_ENOMEM;
    if (!csm_file_size(&size, full) && size == bytes && size >= sizeof footer &&
        !csm_file_read_part(footer, full, size - sizeof footer, sizeof footer))
        *whole = csm_segment_footer_fits(footer, size);
    csm_dealloc(full);
    return CSM_OK;
}

static csm_status check_named(csm_store *store, csm_context *context) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, store, "SELECT path, bytes FROM segments ORDER BY path");
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        const char *path = csm_statement_text(s, 0);
        bool whole;
        status = is_whole(&whole, store, path, (uint64_t)csm_statement_i64(s, 1));
        if (status || whole) continue;
        store->recovery.segments_missing++;
        csm_log_write(context, CSM_LOG_ERROR, "store", "%s/%s: named by the manifest, but absent or cut",
                      store->path, path);
    }
    csm_statement_close(s);
    return status;
}

/* ---- files it does not name ---- */

static csm_status write_note(const char *target, const char *path, const char *why) {
    char *note = csm_strformat("%s.txt", target), *text = csm_strformat("%s\n%s\n", path, why);
    const csm_status status =
        note && text ? csm_file_write_atomic(note, text, strlen(text), 0644) : CSM_ENOMEM;
    csm_dealloc(text);
    csm_dealloc(note);
    return status;
}

/* Moves a file to quarantine/ under a name that is free, with a note beside it that says why. */
static csm_status quarantine(csm_store *store, csm_context *context, const char *path, const char *why) {
    const char *name = strrchr(path, '/');
    char *full = csm_strformat("%s/%s", store->path, path),
         *folder = csm_strformat("%s/quarantine", store->path);
    char *target = NULL;
    csm_status status = full && folder ? csm_folder_make(folder) : CSM_ENOMEM;
    for (unsigned i = 0; !status; i++) {
        csm_dealloc(target);
        target =
            i ? csm_strformat("%s/%s.%u", folder, name + 1, i) : csm_strformat("%s/%s", folder, name + 1);
        if (!target) status = CSM_ENOMEM;
        if (status || !csm_file_exists(target)) break;
    }
    if (!status) status = write_note(target, path, why);
    if (!status) status = csm_file_rename(full, target);
    if (!status) status = csm_folder_sync(folder);
    if (!status) {
        store->recovery.segments_quarantined++;
        csm_log_write(context, CSM_LOG_WARN, "store", "%s: quarantined: %s", path, why);
    }
    csm_dealloc(target);
    csm_dealloc(folder);
    csm_dealloc(full);
    return status;
}

/* Whether memory or the disk failed us, which says nothing about the file. */
static bool is_ours(csm_status status) {
    return status == CSM_ENOMEM || status == CSM_EIO || status == CSM_ENOSPACE || status == CSM_EREADONLY ||
           status == CSM_ECANCELLED;
}

static csm_status adopt_orphan(csm_store *store, csm_context *context, const char *path) {
    char *full = csm_strformat("%s/%s", store->path, path);
    csm_buffer bytes = {0};
    csm_segment *segment = NULL;
    bool adopted = false;
    csm_status status = full ? csm_file_read(&bytes, full, CSM_SEGMENT_BYTES_MAX) : CSM_ENOMEM;
    if (!status)
        status =
            csm_segment_decode(&segment, bytes.data, bytes.length, full, true, csm_context_threads(context));
    if (!status) status = csm_adopt_segment(&adopted, store, context, segment, path, &bytes);
    csm_segment_free(segment);
    csm_buffer_free(&bytes);
    csm_dealloc(full);
    store->recovery.segments_adopted += !status && adopted;
    if (is_ours(status) || (!status && adopted)) return status;
    char why[512];
    snprintf(why, sizeof why, "%s", status ? csm_error_message() : "its rows are stored elsewhere");
    return quarantine(store, context, path, why);
}

/* ---- groups that a kill cut off ---- */

static csm_status sync_folder_of(const char *full) {
    char *folder = csm_path_folder(full);
    const csm_status status = folder ? csm_folder_sync(folder) : CSM_ENOMEM;
    csm_dealloc(folder);
    return status;
}

/* What a note lists and the manifest does not name was not acknowledged: other files of its group may be missing. */
static csm_status undo_path(csm_store *store, csm_context *context, const char *path) {
    bool named = true;
    char *full = csm_strformat("%s/%s", store->path, path);
    csm_status status = full ? CSM_OK : CSM_ENOMEM;
    if (!status && csm_manifest_path_is_plain(path) && begins_with(path, "segments/"))
        status = csm_manifest_names(&named, store, path);
    if (!status && !named && csm_file_exists(full)) {
        status = csm_file_remove(full);
        if (!status) status = sync_folder_of(full); /* before the note goes */
        store->recovery.temporaries_swept += !status;
        csm_log_write(context, CSM_LOG_INFO, "store", "%s: removed, its group was not committed", path);
    }
    csm_dealloc(full);
    return status;
}

/* The lines of one note; a last one without its end was never followed by a rename. The note itself is swept with the
 * other temporaries, after all of it is done. */
static csm_status undo_group(csm_store *store, csm_context *context, const char *name) {
    csm_buffer text = {0};
    char *full = csm_strformat("%s/%s", store->path, name);
    csm_status status = full ? csm_file_read(&text, full, NOTE_BYTES_MAX) : CSM_ENOMEM;
    char *line = text.data;
    for (char *end; !status && line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        status = undo_path(store, context, line);
    }
    csm_buffer_free(&text);
    csm_dealloc(full);
    return status;
}

static csm_status undo_groups(csm_store *store, csm_context *context) {
    char **names = NULL;
    size_t count = 0;
    csm_status status = csm_folder_list(&names, &count, store->path);
    for (size_t i = 0; i < count && !status; i++) {
        if (begins_with(names[i], CSM_GROUP_NOTE)) status = undo_group(store, context, names[i]);
    }
    csm_folder_list_free(names, count);
    return status;
}

/* ---- all files ---- */

/* Files of the store's own are made under its lock: nobody is writing them now. Others beside the catalogue (limits of
 * net) may be, by a process that shares the workspace. */
static csm_status sweep(csm_store *store, const char *path, bool own) {
    csm_time modified = CSM_TIME_MIN;
    char *full = csm_strformat("%s/%s", store->path, path);
    csm_status status = full ? CSM_OK : CSM_ENOMEM;
    if (!status && !own && !csm_file_modified(&modified, full))
        own = modified < csm_platform_now() - CSM_HOUR;
    if (!status && own) status = csm_file_remove(full);
    store->recovery.temporaries_swept += !status && own;
    csm_dealloc(full);
    return status;
}

static csm_status meet_file(csm_store *store, csm_context *context, const char *folder, const char *name,
                            bool segments) {
    char *path = csm_strformat("%s/%s", folder, name);
    bool named = true;
    csm_status status = path ? CSM_OK : CSM_ENOMEM;
    if (!status && begins_with(name, TEMPORARY)) {
        status = sweep(store, path, segments || begins_with(name, CSM_GROUP_NOTE));
    } else if (!status && segments && ends_with(name, EXTENSION)) {
        status = csm_manifest_names(&named, store, path);
        if (!status && !named) status = adopt_orphan(store, context, path);
    }
    csm_dealloc(path);
    return status;
}

/* Walks `folder` (relative to the workspace) and `depth` levels of folders below it. */
static csm_status walk(csm_store *store, csm_context *context, const char *folder, int depth) {
    const bool segments = begins_with(folder, "segments");
    char *full = csm_strformat("%s/%s", store->path, folder);
    char **names = NULL;
    size_t count = 0;
    if (!full) return CSM_ENOMEM;
    csm_status status = csm_file_exists(full) ? csm_folder_list(&names, &count, full) : CSM_OK;
    csm_dealloc(full);
    for (size_t i = 0; i < count && !status; i++) {
        if (depth == 0 || strchr(names[i], '.')) {
            status = meet_file(store, context, folder, names[i], segments);
            continue;
        }
        char *path = csm_strformat("%s/%s", folder, names[i]);
        status = path ? walk(store, context, path, depth - 1) : CSM_ENOMEM;
        csm_dealloc(path);
    }
    csm_folder_list_free(names, count);
    return status;
}

csm_status csm_store_recover(csm_store *store, csm_context *context) {
    int64_t rows = 0;
    csm_status status = check_catalog(store);
    if (!status) status = check_named(store, context);
    if (!status) status = undo_groups(store, context);
    if (!status) status = walk(store, context, ".", 0);
    if (!status) status = walk(store, context, "quarantine", 0);
    if (!status) status = walk(store, context, "segments", 2);
    if (!status) status = csm_roll_remove_retired(store, csm_platform_now() - CSM_RETIRED_FOR);
    if (!status) status = csm_catalog_number(&rows, store, "SELECT coalesce(sum(rows), 0) FROM tail", 0);
    store->recovery.tail_rows = (uint64_t)rows;
    return status;
}
