/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct macd {
    ema fast;
    ema slow;
    ema signal;
    size_t wait; /* bars until the fast average starts, so that both seeds end at the same bar (as TA-Lib) */
} macd;

static size_t macd_rows(const double *p) {
    (void)p;
    return 0;
}

static void macd_init(macd *s, const double *p, real *rows) {
    (void)rows;
    ema_init(&s->fast, (size_t)p[0], ema_factor(p[0]));
    ema_init(&s->slow, (size_t)p[1], ema_factor(p[1]));
    ema_init(&s->signal, (size_t)p[2], ema_factor(p[2]));
    s->wait = (size_t)(p[1] - p[0]);
}

CSM_INLINE void macd_step(macd *s, const candle *b, real *out) {
    const real slow = ema_push(&s->slow, b->close);
    out[0] = out[1] = out[2] = slow;
    if (s->wait > 0) {
        s->wait--;
        return;
    }
    out[0] = ema_push(&s->fast, b->close) - slow;
    if (s->slow.seen == s->slow.n) out[1] = ema_push(&s->signal, out[0]);
    out[2] = out[0] - out[1];
}

static size_t macd_warmup(const double *p) {
    return (size_t)(p[1] + p[2]) - 2;
}

static size_t macd_memory(const double *p) {
    const double slowest = p[1] > p[2] ? p[1] : p[2];
    return macd_warmup(p) + 1 + csm_memory_decay(ema_factor(slowest), 2, CSM_WEIGHT_DIFFERENCE);
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
