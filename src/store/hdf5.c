/* SPDX-License-Identifier: MIT */
#include "store/hdf5.h"
#include "core/platform.h"

#include <stdatomic.h>
#include <stdio.h>

/* The one piece of state this library shares between all its stores: HDF5's is shared by the whole process too. It is
 * made by whoever comes first and stays. */
static _Atomic(csm_mutex *) hdf5_lock;

static csm_status the_lock(csm_mutex **out) {
    *out = atomic_load(&hdf5_lock);
    if (*out) return CSM_OK;
    csm_mutex *made = NULL, *none = NULL;
    const csm_status status = csm_mutex_new(&made);
    if (status) return status;
    if (!atomic_compare_exchange_strong(&hdf5_lock, &none, made)) {
        csm_mutex_free(made);
        made = none;
    }
    *out = made;
    return CSM_OK;
}

csm_status csm_hdf5_enter(csm_hdf5_guard *guard) {
    csm_mutex *lock;
    const csm_status status = the_lock(&lock);
    if (status) return status;
    csm_mutex_lock(lock);
    guard->print = NULL;
    guard->print_user = NULL;
    guard->errors = H5Eget_current_stack(); /* first: every other call clears the stack */
    if (H5Eget_auto2(H5E_DEFAULT, &guard->print, &guard->print_user) < 0) guard->print = NULL;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return CSM_OK;
}

void csm_hdf5_leave(csm_hdf5_guard *guard) {
    H5Eset_auto2(H5E_DEFAULT, guard->print, guard->print_user);
    /* Last, for the same reason; this closes the copy. */
    if (guard->errors >= 0) H5Eset_current_stack(guard->errors);
    csm_mutex_unlock(atomic_load(&hdf5_lock));
}

/* The deepest entry names the cause. */
static herr_t keep_cause(unsigned n, const H5E_error2_t *entry, void *user) {
    (void)n;
    snprintf((char *)user, 160, "%s: %s", entry->func_name ? entry->func_name : "?",
             entry->desc ? entry->desc : "?");
    return 0;
}

csm_status csm_hdf5_fail(csm_status status, const char *what) {
    char cause[160] = "no detail";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, keep_cause, cause);
    return csm_fail(status, "HDF5 cannot %s: %s", what, cause);
}

hid_t csm_hdf5_image_access(size_t increment) {
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access < 0) return access;
    const bool made = H5Pset_fapl_core(access, increment, 0) >= 0 &&
                      H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110) >= 0 &&
                      H5Pset_fclose_degree(access, H5F_CLOSE_STRONG) >= 0;
    if (made) return access;
    H5Pclose(access);
    return -1;
}
