/* SPDX-License-Identifier: MIT */
#include "backend/gbt_explain.h"

#ifdef CSM_BUILD_AVX512
#include <immintrin.h>
#endif

/* Each instruction set has its own form, at another line: a name of its own keeps line counts by function apart. */
#define passing CSM_ISA_SYMBOL(passing)

#define LANES 8 /* rows taken together */

#ifdef CSM_BUILD_AVX512

/* Which of GBT_SLICE rows pass all conditions of a feature. */
static uint64_t passing(const gbt_paths *paths, const gbt_path_feature *feature, const uint8_t *code) {
    __mmask64 rows = ~(uint64_t)0;
    for (uint32_t i = 0; i < feature->conditions; i++) {
        const gbt_condition *condition = &paths->condition[feature->condition + i];
        __m512i value = _mm512_loadu_si512(code + (size_t)condition->column * GBT_BLOCK);
        value = _mm512_sub_epi8(value, _mm512_set1_epi8((char)condition->low));
        rows = _mm512_mask_cmple_epu8_mask(rows, value, _mm512_set1_epi8((char)condition->span));
    }
    return rows;
}

/* `nodes` is a constant where this is inlined, so that the products stay in registers. */
static inline __attribute__((always_inline)) void explain_path(double *phi, const gbt_paths *paths,
                                                               const gbt_path *path, const uint64_t *mask,
                                                               uint32_t nodes) {
    const double *weight = paths->weight[nodes], *g0 = weight + nodes;
    const gbt_path_feature *feature = paths->feature + path->feature;
    __m512d product[GBT_PATH_NODES];
    for (uint32_t group = 0; group < GBT_SLICE / LANES; group++) {
        const double *constant = paths->constant + path->constant;
        for (uint32_t q = 0; q < nodes; q++) product[q] = _mm512_set1_pd(path->value * weight[q]);
        for (uint32_t j = 0; j < path->features; j++, constant += 3 * (size_t)nodes) {
            __mmask8 in = (__mmask8)(mask[j] >> (LANES * group));
            for (uint32_t q = 0; q < nodes; q++) {
                __m512d factor = _mm512_set1_pd(constant[q]);
                factor = _mm512_mask_mov_pd(factor, in, _mm512_set1_pd(constant[nodes + q]));
                product[q] = _mm512_mul_pd(product[q], factor);
            }
        }
        __m512d outside = _mm512_setzero_pd();
        for (uint32_t q = 0; q < nodes; q++)
            outside = _mm512_add_pd(outside, _mm512_mul_pd(product[q], _mm512_set1_pd(g0[q])));
        constant = paths->constant + path->constant + 2 * (size_t)nodes;
        for (uint32_t j = 0; j < path->features; j++, constant += 3 * (size_t)nodes) {
            __mmask8 in = (__mmask8)(mask[j] >> (LANES * group));
            double *to = phi + (size_t)feature[j].feature * GBT_SLICE + (size_t)LANES * group;
            __m512d inside = _mm512_setzero_pd();
            for (uint32_t q = 0; q < nodes; q++)
                inside = _mm512_add_pd(inside, _mm512_mul_pd(product[q], _mm512_set1_pd(constant[q])));
            inside = _mm512_mask_mov_pd(outside, in, inside);
            _mm512_storeu_pd(to, _mm512_add_pd(_mm512_loadu_pd(to), inside));
        }
    }
}

#else

static uint64_t passing(const gbt_paths *paths, const gbt_path_feature *feature, const uint8_t *code) {
    uint64_t rows = 0;
    uint8_t in[GBT_SLICE];
    for (size_t i = 0; i < GBT_SLICE; i++) in[i] = 1;
    for (uint32_t c = 0; c < feature->conditions; c++) {
        const gbt_condition *condition = &paths->condition[feature->condition + c];
        const uint8_t *value = code + (size_t)condition->column * GBT_BLOCK;
        for (size_t i = 0; i < GBT_SLICE; i++)
            in[i] &= (uint8_t)(value[i] - condition->low) <= condition->span;
    }
    for (size_t i = 0; i < GBT_SLICE; i++) rows |= (uint64_t)in[i] << i;
    return rows;
}

static inline __attribute__((always_inline)) void explain_path(double *phi, const gbt_paths *paths,
                                                               const gbt_path *path, const uint64_t *mask,
                                                               uint32_t nodes) {
    const double *weight = paths->weight[nodes], *g0 = weight + nodes;
    const gbt_path_feature *feature = paths->feature + path->feature;
    double product[GBT_PATH_NODES][LANES];
    for (uint32_t group = 0; group < GBT_SLICE / LANES; group++) {
        const double *constant = paths->constant + path->constant;
        for (uint32_t q = 0; q < nodes; q++) {
            for (int l = 0; l < LANES; l++) product[q][l] = path->value * weight[q];
        }
        for (uint32_t j = 0; j < path->features; j++, constant += 3 * (size_t)nodes) {
            uint64_t in[LANES];
            for (int l = 0; l < LANES; l++) in[l] = mask[j] >> (LANES * group + (uint32_t)l) & 1;
            for (uint32_t q = 0; q < nodes; q++) {
                for (int l = 0; l < LANES; l++) product[q][l] *= in[l] ? constant[nodes + q] : constant[q];
            }
        }
        double outside[LANES] = {0};
        for (uint32_t q = 0; q < nodes; q++) {
            for (int l = 0; l < LANES; l++) outside[l] += product[q][l] * g0[q];
        }
        constant = paths->constant + path->constant + 2 * (size_t)nodes;
        for (uint32_t j = 0; j < path->features; j++, constant += 3 * (size_t)nodes) {
            double *to = phi + (size_t)feature[j].feature * GBT_SLICE + (size_t)LANES * group;
            double inside[LANES] = {0};
            for (uint32_t q = 0; q < nodes; q++) {
                for (int l = 0; l < LANES; l++) inside[l] += product[q][l] * constant[q];
            }
            for (int l = 0; l < LANES; l++)
                to[l] += mask[j] >> (LANES * group + (uint32_t)l) & 1 ? inside[l] : outside[l];
        }
    }
}

#endif

void CSM_ISA_SYMBOL(csm_gbt_explain)(double *phi, size_t features, const gbt_paths *paths,
                                     const uint8_t *code, size_t first) {
    uint64_t mask[GBT_PATH_FEATURES];
    for (size_t p = 0; p < paths->count; p++) {
        const gbt_path *path = &paths->path[p];
        double *to = phi + (size_t)path->output * features * GBT_SLICE;
        for (uint32_t j = 0; j < path->features; j++)
            mask[j] = passing(paths, &paths->feature[path->feature + j], code + first);
        switch (path->nodes) {
        case 0: /* a tree of one leaf explains nothing */
            break;
        case 1:
            explain_path(to, paths, path, mask, 1);
            break;
        case 2:
            explain_path(to, paths, path, mask, 2);
            break;
        case 3:
            explain_path(to, paths, path, mask, 3);
            break;
        case 4:
            explain_path(to, paths, path, mask, 4);
            break;
        case 5:
            explain_path(to, paths, path, mask, 5);
            break;
        case 6:
            explain_path(to, paths, path, mask, 6);
            break;
        default:
            explain_path(to, paths, path, mask, path->nodes);
            break;
        }
    }
}
