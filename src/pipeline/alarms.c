/* SPDX-License-Identifier: MIT */
/* Drift alarms are rows of the ledger; one stands as long as the model it was raised against predicts. */
#include "pipeline/alarms.h"

#include "learn/ledger.h"

csm_status csm_alarms_at(size_t *out, const csm_store *store, const char *model, csm_time horizon,
                         csm_time as_of) {
    csm_statement *s = NULL;
    bool row = false;
    *out = 0;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT count(*) FROM ledger WHERE kind = 2 AND coin = 'alarm' AND substr(text, 7, 64) = ?1 AND "
        "horizon = ?2 AND decision <= ?3");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, model);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, horizon);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, as_of);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) *out = (size_t)csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}

csm_status csm_alarms_standing(size_t *out, const csm_store *store, const char *model, csm_time horizon,
                               csm_time as_of) {
    size_t own = 0, all = 0;
    csm_status status = csm_alarms_at(&own, store, model, horizon, as_of);
    if (status == CSM_OK) status = csm_alarms_at(&all, store, model, 0, as_of);
    *out = own + all;
    return status;
}

csm_status csm_alarm_raise(csm_pipeline *p, const char *model, csm_time horizon, const char *text,
                           bool backfill) {
    csm_status status = csm_catalog_begin(p->store);
    if (status != CSM_OK) return status;
    status = csm_ledger_decide(p->context, p->store, CSM_DECISION_ALARM, csm_context_now(p->context), horizon,
                               model, text, backfill);
    if (status == CSM_OK) status = csm_catalog_commit(p->store);
    if (status != CSM_OK) csm_catalog_rollback(p->store);
    return status;
}
