/* SPDX-License-Identifier: MIT */
#include "backend/cpu/gbt_cpu.h"

#include <string.h>
#if defined(CSM_BUILD_AVX512)
#include <immintrin.h>
#endif

#define FETCH_AHEAD 24
#define GROUP 16

static inline uint8_t side(const uint8_t *code, size_t stride, uint32_t row, uint32_t shift, uint32_t mask,
                           const uint8_t *goes_left) {
    uint16_t bits;
    memcpy(&bits, code + row * stride, sizeof bits);
    return goes_left[(uint32_t)bits >> shift & mask];
}

size_t GBT_PARTITION(uint32_t *left, uint32_t *right, const uint32_t *row, size_t count, const uint8_t *code,
                     size_t stride, uint32_t shift, uint32_t mask, const uint8_t *goes_left) {
    size_t lefts = 0, rights = 0, i = 0;
#if defined(CSM_BUILD_AVX512)
    for (; i + GROUP <= count; i += GROUP) {
        _Alignas(16) uint8_t sides[GROUP];
        if (i + FETCH_AHEAD + GROUP <= count && stride > 2)
            for (size_t k = 0; k < GROUP; k++) __builtin_prefetch(code + row[i + FETCH_AHEAD + k] * stride);
        for (size_t k = 0; k < GROUP; k++) sides[k] = side(code, stride, row[i + k], shift, mask, goes_left);
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
        const uint8_t go = side(code, stride, r, shift, mask, goes_left) != 0;
        left[lefts] = r;
        right[rights] = r;
        lefts += go;
        rights += !go;
    }
    return lefts;
}
