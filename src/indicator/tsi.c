/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct tsi {
    average change_long;
    average change_short;
    average size_long;
    average size_short;
    real last;
    bool started;
} tsi;

static size_t tsi_rows(const double *p) {
    (void)p;
    return 0;
}

static void tsi_init(tsi *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->change_long, p[0], ema_factor(p[0]));
    average_init(&s->size_long, p[0], ema_factor(p[0]));
    average_init(&s->change_short, p[1], ema_factor(p[1]));
    average_init(&s->size_short, p[1], ema_factor(p[1]));
    s->last = real_of(0.0);
}

CSM_INLINE void tsi_step(tsi *s, const candle *b, real *out) {
    const real change = b->close - s->last;
    const bool started = s->started;
    s->last = b->close;
    s->started = true;
    out[0] = change;
    if (!started) return;
    const real smooth = average_push(&s->change_long, change),
               size = average_push(&s->size_long, real_abs(change));
    if (!average_ready(&s->change_long)) return;
    const real twice = average_push(&s->change_short, smooth);
    out[0] = real_ratio(twice * 100.0, average_push(&s->size_short, size), real_of(0.0));
}

static size_t tsi_warmup(const double *p) {
    return (size_t)(p[0] + p[1]) - 1;
}

static size_t tsi_memory(const double *p) {
    return tsi_warmup(p) + 1 + csm_memory_decay(ema_factor(fmax(p[0], p[1])), 2, CSM_WEIGHT_DIFFERENCE);
}

CSM_INDICATOR(tsi, 2, 1, .name = "tsi", .title = "True strength index",
              .source = "Blau (1991), Stocks & Commodities 9:11; 0 in a flat market",
              .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("long", 1, 25), CSM_PERIOD("short", 1, 13)}, .outputs = {"tsi"});
