/* SPDX-License-Identifier: MIT */
/* The parts of csm_ingest_import: what a file is called, what stands in it, and how its rows enter. */
#ifndef CSM_INGEST_IMPORT_H
#define CSM_INGEST_IMPORT_H

#include "ingest/import_rows.h"
#include "ingest/report.h"

#include "store/append.h"

#include <cryptosmart/discover.h>

#define CSM_IMPORT_SYMBOL_MAX 128

typedef struct csm_import {
    csm_context *context;
    csm_store *store;
    csm_ingest_report *report;
    csm_import_options options; /* complete */
    csm_market_list *registry;  /* of the venue, every epoch; empty when nothing was discovered */
    csm_time received;
} csm_import;

/* One CSV that was read whole and checked, or why it was not. */
typedef struct csm_import_file {
    const char *path; /* on disk; borrowed */
    char name[256];   /* of the CSV: the file's own, or of the zip's entry */
    char *request;    /* provenance: names and SHA-256 */
    char symbol[CSM_IMPORT_SYMBOL_MAX];
    csm_status status;
    char *text; /* of a failure */
    csm_import_rows rows;
} csm_import_file;

/* Files on their way into the store, with one acknowledgement for all of them. */
typedef struct csm_import_group {
    const csm_import *import;
    csm_import_file **files; /* owned */
    size_t *items;           /* of the report, one a file */
    size_t file_count, file_capacity;
    csm_append *appends; /* one a listing epoch of a file; tables are owned */
    size_t *owners;      /* the file of each append */
    size_t append_count, append_capacity;
    size_t rows;
} csm_import_group;

void csm_import_file_free(csm_import_file *file); /* takes NULL */
/* Remembers the failing status with this thread's text. */
void csm_import_file_fail(csm_import_file *file, csm_status status);

/* ".csv", ".csv.xz" or ".csv.gz", ".zip"; names that begin with '_' or '.' are none. */
bool csm_import_name_is_csv(const char *name);
bool csm_import_name_is_zip(const char *name);
/* Symbol of a file ("BTC/USDT"), in 128 bytes, and its interval where the name tells it (0 otherwise). */
csm_status csm_import_symbol(char *symbol, size_t size, const csm_import *import, const char *name,
                             uint32_t format);
csm_time csm_import_name_interval(const char *name);

/* Takes a file that was read (also a failed one), writes its item and lets its rows enter: an append a listing epoch. The
 * group is stored when it is full, or when the file continues a stream that is in it. A failure of the file is its item's;
 * only what stops the whole import is returned. */
csm_status csm_import_enter(csm_import_group *group, csm_import_file *file);
/* Stores what the group holds: durable when it returns. A file that the store refuses is left out, with its item saying
 * why, and the others enter. */
csm_status csm_import_group_store(csm_import_group *group);
void csm_import_group_free(csm_import_group *group);
/* Takes the file; `item` is its place in the report. */
csm_status csm_import_group_take(csm_import_group *group, csm_import_file *file, size_t item);
/* Takes the rows, of the file taken last. */
csm_status csm_import_group_append(csm_import_group *group, const csm_stream *stream,
                                   const csm_provenance *provenance, csm_table *rows);
bool csm_import_group_is_full(const csm_import_group *group, size_t rows); /* with so many rows more */
bool csm_import_group_holds(const csm_import_group *group, const csm_stream *stream);
/* Writes a failure into the file's item; returned is what stops the whole import. */
csm_status csm_import_say_failure(const csm_import *import, csm_import_file *file, size_t item,
                                  csm_status status);

#endif
