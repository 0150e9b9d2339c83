/* SPDX-License-Identifier: MIT */
#include "backend/cpu/gbt_cpu.h"

#if defined(CSM_BUILD_AVX512)
#include <immintrin.h>
#endif

#define FETCH_AHEAD 24
#define GROUP 16

size_t GBT_PARTITION(uint32_t *left, uint32_t *right, const uint32_t *row, size_t count, const uint8_t *code,
                     size_t stride, const uint8_t *goes_left) {
    size_t lefts = 0, rights = 0, i = 0;
#if defined(CSM_BUILD_AVX512)
    for (; i + GROUP <= count; i += GROUP) {
        _Alignas(16) uint8_t sides[GROUP];
        if (i + FETCH_AHEAD + GROUP <= count && stride > 1)
            for (size_t k = 0; k < GROUP; k++) __builtin_prefetch(code + row[i + FETCH_AHEAD + k] * stride);
        for (size_t k = 0; k < GROUP; k++) sides[k] = goes_left[code[row[i + k] * stride]];
        const __m128i bytes = _mm_load_si128((const __m128i *)sides);
        const __mmask16 go = _mm_test_epi8_mask(bytes, bytes);
        const __m512i rows = _mm512_loadu_si512(row + i);
        _mm512_storeu_si512(left + lefts, _mm512_maskz_compress_epi32(go, rows));
        _mm512_storeu_si512(right + rights, _mm512_maskz_compress_epi32((__mmask16)~go, rows));
        const size_t gone = (size_t)__builtin_popcount(go);
        lefts += gone;
        rights += GROUP - gone;
    }
#endif
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
