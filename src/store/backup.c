/* SPDX-License-Identifier: MIT */
/*
 * Backup: one generation of a workspace in a folder of its own. Segments and models are immutable, so that hard links
 * hold them (copies, where the folder is on another file system); the catalogue is copied by SQLite's backup interface.
 * The list with every file's hash is written last: without it the folder is no backup.
 */
#include "store/backup.h"
#include "store/internal.h"

#include <sqlite3.h>
#include <string.h>

typedef struct backing {
    const csm_store *store;
    csm_context *context;
    const char *folder;
    csm_backup_list list;
    char *synced; /* the folder below `folder` whose entries came last; NULL: none yet */
} backing;

/* ---- catalogue ---- */

static csm_status fail_copy(sqlite3 *db, int code, const char *path) {
    const csm_status status = code == SQLITE_NOMEM  ? CSM_ENOMEM
                              : code == SQLITE_FULL ? CSM_ENOSPACE
                                                    : CSM_EIO;
    return csm_fail(status, "%s: copy the catalogue: %s", path,
                    db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
}

static csm_status copy_catalog(const backing *b, const char *path) {
    sqlite3 *copy = NULL;
    int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    sqlite3_backup *backup = NULL;
    if (code == SQLITE_OK) {
        backup = sqlite3_backup_init(copy, "main", b->store->catalog, "main");
        code = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(copy);
        const int finished = sqlite3_backup_finish(backup);
        if (code == SQLITE_DONE) code = finished;
    }
    csm_status status = code == SQLITE_OK ? CSM_OK : fail_copy(copy, code, path);
    code = sqlite3_close(copy);
    if (!status && code != SQLITE_OK) status = fail_copy(NULL, code, path);
    return status ? status : csm_file_sync(path);
}

static csm_status back_up_catalog(backing *b) {
    csm_hash hash;
    char hex[CSM_HASH_TEXT];
    uint64_t bytes = 0;
    char *path = csm_strformat("%s/catalog.db", b->folder);
    csm_status status = path ? copy_catalog(b, path) : CSM_ENOMEM;
    if (!status) status = csm_file_hash(&hash, path);
    if (!status) status = csm_file_size(&bytes, path);
    if (!status) status = csm_backup_list_add(&b->list, "catalog.db", bytes, csm_hash_format(&hash, hex));
    csm_dealloc(path);
    return status;
}

/* ---- immutable files ---- */

/* Makes the folder of `full`; the one before, which is complete now, is synced. Paths come in order. */
static csm_status enter_folder(backing *b, const char *full) {
    char *parent = csm_path_folder(full);
    if (!parent) return CSM_ENOMEM;
    if (b->synced && strcmp(b->synced, parent) == 0) {
        csm_dealloc(parent);
        return CSM_OK;
    }
    csm_status status = b->synced ? csm_folder_sync(b->synced) : CSM_OK;
    if (!status) status = csm_folder_make(parent);
    csm_dealloc(b->synced);
    b->synced = parent;
    return status;
}

static csm_status link_or_copy(const char *from, const char *to, const char *sha256) {
    csm_hash hash;
    char hex[CSM_HASH_TEXT];
    csm_status status = csm_file_link(from, to);
    if (!status || status == CSM_EEXIST || status == CSM_ENOTFOUND || status == CSM_ENOSPACE) return status;
    status = csm_file_copy(&hash, from, to);
    if (!status && strcmp(csm_hash_format(&hash, hex), sha256) != 0)
        status = csm_fail(CSM_ECORRUPT, "%s: has another SHA-256 than the catalogue says", from);
    return status;
}

static csm_status back_up_file(backing *b, const char *path, const char *sha256) {
    csm_hash hash;
    uint64_t bytes = 0;
    char *from = csm_strformat("%s/%s", b->store->path, path), *to = csm_strformat("%s/%s", b->folder, path);
    csm_status status = from && to ? csm_hash_parse(&hash, sha256) : CSM_ENOMEM;
    if (!status) status = enter_folder(b, to);
    if (!status) status = link_or_copy(from, to, sha256);
    if (status == CSM_ENOTFOUND)
        status = csm_fail(CSM_ECORRUPT, "%s: the catalogue names it, but it is absent", from);
    if (!status) status = csm_file_size(&bytes, to);
    if (!status) status = csm_backup_list_add(&b->list, path, bytes, sha256);
    csm_dealloc(to);
    csm_dealloc(from);
    return status;
}

static csm_status back_up_files(backing *b) {
    csm_statement *s = NULL;
    bool row = false;
    uint64_t done = 0;
    csm_status status = csm_catalog_prepare(
        &s, b->store, "SELECT path, sha256 FROM segments UNION ALL SELECT path, hash FROM models ORDER BY 1");
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        const char *path = csm_statement_text(s, 0), *sha256 = csm_statement_text(s, 1);
        status = csm_progress(b->context, "backup", done++, 0);
        if (!status) status = back_up_file(b, path ? path : "", sha256 ? sha256 : "");
    }
    csm_statement_close(s);
    if (!status && b->synced) status = csm_folder_sync(b->synced);
    return status;
}

/* ---- all ---- */

static csm_status write_list(backing *b) {
    csm_buffer json = {0};
    char *path = csm_strformat("%s/" CSM_BACKUP_LIST, b->folder);
    csm_status status = path ? csm_backup_list_format(&json, &b->list) : CSM_ENOMEM;
    if (!status) status = csm_file_write_atomic(path, json.data, json.length, 0644);
    csm_dealloc(path);
    csm_buffer_free(&json);
    return status;
}

csm_status csm_store_backup(const csm_store *store, csm_context *context, const char *folder) {
    if (!store || !context || !folder) return csm_fail(CSM_EINVAL, "csm_store_backup: an argument is NULL");
    if (store->in_transaction)
        return csm_fail(CSM_EINTERNAL, "csm_store_backup: %s has a transaction open", store->path);
    backing b = {
        .store = store, .context = context, .folder = folder, .list.created = csm_context_now(context)};
    int64_t ignored;
    csm_status status = csm_require_empty(folder, "a backup");
    if (status) return status;
    /* of a shared store: the generation, before SQLite is asked for a copy of it */
    status = csm_catalog_number(&ignored, store, "SELECT count(*) FROM segments", 0);
    if (!status) status = back_up_catalog(&b);
    if (!status) status = back_up_files(&b);
    if (!status) status = csm_folder_sync(folder);
    if (!status) status = write_list(&b);
    if (status) status = csm_leave_nothing(status, folder);
    csm_backup_list_free(&b.list);
    csm_dealloc(b.synced);
    return status;
}
