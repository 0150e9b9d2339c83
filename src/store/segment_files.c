/* SPDX-License-Identifier: MIT */
/* Segments on their way to disk. Many go together: the disk is waited for twice a group, not four times a file. */
#include "store/segment_file.h"

#include <stdio.h>
#include <string.h>

#define NAME_PART 48 /* bytes of venue and of symbol in a file's name */
#define SYNC_THREADS                                                                                         \
    8 /* they wait: a file system joins syncs that wait together into one commit of its journal */
#define SMALL_BYTES 65536 /* starting a thread for less takes longer */

void csm_segment_files_free(csm_segment_file *files, size_t count) {
    for (size_t i = 0; files && i < count; i++) {
        csm_buffer_free(&files[i].image);
        csm_manifest_row_free(&files[i].row);
        csm_dealloc(files[i].full);
        csm_dealloc(files[i].temporary);
    }
    csm_dealloc(files);
}

/* ---- names ---- */

/* Letters, digits and dots stay; everything else becomes '-', so that a name never leaves its folder. */
static void plain_name(char out[NAME_PART + 1], const char *text) {
    size_t n = 0;
    for (; n < NAME_PART && text[n]; n++) {
        const char c = text[n];
        const bool keep =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c == '.' && n > 0);
        out[n] = keep ? c : '-';
    }
    out[n] = '\0';
}

/* Named by the CRC-32 in the footer, which is known before the SHA-256 is; `attempt` tells files of equal CRC apart. */
char *csm_segment_path(const csm_stream *stream, const csm_buffer *image, unsigned attempt) {
    char venue[NAME_PART + 1], symbol[NAME_PART + 1];
    const uint8_t *crc = (const uint8_t *)image->data + image->length - CSM_FOOTER_BYTES + 16;
    plain_name(venue, stream->venue);
    plain_name(symbol, stream->symbol);
    const char *parts = attempt ? "segments/%s/%02x/%s_%s_%02x%02x%02x%02x-%u.h5"
                                : "segments/%s/%02x/%s_%s_%02x%02x%02x%02x.h5";
    return csm_strformat(parts, stream->kind, crc[3], venue, symbol, crc[3], crc[2], crc[1], crc[0], attempt);
}

typedef struct writing {
    csm_segment_file *files;
    size_t count;
    const csm_store *store;
    char **folders; /* whose entries change */
    size_t folder_count;
    const char *note;
} writing;

static bool is_taken(const writing *w, size_t before, const char *path) {
    for (size_t i = 0; i < before; i++) {
        if (strcmp(w->files[i].row.path, path) == 0) return true;
    }
    return false;
}

/* A name the manifest does not give to another file. What an append that failed left under it is written over. */
static csm_status choose_path(const writing *w, size_t i) {
    csm_segment_file *file = &w->files[i];
    csm_status status = CSM_OK;
    bool named = true;
    for (unsigned attempt = 0; named && !status; attempt++) {
        csm_dealloc(file->row.path);
        file->row.path = csm_segment_path(file->stream, &file->image, attempt);
        status = file->row.path ? csm_manifest_names(&named, w->store, file->row.path) : CSM_ENOMEM;
        if (!status && !named) named = is_taken(w, i, file->row.path);
    }
    if (!status) file->full = csm_strformat("%s/%s", w->store->path, file->row.path);
    return status ? status : file->full ? CSM_OK : CSM_ENOMEM;
}

/* ---- folders ---- */

/* Takes `folder`. */
static void add_folder(writing *w, char *folder) {
    for (size_t i = 0; i < w->folder_count; i++) {
        if (strcmp(w->folders[i], folder) != 0) continue;
        csm_dealloc(folder);
        return;
    }
    w->folders[w->folder_count++] = folder;
}

/* segments/KIND/XX of one file; a new one is an entry of segments/KIND. */
static csm_status make_folder_of(writing *w, const char *full) {
    bool made = false;
    char *folder = csm_path_folder(full), *parent = folder ? csm_path_folder(folder) : NULL;
    csm_status status = parent ? CSM_OK : CSM_ENOMEM;
    if (!status && !csm_folder_exists(parent)) status = csm_folder_make(parent);
    if (!status) status = csm_folder_add(&made, folder);
    if (!status) {
        add_folder(w, folder);
        folder = NULL;
    }
    if (!status && made) {
        add_folder(w, parent);
        parent = NULL;
    }
    csm_dealloc(parent);
    csm_dealloc(folder);
    return status;
}

static csm_status make_folders(writing *w) {
    csm_status status = CSM_OK;
    w->folders = csm_alloc_array(2 * w->count, sizeof *w->folders);
    if (!w->folders) return CSM_ENOMEM;
    for (size_t i = 0; i < w->count && !status; i++) status = make_folder_of(w, w->files[i].full);
    return status;
}

/* ---- bytes ---- */

static csm_status compare_with_disk(const csm_segment_file *file) {
    csm_buffer back = {0};
    csm_status status = csm_file_read(&back, file->temporary, CSM_SEGMENT_BYTES_MAX);
    if (!status &&
        (back.length != file->image.length || memcmp(back.data, file->image.data, back.length) != 0))
        status = csm_fail(CSM_EIO, "%s: reads back other bytes than were written", file->full);
    csm_buffer_free(&back);
    return status;
}

/* Two things of each file that do not wait for each other: even numbers hash the image, odd ones write it beside its name
 * and read it back. */
static csm_status hash_or_write(void *user, size_t begin, size_t end, uint32_t worker) {
    const writing *w = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++) {
        csm_segment_file *file = &w->files[i / 2];
        if (i % 2 == 0) {
            const csm_hash hash = csm_hash_bytes(file->image.data, file->image.length);
            csm_hash_format(&hash, file->row.sha256);
            continue;
        }
        status =
            csm_file_write_beside(&file->temporary, file->full, file->image.data, file->image.length, 0644);
        if (!status) status = compare_with_disk(file);
    }
    return status;
}

static csm_status write_note(char **note, const writing *w) {
    csm_buffer text = {0};
    csm_status status = CSM_OK;
    for (size_t i = 0; i < w->count && !status; i++)
        status = csm_buffer_printf(&text, "%s\n", w->files[i].row.path);
    char *name = status ? NULL : csm_strformat("%s/group", w->store->path);
    if (!status && !name) status = CSM_ENOMEM;
    if (!status) status = csm_file_write_beside(note, name, text.data, text.length, 0644);
    csm_dealloc(name);
    csm_buffer_free(&text);
    return status;
}

/* ---- what must be on disk ---- */

static csm_status sync_files(void *user, size_t begin, size_t end, uint32_t worker) {
    const writing *w = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++)
        status = i < w->count    ? csm_file_sync(w->files[i].temporary)
                 : i == w->count ? csm_file_sync(w->note)
                                 : csm_folder_sync(w->store->path);
    return status;
}

static csm_status sync_folders(void *user, size_t begin, size_t end, uint32_t worker) {
    const writing *w = user;
    csm_status status = CSM_OK;
    (void)worker;
    for (size_t i = begin; i < end && !status; i++) status = csm_folder_sync(w->folders[i]);
    return status;
}

static csm_status rename_all(const writing *w) {
    csm_status status = CSM_OK;
    for (size_t i = 0; i < w->count && !status; i++) {
        csm_segment_file *file = &w->files[i];
        status = csm_file_rename(file->temporary, file->full);
        if (status) break;
        csm_dealloc(file->temporary);
        file->temporary = NULL;
        file->renamed = true;
    }
    return status;
}

/* Nothing names them: best effort, recovery sweeps what stays. Keeps the error text. */
static void remove_all(const writing *w) {
    for (size_t i = 0; i < w->count; i++) {
        const csm_segment_file *file = &w->files[i];
        if (file->temporary) (void)remove(file->temporary);
        if (file->renamed) (void)remove(file->full);
    }
    if (w->note) (void)remove(w->note);
}

static csm_status write_together(writing *w, csm_context *context, char **note) {
    size_t bytes = 0;
    csm_status status = CSM_OK;
    for (size_t i = 0; i < w->count && !status; i++) {
        status = choose_path(w, i);
        bytes += w->files[i].image.length;
    }
    if (!status) status = make_folders(w);
    const uint32_t threads = bytes < SMALL_BYTES ? 1 : csm_context_threads(context);
    if (!status) status = csm_parallel_for(threads, 2 * w->count, 1, hash_or_write, w);
    if (!status && note) status = write_note(note, w);
    if (note) w->note = *note;
    if (!status) status = csm_parallel_for(SYNC_THREADS, w->count + (note ? 2 : 0), 1, sync_files, w);
    if (!status) status = rename_all(w);
    if (!status) status = csm_parallel_for(SYNC_THREADS, w->folder_count, 1, sync_folders, w);
    return status;
}

csm_status csm_segment_files_write(csm_segment_file *files, size_t count, const csm_store *store,
                                   csm_context *context, char **note) {
    writing w = {.files = files, .count = count, .store = store};
    const csm_status status = count ? write_together(&w, context, note) : CSM_OK;
    if (status) remove_all(&w);
    for (size_t i = 0; i < w.folder_count; i++) csm_dealloc(w.folders[i]);
    csm_dealloc(w.folders);
    return status;
}

csm_status csm_segment_file_write(csm_manifest_row *out, const csm_store *store, csm_context *context,
                                  const csm_stream *stream, const csm_buffer *image, const csm_table *rows) {
    csm_segment_file file = {
        .stream = stream,
        .image = *image, /* lent */
        .row = {.bytes = image->length, .rows = rows->rows, .span = csm_table_span(rows)}};
    const csm_status status = csm_segment_files_write(&file, 1, store, context, NULL);
    csm_dealloc(file.full);
    csm_dealloc(file.temporary);
    *out = file.row;
    if (status) csm_manifest_row_free(out);
    return status;
}
