/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct tema {
    average first;
    average second;
    average third;
} tema;

static size_t tema_rows(const double *p) {
    (void)p;
    return 0;
}

static void tema_init(tema *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->first, p[0], ema_factor(p[0]));
    average_init(&s->second, p[0], ema_factor(p[0]));
    average_init(&s->third, p[0], ema_factor(p[0]));
}

CSM_INLINE void tema_step(tema *s, const candle *b, real *out) {
    const real first = average_push(&s->first, b->close);
    out[0] = first;
    if (!average_ready(&s->first)) return;
    const real second = average_push(&s->second, first);
    if (average_ready(&s->second)) out[0] = (first - second) * 3.0 + average_push(&s->third, second);
}

static size_t tema_warmup(const double *p) {
    return 3 * ((size_t)p[0] - 1);
}

static size_t tema_memory(const double *p) {
    return tema_warmup(p) + 1 + csm_memory_decay(ema_factor(p[0]), 3, CSM_WEIGHT_DIFFERENCE);
}

CSM_INDICATOR(tema, 1, 1, .name = "tema", .title = "Triple exponential moving average",
              .source = "Mulloy (1994), Stocks & Commodities 12:1", .group = CSM_INDICATOR_TREND,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"tema"});
