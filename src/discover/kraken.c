/* SPDX-License-Identifier: MIT */
#include "discover/kraken.h"

#include <stdio.h>
#include <string.h>

#define LOCKOUT (15 * CSM_MINUTE) /* "EGeneral:Temporary lockout": about 15 minutes */

typedef struct kraken_error {
    const char *prefix;
    csm_net_class net_class;
} kraken_error;

static const kraken_error kraken_errors[] = {
#define CSM_KRAKEN_ERROR(prefix, net_class) {prefix, CSM_NET_##net_class},
#include "discover/kraken_errors.def"
#undef CSM_KRAKEN_ERROR
};

static const struct {
    const char *altname;
    const char *coin;
} renames[] = {
#define CSM_RENAME(altname, coin) {altname, coin},
#include "discover/names.def"
#undef CSM_RENAME
};

const csm_net_source csm_kraken_source = {
    .name = CSM_KRAKEN_VENUE,
    .rate = 1.0,
    .burst = 2.0,
    .key_rate = 0.5,
    .key_burst = 2.0,
    .attempts = 6,
    .in_flight = 1,
    .backoff_first = 5 * CSM_SECOND,
    .backoff_last = CSM_MINUTE,
    .classify = csm_kraken_classify,
};

/* Kraken's text with spaces after the first colon left out, compared with a prefix. Returns the rest, or NULL. */
static const char *error_after(const char *text, const char *end, const char *prefix) {
    for (; *prefix != '\0'; prefix++, text++) {
        if (text >= end || *text != *prefix) return NULL;
        if (*prefix == ':')
            while (text + 1 < end && text[1] == ' ') text++;
    }
    return text;
}

static csm_net_class error_class(csm_slice error, const char **rest) {
    const char *end = error.text + error.length;
    for (size_t i = 0; i < sizeof(kraken_errors) / sizeof(kraken_errors[0]); i++) {
        *rest = error_after(error.text, end, kraken_errors[i].prefix);
        if (*rest != NULL) return kraken_errors[i].net_class;
    }
    *rest = end;
    return CSM_NET_PERMANENT; /* a refusal that this table does not know is not worth a second try */
}

/* "EService: Throttled: 1700000000": the second until which to wait. */
static csm_time error_until(csm_slice error, const char *rest, csm_time received) {
    const char *end = error.text + error.length;
    if (error_after(error.text, end, "EGeneral:Temporary lockout") != NULL) return received + LOCKOUT;
    while (rest < end && (*rest == ':' || *rest == ' ')) rest++;
    int64_t seconds = 0;
    csm_slice digits = {rest, (size_t)(end - rest)};
    if (digits.length == 0 || digits.length > 10 || csm_slice_i64(&seconds, digits) != CSM_OK)
        return CSM_TIME_MIN;
    return seconds < 0 ? CSM_TIME_MIN : seconds * CSM_SECOND;
}

/* Takes the "error" list. *first is its first string of class E, empty when there is none: a W string is a warning and data
 * may be present all the same. */
static csm_status errors_take(csm_scan *scan, csm_slice *first_error) {
    csm_status status = CSM_OK;
    bool first = true;
    while (csm_scan_element(scan, &first, &status)) {
        csm_slice text;
        status = csm_scan_string(scan, &text);
        if (status == CSM_OK && first_error->length == 0 && !(text.length > 0 && text.text[0] == 'W'))
            *first_error = text.length > 0 ? text : (csm_slice){"E", 1};
    }
    return status;
}

/* Goes to the value of "error", whatever stands before it. */
static csm_status errors_find(csm_scan *scan, csm_slice *error) {
    csm_status status = CSM_OK;
    bool first = true;
    csm_slice name;
    while (csm_scan_member(scan, &name, &first, &status)) {
        if (csm_slice_is(name, "error")) return errors_take(scan, error);
        status = csm_scan_skip(scan);
    }
    if (status != CSM_OK) return status;
    return csm_fail(CSM_EPARSE, "%s: no member \"error\"", scan->what);
}

static int shown(csm_slice span) {
    return (int)(span.length < 120 ? span.length : 120);
}

/* What the bytes are, when they are no Kraken answer; CSM_NET_OK when they may be one. */
static uint32_t classify_shape(const csm_net_reply *reply, csm_scan *scan, char *text, size_t text_size) {
    if (csm_scan_peek(scan) != '{') {
        if (reply->net_class != CSM_NET_OK) return reply->net_class; /* the HTTP status says enough */
        snprintf(text, text_size, "not JSON but %s",
                 *reply->content_type != '\0' ? reply->content_type : "unnamed bytes");
        return CSM_NET_TRANSIENT; /* a page of the edge in front of the API */
    }
    const char *last = reply->body + reply->length;
    while (last[-1] == '\n' || last[-1] == '\r' || last[-1] == ' ' || last[-1] == '\t') last--;
    if (last[-1] == '}') return CSM_NET_OK;
    snprintf(text, text_size, "the reply is cut after %zu bytes", reply->length);
    return CSM_NET_TRANSIENT;
}

uint32_t csm_kraken_classify(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                             size_t text_size) {
    (void)user;
    csm_slice error = {NULL, 0};
    csm_scan scan = csm_scan_over(reply->body, reply->length, "kraken reply");
    uint32_t net_class = classify_shape(reply, &scan, text, text_size);
    if (net_class != CSM_NET_OK) return net_class;
    if (errors_find(&scan, &error) != CSM_OK) {
        snprintf(text, text_size, "%s", csm_error_message());
        return reply->net_class == CSM_NET_OK ? CSM_NET_PARSE : reply->net_class;
    }
    if (error.length == 0) return reply->net_class;
    const char *rest = NULL;
    net_class = error_class(error, &rest);
    if (net_class == CSM_NET_LIMITED) *retry_at = error_until(error, rest, reply->received);
    snprintf(text, text_size, "%.*s", shown(error), error.text);
    return net_class;
}

static csm_status error_status(csm_slice error, const char *what) {
    const char *rest = NULL;
    return csm_fail(csm_net_class_status(error_class(error, &rest)), "%s: %.*s", what, shown(error),
                    error.text);
}

csm_status csm_kraken_tree(json_t **root, json_t **result, const char *body, size_t length,
                           const char *what) {
    json_error_t fault;
    *root = json_loadb(body, length, JSON_REJECT_DUPLICATES, &fault);
    if (*root == NULL)
        return csm_fail(CSM_EPARSE, "%s: %s at byte %d of %zu", what, fault.text, fault.position, length);
    csm_status status = CSM_OK;
    json_t *errors = json_object_get(*root, "error");
    *result = json_object_get(*root, "result");
    if (!json_is_array(errors)) {
        status = csm_fail(CSM_EPARSE, "%s: \"error\" is not a list", what);
        goto done;
    }
    for (size_t i = 0; i < json_array_size(errors); i++) {
        const char *text = json_string_value(json_array_get(errors, i));
        if (text != NULL && text[0] == 'W') continue;
        if (text == NULL || *text == '\0') text = "E";
        status = error_status((csm_slice){text, strlen(text)}, what);
        goto done;
    }
    if (!json_is_object(*result)) status = csm_fail(CSM_EPARSE, "%s: \"result\" is not an object", what);
done:
    if (status != CSM_OK) {
        json_decref(*root);
        *root = *result = NULL;
    }
    return status;
}

typedef struct kraken_walk {
    csm_kraken_member_fn member;
    void *user;
    bool error_seen;
    bool result_seen;
} kraken_walk;

static csm_status walk_result(kraken_walk *walk, csm_scan *scan) {
    csm_status status = CSM_OK;
    bool first = true;
    csm_slice name;
    while (csm_scan_member(scan, &name, &first, &status)) status = walk->member(walk->user, name, scan);
    return status;
}

static csm_status walk_member(kraken_walk *walk, csm_slice name, csm_scan *scan) {
    if (csm_slice_is(name, "error")) {
        if (walk->error_seen) return csm_scan_fail(scan, "\"error\" once");
        walk->error_seen = true;
        csm_slice error = {NULL, 0};
        csm_status status = errors_take(scan, &error);
        return status != CSM_OK || error.length == 0 ? status : error_status(error, scan->what);
    }
    if (!csm_slice_is(name, "result")) return csm_scan_skip(scan);
    if (walk->result_seen) return csm_scan_fail(scan, "\"result\" once");
    walk->result_seen = true;
    return walk_result(walk, scan);
}

csm_status csm_kraken_walk(const char *body, size_t length, const char *what, csm_kraken_member_fn member,
                           void *user) {
    csm_scan scan = csm_scan_over(body, length, what);
    kraken_walk walk = {.member = member, .user = user};
    csm_status status = CSM_OK;
    bool first = true;
    csm_slice name;
    while (csm_scan_member(&scan, &name, &first, &status)) status = walk_member(&walk, name, &scan);
    if (status == CSM_OK) status = csm_scan_end(&scan);
    if (status != CSM_OK) return status;
    if (!walk.error_seen) return csm_fail(CSM_EPARSE, "%s: no member \"error\"", what);
    if (!walk.result_seen) return csm_fail(CSM_EPARSE, "%s: no member \"result\"", what);
    return CSM_OK;
}

const char *csm_kraken_rename(const char *altname) {
    for (size_t i = 0; i < sizeof(renames) / sizeof(renames[0]); i++)
        if (strcmp(renames[i].altname, altname) == 0) return renames[i].coin;
    return altname;
}

bool csm_kraken_is_staked(const char *asset) {
    static const char *const endings[] = {".S", ".M", ".F", ".B", ".P", ".HOLD"};
    const char *dot = strrchr(asset, '.');
    for (size_t i = 0; dot != NULL && i < sizeof(endings) / sizeof(endings[0]); i++)
        if (strcmp(dot, endings[i]) == 0) return true;
    return false;
}
