/* SPDX-License-Identifier: MIT */
/*
 * Kernels over a tile: up to CSM_TILE_ROWS rows of a data set as columns, (features, CSM_TILE_ROWS) doubles, unused rows
 * zero. Each sum runs in an order fixed by the tile alone, so that results are the same on every instruction set (law 6).
 */
#ifndef CSM_BACKEND_TILE_H
#define CSM_BACKEND_TILE_H

#include "backend/isa.h"

#define CSM_TILE_ROWS 64

/* score[r] += sum over f of coefficient[f] * tile[f][r], in the order of f. */
typedef void (*csm_tile_scores_fn)(double *score, const double *tile, const double *coefficient,
                                   size_t features);
/* gradient[f] += sum over r of tile[f][r] * residual[r]. */
typedef void (*csm_tile_gradient_fn)(double *gradient, const double *tile, const double *residual,
                                     size_t features);
/* gram[f][g] += sum over r of weight[r] * tile[f][r] * tile[g][r], for g <= f; (features, features). */
typedef void (*csm_tile_gram_fn)(double *gram, const double *tile, const double *weight, size_t features);

typedef struct csm_tile_kernels {
    csm_tile_scores_fn scores;
    csm_tile_gradient_fn gradient;
    csm_tile_gram_fn gram;
} csm_tile_kernels;

csm_tile_kernels csm_tile_kernels_for(csm_isa isa);

#endif
