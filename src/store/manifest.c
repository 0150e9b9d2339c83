/* SPDX-License-Identifier: MIT */
#include "store/manifest.h"
#include "store/sources_json.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT "cryptosmart manifest"
#define VERSION 1
#define PATH_MAX_BYTES 512

bool csm_path_is_plain(const char *path) {
    const size_t length = strlen(path);
    if (length == 0 || length > PATH_MAX_BYTES) return false;
    size_t begin = 0; /* of the component */
    for (size_t i = 0; i <= length; i++) {
        const char c = path[i];
        if (c == '/' || c == '\0') {
            if (i == begin || path[begin] == '.') return false; /* empty, "." and "..", hidden */
            begin = i + 1;
            continue;
        }
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           c == '.' || c == '_' || c == '-';
        if (!plain) return false;
    }
    return true;
}

bool csm_manifest_path_is_plain(const char *path) {
    const size_t length = strlen(path);
    return length > 3 && strcmp(path + length - 3, ".h5") == 0 && csm_path_is_plain(path);
}

static void entry_free(csm_manifest_entry *entry) {
    csm_dealloc(entry->path);
    csm_dealloc((void *)(uintptr_t)entry->stream.venue);
    csm_dealloc((void *)(uintptr_t)entry->stream.symbol);
    csm_sources_free(entry->sources, entry->source_count);
}

void csm_manifest_free(csm_manifest *manifest) {
    for (size_t i = 0; i < manifest->count; i++) entry_free(&manifest->entries[i]);
    csm_dealloc(manifest->entries);
    *manifest = (csm_manifest){0};
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

static csm_status number_of(int64_t *out, const json_t *object, const char *key, int64_t least) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < least)
        return csm_fail(CSM_EPARSE, "\"%s\" is absent or no whole number from %lld", key, (long long)least);
    *out = json_integer_value(value);
    return CSM_OK;
}

static csm_status take_stream(csm_stream *out, const json_t *object) {
    const char *kind = text_of(object, "kind");
    const char *venue = kind ? text_of(object, "venue") : NULL;
    const char *symbol = venue ? text_of(object, "symbol") : NULL;
    int64_t epoch = 0;
    const csm_kind *known;
    if (!symbol) return CSM_EPARSE;
    out->venue = csm_strdup(venue);
    out->symbol = csm_strdup(symbol);
    if (!out->venue || !out->symbol) return CSM_ENOMEM;
    if (!csm_kind_find(kind))
        return csm_fail(CSM_EUNSUPPORTED, "kind \"%.64s\" is not known to this build", kind);
    out->kind = csm_kind_find(kind)->name;
    csm_status status = number_of(&epoch, object, "epoch", 0);
    if (!status && epoch > INT32_MAX) status = csm_fail(CSM_EPARSE, "\"epoch\" is %lld", (long long)epoch);
    out->epoch = (int32_t)epoch;
    if (!status) status = number_of(&out->interval, object, "interval", 0);
    if (!status) status = csm_stream_check(out, &known);
    return status == CSM_EINVAL ? csm_fail_prefix(CSM_EPARSE, "identity") : status;
}

static csm_status take_hash(char out[CSM_HASH_TEXT], const json_t *object) {
    csm_hash hash;
    const char *text = text_of(object, "sha256");
    if (!text) return CSM_EPARSE;
    const csm_status status = csm_hash_parse(&hash, text);
    if (status) return csm_fail_prefix(CSM_EPARSE, "\"sha256\"");
    csm_hash_format(&hash, out);
    return CSM_OK;
}

static csm_status take_entry(csm_manifest_entry *out, const json_t *object) {
    int64_t bytes = 0, rows = 0;
    const char *path = text_of(object, "path");
    if (!path) return CSM_EPARSE;
    if (!csm_manifest_path_is_plain(path)) return csm_fail(CSM_EPARSE, "path \"%.128s\" is not plain", path);
    out->path = csm_strdup(path);
    csm_status status = out->path ? take_stream(&out->stream, object) : CSM_ENOMEM;
    if (!status) status = take_hash(out->sha256, object);
    if (!status) status = number_of(&bytes, object, "bytes", 1);
    if (!status) status = number_of(&rows, object, "rows", 1);
    if (!status) status = number_of(&out->span.first, object, "first", INT64_MIN);
    if (!status) status = number_of(&out->span.last, object, "last", INT64_MIN);
    if (!status) status = number_of(&out->span.oldest, object, "oldest", INT64_MIN);
    if (!status) status = number_of(&out->span.newest, object, "newest", INT64_MIN);
    out->bytes = (uint64_t)bytes;
    out->rows = (uint64_t)rows;
    return status;
}

static csm_status check_head(const json_t *root) {
    const char *format = text_of(root, "format");
    int64_t version = 0;
    if (!format || strcmp(format, FORMAT) != 0) return csm_fail(CSM_EPARSE, "format is not \"" FORMAT "\"");
    const csm_status status = number_of(&version, root, "version", 1);
    if (status || version <= VERSION) return status;
    return csm_fail(CSM_EUNSUPPORTED, "version %lld is newer than this build", (long long)version);
}

csm_status csm_manifest_parse(csm_manifest *out, const char *json, size_t length) {
    json_error_t error;
    *out = (csm_manifest){0};
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!root) return csm_fail(CSM_EPARSE, "line %d: %s", error.line, error.text);
    csm_status status = check_head(root);
    const json_t *list = json_object_get(root, "segments");
    const size_t count = json_array_size(list);
    if (!status && !json_is_array(list)) status = csm_fail(CSM_EPARSE, "\"segments\" is no list");
    if (status) goto done;
    out->entries = csm_alloc_array(count, sizeof *out->entries);
    if (!out->entries) status = CSM_ENOMEM;
    for (size_t i = 0; i < count && !status; i++) {
        out->count = i + 1;
        status = take_entry(&out->entries[i], json_array_get(list, i));
        if (!status && i > 0 && strcmp(out->entries[i - 1].path, out->entries[i].path) >= 0)
            status = csm_fail(CSM_EPARSE, "paths do not ascend");
        if (status) status = csm_fail_prefix(status, "segments[%zu]", i);
    }
done:
    json_decref(root);
    if (status) csm_manifest_free(out);
    return status;
}

/* ---- writing ---- */

static json_t *entry_json(const csm_manifest_entry *e) {
    json_t *sources = csm_sources_json(e->sources, e->source_count);
    if (!sources) return NULL;
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "path", e->path, "kind",
        e->stream.kind, "venue", e->stream.venue, "symbol", e->stream.symbol, "sha256", e->sha256, "epoch",
        (int)e->stream.epoch, "interval", (json_int_t)e->stream.interval, "bytes", (json_int_t)e->bytes,
        "rows", (json_int_t)e->rows, "first", (json_int_t)e->span.first, "last", (json_int_t)e->span.last,
        "oldest", (json_int_t)e->span.oldest, "newest", (json_int_t)e->span.newest, "provenance", sources);
}

static int compare_paths(const void *a, const void *b) {
    const csm_manifest_entry *left = *(const csm_manifest_entry *const *)a;
    const csm_manifest_entry *right = *(const csm_manifest_entry *const *)b;
    return strcmp(left->path, right->path);
}

static json_t *segments_json(const csm_manifest_entry *const *sorted, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        json_t *entry = entry_json(sorted[i]);
        if (!entry || json_array_append_new(list, entry) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

csm_status csm_manifest_format(csm_buffer *out, const csm_manifest *manifest) {
    json_t *root = NULL, *list = NULL;
    char *text = NULL;
    csm_status status = CSM_OK;
    const csm_manifest_entry **sorted = csm_alloc_array(manifest->count, sizeof *sorted);
    if (!sorted) return CSM_ENOMEM;
    for (size_t i = 0; i < manifest->count; i++) sorted[i] = &manifest->entries[i];
    if (manifest->count) qsort(sorted, manifest->count, sizeof *sorted, compare_paths);
    list = segments_json(sorted, manifest->count);
    if (list) root = json_pack("{s:s, s:i, s:o}", "format", FORMAT, "version", VERSION, "segments", list);
    text = root ? json_dumps(root, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    status = text ? csm_buffer_printf(out, "%s\n", text) : csm_fail(CSM_ENOMEM, "manifest: no memory");
    free(text);
    json_decref(root);
    csm_dealloc(sorted);
    return status;
}
