/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct stoch {
    window high;
    window low;
    window slow_k;
    window slow_d;
    double inverse_k;
    double inverse_d;
    size_t wait_k; /* bars until the range is whole */
    size_t wait_d; /* bars until %K is */
} stoch;

static size_t stoch_rows(const double *p) {
    return (size_t)(2.0 * p[0] + p[1] + p[2]);
}

static void stoch_init(stoch *s, const double *p, real *rows) {
    rows = window_init(&s->high, FOLD_MAX, p[0], rows);
    rows = window_init(&s->low, FOLD_MIN, p[0], rows);
    rows = window_init(&s->slow_k, FOLD_SUM, p[1], rows);
    window_init(&s->slow_d, FOLD_SUM, p[2], rows);
    s->inverse_k = 1.0 / p[1];
    s->inverse_d = 1.0 / p[2];
    s->wait_k = (size_t)p[0] - 1;
    s->wait_d = (size_t)(p[0] + p[1]) - 2;
}

CSM_INLINE void stoch_step(stoch *s, const candle *b, real *out) {
    const real high = window_push(&s->high, FOLD_MAX, b->high), low = window_push(&s->low, FOLD_MIN, b->low);
    const real fast = real_ratio((b->close - low) * 100.0, high - low, real_of(50.0));
    out[0] = out[1] = fast;
    if (wait_over(&s->wait_k)) out[0] = window_push(&s->slow_k, FOLD_SUM, fast) * s->inverse_k;
    if (wait_over(&s->wait_d)) out[1] = window_push(&s->slow_d, FOLD_SUM, out[0]) * s->inverse_d;
}

static size_t stoch_warmup(const double *p) {
    return (size_t)(p[0] + p[1] + p[2]) - 3;
}

static size_t stoch_memory(const double *p) {
    return stoch_warmup(p) + 1;
}

CSM_INDICATOR(
    stoch, 3, 2, .name = "stoch", .title = "Stochastic oscillator",
    .source = "Lane (1984), Stocks & Commodities 2:3; %K smoothed, %D its average; 50 in a flat market",
    .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
    .parameters = {CSM_PERIOD("period", 1, 14), CSM_PERIOD("smooth_k", 1, 3), CSM_PERIOD("smooth_d", 1, 3)},
    .outputs = {"k", "d"});
