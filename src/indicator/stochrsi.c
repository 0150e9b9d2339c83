/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct stochrsi {
    strength close;
    window high;
    window low;
    window average_k;
    double inverse_d;
    size_t wait_k; /* bars until the RSI exists */
    size_t wait_d; /* bars until %K does */
} stochrsi;

static size_t stochrsi_rows(const double *p) {
    return (size_t)(2.0 * p[1] + p[2]);
}

static void stochrsi_init(stochrsi *s, const double *p, real *rows) {
    strength_init(&s->close, p[0]);
    rows = window_init(&s->high, FOLD_MAX, p[1], rows);
    rows = window_init(&s->low, FOLD_MIN, p[1], rows);
    window_init(&s->average_k, FOLD_SUM, p[2], rows);
    s->inverse_d = 1.0 / p[2];
    s->wait_k = (size_t)p[0];
    s->wait_d = (size_t)(p[0] + p[1]) - 1;
}

CSM_INLINE void stochrsi_step(stochrsi *s, const candle *b, real *out) {
    strength_push(&s->close, b->close);
    const real rsi = strength_index(&s->close);
    out[0] = out[1] = rsi;
    if (!wait_over(&s->wait_k)) {
        --s->wait_d;
        return;
    }
    const real high = window_push(&s->high, FOLD_MAX, rsi), low = window_push(&s->low, FOLD_MIN, rsi);
    out[0] = real_ratio((rsi - low) * 100.0, high - low, real_of(50.0));
    if (wait_over(&s->wait_d)) out[1] = window_push(&s->average_k, FOLD_SUM, out[0]) * s->inverse_d;
}

static size_t stochrsi_warmup(const double *p) {
    return (size_t)(p[0] + p[1] + p[2]) - 2;
}

static size_t stochrsi_memory(const double *p) {
    return stochrsi_warmup(p) + 1 + csm_memory_decay(1.0 / p[0], 1, CSM_WEIGHT_DIFFERENCE);
}

CSM_INDICATOR(stochrsi, 3, 2, .name = "stochrsi", .title = "Stochastic RSI",
              .source = "Chande & Kroll (1994), The New Technical Trader; unsmoothed %K and its average %D "
                        "as TA-Lib; 50 when the RSI stands still",
              .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 2, 14), CSM_PERIOD("range", 1, 14),
                             CSM_PERIOD("smooth_d", 1, 3)},
              .outputs = {"k", "d"});
