/* SPDX-License-Identifier: MIT */
/*
 * Histograms of two features at once. A processor writes one place a cycle, so a row's sum goes to the bucket of both codes
 * together, 64 x 64 buckets of 64 bits that stay in the first-level cache, and their margins are the two histograms. Codes
 * of a pair must lie one behind the other: they do in columns; those of a leaf's rows are transposed, a tile at a time.
 */
#include "backend/cpu/gbt_cpu.h"

#include <string.h>

#if defined(CSM_BUILD_AVX512)
#include <immintrin.h>
#endif

#define SLOTS CSM_GBT_SLOTS_FEW
#define TILE_ROWS 8192    /* of rows that are transposed: with their codes half of a second-level cache */
#define COLUMN_ROWS 32768 /* of rows that lie in columns */
#define PART_ROWS 512     /* pairs of codes made at a time from columns */
#define LINE 64           /* codes of a cache line */
#define LINE_PAIRS (LINE / 2)
#define PITCH (TILE_ROWS + 32) /* not a power of two: columns would share the sets of a cache */
#define FETCH_AHEAD 64
/* Rows so far apart are added in turn: neighbouring hours have the same codes, and would wait for each other's sum. */
#define PLACES 4

/* What csm_gbt_rows.scratch holds. */
typedef struct joint {
    uint64_t table[SLOTS * SLOTS]; /* zero between uses; the second feature's code is the row */
    union {
        uint64_t column_value[COLUMN_ROWS];
        struct {
            uint64_t value[TILE_ROWS];
            uint16_t pair[LINE_PAIRS][PITCH];
        } tile;
    } u;
} joint;

_Static_assert(sizeof(joint) <= CSM_GBT_SCRATCH, "scratch");

static inline uint64_t widened(uint32_t quantum, uint32_t shift) {
    const int64_t gradient = (int32_t)quantum >> shift;
    return ((uint64_t)gradient << CSM_GBT_WIDE_SHIFT) + (quantum & ((UINT32_C(1) << shift) - 1));
}

/* Four codes come by one load: reads and writes share a processor's address units. */
static inline __attribute__((always_inline)) void
add_four(uint64_t *restrict table, const uint16_t *restrict pair, const uint64_t *restrict value) {
    uint64_t pairs;
    memcpy(&pairs, pair, sizeof pairs);
    table[pairs & 0xffff] += value[0];
    table[pairs >> 16 & 0xffff] += value[1];
    table[pairs >> 32 & 0xffff] += value[2];
    table[pairs >> 48] += value[3];
}

static inline __attribute__((always_inline)) void add_values(uint64_t *restrict table,
                                                             const uint16_t *restrict pair,
                                                             const uint64_t *restrict value, size_t n) {
    const size_t step = n / (4 * PLACES) * 4;
    for (size_t i = 0; i < step; i += 4) {
        for (size_t p = 0; p < PLACES; p++) add_four(table, pair + p * step + i, value + p * step + i);
    }
    for (size_t i = PLACES * step; i < n; i++) table[pair[i]] += value[i];
}

/* Margins of the table to the two features' buckets; the table is zero again. second NULL: there is but one. */
static void add_margins(uint64_t *restrict first, uint64_t *restrict second, uint64_t *restrict table) {
    uint64_t sum[SLOTS] = {0};
    for (size_t b = 0; b < SLOTS; b++) {
        uint64_t *row = table + b * SLOTS, total = 0;
        for (size_t a = 0; a < SLOTS; a++) {
            sum[a] += row[a];
            total += row[a];
            row[a] = 0;
        }
        if (second) second[b] += total;
    }
    for (size_t a = 0; a < SLOTS; a++) first[a] += sum[a];
}

/* ---- columns ---- */

static void pair_codes(uint16_t *restrict pair, const uint8_t *restrict first, const uint8_t *restrict second,
                       size_t n) {
    for (size_t i = 0; i < n; i++) pair[i] = (uint16_t)(first[i] | second[i] * SLOTS);
}

void GBT_SUM_COLUMNS(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum) {
    joint *scratch = rows->scratch;
    uint16_t pair[PART_ROWS];
    for (size_t begin = 0; begin < rows->count; begin += COLUMN_ROWS) {
        const size_t n = rows->count - begin < COLUMN_ROWS ? rows->count - begin : COLUMN_ROWS;
        const size_t row = rows->first + begin;
        uint64_t *value = scratch->u.column_value;
        for (size_t i = 0; i < n; i++) value[i] = quantum ? widened(quantum[row + i], rows->narrow_shift) : 1;
        for (size_t j = 0; j < rows->features; j += 2) {
            const bool both = j + 1 < rows->features;
            const uint32_t a = rows->feature[j], b = rows->feature[both ? j + 1 : j];
            const uint8_t *first = rows->column + a * rows->column_rows + row;
            const uint8_t *second = rows->column + b * rows->column_rows + row;
            for (size_t at = 0; at < n; at += PART_ROWS) {
                const size_t part = n - at < PART_ROWS ? n - at : PART_ROWS;
                pair_codes(pair, first + at, second + at, part);
                add_values(scratch->table, pair, value + at, part);
            }
            add_margins(wide + (size_t)a * SLOTS, both ? wide + (size_t)b * SLOTS : NULL, scratch->table);
        }
    }
}

/* ---- rows of a leaf ---- */

#if defined(CSM_BUILD_AVX512)
static inline const uint8_t *codes_of(const csm_gbt_rows *rows, size_t i) {
    return rows->code + (rows->row ? rows->row[i] : rows->first + i) * rows->stride;
}

/* Unpacks pairs of neighbours in each run of 2 * width vectors: one step of a transposition within 128-bit lanes. */
#define UNPACK(to, from, width, low, high)                                                                   \
    for (size_t i = 0; i < 32; i += 2 * (width)) {                                                           \
        for (size_t k = 0; k < (width); k++) {                                                               \
            (to)[i + 2 * k] = low((from)[i + k], (from)[i + (width) + k]);                                   \
            (to)[i + 2 * k + 1] = high((from)[i + k], (from)[i + (width) + k]);                              \
        }                                                                                                    \
    }

/* 64 codes of 32 rows each -> 32 columns of 32 pairs. The last column has one code when `codes` is odd. */
static inline void transpose(uint16_t (*pair)[PITCH], size_t at, const uint8_t *const *row, size_t codes) {
    const __mmask64 mask = codes < LINE ? (UINT64_C(1) << codes) - 1 : UINT64_MAX;
    const __m512i low = _mm512_set1_epi16(SLOTS - 1), high = _mm512_set1_epi16((SLOTS - 1) * SLOTS);
    __m512i a[32], b[32];
    for (size_t i = 0; i < 32; i++) {
        const __m512i codes_of_row = _mm512_maskz_loadu_epi8(mask, row[i]);
        a[i] = _mm512_or_si512(_mm512_and_si512(codes_of_row, low),
                               _mm512_and_si512(_mm512_srli_epi16(codes_of_row, 2), high));
    }
    UNPACK(b, a, 1, _mm512_unpacklo_epi16, _mm512_unpackhi_epi16)
    UNPACK(a, b, 2, _mm512_unpacklo_epi32, _mm512_unpackhi_epi32)
    UNPACK(b, a, 4, _mm512_unpacklo_epi64, _mm512_unpackhi_epi64)
    /* b[8 i + j], lane l: column 8 l + j of rows 8 i to 8 i + 7 */
    for (size_t j = 0; j < 8; j++) {
        const __m512i p = _mm512_shuffle_i64x2(b[j], b[8 + j], 0x44);
        const __m512i q = _mm512_shuffle_i64x2(b[16 + j], b[24 + j], 0x44);
        const __m512i r = _mm512_shuffle_i64x2(b[j], b[8 + j], 0xee);
        const __m512i s = _mm512_shuffle_i64x2(b[16 + j], b[24 + j], 0xee);
        _mm512_storeu_si512(pair[j] + at, _mm512_shuffle_i64x2(p, q, 0x88));
        _mm512_storeu_si512(pair[8 + j] + at, _mm512_shuffle_i64x2(p, q, 0xdd));
        _mm512_storeu_si512(pair[16 + j] + at, _mm512_shuffle_i64x2(r, s, 0x88));
        _mm512_storeu_si512(pair[24 + j] + at, _mm512_shuffle_i64x2(r, s, 0xdd));
    }
}

/* A cache line of codes of rows [begin, begin + n) of the list. */
static void transpose_tile(joint *scratch, const csm_gbt_rows *rows, size_t begin, size_t n, size_t from,
                           size_t codes) {
    for (size_t i = 0; i < n; i += 32) {
        const uint8_t *row[32];
        for (size_t k = 0; k < 32; k++) row[k] = codes_of(rows, begin + (i + k < n ? i + k : n - 1)) + from;
        for (size_t k = 0; k < 32 && begin + i + k + FETCH_AHEAD < rows->count; k++)
            __builtin_prefetch(codes_of(rows, begin + i + k + FETCH_AHEAD) + from);
        transpose(scratch->u.tile.pair, i, row, codes);
    }
}

void GBT_SUM_TILES(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum) {
    joint *scratch = rows->scratch;
    const size_t first = rows->feature[0], tiles = (rows->count + TILE_ROWS - 1) / TILE_ROWS;
    uint64_t *value = scratch->u.tile.value;
    for (size_t t = 0; t < tiles; t++) {
        const size_t begin = rows->count * t / tiles, n = rows->count * (t + 1) / tiles - begin;
        for (size_t i = 0; i < n; i++) {
            const size_t row = rows->row ? rows->row[begin + i] : rows->first + begin + i;
            value[i] = quantum ? widened(quantum[row], rows->narrow_shift) : 1;
        }
        for (size_t at = 0; at < rows->features; at += LINE) {
            const size_t codes = rows->features - at < LINE ? rows->features - at : LINE;
            transpose_tile(scratch, rows, begin, n, first + at, codes);
            for (size_t j = 0; j < codes; j += 2) {
                uint64_t *to = wide + (first + at + j) * SLOTS;
                add_values(scratch->table, scratch->u.tile.pair[j / 2], value, n);
                add_margins(to, j + 1 < codes ? to + SLOTS : NULL, scratch->table);
            }
        }
    }
}
#endif
