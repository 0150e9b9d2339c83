/* SPDX-License-Identifier: MIT */
/* What people say of forecasts: appended beside the outcome, never in its place. */
#include "store/catalog.h"

#include <cryptosmart/learn.h>
#include <string.h>

#define WHO_BYTES_MOST 64
#define TEXT_BYTES_MOST 1024

static csm_status check(int32_t verdict, const char *who, const char *text) {
    if (verdict < -1 || verdict > 1)
        return csm_fail(CSM_EINVAL, "feedback: verdict %d is not 1 (right), -1 (wrong) or 0 (withdrawn)",
                        (int)verdict);
    if (!who || !*who || strlen(who) > WHO_BYTES_MOST)
        return csm_fail(CSM_EINVAL, "feedback: who must have 1..%d bytes", WHO_BYTES_MOST);
    if (text && strlen(text) > TEXT_BYTES_MOST)
        return csm_fail(CSM_EINVAL, "feedback: the text has %zu bytes, the most are %d", strlen(text),
                        TEXT_BYTES_MOST);
    return CSM_OK;
}

/* Shadow forecasts were shown to nobody, so nobody can judge them. */
static csm_status is_forecast(const csm_store *store, int64_t row) {
    csm_statement *s = NULL;
    bool found = false;
    csm_status status = csm_catalog_prepare(&s, store, "SELECT 1 FROM ledger WHERE row = ?1 AND kind = 1");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, row);
    if (status == CSM_OK) status = csm_statement_step(s, &found);
    if (status == CSM_OK && !found)
        status = csm_fail(CSM_ENOTFOUND, "feedback: ledger row %lld is no forecast", (long long)row);
    csm_statement_close(s);
    return status;
}

static csm_status insert(csm_context *context, const csm_store *store, int64_t row, int32_t verdict,
                         const char *who, const char *text) {
    csm_statement *s = NULL;
    bool more = false;
    csm_status status = csm_catalog_prepare(
        &s, store, "INSERT INTO feedback (row, given, verdict, who, text) VALUES (?1, ?2, ?3, ?4, ?5)");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, row);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, csm_context_now(context));
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, verdict);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 4, who);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 5, text ? text : "");
    if (status == CSM_OK) status = csm_statement_step(s, &more);
    csm_statement_close(s);
    return status;
}

csm_status csm_learn_feedback_add(csm_context *context, csm_store *store, int64_t row, int32_t verdict,
                                  const char *who, const char *text) {
    if (!context || !store) return csm_fail(CSM_EINVAL, "feedback: context and store are required");
    csm_status status = check(verdict, who, text);
    if (status == CSM_OK) status = csm_catalog_begin(store);
    if (status != CSM_OK) return status;
    status = is_forecast(store, row);
    if (status == CSM_OK) status = insert(context, store, row, verdict, who, text);
    if (status == CSM_OK) status = csm_catalog_commit(store);
    if (status != CSM_OK) csm_catalog_rollback(store);
    return status;
}

csm_status csm_learn_feedback_count(csm_feedback_counts *out, const csm_store *store) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "feedback: out and store are required");
    *out = (csm_feedback_counts){0};
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "WITH newest AS (SELECT row, verdict FROM feedback f WHERE id = (SELECT max(id) FROM feedback g WHERE"
        " g.row = f.row AND g.who = f.who)), judged AS (SELECT row, sum(verdict) AS verdict FROM newest GROUP"
        " BY row) SELECT (SELECT count(*) FROM judged WHERE verdict > 0),"
        " (SELECT count(*) FROM judged WHERE verdict < 0), (SELECT count(*) FROM feedback)");
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row)
        *out = (csm_feedback_counts){(size_t)csm_statement_i64(s, 0), (size_t)csm_statement_i64(s, 1),
                                     (size_t)csm_statement_i64(s, 2)};
    csm_statement_close(s);
    return status;
}
