/* SPDX-License-Identifier: MIT */
/* A square of LANES x LANES doubles turned over in registers: after it r[i][j] is what r[j][i] was. */
#ifndef CSM_INDICATOR_LANE_TRANSPOSE_H
#define CSM_INDICATOR_LANE_TRANSPOSE_H

#include "indicator/lane.h"

#if LANES == 8
CSM_INLINE void lanes_transpose(__m512d r[8]) {
    __m512d pair[8], quad[8];
    for (int i = 0; i < 8; i += 2) {
        pair[i] = _mm512_unpacklo_pd(r[i], r[i + 1]);
        pair[i + 1] = _mm512_unpackhi_pd(r[i], r[i + 1]);
    }
    for (int i = 0; i < 8; i += 4)
        for (int j = 0; j < 2; j++) {
            quad[i + j] = _mm512_shuffle_f64x2(pair[i + j], pair[i + j + 2], 0x88);
            quad[i + j + 2] = _mm512_shuffle_f64x2(pair[i + j], pair[i + j + 2], 0xdd);
        }
    for (int j = 0; j < 4; j++) {
        r[j] = _mm512_shuffle_f64x2(quad[j], quad[j + 4], 0x88);
        r[j + 4] = _mm512_shuffle_f64x2(quad[j], quad[j + 4], 0xdd);
    }
}
#elif LANES == 4
CSM_INLINE void lanes_transpose(__m256d r[4]) {
    const __m256d a = _mm256_unpacklo_pd(r[0], r[1]), b = _mm256_unpackhi_pd(r[0], r[1]);
    const __m256d c = _mm256_unpacklo_pd(r[2], r[3]), d = _mm256_unpackhi_pd(r[2], r[3]);
    r[0] = _mm256_permute2f128_pd(a, c, 0x20);
    r[1] = _mm256_permute2f128_pd(b, d, 0x20);
    r[2] = _mm256_permute2f128_pd(a, c, 0x31);
    r[3] = _mm256_permute2f128_pd(b, d, 0x31);
}
#endif

#endif
