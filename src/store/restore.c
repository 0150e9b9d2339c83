/* SPDX-License-Identifier: MIT */
/* A backup back into a workspace, and the proof that it would work. */
#include "store/backup.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define DRAFT "catalog.db.draft" /* the catalogue comes last: until then the folder is no workspace */

/* ---- folders ---- */

csm_status csm_require_empty(const char *folder, const char *what) {
    char **names = NULL;
    size_t count = 0;
    csm_status status = csm_folder_make(folder);
    if (!status) status = csm_folder_list(&names, &count, folder);
    if (status) return status;
    csm_folder_list_free(names, count);
    return count ? csm_fail(CSM_EEXIST, "%s: %s needs an empty folder", folder, what) : CSM_OK;
}

static void remove_tree(const char *folder, bool itself);

static void remove_entry(const char *path) {
    if (csm_file_is_link(path) || !csm_folder_exists(path))
        (void)csm_file_remove(path);
    else
        remove_tree(path, true);
}

static void remove_tree(const char *folder, bool itself) {
    char **names = NULL;
    size_t count = 0;
    if (csm_folder_list(&names, &count, folder) == CSM_OK) {
        for (size_t i = 0; i < count; i++) {
            char *path = csm_strformat("%s/%s", folder, names[i]);
            if (path) remove_entry(path);
            csm_dealloc(path);
        }
        csm_folder_list_free(names, count);
    }
    if (itself) (void)csm_folder_remove(folder);
}

csm_status csm_leave_nothing(csm_status status, const char *folder) {
    char text[1024];
    snprintf(text, sizeof text, "%s", csm_error_message());
    remove_tree(folder, false);
    return csm_fail(status, "%s", text);
}

/* ---- restore ---- */

static csm_status restore_file(const char *backup, const char *workspace, const csm_backup_file *file) {
    csm_hash hash;
    char hex[CSM_HASH_TEXT];
    const char *name = strcmp(file->path, "catalog.db") == 0 ? DRAFT : file->path;
    char *from = csm_strformat("%s/%s", backup, file->path), *to = csm_strformat("%s/%s", workspace, name);
    char *parent = to ? csm_path_folder(to) : NULL;
    csm_status status = from && parent ? csm_folder_make(parent) : CSM_ENOMEM;
    if (!status) status = csm_file_copy(&hash, from, to);
    if (status == CSM_ENOTFOUND)
        status = csm_fail(CSM_ECORRUPT, "%s: the backup lists it, but it is absent", from);
    if (!status && strcmp(csm_hash_format(&hash, hex), file->sha256) != 0)
        status = csm_fail(CSM_ECORRUPT, "%s: has another SHA-256 than the backup's list says", from);
    if (!status) status = csm_folder_sync(parent);
    csm_dealloc(parent);
    csm_dealloc(to);
    csm_dealloc(from);
    return status;
}

static csm_status restore_all(csm_context *context, const csm_backup_list *list, const char *backup,
                              const char *workspace) {
    char *segments = csm_strformat("%s/segments", workspace);
    char *quarantine = csm_strformat("%s/quarantine", workspace);
    char *draft = csm_strformat("%s/" DRAFT, workspace), *catalog = csm_strformat("%s/catalog.db", workspace);
    csm_status status = segments && quarantine && draft && catalog ? CSM_OK : CSM_ENOMEM;
    if (!status) status = csm_folder_make(segments);
    if (!status) status = csm_folder_make(quarantine);
    for (size_t i = 0; i < list->count && !status; i++) {
        status = csm_progress(context, "restore", i, list->count);
        if (!status) status = restore_file(backup, workspace, &list->files[i]);
    }
    if (!status) status = csm_file_rename(draft, catalog);
    if (!status) status = csm_folder_sync(workspace);
    csm_dealloc(catalog);
    csm_dealloc(draft);
    csm_dealloc(quarantine);
    csm_dealloc(segments);
    return status;
}

csm_status csm_store_restore(csm_context *context, const char *backup, const char *workspace) {
    if (!context || !backup || !workspace)
        return csm_fail(CSM_EINVAL, "csm_store_restore: an argument is NULL");
    csm_backup_list list = {0};
    csm_status status = csm_backup_list_read(&list, backup);
    if (!status) {
        status = csm_require_empty(workspace, "a restored workspace");
        if (!status) {
            status = restore_all(context, &list, backup, workspace);
            if (status) status = csm_leave_nothing(status, workspace);
        }
    }
    csm_backup_list_free(&list);
    return status;
}

/* ---- verify ---- */

/* CSM_ECORRUPT: this file is not as the list says. */
static csm_status check_file(const char *backup, const csm_backup_file *file) {
    csm_hash hash;
    char hex[CSM_HASH_TEXT];
    uint64_t bytes = 0;
    char *path = csm_strformat("%s/%s", backup, file->path);
    if (!path) return CSM_ENOMEM;
    csm_status status = csm_file_size(&bytes, path);
    if (!status && bytes != file->bytes)
        status = csm_fail(CSM_ECORRUPT, "%s: has %llu bytes, the backup's list says %llu", path,
                          (unsigned long long)bytes, (unsigned long long)file->bytes);
    if (!status) status = csm_file_hash(&hash, path);
    if (!status && strcmp(csm_hash_format(&hash, hex), file->sha256) != 0)
        status = csm_fail(CSM_ECORRUPT, "%s: has another SHA-256 than the backup's list says", path);
    if (status == CSM_ENOTFOUND)
        status = csm_fail(CSM_ECORRUPT, "%s: the backup lists it, but it is absent", path);
    csm_dealloc(path);
    return status;
}

static csm_status check_files(uint64_t *findings, csm_context *context, const csm_backup_list *list,
                              const char *backup) {
    csm_status status = CSM_OK;
    char first[512] = "";
    for (size_t i = 0; i < list->count && !status; i++) {
        status = csm_progress(context, "verify", i, list->count);
        if (!status) status = check_file(backup, &list->files[i]);
        if (status != CSM_ECORRUPT) continue;
        if ((*findings)++ == 0) snprintf(first, sizeof first, "%s", csm_error_message());
        status = CSM_OK;
    }
    if (!status && *findings)
        csm_fail(CSM_ECORRUPT, "%s", first); /* the text alone; the check itself succeeded */
    return status;
}

static csm_status check_restored(uint64_t *findings, csm_context *context, const char *scratch) {
    csm_store *store = NULL;
    csm_status status = csm_store_open(&store, context, scratch, CSM_STORE_WRITE);
    if (!status) status = csm_store_verify(findings, store, context);
    csm_store_free(store);
    return status;
}

csm_status csm_store_verify_backup(uint64_t *findings, csm_context *context, const char *backup,
                                   const char *scratch) {
    if (!findings || !context || !backup || !scratch)
        return csm_fail(CSM_EINVAL, "csm_store_verify_backup: an argument is NULL");
    csm_backup_list list = {0};
    *findings = 0;
    csm_status status = csm_backup_list_read(&list, backup);
    if (!status) status = check_files(findings, context, &list, backup);
    csm_backup_list_free(&list);
    if (status || *findings) return status;
    status = csm_store_restore(context, backup, scratch);
    return status ? status : check_restored(findings, context, scratch);
}
