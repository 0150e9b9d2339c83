/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include <math.h>

bool csm_is_group_weight(double weight) {
    return weight >= 1e-100 && weight <= 1e100;
}

static csm_status check_rows(const double *score, const double *outcome, const double *weight, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(score[i])) return csm_fail(CSM_EINVAL, "calibrator: score %zu is not finite", i);
        if (outcome[i] != 0 && outcome[i] != 1)
            return csm_fail(CSM_EINVAL, "calibrator: outcome %zu is %g, neither 0 nor 1", i, outcome[i]);
        if (weight && weight[i] != 0 && !csm_is_group_weight(weight[i]))
            return csm_fail(CSM_EINVAL, "calibrator: weight %zu is %g", i, weight[i]);
    }
    return CSM_OK;
}

static csm_status allocate(csm_score_groups *groups, size_t n) {
    groups->score = csm_alloc_array(n, sizeof *groups->score);
    groups->weight = csm_alloc_array(n, sizeof *groups->weight);
    groups->positive = csm_alloc_array(n, sizeof *groups->positive);
    return groups->score && groups->weight && groups->positive ? CSM_OK : CSM_ENOMEM;
}

csm_status csm_score_groups_make(csm_score_groups *out, const double *score, const double *outcome,
                                 const double *weight, size_t n) {
    *out = (csm_score_groups){0};
    csm_status status = check_rows(score, outcome, weight, n);
    if (status) return status;
    uint32_t *order = csm_alloc_array(n, sizeof *order);
    if (!order) return CSM_ENOMEM;
    if ((status = csm_order_f64(order, score, n))) goto done;
    if ((status = allocate(out, n))) goto done;
    for (size_t i = 0; i < n; i++) {
        size_t r = order[i];
        double w = weight ? weight[r] : 1;
        if (w == 0) continue;
        if (out->count == 0 || out->score[out->count - 1] != score[r])
            out->score[out->count++] = score[r] + 0.0;
        out->weight[out->count - 1] += w;
        out->positive[out->count - 1] += w * outcome[r];
    }
done:
    csm_dealloc(order);
    if (status) csm_score_groups_free(out);
    return status;
}

void csm_score_groups_free(csm_score_groups *groups) {
    csm_dealloc(groups->score);
    csm_dealloc(groups->weight);
    csm_dealloc(groups->positive);
    *groups = (csm_score_groups){0};
}
