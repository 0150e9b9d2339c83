/* SPDX-License-Identifier: MIT */
/*
 * Heads. Targets are brought to a common size, so that one learning rate serves returns of an hour and of a month, and
 * heads of one trunk weigh what their weights say: regression (y - mean) / deviation of the training targets; logistic
 * starts from the base rate's log-odds.
 */
#include "model/lstm/internal.h"

#include "core/real.h"

#include <math.h>

static double weight_of(const csm_samples *samples, size_t i) {
    return samples->weight ? samples->weight[i] : 1;
}

static csm_status target_of(lstm_target *target, const csm_head *head, const csm_samples *samples) {
    double sum = 0, weights = 0, squares = 0;
    for (size_t i = 0; i < samples->length; i++) {
        sum += weight_of(samples, i) * csm_matrix_get(&samples->y, i, head->column);
        weights += weight_of(samples, i);
    }
    const double mean = sum / weights;
    if (head->objective == CSM_OBJECTIVE_LOGISTIC) {
        if (!(mean > 0 && mean < 1))
            return csm_fail(CSM_ENODATA, "lstm: all targets of column %u are of one class", head->column);
        *target = (lstm_target){csm_log(mean) - csm_log1p(-mean), 1};
        return CSM_OK;
    }
    for (size_t i = 0; i < samples->length; i++) {
        const double apart = csm_matrix_get(&samples->y, i, head->column) - mean;
        squares += weight_of(samples, i) * apart * apart;
    }
    const double deviation = sqrt(squares / weights);
    if (!isfinite(deviation))
        return csm_fail(CSM_EINVAL, "lstm: column %u of y overflows; scale it", head->column);
    *target = (lstm_target){mean, deviation > 0 ? deviation : 1};
    return CSM_OK;
}

csm_status lstm_targets(lstm_model *model, const csm_samples *samples) {
    csm_status status = CSM_OK;
    for (size_t o = 0; o < model->shape.outputs && !status; o++)
        status = target_of(&model->target[o], &model->heads[o], samples);
    return status;
}

/* Loss of one head and its slope, residual d = z - y in the network's units. */
static double regression_loss(const csm_head *head, double scale, double d, double *slope) {
    if (head->objective == CSM_OBJECTIVE_QUANTILE) {
        *slope = d >= 0 ? 1 - head->parameter : -head->parameter;
        return d * *slope;
    }
    const double delta = head->objective == CSM_OBJECTIVE_HUBER ? head->parameter / scale : (double)INFINITY;
    if (fabs(d) <= delta) {
        *slope = d;
        return 0.5 * d * d;
    }
    *slope = d > 0 ? delta : -delta;
    return delta * (fabs(d) - 0.5 * delta);
}

double lstm_loss(const lstm_model *model, const csm_samples *samples, size_t window, const float *z,
                 float *dz) {
    const double weight = weight_of(samples, window);
    double loss = 0;
    for (size_t o = 0; o < model->shape.outputs; o++) {
        const csm_head *head = &model->heads[o];
        const lstm_target *target = &model->target[o];
        const double y = csm_matrix_get(&samples->y, window, head->column);
        double slope;
        if (head->objective == CSM_OBJECTIVE_LOGISTIC) {
            const double score = (double)z[o] + target->offset;
            loss -= weight * head->weight * (csm_log_logistic(score) - (1 - y) * score);
            slope = csm_logistic(score) - y;
        } else {
            const double d = (double)z[o] - (y - target->offset) / target->scale;
            loss += weight * head->weight * regression_loss(head, target->scale, d, &slope);
        }
        if (dz) dz[o] = (float)(weight * head->weight * slope);
    }
    return loss;
}
