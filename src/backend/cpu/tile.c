/* SPDX-License-Identifier: MIT */
#include "backend/tile.h"

#define DECLARE(suffix)                                                                                      \
    void csm_tile_scores_##suffix(double *score, const double *tile, const double *coefficient,              \
                                  size_t features);                                                          \
    void csm_tile_gradient_##suffix(double *gradient, const double *tile, const double *residual,            \
                                    size_t features);                                                        \
    void csm_tile_gram_##suffix(double *gram, const double *tile, const double *weight, size_t features);
DECLARE(scalar)
DECLARE(avx2)
DECLARE(avx512)

csm_tile_kernels csm_tile_kernels_for(csm_isa isa) {
    return (csm_tile_kernels){.scores = CSM_ISA_SELECT(isa, csm_tile_scores),
                              .gradient = CSM_ISA_SELECT(isa, csm_tile_gradient),
                              .gram = CSM_ISA_SELECT(isa, csm_tile_gram)};
}
