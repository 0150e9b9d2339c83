/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>

#define FILE_BYTES_MOST ((size_t)1 << 30)

bool file_read(text *out, const char *path) {
    struct archive *a = archive_read_new();
    struct archive_entry *entry = NULL;
    char block[65536];
    la_ssize_t n = 0;
    bool done = false;
    if (!a || archive_read_support_filter_all(a) != ARCHIVE_OK ||
        archive_read_support_format_raw(a) != ARCHIVE_OK ||
        archive_read_support_format_empty(a) != ARCHIVE_OK ||
        archive_read_open_filename(a, path, sizeof block) != ARCHIVE_OK)
        goto done;
    const int head = archive_read_next_header(a, &entry);
    if (head == ARCHIVE_EOF) done = true;
    if (head != ARCHIVE_OK) goto done;
    while ((n = archive_read_data(a, block, sizeof block)) > 0 && out->length < FILE_BYTES_MOST)
        text_bytes(out, block, (size_t)n);
    done = n == 0;
done:
    if (!done)
        fprintf(stderr, "cryptosmart-replay: %s: %s\n", path,
                a && archive_error_string(a) ? archive_error_string(a) : "cannot be read");
    archive_read_free(a);
    return done;
}

/* Puts quotes around numbers with a fraction. */
static void quote_fractions(text *out, const text *in) {
    bool inside = false;
    for (size_t i = 0; i < in->length; i++) {
        const char c = in->data[i];
        if (inside && c == '\\' && i + 1 < in->length) {
            text_bytes(out, in->data + i++, 2);
            continue;
        }
        if (c == '"') inside = !inside;
        const size_t span = inside ? 0 : strspn(in->data + i, "0123456789.eE+-");
        if (span == 0 || !memchr(in->data + i, '.', span)) {
            text_bytes(out, &c, 1);
            continue;
        }
        text_add(out, "\"%.*s\"", (int)span, in->data + i);
        i += span - 1;
    }
}

static json_t *load_result(const char *path, bool exact) {
    text raw = {0}, quoted = {0};
    json_t *result = NULL;
    if (!file_read(&raw, path)) goto done;
    const text *body = &raw;
    if (exact) {
        quote_fractions(&quoted, &raw);
        body = &quoted;
    }
    json_error_t error;
    json_t *root = json_loadb(body->data ? body->data : "", body->length, 0, &error);
    if (!root) {
        fprintf(stderr, "cryptosmart-replay: %s: line %d: %s\n", path, error.line, error.text);
        goto done;
    }
    json_t *inner = json_object_get(root, "result");
    result = json_incref(inner ? inner : root);
    json_decref(root);
    if (!json_is_object(result)) {
        fprintf(stderr, "cryptosmart-replay: %s: no JSON object\n", path);
        json_decref(result);
        result = NULL;
    }
done:
    text_free(&raw);
    text_free(&quoted);
    return result;
}

json_t *file_result(const char *path) {
    return load_result(path, false);
}

json_t *file_result_exact(const char *path) {
    return load_result(path, true);
}
