/* SPDX-License-Identifier: MIT */
/*
 * Windows over a column, O(1) a value for any length. Sums and extremes go by blocks (van Herk 1992; Gil & Werman 1993):
 * suffixes of the block before plus prefixes of this one. Nothing is ever subtracted, so no error builds up and a value
 * depends on the window's content alone. Values before the first whole window are NaN. out may not be x.
 */
#ifndef CSM_FUSE_ROLLING_H
#define CSM_FUSE_ROLLING_H

#include <cryptosmart/backend.h>
#include <stddef.h>

/* room: workspace of CSM_ROLLING_ROOM times n values, aligned to 64 bytes. */
#define CSM_ROLLING_ROOM 3
typedef void csm_rolling_fn(double *out, const double *x, size_t n, size_t window, double *room);
/* x without NaN. sorted: two workspaces of n + CSM_MEDIAN_ROOM values. */
#define CSM_MEDIAN_ROOM 32
typedef void csm_median_fn(double *out, const double *x, size_t n, size_t window, double *const sorted[2]);

csm_rolling_fn csm_rolling_sum;
csm_rolling_fn csm_rolling_max;
csm_rolling_fn csm_rolling_min;
csm_median_fn csm_rolling_median;

/* The same for one instruction set, which this machine must have: for tests. */
typedef struct csm_rolling {
    csm_rolling_fn *sum;
    csm_rolling_fn *max;
    csm_rolling_fn *min;
    csm_median_fn *median;
} csm_rolling;
csm_rolling csm_rolling_of(csm_isa isa);

#endif
