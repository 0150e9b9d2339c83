/* SPDX-License-Identifier: MIT */
/*
 * Exact Shapley values of trees (Lundberg et al. 2020): a sum over leaves, each a path of conditions on few features.
 *
 *   quadrature.c           Gauss-Legendre on [0, 1]      tree_paths.c    leaves -> paths with merged features
 *   tree_run.c             blocks of rows, path-dependent   tree_interventional.c  against background rows
 *   tree_interactions.c    pairs of features             explainer.c     csm_explainer
 */
#ifndef CSM_MODEL_EXPLAIN_TREES_H
#define CSM_MODEL_EXPLAIN_TREES_H

#include "backend/gbt_explain.h"
#include "model/gbt/predictor.h"

#define INTERVENTIONAL_FEATURES 64 /* most distinct features of a path: one bit each */

/* Background rows that pass the same features of a path. */
typedef struct background_pattern {
    uint64_t passes; /* bit j: feature j of the path */
    double weight;   /* share of the background */
} background_pattern;

typedef struct tree_explanation {
    gbt_plan *plan;
    csm_isa isa;
    gbt_paths paths;
    double *expected;            /* outputs: what contributions start from */
    background_pattern *pattern; /* interventional, path after path; NULL: path-dependent */
    size_t *first_pattern;       /* paths + 1 */
    double *share;               /* (65, 65): (a - 1)! c! / (a + c)!, a and c counted from 0 */
} tree_explanation;

/* Nodes and weights of n-point Gauss-Legendre quadrature on [0, 1], ascending. */
void quadrature_make(double *node, double *weight, uint32_t n);

/* paths and expected of explanation->plan, which is set. The z of a path's features come from covers. */
csm_status tree_paths_make(tree_explanation *explanation, const gbt_ensemble *ensemble, bool covers_needed);
void tree_paths_free(gbt_paths *paths);

/* Replaces covers by background rows. */
csm_status tree_background_set(tree_explanation *explanation, const csm_matrix *background);

/* Rows of x (rows, features) into out (rows, outputs * (features + 1)); the last of each output is its expected value. */
csm_status tree_explain(const tree_explanation *explanation, csm_context *context, const csm_matrix *x,
                        csm_matrix *out);
/* out (rows, outputs * (features + 1)^2). Path-dependent only. */
csm_status tree_interact(const tree_explanation *explanation, csm_context *context, const csm_matrix *x,
                         csm_matrix *out);

/* Adds the interventional values of rows [0, rows) of a coded block to phi (outputs, features, GBT_BLOCK). */
void tree_intervene(const tree_explanation *explanation, double *phi, const uint8_t *code, size_t rows);

/* Whether row `row` of a coded block passes a feature's conditions. */
static inline bool tree_passes(const gbt_paths *paths, const gbt_path_feature *feature, const uint8_t *code,
                               size_t row) {
    for (uint32_t i = 0; i < feature->conditions; i++) {
        const gbt_condition *condition = &paths->condition[feature->condition + i];
        uint8_t value = code[(size_t)condition->column * GBT_BLOCK + row];
        if ((uint8_t)(value - condition->low) > condition->span) return false;
    }
    return true;
}

static inline uint64_t tree_pattern(const gbt_paths *paths, const gbt_path *path, const uint8_t *code,
                                    size_t row) {
    uint64_t pattern = 0;
    for (uint32_t j = 0; j < path->features; j++)
        pattern |= (uint64_t)tree_passes(paths, &paths->feature[path->feature + j], code, row) << j;
    return pattern;
}

#endif
