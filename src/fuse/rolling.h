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

void csm_rolling_sum(double *out, const double *x, size_t n, size_t window);
void csm_rolling_sums(double *const *out, const double *const *x, size_t columns, size_t n, size_t window);
void csm_rolling_max(double *out, const double *x, size_t n, size_t window);
void csm_rolling_min(double *out, const double *x, size_t n, size_t window);
/* x without NaN. sorted: two workspaces of n + CSM_MEDIAN_ROOM values. */
#define CSM_MEDIAN_ROOM 32
void csm_rolling_median(double *out, const double *x, size_t n, size_t window, double *const sorted[2]);

/* The same for one instruction set, which this machine must have: for tests. */
typedef struct csm_rolling {
    void (*sum)(double *out, const double *x, size_t n, size_t window);
    void (*max)(double *out, const double *x, size_t n, size_t window);
    void (*min)(double *out, const double *x, size_t n, size_t window);
    void (*median)(double *out, const double *x, size_t n, size_t window, double *const sorted[2]);
} csm_rolling;
csm_rolling csm_rolling_of(csm_isa isa);

#endif
