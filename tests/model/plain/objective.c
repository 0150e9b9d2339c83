/* SPDX-License-Identifier: MIT */
#include "model/plain/plain.h"

#include "core/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOSS_BLOCK 8192 /* rows summed on their own; blocks are added in order */
#define HESSIAN_FLOOR 1e-16

/* ---- loss of one row: gradient and hessian in the score ---- */

typedef double (*loss_fn)(plain_pair *pair, double y, double score, const plain_target *target);

static double squared_loss(plain_pair *pair, double y, double score, const plain_target *target) {
    (void)target;
    double residual = score - y;
    *pair = (plain_pair){residual, 1};
    return residual * residual;
}

/* Huber 1964: quadratic within delta, linear beyond. */
static double huber_loss(plain_pair *pair, double y, double score, const plain_target *target) {
    double residual = score - y, delta = target->huber_delta;
    if (fabs(residual) <= delta) {
        *pair = (plain_pair){residual, 1};
        return 0.5 * residual * residual;
    }
    *pair = (plain_pair){residual > 0 ? delta : -delta, 1};
    return delta * (fabs(residual) - 0.5 * delta);
}

/* Pinball loss (Koenker & Bassett 1978). */
static double quantile_loss(plain_pair *pair, double y, double score, const plain_target *target) {
    double slope = score >= y ? 1 - target->quantile : -target->quantile;
    *pair = (plain_pair){slope, 1};
    return slope * (score - y);
}

static double logistic_loss(plain_pair *pair, double y, double score, const plain_target *target) {
    (void)target;
    double p = csm_logistic(score);
    double hessian = p * (1 - p);
    *pair = (plain_pair){p - y, hessian > HESSIAN_FLOOR ? hessian : HESSIAN_FLOOR};
    double loss = 0;
    if (y > 0) loss -= y * csm_log_logistic(score);
    if (y < 1) loss -= (1 - y) * csm_log_logistic(-score);
    return loss;
}

static const loss_fn losses[] = {[CSM_OBJECTIVE_SQUARED] = squared_loss,
                                 [CSM_OBJECTIVE_HUBER] = huber_loss,
                                 [CSM_OBJECTIVE_QUANTILE] = quantile_loss,
                                 [CSM_OBJECTIVE_LOGISTIC] = logistic_loss};

typedef struct evaluate_job {
    const plain_target *target;
    const double *score;
    plain_pair *pair;
    double *block_loss;
} evaluate_job;

static csm_status evaluate_blocks(void *user, size_t begin, size_t end, uint32_t worker) {
    evaluate_job *job = user;
    const plain_target *target = job->target;
    loss_fn loss = losses[target->objective];
    (void)worker;
    for (size_t block = begin; block < end; block++) {
        size_t last = (block + 1) * LOSS_BLOCK < target->rows ? (block + 1) * LOSS_BLOCK : target->rows;
        double sum = 0;
        for (size_t r = block * LOSS_BLOCK; r < last; r++) {
            plain_pair pair;
            double weight = target->weight ? target->weight[r] : 1;
            sum += weight * loss(&pair, target->y[r], job->score[r], target);
            if (job->pair) job->pair[r] = (plain_pair){weight * pair.gradient, weight * pair.hessian};
        }
        job->block_loss[block] = sum;
    }
    return CSM_OK;
}

csm_status plain_evaluate(double *loss, plain_pair *pair, const plain_target *target, const double *score,
                          csm_context *context) {
    size_t blocks = (target->rows + LOSS_BLOCK - 1) / LOSS_BLOCK;
    evaluate_job job = {target, score, pair, csm_alloc_array(blocks, sizeof(double))};
    if (!job.block_loss) return CSM_ENOMEM;
    csm_status status = csm_parallel_for(csm_context_threads(context), blocks, 1, evaluate_blocks, &job);
    *loss = 0;
    for (size_t b = 0; b < blocks; b++) *loss += job.block_loss[b];
    *loss /= target->weight_sum;
    csm_dealloc(job.block_loss);
    return status;
}

/* ---- weighted quantiles: start of robust objectives, leaf renewal ---- */

typedef struct weighted_value {
    double value;
    double weight;
} weighted_value;

static int by_value(const void *a, const void *b) {
    double left = ((const weighted_value *)a)->value, right = ((const weighted_value *)b)->value;
    return (left > right) - (left < right);
}

/* Smallest value below or at which at least the share `quantile` of the weight lies. Sorts `values`. */
static double weighted_quantile(weighted_value *values, size_t n, double quantile) {
    double total = 0, passed = 0;
    qsort(values, n, sizeof *values, by_value);
    for (size_t i = 0; i < n; i++) total += values[i].weight;
    for (size_t i = 0; i < n; i++) {
        passed += values[i].weight;
        if (passed >= quantile * total) return values[i].value;
    }
    return values[n - 1].value;
}

/* Quantile of y - score over rows; score NULL: 0; row NULL: all. */
static csm_status residual_quantile(double *out, const plain_target *target, const double *score,
                                    const uint32_t *row, size_t count, double quantile) {
    weighted_value *values = csm_alloc_array(count, sizeof *values);
    if (!values) return CSM_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t r = row ? row[i] : i;
        values[i].value = target->y[r] - (score ? score[r] : 0);
        values[i].weight = target->weight ? target->weight[r] : 1;
    }
    *out = weighted_quantile(values, count, quantile);
    csm_dealloc(values);
    return CSM_OK;
}

csm_status plain_base_score(double *out, const plain_target *target) {
    if (target->objective == CSM_OBJECTIVE_QUANTILE)
        return residual_quantile(out, target, NULL, NULL, target->rows, target->quantile);
    if (target->objective == CSM_OBJECTIVE_HUBER)
        return residual_quantile(out, target, NULL, NULL, target->rows, 0.5);
    double sum = 0;
    for (size_t r = 0; r < target->rows; r++) sum += (target->weight ? target->weight[r] : 1) * target->y[r];
    double mean = sum / target->weight_sum;
    *out = target->objective == CSM_OBJECTIVE_LOGISTIC ? csm_log(mean) - csm_log1p(-mean) : mean;
    if (!isfinite(*out)) return csm_fail(CSM_EINVAL, "gbt: the mean of y is %g: it overflows", mean);
    return CSM_OK;
}

bool plain_renews_leaves(const plain_target *target) {
    return target->objective == CSM_OBJECTIVE_QUANTILE;
}

csm_status plain_renewed_value(double *out, const plain_target *target, const double *score,
                               const uint32_t *row, size_t count) {
    return residual_quantile(out, target, score, row, count, target->quantile);
}
