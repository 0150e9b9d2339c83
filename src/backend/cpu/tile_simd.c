/* SPDX-License-Identifier: MIT */
#include "backend/tile.h"

#define LANES                                                                                                \
    8 /* partial sums of a product over rows: what one 512-bit register holds, on every instruction set */

void CSM_ISA_SYMBOL(csm_tile_scores)(double *score, const double *tile, const double *coefficient,
                                     size_t features);
void CSM_ISA_SYMBOL(csm_tile_gradient)(double *gradient, const double *tile, const double *residual,
                                       size_t features);
void CSM_ISA_SYMBOL(csm_tile_gram)(double *gram, const double *tile, const double *weight, size_t features);

void CSM_ISA_SYMBOL(csm_tile_scores)(double *restrict score, const double *restrict tile,
                                     const double *restrict coefficient, size_t features) {
    for (size_t f = 0; f < features; f++) {
        const double *restrict column = tile + f * CSM_TILE_ROWS;
        const double slope = coefficient[f];
        for (size_t r = 0; r < CSM_TILE_ROWS; r++) score[r] += slope * column[r];
    }
}

static inline double add_lanes(const double *lane) {
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

static inline double product(const double *restrict a, const double *restrict b) {
    double lane[LANES] = {0};
    for (size_t r = 0; r < CSM_TILE_ROWS; r += LANES) {
        for (size_t l = 0; l < LANES; l++) lane[l] += a[r + l] * b[r + l];
    }
    return add_lanes(lane);
}

void CSM_ISA_SYMBOL(csm_tile_gradient)(double *restrict gradient, const double *restrict tile,
                                       const double *restrict residual, size_t features) {
    for (size_t f = 0; f < features; f++) gradient[f] += product(tile + f * CSM_TILE_ROWS, residual);
}

void CSM_ISA_SYMBOL(csm_tile_gram)(double *restrict gram, const double *restrict tile,
                                   const double *restrict weight, size_t features) {
    double weighted[CSM_TILE_ROWS];
    for (size_t f = 0; f < features; f++) {
        const double *column = tile + f * CSM_TILE_ROWS;
        for (size_t r = 0; r < CSM_TILE_ROWS; r++) weighted[r] = weight[r] * column[r];
        for (size_t g = 0; g <= f; g++) gram[f * features + g] += product(weighted, tile + g * CSM_TILE_ROWS);
    }
}
