/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct trima {
    window first;
    window second;
    double inverse;
    size_t wait;
} trima;

static size_t trima_rows(const double *p) {
    return (size_t)p[0] + 1;
}

static void trima_init(trima *s, const double *p, real *rows) {
    const double shorter = floor((p[0] + 1.0) / 2.0), longer = p[0] + 1.0 - shorter;
    rows = window_init(&s->first, FOLD_SUM, shorter, rows);
    window_init(&s->second, FOLD_SUM, longer, rows);
    s->inverse = 1.0 / (shorter * longer);
    s->wait = (size_t)shorter - 1;
}

CSM_INLINE void trima_step(trima *s, const candle *b, real *out) {
    const real sum = window_push(&s->first, FOLD_SUM, b->close);
    out[0] = sum;
    if (wait_over(&s->wait)) out[0] = window_push(&s->second, FOLD_SUM, sum) * s->inverse;
}

static size_t trima_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t trima_memory(const double *p) {
    return trima_warmup(p) + 1;
}

CSM_INDICATOR(trima, 1, 1, .name = "trima", .title = "Triangular moving average",
              .source = "Mean of means over two windows whose lengths add to n + 1",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"trima"});
