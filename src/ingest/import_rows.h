/* SPDX-License-Identifier: MIT */
/* The rows of one history file: CSV lines of a known format, all of them checked before any of them is handed on. */
#ifndef CSM_INGEST_IMPORT_ROWS_H
#define CSM_INGEST_IMPORT_ROWS_H

#include "ingest/csv_scan.h"

#include <cryptosmart/ingest.h>

typedef struct csm_import_rows {
    csm_csv csv;
    uint32_t format;   /* csm_import_format; AUTO is settled by the first line */
    csm_table *table;  /* "bars" or "value" */
    csm_time interval; /* of bars; 0 until settled */
    csm_time latest;   /* no row may be later */
    csm_time previous; /* time of the row before; CSM_TIME_MIN at first */
    csm_time *times;   /* of the rows: `available` waits for the interval */
    size_t row_count, row_capacity;
    size_t columns; /* of the header; 7 for OHLCVT */
    size_t trades;  /* field of the number of trades; SIZE_MAX when not given */
    size_t vwap;
    uint64_t first_line; /* number of the first row's line: the others follow without holes */
    size_t quiet;        /* intervals shown to be without trade */
} csm_import_rows;

void csm_import_rows_init(csm_import_rows *rows, uint32_t format, csm_time interval, csm_time latest);
void csm_import_rows_free(csm_import_rows *rows);
csm_status csm_import_rows_push(csm_import_rows *rows, const char *bytes, size_t length);
/* Ends the file. Settles the interval (most frequent step where it was 0) and checks every time against it. */
csm_status csm_import_rows_finish(csm_import_rows *rows);

#endif
