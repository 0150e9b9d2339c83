/* SPDX-License-Identifier: MIT */
/* Transposes between series (one array a lane) and tiles (one row of lanes a bar). */
#include "indicator/frame/frame.h"
#include "indicator/lane_transpose.h"

#define PACK CSM_ISA_SYMBOL(csm_tile_pack)
#define UNPACK CSM_ISA_SYMBOL(csm_tile_unpack)
#define PUBLISH CSM_ISA_SYMBOL(csm_tile_publish)

static void pack_rest(double *tile, const double *const *columns, size_t from, size_t count) {
    for (size_t t = from; t < count; t++)
        for (size_t k = 0; k < LANES; k++) tile[t * LANES + k] = columns[k][t];
}

static void unpack_rest(double *const *columns, const double *tile, size_t from, size_t count) {
    for (size_t t = from; t < count; t++)
        for (size_t k = 0; k < LANES; k++) columns[k][t] = tile[t * LANES + k];
}

#if LANES == 8
CSM_INLINE void stream(double *at, real x) {
    _mm512_stream_pd(at, x);
}
#elif LANES == 4
CSM_INLINE void stream(double *at, real x) {
    _mm256_stream_pd(at, x);
}
#endif

void PACK(double *tile, const double *const *columns, size_t count) {
    size_t t = 0;
#if LANES > 1
    for (; t + LANES <= count; t += LANES) {
        real r[LANES];
        for (int k = 0; k < LANES; k++) r[k] = real_load(columns[k] + t);
        lanes_transpose(r);
        for (size_t k = 0; k < LANES; k++) real_store(tile + (t + k) * LANES, r[k]);
    }
#endif
    pack_rest(tile, columns, t, count);
}

#if LANES > 1
/* Bars to write one by one until every lane's array stands on a whole row of memory; 0 when they never do together. */
static size_t bars_to_alignment(double *const *columns) {
    const uintptr_t past = (uintptr_t)columns[0] % sizeof(real);
    for (size_t k = 1; k < LANES; k++)
        if ((uintptr_t)columns[k] % sizeof(real) != past) return 0;
    return past % sizeof(double) != 0 ? 0 : (sizeof(real) - past) % sizeof(real) / sizeof(double);
}
#endif

/* bypass: outputs far larger than the caches go straight to memory, which spares reading each line first. */
void UNPACK(double *const *columns, const double *tile, size_t count, bool bypass) {
    size_t t = 0;
#if LANES > 1
    const size_t head = bars_to_alignment(columns);
    if (head > 0 && head < count) {
        unpack_rest(columns, tile, 0, head);
        t = head;
    }
    for (size_t k = 0; k < LANES; k++) bypass = bypass && (uintptr_t)(columns[k] + t) % sizeof(real) == 0;
    for (; t + LANES <= count; t += LANES) {
        real r[LANES];
        for (size_t k = 0; k < LANES; k++) r[k] = real_load(tile + (t + k) * LANES);
        lanes_transpose(r);
        if (bypass)
            for (int k = 0; k < LANES; k++) stream(columns[k] + t, r[k]);
        else
            for (int k = 0; k < LANES; k++) real_store(columns[k] + t, r[k]);
    }
#else
    (void)bypass;
#endif
    unpack_rest(columns, tile, t, count);
}

/* Stores that bypassed the caches are not ordered with the others: after this they are seen by every thread. */
void PUBLISH(void) {
#if LANES > 1
    _mm_sfence();
#endif
}
