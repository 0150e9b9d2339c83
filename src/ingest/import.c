/* SPDX-License-Identifier: MIT */
/* csm_ingest_import: files are read and checked side by side, and enter the store in groups, by name. */
#include "ingest/import.h"
#include "core/platform.h"
#include "ingest/archive.h"

#include <stdio.h>
#include <string.h>

#define CHUNK_BYTES 65536

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

void csm_import_options_init(csm_import_options *options) {
    if (options == NULL) return;
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
    options->from = CSM_TIME_MIN;
    options->to = CSM_TIME_MAX;
    options->drop_last = 1;
}

/* ---- one file ---- */

/* NULL without memory. */
static csm_import_file *file_new(const csm_import *import, const char *path) {
    csm_import_file *file = csm_alloc_array(1, sizeof *file);
    if (file == NULL) return NULL;
    file->path = path;
    snprintf(file->name, sizeof file->name, "%s", base_name(path));
    csm_import_rows_init(&file->rows, import->options.format, import->options.interval, import->received);
    return file;
}

void csm_import_file_free(csm_import_file *file) {
    if (file == NULL) return;
    csm_import_rows_free(&file->rows);
    csm_dealloc(file->request);
    csm_dealloc(file->text);
    csm_dealloc(file);
}

void csm_import_file_fail(csm_import_file *file, csm_status status) {
    csm_dealloc(file->text);
    file->status = status;
    file->text = csm_strdup(csm_error_message()); /* NULL: the status must do */
}

#define PLAIN_BYTES_MAX ((uint64_t)1 << 26)

/* A history file that is plain text and fits memory is read once, for its hash and its rows. NULL: another one. */
static csm_status plain_read(char **out, size_t *length, const csm_import_file *file) {
    uint64_t bytes = 0;
    *out = NULL;
    const size_t name = strlen(file->path);
    if (name < 4 || strcmp(file->path + name - 4, ".csv") != 0) return CSM_OK;
    csm_status status = csm_file_size(&bytes, file->path);
    if (status != CSM_OK || bytes == 0 || bytes > PLAIN_BYTES_MAX) return status;
    char *text = csm_alloc((size_t)bytes);
    if (text == NULL) return CSM_ENOMEM;
    status = csm_file_read_part(text, file->path, 0, (size_t)bytes);
    if (status != CSM_OK || memchr(text, 0, (size_t)bytes < 512 ? (size_t)bytes : 512) != NULL) {
        csm_dealloc(text); /* zero bytes: packed, whatever its name says */
        return status;
    }
    *out = text;
    *length = (size_t)bytes;
    return CSM_OK;
}

static csm_status rows_end(csm_import_file *file, csm_status status) {
    if (status == CSM_OK) status = csm_import_rows_finish(&file->rows);
    return status == CSM_OK ? CSM_OK : csm_fail_prefix(status, "%s", file->name);
}

static csm_status plain_take(csm_import_file *file, const char *text, size_t length) {
    if (file->rows.interval == 0) file->rows.interval = csm_import_name_interval(file->name);
    return rows_end(file, csm_import_rows_push(&file->rows, text, length));
}

/* Reads the archive's current entry into the file's rows. */
static csm_status entry_read(csm_import_file *file, csm_archive *archive) {
    char chunk[CHUNK_BYTES];
    size_t got = 0;
    csm_status status = CSM_OK;
    if (file->rows.interval == 0) file->rows.interval = csm_import_name_interval(file->name);
    do {
        status = csm_archive_read(archive, chunk, sizeof chunk, &got);
        if (status == CSM_OK) status = csm_import_rows_push(&file->rows, chunk, got);
    } while (status == CSM_OK && got > 0);
    return rows_end(file, status);
}

static csm_status request_name(csm_import_file *file, const csm_hash *hash) {
    char hex[CSM_HASH_TEXT];
    csm_hash_format(hash, hex);
    const char *outer = base_name(file->path);
    if (strcmp(outer, file->name) == 0)
        file->request = csm_strformat("%s sha256:%s", outer, hex);
    else
        file->request = csm_strformat("%s!%s sha256:%s", outer, file->name, hex);
    return file->request == NULL ? CSM_ENOMEM : CSM_OK;
}

/* A file that holds one CSV. Its failure stays with it. */
static void file_read(csm_import_file *file) {
    csm_archive *archive = NULL;
    csm_hash hash;
    const char *name = NULL;
    char *plain = NULL;
    size_t length = 0;
    csm_status status = plain_read(&plain, &length, file);
    if (status == CSM_OK && plain != NULL)
        hash = csm_hash_bytes(plain, length);
    else if (status == CSM_OK)
        status = csm_file_hash(&hash, file->path);
    if (status == CSM_OK) status = request_name(file, &hash);
    if (status == CSM_OK && plain != NULL) {
        status = plain_take(file, plain, length);
    } else if (status == CSM_OK) {
        status = csm_archive_open(&archive, file->path);
        if (status == CSM_OK) status = csm_archive_next(archive, &name);
        if (status == CSM_OK && name == NULL) status = csm_fail(CSM_EPARSE, "%s: empty", file->name);
        if (status == CSM_OK) status = entry_read(file, archive);
    }
    csm_dealloc(plain);
    csm_archive_close(archive);
    if (status != CSM_OK) csm_import_file_fail(file, status);
}

/* ---- many files ---- */

static csm_status batch_task(void *user, size_t begin, size_t end, uint32_t worker) {
    csm_import_file **files = user;
    (void)worker;
    for (size_t i = begin; i < end; i++) file_read(files[i]);
    return CSM_OK;
}

/* Reads `count` files on all threads, then lets them enter in order. */
static csm_status batch_run(csm_import_group *group, char *const *paths, size_t count) {
    const csm_import *import = group->import;
    csm_import_file **files = csm_alloc_array(count, sizeof *files);
    csm_status status = files == NULL ? CSM_ENOMEM : CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < count; i++) {
        files[i] = file_new(import, paths[i]);
        if (files[i] == NULL) status = CSM_ENOMEM;
    }
    if (status == CSM_OK)
        status = csm_parallel_for(csm_context_threads(import->context), count, 1, batch_task, files);
    for (size_t i = 0; status == CSM_OK && i < count; i++) {
        csm_import_file *file = files[i];
        files[i] = NULL; /* the group's now */
        status = csm_import_enter(group, file);
    }
    for (size_t i = 0; files != NULL && i < count; i++) csm_import_file_free(files[i]);
    csm_dealloc(files);
    return status;
}

/* An entry of another interval than the one asked for, or no CSV. */
static bool entry_wanted(const csm_import *import, const char *name) {
    csm_time interval = csm_import_name_interval(name);
    if (!csm_import_name_is_csv(name)) return false;
    return interval == 0 || import->options.interval == 0 || interval == import->options.interval;
}

static csm_status zip_entry(csm_import_group *group, csm_archive *archive, const char *path,
                            const csm_hash *hash, const char *name) {
    csm_import_file *file = file_new(group->import, path);
    if (file == NULL) return CSM_ENOMEM;
    snprintf(file->name, sizeof file->name, "%s", name);
    csm_status status = request_name(file, hash);
    if (status == CSM_OK) status = entry_read(file, archive);
    if (status != CSM_OK) csm_import_file_fail(file, status);
    return csm_import_enter(group, file);
}

/* The zip itself as an item: what it says when it cannot be read on. */
static csm_status zip_fail(csm_import_group *group, const char *path, csm_status why) {
    if (why == CSM_ENOMEM) return why;
    csm_import_file *file = file_new(group->import, path);
    if (file == NULL) return CSM_ENOMEM;
    csm_import_file_fail(file, why);
    return csm_import_enter(group, file);
}

static csm_status zip_run(csm_import_group *group, const char *path) {
    const csm_import *import = group->import;
    csm_archive *archive = NULL;
    csm_hash hash;
    const char *name = NULL;
    uint64_t done = 0;
    csm_status status = csm_file_hash(&hash, path);
    if (status == CSM_OK) status = csm_archive_open(&archive, path);
    while (status == CSM_OK) {
        status = csm_archive_next(archive, &name);
        if (status != CSM_OK || name == NULL) break;
        if (!entry_wanted(import, name)) continue;
        csm_status entered = csm_progress(import->context, "import", done++, 0);
        if (entered == CSM_OK) entered = zip_entry(group, archive, path, &hash, name);
        if (entered != CSM_OK) {
            csm_archive_close(archive);
            return entered;
        }
    }
    if (status != CSM_OK) status = zip_fail(group, path, status);
    csm_archive_close(archive);
    return status;
}

static csm_status files_run(csm_import_group *group, char **paths, size_t count) {
    const csm_import *import = group->import;
    size_t batch = 2 * (size_t)csm_context_threads(import->context);
    for (size_t i = 0; i < count;) {
        csm_status status = csm_progress(import->context, "import", i, count);
        if (status != CSM_OK) return status;
        size_t run = 0;
        while (run < batch && i + run < count && !csm_import_name_is_zip(base_name(paths[i + run]))) run++;
        status = run > 0 ? batch_run(group, &paths[i], run) : zip_run(group, paths[i]);
        if (status != CSM_OK) return status;
        i += run > 0 ? run : 1;
    }
    const csm_status status = csm_import_group_store(group);
    return status == CSM_OK ? csm_progress(import->context, "import", count, count) : status;
}

/* ---- what is to be read ---- */

static void paths_free(char **paths, size_t count) {
    for (size_t i = 0; i < count; i++) csm_dealloc(paths[i]);
    csm_dealloc(paths);
}

/* The file itself, or every history file of the folder, by name; folders inside it are not entered. */
static csm_status paths_find(char ***out, size_t *count, const char *path) {
    char **names = NULL;
    size_t name_count = 0;
    bool folder = csm_folder_exists(path);
    *out = NULL;
    *count = 0;
    csm_status status = folder ? csm_folder_list(&names, &name_count, path) : CSM_OK;
    if (status != CSM_OK) return status;
    *out = csm_alloc_array(folder ? name_count + 1 : 1, sizeof(char *));
    if (*out == NULL) status = CSM_ENOMEM;
    if (status == CSM_OK && !folder) {
        (*out)[0] = csm_strdup(path);
        *count = 1;
        if ((*out)[0] == NULL) status = CSM_ENOMEM;
    }
    for (size_t i = 0; status == CSM_OK && i < name_count; i++) {
        if (!csm_import_name_is_csv(names[i]) && !csm_import_name_is_zip(names[i])) continue;
        (*out)[*count] = csm_strformat("%s/%s", path, names[i]);
        if ((*out)[*count] == NULL) status = CSM_ENOMEM;
        ++*count;
    }
    csm_folder_list_free(names, name_count);
    if (status == CSM_OK && *count == 0)
        status = csm_fail(CSM_ENOTFOUND, "%s: no .csv, .csv.xz, .csv.gz or .zip in it", path);
    return status;
}

static csm_status options_check(const csm_import_options *o) {
    if (o->venue == NULL || *o->venue == '\0') return csm_fail(CSM_EINVAL, "import: venue is not given");
    if (o->origin == NULL || *o->origin == '\0')
        return csm_fail(CSM_EPROVENANCE, "import: origin and licence of the file are not given");
    if (o->format > CSM_IMPORT_FEAR_GREED)
        return csm_fail(CSM_EINVAL, "import: format %u is unknown", o->format);
    if (o->drop_last > 1)
        return csm_fail(CSM_EINVAL, "import: drop_last %u is neither 0 nor 1", o->drop_last);
    if (o->interval < 0 || o->interval % CSM_SECOND != 0)
        return csm_fail(CSM_EINVAL, "import: the interval is no positive number of seconds");
    if (o->from >= o->to) return csm_fail(CSM_EINVAL, "import: from is not before to");
    return CSM_OK;
}

/* One file alone fails with its own status; of many, the call fails when none could be imported. */
static csm_status outcome(const csm_ingest_report *report) {
    if (report->count == 0) return csm_fail(CSM_ENOTFOUND, "import: nothing in the archive to import");
    for (size_t i = 0; i < report->count; i++)
        if (report->items[i].net_class != CSM_NET_PARSE) return CSM_OK;
    return csm_fail(report->first_failure, "%s", report->items[0].text);
}

csm_status csm_ingest_import(csm_ingest_report **out, csm_context *context, csm_store *store,
                             const char *path, const csm_import_options *options) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_ingest_import: out is NULL");
    *out = NULL;
    if (context == NULL || store == NULL || path == NULL)
        return csm_fail(CSM_EINVAL, "csm_ingest_import: context, store or path is NULL");
    csm_import import = {.context = context, .store = store};
    csm_import_group group = {.import = &import};
    char **paths = NULL;
    size_t count = 0;
    csm_import_options_init(&import.options);
    csm_status status =
        csm_options_take(&import.options, sizeof import.options, options, "csm_import_options");
    if (status == CSM_OK) status = options_check(&import.options);
    if (status != CSM_OK) return status;
    import.received = csm_context_now(context);
    status = csm_report_new(&import.report);
    if (status == CSM_OK)
        status = csm_discover_markets(&import.registry, store, import.options.venue, CSM_TIME_MAX,
                                      CSM_MARKETS_EVER);
    if (status == CSM_OK) status = paths_find(&paths, &count, path);
    if (status == CSM_OK) status = files_run(&group, paths, count);
    if (status == CSM_OK) status = outcome(import.report);
    csm_import_group_free(&group);
    paths_free(paths, count);
    csm_market_list_free(import.registry);
    if (status == CSM_OK)
        *out = import.report;
    else
        csm_ingest_report_free(import.report);
    return status;
}
