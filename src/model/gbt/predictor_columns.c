/* SPDX-License-Identifier: MIT */
/* Which columns of codes an ensemble needs, and where each node's comparison takes place. */
#include "model/gbt/predictor.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MIN 5 /* what the kernels take */

/* Nodes that may share a column agree in all but the threshold. */
typedef struct placed_node {
    uint32_t feature;
    uint32_t flags; /* as columns see them */
    uint32_t set;
    float threshold;
    uint32_t node;
} placed_node;

static int compare_keys(const placed_node *a, const placed_node *b) {
    if (a->feature != b->feature) return a->feature < b->feature ? -1 : 1;
    if (a->flags != b->flags) return a->flags < b->flags ? -1 : 1;
    if (a->set != b->set) return a->set < b->set ? -1 : 1;
    return 0;
}

static int compare_places(const void *left, const void *right) {
    const placed_node *a = left, *b = right;
    int keys = compare_keys(a, b);
    if (keys) return keys;
    if (a->threshold < b->threshold || a->threshold > b->threshold)
        return a->threshold < b->threshold ? -1 : 1;
    return a->node < b->node ? -1 : 1;
}

static uint32_t column_flags(const gbt_ensemble *ensemble, uint32_t flags) {
    if (!ensemble->missing) flags &= ~(uint32_t)GBT_NODE_MISSING_NAN;
    if (!(flags & (GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_ZERO))) flags &= ~(uint32_t)GBT_NODE_MISSING_LEFT;
    return flags;
}

static size_t gather(placed_node *item, const gbt_ensemble *ensemble, size_t node_count) {
    size_t count = 0;
    for (size_t n = 0; n < node_count; n++) {
        const gbt_node *node = &ensemble->nodes[n];
        if (node->feature < 0) continue;
        bool categorical = node->flags & GBT_NODE_CATEGORICAL;
        float threshold = node->threshold > FLT_MAX ? FLT_MAX /* x is finite, and +inf stands for missing */
                          : node->threshold < -FLT_MAX ? -INFINITY
                                                       : node->threshold;
        item[count++] =
            (placed_node){(uint32_t)node->feature, column_flags(ensemble, node->flags),
                          categorical ? node->set : 0, categorical ? 0.5F : threshold, (uint32_t)n};
    }
    return count;
}

/* Level order: entry j of level k is sorted[(2j + 1) 2^(levels - 1 - k) - 1]; +inf beyond `count`. */
static void lay_out(float *edge, uint32_t levels, const float *sorted, uint32_t count) {
    for (uint32_t k = 0, at = 0; k < levels; k++) {
        for (uint32_t j = 0; j < 1u << k; j++, at++) {
            uint32_t from = ((2 * j + 1) << (levels - 1 - k)) - 1;
            edge[at] = from < count ? sorted[from] : INFINITY;
        }
    }
}

/* The code of missing values: where their column's nodes want them, or where 0 stands. */
static void set_missing(gbt_column *column, uint32_t flags, const float *sorted, uint32_t count) {
    bool left = flags & GBT_NODE_MISSING_LEFT;
    column->zero_is_missing = (flags & GBT_NODE_MISSING_ZERO) != 0;
    if (flags & (GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_ZERO)) {
        column->missing_code = (uint8_t)(left ? 0 : column->set ? 1 : count);
        column->missing_value = left ? -INFINITY : INFINITY;
        return;
    }
    if (column->set) { /* NaN is in no set */
        column->missing_code = 1;
        column->missing_value = INFINITY;
        return;
    }
    column->missing_value = 0;
    for (uint32_t i = 0; i < count && sorted[i] < 0; i++) column->missing_code = (uint8_t)(i + 1);
}

static void add_column(gbt_plan *plan, const placed_node *key, const float *sorted, uint32_t count,
                       size_t *edges) {
    gbt_column *column = &plan->column[plan->column_count++];
    uint32_t levels = LEVELS_MIN;
    while ((1u << levels) - 1 < count) levels++;
    plan->column_feature[plan->column_count - 1] = key->feature;
    *column = (gbt_column){.feature = key->feature, .levels = levels};
    if (key->flags & GBT_NODE_CATEGORICAL) column->set = plan->category + key->set;
    set_missing(column, key->flags, sorted, count);
    plan->plain = plan->plain && !column->set && !column->zero_is_missing;
    if (column->set) return;
    column->edge = plan->edge + *edges;
    lay_out(plan->edge + *edges, levels, sorted, count);
    *edges += ((size_t)1 << levels) - 1;
}

/* Columns of items [begin, end), which share a key; each takes up to GBT_COLUMN_EDGES distinct thresholds. */
static void place_key(gbt_plan *plan, gbt_place *place, const placed_node *item, size_t begin, size_t end,
                      size_t *edges) {
    float sorted[GBT_COLUMN_EDGES];
    uint32_t count = 0;
    for (size_t i = begin; i < end; i++) {
        bool known = count && !(item[i].threshold > sorted[count - 1]);
        if (!known && count == GBT_COLUMN_EDGES) {
            add_column(plan, &item[begin], sorted, count, edges);
            count = 0;
        }
        if (!known) sorted[count++] = item[i].threshold;
        place[item[i].node] = (gbt_place){(uint32_t)plan->column_count, count - 1};
    }
    add_column(plan, &item[begin], sorted, count, edges);
}

csm_status gbt_plan_columns(gbt_plan *plan, gbt_place *place, const gbt_ensemble *ensemble,
                            size_t node_count) {
    csm_status status = CSM_ENOMEM;
    size_t edges = 0;
    placed_node *item = csm_alloc_array(node_count, sizeof *item);
    if (!item) return CSM_ENOMEM;
    size_t count = gather(item, ensemble, node_count);
    qsort(item, count, sizeof *item, compare_places);
    size_t keys = 0, full = count / GBT_COLUMN_EDGES;
    for (size_t i = 0; i < count; i++) keys += i == 0 || compare_keys(&item[i - 1], &item[i]);
    /* Beside the first column of a key, another one needs 255 thresholds before it. A column takes less than
     * twice its thresholds, and LEVELS_MIN's at least. */
    plan->column = csm_alloc_array(keys + full, sizeof *plan->column);
    plan->edge = csm_alloc_array(2 * count + (keys + full) * (1u << LEVELS_MIN), sizeof *plan->edge);
    plan->column_feature = csm_alloc_array(keys + full, sizeof *plan->column_feature);
    plan->category = csm_alloc_array(ensemble->category_count, sizeof *plan->category);
    if (!plan->column || !plan->column_feature || !plan->edge || !plan->category) goto done;
    if (ensemble->category_count)
        memcpy(plan->category, ensemble->category, ensemble->category_count * sizeof *plan->category);
    plan->plain = true;
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && compare_keys(&item[begin], &item[end]) == 0;) end++;
        place_key(plan, place, item, begin, end, &edges);
    }
    status = CSM_OK;
done:
    csm_dealloc(item);
    return status;
}
