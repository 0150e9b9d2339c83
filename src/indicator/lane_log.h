/* SPDX-License-Identifier: MIT */
/*
 * The natural logarithm of lanes, for positive normal numbers: csm_log (core/real_log.c, where the method is explained)
 * step by step, so that each lane has csm_log's bits. tests/indicator/test_lanes.c compares the two.
 */
#ifndef CSM_INDICATOR_LANE_LOG_H
#define CSM_INDICATOR_LANE_LOG_H

#include "core/real_internal.h"

#if defined(CSM_BUILD_AVX512)
typedef __m512i lane_bits;
CSM_INLINE lane_bits bits_of(uint64_t x) {
    return _mm512_set1_epi64((int64_t)x);
}
CSM_INLINE lane_bits bits_from(real x) {
    return _mm512_castpd_si512(x);
}
CSM_INLINE real bits_real(lane_bits x) {
    return _mm512_castsi512_pd(x);
}
CSM_INLINE lane_bits bits_add(lane_bits a, lane_bits b) {
    return _mm512_add_epi64(a, b);
}
CSM_INLINE lane_bits bits_sub(lane_bits a, lane_bits b) {
    return _mm512_sub_epi64(a, b);
}
CSM_INLINE lane_bits bits_or(lane_bits a, lane_bits b) {
    return _mm512_or_si512(a, b);
}
CSM_INLINE lane_bits bits_right(lane_bits a) {
    return _mm512_srli_epi64(a, 52);
}
CSM_INLINE lane_bits bits_left(lane_bits a) {
    return _mm512_slli_epi64(a, 52);
}
#else
typedef __m256i lane_bits;
CSM_INLINE lane_bits bits_of(uint64_t x) {
    return _mm256_set1_epi64x((int64_t)x);
}
CSM_INLINE lane_bits bits_from(real x) {
    return _mm256_castpd_si256(x);
}
CSM_INLINE real bits_real(lane_bits x) {
    return _mm256_castsi256_pd(x);
}
CSM_INLINE lane_bits bits_add(lane_bits a, lane_bits b) {
    return _mm256_add_epi64(a, b);
}
CSM_INLINE lane_bits bits_sub(lane_bits a, lane_bits b) {
    return _mm256_sub_epi64(a, b);
}
CSM_INLINE lane_bits bits_or(lane_bits a, lane_bits b) {
    return _mm256_or_si256(a, b);
}
CSM_INLINE lane_bits bits_right(lane_bits a) {
    return _mm256_srli_epi64(a, 52);
}
CSM_INLINE lane_bits bits_left(lane_bits a) {
    return _mm256_slli_epi64(a, 52);
}
#endif

CSM_INLINE real lanes_log(real x) {
    /* x = 2^k (1 + f). The exponent is kept 1024 too high, so that no shift sees a sign. */
    const lane_bits bias = bits_of(UINT64_C(1024) << 52), bits = bits_from(x);
    const lane_bits raised =
        bits_right(bits_add(bits_sub(bits, bits_of(UINT64_C(0x3fe6a09e667f3bcd))), bias));
    const real k = bits_real(bits_or(raised, bits_of(UINT64_C(0x4330000000000000)))) - (0x1p52 + 1024.0);
    const real f = bits_real(bits_add(bits_sub(bits, bits_left(raised)), bias)) - 1.0;

    const real half_square = f * 0.5 * f, s = f / (f + 2.0), z = s * s, w = z * z;
    const real odd = w * (w * (w * (w * (2.0 / 19) + 2.0 / 15) + 2.0 / 11) + 2.0 / 7) + 2.0 / 3;
    const real even = w * (w * (w * (w * (2.0 / 21) + 2.0 / 17) + 2.0 / 13) + 2.0 / 9) + 2.0 / 5;
    const real upper = (f + CSM_UPPER_BITS) - CSM_UPPER_BITS, minus = upper * -0.5 * upper;
    const real lead = f + minus, lead_lo = minus - (lead - f);
    const real square_lo = (f - upper) * 0.5 * (f + upper);
    const real low = lead_lo + (s * (half_square + z * (odd + z * even)) - square_lo);

    const real scaled = k * CSM_LN2_HI, sum = scaled + lead;
    return sum + ((lead - (sum - scaled)) + (low + k * CSM_LN2_LO));
}

#endif
