/* SPDX-License-Identifier: MIT */
/* A workspace folder: opened, recovered, closed. */
#include "store/internal.h"

#include <string.h>

static char *within(const csm_store *store, const char *name) {
    return csm_strformat("%s/%s", store->path, name);
}

static csm_status make_workspace(const csm_store *store) {
    csm_status status = csm_folder_make(store->path);
    static const char *const folders[] = {"segments", "quarantine"};
    for (size_t i = 0; i < 2 && !status; i++) {
        char *folder = within(store, folders[i]);
        status = folder ? csm_folder_make(folder) : CSM_ENOMEM;
        csm_dealloc(folder);
    }
    return status ? status : csm_folder_sync(store->path);
}

static csm_status find_catalog(const csm_store *store) {
    char *catalog = within(store, "catalog.db");
    if (!catalog) return CSM_ENOMEM;
    const bool found = csm_file_exists(catalog);
    csm_dealloc(catalog);
    return found ? CSM_OK
                 : csm_fail(CSM_ENOTFOUND, "%s is not a workspace: it has no catalog.db", store->path);
}

static csm_status require_writable(const csm_store *store) {
    if (csm_folder_is_writable(store->path)) return CSM_OK;
    return csm_fail(CSM_EREADONLY, "%s: no file may be made in this folder", store->path);
}

csm_status csm_lock_workspace(csm_store *store) {
    char *path = within(store, "lock");
    if (!path) return CSM_ENOMEM;
    csm_status status = csm_lock_take(&store->lock, path);
    if (status == CSM_EIO && !csm_folder_is_writable(store->path))
        status = CSM_EREADONLY; /* the text says the rest */
    /* lock and catalogue may be this user's own where no segment could be made beside them */
    if (!status) status = require_writable(store);
    csm_dealloc(path);
    return status;
}

void csm_store_unlock(csm_store *store) {
    if (store->unclean)
        csm_lock_abandon(store->lock);
    else
        csm_lock_release(store->lock);
    store->lock = NULL;
    store->unclean = false;
}

static csm_status open_for_writing(csm_store *store, csm_context *context, bool create) {
    csm_status status = create ? make_workspace(store) : find_catalog(store);
    if (!status) status = csm_lock_workspace(store);
    store->unclean = store->lock != NULL; /* until recovery has ended */
    if (!status) status = csm_catalog_open(store, create);
    if (!status) status = csm_store_recover(store, context);
    if (!status) store->unclean = false;
    return status;
}

static csm_status open_for_reading(csm_store *store, bool shared) {
    csm_status status = find_catalog(store);
    if (!status && shared) status = require_writable(store);
    if (!status) status = csm_catalog_open(store, false);
    store->pins = shared;
    int64_t rows = 0;
    if (!status) status = csm_catalog_number(&rows, store, "SELECT sum(rows) FROM tail", 0);
    store->recovery.tail_rows = (uint64_t)rows;
    return status;
}

csm_status csm_store_open(csm_store **out, csm_context *context, const char *path, uint32_t mode) {
    if (!out || !context || !path) return csm_fail(CSM_EINVAL, "csm_store_open: an argument is NULL");
    *out = NULL;
    if (!*path) return csm_fail(CSM_EINVAL, "csm_store_open: the path is empty");
    if (mode > CSM_STORE_SHARED)
        return csm_fail(CSM_EINVAL, "csm_store_open: mode %u does not exist", (unsigned)mode);
    csm_store *store = csm_alloc_array(1, sizeof *store);
    if (!store) return CSM_ENOMEM;
    store->mode = mode;
    store->patience = CSM_PATIENCE;
    store->context = csm_context_retain(context);
    store->path = csm_strdup(path);
    const bool reads = mode == CSM_STORE_READ || mode == CSM_STORE_SHARED;
    csm_status status = store->path ? CSM_OK : CSM_ENOMEM;
    if (!status)
        status = reads ? open_for_reading(store, mode == CSM_STORE_SHARED)
                       : open_for_writing(store, context, mode == CSM_STORE_CREATE);
    if (status) {
        csm_store_free(store);
        return status;
    }
    *out = store;
    return CSM_OK;
}

void csm_store_free(csm_store *store) {
    if (!store) return;
    csm_catalog_rollback(store);
    csm_catalog_close(store);
    csm_store_unlock(store);
    csm_context_release(store->context);
    csm_dealloc(store->path);
    csm_dealloc(store);
}

const char *csm_store_path(const csm_store *store) {
    return store->path;
}

csm_status csm_store_recovery_report(csm_store_recovery *out, const csm_store *store) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "csm_store_recovery_report: an argument is NULL");
    *out = store->recovery;
    return CSM_OK;
}
