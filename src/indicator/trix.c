/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct trix {
    average first;
    average second;
    average third;
    real last;
} trix;

static size_t trix_rows(const double *p) {
    (void)p;
    return 0;
}

static void trix_init(trix *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->first, p[0], ema_factor(p[0]));
    average_init(&s->second, p[0], ema_factor(p[0]));
    average_init(&s->third, p[0], ema_factor(p[0]));
    s->last = real_of(1.0);
}

CSM_INLINE void trix_step(trix *s, const candle *b, real *out) {
    const real first = average_push(&s->first, b->close);
    out[0] = first;
    if (!average_ready(&s->first)) return;
    const real second = average_push(&s->second, first);
    if (!average_ready(&s->second)) return;
    const real third = average_push(&s->third, second);
    out[0] =
        (real_ratio(third, s->last, real_of(NAN)) - 1.0) * 100.0; /* an average of prices may round to 0 */
    s->last = third;
}

static size_t trix_warmup(const double *p) {
    return 3 * ((size_t)p[0] - 1) + 1;
}

static size_t trix_memory(const double *p) {
    return trix_warmup(p) + 1 + csm_memory_decay(ema_factor(p[0]), 3, CSM_WEIGHT_DIFFERENCE);
}

CSM_INDICATOR(trix, 1, 1, .name = "trix", .title = "Triple exponential rate of change",
              .source = "Hutson (1983), Stocks & Commodities 1:5; per cent a bar",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 15)}, .outputs = {"trix"});
