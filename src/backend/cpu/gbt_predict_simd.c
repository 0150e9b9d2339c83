/* SPDX-License-Identifier: MIT */
#include "backend/gbt_predict.h"

#include <math.h>
#include <string.h>

#ifdef CSM_BUILD_AVX512
#include <immintrin.h>
#endif

/* Each instruction set has its own form, at another line: a name of its own keeps line counts by function apart. */
#define code_numbers CSM_ISA_SYMBOL(code_numbers)
#define sliced_tree CSM_ISA_SYMBOL(sliced_tree)

#define ZERO 1e-35F /* |x| up to it is zero to a column whose zeros are missing */

/* ---- bringing rows in ---- */

static uint32_t look_at(float x) {
    return x != x ? GBT_SAW_NAN : fabsf(x) > 3.402823466e+38F ? GBT_SAW_INFINITY : 0;
}

static uint32_t load_any(float *out, const csm_matrix *x, size_t row, size_t rows, size_t feature,
                         size_t features) {
    uint32_t saw = 0;
    for (size_t f = 0; f < features; f++) {
        float *column = out + f * GBT_BLOCK;
        ptrdiff_t at = (ptrdiff_t)row * x->row_stride + (ptrdiff_t)(feature + f) * x->col_stride;
        if (x->dtype == CSM_F64) {
            const double *from = (const double *)x->data + at;
            for (size_t r = 0; r < rows; r++) column[r] = (float)from[(ptrdiff_t)r * x->row_stride];
        } else {
            const float *from = (const float *)x->data + at;
            for (size_t r = 0; r < rows; r++) column[r] = from[(ptrdiff_t)r * x->row_stride];
        }
        for (size_t r = 0; r < rows; r++) saw |= look_at(column[r]);
        memset(column + rows, 0, (GBT_BLOCK - rows) * sizeof *column);
    }
    return saw;
}

#ifdef CSM_BUILD_AVX512

static inline __m512 load_row(const csm_matrix *x, size_t row, size_t feature, __mmask16 wanted) {
    ptrdiff_t at = (ptrdiff_t)row * x->row_stride + (ptrdiff_t)feature;
    if (x->dtype == CSM_F32) return _mm512_maskz_loadu_ps(wanted, (const float *)x->data + at);
    const double *from = (const double *)x->data + at;
    __m256 low = _mm512_cvtpd_ps(_mm512_maskz_loadu_pd((__mmask8)wanted, from));
    __m256 high = _mm512_cvtpd_ps(_mm512_maskz_loadu_pd((__mmask8)(wanted >> 8), from + 8));
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
}

/* 16 x 16 floats, rows to columns; stores row i of the result at out + i * GBT_BLOCK. */
static inline void transpose_store(float *out, __m512 r[16], size_t features) {
    __m512 t[16], u[16];
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
        u[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        u[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
        u[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        u[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4;
         i++) { /* u[i + 4 k] holds columns i, i + 4, i + 8, i + 12 of rows 4 k .. 4 k + 3 */
        __m512 a = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88), b = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xDD);
        __m512 c = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88);
        __m512 d = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xDD);
        r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xDD);
        r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xDD);
    }
    for (size_t f = 0; f < 16; f++) {
        if (f < features) _mm512_storeu_ps(out + f * GBT_BLOCK, r[f]);
    }
}

static uint32_t load_rows(float *out, const csm_matrix *x, size_t row, size_t rows, size_t feature,
                          size_t features) {
    __mmask16 wanted = (__mmask16)((1u << features) - 1), nan = 0, infinite = 0;
    for (size_t first = 0; first < GBT_BLOCK; first += 16) {
        __m512 r[16];
        for (size_t i = 0; i < 16; i++) {
            r[i] = first + i < rows ? load_row(x, row + first + i, feature, wanted) : _mm512_setzero_ps();
            nan |= _mm512_fpclass_ps_mask(r[i], 0x81);
            infinite |= _mm512_fpclass_ps_mask(r[i], 0x18);
        }
        transpose_store(out + first, r, features);
    }
    return (nan ? GBT_SAW_NAN : 0) | (infinite ? GBT_SAW_INFINITY : 0);
}

#endif

uint32_t CSM_ISA_SYMBOL(csm_gbt_load)(float *out, const csm_matrix *x, size_t row, size_t rows,
                                      size_t feature) {
    size_t features = x->cols - feature < GBT_TILE ? x->cols - feature : GBT_TILE;
#ifdef CSM_BUILD_AVX512
    if (x->col_stride == 1) return load_rows(out, x, row, rows, feature, features);
#endif
    return load_any(out, x, row, rows, feature, features);
}

/* ---- coding ---- */

static void code_categories(uint8_t *code, const float *x, const gbt_column *column) {
    for (size_t i = 0; i < GBT_BLOCK; i++)
        code[i] = x[i] != x[i] ? column->missing_code : !gbt_set_holds(column->set, x[i]);
}

#ifdef CSM_BUILD_AVX512

/* The entry of one level of the search tree, `at` counted within the level. */
static inline __attribute__((always_inline)) __m512 pick(const __m512 *table, int level, __m512i at) {
    if (level == 0) return table[0];
    if (level < 5) return _mm512_permutexvar_ps(at, table[0]);
    __m512 a = _mm512_permutex2var_ps(table[0], at, table[1]);
    if (level == 5) return a;
    __mmask16 bit5 = _mm512_test_epi32_mask(at, _mm512_set1_epi32(32));
    a = _mm512_mask_blend_ps(bit5, a, _mm512_permutex2var_ps(table[2], at, table[3]));
    if (level == 6) return a;
    __m512 b = _mm512_permutex2var_ps(table[4], at, table[5]);
    b = _mm512_mask_blend_ps(bit5, b, _mm512_permutex2var_ps(table[6], at, table[7]));
    return _mm512_mask_blend_ps(_mm512_test_epi32_mask(at, _mm512_set1_epi32(64)), a, b);
}

static inline __attribute__((always_inline)) void code_levels(uint8_t *code, const float *x,
                                                              const gbt_column *column, int levels) {
    static const int tables[8] = {1, 1, 1, 1, 1, 2, 4, 8};
    __m512 table[19];
    __m512i missing_code = _mm512_set1_epi32(column->missing_code);
    __m512 zero = _mm512_set1_ps(column->zero_is_missing ? ZERO : -1.0F);
    for (int level = 0, at = 0; level < levels; level++) {
        const float *from = column->edge + ((size_t)1 << level) - 1;
        if (level == 0) table[at++] = _mm512_set1_ps(*from);
        for (int k = 0; level > 0 && k < tables[level]; k++) table[at++] = _mm512_loadu_ps(from + 16 * k);
    }
    for (size_t i = 0; i < GBT_BLOCK; i += 16) {
        __m512 value = _mm512_loadu_ps(x + i);
        __m512i rank = _mm512_setzero_si512();
        for (int level = 0, at = 0; level < levels; at += tables[level++]) {
            __mmask16 above = _mm512_cmp_ps_mask(value, pick(table + at, level, rank), _CMP_GT_OQ);
            rank = _mm512_add_epi32(rank, rank);
            rank = _mm512_mask_sub_epi32(rank, above, rank, _mm512_set1_epi32(-1));
        }
        __mmask16 missing = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q) |
                            _mm512_cmp_ps_mask(_mm512_abs_ps(value), zero, _CMP_LE_OQ);
        rank = _mm512_mask_mov_epi32(rank, missing, missing_code);
        _mm_storeu_si128((__m128i *)(code + i), _mm512_cvtepi32_epi8(rank));
    }
}

static void code_numbers(uint8_t *code, const float *x, const gbt_column *column) {
    switch (column->levels) {
    case 5:
        code_levels(code, x, column, 5);
        break;
    case 6:
        code_levels(code, x, column, 6);
        break;
    case 7:
        code_levels(code, x, column, 7);
        break;
    default:
        code_levels(code, x, column, 8);
        break;
    }
}

#else

static void code_numbers(uint8_t *code, const float *x, const gbt_column *column) {
    const float *edge = column->edge;
    uint32_t first = (1u << column->levels) - 1;
    float zero = column->zero_is_missing ? ZERO : -1.0F;
    for (size_t begin = 0; begin < GBT_BLOCK; begin += GBT_SLICE) {
        uint32_t at[GBT_SLICE] = {0};
        const float *value = x + begin;
        for (uint32_t level = 0; level < column->levels; level++) {
            for (size_t i = 0; i < GBT_SLICE; i++) at[i] = 2 * at[i] + 1 + (value[i] > edge[at[i]]);
        }
        for (size_t i = 0; i < GBT_SLICE; i++) {
            bool missing = value[i] != value[i] || fabsf(value[i]) <= zero;
            code[begin + i] = (uint8_t)(missing ? column->missing_code : at[i] - first);
        }
    }
}

#endif

void CSM_ISA_SYMBOL(csm_gbt_code)(uint8_t *code, const float *x, const gbt_column *column) {
    if (column->set)
        code_categories(code, x, column);
    else
        code_numbers(code, x, column);
}

/* ---- trees ---- */

/* Leaf numbers of GBT_BLOCK rows by walking each; for trees of very many leaves. */
static void walk_rows(uint32_t *leaf, const gbt_flat_tree *tree, const uint8_t *code) {
    for (size_t i = 0; i < GBT_BLOCK; i++) {
        const gbt_walk_node *node = tree->walk + tree->root;
        while (tree->walk + node->left != node)
            node = tree->walk + node->left + (code[(size_t)node->column * GBT_BLOCK + i] > node->bin);
        leaf[i] = node->bin;
    }
}

static void add_leaves(double *sum, const double *value, const uint32_t *leaf) {
    for (size_t i = 0; i < GBT_BLOCK; i++) sum[i] += value[leaf[i]];
}

#ifdef CSM_BUILD_AVX512

/* Leaf numbers, low and high bytes of GBT_BLOCK rows; the high ones only when `wide`. */
static inline __attribute__((always_inline)) void slice(__m512i low[4], __m512i high[4],
                                                        const gbt_flat_tree *tree, const uint8_t *code,
                                                        uint64_t *mask, bool wide) {
    for (int k = 0; k < 4; k++) {
        low[k] = high[k] = _mm512_setzero_si512();
        mask[k] = ~(uint64_t)0;
    }
    for (uint32_t n = 0; n < tree->node_count; n++) {
        const gbt_sliced_node *node = &tree->node[n];
        const uint8_t *column = code + (size_t)node->column * GBT_BLOCK;
        const uint64_t *here = mask + 4 * (size_t)node->mask;
        uint64_t *left = mask + 4 * (2 * (size_t)n + 1), *right = left + 4;
        __m512i bin = _mm512_set1_epi8((char)node->bin), id = _mm512_set1_epi8((char)node->leaf);
        __m512i id_high = _mm512_set1_epi8((char)(node->leaf >> 8));
        for (int k = 0; k < 4; k++) {
            __mmask64 rows = _load_mask64((__mmask64 *)(uintptr_t)(here + k));
            __mmask64 above =
                _mm512_mask_cmpgt_epu8_mask(rows, _mm512_loadu_si512(column + 64 * (size_t)k), bin);
            _store_mask64((__mmask64 *)(left + k), _kandn_mask64(above, rows));
            _store_mask64((__mmask64 *)(right + k), above);
            low[k] = _mm512_mask_mov_epi8(low[k], above, id);
            if (wide) high[k] = _mm512_mask_mov_epi8(high[k], above, id_high);
        }
    }
}

/* Values of 16 rows from a table of 64, as two halves of 32 bits. */
static inline __attribute__((always_inline)) __m512i pick_half(const __m512i table[4], __m512i id,
                                                               __mmask16 upper) {
    return _mm512_mask_blend_epi32(upper, _mm512_permutex2var_epi32(table[0], id, table[1]),
                                   _mm512_permutex2var_epi32(table[2], id, table[3]));
}

static void add_few(double *sum, const gbt_flat_tree *tree, const __m512i low[4]) {
    const __m512i first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    __m512i words[8];
    for (int k = 0; k < 8; k++) words[k] = _mm512_loadu_si512(tree->halves + 16 * k);
    for (int k = 0; k < 4; k++) {
        const __m128i quarter[4] = {
            _mm512_extracti32x4_epi32(low[k], 0), _mm512_extracti32x4_epi32(low[k], 1),
            _mm512_extracti32x4_epi32(low[k], 2), _mm512_extracti32x4_epi32(low[k], 3)};
        for (int q = 0; q < 4; q++) {
            double *to = sum + 64 * k + 16 * q;
            __m512i id = _mm512_cvtepu8_epi32(quarter[q]);
            __mmask16 upper = _mm512_test_epi32_mask(id, _mm512_set1_epi32(32));
            __m512i l = pick_half(words, id, upper), h = pick_half(words + 4, id, upper);
            __m512d a = _mm512_castsi512_pd(_mm512_permutex2var_epi32(l, first, h));
            __m512d b = _mm512_castsi512_pd(_mm512_permutex2var_epi32(l, second, h));
            _mm512_storeu_pd(to, _mm512_add_pd(_mm512_loadu_pd(to), a));
            _mm512_storeu_pd(to + 8, _mm512_add_pd(_mm512_loadu_pd(to + 8), b));
        }
    }
}

static void spread(uint32_t *leaf, const __m512i low[4], const __m512i high[4]) {
    uint8_t bytes[2][GBT_BLOCK];
    for (int k = 0; k < 4; k++) {
        _mm512_storeu_si512(bytes[0] + 64 * k, low[k]);
        _mm512_storeu_si512(bytes[1] + 64 * k, high[k]);
    }
    for (size_t i = 0; i < GBT_BLOCK; i++) leaf[i] = bytes[0][i] | (uint32_t)bytes[1][i] << 8;
}

static void sliced_tree(double *sum, uint32_t *leaf, const gbt_flat_tree *tree, const uint8_t *code,
                        void *mask) {
    __m512i low[4], high[4];
    uint32_t numbers[GBT_BLOCK];
    if (tree->leaves <= 256)
        slice(low, high, tree, code, mask, false);
    else
        slice(low, high, tree, code, mask, true);
    if (!leaf && tree->halves) {
        add_few(sum, tree, low);
        return;
    }
    spread(leaf ? leaf : numbers, low, high);
    if (!leaf) add_leaves(sum, tree->value, numbers);
}

#else

static void sliced_tree(double *sum, uint32_t *leaf, const gbt_flat_tree *tree, const uint8_t *code,
                        void *scratch) {
    uint8_t *mask = scratch;
    for (size_t begin = 0; begin < GBT_BLOCK; begin += GBT_SLICE) {
        uint8_t low[GBT_SLICE] = {0}, high[GBT_SLICE] = {0};
        memset(mask, 0xFF, GBT_SLICE);
        for (uint32_t n = 0; n < tree->node_count; n++) {
            const gbt_sliced_node *node = &tree->node[n];
            const uint8_t *restrict column = code + (size_t)node->column * GBT_BLOCK + begin;
            const uint8_t *restrict here = mask + GBT_SLICE * (size_t)node->mask;
            uint8_t *restrict left = mask + GBT_SLICE * (2 * (size_t)n + 1), *restrict right =
                                                                                 left + GBT_SLICE;
            uint8_t bin = (uint8_t)node->bin, id = (uint8_t)node->leaf;
            for (size_t i = 0; i < GBT_SLICE; i++) {
                uint8_t above = (uint8_t)(here[i] & (column[i] > bin ? 0xFF : 0));
                right[i] = above;
                left[i] = here[i] & (uint8_t)~above;
                low[i] = (uint8_t)((low[i] & (uint8_t)~above) | (id & above));
            }
            if (tree->leaves <= 256) continue;
            id = (uint8_t)(node->leaf >> 8);
            for (size_t i = 0; i < GBT_SLICE; i++)
                high[i] = (uint8_t)((high[i] & (uint8_t)~right[i]) | (id & right[i]));
        }
        for (size_t i = 0; i < GBT_SLICE; i++) {
            uint32_t number = low[i] | (uint32_t)high[i] << 8;
            if (leaf)
                leaf[begin + i] = number;
            else
                sum[begin + i] += tree->value[number];
        }
    }
}

#endif

void CSM_ISA_SYMBOL(csm_gbt_tree)(double *sum, uint32_t *leaf, const gbt_flat_tree *tree, const uint8_t *code,
                                  void *mask) {
    uint32_t numbers[GBT_BLOCK];
    if (tree->node) {
        sliced_tree(sum, leaf, tree, code, mask);
        return;
    }
    walk_rows(leaf ? leaf : numbers, tree, code);
    if (!leaf) add_leaves(sum, tree->value, numbers);
}
