/* SPDX-License-Identifier: MIT */
/* One tree, best leaf first (Shi 2007; Ke et al. 2017): the leaf of the highest gain is split until leaves run out. */
#include "model/plain/plain.h"

#include <string.h>

typedef struct growing_leaf {
    uint32_t node;
    uint32_t depth;
    size_t begin; /* its rows: data->row[begin .. begin + total.count) */
    plain_bucket total;
    plain_split split;
    plain_bucket *histogram; /* NULL when it will not be split */
} growing_leaf;

struct plain_grower {
    const plain_bins *bins;
    plain_grow_options options;
    growing_leaf *leaf;
    size_t leaf_count;
    uint32_t *spare;     /* rows: the right side during a partition */
    plain_bucket **pool; /* histograms not in use */
    size_t pooled;
};

csm_status plain_grower_new(plain_grower **out, const plain_bins *bins, const plain_grow_options *options) {
    plain_grower *grower = csm_alloc_array(1, sizeof *grower);
    *out = NULL;
    if (!grower) return CSM_ENOMEM;
    grower->bins = bins;
    grower->options = *options;
    grower->leaf = csm_alloc_array(options->leaves, sizeof *grower->leaf);
    grower->spare = csm_alloc_array(bins->rows, sizeof *grower->spare);
    grower->pool = csm_alloc_array((size_t)options->leaves + 1, sizeof(plain_bucket *));
    if (!grower->leaf || !grower->spare || !grower->pool) {
        plain_grower_free(grower);
        return CSM_ENOMEM;
    }
    *out = grower;
    return CSM_OK;
}

void plain_grower_free(plain_grower *grower) {
    if (!grower) return;
    for (size_t i = 0; grower->leaf && i < grower->leaf_count; i++) csm_dealloc(grower->leaf[i].histogram);
    for (size_t i = 0; grower->pool && i < grower->pooled; i++) csm_dealloc(grower->pool[i]);
    csm_dealloc(grower->leaf);
    csm_dealloc(grower->spare);
    csm_dealloc(grower->pool);
    csm_dealloc(grower);
}

static plain_bucket *take_histogram(plain_grower *grower) {
    if (grower->pooled) return grower->pool[--grower->pooled];
    return csm_alloc_array(grower->bins->first[grower->bins->features], sizeof(plain_bucket));
}

static void give_histogram(plain_grower *grower, growing_leaf *leaf) {
    if (leaf->histogram) grower->pool[grower->pooled++] = leaf->histogram;
    leaf->histogram = NULL;
}

static bool may_split(const plain_grower *grower, const growing_leaf *leaf) {
    return grower->leaf_count < grower->options.leaves && leaf->depth < grower->options.depth &&
           leaf->total.count >= 2 * grower->options.min_rows && leaf->total.count >= 2;
}

/* Searches a leaf whose histogram is filled; gives the histogram back when nothing gains. */
static csm_status search_leaf(plain_grower *grower, growing_leaf *leaf, const plain_tree_data *data,
                              csm_context *context) {
    csm_status status = plain_best_split(&leaf->split, leaf->histogram, &leaf->total, grower->bins,
                                         data->feature, data->feature_count, &grower->options, context);
    if (status || leaf->split.gain <= 0) give_histogram(grower, leaf);
    return status;
}

static csm_status fill_leaf(plain_grower *grower, growing_leaf *leaf, const plain_tree_data *data,
                            csm_context *context) {
    leaf->histogram = take_histogram(grower);
    if (!leaf->histogram) return CSM_ENOMEM;
    return plain_histogram_fill(leaf->histogram, grower->bins, data->pair, data->row + leaf->begin,
                                leaf->total.count, data->feature, data->feature_count, context);
}

/* Histograms of two new leaves: the smaller one is summed, the larger one is the parent's minus that. */
static csm_status search_children(plain_grower *grower, growing_leaf *left, growing_leaf *right,
                                  plain_bucket *parent_histogram, const plain_tree_data *data,
                                  csm_context *context) {
    bool left_smaller = left->total.count <= right->total.count;
    growing_leaf *smaller = left_smaller ? left : right;
    growing_leaf *larger = left_smaller ? right : left;
    larger->histogram = parent_histogram;
    if (!may_split(grower, larger)) { /* then neither may the smaller: same depth, fewer rows */
        give_histogram(grower, larger);
        return CSM_OK;
    }
    csm_status status = fill_leaf(grower, smaller, data, context);
    if (status) return status;
    plain_histogram_subtract(larger->histogram, smaller->histogram, grower->bins, data->feature,
                             data->feature_count);
    if ((status = search_leaf(grower, larger, data, context))) return status;
    if (may_split(grower, smaller)) return search_leaf(grower, smaller, data, context);
    give_histogram(grower, smaller);
    return CSM_OK;
}

/* Rows whose code goes left first, both sides in their old order. */
static void partition_rows(const plain_grower *grower, uint32_t *row, size_t count,
                           const plain_split *split) {
    const uint8_t *code = grower->bins->code + split->feature;
    size_t features = grower->bins->features, left = 0, right = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t r = row[i];
        if (code[(size_t)r * features] <= split->bin)
            row[left++] = r;
        else
            grower->spare[right++] = r;
    }
    memcpy(row + left, grower->spare, right * sizeof *row);
}

static csm_status split_leaf(gbt_node *nodes, size_t *count, plain_grower *grower, size_t index,
                             const plain_tree_data *data, csm_context *context) {
    growing_leaf parent = grower->leaf[index];
    const plain_split *split = &parent.split;
    growing_leaf *left = &grower->leaf[index], *right = &grower->leaf[grower->leaf_count++];
    partition_rows(grower, data->row + parent.begin, parent.total.count, split);
    *left = (growing_leaf){
        .node = (uint32_t)*count, .depth = parent.depth + 1, .begin = parent.begin, .total = split->left};
    *right = (growing_leaf){.node = (uint32_t)*count + 1,
                            .depth = parent.depth + 1,
                            .begin = parent.begin + split->left.count,
                            .total = split->right};
    const plain_bins *bins = grower->bins;
    gbt_node *node = &nodes[parent.node];
    node->feature = (int32_t)split->feature;
    node->bin = split->bin;
    node->threshold = bins->edge[bins->first[split->feature] + split->bin];
    node->left = (int32_t)*count;
    node->gain = split->gain;
    *count += 2;
    return search_children(grower, left, right, parent.histogram, data, context);
}

/* Newton's step of each leaf (Chen & Guestrin 2016, eq. 5), or its renewed value; covers of leaves. */
static csm_status set_leaf_values(gbt_node *nodes, const plain_grower *grower, const plain_tree_data *data) {
    for (size_t i = 0; i < grower->leaf_count; i++) {
        const growing_leaf *leaf = &grower->leaf[i];
        double denominator = leaf->total.hessian + grower->options.l2;
        double step = denominator > 0 ? -leaf->total.gradient / denominator : 0;
        if (plain_renews_leaves(data->target)) {
            csm_status status = plain_renewed_value(&step, data->target, data->score, data->row + leaf->begin,
                                                    leaf->total.count);
            if (status) return status;
        }
        nodes[leaf->node].feature = -1;
        nodes[leaf->node].value = grower->options.learning_rate * step;
        nodes[leaf->node].cover = (double)leaf->total.count;
    }
    return CSM_OK;
}

/* Children stand behind parents, so one pass from the end sums the covers. */
static void sum_covers(gbt_node *nodes, size_t count) {
    for (size_t n = count; n-- > 0;) {
        if (nodes[n].feature >= 0)
            nodes[n].cover = nodes[nodes[n].left].cover + nodes[nodes[n].left + 1].cover;
    }
}

static csm_status start_root(plain_grower *grower, const plain_tree_data *data, csm_context *context) {
    for (size_t i = 0; i < grower->leaf_count; i++) give_histogram(grower, &grower->leaf[i]);
    growing_leaf *root = &grower->leaf[0];
    *root = (growing_leaf){.total = {.count = data->row_count}};
    grower->leaf_count = 1;
    for (size_t i = 0; i < data->row_count; i++) {
        root->total.gradient += data->pair[data->row[i]].gradient;
        root->total.hessian += data->pair[data->row[i]].hessian;
    }
    if (!may_split(grower, root)) return CSM_OK;
    csm_status status = fill_leaf(grower, root, data, context);
    return status ? status : search_leaf(grower, root, data, context);
}

csm_status plain_grow(gbt_node *nodes, size_t *count, plain_grower *grower, const plain_tree_data *data,
                      csm_context *context) {
    csm_status status = start_root(grower, data, context);
    if (status) return status;
    memset(nodes, 0, (2 * (size_t)grower->options.leaves - 1) * sizeof *nodes);
    *count = 1;
    while (grower->leaf_count < grower->options.leaves) {
        size_t best = 0;
        for (size_t i = 1; i < grower->leaf_count; i++) {
            if (grower->leaf[i].split.gain > grower->leaf[best].split.gain) best = i;
        }
        if (grower->leaf[best].split.gain <= 0) break;
        if ((status = split_leaf(nodes, count, grower, best, data, context))) return status;
    }
    if ((status = set_leaf_values(nodes, grower, data))) return status;
    sum_covers(nodes, *count);
    return CSM_OK;
}
