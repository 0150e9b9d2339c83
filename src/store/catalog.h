/* SPDX-License-Identifier: MIT */
/* The catalogue for stages below store: statements and transactions on its one connection. Errors name the statement. */
#ifndef CSM_STORE_CATALOG_H
#define CSM_STORE_CATALOG_H

#include "core/internal.h"

#include <cryptosmart/store.h>

typedef struct csm_statement csm_statement; /* a prepared statement */

csm_status csm_catalog_prepare(csm_statement **out, const csm_store *store, const char *sql);
void csm_statement_close(csm_statement *statement); /* takes NULL */
csm_status csm_statement_bind_text(csm_statement *statement, int index,
                                   const char *text); /* copied; NULL: SQL NULL */
csm_status csm_statement_bind_i64(csm_statement *statement, int index, int64_t value);
csm_status csm_statement_bind_f64(csm_statement *statement, int index, double value); /* NaN: SQL NULL */
csm_status csm_statement_bind_blob(csm_statement *statement, int index, const void *data,
                                   size_t length); /* copied */
/* *row false: done. After done the statement may be bound and stepped again. */
csm_status csm_statement_step(csm_statement *statement, bool *row);
/* Ends a statement that was not stepped to its end; it may be bound and stepped again. */
void csm_statement_reset(csm_statement *statement);
const char *csm_statement_text(csm_statement *statement,
                               int column); /* valid until the next step; NULL: SQL NULL */
int64_t csm_statement_i64(csm_statement *statement, int column);
double csm_statement_f64(csm_statement *statement, int column); /* SQL NULL: NaN */
const void *csm_statement_blob(csm_statement *statement, int column, size_t *length);

/* A section in which this store is the one writer and reads what was committed last. Whoever reads before it writes, or
 * makes files, enters before it reads; a transaction is a section too. A store open for writing is always in one; a shared
 * one waits for the workspace's lock as long as its patience, CSM_ELOCKED, and recovers when the last writer was killed.
 * Sections nest. No statement may be half stepped when one begins. CSM_EREADONLY; every CSM_OK needs its leave. */
csm_status csm_store_enter(csm_store *store);
void csm_store_leave(csm_store *store); /* keeps the error text */

/* One transaction on the writing connection; CSM_EREADONLY on a read-only store, CSM_EINTERNAL when nested. */
csm_status csm_catalog_begin(csm_store *store);
csm_status csm_catalog_commit(csm_store *store);
void csm_catalog_rollback(csm_store *store); /* harmless without a transaction; keeps the error text */

/* Tables of other stages stand in schema.def, in text constants named by stage; the store creates them on open. */
#endif
