/* SPDX-License-Identifier: MIT */
/* Trees laid out for the kernels: breadth-first nodes for the bit-sliced one, compact ones for a walk of one row. */
#include "model/gbt/predictor.h"

#include <math.h>
#include <string.h>

#define FEW_LEAVES 64

/* Working memory of laying out one tree; arrays of the largest tree's nodes, indices within the tree. */
typedef struct layout {
    const gbt_ensemble *ensemble;
    const gbt_place *place;
    uint32_t *leaves;     /* beneath each node */
    uint32_t *first_leaf; /* leftmost leaf beneath each node */
    uint32_t *mask;       /* gbt_sliced_node.mask of each node */
} layout;

/* Leaves are numbered from left to right. Children stand behind their parent, so two passes do. */
static void number_leaves(layout *l, size_t root, size_t count) {
    const gbt_node *nodes = l->ensemble->nodes + root;
    for (size_t n = count; n-- > 0;) {
        size_t left = (size_t)nodes[n].left - root;
        l->leaves[n] = nodes[n].feature < 0 ? 1 : l->leaves[left] + l->leaves[left + 1];
    }
    l->first_leaf[0] = 0;
    for (size_t n = 0; n < count; n++) {
        if (nodes[n].feature < 0) continue;
        size_t left = (size_t)nodes[n].left - root;
        l->first_leaf[left] = l->first_leaf[n];
        l->first_leaf[left + 1] = l->first_leaf[n] + l->leaves[left];
    }
}

static void lay_walk(gbt_plan *plan, gbt_flat_tree *tree, const layout *l, size_t root, size_t count,
                     double *value) {
    gbt_walk_node *walk = plan->walk + root;
    for (size_t n = 0; n < count; n++) {
        const gbt_node *node = &l->ensemble->nodes[root + n];
        const gbt_place *place = &l->place[root + n];
        if (node->feature < 0) {
            walk[n] = (gbt_walk_node){INFINITY, 0, (uint32_t)(root + n), l->first_leaf[n]};
            value[l->first_leaf[n]] = node->value;
            plan->node_value[root + n] = node->value;
            plan->any_leaf = (uint32_t)(root + n);
            continue;
        }
        bool categorical = node->flags & GBT_NODE_CATEGORICAL;
        float threshold = categorical ? 0.5F : fminf(node->threshold, 3.402823466e+38F);
        walk[n] = (gbt_walk_node){threshold, place->column, (uint32_t)node->left, place->bin};
    }
    tree->walk = plan->walk;
    tree->root = plan->root[tree - plan->tree] = (uint32_t)root;
}

/* Nodes in the ensemble's order, in which parents come first: all that the kernel needs. */
static void lay_sliced(gbt_sliced_node *sliced, gbt_flat_tree *tree, layout *l, size_t root, size_t count) {
    const gbt_node *nodes = l->ensemble->nodes + root;
    uint32_t inner = 0;
    l->mask[0] = 0;
    for (size_t n = 0; n < count; n++) {
        if (nodes[n].feature < 0) continue;
        size_t left = (size_t)nodes[n].left - root;
        const gbt_place *place = &l->place[root + n];
        sliced[inner] = (gbt_sliced_node){place->column, (uint16_t)l->mask[n],
                                          (uint16_t)l->first_leaf[left + 1], place->bin};
        l->mask[left] = 2 * inner + 1;
        l->mask[left + 1] = 2 * inner + 2;
        inner++;
    }
    tree->node = sliced;
    tree->node_count = inner;
}

static void split_halves(uint32_t *halves, const double *value, size_t leaves) {
    for (size_t i = 0; i < leaves; i++) {
        uint64_t bits;
        memcpy(&bits, &value[i], sizeof bits);
        halves[i] = (uint32_t)bits;
        halves[FEW_LEAVES + i] = (uint32_t)(bits >> 32);
    }
}

static void lay_trees(gbt_plan *plan, layout *l) {
    const gbt_ensemble *ensemble = l->ensemble;
    gbt_sliced_node *sliced = plan->sliced;
    double *value = plan->value;
    uint32_t *halves = plan->halves;
    for (size_t t = 0; t < plan->trees; t++) {
        size_t root = ensemble->root[t], count = ensemble->root[t + 1] - root;
        gbt_flat_tree *tree = &plan->tree[t];
        number_leaves(l, root, count);
        tree->leaves = l->leaves[0];
        tree->value = value;
        lay_walk(plan, tree, l, root, count, value);
        value += tree->leaves;
        if (tree->leaves > GBT_SLICED_LEAVES) continue;
        lay_sliced(sliced, tree, l, root, count);
        sliced += tree->node_count;
        if (tree->leaves > FEW_LEAVES) continue;
        split_halves(halves, tree->value, tree->leaves);
        tree->halves = halves;
        halves += 2 * FEW_LEAVES;
    }
}

/* Steps of a single row, unless a tree or the columns are too many for 16 bits. */
static void lay_steps(gbt_plan *plan, size_t node_count) {
    bool fits = plan->column_count <= UINT16_MAX;
    for (size_t n = 0; n < node_count && fits; n++) {
        const gbt_walk_node *walk = &plan->walk[n];
        bool leaf = walk->left == n;
        fits = walk->left - n <= UINT16_MAX;
        plan->step[n] = (gbt_step){leaf ? UINT32_MAX : gbt_key(walk->threshold), (uint16_t)walk->column,
                                   (uint16_t)(walk->left - n)};
    }
    if (fits) return;
    csm_dealloc(plan->step);
    plan->step = NULL;
}

static csm_status lay_plan(gbt_plan *plan, const gbt_ensemble *ensemble) {
    size_t node_count = ensemble->root[plan->trees], largest = 0;
    csm_status status = CSM_ENOMEM;
    for (size_t t = 0; t < plan->trees; t++) {
        size_t count = ensemble->root[t + 1] - ensemble->root[t];
        largest = count > largest ? count : largest;
    }
    gbt_place *place = csm_alloc_array(node_count, sizeof *place);
    layout l = {.ensemble = ensemble,
                .place = place,
                .leaves = csm_alloc_array(largest, sizeof *l.leaves),
                .first_leaf = csm_alloc_array(largest, sizeof *l.first_leaf),
                .mask = csm_alloc_array(largest, sizeof *l.mask)};
    plan->tree = csm_alloc_array(plan->trees, sizeof *plan->tree);
    plan->root = csm_alloc_array(plan->trees, sizeof *plan->root);
    plan->sliced = csm_alloc_array(node_count, sizeof *plan->sliced);
    plan->walk = csm_alloc_array(node_count, sizeof *plan->walk);
    plan->step = csm_alloc_array(node_count, sizeof *plan->step);
    plan->node_value = csm_alloc_array(node_count, sizeof *plan->node_value);
    plan->value = csm_alloc_array(node_count, sizeof *plan->value);
    plan->halves = csm_alloc_array(plan->trees, 2 * FEW_LEAVES * sizeof *plan->halves);
    if (!place || !l.leaves || !l.first_leaf || !l.mask || !plan->tree || !plan->root || !plan->sliced ||
        !plan->walk || !plan->step || !plan->node_value || !plan->value || !plan->halves)
        goto done;
    if ((status = gbt_plan_columns(plan, place, ensemble, node_count))) goto done;
    lay_trees(plan, &l);
    lay_steps(plan, node_count);
done:
    csm_dealloc(place);
    csm_dealloc(l.leaves);
    csm_dealloc(l.first_leaf);
    csm_dealloc(l.mask);
    return status;
}

csm_status gbt_plan_new(gbt_plan **out, const gbt_ensemble *ensemble, size_t trees) {
    gbt_plan *plan = csm_alloc_array(1, sizeof *plan);
    csm_status status = CSM_ENOMEM;
    *out = NULL;
    if (!plan) return CSM_ENOMEM;
    plan->features = ensemble->features;
    plan->outputs = ensemble->outputs;
    plan->missing = ensemble->missing;
    plan->trees = trees;
    plan->base = csm_alloc_array(plan->outputs, sizeof *plan->base);
    plan->link = csm_alloc_array(plan->outputs, sizeof *plan->link);
    if (!plan->base || !plan->link) goto fail;
    memcpy(plan->base, ensemble->base, plan->outputs * sizeof *plan->base);
    memcpy(plan->link, ensemble->link, plan->outputs * sizeof *plan->link);
    if ((status = lay_plan(plan, ensemble))) goto fail;
    *out = plan;
    return CSM_OK;
fail:
    gbt_plan_free(plan);
    return status;
}

void gbt_plan_free(gbt_plan *plan) {
    if (!plan) return;
    csm_dealloc(plan->base);
    csm_dealloc(plan->link);
    csm_dealloc(plan->column);
    csm_dealloc(plan->column_feature);
    csm_dealloc(plan->edge);
    csm_dealloc(plan->category);
    csm_dealloc(plan->tree);
    csm_dealloc(plan->root);
    csm_dealloc(plan->sliced);
    csm_dealloc(plan->walk);
    csm_dealloc(plan->step);
    csm_dealloc(plan->node_value);
    csm_dealloc(plan->value);
    csm_dealloc(plan->halves);
    csm_dealloc(plan);
}
