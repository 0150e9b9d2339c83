/* SPDX-License-Identifier: MIT */
/*
 * LambdaRank (Burges 2010, "From RankNet to LambdaRank to LambdaMART"): rows of a group stand together; for each pair of
 * different y the gradient of the logistic loss of the order, times what swapping them changes in NDCG. The gain of y is
 * 2^y - 1, the discount of place k (from 0) is 1 / log2(k + 2), and pairs count that hold one of the first 30 places, as in
 * LightGBM (lambdarank_truncation_level). As there (lambdarank_norm), a pair counts less the farther apart its scores are, and
 * a group's gradients, s in sum of magnitudes, are scaled by log2(1 + s) / s: groups that are far from their order would
 * drown the others.
 */
#include "model/gbt/train.h"

#include "core/real.h"

#include <math.h>
#include <stdlib.h>

#define PLACES 30
#define APART 0.01 /* added to the distance of two scores */
#define LN2 0x1.62e42fefa39efp-1

typedef struct ranked_row {
    double score;
    double y;
    uint32_t row;
} ranked_row;

typedef struct rank_job {
    const gbt_target *target;
    const double *score;
    const size_t *first; /* groups + 1 */
    double *loss;        /* groups; NULL: gradients are wanted */
} rank_job;

static int by_score(const void *a, const void *b) {
    const ranked_row *left = a, *right = b;
    if (left->score != right->score) return left->score > right->score ? -1 : 1;
    return left->row < right->row ? -1 : 1;
}

static int by_y(const void *a, const void *b) {
    const ranked_row *left = a, *right = b;
    if (left->y != right->y) return left->y > right->y ? -1 : 1;
    return left->row < right->row ? -1 : 1;
}

static double gain_of(double y) {
    return csm_exp(LN2 * y) - 1;
}

static double discount(size_t place) {
    return LN2 / csm_log((double)place + 2);
}

static double discounted(const ranked_row *rows, size_t n) {
    double sum = 0;
    for (size_t k = 0; k < n; k++) sum += gain_of(rows[k].y) * discount(k);
    return sum;
}

/* Returns the magnitude of both rows' gradients. */
static double add_pair(const rank_job *job, const ranked_row *better, const ranked_row *worse,
                       double change) {
    const gbt_target *target = job->target;
    double rho = csm_logistic(worse->score - better->score);
    double gradient = change * rho, hessian = change * rho * (1 - rho);
    double *g = target->ranked, *h = target->ranked + target->rows;
    g[better->row] -= gradient;
    g[worse->row] += gradient;
    h[better->row] += hessian;
    h[worse->row] += hessian;
    return 2 * gradient;
}

static void derive_group(const rank_job *job, const ranked_row *rows, size_t n, double ideal) {
    const gbt_target *target = job->target;
    double magnitude = 0;
    bool any_order = n > 1 && rows[0].score > rows[n - 1].score;
    for (size_t i = 0; i < n; i++)
        target->ranked[rows[i].row] = target->ranked[target->rows + rows[i].row] = 0;
    for (size_t i = 0; ideal > 0 && i < n && i < PLACES; i++) {
        for (size_t j = i + 1; j < n; j++) {
            if (rows[i].y == rows[j].y) continue;
            double change =
                fabs((gain_of(rows[i].y) - gain_of(rows[j].y)) * (discount(i) - discount(j))) / ideal;
            bool in_order = rows[i].y > rows[j].y;
            if (any_order) change /= APART + fabs(rows[i].score - rows[j].score);
            magnitude +=
                add_pair(job, in_order ? &rows[i] : &rows[j], in_order ? &rows[j] : &rows[i], change);
        }
    }
    double scale = magnitude > 0 ? csm_log1p(magnitude) / (LN2 * magnitude) : 1;
    for (size_t i = 0; i < n; i++) {
        double factor = scale * (target->weight ? target->weight[rows[i].row] : 1);
        target->ranked[rows[i].row] *= factor;
        target->ranked[target->rows + rows[i].row] *= factor;
    }
}

static csm_status rank_groups(void *user, size_t begin, size_t end, uint32_t worker) {
    const rank_job *job = user;
    (void)worker;
    for (size_t group = begin; group < end; group++) {
        size_t first = job->first[group], n = job->first[group + 1] - first;
        ranked_row *rows = csm_alloc_array(n, sizeof *rows);
        if (!rows) return CSM_ENOMEM;
        for (size_t i = 0; i < n; i++)
            rows[i] = (ranked_row){job->score[first + i], job->target->y[first + i], (uint32_t)(first + i)};
        qsort(rows, n, sizeof *rows, by_y);
        double ideal = discounted(rows, n);
        qsort(rows, n, sizeof *rows, by_score);
        if (job->loss)
            job->loss[group] = ideal > 0 ? 1 - discounted(rows, n) / ideal : 0;
        else
            derive_group(job, rows, n, ideal);
        csm_dealloc(rows);
    }
    return CSM_OK;
}

/* Where groups begin. */
static csm_status list_groups(size_t **first, size_t *groups, const gbt_target *target) {
    size_t count = 0;
    for (size_t r = 0; r < target->rows; r++) count += r == 0 || target->group[r] != target->group[r - 1];
    *first = csm_alloc_array(count + 1, sizeof **first);
    if (!*first) return CSM_ENOMEM;
    *groups = 0;
    for (size_t r = 0; r < target->rows; r++) {
        if (r == 0 || target->group[r] != target->group[r - 1]) (*first)[(*groups)++] = r;
    }
    (*first)[count] = target->rows;
    return CSM_OK;
}

csm_status gbt_rank(const gbt_target *target, const double *score, csm_context *context) {
    size_t *first, groups;
    csm_status status = list_groups(&first, &groups, target);
    if (status) return status;
    rank_job job = {target, score, first, NULL};
    status = csm_parallel_for(csm_context_threads(context), groups, 8, rank_groups, &job);
    csm_dealloc(first);
    return status;
}

csm_status gbt_rank_loss(double *loss, const gbt_target *target, const double *score, csm_context *context) {
    size_t *first, groups;
    csm_status status = list_groups(&first, &groups, target);
    if (status) return status;
    rank_job job = {target, score, first, csm_alloc_array(groups, sizeof(double))};
    status =
        job.loss ? csm_parallel_for(csm_context_threads(context), groups, 8, rank_groups, &job) : CSM_ENOMEM;
    *loss = 0;
    for (size_t k = 0; k < groups && !status; k++) *loss += job.loss[k] / (double)groups;
    csm_dealloc(job.loss);
    csm_dealloc(first);
    return status;
}
