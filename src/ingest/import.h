/* SPDX-License-Identifier: MIT */
/* The parts of csm_ingest_import: what a file is called, what stands in it, and how its rows enter. */
#ifndef CSM_INGEST_IMPORT_H
#define CSM_INGEST_IMPORT_H

#include "ingest/import_rows.h"
#include "ingest/report.h"

#include <cryptosmart/discover.h>

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
    csm_status status;
    char *text; /* of a failure */
    csm_import_rows rows;
} csm_import_file;

void csm_import_file_init(csm_import_file *file, const csm_import *import, const char *path);
void csm_import_file_free(csm_import_file *file);
/* Remembers the failing status with this thread's text. */
void csm_import_file_fail(csm_import_file *file, csm_status status);

/* ".csv", ".csv.xz" or ".csv.gz", ".zip"; names that begin with '_' or '.' are none. */
bool csm_import_name_is_csv(const char *name);
bool csm_import_name_is_zip(const char *name);
/* Symbol of a file ("BTC/USDT"), in 128 bytes, and its interval where the name tells it (0 otherwise). */
csm_status csm_import_symbol(char *symbol, size_t size, const csm_import *import, const char *name,
                             uint32_t format);
csm_time csm_import_name_interval(const char *name);

/* Puts a whole file's rows into the store, an append a listing epoch, and writes its item. A failure of the file is the
 * item's; only what stops the whole import is returned. */
csm_status csm_import_enter(const csm_import *import, csm_import_file *file);

#endif
