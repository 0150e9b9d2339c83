/* SPDX-License-Identifier: MIT */
/* Two forecasts of the same outcomes: the difference of their Brier scores, resampled together. */
#include "calibrate/internal.h"

#include <math.h>

typedef struct gain_block {
    double rows;
    double gain;
} gain_block;

static double squared_error(double probability, double outcome) {
    return (probability - outcome) * (probability - outcome);
}

/* Sums by horizon block, in order of time; *count of them. */
static csm_status sum_by_block(gain_block *block, size_t *count, const csm_outcomes *o, const double *other) {
    uint32_t *order = csm_alloc_array(o->length, sizeof *order);
    csm_status status = order ? csm_order_time(order, o->time, o->length) : CSM_ENOMEM;
    *count = 0;
    for (size_t k = 0; status == CSM_OK && k < o->length; k++) {
        const size_t i = order[k];
        if (k == 0 ||
            csm_block_index(o->time[i], o->horizon) != csm_block_index(o->time[order[k - 1]], o->horizon))
            ++*count;
        gain_block *b = &block[*count - 1];
        b->rows++;
        b->gain += squared_error(other[i], o->outcome[i]) - squared_error(o->probability[i], o->outcome[i]);
    }
    csm_dealloc(order);
    return status;
}

static csm_status band_of(csm_band *out, const gain_block *block, size_t blocks, csm_context *context,
                          uint32_t resamples) {
    double *draws = csm_alloc_array(resamples, sizeof *draws);
    uint32_t *pick = csm_alloc_array(blocks, sizeof *pick);
    csm_status status = draws && pick ? CSM_OK : CSM_ENOMEM;
    for (size_t s = 0; status == CSM_OK && s < resamples; s++) {
        gain_block sum = {0};
        csm_bootstrap_draw(pick, blocks, csm_context_seed(context), s);
        for (size_t b = 0; b < blocks; b++) {
            sum.rows += block[pick[b]].rows;
            sum.gain += block[pick[b]].gain;
        }
        draws[s] = sum.gain / sum.rows;
    }
    if (status == CSM_OK) csm_bootstrap_band(&out->low, &out->high, draws, resamples);
    csm_dealloc(pick);
    csm_dealloc(draws);
    return status;
}

csm_status csm_calibrate_brier_gain(csm_band *out, csm_context *context, const csm_outcomes *outcomes,
                                    const double *other, uint32_t bootstrap) {
    if (!out || !context || !other) return csm_fail(CSM_EINVAL, "gain: out, context or other is NULL");
    csm_status status = csm_outcomes_check(outcomes, "gain");
    if (status) return status;
    if (bootstrap > 1000000) return csm_fail(CSM_EINVAL, "gain: %u resamples are over 1000000", bootstrap);
    if (outcomes->length == 0) return csm_fail(CSM_ENODATA, "gain: no matured forecasts");
    for (size_t i = 0; i < outcomes->length; i++) {
        if (!(other[i] >= 0 && other[i] <= 1))
            return csm_fail(CSM_EINVAL, "gain: the other probability %zu is %g", i, other[i]);
    }
    gain_block *block = csm_alloc_array(outcomes->length, sizeof *block);
    size_t blocks = 0;
    double total = 0;
    status = block ? sum_by_block(block, &blocks, outcomes, other) : CSM_ENOMEM;
    for (size_t b = 0; b < blocks; b++) total += block[b].gain;
    const double mean = total / (double)outcomes->length;
    if (status == CSM_OK) *out = (csm_band){mean, mean, mean};
    if (status == CSM_OK && bootstrap) status = band_of(out, block, blocks, context, bootstrap);
    csm_dealloc(block);
    return status;
}
