/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#include <math.h>

static csm_status check_targets(const csm_samples *samples, csm_objective objective, const char *what) {
    const csm_matrix *y = &samples->y;
    if (!y->data || y->rows != samples->length || y->cols == 0)
        return csm_fail(CSM_EINVAL, "%s: y is %zu x %zu, expected %zu rows", what, y->rows, y->cols,
                        samples->length);
    for (size_t r = 0; r < y->rows; r++) {
        for (size_t c = 0; c < y->cols; c++) {
            double value = csm_matrix_get(y, r, c);
            if (!isfinite(value))
                return csm_fail(CSM_EINVAL, "%s: y is not finite at row %zu, column %zu", what, r, c);
            if (objective == CSM_OBJECTIVE_LOGISTIC && !(value >= 0 && value <= 1))
                return csm_fail(CSM_EINVAL, "%s: y = %g at row %zu is outside 0..1", what, value, r);
        }
    }
    return CSM_OK;
}

static csm_status check_weights(const csm_samples *samples, const char *what) {
    double total = 0;
    if (!samples->weight) return CSM_OK;
    for (size_t i = 0; i < samples->length; i++) {
        double weight = samples->weight[i];
        if (!(isfinite(weight) && weight >= 0))
            return csm_fail(CSM_EINVAL, "%s: weight %g of row %zu is not a weight", what, weight, i);
        total += weight;
    }
    if (!isfinite(total)) return csm_fail(CSM_EINVAL, "%s: the weights' sum overflows", what);
    if (samples->length && !(total > 0)) return csm_fail(CSM_ENODATA, "%s: every weight is 0", what);
    return CSM_OK;
}

static csm_status check_windows(const csm_samples *samples, const csm_learner *learner, const char *what) {
    if (!learner->sequences) {
        if (samples->window_end)
            return csm_fail(CSM_EINVAL, "%s: %s reads rows, not windows", what, learner->name);
        if (samples->x.rows != samples->length)
            return csm_fail(CSM_EINVAL, "%s: x has %zu rows for %zu samples", what, samples->x.rows,
                            samples->length);
        return CSM_OK;
    }
    if (samples->length && (!samples->window_end || samples->window_length == 0))
        return csm_fail(CSM_EINVAL, "%s: %s reads windows, and none are given", what, learner->name);
    for (size_t i = 0; i < samples->length; i++) {
        int64_t end = samples->window_end[i];
        if (end < 0 || (uint64_t)end >= samples->x.rows || (uint64_t)end + 1 < samples->window_length)
            return csm_fail(CSM_EINVAL, "%s: window_end %lld of sample %zu leaves the %zu rows of x", what,
                            (long long)end, i, samples->x.rows);
    }
    return CSM_OK;
}

csm_status csm_samples_check(const csm_samples *samples, const csm_learner *learner, csm_objective objective,
                             size_t features, const char *what) {
    const csm_matrix *x = &samples->x;
    if (samples->length && !x->data) return csm_fail(CSM_EINVAL, "%s: x has no data", what);
    if (x->dtype != CSM_F32 && x->dtype != CSM_F64)
        return csm_fail(CSM_EINVAL, "%s: x has the unknown dtype %d", what, (int)x->dtype);
    if (samples->y.data && samples->y.dtype != CSM_F32 && samples->y.dtype != CSM_F64)
        return csm_fail(CSM_EINVAL, "%s: y has the unknown dtype %d", what, (int)samples->y.dtype);
    if (x->cols != features || features == 0)
        return csm_fail(CSM_EINVAL, "%s: x has %zu columns, expected %zu", what, x->cols, features);
    csm_status status = check_windows(samples, learner, what);
    if (status) return status;
    if (!samples->y.data) return CSM_OK;
    if (objective == CSM_OBJECTIVE_LAMBDARANK && !samples->group)
        return csm_fail(CSM_EINVAL, "%s: LambdaRank needs groups of rows", what);
    if ((status = check_targets(samples, objective, what))) return status;
    return check_weights(samples, what);
}
