/* SPDX-License-Identifier: MIT */
/* Floats to bins: a binary search without branches, many values abreast. */
#include "backend/cpu/gbt_cpu.h"

#if defined(CSM_BUILD_AVX512)
#include <immintrin.h>
#endif

#define ABREAST 16

/* `slots` is a constant wherever this is inlined; edge[slots - 1] is +inf, so the result is below slots. */
static inline __attribute__((always_inline)) void search(uint8_t *code, const float *x, size_t n,
                                                         const float *edge, uint32_t slots) {
    size_t i = 0;
    for (; i + ABREAST <= n; i += ABREAST) {
        uint32_t at[ABREAST] = {0};
        for (uint32_t half = slots / 2; half > 0; half /= 2) {
            for (size_t k = 0; k < ABREAST; k++) at[k] += edge[at[k] + half - 1] < x[i + k] ? half : 0;
        }
        for (size_t k = 0; k < ABREAST; k++) code[i + k] = (uint8_t)at[k];
    }
    for (; i < n; i++) {
        uint32_t at = 0;
        for (uint32_t half = slots / 2; half > 0; half /= 2) at += edge[at + half - 1] < x[i] ? half : 0;
        code[i] = (uint8_t)at;
    }
}

#if defined(CSM_BUILD_AVX512)
/* The five upper levels in registers: of 32 parts, `pivot` is the last edge of each. */
static inline __m512i search_registers(__m512 x, __m512 low, __m512 high) {
    __m512i at = _mm512_setzero_si512();
    for (int half = 16; half > 0; half /= 2) {
        const __m512i step = _mm512_set1_epi32(half);
        const __m512i probe = _mm512_add_epi32(at, _mm512_set1_epi32(half - 1));
        const __m512 pivot = _mm512_permutex2var_ps(low, probe, high);
        at = _mm512_mask_add_epi32(at, _mm512_cmp_ps_mask(pivot, x, _CMP_LT_OQ), at, step);
    }
    return at;
}

static inline __attribute__((always_inline)) size_t search_wide(uint8_t *code, const float *x, size_t n,
                                                                const float *edge, int slots) {
    const int part = slots / 32;
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512i places =
        _mm512_add_epi32(_mm512_mullo_epi32(lanes, _mm512_set1_epi32(part)), _mm512_set1_epi32(part - 1));
    const __m512 low = _mm512_i32gather_ps(places, edge, 4);
    const __m512 high = _mm512_i32gather_ps(places, edge + 16 * part, 4);
    size_t i = 0;
    for (; i + ABREAST <= n; i += ABREAST) {
        const __m512 value = _mm512_loadu_ps(x + i);
        __m512i at = _mm512_mullo_epi32(search_registers(value, low, high), _mm512_set1_epi32(part));
        for (int half = part / 2; half > 0; half /= 2) {
            const __m512i probe = _mm512_add_epi32(at, _mm512_set1_epi32(half - 1));
            const __mmask16 above =
                _mm512_cmp_ps_mask(_mm512_i32gather_ps(probe, edge, 4), value, _CMP_LT_OQ);
            at = _mm512_mask_add_epi32(at, above, at, _mm512_set1_epi32(half));
        }
        _mm_storeu_si128((__m128i *)(code + i), _mm512_cvtepi32_epi8(at));
    }
    return i;
}
#endif

void GBT_CODE(uint8_t *code, const float *x, size_t n, const float *edge, uint32_t slots) {
    size_t done = 0;
#if defined(CSM_BUILD_AVX512)
    done = slots == CSM_GBT_SLOTS_FEW ? search_wide(code, x, n, edge, CSM_GBT_SLOTS_FEW)
                                      : search_wide(code, x, n, edge, CSM_GBT_SLOTS_MAX);
#endif
    if (slots == CSM_GBT_SLOTS_FEW)
        search(code + done, x + done, n - done, edge, CSM_GBT_SLOTS_FEW);
    else
        search(code + done, x + done, n - done, edge, CSM_GBT_SLOTS_MAX);
}
