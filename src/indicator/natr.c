/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct natr {
    average range;
    real last;
    bool started;
} natr;

static size_t natr_rows(const double *p) {
    (void)p;
    return 0;
}

static void natr_init(natr *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->range, p[0], 1.0 / p[0]);
    s->last = real_of(0.0);
}

CSM_INLINE void natr_step(natr *s, const candle *b, real *out) {
    out[0] = s->last;
    if (s->started) out[0] = average_push(&s->range, true_range(b, s->last)) / b->close * 100.0;
    s->last = b->close;
    s->started = true;
}

static size_t natr_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t natr_memory(const double *p) {
    return natr_warmup(p) + 1 + csm_memory_decay(1.0 / p[0], 1, CSM_WEIGHT_LEVEL);
}

CSM_INDICATOR(natr, 1, 1, .name = "natr", .title = "Normalised average true range",
              .source = "Forman (2006), Stocks & Commodities 24:5: 100 ATR / close",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 14)}, .outputs = {"natr"});
