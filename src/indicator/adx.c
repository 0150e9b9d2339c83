/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct adx {
    real plus; /* Wilder's sums, divided by n */
    real minus;
    real range;
    average adx;
    real high;
    real low;
    real close;
    double k;
    size_t seed; /* changes left that are summed, n - 1 in all */
    bool started;
} adx;

static size_t adx_rows(const double *p) {
    (void)p;
    return 0;
}

static void adx_init(adx *s, const double *p, real *rows) {
    (void)rows;
    const real zero = real_of(0.0);
    average_init(&s->adx, p[0], 1.0 / p[0]);
    s->plus = s->minus = s->range = zero;
    s->high = s->low = s->close = zero;
    s->k = 1.0 / p[0];
    s->seed = (size_t)p[0] - 1;
}

CSM_INLINE void adx_step(adx *s, const candle *b, real *out) {
    const real zero = real_of(0.0);
    const real up = b->high - s->high, down = s->low - b->low, range = true_range(b, s->close);
    const bool started = s->started;
    s->high = b->high;
    s->low = b->low;
    s->close = b->close;
    s->started = true;
    out[0] = out[1] = out[2] = zero;
    if (!started) return;
    const real plus = real_select(mask_and(real_gt(up, down), real_gt(up, zero)), up, zero);
    const real minus = real_select(mask_and(real_gt(down, up), real_gt(down, zero)), down, zero);
    if (!wait_over(&s->seed)) {
        s->plus += plus * s->k;
        s->minus += minus * s->k;
        s->range += range * s->k;
        return;
    }
    s->plus += (plus - s->plus) * s->k;
    s->minus += (minus - s->minus) * s->k;
    s->range += (range - s->range) * s->k;
    out[1] = real_ratio(s->plus * 100.0, s->range, zero);
    out[2] = real_ratio(s->minus * 100.0, s->range, zero);
    const real dx = real_ratio(real_abs(out[1] - out[2]) * 100.0, out[1] + out[2], zero);
    out[0] = average_push(&s->adx, dx);
}

static size_t adx_warmup(const double *p) {
    return 2 * (size_t)p[0] - 1;
}

static size_t adx_memory(const double *p) {
    return adx_warmup(p) + 1 + csm_memory_decay(1.0 / p[0], 2, CSM_WEIGHT_RATIO);
}

CSM_INDICATOR(adx, 1, 3, .name = "adx", .title = "Average directional index with +DI and -DI",
              .source = "Wilder (1978), New Concepts in Technical Trading Systems, ch. 4; seeds as TA-Lib; 0 "
                        "without movement",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 2, 14)}, .outputs = {"adx", "plus_di", "minus_di"});
