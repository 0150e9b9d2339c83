/* SPDX-License-Identifier: MIT */
/* Models of the workspace: who has which role, what the ledger says of them, and who takes over from whom. */
#include "learn/ledger.h"
#include "pipeline/champion.h"
#include "pipeline/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct csm_model_list {
    csm_model_entry *entry;
    size_t count;
};

void csm_model_list_free(csm_model_list *list) {
    if (!list) return;
    csm_dealloc(list->entry);
    csm_dealloc(list);
}

size_t csm_model_list_count(const csm_model_list *list) {
    return list ? list->count : 0;
}

const csm_model_entry *csm_model_list_at(const csm_model_list *list, size_t index) {
    return list && index < list->count ? &list->entry[index] : NULL;
}

/* ---- the list ---- */

static void read_entry(csm_model_entry *e, csm_statement *s) {
    const char *hash = csm_statement_text(s, 0), *role = csm_statement_text(s, 1);
    *e = (csm_model_entry){.as_of = csm_statement_i64(s, 2),
                           .created = csm_statement_i64(s, 3),
                           .since = csm_statement_i64(s, 4),
                           .horizon = csm_statement_i64(s, 5),
                           .brier_skill = csm_statement_f64(s, 6),
                           .log_loss = csm_statement_f64(s, 7)};
    snprintf(e->hash, sizeof e->hash, "%s", hash ? hash : "");
    snprintf(e->role, sizeof e->role, "%s", role ? role : "");
}

/* Live forecasts of one model that matured, and their Brier score. */
static csm_status judge_entry(csm_model_entry *e, const csm_store *store) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT count(*), avg((l.probability - o.rises) * (l.probability - o.rises)) FROM ledger h JOIN "
        "ledger l ON l.batch = h.row AND l.kind IN (1, 3) JOIN outcomes o ON o.row = l.row WHERE h.kind = 0 "
        "AND substr(h.text, 7, 64) = ?1 AND l.backfill = 0 AND o.state = 0 AND l.probability IS NOT NULL");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, e->hash);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) {
        e->outcomes = (size_t)csm_statement_i64(s, 0);
        e->brier = csm_statement_f64(s, 1);
    }
    csm_statement_close(s);
    return status;
}

static csm_status read_entries(csm_model_list *list, const csm_store *store) {
    csm_statement *s = NULL;
    size_t capacity = 0;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT hash, role, as_of, created, since, coalesce(horizon, 0), brier_skill, log_loss FROM models "
        "ORDER BY CASE role WHEN 'champion' THEN 0 WHEN 'challenger' THEN 1 WHEN 'shadow' THEN 2 ELSE 3 END, "
        "created DESC, hash");
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        if (list->count == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            csm_model_entry *entry = csm_realloc_array(list->entry, capacity, sizeof *entry);
            if (!entry) {
                status = CSM_ENOMEM;
                break;
            }
            list->entry = entry;
        }
        read_entry(&list->entry[list->count++], s);
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_pipeline_models(csm_model_list **out, const csm_pipeline *pipeline) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "models: out and pipeline are required");
    *out = NULL;
    csm_model_list *list = csm_alloc_array(1, sizeof *list);
    if (!list) return CSM_ENOMEM;
    csm_status status = read_entries(list, pipeline->store);
    for (size_t i = 0; status == CSM_OK && i < list->count; i++)
        status = judge_entry(&list->entry[i], pipeline->store);
    if (status != CSM_OK) {
        csm_model_list_free(list);
        return status;
    }
    *out = list;
    return CSM_OK;
}

/* ---- names ---- */

#define SHORTEST_HASH 8

csm_status csm_model_resolve(char *hash, const csm_pipeline *p, const char *text) {
    const size_t length = text ? strlen(text) : 0;
    if (length < SHORTEST_HASH || length >= CSM_HASH_TEXT || strspn(text, "0123456789abcdef") != length)
        return csm_fail(CSM_EINVAL, "models: '%.80s' is not %d to 64 digits of a hash", text ? text : "",
                        SHORTEST_HASH);
    csm_statement *s = NULL;
    size_t found = 0;
    csm_status status =
        csm_catalog_prepare(&s, p->store, "SELECT hash FROM models WHERE substr(hash, 1, ?2) = ?1 LIMIT 2");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, text);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, (int64_t)length);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        const char *hex = csm_statement_text(s, 0);
        snprintf(hash, CSM_HASH_TEXT, "%s", hex ? hex : "");
        found++;
    }
    csm_statement_close(s);
    if (status == CSM_OK && found == 0)
        status = csm_fail(CSM_ENOTFOUND, "models: none has a hash that begins with %s", text);
    if (status == CSM_OK && found > 1)
        status = csm_fail(CSM_EINVAL, "models: several hashes begin with %s", text);
    return status;
}

/* ---- taking over ---- */

/* Champion's role to `hash`, with the decision and its reasons in the ledger, all or nothing. */
csm_status csm_model_take_over(const csm_pipeline *p, const char *hash, uint32_t decision, const char *down,
                               const char *text, bool backfill) {
    csm_status status = csm_catalog_begin(p->store);
    if (status != CSM_OK) return status;
    status = csm_model_set_role(p, hash, CSM_ROLE_CHAMPION, down);
    if (status == CSM_OK)
        status = csm_ledger_decide(p->context, p->store, decision, csm_context_now(p->context), 0, hash, text,
                                   backfill);
    if (status == CSM_OK) status = csm_catalog_commit(p->store);
    if (status != CSM_OK) csm_catalog_rollback(p->store);
    return status;
}

csm_status csm_promotion_evidence(const csm_pipeline *p, const csm_comparison *c) {
    const double needed = csm_config_real(p->config, "learn.promotion_evidence");
    const size_t blocks = (size_t)csm_config_integer(p->config, "learn.promotion_blocks");
    const size_t outcomes = (size_t)csm_config_integer(p->config, "learn.promotion_outcomes");
    if (c->pairs >= outcomes && c->blocks >= blocks && c->e_value >= needed && c->worse < needed)
        return CSM_OK;
    return csm_fail(
        CSM_ENODATA,
        "promotion: %zu of %zu matured pairs, %zu of %zu closed blocks, e-value %.3g of %.3g for the "
        "model and %.3g against it",
        c->pairs, outcomes, c->blocks, blocks, c->e_value, needed, c->worse);
}

csm_status csm_pipeline_promote(csm_pipeline *pipeline, const char *model, uint32_t force) {
    if (!pipeline || !model) return csm_fail(CSM_EINVAL, "promote: pipeline and model are required");
    char hash[CSM_HASH_TEXT], text[512];
    model_row champion = {0};
    csm_comparison evidence = {0};
    csm_status status = csm_model_resolve(hash, pipeline, model);
    if (status == CSM_OK) status = csm_model_in_role(&champion, pipeline, CSM_ROLE_CHAMPION);
    if (status == CSM_OK && champion.found && strcmp(champion.hash, hash) == 0)
        status = csm_fail(CSM_EEXIST, "promote: %s is champion already", hash);
    if (status == CSM_OK && champion.found)
        status = csm_compare_models(&evidence, pipeline, hash, champion.hash, 0, false);
    if (status == CSM_OK && champion.found && !force) status = csm_promotion_evidence(pipeline, &evidence);
    if (status != CSM_OK) return status;
    snprintf(text, sizeof text, "%s\nbefore %s\npairs %zu\nblocks %zu\ne_value %.6g\nworse %.6g\n",
             force ? "forced by hand" : "on evidence, by hand", champion.found ? champion.hash : "none",
             evidence.pairs, evidence.blocks, evidence.e_value, evidence.worse);
    return csm_model_take_over(pipeline, hash, CSM_DECISION_PROMOTED, CSM_ROLE_SHADOW, text, false);
}

csm_status csm_model_before(char *hash, const csm_pipeline *p) {
    csm_statement *s = NULL;
    bool found = false;
    csm_status status =
        csm_catalog_prepare(&s, p->store,
                            "SELECT hash FROM models WHERE role <> 'champion' AND championed IS NOT NULL "
                            "ORDER BY role = 'shadow' DESC, championed DESC LIMIT 1");
    if (status == CSM_OK) status = csm_statement_step(s, &found);
    if (status == CSM_OK && !found)
        status = csm_fail(CSM_ENOTFOUND, "%s: there is no champion before this one", p->workspace);
    if (status == CSM_OK) {
        const char *hex = csm_statement_text(s, 0);
        snprintf(hash, CSM_HASH_TEXT, "%s", hex ? hex : "");
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_pipeline_rollback(csm_pipeline *pipeline) {
    if (!pipeline) return csm_fail(CSM_EINVAL, "rollback: pipeline is required");
    char hash[CSM_HASH_TEXT], text[128];
    model_row champion = {0};
    csm_status status = csm_model_before(hash, pipeline);
    if (status == CSM_OK) status = csm_model_in_role(&champion, pipeline, CSM_ROLE_CHAMPION);
    if (status != CSM_OK) return status;
    snprintf(text, sizeof text, "by hand\nbefore %s\n", champion.found ? champion.hash : "none");
    return csm_model_take_over(pipeline, hash, CSM_DECISION_ROLLED_BACK, CSM_ROLE_RETIRED, text, false);
}
