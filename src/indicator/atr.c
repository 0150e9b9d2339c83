/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct atr {
    average range;
    real last;
    bool started;
} atr;

static size_t atr_rows(const double *p) {
    (void)p;
    return 0;
}

static void atr_init(atr *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->range, p[0], 1.0 / p[0]);
    s->last = real_of(0.0);
}

CSM_INLINE void atr_step(atr *s, const candle *b, real *out) {
    out[0] = s->last;
    if (s->started) out[0] = average_push(&s->range, true_range(b, s->last));
    s->last = b->close;
    s->started = true;
}

static size_t atr_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t atr_memory(const double *p) {
    return atr_warmup(p) + 1 + csm_memory_decay(1.0 / p[0], 1, CSM_WEIGHT_LEVEL);
}

CSM_INDICATOR(atr, 1, 1, .name = "atr", .title = "Average true range",
              .source = "Wilder (1978), New Concepts in Technical Trading Systems, ch. 3",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 14)}, .outputs = {"atr"});
