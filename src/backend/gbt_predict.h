/* SPDX-License-Identifier: MIT */
/*
 * Trees over blocks of rows, bit-sliced: a node compares one byte of 64 rows at once, the mask of the rows that came to
 * it flows on to its children, and a row's leaf is the first leaf of the last right side it entered (leaves numbered
 * from left to right). The cost follows the number of nodes, not the depth, and no branch depends on a value.
 */
#ifndef CSM_BACKEND_GBT_PREDICT_H
#define CSM_BACKEND_GBT_PREDICT_H

#include "backend/isa.h"

#include <stdbool.h>

#define GBT_BLOCK 256          /* rows coded at a time */
#define GBT_SLICE 64           /* rows of one mask */
#define GBT_TILE 16            /* features brought in at a time */
#define GBT_COLUMN_EDGES 255   /* thresholds of one column: codes are 0..255 */
#define GBT_SLICED_LEAVES 1024 /* larger trees are walked row by row */
#define GBT_MASK_BYTES ((size_t)GBT_SLICE * 2 * GBT_SLICED_LEAVES)

/* One byte a row. A feature whose nodes treat missing values differently, or with more than 255 thresholds, has several
 * columns; each set of categories is one, with code 0 inside the set and 1 outside. */
typedef struct gbt_column {
    uint32_t feature;
    uint32_t levels;     /* of the search: 5..8 */
    const float *edge;   /* 2^levels - 1 thresholds in level order, +inf where there are fewer */
    const uint32_t *set; /* word count, words; NULL: numeric */
    float missing_value; /* stands for a missing value in a walk on floats: -inf or 0 (left), +inf (right) */
    uint8_t missing_code;
    uint8_t zero_is_missing;
} gbt_column;

/* An inner node in breadth-first order: rows with code > bin go right. */
typedef struct gbt_sliced_node {
    uint32_t column;
    uint16_t mask; /* where its rows' mask stands: 0 all; 2n + 1 those left, 2n + 2 those right of node n */
    uint16_t leaf; /* first leaf of the right side */
    uint32_t bin;
} gbt_sliced_node;

/* A node of a walk: leaves stay where they are. */
typedef struct gbt_walk_node {
    float threshold; /* leaf: +inf */
    uint32_t column;
    uint32_t left; /* index within all trees' nodes; leaf: itself */
    uint32_t bin;  /* leaf: its number within the tree */
} gbt_walk_node;

typedef struct gbt_flat_tree {
    const gbt_sliced_node *node; /* NULL: walked */
    const gbt_walk_node *walk;   /* all trees' nodes */
    const double *value;         /* leaves */
    const uint32_t *halves;      /* up to 64 leaves: 64 low, then 64 high words of the values; else NULL */
    uint32_t root;               /* within walk */
    uint32_t node_count;
    uint32_t leaves;
} gbt_flat_tree;

/* What a kernel saw in x. */
enum { GBT_SAW_NAN = 1, GBT_SAW_INFINITY = 2 };

/* One kernel for each name and instruction set. All give the same bits.
 *   load: rows [row, row + rows) and features [feature, feature + GBT_TILE) as floats into out (GBT_TILE, GBT_BLOCK);
 *         rows beyond are 0. Returns what it saw.
 *   code: the codes of GBT_BLOCK values.
 *   tree: adds the tree's value to sum (GBT_BLOCK), or stores leaf numbers where leaf is not NULL. mask: scratch,
 *         GBT_MASK_BYTES, aligned to 64. code (columns, GBT_BLOCK) */
#define GBT_PREDICT_KERNELS(isa)                                                                             \
    uint32_t csm_gbt_load_##isa(float *out, const csm_matrix *x, size_t row, size_t rows, size_t feature);   \
    void csm_gbt_code_##isa(uint8_t *code, const float *x, const gbt_column *column);                        \
    void csm_gbt_tree_##isa(double *sum, uint32_t *leaf, const gbt_flat_tree *tree, const uint8_t *code,     \
                            void *mask);
GBT_PREDICT_KERNELS(scalar)
GBT_PREDICT_KERNELS(avx2)
GBT_PREDICT_KERNELS(avx512)

static inline bool gbt_set_holds(const uint32_t *set, float x) {
    if (!(x > -1 && x < (float)(1 << 24))) return false; /* NaN too */
    uint32_t category = (uint32_t)(int32_t)x, word = category / 32;
    return word < set[0] && (set[1 + word] >> category % 32 & 1);
}

#endif
