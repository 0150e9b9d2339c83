/* SPDX-License-Identifier: MIT */
/* The model files of a workspace: written whole, then named by the catalogue; the newest one named is the champion. */
#include "core/platform.h"
#include "pipeline/champion.h"
#include "store/catalog.h"

#include <stdio.h>
#include <string.h>

static csm_status set_role(const csm_store *store, const char *sql, const char *hash) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, store, sql);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, hash);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

static csm_status insert_model(csm_pipeline *p, const csm_training *training, const char *path) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_begin(p->store);
    if (status != CSM_OK) return status;
    status = csm_catalog_prepare(&s, p->store,
                                 "INSERT OR IGNORE INTO models (hash, path, as_of, created, role) VALUES "
                                 "(?1, ?2, ?3, ?4, 'retired')");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, training->hash);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, path);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, training->as_of);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 4, csm_context_now(p->context));
    bool row = false;
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    /* The old one steps down first: at no row may there be two. */
    if (status == CSM_OK)
        status =
            set_role(p->store, "UPDATE models SET role = 'retired' WHERE role = 'champion' AND hash <> ?1",
                     training->hash);
    if (status == CSM_OK)
        status = set_role(p->store, "UPDATE models SET role = 'champion' WHERE hash = ?1", training->hash);
    if (status == CSM_OK) status = csm_catalog_commit(p->store);
    if (status != CSM_OK) csm_catalog_rollback(p->store);
    return status;
}

csm_status csm_champion_register(csm_training *training, csm_pipeline *pipeline) {
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
    if (status == CSM_OK) status = insert_model(pipeline, training, relative);
    csm_store_leave(pipeline->store);
done:
    csm_dealloc(path);
    csm_dealloc(draft);
    csm_dealloc(folder);
    return status;
}

/* Path and hash of the champion; CSM_ENOTFOUND when there is none. */
static csm_status find_champion(char *path, size_t size, char *hash, csm_time *as_of, const csm_pipeline *p) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, p->store, "SELECT path, hash, as_of FROM models WHERE role = 'champion'");
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && !row)
        status = csm_fail(CSM_ENOTFOUND, "%s: no model was trained yet: run train first", p->workspace);
    if (status == CSM_OK) {
        const char *name = csm_statement_text(s, 0), *hex = csm_statement_text(s, 1);
        snprintf(path, size, "%s/%s", p->workspace, name ? name : "");
        snprintf(hash, CSM_HASH_TEXT, "%s", hex ? hex : "");
        *as_of = csm_statement_i64(s, 2);
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_pipeline_champion(csm_training **out, const csm_pipeline *pipeline) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "champion: out and pipeline are required");
    char path[4096], hash[CSM_HASH_TEXT];
    csm_time as_of = 0;
    csm_status status = find_champion(path, sizeof path, hash, &as_of, pipeline);
    csm_training *training = NULL;
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

csm_status csm_champion_as_of(csm_time *out, const csm_pipeline *pipeline) {
    char path[4096], hash[CSM_HASH_TEXT];
    *out = CSM_TIME_MIN;
    csm_status status = find_champion(path, sizeof path, hash, out, pipeline);
    return status == CSM_ENOTFOUND ? CSM_OK : status;
}
