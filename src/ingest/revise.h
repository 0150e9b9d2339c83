/* SPDX-License-Identifier: MIT */
/* Rows received again: those that say nothing new are left out, those that say something else become revisions. */
#ifndef CSM_INGEST_REVISE_H
#define CSM_INGEST_REVISE_H

#include "core/internal.h"

#include <cryptosmart/store.h>

/* rows: ascending in time, one a time. *out gets the rows whose time the stream does not have (as they are) and those whose
 * values differ from the latest known (available from `received` on; CSM_TIME_MIN: known rows stay as they are). */
csm_status csm_rows_revise(csm_table **out, csm_store *store, csm_context *context, const csm_stream *stream,
                           const csm_table *rows, csm_time received);

#endif
