/* SPDX-License-Identifier: MIT */
/* The model files of a workspace: written whole, then named by the catalogue, which says who is champion. */
#include "core/platform.h"
#include "learn/ledger.h"
#include "pipeline/champion.h"
#include "store/catalog.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- roles ---- */

static csm_status update_role(const csm_pipeline *p, const char *sql, const char *hash, const char *role,
                              const char *down) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, p->store, sql);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, hash);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, role);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, csm_context_now(p->context));
    if (status == CSM_OK && down) status = csm_statement_bind_text(s, 4, down);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

/* At no moment may two have one role: who has it now, and who has the one it gets, step down first. */
csm_status csm_model_set_role(const csm_pipeline *p, const char *hash, const char *role, const char *down) {
    csm_status status = CSM_OK;
    if (strcmp(role, CSM_ROLE_RETIRED) != 0 && strcmp(down, CSM_ROLE_RETIRED) != 0)
        status =
            update_role(p, "UPDATE models SET role = 'retired', since = ?3 WHERE role = ?2 AND hash <> ?1",
                        hash, down, NULL);
    if (status == CSM_OK && strcmp(role, down) != 0 && strcmp(down, CSM_ROLE_RETIRED) != 0)
        status =
            update_role(p, "UPDATE models SET role = 'retired', since = ?3 WHERE hash = ?1 AND role = ?2",
                        hash, down, NULL);
    if (status == CSM_OK && strcmp(role, CSM_ROLE_RETIRED) != 0)
        status = update_role(p, "UPDATE models SET role = ?4, since = ?3 WHERE role = ?2 AND hash <> ?1",
                             hash, role, down);
    if (status == CSM_OK)
        status = update_role(p,
                             "UPDATE models SET role = ?2, since = ?3, championed = CASE ?2 WHEN 'champion' "
                             "THEN ?3 ELSE championed END WHERE hash = ?1",
                             hash, role, NULL);
    return status;
}

csm_status csm_model_in_role(model_row *out, const csm_pipeline *p, const char *role) {
    csm_statement *s = NULL;
    *out = (model_row){.as_of = CSM_TIME_MIN};
    csm_status status =
        csm_catalog_prepare(&s, p->store, "SELECT hash, as_of, since FROM models WHERE role = ?1");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, role);
    if (status == CSM_OK) status = csm_statement_step(s, &out->found);
    if (status == CSM_OK && out->found) {
        const char *hex = csm_statement_text(s, 0);
        snprintf(out->hash, sizeof out->hash, "%s", hex ? hex : "");
        out->as_of = csm_statement_i64(s, 1);
        out->since = csm_statement_i64(s, 2);
    }
    csm_statement_close(s);
    return status;
}

/* ---- registering ---- */

static const csm_horizon_training *gate_facts(const csm_pipeline *p, const csm_training *training) {
    for (size_t h = 0; h < training->horizons; h++) {
        if (training->horizon[h].facts.horizon == p->settings.rank.horizon)
            return &training->horizon[h].facts;
    }
    return NULL;
}

static csm_status insert_model(csm_pipeline *p, const csm_training *training, const char *path) {
    csm_statement *s = NULL;
    const csm_horizon_training *facts = gate_facts(p, training);
    const csm_time now = csm_context_now(p->context);
    csm_status status = csm_catalog_prepare(
        &s, p->store,
        "INSERT OR IGNORE INTO models (hash, path, as_of, created, role, since, horizon, brier_skill, "
        "log_loss) VALUES (?1, ?2, ?3, ?4, 'retired', ?4, ?5, ?6, ?7)");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, training->hash);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, path);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, training->as_of);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 4, now);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 5, facts ? facts->horizon : 0);
    if (status == CSM_OK)
        status = csm_statement_bind_f64(s, 6, facts ? facts->model.brier_skill.value : (double)NAN);
    if (status == CSM_OK)
        status = csm_statement_bind_f64(s, 7, facts ? facts->model.log_loss.value : (double)NAN);
    bool row = false;
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

static csm_status register_model(csm_pipeline *p, const csm_training *training, const char *path,
                                 const char *role, const char *why) {
    const bool challenges = strcmp(role, CSM_ROLE_CHALLENGER) == 0;
    model_row champion;
    csm_status status = csm_catalog_begin(p->store);
    if (status != CSM_OK) return status;
    status = csm_model_in_role(&champion, p, CSM_ROLE_CHAMPION);
    if (status == CSM_OK && challenges && champion.found && strcmp(champion.hash, training->hash) == 0)
        status = csm_fail(CSM_EEXIST, "train: the challenger is the champion, bit by bit");
    if (status == CSM_OK) status = insert_model(p, training, path);
    if (status == CSM_OK) status = csm_model_set_role(p, training->hash, role, CSM_ROLE_RETIRED);
    if (status == CSM_OK && challenges)
        status = csm_ledger_decide(p->context, p->store, CSM_DECISION_CHALLENGER, training->as_of, 0,
                                   training->hash, why, false);
    if (status == CSM_OK) status = csm_catalog_commit(p->store);
    if (status != CSM_OK) csm_catalog_rollback(p->store);
    return status;
}

csm_status csm_champion_register(csm_training *training, csm_pipeline *pipeline, const char *role,
                                 const char *why) {
    char *folder = csm_strformat("%s/models", pipeline->workspace);
    char *draft = csm_strformat("%s/models/.tmp-training", pipeline->workspace);
    char *path = NULL, relative[128];
    csm_status status = folder && draft ? csm_folder_make(folder) : CSM_ENOMEM;
    if (status == CSM_OK) status = csm_store_enter(pipeline->store); /* the draft's name is everybody's */
    if (status != CSM_OK) goto done;
    status = csm_training_save(training, draft);
    if (status == CSM_OK) {
        snprintf(relative, sizeof relative, "models/%s.safetensors", training->hash);
        path = csm_strformat("%s/%s", pipeline->workspace, relative);
        status = path ? csm_file_rename(draft, path) : CSM_ENOMEM;
    }
    if (status == CSM_OK) status = csm_folder_sync(folder);
    if (status == CSM_OK) status = register_model(pipeline, training, relative, role, why);
    csm_store_leave(pipeline->store);
done:
    csm_dealloc(path);
    csm_dealloc(draft);
    csm_dealloc(folder);
    return status;
}

/* ---- opening ---- */

csm_status csm_model_open(csm_training **out, const csm_pipeline *p, const char *hash) {
    char path[4096] = "";
    csm_statement *s = NULL;
    bool row = false;
    csm_training *training = NULL;
    *out = NULL;
    csm_status status = csm_catalog_prepare(&s, p->store, "SELECT path FROM models WHERE hash = ?1");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, hash);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && !row)
        status = csm_fail(CSM_ENOTFOUND, "%s: no model %s is registered", p->workspace, hash);
    if (status == CSM_OK) {
        const char *name = csm_statement_text(s, 0);
        snprintf(path, sizeof path, "%s/%s", p->workspace, name ? name : "");
    }
    csm_statement_close(s);
    if (status == CSM_OK) status = csm_training_load(&training, path);
    if (status == CSM_OK && strcmp(training->hash, hash) != 0)
        status = csm_fail(CSM_ECORRUPT, "%s: the file's hash is not the one the catalogue names", path);
    if (status != CSM_OK) {
        csm_training_free(training);
        return status;
    }
    *out = training;
    return CSM_OK;
}

csm_status csm_pipeline_champion(csm_training **out, const csm_pipeline *pipeline) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "champion: out and pipeline are required");
    model_row champion;
    csm_status status = csm_model_in_role(&champion, pipeline, CSM_ROLE_CHAMPION);
    if (status == CSM_OK && !champion.found)
        status =
            csm_fail(CSM_ENOTFOUND, "%s: no model was trained yet: run train first", pipeline->workspace);
    return status == CSM_OK ? csm_model_open(out, pipeline, champion.hash) : status;
}

csm_status csm_champion_as_of(csm_time *out, const csm_pipeline *pipeline) {
    model_row champion;
    const csm_status status = csm_model_in_role(&champion, pipeline, CSM_ROLE_CHAMPION);
    *out = champion.as_of;
    return status;
}
