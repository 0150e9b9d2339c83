/* SPDX-License-Identifier: MIT */
/*
 * One tree, best leaf first (Shi 2007; Ke et al. 2017): the leaf of the highest gain is split until leaves run out.
 *
 * Several leaves are split in one pass over the data: the best one and those that will probably follow. Which of these
 * splits belong to the tree is decided afterwards, in the order of gains alone, so that the tree is the one that
 * splitting one leaf at a time gives.
 */
#include "model/gbt/train.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define SERIAL_STEPS 100000
#define PASS_LEAVES 8 /* most leaves split in one pass */
#define GUESS_SHARE                                                                                          \
    6 /* of the splits left: with half of them an eighth more rows were summed in vain, with this none */

csm_status gbt_grower_new(gbt_grower **out, const gbt_bins *bins, const gbt_grow_options *options,
                          const csm_gbt_kernels *kernels, bool exact, uint32_t threads) {
    gbt_grower *g = csm_alloc_array(1, sizeof *g);
    *out = NULL;
    if (!g) return CSM_ENOMEM;
    g->bins = bins;
    g->kernels = kernels;
    g->options = *options;
    g->threads = threads;
    g->buckets = bins->features * bins->slots;
    g->planes = exact ? 3 : 1;
    g->item_capacity = 4 * (size_t)options->leaves + 2; /* each split, kept or not, makes two */
    g->item = csm_alloc_array(g->item_capacity, sizeof *g->item);
    g->leaf = csm_alloc_array(options->leaves, sizeof *g->leaf);
    g->node = csm_alloc_array(g->item_capacity, sizeof *g->node);
    g->value = csm_alloc_array(options->leaves, sizeof *g->value);
    g->spare = csm_alloc(bins->rows * sizeof *g->spare);
    g->buffer = csm_alloc_array(threads, sizeof *g->buffer);
    g->scratch = csm_alloc_array(threads, sizeof *g->scratch);
    g->fill = csm_alloc_array(PASS_LEAVES, sizeof *g->fill);
    g->part = csm_alloc_array((size_t)PASS_LEAVES * threads, sizeof *g->part);
    if (!g->item || !g->leaf || !g->node || !g->value || !g->spare || !g->buffer || !g->scratch || !g->fill ||
        !g->part) {
        gbt_grower_free(g);
        return CSM_ENOMEM;
    }
    *out = g;
    return CSM_OK;
}

void gbt_grower_free(gbt_grower *g) {
    if (!g) return;
    gbt_card_close(g);
    for (size_t i = 0; g->item && i < g->item_count; i++) csm_dealloc(g->item[i].histogram);
    for (size_t i = 0; i < g->pooled; i++) csm_dealloc(g->pool[i]);
    for (uint32_t t = 0; g->buffer && t < g->threads; t++) csm_dealloc(g->buffer[t]);
    for (uint32_t t = 0; g->scratch && t < g->threads; t++) csm_dealloc(g->scratch[t]);
    csm_dealloc((void *)g->scratch);
    csm_dealloc(g->item);
    csm_dealloc(g->leaf);
    csm_dealloc(g->node);
    csm_dealloc(g->value);
    csm_dealloc(g->spare);
    csm_dealloc((void *)g->buffer);
    csm_dealloc((void *)g->pool);
    csm_dealloc(g->fill);
    csm_dealloc((void *)g->part);
    csm_dealloc(g->chunk);
    csm_dealloc(g->found);
    csm_dealloc(g);
}

/* The pool has room for every histogram ever taken, so giving one back cannot fail. */
uint64_t *gbt_take_histogram(gbt_grower *g) {
    if (g->pooled) return g->pool[--g->pooled];
    uint64_t **grown = csm_realloc_array((void *)g->pool, g->pool_capacity + 1, sizeof *grown);
    if (!grown) return NULL;
    g->pool = grown;
    uint64_t *histogram = csm_alloc_array(g->buckets, g->planes * sizeof *histogram);
    if (histogram) g->pool_capacity++;
    return histogram;
}

void gbt_give_histogram(gbt_grower *g, uint64_t *histogram) {
    if (histogram) g->pool[g->pooled++] = histogram;
}

csm_status gbt_grower_chunk(gbt_grower *g, gbt_chunk chunk) {
    if (g->chunk_count == g->chunk_capacity) {
        size_t capacity = 2 * g->chunk_capacity + 64;
        gbt_chunk *grown = csm_realloc_array(g->chunk, capacity, sizeof *grown);
        if (!grown) return CSM_ENOMEM;
        g->chunk = grown;
        g->chunk_capacity = capacity;
    }
    g->chunk[g->chunk_count++] = chunk;
    return CSM_OK;
}

uint32_t gbt_threads_for(const gbt_grower *g, size_t steps) {
    return steps < SERIAL_STEPS ? 1 : g->threads;
}

bool gbt_may_split(const gbt_grower *g, const gbt_growing *item) {
    return item->depth < g->options.depth && item->count >= 2 &&
           (double)item->count >= 2 * g->options.limits.min_rows;
}

/* ---- which leaf ---- */

/* Whether item a is split before b, neither of which need have a split. */
static bool is_before(const gbt_grower *g, const gbt_growing *a, const gbt_growing *b) {
    if (!(a->split.gain > 0) || !(b->split.gain > 0)) return a->split.gain > b->split.gain;
    if (g->options.depth_wise && a->depth != b->depth) return a->depth < b->depth;
    return a->split.gain > b->split.gain;
}

/* The leaf that is split next: of the highest gain (depth-wise: on the highest level), the oldest of equals. */
static size_t next_leaf(const gbt_grower *g) {
    size_t best = 0;
    for (size_t i = 1; i < g->leaf_count; i++) {
        if (is_before(g, &g->item[g->leaf[i]], &g->item[g->leaf[best]])) best = i;
    }
    return best;
}

/* `wanted` and the items that will probably be split after it: the highest gains among all that have no children yet.
 * A share of what is left to split bounds the guess. */
static size_t choose_items(uint32_t *chosen, const gbt_grower *g, uint32_t wanted) {
    size_t left = g->options.leaves - g->leaf_count, count = 1;
    size_t room = (g->item_capacity - g->item_count) / 2 - left; /* for guesses that fail */
    size_t most = left / GUESS_SHARE < PASS_LEAVES ? left / GUESS_SHARE : PASS_LEAVES;
    if (most > room + 1) most = room + 1;
    chosen[0] = wanted;
    while (count < most) {
        uint32_t best = 0;
        bool found = false;
        for (uint32_t i = 0; i < g->item_count; i++) {
            if (g->item[i].child || !(g->item[i].split.gain > 0)) continue;
            bool taken = false;
            for (size_t k = 0; k < count; k++) taken = taken || chosen[k] == i;
            if (taken || (found && !is_before(g, &g->item[i], &g->item[best]))) continue;
            best = i;
            found = true;
        }
        if (!found) break;
        chosen[count++] = best;
    }
    return count;
}

/* The set of categories whose bins go left, as nodes name it. */
static csm_status keep_set(uint32_t *set, const gbt_bins *bins, const gbt_split *split,
                           gbt_ensemble *ensemble) {
    const float *category = bins->category + (size_t)split->feature * bins->slots;
    uint32_t largest = 0;
    for (uint32_t b = 0; b + 1 < bins->count[split->feature]; b++) {
        if (split->left[b / 64] >> b % 64 & 1 && (uint32_t)category[b] > largest)
            largest = (uint32_t)category[b];
    }
    uint32_t words = largest / 32 + 1;
    uint32_t *word = csm_alloc_array(words, sizeof *word);
    if (!word) return CSM_ENOMEM;
    for (uint32_t b = 0; b + 1 < bins->count[split->feature]; b++) {
        uint32_t value = (uint32_t)category[b];
        if (split->left[b / 64] >> b % 64 & 1) word[value / 32] |= UINT32_C(1) << value % 32;
    }
    csm_status status = gbt_ensemble_add_set(set, ensemble, word, words);
    csm_dealloc(word);
    return status;
}

csm_status gbt_keep_split(gbt_node *nodes, size_t *count, gbt_grower *g, size_t at, gbt_ensemble *ensemble) {
    uint32_t index = g->leaf[at];
    const gbt_growing *item = &g->item[index];
    const gbt_split *split = &item->split;
    gbt_node *node = &nodes[g->node[index]];
    node->feature = (int32_t)split->feature;
    node->bin = split->bin;
    node->flags = split->flags;
    node->left = (int32_t)*count;
    node->gain = split->gain;
    if (split->flags & GBT_NODE_CATEGORICAL) {
        csm_status status = keep_set(&node->set, g->bins, split, ensemble);
        if (status) return status;
    } else {
        float edge = g->bins->edge[(size_t)split->feature * g->bins->slots + split->bin];
        node->threshold = isinf(edge) ? FLT_MAX : edge; /* every value left, missing ones right */
    }
    g->node[item->child] = (uint32_t)*count;
    g->node[item->child + 1] = (uint32_t)*count + 1;
    g->leaf[at] = item->child;
    g->leaf[g->leaf_count++] = item->child + 1;
    *count += 2;
    return CSM_OK;
}

static void start_root(gbt_grower *g, const gbt_tree_data *data) {
    for (size_t i = 0; i < g->item_count; i++) gbt_give_histogram(g, g->item[i].histogram);
    memset(g->item, 0, g->item_capacity * sizeof *g->item);
    g->item[0] = (gbt_growing){.count = data->row_count, .lower = -INFINITY, .upper = INFINITY};
    g->item_count = 1;
    g->leaf_count = 1;
    g->leaf[0] = 0;
    g->node[0] = 0;
}

/* Children stand behind parents, so one pass from the end sums the covers. */
static void sum_covers(gbt_node *nodes, size_t count) {
    for (size_t n = count; n-- > 0;) {
        if (nodes[n].feature >= 0)
            nodes[n].cover = nodes[nodes[n].left].cover + nodes[nodes[n].left + 1].cover;
    }
}

static csm_status grow_here(gbt_node *nodes, size_t *count, gbt_grower *g, const gbt_tree_data *data,
                            gbt_ensemble *ensemble) {
    csm_status status = gbt_pass_root(g, data);
    if (status) return status;
    while (g->leaf_count < g->options.leaves) {
        size_t at = next_leaf(g);
        uint32_t chosen[PASS_LEAVES];
        const gbt_growing *item = &g->item[g->leaf[at]];
        if (!(item->split.gain > 0)) break;
        if (item->child) {
            if ((status = gbt_keep_split(nodes, count, g, at, ensemble))) return status;
            continue;
        }
        size_t taken = choose_items(chosen, g, g->leaf[at]);
        bool searched = g->leaf_count + 1 < g->options.leaves;
        if ((status = gbt_pass_split(g, data, chosen, taken, searched))) return status;
    }
    return CSM_OK;
}

csm_status gbt_grow(gbt_node *nodes, size_t *count, gbt_grower *g, const gbt_tree_data *data,
                    gbt_ensemble *ensemble) {
    csm_status status = CSM_OK;
    start_root(g, data);
    memset(nodes, 0, (2 * (size_t)g->options.leaves - 1) * sizeof *nodes);
    *count = 1;
    if (data->quanta->gradient_unit > 0 && gbt_may_split(g, &g->item[0])) {
        status = g->card ? gbt_card_grow(nodes, count, g, data, ensemble) : CSM_ENODATA;
        if (status == CSM_ENODATA) status = grow_here(nodes, count, g, data, ensemble);
        if (status) return status;
    }
    if ((status = gbt_leaf_values(g, data))) return status;
    for (size_t i = 0; i < g->leaf_count; i++) {
        gbt_node *node = &nodes[g->node[g->leaf[i]]];
        node->feature = -1;
        node->value = g->value[i];
        node->cover = (double)g->item[g->leaf[i]].count;
    }
    sum_covers(nodes, *count);
    return CSM_OK;
}
