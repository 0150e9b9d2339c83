/* SPDX-License-Identifier: MIT */
#include "ingest/source.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CSM_SOURCE(driver, name, title, kind, group, base_url, per_market, needs_key)                        \
    extern const csm_source_driver csm_driver_##driver;
#include "ingest/sources.def"
#undef CSM_SOURCE

static const csm_source sources[] = {
#define CSM_SOURCE(driver, name, title, kind, group, base_url, per_market, needs_key)                        \
    {name, title, kind, group, base_url, per_market, needs_key},
#include "ingest/sources.def"
#undef CSM_SOURCE
};

static const csm_source_driver *const drivers[] = {
#define CSM_SOURCE(driver, name, title, kind, group, base_url, per_market, needs_key) &csm_driver_##driver,
#include "ingest/sources.def"
#undef CSM_SOURCE
};

size_t csm_ingest_source_count(void) {
    return sizeof sources / sizeof sources[0];
}

const csm_source *csm_ingest_source_at(size_t index) {
    return index < csm_ingest_source_count() ? &sources[index] : NULL;
}

const csm_source *csm_ingest_source_find(const char *name) {
    for (size_t i = 0; name != NULL && i < csm_ingest_source_count(); i++)
        if (strcmp(sources[i].name, name) == 0) return &sources[i];
    return NULL;
}

const csm_source_driver *csm_source_driver_of(const csm_source *source) {
    const csm_source *known = source == NULL ? NULL : csm_ingest_source_find(source->name);
    return known == NULL ? NULL : drivers[known - sources];
}

csm_status csm_source_answer_part(csm_source_part **out, csm_source_answer *answer, const char *kind,
                                  csm_slice native) {
    if (answer->part_count == answer->part_capacity) {
        size_t capacity = answer->part_capacity == 0 ? 1 : answer->part_capacity * 2;
        csm_source_part *parts = csm_realloc_array(answer->parts, capacity, sizeof(csm_source_part));
        if (parts == NULL) return CSM_ENOMEM;
        answer->parts = parts;
        answer->part_capacity = capacity;
    }
    csm_source_part part = {.native = csm_text_pool_add(&answer->texts, native.text, native.length),
                            .why = ""};
    if (part.native == NULL) return CSM_ENOMEM;
    csm_status status = csm_table_new(&part.rows, kind);
    if (status != CSM_OK) return status;
    answer->parts[answer->part_count] = part;
    *out = &answer->parts[answer->part_count++];
    return CSM_OK;
}

void csm_source_answer_free(csm_source_answer *answer) {
    for (size_t i = 0; i < answer->part_count; i++) csm_table_free(answer->parts[i].rows);
    csm_dealloc(answer->parts);
    csm_text_pool_free(&answer->texts);
    csm_buffer_free(&answer->note);
    *answer = (csm_source_answer){0};
}

csm_status csm_source_answer_note(csm_source_answer *answer, const char *format, ...) {
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return csm_buffer_printf(&answer->note, "%s%s", answer->note.length > 0 ? "; " : "", text);
}
