/* SPDX-License-Identifier: MIT */
#include "core/platform.h"
#include "store/backup.h"
#include "store/manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FORMAT "cryptosmart backup"
#define VERSION 1

void csm_backup_list_free(csm_backup_list *list) {
    for (size_t i = 0; i < list->count; i++) csm_dealloc(list->files[i].path);
    csm_dealloc(list->files);
    *list = (csm_backup_list){0};
}

csm_status csm_backup_list_add(csm_backup_list *list, const char *path, uint64_t bytes, const char *sha256) {
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 64;
        csm_backup_file *grown = csm_realloc_array(list->files, capacity, sizeof *grown);
        if (!grown) return CSM_ENOMEM;
        list->files = grown;
        list->capacity = capacity;
    }
    csm_backup_file *file = &list->files[list->count];
    *file = (csm_backup_file){.path = csm_strdup(path), .bytes = bytes};
    if (!file->path) return CSM_ENOMEM;
    memcpy(file->sha256, sha256, sizeof file->sha256);
    list->count++;
    return CSM_OK;
}

/* ---- writing ---- */

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const csm_backup_file *)a)->path, ((const csm_backup_file *)b)->path);
}

static json_t *files_json(const csm_backup_list *list) {
    json_t *files = json_array();
    for (size_t i = 0; files && i < list->count; i++) {
        const csm_backup_file *f = &list->files[i];
        json_t *file =
            json_pack("{s:s, s:I, s:s}", "path", f->path, "bytes", (json_int_t)f->bytes, "sha256", f->sha256);
        if (!file || json_array_append_new(files, file) < 0) {
            json_decref(files);
            return NULL;
        }
    }
    return files;
}

csm_status csm_backup_list_format(csm_buffer *out, csm_backup_list *list) {
    char created[CSM_TIME_TEXT];
    csm_time_format(list->created, created, sizeof created);
    if (list->count) qsort(list->files, list->count, sizeof *list->files, compare_paths);
    json_t *files = files_json(list);
    json_t *root = files ? json_pack("{s:s, s:i, s:s, s:o}", "format", FORMAT, "version", VERSION, "created",
                                     created, "files", files)
                         : NULL;
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    const csm_status status =
        text ? csm_buffer_printf(out, "%s\n", text) : csm_fail(CSM_ENOMEM, "backup list: no memory");
    free(text); /* jansson's */
    json_decref(root);
    return status;
}

/* ---- reading ---- */

/* The text of a member without embedded zeros; NULL and error text otherwise. */
static const char *text_of(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    if (text && strlen(text) == json_string_length(value)) return text;
    csm_fail(CSM_EPARSE, "\"%s\" is absent or no text", key);
    return NULL;
}

static csm_status take_file(csm_backup_list *out, const json_t *object) {
    const char *path = text_of(object, "path");
    const char *hex = path ? text_of(object, "sha256") : NULL;
    const json_t *bytes = json_object_get(object, "bytes");
    char sha256[CSM_HASH_TEXT];
    csm_hash hash;
    if (!hex) return CSM_EPARSE;
    if (!csm_path_is_plain(path)) return csm_fail(CSM_EPARSE, "path \"%.128s\" is not plain", path);
    if (strcmp(path, CSM_BACKUP_LIST) == 0) return csm_fail(CSM_EPARSE, "the list names itself");
    if (csm_hash_parse(&hash, hex)) return csm_fail_prefix(CSM_EPARSE, "\"sha256\"");
    if (!json_is_integer(bytes) || json_integer_value(bytes) < 0)
        return csm_fail(CSM_EPARSE, "\"bytes\" is absent or no whole number from 0");
    if (out->count > 0 && strcmp(out->files[out->count - 1].path, path) >= 0)
        return csm_fail(CSM_EPARSE, "paths do not ascend");
    return csm_backup_list_add(out, path, (uint64_t)json_integer_value(bytes),
                               csm_hash_format(&hash, sha256));
}

static csm_status take_head(csm_backup_list *out, const json_t *root) {
    const char *format = text_of(root, "format");
    const json_t *version = json_object_get(root, "version");
    if (!format || strcmp(format, FORMAT) != 0) return csm_fail(CSM_EPARSE, "format is not \"" FORMAT "\"");
    if (!json_is_integer(version) || json_integer_value(version) < 1)
        return csm_fail(CSM_EPARSE, "\"version\" is absent or no whole number from 1");
    if (json_integer_value(version) > VERSION)
        return csm_fail(CSM_EUNSUPPORTED, "version %lld is newer than this build",
                        (long long)json_integer_value(version));
    const char *created = text_of(root, "created");
    if (!created) return CSM_EPARSE;
    return csm_time_parse(&out->created, created, strlen(created));
}

static bool has_catalog(const csm_backup_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->files[i].path, "catalog.db") == 0) return true;
    }
    return false;
}

csm_status csm_backup_list_parse(csm_backup_list *out, const char *json, size_t length) {
    json_error_t error;
    *out = (csm_backup_list){0};
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!root) return csm_fail(CSM_EPARSE, "line %d: %s", error.line, error.text);
    const json_t *files = json_object_get(root, "files");
    csm_status status = take_head(out, root);
    if (!status && !json_is_array(files)) status = csm_fail(CSM_EPARSE, "\"files\" is no list");
    for (size_t i = 0; !status && i < json_array_size(files); i++) {
        status = take_file(out, json_array_get(files, i));
        if (status) status = csm_fail_prefix(status, "files[%zu]", i);
    }
    if (!status && !has_catalog(out)) status = csm_fail(CSM_EPARSE, "no catalog.db is listed");
    json_decref(root);
    if (status) csm_backup_list_free(out);
    return status;
}

csm_status csm_backup_list_read(csm_backup_list *out, const char *folder) {
    csm_buffer json = {0};
    *out = (csm_backup_list){0};
    char *path = csm_strformat("%s/" CSM_BACKUP_LIST, folder);
    if (!path) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    if (!csm_file_exists(path))
        status = csm_fail(CSM_ENOTFOUND,
                          "%s: no " CSM_BACKUP_LIST ": not a backup, or one that was not finished", folder);
    if (!status) status = csm_file_read(&json, path, CSM_BACKUP_LIST_BYTES_MAX);
    if (!status) {
        status = csm_backup_list_parse(out, json.data, json.length);
        if (status) csm_fail_prefix(status, "%s", path);
    }
    csm_buffer_free(&json);
    csm_dealloc(path);
    return status;
}
