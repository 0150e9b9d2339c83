/* SPDX-License-Identifier: MIT */
/* Histograms: scatter-adds of packed integers. The rate of stores is the limit, so nothing but them is in the loops. */
#include "backend/cpu/gbt_cpu.h"

#include <string.h>

/* Rows whose codes are fetched ahead: those of a leaf lie anywhere in memory. */
#define FETCH_AHEAD 16
#define GROUP 8 /* codes taken from a row by one load */
/* Narrow buckets from feature to feature. Were it 64 or 256, features 16 or 4 apart would lie whole pages apart, and where
 * they are correlated a processor that compares the lower 12 bits first takes one's load for a reader of the other's store. */
#define FEW_PITCH 67
#define MAX_PITCH 275

static inline size_t row_at(const csm_gbt_rows *rows, size_t i) {
    return rows->row ? rows->row[i] : rows->first + i;
}

/* Always inlined: gcc takes a function that only prefetches for one without effect and drops its calls. */
static inline __attribute__((always_inline)) void fetch(const csm_gbt_rows *rows, size_t i,
                                                        const uint32_t *quantum, size_t from, size_t bytes) {
    if (i + FETCH_AHEAD >= rows->count) return;
    const size_t ahead = row_at(rows, i + FETCH_AHEAD);
    const uint8_t *code = rows->code + ahead * rows->stride + from;
    __builtin_prefetch(code);
    if (bytes > 64) __builtin_prefetch(code + 64);
    if (quantum) __builtin_prefetch(quantum + ahead);
}

/* One row into the buckets of a run of features; `pitch` is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void add_run(uint32_t *narrow, const uint8_t *code, size_t n,
                                                          size_t pitch, uint32_t quantum) {
    size_t j = 0;
    for (; j + GROUP <= n; j += GROUP) {
        uint64_t codes;
        memcpy(&codes, code + j, sizeof codes);
        uint32_t *bucket = narrow + j * pitch;
        bucket[codes & 255] += quantum;
        bucket[pitch + (codes >> 8 & 255)] += quantum;
        bucket[2 * pitch + (codes >> 16 & 255)] += quantum;
        bucket[3 * pitch + (codes >> 24 & 255)] += quantum;
        bucket[4 * pitch + (codes >> 32 & 255)] += quantum;
        bucket[5 * pitch + (codes >> 40 & 255)] += quantum;
        bucket[6 * pitch + (codes >> 48 & 255)] += quantum;
        bucket[7 * pitch + (codes >> 56)] += quantum;
    }
    for (; j < n; j++) narrow[j * pitch + code[j]] += quantum;
}

/* One row into the buckets of listed features. */
static inline __attribute__((always_inline)) void add_list(uint32_t *narrow, const uint8_t *code,
                                                           const uint32_t *feature, size_t n, size_t pitch,
                                                           uint32_t quantum) {
    size_t j = 0;
    for (; j + 4 <= n; j += 4) {
        uint32_t *bucket = narrow + j * pitch;
        bucket[code[feature[j]]] += quantum;
        bucket[pitch + code[feature[j + 1]]] += quantum;
        bucket[2 * pitch + code[feature[j + 2]]] += quantum;
        bucket[3 * pitch + code[feature[j + 3]]] += quantum;
    }
    for (; j < n; j++) narrow[j * pitch + code[feature[j]]] += quantum;
}

/* Narrow buckets into wide ones, and zero. */
static void flush(uint64_t *wide, uint32_t *narrow, const uint32_t *feature, size_t n, size_t slots,
                  size_t pitch, uint32_t shift) {
    const uint32_t mask = (UINT32_C(1) << shift) - 1;
    for (size_t j = 0; j < n; j++) {
        uint64_t *to = wide + feature[j] * slots;
        uint32_t *from = narrow + j * pitch;
        for (size_t b = 0; b < slots; b++) {
            const int64_t gradient = (int32_t)from[b] >> shift;
            to[b] += ((uint64_t)gradient << CSM_GBT_WIDE_SHIFT) + (from[b] & mask);
            from[b] = 0;
        }
    }
}

/* Features [at, at + n) of the list over rows [begin, end). */
static inline __attribute__((always_inline)) void sum_tile(uint32_t *narrow, const csm_gbt_rows *rows,
                                                           const uint32_t *quantum, size_t at, size_t n,
                                                           size_t begin, size_t end, size_t pitch) {
    const uint32_t *feature = rows->feature + at;
    const bool run = feature[n - 1] - feature[0] + 1 == n;
    const size_t span = feature[n - 1] - feature[0] + 1;
    for (size_t i = begin; i < end; i++) {
        const size_t row = row_at(rows, i);
        const uint32_t value = quantum ? quantum[row] : 1;
        const uint8_t *code = rows->code + row * rows->stride;
        fetch(rows, i, quantum, feature[0], span);
        if (run)
            add_run(narrow, code + feature[0], n, pitch, value);
        else
            add_list(narrow, code, feature, n, pitch, value);
    }
}

static bool may_join(const csm_gbt_rows *rows) {
    return rows->scratch && rows->slots == CSM_GBT_SLOTS_FEW && rows->count >= CSM_GBT_JOINT_ROWS &&
           rows->feature[rows->features - 1] - rows->feature[0] + 1 == rows->features;
}

void GBT_SUM_ROWS(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum) {
    if (may_join(rows)) {
        if (rows->column && !rows->row) {
            GBT_SUM_COLUMNS(wide, rows, quantum);
            return;
        }
#if defined(CSM_BUILD_AVX512)
        GBT_SUM_TILES(wide, rows, quantum);
        return;
#endif
    }
    _Alignas(64) uint32_t narrow[CSM_GBT_NARROW];
    const size_t pitch = rows->slots == CSM_GBT_SLOTS_FEW ? FEW_PITCH : MAX_PITCH;
    const size_t block = CSM_GBT_NARROW / pitch;
    const uint32_t shift = quantum ? rows->narrow_shift : 16;
    memset(narrow, 0, sizeof narrow);
    for (size_t begin = 0; begin < rows->count; begin += CSM_GBT_TILE_ROWS) {
        const size_t left = rows->count - begin;
        const size_t end = begin + (left < CSM_GBT_TILE_ROWS ? left : CSM_GBT_TILE_ROWS);
        for (size_t at = 0; at < rows->features; at += block) {
            const size_t n = rows->features - at < block ? rows->features - at : block;
            if (rows->slots == CSM_GBT_SLOTS_FEW)
                sum_tile(narrow, rows, quantum, at, n, begin, end, FEW_PITCH);
            else
                sum_tile(narrow, rows, quantum, at, n, begin, end, MAX_PITCH);
            flush(wide, narrow, rows->feature + at, n, rows->slots, pitch, shift);
        }
    }
}

void GBT_SUM_EXACT(uint64_t *wide, size_t plane, const csm_gbt_rows *rows, const int64_t *gradient,
                   const int64_t *hessian) {
    for (size_t i = 0; i < rows->count; i++) {
        const size_t row = row_at(rows, i);
        const uint8_t *code = rows->code + row * rows->stride;
        const uint64_t g = (uint64_t)gradient[row], h = (uint64_t)hessian[row];
        fetch(rows, i, NULL, rows->feature[0], rows->stride);
        for (size_t j = 0; j < rows->features; j++) {
            const uint32_t f = rows->feature[j];
            uint64_t *bucket = wide + (size_t)f * rows->slots + code[f];
            bucket[0] += g;
            bucket[plane] += h;
            bucket[2 * plane] += 1;
        }
    }
}
