/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct parkinson {
    window squares;
    double scale;
} parkinson;

static size_t parkinson_rows(const double *p) {
    return (size_t)p[0];
}

static void parkinson_init(parkinson *s, const double *p, real *rows) {
    window_init(&s->squares, FOLD_SUM, p[0], rows);
    s->scale = 1.0 / (4.0 * LN_2 * p[0]);
}

CSM_INLINE void parkinson_step(parkinson *s, const candle *b, real *out) {
    const real range = real_log(b->high / b->low);
    out[0] = real_sqrt(window_push(&s->squares, FOLD_SUM, range * range) * s->scale);
}

static size_t parkinson_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t parkinson_memory(const double *p) {
    return parkinson_warmup(p) + 1;
}

CSM_INDICATOR(parkinson, 1, 1, .name = "parkinson", .title = "Parkinson volatility",
              .source = "Parkinson (1980), J. Business 53:1, of one bar from the ranges of n",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW,
              .parameters = {CSM_PERIOD("period", 1, 24)}, .outputs = {"parkinson"});
