/* SPDX-License-Identifier: MIT */
/* Several processes on one workspace: each reads a generation of its own, and takes the workspace's lock for as long as a
 * commit of its takes. */
#include "store/internal.h"

#define PAUSE_LEAST (CSM_MILLISECOND)
#define PAUSE_MOST (50 * CSM_MILLISECOND)

/* The lock tells nobody when it becomes free: ask again, seldom enough to cost nothing. */
static csm_status wait_for_lock(csm_store *store) {
    const csm_time until = csm_platform_monotonic() + store->patience;
    csm_time pause = PAUSE_LEAST;
    for (;;) {
        csm_status status = csm_lock_workspace(store);
        if (status != CSM_ELOCKED) return status;
        const csm_time left = until - csm_platform_monotonic();
        if (left <= 0) return status;
        if (csm_cancelled(store->context))
            return csm_fail(CSM_ECANCELLED, "%s: cancelled while waiting for its lock", store->path);
        csm_platform_sleep(pause < left ? pause : left);
        pause = 2 * pause < PAUSE_MOST ? 2 * pause : PAUSE_MOST;
    }
}

static csm_status recover_after_another(csm_store *store) {
    csm_log_write(store->context, CSM_LOG_WARN, "store", "%s: its last writer did not end well: recovering",
                  store->path);
    const csm_status status = csm_store_recover(store, store->context);
    store->unclean = status != CSM_OK;
    return status;
}

csm_status csm_store_enter(csm_store *store) {
    if (store->mode == CSM_STORE_READ) return csm_fail(CSM_EREADONLY, "%s: opened read-only", store->path);
    if (store->mode != CSM_STORE_SHARED) return CSM_OK;
    if (store->sections > 0) {
        store->sections++;
        return CSM_OK;
    }
    csm_status status = wait_for_lock(store);
    if (status) return status;
    store->sections = 1;
    status = csm_catalog_unpin(store);
    if (!status && csm_lock_was_abandoned(store->lock)) status = recover_after_another(store);
    if (status) csm_store_leave(store);
    return status;
}

void csm_store_leave(csm_store *store) {
    if (store->mode != CSM_STORE_SHARED || --store->sections > 0) return;
    csm_store_unlock(store);
}

csm_status csm_store_set_patience(csm_store *store, csm_time patience) {
    if (!store || patience < 0)
        return csm_fail(CSM_EINVAL, "csm_store_set_patience: store is NULL or %lld ns is negative",
                        (long long)patience);
    store->patience = patience;
    return CSM_OK;
}

csm_status csm_store_refresh(csm_store *store) {
    if (!store) return csm_fail(CSM_EINVAL, "csm_store_refresh: store is NULL");
    if (store->mode != CSM_STORE_READ && store->mode != CSM_STORE_SHARED) return CSM_OK;
    if (store->sections > 0) return CSM_OK;
    const csm_status status = csm_catalog_unpin(store);
    return status ? status : csm_catalog_pin(store);
}
