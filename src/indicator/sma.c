/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct sma {
    window sum;
    double inverse;
} sma;

static size_t sma_rows(const double *p) {
    return (size_t)p[0];
}

static void sma_init(sma *s, const double *p, real *rows) {
    window_init(&s->sum, FOLD_SUM, p[0], rows);
    s->inverse = 1.0 / p[0];
}

CSM_INLINE void sma_step(sma *s, const candle *b, real *out) {
    out[0] = window_push(&s->sum, FOLD_SUM, b->close) * s->inverse;
}

static size_t sma_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t sma_memory(const double *p) {
    return sma_warmup(p) + 1;
}

CSM_INDICATOR(sma, 1, 1, .name = "sma", .title = "Simple moving average",
              .source = "Arithmetic mean of n closes", .group = CSM_INDICATOR_TREND,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"sma"});
