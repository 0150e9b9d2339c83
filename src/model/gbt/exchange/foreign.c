/* SPDX-License-Identifier: MIT */
#include "model/gbt/exchange/exchange.h"

#include <math.h>

void foreign_model_free(foreign_model *model) {
    for (size_t f = 0; model->names && f < model->features; f++) csm_dealloc(model->names[f]);
    csm_dealloc(model->names);
    gbt_ensemble_free(model->ensemble);
}

csm_status foreign_model_finish(csm_model **out, foreign_model *model) {
    csm_model_info info = {.learner = csm_learner_gbt.about.name,
                           .objective = (uint32_t)model->objective,
                           .outputs = model->outputs,
                           .features = model->features,
                           .rounds = model->ensemble->trees / model->outputs,
                           .training_loss = NAN,
                           .validation_loss = NAN};
    double values[GBT_PARAMETER_COUNT];
    csm_status status = csm_model_parameters(values, &csm_learner_gbt.about, NULL, 0);
    if (status) return status;
    const csm_learner_parameter *quantile = &csm_learner_gbt.about.parameters[GBT_QUANTILE];
    if (model->quantile >= quantile->minimum && model->quantile <= quantile->maximum)
        values[GBT_QUANTILE] = model->quantile;
    status = csm_model_new(out, &csm_learner_gbt, &info, (const char *const *)model->names, values);
    if (status) return status;
    (*out)->state = model->ensemble;
    model->ensemble = NULL;
    return CSM_OK;
}

csm_status foreign_tree_new(foreign_tree *tree, size_t count) {
    *tree = (foreign_tree){.count = count};
    if (count == 0 || count > INT32_MAX) return csm_fail(CSM_EPARSE, "a tree of %zu nodes", count);
    tree->node = csm_alloc_array(count, sizeof *tree->node);
    tree->left = csm_alloc_array(count, sizeof *tree->left);
    tree->right = csm_alloc_array(count, sizeof *tree->right);
    return tree->node && tree->left && tree->right ? CSM_OK : CSM_ENOMEM;
}

void foreign_tree_free(foreign_tree *tree) {
    csm_dealloc(tree->node);
    csm_dealloc(tree->left);
    csm_dealloc(tree->right);
    *tree = (foreign_tree){0};
}

static csm_status check_node(const gbt_ensemble *ensemble, const gbt_node *node, size_t tree, size_t n) {
    if (node->feature < -1 || (node->feature >= 0 && (size_t)node->feature >= ensemble->features))
        return csm_fail(CSM_EPARSE, "tree %zu, node %zu splits on feature %d of %zu", tree, n, node->feature,
                        ensemble->features);
    if (!isfinite(node->value) || !isfinite(node->gain) || !isfinite(node->cover) || node->cover < 0 ||
        isnan(node->threshold))
        return csm_fail(CSM_EPARSE, "tree %zu, node %zu holds a number that is not finite", tree, n);
    return CSM_OK;
}

/* Breadth first: children stand together and behind their parent. from[i] is the foreign node of ordered[i]. */
static csm_status order_nodes(gbt_node *ordered, size_t *reached, size_t *from, uint8_t *seen,
                              const gbt_ensemble *ensemble, const foreign_tree *tree, size_t index) {
    size_t count = 1;
    from[0] = 0;
    seen[0] = 1;
    for (size_t i = 0; i < count; i++) {
        size_t n = from[i];
        ordered[i] = tree->node[n];
        csm_status status = check_node(ensemble, &ordered[i], index, n);
        if (status) return status;
        if (ordered[i].feature < 0) continue;
        const int64_t child[2] = {tree->left[n], tree->right[n]};
        ordered[i].left = (int32_t)count;
        for (int side = 0; side < 2; side++) {
            if (child[side] < 0 || (uint64_t)child[side] >= tree->count || seen[child[side]])
                return csm_fail(CSM_EPARSE, "tree %zu, node %zu: child %lld of %zu nodes is not its own",
                                index, n, (long long)child[side], tree->count);
            seen[child[side]] = 1;
            from[count++] = (size_t)child[side];
        }
    }
    *reached = count;
    return CSM_OK;
}

csm_status foreign_tree_append(gbt_ensemble *ensemble, const foreign_tree *tree, size_t index) {
    size_t reached = 0;
    csm_status status = CSM_ENOMEM;
    gbt_node *ordered = csm_alloc_array(tree->count, sizeof *ordered);
    size_t *from = csm_alloc_array(tree->count, sizeof *from);
    uint8_t *seen = csm_alloc_array(tree->count, sizeof *seen);
    if (!ordered || !from || !seen) goto done;
    if ((status = order_nodes(ordered, &reached, from, seen, ensemble, tree, index))) goto done;
    status = gbt_ensemble_append(ensemble, ordered, reached);
done:
    csm_dealloc(ordered);
    csm_dealloc(from);
    csm_dealloc(seen);
    return status;
}

float exchange_float_below(double threshold) {
    float nearest = (float)threshold;
    return (double)nearest > threshold ? nextafterf(nearest, -INFINITY) : nearest;
}
