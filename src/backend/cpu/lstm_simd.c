/* SPDX-License-Identifier: MIT */
/* The kernels of lstm_kernels.h for one instruction set. Tiles live in registers: TILE_ROWS rows of TILE_VECTORS vectors. */
#include "backend/cpu/lstm_kernels.h"

#include "backend/cpu/lstm_lanes.h"
#include "backend/lstm_cell.h"

#include <stdbool.h>

#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define OWN_FUNCTION __attribute__((noinline))
#define UNROLL _Pragma("GCC unroll 16")
#define DEPTH_BLOCK                                                                                          \
    64 /* rows of an outer product between two loads and stores of its tile; measured: 32 to 256 */
#define OUTER_ROWS 16 /* columns of a that stand side by side */
#define PAGE_FLOATS 1024
#define OUTER_COLUMNS 256 /* packed at a time: 64 KB */

/* acc (rows, vectors) += a (rows, depth) w; vector v of a packed row stands at w + v * apart. rows and vectors are constants
 * where this is called, so that acc lives in registers. */
ALWAYS_INLINE void add_terms(lanes acc[TILE_ROWS][4], size_t rows, size_t vectors, const float *a,
                             size_t stride, size_t depth, const float *w, size_t apart) {
    for (size_t k = 0; k < depth; k++, w += LSTM_PANEL) {
        lanes weight[4];
        UNROLL for (size_t v = 0; v < vectors; v++) weight[v] = lanes_load(w + v * apart);
        UNROLL for (size_t r = 0; r < rows; r++) {
            const lanes value = lanes_all(a[r * stride + k]);
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_fma(value, weight[v], acc[r][v]);
        }
    }
}

/* ---- one step of the cells ---- */

/* The 16 units of block j in one row: gates hold z, and then the gates. */
ALWAYS_INLINE void advance_cells(float *restrict gates, const float *before, float *cell,
                                 float *restrict hidden) {
    /* by whole vectors: a load of two shorter stores would wait until they have left the store buffer */
    _Alignas(64) float c[LSTM_UNITS];
    for (size_t u = 0; u < LSTM_UNITS; u += LANES)
        lanes_store(c + u, before ? lanes_load(before + u) : lanes_all(0));
    for (size_t u = 0; u < LSTM_UNITS; u++)
        hidden[u] = lstm_cell_forward(&gates[u], &gates[16 + u], &gates[32 + u], &gates[48 + u], &c[u]);
    for (size_t u = 0; u < LSTM_UNITS; u += LANES) lanes_store(cell + u, lanes_load(c + u));
}

/* z of `rows` rows and one block: start and terms. */
ALWAYS_INLINE void gate_tile(const lstm_advance *s, size_t row, size_t rows, size_t block, float *gates,
                             size_t stride) {
    const size_t at = block * LSTM_PANEL;
    for (size_t part = 0; part < LSTM_UNITS; part += LANES) {
        lanes acc[TILE_ROWS][4];
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t q = 0; q < 4; q++) acc[r][q] =
                lanes_load(s->start[row + r] + at + q * 16 + part);
        }
        for (size_t t = 0; t < s->terms; t++)
            add_terms(acc, rows, 4, s->a[t] + row * s->stride[t], s->stride[t], s->depth[t],
                      s->w[t] + at * s->depth[t] + part, 16);
        UNROLL for (size_t r = 0; r < rows; r++) {
            UNROLL for (size_t q = 0; q < 4; q++) lanes_store(gates + r * stride + q * 16 + part, acc[r][q]);
        }
    }
}

/* A function for each number of rows: inlined into one, they would share registers and spill. */
static OWN_FUNCTION void gate_tile_full(const lstm_advance *s, size_t row, size_t block, float *gates,
                                        size_t stride) {
    gate_tile(s, row, GATE_ROWS, block, gates, stride);
}

static OWN_FUNCTION void gate_tile_2(const lstm_advance *s, size_t row, size_t block, float *gates,
                                     size_t stride) {
    gate_tile(s, row, 2, block, gates, stride);
}

static OWN_FUNCTION void gate_tile_1(const lstm_advance *s, size_t row, size_t block, float *gates,
                                     size_t stride) {
    gate_tile(s, row, 1, block, gates, stride);
}

static void advance_tile(const lstm_advance *s, size_t row, size_t rows, size_t block) {
    const size_t at = block * LSTM_PANEL, unit = block * LSTM_UNITS, width = s->blocks * LSTM_UNITS;
    _Alignas(64) float scratch[GATE_ROWS * LSTM_PANEL];
    float *const gates = s->gates ? s->gates + row * 4 * width + at : scratch;
    const size_t stride = s->gates ? 4 * width : LSTM_PANEL;
    if (rows == GATE_ROWS) {
        gate_tile_full(s, row, block, gates, stride);
    } else if (rows == 2) {
        gate_tile_2(s, row, block, gates, stride);
    } else {
        gate_tile_1(s, row, block, gates, stride);
    }
    for (size_t r = 0; r < rows; r++) {
        const size_t place = (row + r) * width + unit;
        advance_cells(gates + r * stride, s->before ? s->before + place : NULL, s->cell + place,
                      s->hidden + place);
    }
}

static void advance(const lstm_advance *s) {
    for (size_t block = 0; block < s->blocks; block++) {
        for (size_t row = 0; row < s->rows;) {
            const size_t left = s->rows - row, rows = left >= GATE_ROWS ? GATE_ROWS : left >= 2 ? 2 : 1;
            advance_tile(s, row, rows, block);
            row += rows;
        }
    }
}

/* ---- products with packed weights ---- */

ALWAYS_INLINE void product_tile(const lstm_product *p, size_t row, size_t rows, size_t col, size_t vectors) {
    lanes acc[TILE_ROWS][4];
    UNROLL for (size_t r = 0; r < rows; r++) {
        const float *start = p->start + (row + r) * p->start_stride + col;
        UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_load(start + v * LANES);
    }
    add_terms(acc, rows, vectors, p->a + row * p->stride, p->stride, p->depth,
              p->w + col / LSTM_PANEL * LSTM_PANEL * p->depth + col % LSTM_PANEL, LANES);
    UNROLL for (size_t r = 0; r < rows; r++) {
        float *c = p->c + (row + r) * p->c_stride + col;
        UNROLL for (size_t v = 0; v < vectors; v++) lanes_store(c + v * LANES, acc[r][v]);
    }
}

static OWN_FUNCTION void product_tile_full(const lstm_product *p, size_t row, size_t col) {
    product_tile(p, row, TILE_ROWS, col, TILE_VECTORS);
}

static OWN_FUNCTION void product_tile_row(const lstm_product *p, size_t row, size_t col) {
    product_tile(p, row, 1, col, TILE_VECTORS);
}

static OWN_FUNCTION void product_tile_16(const lstm_product *p, size_t row, size_t col) {
    product_tile(p, row, TILE_ROWS, col, 16 / LANES);
}

static OWN_FUNCTION void product_tile_row_16(const lstm_product *p, size_t row, size_t col) {
    product_tile(p, row, 1, col, 16 / LANES);
}

static void product(const lstm_product *p) {
    const size_t wide = TILE_VECTORS * LANES;
    for (size_t col = 0; col < p->cols; col += p->cols - col >= wide ? wide : 16) {
        const bool full = p->cols - col >= wide;
        size_t row = 0;
        for (; row + TILE_ROWS <= p->rows; row += TILE_ROWS)
            (full ? product_tile_full : product_tile_16)(p, row, col);
        for (; row < p->rows; row++) (full ? product_tile_row : product_tile_row_16)(p, row, col);
    }
}

/* ---- outer products: rows are the depth ---- */

/* A block of a: row k of column group g (OUTER_ROWS of them) stands at at + g * apart + k * stride. */
typedef struct outer_columns {
    const float *at;
    size_t stride, apart;
} outer_columns;

/* Columns m.. of c's rows: a's numbers of row k stand at a + k * stride. rows x vectors of c stay in registers. */
ALWAYS_INLINE void outer_tile(const lstm_outer_term *o, const float *a, size_t stride, const float *b,
                              size_t depth, size_t m, size_t n, size_t rows, size_t vectors) {
    lanes acc[16][4];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] =
            lanes_load(o->c + (m + r) * o->cols + n + v * LANES);
    }
    for (size_t k = 0; k < depth; k++, a += stride, b += o->b_stride) {
        lanes value[4];
        UNROLL for (size_t v = 0; v < vectors; v++) value[v] = lanes_load(b + v * LANES);
        UNROLL for (size_t r = 0; r < rows; r++) {
            const lanes scale = lanes_all(a[r]);
            UNROLL for (size_t v = 0; v < vectors; v++) acc[r][v] = lanes_fma(scale, value[v], acc[r][v]);
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++)
            lanes_store(o->c + (m + r) * o->cols + n + v * LANES, acc[r][v]);
    }
}

static OWN_FUNCTION void outer_tile_full(const lstm_outer_term *o, const float *a, size_t stride,
                                         const float *b, size_t depth, size_t m, size_t n) {
    for (size_t r = 0; r < OUTER_ROWS; r += 4)
        outer_tile(o, a + r, stride, b, depth, m + r, n, 4, TILE_VECTORS);
}

/* The last 16 columns: more rows at once, or each sum would wait for its last addition. */
static OWN_FUNCTION void outer_tile_16(const lstm_outer_term *o, const float *a, size_t stride,
                                       const float *b, size_t depth, size_t m, size_t n) {
    for (size_t r = 0; r < OUTER_ROWS; r += EDGE_ROWS)
        outer_tile(o, a + r, stride, b, depth, m + r, n, EDGE_ROWS, 16 / LANES);
}

/* Rows [from, to) of a, columns [m, m + count). Where rows are a page and more apart, a column's numbers push each other out
 * of the cache, and are packed as [group][k][OUTER_ROWS]. */
static outer_columns take_columns(float *restrict packed, const lstm_outer *o, size_t from, size_t to,
                                  size_t m, size_t count) {
    const size_t depth = to - from;
    if (o->a_stride < PAGE_FLOATS)
        return (outer_columns){o->a + from * o->a_stride + m, o->a_stride, OUTER_ROWS};
    for (size_t k = 0; k < depth; k++) {
        const float *a = o->a + (from + k) * o->a_stride + m;
        for (size_t group = 0; group < count; group += OUTER_ROWS) {
            float *place = packed + group * depth + k * OUTER_ROWS;
            for (size_t r = 0; r < OUTER_ROWS; r += LANES) lanes_store(place + r, lanes_load(a + group + r));
        }
    }
    return (outer_columns){packed, OUTER_ROWS, OUTER_ROWS * depth};
}

/* Rows [from, to) of a, from column m on, into one gradient. */
static void outer_block(const lstm_outer_term *o, outer_columns a, size_t from, size_t to, size_t m,
                        size_t count) {
    const size_t wide = TILE_VECTORS * LANES, begin = from < o->skip ? o->skip : from;
    if (begin >= to) return;
    const float *b = o->b + (begin - o->skip) * o->b_stride;
    for (size_t n = 0; n < o->cols; n += o->cols - n >= wide ? wide : 16) {
        const bool full = o->cols - n >= wide;
        for (size_t group = 0; group < count; group += OUTER_ROWS) {
            const float *at = a.at + group / OUTER_ROWS * a.apart + (begin - from) * a.stride;
            (full ? outer_tile_full : outer_tile_16)(o, at, a.stride, b + n, to - begin, m + group, n);
        }
    }
}

static void outer(const lstm_outer *o) {
    _Alignas(64) float packed[DEPTH_BLOCK * OUTER_COLUMNS];
    for (size_t from = 0; from < o->depth; from += DEPTH_BLOCK) {
        const size_t to = o->depth - from > DEPTH_BLOCK ? from + DEPTH_BLOCK : o->depth;
        for (size_t m = o->first; m < o->last; m += OUTER_COLUMNS) {
            const size_t count = o->last - m < OUTER_COLUMNS ? o->last - m : OUTER_COLUMNS;
            const outer_columns a = take_columns(packed, o, from, to, m, count);
            for (size_t t = 0; t < o->terms; t++) outer_block(&o->term[t], a, from, to, m, count);
        }
    }
}

/* ---- backward through the cells ---- */

static void retreat(const lstm_retreat *s) {
    static const float zero[LSTM_UNITS] = {0};
    const size_t width = s->blocks * LSTM_UNITS;
    for (size_t place = 0; place < s->rows * width; place += LSTM_UNITS) {
        float *restrict gates =
            s->gates + 4 * place; /* a row's blocks of 64 stand in the order of its units */
        const float *cell = s->cell + place, *before = s->before ? s->before + place : zero,
                    *d = s->d + place;
        float *restrict d_cell = s->d_cell + place;
        for (size_t u = 0; u < LSTM_UNITS; u++)
            lstm_cell_backward(&gates[u], &gates[16 + u], &gates[32 + u], &gates[48 + u], cell[u], before[u],
                               d[u], &d_cell[u]);
    }
}

static void add(float *restrict to, const float *restrict from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] += from[i];
}

const lstm_kernels *CSM_ISA_SYMBOL(lstm_kernels)(void) {
    static const lstm_kernels kernels = {advance, product, outer, retreat, add};
    return &kernels;
}
