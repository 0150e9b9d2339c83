/* SPDX-License-Identifier: MIT */
/* Isotonic regression by pooling adjacent violators (Ayer et al. 1955), and inductive Venn-Abers predictors from it
 * (Vovk, Petej & Fedorova 2015). For these, pooling runs once forwards and once backwards, each in linear time, and keeps the
 * pools of every prefix and suffix; a new row at any place then only pools with its neighbours. */
#include "calibrate/internal.h"

#include <math.h>

#define CELLS_A_KNOT 16 /* most cells then hold no knot, and few scores meet a search */

/* Mean of a >= mean of b, without divisions. */
static bool mean_not_below(const csm_pool *a, const csm_pool *b) {
    return a->positive * b->weight >= b->positive * a->weight;
}

static void add_pool(csm_pool *pool, const csm_pool *other) {
    pool->weight += other->weight;
    pool->positive += other->positive;
    pool->edge = other->edge;
}

static csm_pool pool_of_group(const csm_score_groups *groups, size_t k) {
    return (csm_pool){groups->weight[k], groups->positive[k], k};
}

/* ---- regression ---- */

/* Runs of groups whose means do not rise, each with its first group as edge, into pool[n]; returns how many. All of a run ends
 * in one pool whatever is beside it, and finding runs needs no branch, which outcomes would make unpredictable. */
static size_t runs_of(csm_pool *pool, const csm_score_groups *groups) {
    const double *weight = groups->weight, *positive = groups->positive;
    csm_pool open = pool_of_group(groups, 0);
    size_t runs = 0;
    pool[0] = open;
    for (size_t k = 1; k < groups->count; k++) {
        const bool rises = positive[k - 1] * weight[k] < positive[k] * weight[k - 1];
        runs += rises;
        open.weight = (rises ? 0 : open.weight) + weight[k];
        open.positive = (rises ? 0 : open.positive) + positive[k];
        open.edge = rises ? k : open.edge;
        pool[runs] = open;
    }
    return runs + 1;
}

/* Pools of all groups, each with its first group as edge, into pool[n]; returns how many. The last pool is open: most runs
 * only join it. */
static size_t pool_all(csm_pool *pool, const csm_score_groups *groups) {
    const size_t runs = runs_of(pool, groups);
    size_t pools = 0;
    csm_pool open = pool[0];
    for (size_t r = 1; r < runs; r++) {
        const csm_pool run = pool[r]; /* pools <= r: not overwritten yet */
        if (!mean_not_below(&open, &run)) {
            pool[pools++] = open;
            open = run;
            continue;
        }
        open.weight += run.weight;
        open.positive += run.positive;
        while (pools > 0 && mean_not_below(&pool[pools - 1], &open)) add_pool(&open, &pool[--pools]);
    }
    pool[pools++] = open;
    return pools;
}

/* Both ends of each pool; a pool of one group has one end. */
static csm_status keep_knots(csm_isotonic *isotonic, const csm_score_groups *groups, const csm_pool *pool,
                             size_t pools) {
    isotonic->knot_score = csm_alloc_array(2 * pools, sizeof *isotonic->knot_score);
    isotonic->knot_value = csm_alloc_array(2 * pools, sizeof *isotonic->knot_value);
    if (!isotonic->knot_score || !isotonic->knot_value) return CSM_ENOMEM;
    for (size_t p = 0; p < pools; p++) {
        size_t first = pool[p].edge, last = p + 1 < pools ? pool[p + 1].edge - 1 : groups->count - 1;
        for (size_t end = first; end <= last; end += last > first ? last - first : 1) {
            isotonic->knot_score[isotonic->knots] = groups->score[end];
            isotonic->knot_value[isotonic->knots++] = pool[p].positive / pool[p].weight;
        }
    }
    return CSM_OK;
}

/* Cell of a score that lies strictly between first and last knot; rises with the score. */
static size_t cell_of(const csm_isotonic *isotonic, double score) {
    size_t cell = (size_t)((score / 2 - isotonic->knot_score[0] / 2) * isotonic->cell_scale);
    return cell < isotonic->cells ? cell : isotonic->cells - 1;
}

/* Knots by cells of equal width between the outer ones. Without cells (a range that doubles cannot divide) there is one. */
static csm_status keep_cells(csm_isotonic *isotonic) {
    size_t knots = isotonic->knots;
    double half = isotonic->knot_score[knots - 1] / 2 - isotonic->knot_score[0] / 2;
    isotonic->cells = CELLS_A_KNOT * knots;
    isotonic->cell_scale = (double)isotonic->cells / half;
    if (!isfinite(isotonic->cell_scale)) {
        isotonic->cells = 1;
        isotonic->cell_scale = 0;
    }
    isotonic->cell_knot = csm_alloc_array(isotonic->cells + 1, sizeof *isotonic->cell_knot);
    if (!isotonic->cell_knot) return CSM_ENOMEM;
    size_t cell = 0;
    for (size_t k = 0; k < knots; k++) {
        size_t own = k == 0           ? 0
                     : k + 1 == knots ? isotonic->cells - 1
                                      : cell_of(isotonic, isotonic->knot_score[k]);
        while (cell < own) isotonic->cell_knot[++cell] = (uint32_t)k;
    }
    while (cell < isotonic->cells) isotonic->cell_knot[++cell] = (uint32_t)(knots - 1);
    return CSM_OK;
}

csm_status csm_isotonic_fit(csm_isotonic *out, const csm_score_groups *groups) {
    csm_pool *pool = csm_alloc(groups->count * sizeof *pool);
    csm_status status = pool ? CSM_OK : CSM_ENOMEM;
    if (!status) status = keep_knots(out, groups, pool, pool_all(pool, groups));
    if (!status) status = keep_cells(out);
    csm_dealloc(pool);
    if (status) csm_isotonic_free(out);
    return status;
}

void csm_isotonic_free(csm_isotonic *isotonic) {
    csm_dealloc(isotonic->knot_score);
    csm_dealloc(isotonic->knot_value);
    csm_dealloc(isotonic->cell_knot);
    *isotonic = (csm_isotonic){0};
}

/* First of n ascending values that is not below `value`; n when all are. */
static size_t first_not_below(const double *values, size_t n, double value) {
    size_t first = 0;
    for (size_t length = n; length > 0;) {
        size_t half = length / 2;
        bool below = values[first + half] < value;
        first += below ? half + 1 : 0;
        length = below ? length - half - 1 : half;
    }
    return first;
}

static inline double value_at(const csm_isotonic *isotonic, double score) {
    const double *knot = isotonic->knot_score, *value = isotonic->knot_value;
    size_t last = isotonic->knots - 1;
    if (score <= knot[0]) return value[0];
    if (score >= knot[last]) return value[last];
    size_t cell = cell_of(isotonic, score), from = isotonic->cell_knot[cell];
    size_t k = from + first_not_below(knot + from, isotonic->cell_knot[cell + 1] - from, score);
    if (knot[k] == score) return value[k];
    double low = value[k - 1], high = value[k];
    double share = (score / 2 - knot[k - 1] / 2) / (knot[k] / 2 - knot[k - 1] / 2);
    double between = low + share * (high - low);
    return between < low ? low : between > high ? high : between;
}

double csm_isotonic_at(const csm_isotonic *isotonic, double score) {
    return value_at(isotonic, score);
}

void csm_isotonic_apply(const csm_isotonic *isotonic, const double *score, double *value, size_t n) {
    const csm_isotonic own = *isotonic; /* in registers: `value` may not be thought to change it */
    for (size_t i = 0; i < n; i++) value[i] = value_at(&own, score[i]);
}

/* ---- Venn-Abers ---- */

csm_status csm_venn_abers_fit(csm_venn_abers **out, const csm_score_groups *groups) {
    size_t n = groups->count;
    csm_venn_abers *pools = csm_alloc_array(1, sizeof *pools);
    *out = NULL;
    if (!pools) return CSM_ENOMEM;
    pools->before = csm_alloc_array(n, sizeof *pools->before);
    pools->after = csm_alloc_array(n, sizeof *pools->after);
    if (!pools->before || !pools->after) {
        csm_venn_abers_free(pools);
        return CSM_ENOMEM;
    }
    for (size_t k = 0; k < n; k++) {
        csm_pool pool = pool_of_group(groups, k);
        while (pool.edge > 0 && mean_not_below(&pools->before[pool.edge - 1], &pool))
            add_pool(&pool, &pools->before[pool.edge - 1]);
        pools->before[k] = pool;
    }
    for (size_t k = n; k-- > 0;) {
        csm_pool pool = pool_of_group(groups, k);
        while (pool.edge + 1 < n && mean_not_below(&pool, &pools->after[pool.edge + 1]))
            add_pool(&pool, &pools->after[pool.edge + 1]);
        pools->after[k] = pool;
    }
    *out = pools;
    return CSM_OK;
}

void csm_venn_abers_free(csm_venn_abers *pools) {
    if (!pools) return;
    csm_dealloc(pools->before);
    csm_dealloc(pools->after);
    csm_dealloc(pools);
}

double csm_venn_abers_at(const csm_venn_abers *pools, const csm_score_groups *groups, double score,
                         double outcome) {
    size_t k = first_not_below(groups->score, groups->count, score);
    bool tied = k < groups->count && groups->score[k] == score;
    csm_pool pool = {1, outcome, 0};
    size_t left = k;                 /* groups before it: pools before[left - 1], ... */
    size_t right = tied ? k + 1 : k; /* groups after it */
    if (tied) {
        pool.weight += groups->weight[k];
        pool.positive += groups->positive[k];
    }
    for (bool pooled = true; pooled;) {
        pooled = false;
        if (left > 0 && mean_not_below(&pools->before[left - 1], &pool)) {
            add_pool(&pool, &pools->before[left - 1]);
            left = pool.edge;
            pooled = true;
        }
        if (right < groups->count && mean_not_below(&pool, &pools->after[right])) {
            add_pool(&pool, &pools->after[right]);
            right = pool.edge + 1;
            pooled = true;
        }
    }
    return pool.positive / pool.weight;
}
