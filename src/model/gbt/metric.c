/* SPDX-License-Identifier: MIT */
#include "model/gbt/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double weight_of(const gbt_target *target, size_t r) {
    return target->weight ? target->weight[r] : 1;
}

static csm_status root_mean_square(double *out, const gbt_target *target, const double *score,
                                   csm_context *context) {
    double sum = 0;
    (void)context;
    for (size_t r = 0; r < target->rows; r++)
        sum += weight_of(target, r) * (score[r] - target->y[r]) * (score[r] - target->y[r]);
    *out = sqrt(sum / target->weight_sum);
    return CSM_OK;
}

static csm_status mean_absolute(double *out, const gbt_target *target, const double *score,
                                csm_context *context) {
    double sum = 0;
    (void)context;
    for (size_t r = 0; r < target->rows; r++) sum += weight_of(target, r) * fabs(score[r] - target->y[r]);
    *out = sum / target->weight_sum;
    return CSM_OK;
}

typedef struct scored_row {
    double score;
    double ones;
    double zeros;
} scored_row;

static int by_score(const void *a, const void *b) {
    double left = ((const scored_row *)a)->score, right = ((const scored_row *)b)->score;
    return (left > right) - (left < right);
}

/* 1 - the area under the ROC curve; ties count half. One class alone: 1/2. */
static csm_status area_over_curve(double *out, const gbt_target *target, const double *score,
                                  csm_context *context) {
    scored_row *rows = csm_alloc_array(target->rows, sizeof *rows);
    double ones = 0, zeros = 0, right = 0;
    (void)context;
    if (!rows) return CSM_ENOMEM;
    for (size_t r = 0; r < target->rows; r++)
        rows[r] = (scored_row){score[r], weight_of(target, r) * target->y[r],
                               weight_of(target, r) * (1 - target->y[r])};
    qsort(rows, target->rows, sizeof *rows, by_score);
    for (size_t begin = 0, end; begin < target->rows; begin = end) {
        double tied_ones = 0, tied_zeros = 0;
        for (end = begin; end < target->rows && rows[end].score == rows[begin].score; end++) {
            tied_ones += rows[end].ones;
            tied_zeros += rows[end].zeros;
        }
        right += tied_ones * (zeros + 0.5 * tied_zeros);
        ones += tied_ones;
        zeros += tied_zeros;
    }
    *out = ones > 0 && zeros > 0 ? 1 - right / (ones * zeros) : 0.5;
    csm_dealloc(rows);
    return CSM_OK;
}

static csm_status rank_loss(double *out, const gbt_target *target, const double *score,
                            csm_context *context) {
    if (!target->group) return csm_fail(CSM_EINVAL, "gbt: the metric ndcg needs groups of rows");
    return gbt_rank_loss(out, target, score, context);
}

csm_status gbt_metric_find(gbt_metric *out, const char *name) {
    static const struct {
        const char *name;
        gbt_metric metric;
    } metrics[] = {{"loss", gbt_loss},
                   {"rmse", root_mean_square},
                   {"mae", mean_absolute},
                   {"auc", area_over_curve},
                   {"ndcg", rank_loss}};
    *out = gbt_loss;
    for (size_t m = 0; name && m < sizeof metrics / sizeof *metrics; m++) {
        *out = metrics[m].metric;
        if (strcmp(metrics[m].name, name) == 0) return CSM_OK;
    }
    if (!name) return CSM_OK;
    return csm_fail(CSM_EINVAL, "gbt: no metric is called '%s'; loss, rmse, mae, auc and ndcg are", name);
}
