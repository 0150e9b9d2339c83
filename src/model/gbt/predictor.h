/* SPDX-License-Identifier: MIT */
/* An ensemble made ready for prediction: columns of codes, flat trees, and scratch memory for each thread. */
#ifndef CSM_MODEL_GBT_PREDICTOR_H
#define CSM_MODEL_GBT_PREDICTOR_H

#include "model/gbt/internal.h"

#include <string.h>

/* A node of a walk by one row. Keys order as their floats do, so that a step is five instructions. */
typedef struct gbt_step {
    uint32_t key; /* of the threshold; leaf: the greatest */
    uint16_t column;
    uint16_t left; /* how far behind the node its left child stands; leaf: 0 */
} gbt_step;

typedef struct gbt_plan {
    size_t features;
    uint32_t outputs;
    uint32_t missing;
    double *base;
    gbt_link *link;
    size_t trees;
    size_t column_count;
    gbt_column *column; /* by feature */
    uint32_t *column_feature;
    bool plain;         /* none has sets or takes zeros as missing */
    float *edge;        /* of all columns */
    uint32_t *category; /* the ensemble's sets */
    gbt_flat_tree *tree;
    uint32_t *root; /* of each tree, within walk */
    gbt_sliced_node *sliced;
    gbt_walk_node *walk;
    gbt_step *step;     /* as walk; NULL where 16 bits do not do */
    double *node_value; /* as walk: values of leaves */
    uint32_t any_leaf;  /* of walk */
    double *value;      /* of leaves, tree after tree */
    uint32_t *halves;   /* gbt_flat_tree.halves of all trees that have them */
} gbt_plan;

/* The first `trees` trees of an ensemble. The plan keeps nothing of the ensemble. */
csm_status gbt_plan_new(gbt_plan **out, const gbt_ensemble *ensemble, size_t trees);
void gbt_plan_free(gbt_plan *plan);

/* ---- columns (predictor_columns.c) ---- */

/* Where a node's comparison takes place: column, and code > bin goes right. */
typedef struct gbt_place {
    uint32_t column;
    uint32_t bin;
} gbt_place;

/* Fills plan->column, edge and category, and place[n] of each inner node of the first `node_count`. */
csm_status gbt_plan_columns(gbt_plan *plan, gbt_place *place, const gbt_ensemble *ensemble,
                            size_t node_count);

/* ---- running ---- */

typedef enum gbt_result { GBT_RESULT_RAW = 0, GBT_RESULT_RESPONSE = 1, GBT_RESULT_LEAF = 2 } gbt_result;

typedef struct gbt_run {
    const gbt_plan *plan;
    gbt_result result;
    size_t stage; /* trees between two stages, a multiple of outputs; 0: one stage, the end */
    csm_isa isa;
} gbt_run;

/* Columns of a result. */
size_t gbt_run_columns(const gbt_run *run);

/* Memory of one thread. */
typedef struct gbt_scratch gbt_scratch;
csm_status gbt_scratch_new(gbt_scratch **out, const gbt_plan *plan);
void gbt_scratch_free(gbt_scratch *scratch);
/* Codes (columns, GBT_BLOCK) of rows [first, first + rows) of x, in scratch memory; rows <= GBT_BLOCK. */
csm_status gbt_code_rows(const uint8_t **code, const gbt_plan *plan, csm_isa isa, gbt_scratch *scratch,
                         const csm_matrix *x, size_t first, size_t rows);
/* Rows [begin, end) of x into the same rows of out (rows, gbt_run_columns). */
csm_status gbt_run_rows(const gbt_run *run, gbt_scratch *scratch, const csm_matrix *x, csm_matrix *out,
                        size_t begin, size_t end);
/* One row of features into gbt_run_columns doubles. */
csm_status gbt_run_row(const gbt_run *run, gbt_scratch *scratch, const float *row, double *out);

/* Unsigned numbers in the order of finite and infinite floats; both zeros are one. */
static inline uint32_t gbt_key(float x) {
    uint32_t bits;
    x += 0.0F;
    memcpy(&bits, &x, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000U;
}

/* Raw scores to responses, in place. */
void gbt_respond(const gbt_link *link, uint32_t outputs, double *score);

#endif
