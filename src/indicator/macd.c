/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct macd {
    average fast;
    average slow;
    average signal;
    size_t wait; /* the fast average starts late, so that both seeds end at the same bar, as TA-Lib */
} macd;

static size_t macd_rows(const double *p) {
    (void)p;
    return 0;
}

static void macd_init(macd *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->fast, p[0], ema_factor(p[0]));
    average_init(&s->slow, p[1], ema_factor(p[1]));
    average_init(&s->signal, p[2], ema_factor(p[2]));
    s->wait = (size_t)(p[1] - p[0]);
}

CSM_INLINE void macd_step(macd *s, const candle *b, real *out) {
    const real slow = average_push(&s->slow, b->close);
    out[0] = out[1] = out[2] = slow;
    if (!wait_over(&s->wait)) return;
    out[0] = average_push(&s->fast, b->close) - slow;
    if (average_ready(&s->slow)) out[1] = average_push(&s->signal, out[0]);
    out[2] = out[0] - out[1];
}

static size_t macd_warmup(const double *p) {
    return (size_t)(p[1] + p[2]) - 2;
}

static size_t macd_memory(const double *p) {
    return macd_warmup(p) + 1 + csm_memory_decay(ema_factor(fmax(p[1], p[2])), 2, CSM_WEIGHT_DIFFERENCE);
}

static const char *macd_relation(const double *p) {
    return p[0] < p[1] ? NULL : "fast must be less than slow";
}

CSM_INDICATOR_RELATED(macd, macd_relation, 3, 3, .name = "macd",
                      .title = "Moving average convergence divergence",
                      .source = "Appel (1979), The Moving Average Convergence-Divergence Trading Method",
                      .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
                      .parameters = {CSM_PERIOD("fast", 2, 12), CSM_PERIOD("slow", 3, 26),
                                     CSM_PERIOD("signal", 1, 9)},
                      .outputs = {"macd", "signal", "histogram"});
