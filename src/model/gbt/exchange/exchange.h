/* SPDX-License-Identifier: MIT */
/*
 * Models of other libraries: LightGBM's text, XGBoost's JSON; and to LightGBM's text, ONNX, JSON and Graphviz. What comes
 * from outside is not trusted: indices, links between nodes and sizes are checked before they are followed.
 */
#ifndef CSM_MODEL_GBT_EXCHANGE_H
#define CSM_MODEL_GBT_EXCHANGE_H

#include "model/gbt/internal.h"

#include <jansson.h>

#define EXCHANGE_FEATURES_MAX 100000
#define EXCHANGE_OUTPUTS_MAX 4096

/* A model while it is read. */
typedef struct foreign_model {
    size_t features;
    uint32_t outputs;
    csm_objective objective;
    double quantile; /* of the objective; 0 where it has none */
    char **names;    /* features; NULL: none given */
    gbt_ensemble *ensemble;
} foreign_model;

void foreign_model_free(foreign_model *model);
/* Makes the csm_model, which takes the ensemble. */
csm_status foreign_model_finish(csm_model **out, foreign_model *model);

/* A tree while it is read: node[0] is the root, and the children of an inner node i are node[left[i]], node[right[i]].
 * node[i].feature is -1 for leaves. */
typedef struct foreign_tree {
    size_t count;
    gbt_node *node;
    int64_t *left;
    int64_t *right;
} foreign_tree;

csm_status foreign_tree_new(foreign_tree *tree, size_t count);
void foreign_tree_free(foreign_tree *tree);
/* Appends what can be reached from the root, checked: features below ensemble->features, no node with two parents, finite
 * numbers. `index` is for the error text. */
csm_status foreign_tree_append(gbt_ensemble *ensemble, const foreign_tree *tree, size_t index);

/* The greatest float <= threshold: float x decides alike. */
float exchange_float_below(double threshold);

csm_status gbt_import_lightgbm(csm_model **out, const char *text, size_t length);
csm_status gbt_import_xgboost(csm_model **out, const char *text, size_t length);
/* The first `rounds` rounds of a model, appended to out. */
csm_status gbt_export_lightgbm(csm_buffer *out, const csm_model *model, size_t rounds);
csm_status gbt_export_onnx(csm_buffer *out, const csm_model *model, size_t rounds);
csm_status gbt_export_json(csm_buffer *out, const csm_model *model, size_t rounds);
csm_status gbt_export_graphviz(csm_buffer *out, const csm_model *model, size_t rounds);

#endif
