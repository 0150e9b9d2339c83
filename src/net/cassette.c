/* SPDX-License-Identifier: MIT */
/*
 * JSON lines. The first: {"format":"cryptosmart.net.cassette","version":1}. Each other: {"method","url",
 * "request_hash","sent","received","status"} and, for an answer, {"content_type","retry_after","text" or "base64"};
 * for a transport failure status 0 and {"class","failure"}. Bodies that are valid UTF-8 stay readable.
 */
#include "net/cassette.h"

#include "core/platform.h"

#include <jansson.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CASSETTE_FORMAT "cryptosmart.net.cassette"
#define CASSETTE_VERSION 1
#define CASSETTE_BYTES_MOST ((size_t)1 << 30)

typedef struct entry {
    csm_exchange exchange; /* strings belong to json, a body from base64 to bytes */
    json_t *json;
    char *bytes;
    size_t order; /* of recording */
    size_t same;  /* exchanges of this request and how many were played: in the request's first entry only */
    size_t played;
} entry;

struct csm_cassette {
    char *path;
    FILE *file;     /* recording */
    entry *entries; /* playing: sorted by request, then order */
    size_t count;
};

static csm_status cassette_new(csm_cassette **out, const char *path) {
    csm_cassette *cassette = csm_alloc_array(1, sizeof *cassette);
    if (!cassette) return CSM_ENOMEM;
    cassette->path = csm_strdup(path);
    if (!cassette->path) {
        csm_dealloc(cassette);
        return CSM_ENOMEM;
    }
    *out = cassette;
    return CSM_OK;
}

void csm_cassette_free(csm_cassette *cassette) {
    if (!cassette) return;
    if (cassette->file) fclose(cassette->file);
    for (size_t i = 0; i < cassette->count; i++) {
        json_decref(cassette->entries[i].json);
        csm_dealloc(cassette->entries[i].bytes);
    }
    csm_dealloc(cassette->entries);
    csm_dealloc(cassette->path);
    csm_dealloc(cassette);
}

/* ---- recording ---- */

static csm_status write_line(csm_cassette *cassette, const json_t *line) {
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    if (!text) return csm_fail(CSM_ENOMEM, "%s: no memory for a line", cassette->path);
    csm_status status = CSM_OK;
    if (fputs(text, cassette->file) < 0 || fputc('\n', cassette->file) < 0 || fflush(cassette->file) != 0)
        status = csm_fail_errno(errno, "%s: write", cassette->path);
    free(text);
    return status;
}

csm_status csm_cassette_record(csm_cassette **out, const char *path) {
    *out = NULL;
    uint64_t size = 0;
    if (csm_file_exists(path)) {
        const csm_status status = csm_file_size(&size, path);
        if (status) return status;
    }
    if (size > 0) return csm_fail(CSM_EEXIST, "%s: a cassette is one session; this file is not empty", path);
    csm_cassette *cassette = NULL;
    csm_status status = cassette_new(&cassette, path);
    if (status) return status;
    cassette->file = fopen(path, "wb");
    if (!cassette->file) status = csm_fail_errno(errno, "%s: open for recording", path);
    if (!status) {
        json_t *head = json_pack("{s:s, s:i}", "format", CASSETTE_FORMAT, "version", CASSETTE_VERSION);
        status = write_line(cassette, head);
        json_decref(head);
    }
    if (status) {
        csm_cassette_free(cassette);
        return status;
    }
    *out = cassette;
    return CSM_OK;
}

static bool set_string(json_t *line, const char *name, const char *value) {
    if (value[0] == '\0') return true;
    json_t *text = json_string(value); /* NULL for what is not UTF-8 */
    return json_object_set_new(line, name, text ? text : json_string("?")) == 0;
}

static bool set_time(json_t *line, const char *name, csm_time time) {
    char text[CSM_TIME_TEXT];
    return json_object_set_new(line, name, json_string(csm_time_format(time, text, sizeof text))) == 0;
}

static bool set_body(json_t *line, const char *body, size_t length) {
    if (length == 0) return true;
    json_t *text = memchr(body, '\0', length) ? NULL : json_stringn(body, length);
    if (text) return json_object_set_new(line, "text", text) == 0;
    const size_t size = sodium_base64_ENCODED_LEN(length, sodium_base64_VARIANT_ORIGINAL);
    char *base64 = csm_alloc(size);
    if (!base64) return false;
    sodium_bin2base64(base64, size, (const unsigned char *)body, length, sodium_base64_VARIANT_ORIGINAL);
    const bool done = json_object_set_new(line, "base64", json_string(base64)) == 0;
    csm_dealloc(base64);
    return done;
}

csm_status csm_cassette_add(csm_cassette *cassette, const csm_exchange *exchange) {
    json_t *line = json_pack("{s:s, s:s}", "method", exchange->method, "url", exchange->url);
    bool done = line && set_string(line, "request_hash", exchange->body_hash) &&
                set_time(line, "sent", exchange->sent) && set_time(line, "received", exchange->received) &&
                json_object_set_new(line, "status", json_integer(exchange->http_status)) == 0;
    if (done && exchange->http_status == 0)
        done = json_object_set_new(line, "class", json_integer((json_int_t)exchange->failure_class)) == 0 &&
               set_string(line, "failure", exchange->failure);
    else if (done)
        done = set_string(line, "content_type", exchange->content_type) &&
               set_string(line, "retry_after", exchange->retry_after) &&
               set_body(line, exchange->body, exchange->length);
    const csm_status status =
        done ? write_line(cassette, line) : csm_fail(CSM_ENOMEM, "%s: no memory for a line", cassette->path);
    json_decref(line);
    return status;
}

/* ---- playing ---- */

static int compare_request(const csm_exchange *a, const csm_exchange *b) {
    int order = strcmp(a->url, b->url);
    if (!order) order = strcmp(a->method, b->method);
    return order ? order : strcmp(a->body_hash, b->body_hash);
}

static int compare_entry(const void *left, const void *right) {
    const entry *a = left, *b = right;
    const int order = compare_request(&a->exchange, &b->exchange);
    return order ? order : (a->order > b->order) - (a->order < b->order);
}

static csm_status take_string(const char **out, const json_t *line, const char *name, bool needed) {
    const json_t *value = json_object_get(line, name);
    *out = "";
    if (!value && !needed) return CSM_OK;
    if (!json_is_string(value)) return csm_fail(CSM_EPARSE, "\"%s\" is absent or no text", name);
    *out = json_string_value(value);
    return CSM_OK;
}

static csm_status take_time(csm_time *out, const json_t *line, const char *name) {
    const char *text = NULL;
    const csm_status status = take_string(&text, line, name, true);
    return status ? status : csm_time_parse(out, text, strlen(text));
}

static csm_status take_number(int64_t *out, const json_t *line, const char *name, int64_t most) {
    const json_t *value = json_object_get(line, name);
    if (!json_is_integer(value)) return csm_fail(CSM_EPARSE, "\"%s\" is absent or no integer", name);
    *out = json_integer_value(value);
    if (*out < 0 || *out > most)
        return csm_fail(CSM_EPARSE, "\"%s\": %lld is outside 0..%lld", name, (long long)*out,
                        (long long)most);
    return CSM_OK;
}

static csm_status take_base64(entry *e, const char *base64, size_t length) {
    e->bytes = csm_alloc(length / 4 * 3 + 4);
    if (!e->bytes) return CSM_ENOMEM;
    size_t bytes = 0;
    if (sodium_base642bin((unsigned char *)e->bytes, length / 4 * 3 + 3, base64, length, NULL, &bytes, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return csm_fail(CSM_EPARSE, "\"base64\" is not base64");
    e->bytes[bytes] = '\0';
    e->exchange.body = e->bytes;
    e->exchange.length = bytes;
    return CSM_OK;
}

static csm_status take_body(entry *e) {
    const json_t *text = json_object_get(e->json, "text");
    const json_t *base64 = json_object_get(e->json, "base64");
    e->exchange.body = "";
    if (text && base64) return csm_fail(CSM_EPARSE, "both \"text\" and \"base64\"");
    if (text && !json_is_string(text)) return csm_fail(CSM_EPARSE, "\"text\" is no text");
    if (base64 && !json_is_string(base64)) return csm_fail(CSM_EPARSE, "\"base64\" is no text");
    if (base64) return take_base64(e, json_string_value(base64), json_string_length(base64));
    if (!text) return CSM_OK;
    e->exchange.body = json_string_value(text);
    e->exchange.length = json_string_length(text);
    return CSM_OK;
}

static csm_status take_exchange(entry *e) {
    csm_exchange *exchange = &e->exchange;
    int64_t status_code = 0, failure_class = 0;
    csm_status status = take_string(&exchange->method, e->json, "method", true);
    if (!status) status = take_string(&exchange->url, e->json, "url", true);
    if (!status) status = take_string(&exchange->body_hash, e->json, "request_hash", false);
    if (!status) status = take_time(&exchange->sent, e->json, "sent");
    if (!status) status = take_time(&exchange->received, e->json, "received");
    if (!status) status = take_number(&status_code, e->json, "status", 999);
    if (!status && status_code == 0) status = take_number(&failure_class, e->json, "class", CSM_NET_PARSE);
    if (!status && status_code == 0 && failure_class < CSM_NET_LIMITED)
        status = csm_fail(CSM_EPARSE, "\"class\": %lld is no failure", (long long)failure_class);
    if (!status) status = take_string(&exchange->failure, e->json, "failure", false);
    if (!status) status = take_string(&exchange->content_type, e->json, "content_type", false);
    if (!status) status = take_string(&exchange->retry_after, e->json, "retry_after", false);
    if (!status) status = take_body(e);
    exchange->http_status = (int32_t)status_code;
    exchange->failure_class = (uint32_t)failure_class;
    return status;
}

static csm_status check_head(const json_t *line) {
    const char *format = json_string_value(json_object_get(line, "format"));
    if (!format || strcmp(format, CASSETTE_FORMAT) != 0)
        return csm_fail(CSM_EPARSE, "\"format\" is not " CASSETTE_FORMAT);
    const json_int_t version = json_integer_value(json_object_get(line, "version"));
    if (version != CASSETTE_VERSION)
        return csm_fail(CSM_EUNSUPPORTED, "version %lld is not %d", (long long)version, CASSETTE_VERSION);
    return CSM_OK;
}

static csm_status take_line(csm_cassette *cassette, size_t number, const char *line, size_t length) {
    json_error_t error;
    json_t *json = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (!json) return csm_fail(CSM_EPARSE, "%s", error.text);
    if (number == 1) {
        const csm_status status = check_head(json);
        json_decref(json);
        return status;
    }
    entry *grown = cassette->entries;
    const bool full = (cassette->count & (cassette->count - 1)) == 0; /* room for a power of two */
    if (full) grown = csm_realloc_array(grown, cassette->count ? cassette->count * 2 : 1, sizeof *grown);
    if (!grown) {
        json_decref(json);
        return CSM_ENOMEM;
    }
    cassette->entries = grown;
    entry *e = &grown[cassette->count++];
    memset(e, 0, sizeof *e);
    e->json = json;
    e->order = number;
    return take_exchange(e);
}

/* Sorts the entries and counts those of each request. */
static void index_entries(csm_cassette *cassette) {
    if (cassette->count) qsort(cassette->entries, cassette->count, sizeof *cassette->entries, compare_entry);
    entry *first = cassette->entries;
    for (size_t i = 0; i < cassette->count; i++) {
        if (compare_request(&first->exchange, &cassette->entries[i].exchange) != 0)
            first = &cassette->entries[i];
        first->same++;
    }
}

csm_status csm_cassette_parse(csm_cassette **out, const char *data, size_t length, const char *name) {
    *out = NULL;
    csm_cassette *cassette = NULL;
    csm_status status = cassette_new(&cassette, name);
    if (status) return status;
    size_t number = 0;
    for (size_t at = 0; !status && (at < length || number == 0); number++) {
        const char *end = at < length ? memchr(data + at, '\n', length - at) : NULL;
        if (!end) {
            status = csm_fail(CSM_EPARSE, "%s: line %zu: the line has no end", name, number + 1);
            break;
        }
        const size_t bytes = (size_t)(end - data) - at;
        status = take_line(cassette, number + 1, data + at, bytes);
        if (status) status = csm_fail_prefix(status, "%s: line %zu", name, number + 1);
        at += bytes + 1;
    }
    if (status) {
        csm_cassette_free(cassette);
        return status;
    }
    index_entries(cassette);
    *out = cassette;
    return CSM_OK;
}

csm_status csm_cassette_play(csm_cassette **out, const char *path) {
    *out = NULL;
    csm_buffer data = {0};
    csm_status status = csm_file_read(&data, path, CASSETTE_BYTES_MOST);
    if (!status) status = csm_cassette_parse(out, data.data ? data.data : "", data.length, path);
    csm_buffer_free(&data);
    return status;
}

const csm_exchange *csm_cassette_next(csm_cassette *cassette, const char *method, const char *url,
                                      const char *body_hash, size_t *recorded) {
    const csm_exchange wanted = {.method = method, .url = url, .body_hash = body_hash};
    size_t low = 0, high = cassette->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_request(&cassette->entries[middle].exchange, &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *recorded = 0;
    if (low == cassette->count || compare_request(&cassette->entries[low].exchange, &wanted) != 0)
        return NULL;
    entry *first = &cassette->entries[low];
    *recorded = first->same;
    return first->played < first->same ? &first[first->played++].exchange : NULL;
}
