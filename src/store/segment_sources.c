/* SPDX-License-Identifier: MIT */
/* A segment's sources as JSON: [{"source":..,"request":..,"origin":..,"received":ns}, ...]. */
#include "store/sources_json.h"

#include <stdlib.h>
#include <string.h>

json_t *csm_sources_json(const csm_provenance *sources, size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; list && i < count; i++) {
        json_t *source =
            json_pack("{s:s, s:s, s:s, s:I}", "source", sources[i].source, "request", sources[i].request,
                      "origin", sources[i].origin, "received", (json_int_t)sources[i].received);
        if (!source || json_array_append_new(list, source) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

csm_status csm_sources_format(csm_buffer *out, const csm_provenance *sources, size_t count) {
    json_t *list = csm_sources_json(sources, count);
    char *text = list ? json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    const csm_status status =
        text ? csm_buffer_append(out, text, strlen(text)) : csm_fail(CSM_ENOMEM, "provenance: no memory");
    free(text);
    json_decref(list);
    return status;
}

static csm_status take_text(const char **out, const json_t *entry, const char *key, bool empty_allowed) {
    const json_t *value = json_object_get(entry, key);
    const char *text = json_string_value(value);
    if (!text || strlen(text) != json_string_length(value) || (!empty_allowed && !*text))
        return csm_fail(CSM_ECORRUPT, "provenance: \"%s\" is absent, empty or no text", key);
    *out = csm_strdup(text);
    return *out ? CSM_OK : CSM_ENOMEM;
}

static csm_status take_source(csm_provenance *out, const json_t *entry) {
    const json_t *received = json_object_get(entry, "received");
    if (!json_is_integer(received)) return csm_fail(CSM_ECORRUPT, "provenance: \"received\" is no integer");
    out->received = json_integer_value(received);
    csm_status status = take_text(&out->source, entry, "source", false);
    if (!status) status = take_text(&out->request, entry, "request", false);
    if (!status) status = take_text(&out->origin, entry, "origin", true);
    if (!status && out->received == CSM_TIME_MIN)
        status = csm_fail(CSM_ECORRUPT, "provenance: no receive time");
    return status;
}

csm_status csm_sources_parse(csm_provenance **out, size_t *count, const char *json, size_t length) {
    json_error_t error;
    csm_status status = CSM_OK;
    *out = NULL;
    *count = 0;
    json_t *list = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!list) return csm_fail(CSM_ECORRUPT, "provenance: line %d: %s", error.line, error.text);
    const size_t n = json_array_size(list);
    csm_provenance *sources = NULL;
    if (n == 0 || n > UINT32_MAX) {
        status = csm_fail(CSM_ECORRUPT, "provenance: no array of sources");
        goto done;
    }
    sources = csm_alloc_array(n, sizeof *sources);
    if (!sources) status = CSM_ENOMEM;
    for (size_t i = 0; i < n && !status; i++) status = take_source(&sources[i], json_array_get(list, i));
done:
    json_decref(list);
    if (status) {
        csm_sources_free(sources, n);
        return status;
    }
    *out = sources;
    *count = n;
    return CSM_OK;
}

void csm_sources_free(csm_provenance *sources, size_t count) {
    for (size_t i = 0; sources && i < count; i++) {
        csm_dealloc((void *)(uintptr_t)sources[i].source);
        csm_dealloc((void *)(uintptr_t)sources[i].request);
        csm_dealloc((void *)(uintptr_t)sources[i].origin);
    }
    csm_dealloc(sources);
}
