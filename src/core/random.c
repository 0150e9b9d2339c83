/* SPDX-License-Identifier: MIT */
/* Counter-based random numbers: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
#include "core/internal.h"
#include "core/real.h"

#include <math.h>

#define PHILOX_ROUNDS 10

void csm_philox4x32(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]) {
    const uint64_t multiplier0 = 0xD2511F53u, multiplier1 = 0xCD9E8D57u;
    const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u; /* golden ratio, sqrt(3) - 1 */
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const uint64_t product0 = multiplier0 * c0, product1 = multiplier1 * c2;
        const uint32_t next0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        const uint32_t next2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c0 = next0;
        c1 = (uint32_t)product1;
        c2 = next2;
        c3 = (uint32_t)product0;
        k0 += weyl0;
        k1 += weyl1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

typedef struct pair {
    uint64_t first;
    uint64_t second;
} pair;

static pair block(uint64_t seed, uint64_t stream, uint64_t index) {
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream,
                                 (uint32_t)(stream >> 32)};
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    uint32_t out[4];
    csm_philox4x32(out, counter, key);
    return (pair){out[0] | (uint64_t)out[1] << 32, out[2] | (uint64_t)out[3] << 32};
}

/* 53 bits in [0, 1). */
static double unit(uint64_t bits) {
    return (double)(bits >> 11) * 0x1p-53;
}

uint64_t csm_random_u64(uint64_t seed, uint64_t stream, uint64_t index) {
    return block(seed, stream, index).first;
}

double csm_random_uniform(uint64_t seed, uint64_t stream, uint64_t index) {
    return unit(block(seed, stream, index).first);
}

/* Box and Muller 1958, the cosine branch. 1 - u lies in (0, 1], so the logarithm is finite. */
double csm_random_normal(uint64_t seed, uint64_t stream, uint64_t index) {
    const pair bits = block(seed, stream, index);
    return sqrt(-2.0 * csm_log(1.0 - unit(bits.first))) * csm_cos_turn(unit(bits.second));
}
