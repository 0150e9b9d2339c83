/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ema {
    average close;
} ema;

static size_t ema_rows(const double *p) {
    (void)p;
    return 0;
}

static void ema_init(ema *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->close, p[0], ema_factor(p[0]));
}

CSM_INLINE void ema_step(ema *s, const candle *b, real *out) {
    out[0] = average_push(&s->close, b->close);
}

static size_t ema_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t ema_memory(const double *p) {
    return ema_warmup(p) + 1 + csm_memory_decay(ema_factor(p[0]), 1, CSM_WEIGHT_LEVEL);
}

CSM_INDICATOR(ema, 1, 1, .name = "ema", .title = "Exponential moving average",
              .source = "k = 2/(n+1), seeded with the mean of the first n closes as TA-Lib EMA",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"ema"});
