/* SPDX-License-Identifier: MIT */
/* Parsing a recorded reply with a source's driver. */
#ifndef CSM_TEST_INGEST_PARSE_H
#define CSM_TEST_INGEST_PARSE_H

#include "discover/fixture.h"
#include "ingest/source.h"

#include <stdlib.h>

typedef struct parsed {
    csm_status status;
    csm_source_answer answer;
} parsed;

static inline parsed parse_bytes(const char *source, const csm_source_ask *ask, const char *body,
                                 size_t length, csm_time received) {
    const csm_source_driver *driver = csm_source_driver_of(csm_ingest_source_find(source));
    assert_non_null(driver);
    parsed p = {.answer = CSM_SOURCE_ANSWER_INIT};
    char *exact = malloc(length > 0 ? length : 1); /* so that a sanitizer sees a read past the end */
    assert_non_null(exact);
    memcpy(exact, body, length);
    p.status = driver->parse(&p.answer, ask, exact, length, received);
    free(exact);
    return p;
}

static inline parsed parse_text(const char *source, const csm_source_ask *ask, const char *body,
                                csm_time received) {
    return parse_bytes(source, ask, body, strlen(body), received);
}

static inline csm_source_ask ask_for(csm_time interval) {
    return (csm_source_ask){.base_url = "",
                            .cursor = "",
                            .last_id = CSM_ID_UNKNOWN,
                            .interval = interval,
                            .from = CSM_TIME_MIN,
                            .depth = 100};
}

/* A cell as text, "-" when missing. */
static inline const char *cell(const csm_table *table, size_t row, const char *column) {
    static char text[8][64];
    static size_t next;
    char *out = text[next++ % 8];
    int index = csm_table_column_find(table, column);
    assert_true(index >= 0 && row < csm_table_rows(table));
    csm_decimal value = {.ticks = csm_table_ticks(table, (size_t)index)[row],
                         .scale = csm_table_scale(table, (size_t)index)};
    if (value.ticks == CSM_CELL_MISSING) return "-";
    return csm_decimal_format(value, out, sizeof text[0]);
}

#define assert_cell(table, row, column, text) assert_string_equal(cell(table, row, column), text)

#endif
