/* SPDX-License-Identifier: MIT */
/* Isotonic regression by pooling adjacent violators (Ayer et al. 1955), and inductive Venn-Abers predictors from it
 * (Vovk, Petej & Fedorova 2015). Pooling runs once forwards and once backwards, each in linear time, and keeps the pools
 * of every prefix and suffix; a new row at any place then only pools with its neighbours. */
#include "calibrate/internal.h"

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

/* Both ends of each pool of all groups; a pool of one group has one end. */
static csm_status keep_knots(csm_isotonic *isotonic, const csm_score_groups *groups) {
    size_t n = groups->count, knots = 0;
    for (size_t k = 0; k < n; k = isotonic->after[k].edge + 1) knots += isotonic->after[k].edge > k ? 2 : 1;
    isotonic->knot_score = csm_alloc_array(knots, sizeof *isotonic->knot_score);
    isotonic->knot_value = csm_alloc_array(knots, sizeof *isotonic->knot_value);
    if (!isotonic->knot_score || !isotonic->knot_value) return CSM_ENOMEM;
    for (size_t k = 0; k < n; k = isotonic->after[k].edge + 1) {
        const csm_pool *pool = &isotonic->after[k];
        for (size_t end = k; end <= pool->edge; end += pool->edge > k ? pool->edge - k : 1) {
            isotonic->knot_score[isotonic->knots] = groups->score[end];
            isotonic->knot_value[isotonic->knots++] = pool->positive / pool->weight;
        }
    }
    return CSM_OK;
}

csm_status csm_isotonic_fit(csm_isotonic *out, const csm_score_groups *groups) {
    size_t n = groups->count;
    out->before = csm_alloc_array(n, sizeof *out->before);
    out->after = csm_alloc_array(n, sizeof *out->after);
    if (!out->before || !out->after) {
        csm_isotonic_free(out);
        return CSM_ENOMEM;
    }
    for (size_t k = 0; k < n; k++) {
        csm_pool pool = pool_of_group(groups, k);
        while (pool.edge > 0 && mean_not_below(&out->before[pool.edge - 1], &pool))
            add_pool(&pool, &out->before[pool.edge - 1]);
        out->before[k] = pool;
    }
    for (size_t k = n; k-- > 0;) {
        csm_pool pool = pool_of_group(groups, k);
        while (pool.edge + 1 < n && mean_not_below(&pool, &out->after[pool.edge + 1]))
            add_pool(&pool, &out->after[pool.edge + 1]);
        out->after[k] = pool;
    }
    csm_status status = keep_knots(out, groups);
    if (status) csm_isotonic_free(out);
    return status;
}

void csm_isotonic_free(csm_isotonic *isotonic) {
    csm_dealloc(isotonic->before);
    csm_dealloc(isotonic->after);
    csm_dealloc(isotonic->knot_score);
    csm_dealloc(isotonic->knot_value);
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

double csm_isotonic_at(const csm_isotonic *isotonic, double score) {
    const double *knot = isotonic->knot_score, *value = isotonic->knot_value;
    size_t k = first_not_below(knot, isotonic->knots, score);
    if (k == isotonic->knots) return value[k - 1];
    if (k == 0 || knot[k] == score) return value[k];
    double low = value[k - 1], high = value[k];
    double share = (score / 2 - knot[k - 1] / 2) / (knot[k] / 2 - knot[k - 1] / 2);
    double between = low + share * (high - low);
    return between < low ? low : between > high ? high : between;
}

double csm_isotonic_with(const csm_isotonic *isotonic, const csm_score_groups *groups, double score,
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
        if (left > 0 && mean_not_below(&isotonic->before[left - 1], &pool)) {
            add_pool(&pool, &isotonic->before[left - 1]);
            left = pool.edge;
            pooled = true;
        }
        if (right < groups->count && mean_not_below(&pool, &isotonic->after[right])) {
            add_pool(&pool, &isotonic->after[right]);
            right = pool.edge + 1;
            pooled = true;
        }
    }
    return pool.positive / pool.weight;
}
