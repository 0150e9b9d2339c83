/* SPDX-License-Identifier: MIT */
#include <cryptosmart/learn.h>

#include "core/internal.h"
#include "core/real.h"

#include <math.h>

#define MEMBERS_MAX 4096

struct csm_aggregate {
    size_t members;
    double delay;
    double rounds;
    double *loss;   /* so far */
    double *weight; /* of now */
};

/* Weights of the losses so far; relative to the least loss, so that they do not vanish. */
static void weigh(csm_aggregate *a) {
    double rate = sqrt(8 * csm_log((double)a->members) / ((a->rounds + 1) * (2 * a->delay + 1)));
    double least = a->loss[0], sum = 0;
    for (size_t m = 1; m < a->members; m++) least = a->loss[m] < least ? a->loss[m] : least;
    for (size_t m = 0; m < a->members; m++) sum += a->weight[m] = csm_exp(-rate * (a->loss[m] - least));
    for (size_t m = 0; m < a->members; m++) a->weight[m] /= sum;
}

csm_status csm_aggregate_new(csm_aggregate **out, size_t members, double delay) {
    if (!out) return csm_fail(CSM_EINVAL, "aggregate: out is NULL");
    *out = NULL;
    if (members < 1 || members > MEMBERS_MAX)
        return csm_fail(CSM_EINVAL, "aggregate: %zu members are outside 1..%d", members, MEMBERS_MAX);
    if (!(delay >= 0 && delay <= 1e9))
        return csm_fail(CSM_EINVAL, "aggregate: delay %g is outside 0..1e9", delay);
    csm_aggregate *aggregate = csm_alloc_array(1, sizeof *aggregate);
    if (!aggregate) return CSM_ENOMEM;
    aggregate->members = members;
    aggregate->delay = delay;
    aggregate->loss = csm_alloc_array(members, sizeof *aggregate->loss);
    aggregate->weight = csm_alloc_array(members, sizeof *aggregate->weight);
    if (!aggregate->loss || !aggregate->weight) {
        csm_aggregate_free(aggregate);
        return CSM_ENOMEM;
    }
    weigh(aggregate);
    *out = aggregate;
    return CSM_OK;
}

void csm_aggregate_free(csm_aggregate *aggregate) {
    if (!aggregate) return;
    csm_dealloc(aggregate->loss);
    csm_dealloc(aggregate->weight);
    csm_dealloc(aggregate);
}

csm_status csm_aggregate_weights(double *weight, const csm_aggregate *aggregate) {
    if (!weight || !aggregate) return csm_fail(CSM_EINVAL, "aggregate: weight or aggregate is NULL");
    for (size_t m = 0; m < aggregate->members; m++) weight[m] = aggregate->weight[m];
    return CSM_OK;
}

csm_status csm_aggregate_add(csm_aggregate *aggregate, const double *loss) {
    if (!aggregate || !loss) return csm_fail(CSM_EINVAL, "aggregate: aggregate or loss is NULL");
    double weights = 0, lost = 0, plain = 0;
    size_t present = 0;
    for (size_t m = 0; m < aggregate->members; m++) {
        if (isnan(loss[m])) continue;
        if (!(loss[m] >= 0 && loss[m] <= 1))
            return csm_fail(CSM_EINVAL, "aggregate: loss %zu is %g", m, loss[m]);
        present++;
        plain += loss[m];
        weights += aggregate->weight[m];
        lost += aggregate->weight[m] * loss[m];
    }
    if (present == 0) return csm_fail(CSM_EINVAL, "aggregate: no member predicted");
    double mixed = weights > 0 ? lost / weights
                               : plain / (double)present; /* only members whose weight vanished predicted */
    for (size_t m = 0; m < aggregate->members; m++) aggregate->loss[m] += isnan(loss[m]) ? mixed : loss[m];
    aggregate->rounds++;
    weigh(aggregate);
    return CSM_OK;
}
