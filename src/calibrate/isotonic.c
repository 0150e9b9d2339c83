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

csm_status csm_isotonic_fit(csm_isotonic *out, const csm_score_groups *groups) {
    size_t n = groups->count;
    out->before = csm_alloc_array(n, sizeof *out->before);
    out->after = csm_alloc_array(n, sizeof *out->after);
    out->fitted = csm_alloc_array(n, sizeof *out->fitted);
    if (!out->before || !out->after || !out->fitted) {
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
    for (size_t k = 0; k < n;) {
        const csm_pool *pool = &out->after[k];
        for (; k <= pool->edge; k++) out->fitted[k] = pool->positive / pool->weight;
    }
    return CSM_OK;
}

void csm_isotonic_free(csm_isotonic *isotonic) {
    csm_dealloc(isotonic->before);
    csm_dealloc(isotonic->after);
    csm_dealloc(isotonic->fitted);
    *isotonic = (csm_isotonic){0};
}

/* First group whose score is not below `score`; count when all are. */
static size_t first_not_below(const csm_score_groups *groups, double score) {
    size_t low = 0, high = groups->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (groups->score[middle] < score)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

double csm_isotonic_at(const csm_isotonic *isotonic, const csm_score_groups *groups, double score) {
    size_t k = first_not_below(groups, score);
    if (k == groups->count) return isotonic->fitted[k - 1];
    if (k == 0 || groups->score[k] == score) return isotonic->fitted[k];
    double low = isotonic->fitted[k - 1], high = isotonic->fitted[k];
    double share = (score / 2 - groups->score[k - 1] / 2) / (groups->score[k] / 2 - groups->score[k - 1] / 2);
    double value = low + share * (high - low);
    return value < low ? low : value > high ? high : value;
}

double csm_isotonic_with(const csm_isotonic *isotonic, const csm_score_groups *groups, double score,
                         double outcome) {
    size_t k = first_not_below(groups, score);
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
