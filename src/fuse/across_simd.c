/* SPDX-License-Identifier: MIT */
#include "fuse/across.h"

#include "backend/isa.h"

#include <math.h>
#include <stdint.h>

#define ACROSS_MOMENTS CSM_ISA_SYMBOL(csm_across_moments)
#define ACROSS_RANKS CSM_ISA_SYMBOL(csm_across_ranks)
csm_moments_fn ACROSS_MOMENTS;
csm_ranks_fn ACROSS_RANKS;

void ACROSS_MOMENTS(double *out, bool deviation, const float *values, size_t stride, size_t tracks,
                    size_t width) {
    double sum[CSM_ACROSS_CHUNK] = {0}, squares[CSM_ACROSS_CHUNK] = {0}, count[CSM_ACROSS_CHUNK] = {0};
    for (size_t t = 0; t < tracks; t++) {
        const float *own = values + t * stride;
        for (size_t d = 0; d < width; d++) {
            const double given = own[d], value = given == given ? given : 0.0;
            sum[d] += value;
            squares[d] += value * value;
            count[d] += (double)(int)(given == given);
        }
    }
    for (size_t d = 0; d < width; d++) {
        const double mean = sum[d] / count[d], variance = squares[d] / count[d] - mean * mean;
        out[d] = deviation ? sqrt(variance < 0 ? 0 : variance) : mean;
    }
}

void ACROSS_RANKS(float *values, size_t stride, size_t tracks, size_t width, float *copy) {
    int32_t present[CSM_ACROSS_CHUNK] = {0};
    double others[CSM_ACROSS_CHUNK], alone[CSM_ACROSS_CHUNK];
    for (size_t t = 0; t < tracks; t++)
        for (size_t d = 0; d < width; d++) {
            const float value = values[t * stride + d];
            copy[t * CSM_ACROSS_CHUNK + d] = value;
            present[d] += value == value;
        }
    for (size_t d = 0; d < width; d++) {
        others[d] = present[d] > 1 ? present[d] - 1 : 1;
        alone[d] = present[d] > 1 ? 0.0 : 0.5;
    }
    for (size_t t = 0; t < tracks; t++) {
        const float *own = copy + t * CSM_ACROSS_CHUNK;
        int32_t below[CSM_ACROSS_CHUNK] = {0}, equal[CSM_ACROSS_CHUNK] = {0};
        for (size_t j = 0; j < tracks; j++) {
            const float *other = copy + j * CSM_ACROSS_CHUNK;
            for (size_t d = 0; d < width; d++) {
                below[d] += other[d] < own[d];
                equal[d] += other[d] == own[d];
            }
        }
        for (size_t d = 0; d < width; d++) {
            const double place = below[d] + 0.5 * (equal[d] - 1) + alone[d];
            values[t * stride + d] = (float)(place / others[d]) + (own[d] - own[d]); /* NaN stays NaN */
        }
    }
}
