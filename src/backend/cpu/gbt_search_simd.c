/* SPDX-License-Identifier: MIT */
#include "backend/cpu/gbt_cpu.h"

/* Of two sums of squares that cancel, this share is rounding. */
#define GAIN_NOISE 1e-12

static void prefix_packed(csm_gbt_prefix *out, const uint64_t *bucket, uint32_t bins, double gradient_unit,
                          double hessian_unit) {
    uint64_t sum[CSM_GBT_SLOTS_MAX];
    uint64_t total = 0;
    for (uint32_t b = 0; b < bins; b++) sum[b] = total += bucket[b];
    for (uint32_t b = 0; b < bins; b++) {
        const double hessian = (double)(int64_t)csm_gbt_wide_hessian(sum[b]);
        out->gradient[b] = (double)csm_gbt_wide_gradient(sum[b]) * gradient_unit;
        out->hessian[b] = hessian * hessian_unit;
        out->count[b] = hessian;
    }
}

static void prefix_exact(csm_gbt_prefix *out, const uint64_t *bucket, size_t plane, uint32_t bins,
                         double gradient_unit, double hessian_unit) {
    uint64_t gradient = 0, hessian = 0, count = 0;
    for (uint32_t b = 0; b < bins; b++) {
        gradient += bucket[b];
        hessian += bucket[plane + b];
        count += bucket[2 * plane + b];
        out->gradient[b] = (double)(int64_t)gradient * gradient_unit;
        out->hessian[b] = (double)(int64_t)hessian * hessian_unit;
        out->count[b] = (double)count;
    }
}

void GBT_PREFIX(csm_gbt_prefix *out, const uint64_t *bucket, size_t plane, uint32_t bins,
                double gradient_unit, double hessian_unit) {
    if (plane)
        prefix_exact(out, bucket, plane, bins, gradient_unit, hessian_unit);
    else
        prefix_packed(out, bucket, bins, gradient_unit, hessian_unit);
}

/* Half of the gain is the loss that a division takes away (Chen & Guestrin 2016, eq. 7). */
void GBT_BEST(csm_gbt_best *out, const csm_gbt_prefix *prefix, uint32_t bins, const csm_gbt_limits *limits) {
    double gain[CSM_GBT_SLOTS_MAX];
    const double g = prefix->total_gradient, h = prefix->total_hessian, n = prefix->total_count;
    const double l2 = limits->l2, whole = g * g / (h + l2);
    const double min_rows = limits->min_rows, min_hessian = limits->min_hessian, min_gain = limits->min_gain;
    for (uint32_t b = 0; b < bins; b++) {
        const double gl = prefix->gradient[b], hl = prefix->hessian[b], nl = prefix->count[b];
        const double gr = g - gl, hr = h - hl, nr = n - nl;
        const double parts = gl * gl / (hl + l2) + gr * gr / (hr + l2);
        const double won = parts - whole;
        const int allowed = (nl >= min_rows) & (nr >= min_rows) & (hl >= min_hessian) & (hr >= min_hessian) &
                            (hl + l2 > 0) & (hr + l2 > 0) & (won > min_gain) & (won > GAIN_NOISE * parts);
        gain[b] = allowed ? won : 0.0;
    }
    uint32_t best = 0;
    *out = (csm_gbt_best){0};
    for (uint32_t b = 0; b < bins; b++) best = gain[b] > gain[best] ? b : best;
    if (bins == 0 || !(gain[best] > 0)) return;
    *out =
        (csm_gbt_best){gain[best], best, prefix->gradient[best], prefix->hessian[best], prefix->count[best]};
}
