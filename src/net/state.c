/* SPDX-License-Identifier: MIT */
/*
 * The state file: {"format":"cryptosmart.net.state","version":1,"unknown_before":TIME,
 * "buckets":[{"source":S,"key":S,"full_at":TIME}], "sources":[{"name":S,"latched":S,"latched_at":TIME,
 * "paused_until":TIME}]}, times as RFC 3339. It belongs to one csm_net at a time.
 */
#include "net/internal.h"

#include "core/platform.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define STATE_FORMAT "cryptosmart.net.state"
#define STATE_VERSION 1
#define STATE_BYTES_MOST ((size_t)64 << 20)

/* ---- reading ---- */

static csm_status take_time(csm_time *out, const json_t *object, const char *name, const char *where) {
    const json_t *value = json_object_get(object, name);
    *out = CSM_TIME_MIN;
    if (!value) return CSM_OK;
    if (!json_is_string(value)) return csm_fail(CSM_EPARSE, "%s: \"%s\" is not a time", where, name);
    const csm_status status = csm_time_parse(out, json_string_value(value), json_string_length(value));
    return status ? csm_fail_prefix(status, "%s: \"%s\"", where, name) : CSM_OK;
}

static csm_status take_text(const char **out, const json_t *object, const char *name, const char *where) {
    *out = json_string_value(json_object_get(object, name));
    return *out ? CSM_OK : csm_fail(CSM_EPARSE, "%s: \"%s\" is absent or no text", where, name);
}

static csm_status take_bucket(csm_limits *limits, const json_t *entry) {
    const char *source = NULL, *key = NULL;
    csm_time full_at = CSM_TIME_MIN;
    csm_bucket *bucket = NULL;
    csm_status status = take_text(&source, entry, "source", "bucket");
    if (!status) status = take_text(&key, entry, "key", "bucket");
    if (!status) status = take_time(&full_at, entry, "full_at", "bucket");
    if (!status && full_at == CSM_TIME_MIN) status = csm_fail(CSM_EPARSE, "bucket: \"full_at\" is absent");
    if (!status) status = csm_limits_bucket(&bucket, limits, source, key);
    if (!status) bucket->full_at = full_at;
    return status;
}

static csm_status take_source(csm_limits *limits, const json_t *entry) {
    const char *name = NULL;
    csm_time latched_at = CSM_TIME_MIN, paused_until = CSM_TIME_MIN;
    csm_limit_source *source = NULL;
    csm_status status = take_text(&name, entry, "name", "source");
    if (!status) status = take_time(&latched_at, entry, "latched_at", "source");
    if (!status) status = take_time(&paused_until, entry, "paused_until", "source");
    if (!status) status = csm_limits_source(&source, limits, name);
    if (status) return status;
    source->latched_at = latched_at;
    source->paused_until = paused_until;
    const json_t *latched = json_object_get(entry, "latched");
    if (!latched) return CSM_OK;
    if (!json_is_string(latched)) return csm_fail(CSM_EPARSE, "source: \"latched\" is no text");
    csm_dealloc(source->latch_reason);
    source->latch_reason = csm_strdup(json_string_value(latched));
    return source->latch_reason ? CSM_OK : CSM_ENOMEM;
}

static csm_status take_list(csm_limits *limits, const json_t *root, const char *name,
                            csm_status (*take)(csm_limits *limits, const json_t *entry)) {
    const json_t *list = json_object_get(root, name);
    if (!json_is_array(list)) return csm_fail(CSM_EPARSE, "\"%s\" is absent or no list", name);
    csm_status status = CSM_OK;
    for (size_t i = 0; !status && i < json_array_size(list); i++)
        status = take(limits, json_array_get(list, i));
    return status;
}

csm_status csm_state_parse(csm_limits *limits, const char *data, size_t length) {
    json_error_t error;
    json_t *root = json_loadb(data, length, JSON_REJECT_DUPLICATES, &error);
    if (!root) return csm_fail(CSM_EPARSE, "line %d: %s", error.line, error.text);
    csm_status status = CSM_OK;
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_int_t version = json_integer_value(json_object_get(root, "version"));
    if (!format || strcmp(format, STATE_FORMAT) != 0)
        status = csm_fail(CSM_EPARSE, "\"format\" is not " STATE_FORMAT);
    else if (version != STATE_VERSION)
        status = csm_fail(CSM_EUNSUPPORTED, "version %lld is not %d", (long long)version, STATE_VERSION);
    if (!status) status = take_time(&limits->unknown_before, root, "unknown_before", "state");
    if (!status) status = take_list(limits, root, "buckets", take_bucket);
    if (!status) status = take_list(limits, root, "sources", take_source);
    json_decref(root);
    return status;
}

/* Keeps the damaged file beside, and starts with every bucket empty: too slow is safe, too fast is not. */
static csm_status quarantine(csm_limits *limits, csm_context *context, const char *path, csm_time now) {
    char when[CSM_TIME_TEXT];
    csm_time_format(now, when, sizeof when);
    char *aside = csm_strformat("%s.damaged.%s", path, when);
    if (!aside) return CSM_ENOMEM;
    csm_log_write(context, CSM_LOG_WARN, CSM_NET_MODULE,
                  "%s is damaged (%s): kept as %s; every bucket starts empty, latches are lost", path,
                  csm_error_message(), aside);
    const csm_status status = csm_file_rename(path, aside);
    csm_dealloc(aside);
    csm_limits_free(limits);
    limits->unknown_before = now;
    limits->dirty = true;
    return status;
}

csm_status csm_state_load(csm_limits *limits, csm_context *context, const char *path, csm_time now) {
    if (!csm_file_exists(path)) return CSM_OK;
    csm_buffer data = {0};
    csm_status status = csm_file_read(&data, path, STATE_BYTES_MOST);
    if (!status) status = csm_state_parse(limits, data.data ? data.data : "", data.length);
    if (status == CSM_EPARSE)
        status = quarantine(limits, context, path, now);
    else if (status)
        status = csm_fail_prefix(status, "%s", path);
    csm_buffer_free(&data);
    return status;
}

/* ---- writing ---- */

static bool put_time(json_t *object, const char *name, csm_time time) {
    char text[CSM_TIME_TEXT];
    if (time == CSM_TIME_MIN) return true;
    return json_object_set_new(object, name, json_string(csm_time_format(time, text, sizeof text))) == 0;
}

static bool put_bucket(json_t *list, const csm_bucket *bucket) {
    json_t *entry = json_pack("{s:s, s:s}", "source", bucket->source, "key", bucket->key);
    const bool done =
        entry && put_time(entry, "full_at", bucket->full_at) && json_array_append(list, entry) == 0;
    json_decref(entry);
    return done;
}

static bool put_source(json_t *list, const csm_limit_source *source) {
    json_t *entry = json_pack("{s:s}", "name", source->name);
    bool done = entry && put_time(entry, "paused_until", source->paused_until);
    if (done && source->latch_reason)
        done = put_time(entry, "latched_at", source->latched_at) &&
               json_object_set_new(entry, "latched", json_string(source->latch_reason)) == 0;
    if (done) done = json_array_append(list, entry) == 0;
    json_decref(entry);
    return done;
}

/* What is full, not paused and not latched need not be written. */
static json_t *state_json(const csm_limits *limits, csm_time now) {
    json_t *root = json_pack("{s:s, s:i, s:[], s:[]}", "format", STATE_FORMAT, "version", STATE_VERSION,
                             "buckets", "sources");
    bool done = root && put_time(root, "unknown_before", limits->unknown_before);
    json_t *buckets = json_object_get(root, "buckets");
    json_t *sources = json_object_get(root, "sources");
    for (size_t i = 0; done && i < limits->bucket_count; i++)
        if (limits->buckets[i]->full_at > now) done = put_bucket(buckets, limits->buckets[i]);
    for (size_t i = 0; done && i < limits->source_count; i++)
        if (limits->sources[i]->latch_reason || limits->sources[i]->paused_until > now)
            done = put_source(sources, limits->sources[i]);
    if (done) return root;
    json_decref(root);
    return NULL;
}

csm_status csm_state_save(const csm_limits *limits, const char *path, csm_time now) {
    json_t *root = state_json(limits, now);
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_ENSURE_ASCII) : NULL;
    json_decref(root);
    if (!text) return csm_fail(CSM_ENOMEM, "%s: no memory for the state", path);
    const csm_status status = csm_file_write_atomic(path, text, strlen(text), 0600);
    free(text);
    return status;
}
