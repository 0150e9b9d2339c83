/* SPDX-License-Identifier: MIT */
/*
 * Trees on a CUDA device: one tree grown from quantised gradients without a wait in between, and prediction. Sums are of
 * integers and searches take the same operations in the same order as gbt.h's kernels, so splits, gains and the order of rows are
 * the CPU's, bit for bit. Values of leaves are the trainer's own business. Without CUDA (cuda_none.c): CSM_EDEVICE.
 */
#ifndef CSM_BACKEND_GBT_CUDA_H
#define CSM_BACKEND_GBT_CUDA_H

#include <cryptosmart/backend.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "backend/gbt.h"

typedef struct csm_gbt_cuda csm_gbt_cuda;

/* Bins of the training rows, as gbt_bins holds them: sent to the device once. */
typedef struct csm_gbt_cuda_data {
    uint32_t device;
    const uint8_t *code; /* (rows, stride) */
    size_t stride;
    size_t rows;
    size_t features;
    const uint32_t *bins; /* (features): bins in use, at most slots */
    uint32_t slots;       /* 64 or 256 */
    uint32_t leaves;      /* most of a tree, 2..65536 */
} csm_gbt_cuda_data;

/* What one tree is grown from. */
typedef struct csm_gbt_cuda_round {
    const uint32_t *quantum; /* (rows), packed */
    uint32_t narrow_shift;
    uint32_t
        counted; /* 1: every hessian is 1, so hessians count rows; 0: counts are estimated from hessians */
    double gradient_unit;
    double hessian_unit;
    const uint32_t *row; /* (row_count), ascending */
    size_t row_count;
    const uint32_t *feature; /* (feature_count), ascending */
    size_t feature_count;
    uint32_t depth;
    csm_gbt_limits limits;
} csm_gbt_cuda_round;

/* Splits in their order: leaf `leaf` of those there were gets its left side, the right side becomes the last leaf. */
typedef struct csm_gbt_cuda_split {
    uint32_t leaf;
    uint32_t feature;
    uint32_t bin;
    uint32_t lefts; /* rows on the left side */
    double gain;
} csm_gbt_cuda_split;

csm_status csm_gbt_cuda_memory(uint64_t *bytes, const csm_gbt_cuda_data *data);
csm_status csm_gbt_cuda_new(csm_gbt_cuda **out, const csm_gbt_cuda_data *data);
void csm_gbt_cuda_free(csm_gbt_cuda *gbt);
/* Histogram (features, slots) of the round's rows, packed as csm_gbt_kernels.sum_rows gives it; only the round's features. */
csm_status csm_gbt_cuda_sum(csm_gbt_cuda *gbt, uint64_t *wide, const csm_gbt_cuda_round *round);
/* split (leaves - 1), *splits of them; row (row_count): the rows leaf after leaf. CSM_ENODATA when a side came out with fewer
 * than min_rows although the estimate allowed it: the CPU then searches with counts, so it must grow this tree. */
csm_status csm_gbt_cuda_grow(csm_gbt_cuda *gbt, csm_gbt_cuda_split *split, uint32_t *splits, uint32_t *row,
                             const csm_gbt_cuda_round *round);

/* ---- prediction ---- */

typedef struct csm_gbt_cuda_node {
    int32_t feature; /* -1: leaf */
    float threshold;
    uint32_t left;  /* within all nodes; the right child follows */
    uint32_t flags; /* of gbt_node */
    uint32_t set;   /* place in `category` */
    double value;
} csm_gbt_cuda_node;

typedef struct csm_gbt_cuda_forest {
    uint32_t device;
    size_t features, outputs, trees, node_count, category_count;
    const double *base;   /* (outputs) */
    const uint32_t *root; /* (trees) */
    const csm_gbt_cuda_node *nodes;
    const uint32_t *category;
} csm_gbt_cuda_forest;

/* out (rows, outputs): base + the trees' values in their order; tree t belongs to output t % outputs. x (rows, features). */
csm_status csm_gbt_cuda_predict(double *out, const csm_gbt_cuda_forest *forest, const float *x, size_t rows);

#ifdef __cplusplus
}
#endif
#endif
