/* SPDX-License-Identifier: MIT */
/* One pass over the rows of several leaves: partition, sums of the smaller children, searches of both. */
#include "model/gbt/train.h"

#include <string.h>

#define PARTITION_ROWS 16384 /* rows of a chunk */
#define FILL_ROWS                                                                                            \
    8192 /* fewest rows of a further histogram: adding it up costs as much as some thousand rows */
#define SEARCH_FEATURES 16
#define CACHE_LINE 64

typedef struct pass_job {
    gbt_grower *grower;
    const gbt_tree_data *data;
    bool searched;
} pass_job;

/* ---- partition ---- */

static csm_status chunk_items(gbt_grower *g, const uint32_t *items, size_t count) {
    g->chunk_count = 0;
    for (size_t k = 0; k < count; k++) {
        const gbt_growing *item = &g->item[items[k]];
        for (size_t at = 0; at < item->count; at += PARTITION_ROWS) {
            size_t end = item->count - at < PARTITION_ROWS ? item->count : at + PARTITION_ROWS;
            csm_status status = gbt_grower_chunk(
                g, (gbt_chunk){.index = items[k], .begin = item->begin + at, .end = item->begin + end});
            if (status) return status;
        }
    }
    return CSM_OK;
}

/* Which codes go left. */
static void list_sides(uint8_t *goes_left, const gbt_bins *bins, const gbt_split *split) {
    for (uint32_t b = 0; b < CSM_GBT_SLOTS_MAX; b++) {
        if (split->flags & GBT_NODE_CATEGORICAL)
            goes_left[b] = split->left[b / 64] >> b % 64 & 1;
        else
            goes_left[b] = b <= split->bin;
    }
    if (bins->missing && !(split->flags & GBT_NODE_CATEGORICAL))
        goes_left[bins->slots - 1] = (split->flags & GBT_NODE_MISSING_LEFT) != 0;
}

/* Left rows, then right rows of each chunk into spare. */
static csm_status partition_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    const pass_job *job = user;
    gbt_grower *g = job->grower;
    const gbt_bins *bins = g->bins;
    if (!g->buffer[worker]) g->buffer[worker] = csm_alloc((PARTITION_ROWS + 16) * 2 * sizeof(uint32_t));
    if (!g->buffer[worker]) return CSM_ENOMEM;
    uint32_t *left = g->buffer[worker], *right = left + PARTITION_ROWS + 16;
    for (size_t c = begin; c < end; c++) {
        gbt_chunk *chunk = &g->chunk[c];
        const gbt_growing *item = &g->item[chunk->index];
        uint8_t goes_left[CSM_GBT_SLOTS_MAX];
        list_sides(goes_left, bins, &item->split);
        const uint8_t *code = bins->code + item->split.feature;
        size_t stride = bins->stride, count = chunk->end - chunk->begin;
        if (bins->column) {
            code = bins->column + (size_t)item->split.feature * bins->rows;
            stride = 1;
        }
        bool is_plain = !(item->split.flags & (GBT_NODE_CATEGORICAL | GBT_NODE_MISSING_LEFT));
        chunk->lefts = g->kernels->partition(left, right, job->data->row + chunk->begin, count, code, stride,
                                             goes_left, is_plain ? (int32_t)item->split.bin : -1);
        memcpy(g->spare + chunk->begin, left, chunk->lefts * sizeof *left);
        memcpy(g->spare + chunk->begin + chunk->lefts, right, (count - chunk->lefts) * sizeof *right);
    }
    return CSM_OK;
}

/* Where each chunk's sides go: `begin` and `lefts` stay, the targets stand in the two counters. */
typedef struct side_targets {
    size_t left;
    size_t right;
} side_targets;

static void move_item(const pass_job *job, const gbt_chunk *chunk, size_t chunks, size_t lefts) {
    uint32_t *row = job->data->row;
    const uint32_t *spare = job->grower->spare;
    side_targets to = {chunk[0].begin, chunk[0].begin + lefts};
    for (size_t c = 0; c < chunks; c++) {
        size_t begin = chunk[c].begin, left = chunk[c].lefts, right = chunk[c].end - begin - left;
        memcpy(row + to.left, spare + begin, left * sizeof *row);
        memcpy(row + to.right, spare + begin + left, right * sizeof *row);
        to.left += left;
        to.right += right;
    }
}

/* Chunks of one item stand together; this takes the item whose first chunk is `begin`. */
static csm_status move_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    const pass_job *job = user;
    const gbt_grower *g = job->grower;
    (void)worker;
    for (size_t c = begin; c < end; c++) {
        if (c > 0 && g->chunk[c - 1].index == g->chunk[c].index) continue;
        size_t chunks = 0, lefts = 0;
        for (; c + chunks < g->chunk_count && g->chunk[c + chunks].index == g->chunk[c].index; chunks++)
            lefts += g->chunk[c + chunks].lefts;
        move_item(job, g->chunk + c, chunks, lefts);
    }
    return CSM_OK;
}

/* ---- sums ---- */

static csm_gbt_rows rows_of(const pass_job *job, const gbt_growing *item, size_t begin, size_t count) {
    const gbt_grower *g = job->grower;
    const gbt_tree_data *data = job->data;
    bool all = item->count == g->bins->rows;
    return (csm_gbt_rows){.code = g->bins->code,
                          .stride = g->bins->stride,
                          .row = all ? NULL : data->row + begin,
                          .first = begin,
                          .count = count,
                          .feature = data->feature,
                          .features = data->feature_count,
                          .slots = g->bins->slots,
                          .narrow_shift = data->quanta->narrow_shift,
                          .column = g->bins->column,
                          .column_rows = g->bins->rows};
}

static void clear_histogram(uint64_t *histogram, const pass_job *job) {
    const gbt_grower *g = job->grower;
    for (size_t plane = 0; plane < g->planes; plane++) {
        for (size_t j = 0; j < job->data->feature_count; j++)
            memset(histogram + plane * g->buckets + (size_t)job->data->feature[j] * g->bins->slots, 0,
                   g->bins->slots * sizeof *histogram);
    }
}

/* This thread's room for sums of two features at once, on a cache line. */
static void *scratch_of(gbt_grower *g, uint32_t worker) {
    if (!g->scratch[worker]) g->scratch[worker] = csm_alloc_array(1, CSM_GBT_SCRATCH + CACHE_LINE);
    if (!g->scratch[worker]) return NULL;
    uintptr_t at = (uintptr_t)g->scratch[worker];
    return (char *)g->scratch[worker] + (CACHE_LINE - at % CACHE_LINE) % CACHE_LINE;
}

static csm_status sum_rows(const pass_job *job, const gbt_chunk *chunk, uint32_t worker) {
    gbt_grower *g = job->grower;
    const gbt_quanta *quanta = job->data->quanta;
    const gbt_growing *item = &g->item[g->fill[chunk->index].target];
    csm_gbt_rows rows = rows_of(job, item, chunk->begin, chunk->end - chunk->begin);
    clear_histogram(chunk->histogram, job);
    if (quanta->exact) {
        g->kernels->sum_exact(chunk->histogram, g->buckets, &rows, quanta->fixed,
                              quanta->fixed + quanta->rows);
        return CSM_OK;
    }
    if (g->bins->slots == CSM_GBT_SLOTS_FEW && rows.count >= CSM_GBT_JOINT_ROWS) {
        rows.scratch = scratch_of(g, worker);
        if (!rows.scratch) return CSM_ENOMEM;
    }
    g->kernels->sum_rows(chunk->histogram, &rows, quanta->quantum);
    return CSM_OK;
}

static csm_status sum_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    const pass_job *job = user;
    csm_status status = CSM_OK;
    for (size_t c = begin; c < end && !status; c++) status = sum_rows(job, &job->grower->chunk[c], worker);
    return status;
}

/* Whole rows in parts, each with a histogram of its own; the first part's is the item's. */
static csm_status chunk_rows(gbt_grower *g, size_t k) {
    gbt_fill *fill = &g->fill[k];
    const gbt_growing *item = &g->item[fill->target];
    size_t parts = item->count / FILL_ROWS;
    parts = parts > g->threads ? g->threads : parts < 1 ? 1 : parts;
    fill->part = g->part_count;
    fill->parts = parts - 1;
    for (size_t p = 0; p < parts; p++) {
        uint64_t *histogram = item->histogram;
        if (p > 0) {
            histogram = gbt_take_histogram(g);
            if (!histogram) return CSM_ENOMEM;
            g->part[g->part_count++] = histogram;
        }
        csm_status status =
            gbt_grower_chunk(g, (gbt_chunk){.index = (uint32_t)k,
                                            .begin = item->begin + item->count * p / parts,
                                            .end = item->begin + item->count * (p + 1) / parts,
                                            .histogram = histogram});
        if (status) return status;
    }
    return CSM_OK;
}

/* Histograms of all fills' targets, but for their parts. */
static csm_status fill_histograms(pass_job *job) {
    gbt_grower *g = job->grower;
    csm_status status = CSM_OK;
    size_t rows = 0;
    g->chunk_count = 0;
    for (size_t k = 0; k < g->fill_count && !status; k++) {
        gbt_growing *item = &g->item[g->fill[k].target];
        item->histogram = gbt_take_histogram(g);
        if (!item->histogram) return CSM_ENOMEM;
        rows += item->count;
        status = chunk_rows(g, k);
    }
    if (status) return status;
    uint32_t threads = gbt_threads_for(g, rows * job->data->feature_count / 4);
    return csm_parallel_for(threads, g->chunk_count, 1, sum_chunks, job);
}

/* ---- searches ---- */

static void add_buckets(uint64_t *to, const uint64_t *from, size_t n) {
    for (size_t b = 0; b < n; b++) to[b] += from[b];
}

static void subtract_buckets(uint64_t *to, const uint64_t *from, size_t n) {
    for (size_t b = 0; b < n; b++) to[b] -= from[b];
}

/* Completes feature f of a fill: its parts into its histogram, and that off its parent's. */
static void complete_feature(const gbt_grower *g, const gbt_fill *fill, uint32_t f) {
    size_t slots = g->bins->slots, at = (size_t)f * slots;
    uint64_t *histogram = g->item[fill->target].histogram;
    for (size_t plane = 0; plane < g->planes; plane++, at += g->buckets) {
        for (size_t p = 0; p < fill->parts; p++)
            add_buckets(histogram + at, g->part[fill->part + p] + at, slots);
        if (fill->sibling) subtract_buckets(fill->parent + at, histogram + at, slots);
    }
}

/* Units of work: (fill, SEARCH_FEATURES features). Found: two a unit, of target and sibling. */
static csm_status search_units(void *user, size_t begin, size_t end, uint32_t worker) {
    const pass_job *job = user;
    const gbt_grower *g = job->grower;
    size_t groups = (job->data->feature_count + SEARCH_FEATURES - 1) / SEARCH_FEATURES;
    (void)worker;
    for (size_t unit = begin; unit < end; unit++) {
        const gbt_fill *fill = &g->fill[unit / groups];
        const gbt_growing *target = &g->item[fill->target], *sibling = &g->item[fill->sibling];
        size_t first = unit % groups * SEARCH_FEATURES, last = first + SEARCH_FEATURES;
        if (last > job->data->feature_count) last = job->data->feature_count;
        gbt_split best[2] = {{0}};
        for (size_t j = first; j < last; j++) {
            uint32_t f = job->data->feature[j];
            complete_feature(g, fill, f);
            if (gbt_may_split(g, target)) gbt_search_feature(&best[0], g, job->data->quanta, target, f, NULL);
            if (fill->sibling && gbt_may_split(g, sibling))
                gbt_search_feature(&best[1], g, job->data->quanta, sibling, f, NULL);
        }
        g->found[2 * unit] = best[0];
        g->found[2 * unit + 1] = best[1];
    }
    return CSM_OK;
}

/* Takes the best of the units' findings, in the order of features; gives the histogram back when nothing gains. */
static void take_best(gbt_grower *g, uint32_t index, const gbt_split *found, size_t units) {
    gbt_growing *item = &g->item[index];
    item->split = (gbt_split){0};
    for (size_t u = 0; u < units; u++) {
        if (found[2 * u].gain > item->split.gain) item->split = found[2 * u];
    }
    if (item->split.gain > 0) return;
    gbt_give_histogram(g, item->histogram);
    item->histogram = NULL;
}

static csm_status search_fills(pass_job *job) {
    gbt_grower *g = job->grower;
    size_t groups = (job->data->feature_count + SEARCH_FEATURES - 1) / SEARCH_FEATURES;
    size_t units = g->fill_count * groups;
    if (2 * units > g->found_capacity) {
        gbt_split *grown = csm_realloc_array(g->found, 2 * units, sizeof *grown);
        if (!grown) return CSM_ENOMEM;
        g->found = grown;
        g->found_capacity = 2 * units;
    }
    csm_status status = csm_parallel_for(gbt_threads_for(g, 4 * units * SEARCH_FEATURES * g->bins->slots),
                                         units, 2, search_units, job);
    if (status) return status;
    for (size_t k = 0; k < g->fill_count; k++) {
        take_best(g, g->fill[k].target, g->found + 2 * k * groups, groups);
        if (g->fill[k].sibling) take_best(g, g->fill[k].sibling, g->found + 2 * k * groups + 1, groups);
    }
    return CSM_OK;
}

static csm_status fill_and_search(pass_job *job) {
    gbt_grower *g = job->grower;
    g->part_count = 0;
    csm_status status = fill_histograms(job);
    if (!status) status = search_fills(job);
    for (size_t p = 0; p < g->part_count; p++) gbt_give_histogram(g, g->part[p]);
    g->part_count = 0;
    return status;
}

csm_status gbt_pass_root(gbt_grower *g, const gbt_tree_data *data) {
    pass_job job = {g, data, true};
    g->fill[0] = (gbt_fill){.target = 0};
    g->fill_count = 1;
    return fill_and_search(&job);
}

/* ---- splits ---- */

/* Searches an item again with counts instead of estimates: they let a side have fewer rows than min_rows. */
static csm_status search_with_counts(pass_job *job, uint32_t index) {
    gbt_grower *g = job->grower;
    gbt_growing *item = &g->item[index];
    uint64_t *counts = gbt_take_histogram(g);
    gbt_split best = {0};
    if (!counts) return CSM_ENOMEM;
    csm_gbt_rows rows = rows_of(job, item, item->begin, item->count);
    clear_histogram(counts, job);
    g->kernels->sum_rows(counts, &rows, NULL);
    for (size_t j = 0; j < job->data->feature_count; j++)
        gbt_search_feature(&best, g, job->data->quanta, item, job->data->feature[j], counts);
    gbt_give_histogram(g, counts);
    item->is_counted = true;
    take_best(g, index, &best, 1);
    return CSM_OK;
}

/* A split by a constrained feature bounds the values on either side by the middle of its two (LightGBM's "basic" method). */
void gbt_make_children(gbt_grower *g, uint32_t index, size_t lefts) {
    gbt_growing *item = &g->item[index];
    int monotone = g->options.monotone ? g->options.monotone[item->split.feature] : 0;
    double middle = 0.5 * (item->split.left_value + item->split.right_value);
    gbt_growing left = {.depth = item->depth + 1, .lower = item->lower, .upper = item->upper};
    gbt_growing right = left;
    if (monotone > 0) left.upper = right.lower = middle;
    if (monotone < 0) left.lower = right.upper = middle;
    left.begin = item->begin;
    left.count = lefts;
    right.begin = item->begin + lefts;
    right.count = item->count - lefts;
    item->child = (uint32_t)g->item_count;
    g->item_count += 2;
    g->item[item->child] = left;
    g->item[item->child + 1] = right;
}

/* What to sum for the children: the smaller one, the larger is the parent less it. Neither when both are too small. */
static void plan_fill(gbt_grower *g, uint32_t index) {
    gbt_growing *item = &g->item[index];
    uint32_t left = item->child, right = item->child + 1;
    bool left_smaller = g->item[left].count <= g->item[right].count;
    uint32_t larger = left_smaller ? right : left;
    if (gbt_may_split(g, &g->item[larger])) {
        g->item[larger].histogram = item->histogram; /* the parent's until the search */
        g->fill[g->fill_count++] =
            (gbt_fill){.target = left_smaller ? left : right, .sibling = larger, .parent = item->histogram};
    } else {
        gbt_give_histogram(g, item->histogram);
    }
    item->histogram = NULL;
}

csm_status gbt_pass_split(gbt_grower *g, const gbt_tree_data *data, const uint32_t *items, size_t count,
                          bool searched) {
    pass_job job = {g, data, searched};
    size_t rows = 0;
    csm_status status = chunk_items(g, items, count);
    for (size_t k = 0; k < count; k++) rows += g->item[items[k]].count;
    uint32_t threads = gbt_threads_for(g, 2 * rows);
    if (!status) status = csm_parallel_for(threads, g->chunk_count, 1, partition_chunks, &job);
    if (!status) status = csm_parallel_for(threads, g->chunk_count, 1, move_chunks, &job);
    g->fill_count = 0;
    for (size_t k = 0, c = 0; k < count && !status; k++) {
        size_t lefts = 0;
        const gbt_growing *item = &g->item[items[k]];
        for (; c < g->chunk_count && g->chunk[c].index == items[k]; c++) lefts += g->chunk[c].lefts;
        size_t smaller = lefts < item->count - lefts ? lefts : item->count - lefts;
        if ((double)smaller < g->options.limits.min_rows && !item->is_counted) {
            status = search_with_counts(&job, items[k]);
            continue;
        }
        gbt_make_children(g, items[k], lefts);
        if (searched) plan_fill(g, items[k]);
    }
    if (status || g->fill_count == 0) return status;
    return fill_and_search(&job);
}
