/* SPDX-License-Identifier: MIT */
/*
 * Secrets travel in URLs and headers. A secret parameter is named as it stands in the query ("apikey"), or as a
 * path that begins with '/' in which each '*' stands for a secret within one segment ("/bot*", "/services/" then
 * three segments "*").
 */
#include "net/internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MASK "***"

/* Receives pieces of a URL in order; secret pieces are what must not be shown. */
typedef void (*piece_fn)(void *user, const char *piece, size_t length, bool secret);

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Decodes one character of percent-encoded text and steps over it. */
static char decode_step(const char **at, const char *end) {
    const char *p = *at;
    if (*p == '%' && end - p > 2 && hex_value(p[1]) >= 0 && hex_value(p[2]) >= 0) {
        *at = p + 3;
        return (char)(hex_value(p[1]) * 16 + hex_value(p[2]));
    }
    *at = p + 1;
    return *p;
}

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_name(const char *name, const char *encoded, size_t length) {
    const char *end = encoded + length;
    while (encoded < end) {
        if (*name == '\0' || lower(decode_step(&encoded, end)) != lower(*name)) return false;
        name++;
    }
    return *name == '\0';
}

static bool is_secret_name(const char *const *names, const char *encoded, size_t length) {
    for (; names && *names; names++)
        if ((*names)[0] != '/' && same_name(*names, encoded, length)) return true;
    return false;
}

/* Length of the part of path that a pattern covers, 0 when it does not match. */
static size_t match_path(const char *pattern, const char *path, size_t length) {
    size_t i = 0;
    for (; *pattern; pattern++) {
        if (*pattern == '*')
            while (i < length && path[i] != '/') i++;
        else if (i < length && path[i] == *pattern)
            i++;
        else
            return 0;
    }
    return i;
}

static void walk_path(const char *const *names, const char *path, size_t length, piece_fn piece, void *user) {
    for (; names && *names; names++) {
        const char *pattern = *names;
        if (pattern[0] != '/' || match_path(pattern, path, length) == 0) continue;
        size_t from = 0;
        for (size_t i = 0; *pattern; pattern++) {
            if (*pattern != '*') {
                i++;
                continue;
            }
            piece(user, path + from, i - from, false);
            from = i;
            while (i < length && path[i] != '/') i++;
            piece(user, path + from, i - from, true);
            from = i;
        }
        piece(user, path + from, length - from, false);
        return;
    }
    piece(user, path, length, false);
}

static void walk_query(const char *const *names, const char *query, piece_fn piece, void *user) {
    while (*query) {
        const size_t length = strcspn(query + 1, "&;?#") + 1; /* a separator and name=value */
        const char *equals = memchr(query, '=', length);
        const size_t name = equals ? (size_t)(equals - query) - 1 : length - 1;
        if (equals && is_secret_name(names, query + 1, name)) {
            piece(user, query, name + 2, false);
            piece(user, equals + 1, length - name - 2, true);
        } else {
            piece(user, query, length, false);
        }
        query += length;
    }
}

/* Calls piece for every part of url in order. */
static void walk_url(const char *const *names, const char *url, piece_fn piece, void *user) {
    const char *slashes = strstr(url, "//");
    const char *host = slashes && slashes < url + strcspn(url, "?#") ? slashes + 2 : url;
    piece(user, url, (size_t)(host - url), false);
    const size_t authority = strcspn(host, "/\\?#");
    const char *at = NULL;
    for (size_t i = 0; i < authority; i++)
        if (host[i] == '@') at = host + i;
    if (at) {
        piece(user, host, (size_t)(at - host), true);
        piece(user, at, authority - (size_t)(at - host), false);
    } else {
        piece(user, host, authority, false);
    }
    const char *path = host + authority;
    const size_t length = strcspn(path, "?#");
    walk_path(names, path, length, piece, user);
    walk_query(names, path + length, piece, user);
}

typedef struct text_sink {
    char *text;
    size_t size;
    size_t length;
} text_sink;

static void put_text(text_sink *sink, const char *piece, size_t length) {
    const size_t room = sink->size - 1 - sink->length;
    if (length > room) length = room;
    memcpy(sink->text + sink->length, piece, length);
    sink->length += length;
}

static void redact_piece(void *user, const char *piece, size_t length, bool secret) {
    if (secret && length > 0)
        put_text(user, MASK, sizeof MASK - 1);
    else
        put_text(user, piece, length);
}

char *csm_net_redact(const char *url, const char *const *secret_parameters, char *text, size_t size) {
    if (!text || size == 0) return text;
    text_sink sink = {text, size, 0};
    if (url) walk_url(secret_parameters, url, redact_piece, &sink);
    text[sink.length] = '\0';
    return text;
}

/* ---- scrubbing: the same secrets wherever they turn up again ---- */

#define SECRETS_MOST 64
#define SECRET_SHORTEST 4 /* shorter values would blank ordinary text */

typedef struct secret {
    char *value;
    size_t length;
} secret;

typedef struct secrets {
    secret items[SECRETS_MOST];
    size_t count;
    bool failed;
} secrets;

static void add_secret(secrets *all, const char *value, size_t length) {
    if (length < SECRET_SHORTEST || all->count == SECRETS_MOST || all->failed) return;
    char *copy = csm_strndup(value, length);
    if (!copy) {
        all->failed = true;
        return;
    }
    all->items[all->count++] = (secret){copy, length};
}

/* As it stands, and decoded: a server may echo either. */
static void secret_piece(void *user, const char *piece, size_t length, bool is_secret) {
    secrets *all = user;
    if (!is_secret) return;
    add_secret(all, piece, length);
    if (!memchr(piece, '%', length)) return;
    char *decoded = csm_strndup(piece, length);
    if (!decoded) {
        all->failed = true;
        return;
    }
    size_t n = 0;
    for (const char *at = piece; at < piece + length; n++) decoded[n] = decode_step(&at, piece + length);
    add_secret(all, decoded, n);
    csm_dealloc(decoded);
}

/* Headers whose values are no secrets and may well stand in an answer. */
static const char *const plain_headers[] = {"accept",       "accept-language", "cache-control",
                                            "content-type", "if-none-match",   "if-modified-since",
                                            "user-agent"};

/* The whole value, and its last word: "Authorization: Bearer TOKEN". */
static void secret_header(secrets *all, const char *header) {
    const char *value = strchr(header, ':');
    if (!value) return;
    for (size_t i = 0; i < sizeof plain_headers / sizeof plain_headers[0]; i++)
        if (same_name(plain_headers[i], header, (size_t)(value - header))) return;
    value += 1 + strspn(value + 1, " \t");
    const size_t length = strlen(value);
    add_secret(all, value, length);
    const char *space = strrchr(value, ' ');
    if (space) add_secret(all, space + 1, strlen(space + 1));
}

static void find_secrets(secrets *all, const csm_net_request *request, const char *const *names) {
    all->count = 0;
    all->failed = false;
    walk_url(names, request->url, secret_piece, all);
    for (const char *const *header = request->headers; header && *header; header++)
        secret_header(all, *header);
}

/* Length of the longest secret that begins at text, 0 when none does. */
static size_t secret_at(const secrets *all, const char *text, size_t left) {
    size_t longest = 0;
    for (size_t i = 0; i < all->count; i++) {
        const secret *s = &all->items[i];
        if (s->length <= left && s->length > longest && s->value[0] == text[0] &&
            memcmp(s->value, text, s->length) == 0)
            longest = s->length;
    }
    return longest;
}

csm_status csm_net_scrub(csm_buffer *out, const char *text, size_t length, const csm_net_request *request,
                         const char *const *secret_parameters) {
    secrets all;
    find_secrets(&all, request, secret_parameters);
    csm_status status = all.failed ? CSM_ENOMEM : csm_buffer_append(out, "", 0);
    size_t from = 0;
    for (size_t i = 0; status == CSM_OK && all.count && i < length;) {
        const size_t hit = secret_at(&all, text + i, length - i);
        if (hit == 0) {
            i++;
            continue;
        }
        status = csm_buffer_append(out, text + from, i - from);
        if (status == CSM_OK) status = csm_buffer_append(out, MASK, sizeof MASK - 1);
        i += hit;
        from = i;
    }
    if (status == CSM_OK) status = csm_buffer_append(out, text + from, length - from);
    for (size_t i = 0; i < all.count; i++) csm_dealloc(all.items[i].value);
    return status;
}

csm_status csm_net_scrub_text(char *text, size_t size, const csm_net_request *request,
                              const char *const *secret_parameters) {
    csm_buffer clean = {0};
    const csm_status status = csm_net_scrub(&clean, text, strlen(text), request, secret_parameters);
    if (status == CSM_OK) {
        const size_t length = clean.length < size ? clean.length : size - 1;
        for (size_t i = 0; i < length; i++)
            text[i] = (unsigned char)clean.data[i] < 0x20 || clean.data[i] == 0x7f ? ' ' : clean.data[i];
        text[length] = '\0';
    }
    csm_buffer_free(&clean);
    return status;
}
