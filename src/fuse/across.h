/* SPDX-License-Identifier: MIT */
/* One number or one rank over the coins, for many decisions at once. values: (tracks, width) with `stride` between tracks; NaN
 * is a coin that is not present. width <= CSM_ACROSS_CHUNK. */
#ifndef CSM_FUSE_ACROSS_H
#define CSM_FUSE_ACROSS_H

#include <cryptosmart/backend.h>

#include <stdbool.h>
#include <stddef.h>

#define CSM_ACROSS_CHUNK 128 /* decisions that are compared at once */

/* Mean or population deviation of those present: (width). */
typedef void csm_moments_fn(double *out, bool deviation, const float *values, size_t stride, size_t tracks,
                            size_t width);
/* Replaces values by ranks: those below plus half of the equal others, over n - 1; a coin alone stands in the middle.
 * copy: workspace (tracks, CSM_ACROSS_CHUNK). */
typedef void csm_ranks_fn(float *values, size_t stride, size_t tracks, size_t width, float *copy);

/* Both for one instruction set, which this machine must have. */
typedef struct csm_comparison {
    csm_moments_fn *moments;
    csm_ranks_fn *ranks;
} csm_comparison;
csm_comparison csm_comparison_of(csm_isa isa);

#endif
