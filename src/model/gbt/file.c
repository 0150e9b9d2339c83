/* SPDX-License-Identifier: MIT */
/*
 * Tensors of an ensemble, one element a node: gbt.feature (-1: leaf), gbt.threshold (x <= threshold goes left),
 * gbt.left (the right child follows it), gbt.value, gbt.gain, gbt.cover; gbt.root (trees + 1); gbt.base (1).
 */
#include "model/gbt/internal.h"

#include <math.h>

typedef struct node_columns {
    int32_t *feature;
    int32_t *left;
    float *threshold;
    double *value;
    double *gain;
    double *cover;
    uint32_t *root;
    double *base;
} node_columns;

static void free_columns(node_columns *columns) {
    csm_dealloc(columns->feature);
    csm_dealloc(columns->left);
    csm_dealloc(columns->threshold);
    csm_dealloc(columns->value);
    csm_dealloc(columns->gain);
    csm_dealloc(columns->cover);
    csm_dealloc(columns->root);
    csm_dealloc(columns->base);
}

static csm_status add_columns(csm_tensors_writer *writer, const char *prefix, const gbt_ensemble *ensemble,
                              const node_columns *columns) {
    const struct {
        const char *name;
        csm_tensor_type type;
        const void *data;
        size_t count;
    } tensors[] = {
        {"gbt.feature", CSM_TENSOR_I32, columns->feature, ensemble->node_count},
        {"gbt.left", CSM_TENSOR_I32, columns->left, ensemble->node_count},
        {"gbt.threshold", CSM_TENSOR_F32, columns->threshold, ensemble->node_count},
        {"gbt.value", CSM_TENSOR_F64, columns->value, ensemble->node_count},
        {"gbt.gain", CSM_TENSOR_F64, columns->gain, ensemble->node_count},
        {"gbt.cover", CSM_TENSOR_F64, columns->cover, ensemble->node_count},
        {"gbt.root", CSM_TENSOR_I32, ensemble->root, ensemble->trees + 1},
        {"gbt.base", CSM_TENSOR_F64, &ensemble->base, 1},
    };
    csm_status status = CSM_OK;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && !status; i++)
        status = csm_tensors_add_array(writer, prefix, tensors[i].name, tensors[i].type, tensors[i].data,
                                       tensors[i].count);
    return status;
}

csm_status gbt_write(const void *state, csm_tensors_writer *writer, const char *prefix) {
    const gbt_ensemble *ensemble = state;
    size_t count = ensemble->node_count;
    csm_status status = CSM_ENOMEM;
    node_columns columns = {.feature = csm_alloc_array(count, sizeof(int32_t)),
                            .left = csm_alloc_array(count, sizeof(int32_t)),
                            .threshold = csm_alloc_array(count, sizeof(float)),
                            .value = csm_alloc_array(count, sizeof(double)),
                            .gain = csm_alloc_array(count, sizeof(double)),
                            .cover = csm_alloc_array(count, sizeof(double))};
    if (!columns.feature || !columns.left || !columns.threshold || !columns.value || !columns.gain ||
        !columns.cover)
        goto done;
    for (size_t n = 0; n < count; n++) {
        const gbt_node *node = &ensemble->nodes[n];
        columns.feature[n] = node->feature;
        columns.left[n] = node->left;
        columns.threshold[n] = node->threshold;
        columns.value[n] = node->value;
        columns.gain[n] = node->gain;
        columns.cover[n] = node->cover;
    }
    status = add_columns(writer, prefix, ensemble, &columns);
done:
    free_columns(&columns);
    return status;
}

static csm_status copy_columns(node_columns *columns, size_t *count, size_t *roots,
                               const csm_tensors *tensors, const char *prefix) {
    size_t one = 1;
    const struct {
        const char *name;
        csm_tensor_type type;
        void **data;
        size_t *count;
    } wanted[] = {
        {"gbt.feature", CSM_TENSOR_I32, (void **)&columns->feature, count},
        {"gbt.left", CSM_TENSOR_I32, (void **)&columns->left, count},
        {"gbt.threshold", CSM_TENSOR_F32, (void **)&columns->threshold, count},
        {"gbt.value", CSM_TENSOR_F64, (void **)&columns->value, count},
        {"gbt.gain", CSM_TENSOR_F64, (void **)&columns->gain, count},
        {"gbt.cover", CSM_TENSOR_F64, (void **)&columns->cover, count},
        {"gbt.root", CSM_TENSOR_I32, (void **)&columns->root, roots},
        {"gbt.base", CSM_TENSOR_F64, (void **)&columns->base, &one},
    };
    csm_status status = CSM_OK;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && !status; i++)
        status = csm_tensors_copy(wanted[i].data, wanted[i].count, tensors, prefix, wanted[i].name,
                                  wanted[i].type);
    return status;
}

/* Takes node `n` of the tree that ends at `end`: children stand behind it and inside its tree, so that every walk ends. */
static csm_status take_node(gbt_node *node, const node_columns *columns, size_t n, size_t end,
                            size_t features) {
    *node = (gbt_node){.feature = columns->feature[n],
                       .threshold = columns->threshold[n],
                       .left = columns->left[n],
                       .value = columns->value[n],
                       .gain = columns->gain[n],
                       .cover = columns->cover[n]};
    bool leaf = node->feature == -1;
    if (!leaf && (node->feature < 0 || (size_t)node->feature >= features))
        return csm_fail(CSM_ECORRUPT, "gbt: node %zu splits on feature %d of %zu", n, node->feature,
                        features);
    if (!leaf && (node->left <= (int64_t)n || (size_t)node->left + 1 >= end))
        return csm_fail(CSM_ECORRUPT, "gbt: node %zu has its children at %d", n, node->left);
    if (!isfinite(node->value) || !isfinite(node->gain) || !isfinite(node->cover) || isnan(node->threshold))
        return csm_fail(CSM_ECORRUPT, "gbt: node %zu holds a value that is not finite", n);
    return CSM_OK;
}

static csm_status take_nodes(gbt_ensemble *ensemble, const node_columns *columns, size_t count,
                             size_t roots) {
    if (roots == 0 || count > INT32_MAX || columns->root[0] != 0 || columns->root[roots - 1] != count)
        return csm_fail(CSM_ECORRUPT, "gbt: gbt.root does not span the %zu nodes", count);
    ensemble->nodes = csm_alloc_array(count, sizeof *ensemble->nodes);
    if (!ensemble->nodes) return CSM_ENOMEM;
    ensemble->node_capacity = count;
    for (size_t t = 0; t + 1 < roots; t++) {
        size_t end = columns->root[t + 1];
        if (columns->root[t] >= end || end > count)
            return csm_fail(CSM_ECORRUPT, "gbt: tree %zu spans nodes %u to %zu", t, columns->root[t], end);
        for (size_t n = columns->root[t]; n < end; n++) {
            csm_status status = take_node(&ensemble->nodes[n], columns, n, end, ensemble->features);
            if (status) return status;
        }
    }
    ensemble->node_count = count;
    ensemble->trees = roots - 1;
    return CSM_OK;
}

csm_status gbt_read(void **state, const csm_model_info *info, const csm_tensors *tensors,
                    const char *prefix) {
    node_columns columns = {0};
    gbt_ensemble *ensemble = NULL;
    size_t count = SIZE_MAX, roots = SIZE_MAX;
    *state = NULL;
    if (info->outputs != 1) return csm_fail(CSM_ECORRUPT, "gbt: %u outputs, trees have 1", info->outputs);
    csm_status status = copy_columns(&columns, &count, &roots, tensors, prefix);
    if (status) goto done;
    if (!isfinite(*columns.base)) {
        status = csm_fail(CSM_ECORRUPT, "gbt: gbt.base is not finite");
        goto done;
    }
    if ((status = gbt_ensemble_new(&ensemble, info->features, *columns.base))) goto done;
    if ((status = take_nodes(ensemble, &columns, count, roots))) goto done;
    if (ensemble->trees != info->rounds) {
        status =
            csm_fail(CSM_ECORRUPT, "gbt: %zu trees, the description says %zu", ensemble->trees, info->rounds);
        goto done;
    }
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
