/* SPDX-License-Identifier: MIT */
/* CSV as exchanges publish it: fields without quotes, one record a line. Bytes are pushed as they come; a line is whole when
 * its end has come, so a file never stands in memory. */
#ifndef CSM_INGEST_CSV_SCAN_H
#define CSM_INGEST_CSV_SCAN_H

#include "ingest/decimal_text.h"

#define CSM_CSV_LINE_MAX 4096
#define CSM_CSV_FIELDS_MAX 64

typedef struct csm_csv_line {
    const csm_slice *fields;
    size_t count;
    uint64_t number; /* from 1 */
} csm_csv_line;

typedef csm_status (*csm_csv_line_fn)(void *user, const csm_csv_line *line);

/* Bytes of line `number`, its end among them, that it took from [at, end); 0, and nothing done, for what the other way
 * must look at: anything unusual, and everything wrong. */
typedef size_t (*csm_csv_quick_fn)(void *user, const char *at, const char *end, uint64_t number);

typedef struct csm_csv {
    csm_csv_line_fn take;
    csm_csv_quick_fn quick; /* NULL: none; never asked for the first line */
    void *user;
    uint64_t number;
    bool blank; /* an empty line was met: only the end may follow */
    size_t held_length;
    char held[CSM_CSV_LINE_MAX]; /* the line that has begun */
} csm_csv;

void csm_csv_begin(csm_csv *csv, csm_csv_line_fn take, void *user);
csm_status csm_csv_push(csm_csv *csv, const char *bytes, size_t length);
/* The last line may lack its end. */
csm_status csm_csv_finish(csm_csv *csv);

/* CSM_EPARSE "line N: what: "field"". */
csm_status csm_csv_fail(const csm_csv_line *line, size_t field, const char *what);

#endif
