/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct dema {
    average first;
    average second;
} dema;

static size_t dema_rows(const double *p) {
    (void)p;
    return 0;
}

static void dema_init(dema *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->first, p[0], ema_factor(p[0]));
    average_init(&s->second, p[0], ema_factor(p[0]));
}

CSM_INLINE void dema_step(dema *s, const candle *b, real *out) {
    const real first = average_push(&s->first, b->close);
    out[0] = first;
    if (average_ready(&s->first)) out[0] = first * 2.0 - average_push(&s->second, first);
}

static size_t dema_warmup(const double *p) {
    return 2 * ((size_t)p[0] - 1);
}

static size_t dema_memory(const double *p) {
    return dema_warmup(p) + 1 + csm_memory_decay(ema_factor(p[0]), 2, CSM_WEIGHT_DIFFERENCE);
}

CSM_INDICATOR(dema, 1, 1, .name = "dema", .title = "Double exponential moving average",
              .source = "Mulloy (1994), Stocks & Commodities 12:1", .group = CSM_INDICATOR_TREND,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"dema"});
