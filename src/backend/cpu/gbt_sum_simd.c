/* SPDX-License-Identifier: MIT */
/* Histograms: scatter-adds of packed integers. The rate of stores is the limit, so nothing but them is in the loops. */
#include "backend/cpu/gbt_cpu.h"

#include <string.h>

/* Rows whose codes are fetched ahead: those of a leaf lie anywhere in memory. */
#define FETCH_AHEAD 16
#define GROUP 8 /* codes taken from a row by one load */

static inline size_t row_at(const csm_gbt_rows *rows, size_t i) {
    return rows->row ? rows->row[i] : rows->first + i;
}

static inline void fetch(const csm_gbt_rows *rows, size_t i, const uint32_t *quantum, size_t from,
                         size_t bytes) {
    if (!rows->row || i + FETCH_AHEAD >= rows->count) return;
    size_t ahead = rows->row[i + FETCH_AHEAD];
    const uint8_t *code = rows->code + ahead * rows->stride + from;
    __builtin_prefetch(code);
    if (bytes > 64) __builtin_prefetch(code + 64);
    if (quantum) __builtin_prefetch(quantum + ahead);
}

/* One row into the buckets of a run of features; `slots` is a constant wherever this is inlined. */
static inline __attribute__((always_inline)) void add_run(uint32_t *narrow, const uint8_t *code, size_t n,
                                                          size_t slots, uint32_t quantum) {
    size_t j = 0;
    for (; j + GROUP <= n; j += GROUP) {
        uint64_t codes;
        memcpy(&codes, code + j, sizeof codes);
        uint32_t *bucket = narrow + j * slots;
        bucket[codes & 255] += quantum;
        bucket[slots + (codes >> 8 & 255)] += quantum;
        bucket[2 * slots + (codes >> 16 & 255)] += quantum;
        bucket[3 * slots + (codes >> 24 & 255)] += quantum;
        bucket[4 * slots + (codes >> 32 & 255)] += quantum;
        bucket[5 * slots + (codes >> 40 & 255)] += quantum;
        bucket[6 * slots + (codes >> 48 & 255)] += quantum;
        bucket[7 * slots + (codes >> 56)] += quantum;
    }
    for (; j < n; j++) narrow[j * slots + code[j]] += quantum;
}

/* One row into the buckets of listed features. */
static inline __attribute__((always_inline)) void add_list(uint32_t *narrow, const uint8_t *code,
                                                           const uint32_t *feature, size_t n, size_t slots,
                                                           uint32_t quantum) {
    size_t j = 0;
    for (; j + 4 <= n; j += 4) {
        uint32_t *bucket = narrow + j * slots;
        bucket[code[feature[j]]] += quantum;
        bucket[slots + code[feature[j + 1]]] += quantum;
        bucket[2 * slots + code[feature[j + 2]]] += quantum;
        bucket[3 * slots + code[feature[j + 3]]] += quantum;
    }
    for (; j < n; j++) narrow[j * slots + code[feature[j]]] += quantum;
}

/* Narrow buckets into wide ones, and zero. */
static void flush(uint64_t *wide, uint32_t *narrow, const uint32_t *feature, size_t n, size_t slots,
                  uint32_t shift) {
    const uint32_t mask = (UINT32_C(1) << shift) - 1;
    for (size_t j = 0; j < n; j++) {
        uint64_t *to = wide + feature[j] * slots;
        uint32_t *from = narrow + j * slots;
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
                                                           size_t begin, size_t end, size_t slots) {
    const uint32_t *feature = rows->feature + at;
    const bool run = feature[n - 1] - feature[0] + 1 == n;
    const size_t span = feature[n - 1] - feature[0] + 1;
    for (size_t i = begin; i < end; i++) {
        const size_t row = row_at(rows, i);
        const uint32_t value = quantum ? quantum[row] : 1;
        const uint8_t *code = rows->code + row * rows->stride;
        fetch(rows, i, quantum, feature[0], span);
        if (run)
            add_run(narrow, code + feature[0], n, slots, value);
        else
            add_list(narrow, code, feature, n, slots, value);
    }
}

void GBT_SUM_ROWS(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum) {
    _Alignas(64) uint32_t narrow[CSM_GBT_NARROW];
    const size_t block = CSM_GBT_NARROW / rows->slots;
    const uint32_t shift = quantum ? rows->narrow_shift : 16;
    memset(narrow, 0, sizeof narrow);
    for (size_t begin = 0; begin < rows->count; begin += CSM_GBT_TILE_ROWS) {
        const size_t left = rows->count - begin;
        const size_t end = begin + (left < CSM_GBT_TILE_ROWS ? left : CSM_GBT_TILE_ROWS);
        for (size_t at = 0; at < rows->features; at += block) {
            const size_t n = rows->features - at < block ? rows->features - at : block;
            if (rows->slots == CSM_GBT_JOINT_SLOTS)
                sum_tile(narrow, rows, quantum, at, n, begin, end, CSM_GBT_JOINT_SLOTS);
            else
                sum_tile(narrow, rows, quantum, at, n, begin, end, CSM_GBT_SLOTS_MAX);
            flush(wide, narrow, rows->feature + at, n, rows->slots, shift);
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

void GBT_WIDEN(uint64_t *out, const uint32_t *quantum, const uint32_t *row, size_t first, size_t count,
               uint32_t narrow_shift) {
    const uint32_t mask = (UINT32_C(1) << narrow_shift) - 1;
    for (size_t i = 0; i < count; i++) {
        const uint32_t value = row ? quantum[row[i]] : quantum[first + i];
        const int64_t gradient = (int32_t)value >> narrow_shift;
        out[i] = ((uint64_t)gradient << CSM_GBT_WIDE_SHIFT) + (value & mask);
    }
}

void GBT_SUM_PAIR(uint64_t *first, uint64_t *second, const uint16_t *pair, const uint32_t *row,
                  size_t first_row, size_t count, const uint64_t *widened) {
    enum { SLOTS = CSM_GBT_JOINT_SLOTS };
    _Alignas(64) uint64_t joint[SLOTS * SLOTS];
    memset(joint, 0, sizeof joint);
    const uint16_t *column = pair + first_row;
    size_t i = 0;
    for (; !row && i + 4 <= count; i += 4) {
        uint64_t codes;
        memcpy(&codes, column + i, sizeof codes);
        joint[codes & 4095] += widened[i];
        joint[codes >> 16 & 4095] += widened[i + 1];
        joint[codes >> 32 & 4095] += widened[i + 2];
        joint[codes >> 48 & 4095] += widened[i + 3];
    }
    for (; i < count; i++) joint[row ? pair[row[i]] : column[i]] += widened[i];
    for (size_t b = 0; b < SLOTS; b++) {
        uint64_t sum = 0;
        for (size_t a = 0; a < SLOTS; a++) {
            first[a] += joint[b * SLOTS + a];
            sum += joint[b * SLOTS + a];
        }
        second[b] += sum;
    }
}
