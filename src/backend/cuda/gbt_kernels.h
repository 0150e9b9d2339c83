/* SPDX-License-Identifier: MIT */
/* Growing a tree on the card: a fixed sequence of kernels for each split, which find in device memory what to do. */
#ifndef CSM_BACKEND_CUDA_GBT_KERNELS_H
#define CSM_BACKEND_CUDA_GBT_KERNELS_H

#include "backend/cuda/launch.h"
#include "backend/gbt_cuda.h"

typedef unsigned long long gbt_wide; /* a packed sum; the type that the card's atomics take */

constexpr unsigned gbt_chunk_rows = 1024; /* partitioned by one block */

struct gbt_leaf {
    uint32_t begin, count; /* its rows */
    uint32_t depth;
    uint32_t slot; /* its histogram */
    uint32_t feature, bin;
    double gain; /* of its best split, 0: none */
};

struct gbt_state {
    uint32_t leaves, depth, row_count, feature_count, narrow_shift, counted;
    double gradient_unit, hessian_unit;
    csm_gbt_limits limits;
    uint32_t leaf_count, splits, done, needs_counts;
    uint32_t begin, count, feature, bin, leaf; /* the split under way */
    uint32_t target, sibling,
        pair; /* leaves whose histogram is summed, or is the parent's less that; pair 1: both */
};

struct gbt_found {
    double gain;
    uint32_t bin;
};

struct gbt_device {
    const uint8_t *code;
    size_t stride, rows, features;
    uint32_t slots;
    const uint32_t *bins;  /* (features) */
    uint32_t *feature;     /* (features): of the round */
    uint32_t *quantum;     /* (rows) */
    uint32_t *row, *spare; /* (rows) */
    uint32_t *chunk;       /* (chunks): rows of each that go left, then how many do before it */
    gbt_wide *histogram;   /* (leaves, features, slots) */
    gbt_leaf *leaf;        /* (leaves) */
    gbt_found *found;      /* (2, features) */
    csm_gbt_cuda_split *split;
    gbt_state *state;
    size_t block_shared; /* the card's */
};

/* The root's histogram and search. */
csm_status gbt_queue_root(const gbt_device *gbt, cudaStream_t stream);
/* The best leaf's split, and the search of both sides. Does nothing when the tree is done. */
csm_status gbt_queue_split(const gbt_device *gbt, cudaStream_t stream);
csm_status gbt_queue_sum(const gbt_device *gbt, cudaStream_t stream);

#endif
