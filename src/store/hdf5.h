/* SPDX-License-Identifier: MIT */
/* HDF5 behind one lock. Files are made and read as images in memory: HDF5 never touches a disk here, so it never sees
 * one that is full, and chunks are taken from the image without its pipeline. */
#ifndef CSM_STORE_HDF5_H
#define CSM_STORE_HDF5_H

#include "core/internal.h"

#include <hdf5.h>

/* What the host had set for errors, kept while we are inside. */
typedef struct csm_hdf5_guard {
    H5E_auto2_t print;
    void *print_user;
    hid_t errors;
} csm_hdf5_guard;

/* Takes the lock, sets the host's error stack aside and silences it; leave puts all back. */
csm_status csm_hdf5_enter(csm_hdf5_guard *guard);
void csm_hdf5_leave(csm_hdf5_guard *guard);
/* csm_fail with HDF5's own words for the failure appended. */
csm_status csm_hdf5_fail(csm_status status, const char *what);

/* File access for a new image in memory, which grows by `increment` bytes. Negative on failure. */
hid_t csm_hdf5_image_access(size_t increment);

/* Checksum of HDF5's metadata: Bob Jenkins' lookup3 "hashlittle" (2006) with initial value 0. */
uint32_t csm_lookup3(const uint8_t *data, size_t length);

#endif
