/* SPDX-License-Identifier: MIT */
/* The trial register: what was ever tried, so that what was chosen can be judged by how many it was chosen from. */
#include "store/catalog.h"

#include <cryptosmart/learn.h>

#include <stdio.h>

static csm_status check(const csm_trial_record *r) {
    csm_hash hash;
    if (!r->search || csm_hash_parse(&hash, r->search) != CSM_OK)
        return csm_fail(CSM_EINVAL, "trial: search '%s' is not a SHA-256 in hex",
                        r->search ? r->search : "(null)");
    if (!r->subject || !r->recipe || !r->parameters)
        return csm_fail(CSM_EINVAL, "trial: subject, recipe and parameters are required");
    if (r->number < 0 || r->steps < 0 || r->horizon <= 0)
        return csm_fail(CSM_EINVAL, "trial: number %lld, steps %lld or horizon %lld", (long long)r->number,
                        (long long)r->steps, (long long)r->horizon);
    return CSM_OK;
}

/* Whether the row stands already; a writer is alone, so nothing comes between the look and the insert. */
static csm_status stands(bool *found, const csm_store *store, const csm_trial_record *r) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store, "SELECT 1 FROM trials WHERE search = ?1 AND number = ?2 AND steps = ?3");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, r->search);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, r->number);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, r->steps);
    if (status == CSM_OK) status = csm_statement_step(s, found);
    csm_statement_close(s);
    return status;
}

static csm_status insert(csm_context *context, const csm_store *store, const csm_trial_record *r) {
    csm_statement *s = NULL;
    bool row = false;
    char seed[24]; /* as text: SQLite's integers are signed */
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)r->seed);
    csm_status status = csm_catalog_prepare(
        &s, store,
        "INSERT INTO trials (registered, search, number, steps, horizon, subject, recipe, parameters, seed, "
        "loss) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, csm_context_now(context));
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, r->search);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, r->number);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 4, r->steps);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 5, r->horizon);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 6, r->subject);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 7, r->recipe);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 8, r->parameters);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 9, seed);
    if (status == CSM_OK) status = csm_statement_bind_f64(s, 10, r->loss);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

csm_status csm_learn_trial_add(csm_context *context, csm_store *store, const csm_trial_record *record) {
    if (!context || !store || !record)
        return csm_fail(CSM_EINVAL, "trial: context, store and record are required");
    csm_status status = check(record);
    if (status == CSM_OK) status = csm_catalog_begin(store);
    if (status != CSM_OK) return status;
    bool found = false;
    status = stands(&found, store, record);
    if (status == CSM_OK && !found) status = insert(context, store, record);
    if (status == CSM_OK) status = csm_catalog_commit(store);
    if (status != CSM_OK) csm_catalog_rollback(store);
    return status;
}

csm_status csm_learn_trials(int64_t *out, const csm_store *store, csm_time horizon) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "trials: out and store are required");
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, store,
                            "SELECT count(*) FROM (SELECT DISTINCT search, number FROM trials "
                            "WHERE ?1 = 0 OR horizon = ?1)");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, horizon);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK) *out = csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}
