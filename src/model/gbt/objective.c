/* SPDX-License-Identifier: MIT */
#include "model/gbt/train.h"

#include "core/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HESSIAN_FLOOR 1e-16
#define ROUNDING 1e-14 /* of a score beside the largest target, some roundings */

/* ---- targets ---- */

csm_status gbt_target_open(gbt_target *target, double **score, const csm_samples *samples,
                           const csm_head *head) {
    size_t rows = samples->length;
    *target = (gbt_target){.objective = (csm_objective)head->objective,
                           .parameter = head->parameter,
                           .rows = rows,
                           .weight = samples->weight,
                           .group = samples->group};
    target->y = csm_alloc_array(rows, sizeof *target->y);
    *score = csm_alloc_array(rows, sizeof **score);
    if (!target->y || !*score) return CSM_ENOMEM;
    for (size_t r = 0; r < rows; r++) {
        target->y[r] = csm_matrix_get(&samples->y, r, head->column);
        target->weight_sum += samples->weight ? samples->weight[r] : 1;
    }
    target->noise = gbt_gradient_noise(target);
    if (target->objective != CSM_OBJECTIVE_LAMBDARANK) return CSM_OK;
    if (!samples->group) return csm_fail(CSM_EINVAL, "gbt: LambdaRank needs groups of rows");
    for (size_t r = 0; r < rows; r++) {
        if (!(target->y[r] >= 0 && target->y[r] <= 31))
            return csm_fail(CSM_EINVAL, "gbt: y = %g at row %zu is no relevance within 0..31", target->y[r],
                            r);
    }
    target->ranked = csm_alloc_array(rows, 2 * sizeof *target->ranked);
    return target->ranked ? CSM_OK : CSM_ENOMEM;
}

void gbt_target_close(gbt_target *target) {
    csm_dealloc(target->y);
    csm_dealloc(target->ranked);
}

csm_status gbt_check_x(const csm_matrix *x, bool missing, const char *what) {
    for (size_t r = 0; r < x->rows; r++) {
        for (size_t f = 0; f < x->cols; f++) {
            float value = (float)csm_matrix_get(x, r, f);
            if (!isfinite(value) && !(missing && isnan(value)))
                return csm_fail(CSM_EINVAL, "%s: x is not a finite float at row %zu, column %zu", what, r, f);
        }
    }
    return CSM_OK;
}

/* ---- gradients and hessians in the score ---- */

typedef void (*derivative_fn)(double *gradient, double *hessian, const gbt_target *target, const double *y,
                              const double *score, size_t n, const csm_gbt_kernels *kernels);

static void squared_derivatives(double *gradient, double *hessian, const gbt_target *target, const double *y,
                                const double *score, size_t n, const csm_gbt_kernels *kernels) {
    (void)target, (void)kernels;
    for (size_t i = 0; i < n; i++) gradient[i] = score[i] - y[i], hessian[i] = 1;
}

/* Huber 1964: quadratic within delta, linear beyond. */
static void huber_derivatives(double *gradient, double *hessian, const gbt_target *target, const double *y,
                              const double *score, size_t n, const csm_gbt_kernels *kernels) {
    double delta = target->parameter;
    (void)kernels;
    for (size_t i = 0; i < n; i++) {
        double residual = score[i] - y[i], low = residual < -delta ? -delta : residual;
        gradient[i] = low > delta ? delta : low;
        hessian[i] = 1;
    }
}

/* Pinball loss (Koenker & Bassett 1978). */
static void quantile_derivatives(double *gradient, double *hessian, const gbt_target *target, const double *y,
                                 const double *score, size_t n, const csm_gbt_kernels *kernels) {
    (void)kernels;
    for (size_t i = 0; i < n; i++) {
        gradient[i] = score[i] >= y[i] ? 1 - target->parameter : -target->parameter;
        hessian[i] = 1;
    }
}

static void logistic_derivatives(double *gradient, double *hessian, const gbt_target *target, const double *y,
                                 const double *score, size_t n, const csm_gbt_kernels *kernels) {
    (void)target;
    kernels->logistic(gradient, score, n);
    for (size_t i = 0; i < n; i++) {
        double p = gradient[i], h = p * (1 - p);
        hessian[i] = h > HESSIAN_FLOOR ? h : HESSIAN_FLOOR;
        gradient[i] = p - y[i];
    }
}

static const derivative_fn derivatives[] = {[CSM_OBJECTIVE_SQUARED] = squared_derivatives,
                                            [CSM_OBJECTIVE_HUBER] = huber_derivatives,
                                            [CSM_OBJECTIVE_QUANTILE] = quantile_derivatives,
                                            [CSM_OBJECTIVE_LOGISTIC] = logistic_derivatives};

void gbt_derivatives(double *gradient, double *hessian, const gbt_target *target, const double *score,
                     size_t begin, size_t end, const csm_gbt_kernels *kernels) {
    size_t n = end - begin;
    if (target->objective == CSM_OBJECTIVE_LAMBDARANK) { /* weights are in it */
        memcpy(gradient, target->ranked + begin, n * sizeof *gradient);
        memcpy(hessian, target->ranked + target->rows + begin, n * sizeof *hessian);
        return;
    }
    derivatives[target->objective](gradient, hessian, target, target->y + begin, score + begin, n, kernels);
    for (size_t i = 0; target->weight && i < n; i++) {
        gradient[i] *= target->weight[begin + i];
        hessian[i] *= target->weight[begin + i];
    }
}

bool gbt_hessian_is_one(const gbt_target *target) {
    return !target->weight && target->objective != CSM_OBJECTIVE_LOGISTIC &&
           target->objective != CSM_OBJECTIVE_LAMBDARANK;
}

double gbt_gradient_noise(const gbt_target *target) {
    double largest = 0;
    if (target->objective != CSM_OBJECTIVE_SQUARED && target->objective != CSM_OBJECTIVE_HUBER) return 0;
    for (size_t r = 0; r < target->rows; r++) {
        double size = fabs(target->y[r]) * (target->weight ? target->weight[r] : 1);
        if (size > largest) largest = size;
    }
    return ROUNDING * largest;
}

/* ---- losses ---- */

typedef double (*loss_fn)(double y, double score, const gbt_target *target);

static double squared_loss(double y, double score, const gbt_target *target) {
    (void)target;
    return (score - y) * (score - y);
}

static double huber_loss(double y, double score, const gbt_target *target) {
    double residual = fabs(score - y), delta = target->parameter;
    return residual <= delta ? 0.5 * residual * residual : delta * (residual - 0.5 * delta);
}

static double quantile_loss(double y, double score, const gbt_target *target) {
    return (score >= y ? 1 - target->parameter : -target->parameter) * (score - y);
}

static double logistic_loss(double y, double score, const gbt_target *target) {
    double loss = 0;
    (void)target;
    if (y > 0) loss -= y * csm_log_logistic(score);
    if (y < 1) loss -= (1 - y) * csm_log_logistic(-score);
    return loss;
}

static const loss_fn losses[] = {[CSM_OBJECTIVE_SQUARED] = squared_loss,
                                 [CSM_OBJECTIVE_HUBER] = huber_loss,
                                 [CSM_OBJECTIVE_QUANTILE] = quantile_loss,
                                 [CSM_OBJECTIVE_LOGISTIC] = logistic_loss};

typedef struct loss_job {
    const gbt_target *target;
    const double *score;
    double *block_loss;
} loss_job;

static csm_status sum_blocks(void *user, size_t begin, size_t end, uint32_t worker) {
    const loss_job *job = user;
    const gbt_target *target = job->target;
    loss_fn loss = losses[target->objective];
    (void)worker;
    for (size_t block = begin; block < end; block++) {
        size_t last = (block + 1) * GBT_ROW_BLOCK < target->rows ? (block + 1) * GBT_ROW_BLOCK : target->rows;
        double sum = 0;
        for (size_t r = block * GBT_ROW_BLOCK; r < last; r++)
            sum += (target->weight ? target->weight[r] : 1) * loss(target->y[r], job->score[r], target);
        job->block_loss[block] = sum;
    }
    return CSM_OK;
}

csm_status gbt_loss(double *loss, const gbt_target *target, const double *score, csm_context *context) {
    if (target->objective == CSM_OBJECTIVE_LAMBDARANK) return gbt_rank_loss(loss, target, score, context);
    size_t blocks = (target->rows + GBT_ROW_BLOCK - 1) / GBT_ROW_BLOCK;
    loss_job job = {target, score, csm_alloc_array(blocks, sizeof(double))};
    if (!job.block_loss) return CSM_ENOMEM;
    csm_status status = csm_parallel_for(csm_context_threads(context), blocks, 1, sum_blocks, &job);
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

static double median_of_three(double a, double b, double c) {
    double low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* Smallest value below or at which at least the weight `wanted` lies: Hoare's selection, by weight. Reorders values. */
static double select_by_weight(weighted_value *values, size_t n, double wanted) {
    size_t begin = 0, end = n;
    while (end - begin > 1) {
        double pivot = median_of_three(values[begin].value, values[begin + (end - begin) / 2].value,
                                       values[end - 1].value);
        size_t below = begin, above = end;
        double weight_below = 0, weight_equal = 0;
        for (size_t i = begin; i < above;) {
            weighted_value v = values[i];
            if (v.value < pivot) {
                weight_below += v.weight;
                values[i++] = values[below];
                values[below++] = v;
            } else if (v.value > pivot) {
                values[i] = values[--above];
                values[above] = v;
            } else {
                weight_equal += v.weight;
                i++;
            }
        }
        if (below > begin && weight_below >= wanted) {
            end = below;
        } else if (weight_below + weight_equal >= wanted || above == end) {
            return pivot;
        } else {
            wanted -= weight_below + weight_equal;
            begin = above;
        }
    }
    return values[begin].value;
}

/* Quantile of y - score over rows; score NULL: 0; row NULL: all. */
static csm_status residual_quantile(double *out, const gbt_target *target, const double *score,
                                    const uint32_t *row, size_t count, double quantile) {
    weighted_value *values = csm_alloc_array(count, sizeof *values);
    double total = 0;
    if (!values) return CSM_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        size_t r = row ? row[i] : i;
        values[i].value = target->y[r] - (score ? score[r] : 0);
        values[i].weight = target->weight ? target->weight[r] : 1;
        total += values[i].weight;
    }
    *out = select_by_weight(values, count, quantile * total);
    csm_dealloc(values);
    return CSM_OK;
}

csm_status gbt_base_score(double *out, const gbt_target *target) {
    *out = 0;
    if (target->objective == CSM_OBJECTIVE_LAMBDARANK) return CSM_OK; /* only differences matter */
    if (target->objective == CSM_OBJECTIVE_QUANTILE)
        return residual_quantile(out, target, NULL, NULL, target->rows, target->parameter);
    if (target->objective == CSM_OBJECTIVE_HUBER)
        return residual_quantile(out, target, NULL, NULL, target->rows, 0.5);
    double sum = 0;
    for (size_t r = 0; r < target->rows; r++) sum += (target->weight ? target->weight[r] : 1) * target->y[r];
    double mean = sum / target->weight_sum;
    if (target->objective == CSM_OBJECTIVE_LOGISTIC && !(mean > 0 && mean < 1))
        return csm_fail(CSM_ENODATA, "gbt: all %zu targets are of one class", target->rows);
    *out = target->objective == CSM_OBJECTIVE_LOGISTIC ? csm_log(mean) - csm_log1p(-mean) : mean;
    if (!isfinite(*out)) return csm_fail(CSM_EINVAL, "gbt: the mean of y is %g: it overflows", mean);
    return CSM_OK;
}

bool gbt_renews_leaves(const gbt_target *target) {
    return target->objective == CSM_OBJECTIVE_QUANTILE;
}

csm_status gbt_renewed_value(double *out, const gbt_target *target, const double *score, const uint32_t *row,
                             size_t count) {
    return residual_quantile(out, target, score, row, count, target->parameter);
}
