/* SPDX-License-Identifier: MIT */
/* Drift alarms are rows of the ledger; one stands as long as the model it was raised against predicts. */
#include "pipeline/alarms.h"

#include "store/catalog.h"

csm_status csm_alarms_standing(size_t *out, const csm_store *store, const char *model, csm_time horizon) {
    csm_statement *s = NULL;
    bool row = false;
    *out = 0;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT count(*) FROM ledger WHERE kind = 2 AND coin = 'alarm' AND substr(text, 7, 64) = ?1 AND "
        "(horizon = ?2 OR horizon = 0)");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, model);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, horizon);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) *out = (size_t)csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}
