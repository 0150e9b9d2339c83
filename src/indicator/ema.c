/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ema_line {
    ema average;
} ema_line;

static size_t ema_line_rows(const double *p) {
    (void)p;
    return 0;
}

static void ema_line_init(ema_line *s, const double *p, real *rows) {
    (void)rows;
    ema_init(&s->average, (size_t)p[0], ema_factor(p[0]));
}

CSM_INLINE void ema_line_step(ema_line *s, const candle *b, real *out) {
    out[0] = ema_push(&s->average, b->close);
}

static size_t ema_line_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t ema_line_memory(const double *p) {
    return ema_line_warmup(p) + 1 + csm_memory_decay(ema_factor(p[0]), 1, CSM_WEIGHT_LEVEL);
}

CSM_INDICATOR(ema_line, 1, 1, .name = "ema", .title = "Exponential moving average",
              .source = "k = 2/(n+1), seeded with the mean of the first n closes as TA-Lib EMA",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"ema"});
