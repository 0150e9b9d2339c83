/* SPDX-License-Identifier: MIT */
#include "backend/cpu/gbt_cpu.h"

#if defined(CSM_BUILD_AVX512)
#include <immintrin.h>
#endif

#define FETCH_AHEAD 24
#define GROUP 16

/* `stride` is a constant where it is 1: a multiplication a row takes as long as all else. */
static inline __attribute__((always_inline)) size_t divide(uint32_t *left, uint32_t *right,
                                                           const uint32_t *row, size_t count,
                                                           const uint8_t *code, size_t stride,
                                                           const uint8_t *goes_left, int32_t last) {
    size_t lefts = 0, rights = 0, i = 0;
#if defined(CSM_BUILD_AVX512)
    const __m128i bound = _mm_set1_epi8((char)(uint8_t)(last < 0 ? 0 : last));
    for (; i + GROUP <= count; i += GROUP) {
        if (i + FETCH_AHEAD + GROUP <= count && stride > 1)
            for (size_t k = 0; k < GROUP; k++) __builtin_prefetch(code + row[i + FETCH_AHEAD + k] * stride);
        /* Put together in registers: a load of bytes just written one by one would wait for them. */
        uint64_t half[2] = {0};
        for (size_t k = 0; k < GROUP; k++) {
            const uint8_t c = code[row[i + k] * stride];
            half[k / 8] |= (uint64_t)(last < 0 ? (uint8_t)!goes_left[c] : c) << k % 8 * 8;
        }
        const __m128i codes = _mm_set_epi64x((int64_t)half[1], (int64_t)half[0]);
        const __mmask16 go = _mm_cmple_epu8_mask(codes, bound);
        const __m512i rows = _mm512_loadu_si512(row + i);
        _mm512_storeu_si512(left + lefts, _mm512_maskz_compress_epi32(go, rows));
        _mm512_storeu_si512(right + rights, _mm512_maskz_compress_epi32((__mmask16)~go, rows));
        const size_t gone = (size_t)__builtin_popcount(go);
        lefts += gone;
        rights += GROUP - gone;
    }
#endif
    (void)last;
    for (; i < count; i++) {
        const uint32_t r = row[i];
        const uint8_t go = goes_left[code[r * stride]] != 0;
        left[lefts] = r;
        right[rights] = r;
        lefts += go;
        rights += !go;
    }
    return lefts;
}

size_t GBT_PARTITION(uint32_t *left, uint32_t *right, const uint32_t *row, size_t count, const uint8_t *code,
                     size_t stride, const uint8_t *goes_left, int32_t last) {
    if (stride == 1) return divide(left, right, row, count, code, 1, goes_left, last);
    return divide(left, right, row, count, code, stride, goes_left, last);
}
