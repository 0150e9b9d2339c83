/* SPDX-License-Identifier: MIT */
/* Plain twins of src/backend/cuda/device.cuh. A collective of a warp gets every lane's arguments at once. */
#ifndef CSM_TESTS_EMULATOR_DEVICE_H
#define CSM_TESTS_EMULATOR_DEVICE_H

#include "emulator_block.h"

#include <cmath>

inline void *csm_shared_memory() {
    return emulator::shared_memory();
}

inline uint32_t emulator_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}
inline float emulator_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
inline uint32_t __float_as_uint(float value) {
    return emulator_bits(value);
}
inline float __uint_as_float(uint32_t bits) {
    return emulator_float(bits);
}

// ---- half precision, by arithmetic on the value rather than on its bits ----

/* `value` rounded to a format with `digits` bits of significand and smallest exponent `lowest`, ties to even. */
inline double emulator_round(float value, int digits, int lowest) {
    if (value == 0 || !std::isfinite(value)) return value;
    int exponent;
    std::frexp(value, &exponent);
    const int unit = (exponent > lowest ? exponent : lowest) - digits;
    return std::ldexp(std::nearbyint(std::ldexp(static_cast<double>(value), -unit)), unit);
}
inline uint16_t emulator_to_fp16(float value) {
    const uint16_t sign = static_cast<uint16_t>(emulator_bits(value) >> 16 & 0x8000U);
    if (std::isnan(value)) return 0x7FFF;
    const double rounded = std::fabs(emulator_round(value, 11, -13));
    if (rounded > 65504) return sign | 0x7C00;
    if (rounded == 0) return sign;
    int exponent;
    const double fraction = std::frexp(rounded, &exponent); // in [0.5, 1)
    if (exponent < -13) return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::ldexp(rounded, 24)));
    return static_cast<uint16_t>(sign | static_cast<uint16_t>((exponent + 14) << 10) |
                                 static_cast<uint16_t>(std::ldexp(fraction, 11) - 1024));
}
inline float csm_unpack_fp16(uint16_t half) {
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const double size = exponent == 0    ? std::ldexp(fraction, -24)
                        : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                         : std::ldexp(1024 + fraction, exponent - 25);
    return static_cast<float>((half & 0x8000) != 0 ? -size : size);
}
inline uint16_t emulator_to_bf16(float value) {
    if (std::isnan(value)) return 0x7FFF;
    const float rounded = static_cast<float>(emulator_round(value, 8, -125));
    return static_cast<uint16_t>(emulator_bits(rounded) >> 16);
}
inline float csm_unpack_bf16(uint16_t half) {
    return emulator_float(static_cast<uint32_t>(half) << 16);
}
inline uint32_t csm_pack_fp16(float low, float high) {
    return emulator_to_fp16(low) | static_cast<uint32_t>(emulator_to_fp16(high)) << 16;
}
inline uint32_t csm_pack_bf16(float low, float high) {
    return emulator_to_bf16(low) | static_cast<uint32_t>(emulator_to_bf16(high)) << 16;
}
inline uint32_t csm_round_tf32(float value) {
    return (emulator_bits(value) + 0x1000U) & 0xFFFFE000U;
}

// ---- matrix instructions ----

struct emulator_mma {
    float *d;
    const uint32_t *a, *b;
};

/* One m16n8kK over the fragments of 32 lanes; value(word, half) reads one operand. Sums run over k upwards: the card's
 * order is not documented, and comparisons allow for it. */
template <int K, class Value>
void emulator_multiply(void *const slot[32], Value value) {
    float a[16][K], b[K][8];
    for (int lane = 0; lane < 32; lane++) {
        const emulator_mma &mine = *static_cast<const emulator_mma *>(slot[lane]);
        const int g = lane / 4, t = lane % 4;
        for (int i = 0; i < 4; i++) // word i of A: row g or g+8, first or second half of the columns
            for (int j = 0; j < K / 8; j++)
                a[g + i % 2 * 8][K == 16 ? 2 * t + i / 2 * 8 + j : t + i / 2 * 4] = value(mine.a[i], j);
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < K / 8; j++)
                b[K == 16 ? 2 * t + i * 8 + j : t + i * 4][g] = value(mine.b[i], j);
    }
    for (int lane = 0; lane < 32; lane++) {
        const emulator_mma &mine = *static_cast<const emulator_mma *>(slot[lane]);
        for (int i = 0; i < 4; i++) {
            const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
            float sum = mine.d[i];
            for (int k = 0; k < K; k++) sum += a[row][k] * b[k][column];
            mine.d[i] = sum;
        }
    }
}
inline uint16_t emulator_half(uint32_t word, int half) {
    return static_cast<uint16_t>(word >> 16 * half);
}
inline void csm_mma_fp16(float d[4], const uint32_t a[4], const uint32_t b[2]) {
    emulator_mma mine = {d, a, b};
    emulator::warp_meet(0xFFFFFFFFU, &mine,
                        [](void *const slot[32], uint32_t) {
                            emulator_multiply<16>(slot, [](uint32_t word, int half) {
                                return csm_unpack_fp16(emulator_half(word, half));
                            });
                        },
                        {"mma fp16", 0});
}
inline void csm_mma_bf16(float d[4], const uint32_t a[4], const uint32_t b[2]) {
    emulator_mma mine = {d, a, b};
    emulator::warp_meet(0xFFFFFFFFU, &mine,
                        [](void *const slot[32], uint32_t) {
                            emulator_multiply<16>(slot, [](uint32_t word, int half) {
                                return csm_unpack_bf16(emulator_half(word, half));
                            });
                        },
                        {"mma bf16", 0});
}
/* The instruction ignores the bits that tf32 lacks. */
inline void csm_mma_tf32(float d[4], const uint32_t a[4], const uint32_t b[2]) {
    emulator_mma mine = {d, a, b};
    emulator::warp_meet(0xFFFFFFFFU, &mine,
                        [](void *const slot[32], uint32_t) {
                            emulator_multiply<8>(
                                slot, [](uint32_t word, int) { return emulator_float(word & 0xFFFFE000U); });
                        },
                        {"mma tf32", 0});
}

// ---- within a warp ----

struct emulator_shuffle {
    double value, result;
    int lanes;
};
template <class T>
T csm_shuffle_xor(T value, int lanes) {
    emulator_shuffle mine = {static_cast<double>(value), 0, lanes};
    emulator::warp_meet(0xFFFFFFFFU, &mine,
                        [](void *const slot[32], uint32_t) {
                            for (int lane = 0; lane < 32; lane++) {
                                emulator_shuffle *own = static_cast<emulator_shuffle *>(slot[lane]);
                                own->result = static_cast<emulator_shuffle *>(slot[lane ^ own->lanes])->value;
                            }
                        },
                        {"shuffle", 0});
    return static_cast<T>(mine.result);
}
inline void csm_warp_sync() {
    emulator::warp_meet(0xFFFFFFFFU, nullptr, nullptr, {"warp sync", 0});
}

// ---- clusters ----

inline uint32_t csm_cluster_rank() {
    return emulator::cluster_rank();
}
template <class T>
T *csm_cluster_map(T *mine, uint32_t rank) {
    return static_cast<T *>(emulator::shared_memory_of(mine, rank));
}
inline void csm_cluster_arrive() {
    emulator::cluster_arrive({"cluster arrive", 0});
}
inline void csm_cluster_wait() {
    emulator::cluster_wait({"cluster wait", 0});
}

// ---- atomics: one thread runs at a time ----

template <class T>
T atomicAdd(T *place, T value) {
    const T before = *place;
    *place = before + value;
    return before;
}

#endif
