/* SPDX-License-Identifier: MIT */
/*
 * Tensors of an ensemble, one element a node: gbt.feature (-1: leaf), gbt.threshold (x <= threshold goes left),
 * gbt.left (the right child follows it), gbt.value, gbt.gain, gbt.cover; gbt.root (trees + 1); gbt.base (outputs).
 * gbt.link and gbt.link_scale (outputs) may be absent in old files. Only where a model needs them: gbt.flags and gbt.set
 * (a node), gbt.category (sets), gbt.missing (1). A name that this build does not know is refused: it may change predictions.
 */
#include "model/gbt/internal.h"

#include <math.h>
#include <string.h>

typedef struct node_columns {
    int32_t *feature;
    int32_t *left;
    float *threshold;
    double *value;
    double *gain;
    double *cover;
    uint32_t *flags;
    uint32_t *set;
    uint32_t *root;
    double *base;
    uint32_t *category;
    int32_t *link;
    double *link_scale;
    uint32_t *missing;
} node_columns;

/* ---- writing ---- */

typedef struct named_tensor {
    const char *name;
    csm_tensor_type type;
    const void *data; /* NULL: left out */
    size_t count;
} named_tensor;

static csm_status add_columns(csm_tensors_writer *writer, const char *prefix, const gbt_ensemble *ensemble,
                              const node_columns *columns) {
    size_t nodes = ensemble->node_count;
    const named_tensor tensors[] = {
        {"gbt.feature", CSM_TENSOR_I32, columns->feature, nodes},
        {"gbt.left", CSM_TENSOR_I32, columns->left, nodes},
        {"gbt.threshold", CSM_TENSOR_F32, columns->threshold, nodes},
        {"gbt.value", CSM_TENSOR_F64, columns->value, nodes},
        {"gbt.gain", CSM_TENSOR_F64, columns->gain, nodes},
        {"gbt.cover", CSM_TENSOR_F64, columns->cover, nodes},
        {"gbt.root", CSM_TENSOR_I32, ensemble->root, ensemble->trees + 1},
        {"gbt.base", CSM_TENSOR_F64, ensemble->base, ensemble->outputs},
        {"gbt.flags", CSM_TENSOR_I32, columns->flags, nodes},
        {"gbt.set", CSM_TENSOR_I32, columns->set, nodes},
        {"gbt.category", CSM_TENSOR_I32, ensemble->category, ensemble->category_count},
        {"gbt.link", CSM_TENSOR_I32, columns->link, ensemble->outputs},
        {"gbt.link_scale", CSM_TENSOR_F64, columns->link_scale, ensemble->outputs},
        {"gbt.missing", CSM_TENSOR_I32, ensemble->missing ? &ensemble->missing : NULL, 1},
    };
    csm_status status = CSM_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && !status; i++) {
        if (!tensors[i].data) continue;
        status = csm_tensors_add_array(writer, prefix, tensors[i].name, tensors[i].type, tensors[i].data,
                                       tensors[i].count);
    }
    return status;
}

static void free_columns(node_columns *columns) {
    csm_dealloc(columns->feature);
    csm_dealloc(columns->left);
    csm_dealloc(columns->threshold);
    csm_dealloc(columns->value);
    csm_dealloc(columns->gain);
    csm_dealloc(columns->cover);
    csm_dealloc(columns->flags);
    csm_dealloc(columns->set);
    csm_dealloc(columns->root);
    csm_dealloc(columns->base);
    csm_dealloc(columns->category);
    csm_dealloc(columns->link);
    csm_dealloc(columns->link_scale);
    csm_dealloc(columns->missing);
}

static bool needs_flags(const gbt_ensemble *ensemble) {
    for (size_t n = 0; n < ensemble->node_count; n++) {
        if (ensemble->nodes[n].flags) return true;
    }
    return false;
}

static csm_status split_nodes(node_columns *columns, const gbt_ensemble *ensemble) {
    size_t count = ensemble->node_count;
    bool flagged = needs_flags(ensemble);
    columns->feature = csm_alloc_array(count, sizeof(int32_t));
    columns->left = csm_alloc_array(count, sizeof(int32_t));
    columns->threshold = csm_alloc_array(count, sizeof(float));
    columns->value = csm_alloc_array(count, sizeof(double));
    columns->gain = csm_alloc_array(count, sizeof(double));
    columns->cover = csm_alloc_array(count, sizeof(double));
    columns->flags = flagged ? csm_alloc_array(count, sizeof(uint32_t)) : NULL;
    columns->set = flagged ? csm_alloc_array(count, sizeof(uint32_t)) : NULL;
    if (!columns->feature || !columns->left || !columns->threshold || !columns->value || !columns->gain ||
        !columns->cover || (flagged && (!columns->flags || !columns->set)))
        return CSM_ENOMEM;
    for (size_t n = 0; n < count; n++) {
        const gbt_node *node = &ensemble->nodes[n];
        columns->feature[n] = node->feature;
        columns->left[n] = node->left;
        columns->threshold[n] = node->threshold;
        columns->value[n] = node->value;
        columns->gain[n] = node->gain;
        columns->cover[n] = node->cover;
        if (!flagged) continue;
        columns->flags[n] = node->flags;
        columns->set[n] = node->set;
    }
    return CSM_OK;
}

static csm_status split_links(node_columns *columns, const gbt_ensemble *ensemble) {
    columns->link = csm_alloc_array(ensemble->outputs, sizeof *columns->link);
    columns->link_scale = csm_alloc_array(ensemble->outputs, sizeof *columns->link_scale);
    if (!columns->link || !columns->link_scale) return CSM_ENOMEM;
    for (uint32_t o = 0; o < ensemble->outputs; o++) {
        columns->link[o] = ensemble->link[o].kind;
        columns->link_scale[o] = ensemble->link[o].scale;
    }
    return CSM_OK;
}

csm_status gbt_write(const void *state, csm_tensors_writer *writer, const char *prefix) {
    const gbt_ensemble *ensemble = state;
    node_columns columns = {0};
    csm_status status = split_nodes(&columns, ensemble);
    if (!status) status = split_links(&columns, ensemble);
    if (!status) status = add_columns(writer, prefix, ensemble, &columns);
    free_columns(&columns);
    return status;
}

/* ---- reading ---- */

typedef struct column_counts {
    size_t nodes;
    size_t roots;
    size_t outputs;
    size_t categories;
} column_counts;

typedef struct wanted_tensor {
    const char *name;
    csm_tensor_type type;
    bool optional;
    void **data;
    size_t *count;
} wanted_tensor;

static csm_status refuse_unknown(const csm_tensors *tensors, const char *prefix, const wanted_tensor *wanted,
                                 size_t wanted_count) {
    size_t length = strlen(prefix);
    for (size_t i = 0; i < csm_tensors_count(tensors); i++) {
        const char *name = csm_tensors_at(tensors, i)->name;
        size_t w = 0;
        if (strncmp(name, prefix, length) != 0 || strncmp(name + length, "gbt.", 4) != 0) continue;
        while (w < wanted_count && strcmp(wanted[w].name, name + length) != 0) w++;
        if (w == wanted_count)
            return csm_fail(CSM_EUNSUPPORTED, "gbt: tensor '%s' is not known to this build", name);
    }
    return CSM_OK;
}

static csm_status copy_columns(node_columns *columns, column_counts *counts, const csm_tensors *tensors,
                               const char *prefix) {
    size_t one = 1;
    const wanted_tensor wanted[] = {
        {"gbt.feature", CSM_TENSOR_I32, false, (void **)&columns->feature, &counts->nodes},
        {"gbt.left", CSM_TENSOR_I32, false, (void **)&columns->left, &counts->nodes},
        {"gbt.threshold", CSM_TENSOR_F32, false, (void **)&columns->threshold, &counts->nodes},
        {"gbt.value", CSM_TENSOR_F64, false, (void **)&columns->value, &counts->nodes},
        {"gbt.gain", CSM_TENSOR_F64, false, (void **)&columns->gain, &counts->nodes},
        {"gbt.cover", CSM_TENSOR_F64, false, (void **)&columns->cover, &counts->nodes},
        {"gbt.root", CSM_TENSOR_I32, false, (void **)&columns->root, &counts->roots},
        {"gbt.base", CSM_TENSOR_F64, false, (void **)&columns->base, &counts->outputs},
        {"gbt.flags", CSM_TENSOR_I32, true, (void **)&columns->flags, &counts->nodes},
        {"gbt.set", CSM_TENSOR_I32, true, (void **)&columns->set, &counts->nodes},
        {"gbt.category", CSM_TENSOR_I32, true, (void **)&columns->category, &counts->categories},
        {"gbt.link", CSM_TENSOR_I32, true, (void **)&columns->link, &counts->outputs},
        {"gbt.link_scale", CSM_TENSOR_F64, true, (void **)&columns->link_scale, &counts->outputs},
        {"gbt.missing", CSM_TENSOR_I32, true, (void **)&columns->missing, &one},
    };
    size_t count = sizeof wanted / sizeof *wanted;
    csm_status status = refuse_unknown(tensors, prefix, wanted, count);
    for (size_t i = 0; i < count && !status; i++) {
        if (wanted[i].optional && !csm_tensors_find(tensors, prefix, wanted[i].name)) continue;
        status = csm_tensors_copy(wanted[i].data, wanted[i].count, tensors, prefix, wanted[i].name,
                                  wanted[i].type);
    }
    return status;
}

static csm_status check_flags(const gbt_ensemble *ensemble, const gbt_node *node, size_t n) {
    uint32_t known =
        GBT_NODE_MISSING_LEFT | GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_ZERO | GBT_NODE_CATEGORICAL;
    bool categorical = node->flags & GBT_NODE_CATEGORICAL;
    if (node->flags & ~known)
        return csm_fail(CSM_EUNSUPPORTED, "gbt: node %zu has the flags %u", n, node->flags);
    if (node->flags & GBT_NODE_MISSING_ZERO && node->flags & (GBT_NODE_MISSING_NAN | GBT_NODE_CATEGORICAL))
        return csm_fail(CSM_ECORRUPT, "gbt: the flags %u of node %zu exclude each other", node->flags, n);
    if (!categorical) return CSM_OK;
    if (node->set >= ensemble->category_count ||
        ensemble->category[node->set] > ensemble->category_count - node->set - 1 ||
        ensemble->category[node->set] > GBT_CATEGORIES_MAX / 32)
        return csm_fail(CSM_ECORRUPT, "gbt: the set %u of node %zu leaves the %zu words", node->set, n,
                        ensemble->category_count);
    return CSM_OK;
}

/* Takes node `n` of the tree that ends at `end`: children stand behind it and inside its tree, so that every walk ends. */
static csm_status take_node(gbt_node *node, const node_columns *columns, size_t n, size_t end,
                            const gbt_ensemble *ensemble) {
    *node = (gbt_node){.feature = columns->feature[n],
                       .threshold = columns->threshold[n],
                       .left = columns->left[n],
                       .flags = columns->flags ? columns->flags[n] : 0,
                       .set = columns->set ? columns->set[n] : 0,
                       .value = columns->value[n],
                       .gain = columns->gain[n],
                       .cover = columns->cover[n]};
    bool leaf = node->feature == -1;
    if (!leaf && (node->feature < 0 || (size_t)node->feature >= ensemble->features))
        return csm_fail(CSM_ECORRUPT, "gbt: node %zu splits on feature %d of %zu", n, node->feature,
                        ensemble->features);
    if (!leaf && (node->left <= (int64_t)n || (size_t)node->left + 1 >= end))
        return csm_fail(CSM_ECORRUPT, "gbt: node %zu has its children at %d", n, node->left);
    if (!isfinite(node->value) || !isfinite(node->gain) || !isfinite(node->cover) || isnan(node->threshold))
        return csm_fail(CSM_ECORRUPT, "gbt: node %zu holds a value that is not finite", n);
    return check_flags(ensemble, node, n);
}

static csm_status take_nodes(gbt_ensemble *ensemble, const node_columns *columns,
                             const column_counts *counts) {
    size_t count = counts->nodes, roots = counts->roots;
    if (roots == 0 || count > INT32_MAX || columns->root[0] != 0 || columns->root[roots - 1] != count)
        return csm_fail(CSM_ECORRUPT, "gbt: gbt.root does not span the %zu nodes", count);
    if (ensemble->outputs == 0 || (roots - 1) % ensemble->outputs)
        return csm_fail(CSM_ECORRUPT, "gbt: %zu trees are not a multiple of %u outputs", roots - 1,
                        ensemble->outputs);
    ensemble->nodes = csm_alloc_array(count, sizeof *ensemble->nodes);
    if (!ensemble->nodes) return CSM_ENOMEM;
    ensemble->node_capacity = count;
    for (size_t t = 0; t + 1 < roots; t++) {
        size_t end = columns->root[t + 1];
        if (columns->root[t] >= end || end > count)
            return csm_fail(CSM_ECORRUPT, "gbt: tree %zu spans nodes %u to %zu", t, columns->root[t], end);
        for (size_t n = columns->root[t]; n < end; n++) {
            csm_status status = take_node(&ensemble->nodes[n], columns, n, end, ensemble);
            if (status) return status;
        }
    }
    ensemble->node_count = count;
    ensemble->trees = roots - 1;
    return CSM_OK;
}

/* Files before gbt.link have one output whose link is the objective's. */
static csm_status take_links(gbt_ensemble *ensemble, const node_columns *columns, uint32_t objective) {
    size_t softmax = 0;
    for (uint32_t o = 0; o < ensemble->outputs; o++) {
        gbt_link *link = &ensemble->link[o];
        link->kind = columns->link                         ? columns->link[o]
                     : objective == CSM_OBJECTIVE_LOGISTIC ? GBT_LINK_LOGISTIC
                                                           : GBT_LINK_IDENTITY;
        link->scale = columns->link_scale ? columns->link_scale[o] : 1;
        if (link->kind < 0 || link->kind >= GBT_LINK_KINDS)
            return csm_fail(CSM_EUNSUPPORTED, "gbt: output %u has the link %d", o, link->kind);
        if (!isfinite(link->scale) || !(link->scale > 0))
            return csm_fail(CSM_ECORRUPT, "gbt: output %u has the scale %g", o, link->scale);
        softmax += link->kind == GBT_LINK_SOFTMAX;
    }
    if (softmax != 0 && softmax != ensemble->outputs)
        return csm_fail(CSM_ECORRUPT, "gbt: softmax over %zu of %u outputs", softmax, ensemble->outputs);
    return CSM_OK;
}

static csm_status take_rest(gbt_ensemble *ensemble, const node_columns *columns, const column_counts *counts,
                            const csm_model_info *info) {
    for (uint32_t o = 0; o < ensemble->outputs; o++) {
        if (!isfinite(ensemble->base[o])) return csm_fail(CSM_ECORRUPT, "gbt: gbt.base is not finite");
    }
    ensemble->missing = columns->missing ? *columns->missing : 0;
    if (ensemble->missing > 1) return csm_fail(CSM_EUNSUPPORTED, "gbt: gbt.missing is %u", ensemble->missing);
    csm_status status = take_links(ensemble, columns, info->objective);
    if (!status) status = take_nodes(ensemble, columns, counts);
    if (status) return status;
    if (ensemble->trees / ensemble->outputs != info->rounds)
        return csm_fail(CSM_ECORRUPT, "gbt: %zu trees, the description says %zu rounds of %u",
                        ensemble->trees, info->rounds, ensemble->outputs);
    return CSM_OK;
}

csm_status gbt_read(void **state, const csm_model_info *info, const csm_tensors *tensors,
                    const char *prefix) {
    node_columns columns = {0};
    gbt_ensemble *ensemble = NULL;
    column_counts counts = {
        .nodes = SIZE_MAX, .roots = SIZE_MAX, .outputs = info->outputs, .categories = SIZE_MAX};
    *state = NULL;
    csm_status status = copy_columns(&columns, &counts, tensors, prefix);
    if (status) goto done;
    if ((status = gbt_ensemble_new(&ensemble, info->features, info->outputs, columns.base))) goto done;
    ensemble->category = columns.category;
    ensemble->category_count = columns.category ? counts.categories : 0;
    ensemble->category_capacity = ensemble->category_count;
    columns.category = NULL;
    if ((status = take_rest(ensemble, &columns, &counts, info))) goto done;
    csm_dealloc(ensemble->root);
    ensemble->root = columns.root;
    columns.root = NULL;
    *state = ensemble;
    ensemble = NULL;
done:
    gbt_ensemble_free(ensemble);
    free_columns(&columns);
    return status;
}
