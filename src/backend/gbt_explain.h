/* SPDX-License-Identifier: MIT */
/*
 * Shapley values of one path of a tree, for the game "features in S are known": a leaf of value v that is reached through
 * distinct features j has f(S) = v prod_{j in S} o_j prod_{j not in S} z_j, where o_j says whether the row passes all of
 * j's splits on the path, and z_j is the share of training rows that do. With Beta integrals for the Shapley weights,
 *
 *     phi_i = v (o_i - z_i) int_0^1 prod_{j != i} (t o_j + (1 - t) z_j) dt,
 *
 * a polynomial of degree d - 1, which Gauss-Legendre quadrature with ceil(d / 2) nodes integrates exactly. A factor is
 * a0 = (1 - t) z_j or a1 = t + a0; what is left of a product without factor i, times (o_i - z_i), is the product times
 * g0 = -1 / (1 - t) or g1 = (1 - z_i) / a1. So nothing is divided and z = 0 needs no care.
 */
#ifndef CSM_BACKEND_GBT_EXPLAIN_H
#define CSM_BACKEND_GBT_EXPLAIN_H

#include "backend/gbt_predict.h"

#define GBT_PATH_FEATURES 256 /* most distinct features of a path */
#define GBT_PATH_NODES (GBT_PATH_FEATURES / 2)

/* Rows with low <= code <= low + span pass. */
typedef struct gbt_condition {
    uint32_t column;
    uint8_t low;
    uint8_t span;
} gbt_condition;

/* One distinct feature of a path. */
typedef struct gbt_path_feature {
    uint32_t feature;
    uint32_t condition; /* its first one */
    uint32_t conditions;
} gbt_path_feature;

typedef struct gbt_path {
    double value;
    size_t constant;  /* of feature j: a0 (nodes), a1 (nodes), g1 (nodes) from constant + 3 j nodes */
    uint32_t feature; /* its first one */
    uint32_t features;
    uint32_t nodes;  /* of the quadrature: ceil(features / 2) */
    uint32_t output; /* of the model */
} gbt_path;

typedef struct gbt_paths {
    size_t count;
    gbt_path *path;
    gbt_path_feature *feature;
    gbt_condition *condition;
    double *constant;
    double
        *weight[GBT_PATH_NODES + 1]; /* of n nodes: n weights, then n values g0; NULL where no path has n */
} gbt_paths;

/* Adds the paths' Shapley values for GBT_SLICE rows, codes (columns, GBT_BLOCK) from row `first`, to phi (outputs,
 * features, GBT_SLICE). */
#define GBT_EXPLAIN_KERNELS(isa)                                                                             \
    void csm_gbt_explain_##isa(double *phi, size_t features, const gbt_paths *paths, const uint8_t *code,    \
                               size_t first);
GBT_EXPLAIN_KERNELS(scalar)
GBT_EXPLAIN_KERNELS(avx2)
GBT_EXPLAIN_KERNELS(avx512)

#endif
