/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ultosc {
    window short_pressure;
    window short_range;
    window medium_pressure;
    window medium_range;
    window long_pressure;
    window long_range;
    real last;
    bool started;
} ultosc;

static size_t ultosc_rows(const double *p) {
    return 2 * (size_t)(p[0] + p[1] + p[2]);
}

static void ultosc_init(ultosc *s, const double *p, real *rows) {
    rows = window_init(&s->short_pressure, FOLD_SUM, p[0], rows);
    rows = window_init(&s->short_range, FOLD_SUM, p[0], rows);
    rows = window_init(&s->medium_pressure, FOLD_SUM, p[1], rows);
    rows = window_init(&s->medium_range, FOLD_SUM, p[1], rows);
    rows = window_init(&s->long_pressure, FOLD_SUM, p[2], rows);
    window_init(&s->long_range, FOLD_SUM, p[2], rows);
    s->last = real_of(0.0);
}

CSM_INLINE void ultosc_step(ultosc *s, const candle *b, real *out) {
    const real last = s->last, half = real_of(0.5);
    const bool started = s->started;
    s->last = b->close;
    s->started = true;
    out[0] = half;
    if (!started) return;
    const real pressure = b->close - real_min(b->low, last), range = true_range(b, last);
    const real short_range = window_push(&s->short_range, FOLD_SUM, range);
    const real medium_range = window_push(&s->medium_range, FOLD_SUM, range);
    const real long_range = window_push(&s->long_range, FOLD_SUM, range);
    const real quick = real_ratio(window_push(&s->short_pressure, FOLD_SUM, pressure), short_range, half);
    const real medium = real_ratio(window_push(&s->medium_pressure, FOLD_SUM, pressure), medium_range, half);
    const real slow = real_ratio(window_push(&s->long_pressure, FOLD_SUM, pressure), long_range, half);
    out[0] = (quick * 4.0 + medium * 2.0 + slow) * (100.0 / 7.0);
}

static size_t ultosc_warmup(const double *p) {
    return (size_t)p[2];
}

static size_t ultosc_memory(const double *p) {
    return ultosc_warmup(p) + 1;
}

static const char *ultosc_relation(const double *p) {
    return p[0] < p[1] && p[1] < p[2] ? NULL : "the three lengths must ascend";
}

CSM_INDICATOR_RELATED(ultosc, ultosc_relation, 3, 1, .name = "ultosc", .title = "Ultimate oscillator",
                      .source = "Williams (1985), Stocks & Commodities 3:4; 50 in a flat market",
                      .group = CSM_INDICATOR_MOMENTUM,
                      .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
                      .parameters = {CSM_PERIOD("short", 1, 7), CSM_PERIOD("medium", 1, 14),
                                     CSM_PERIOD("long", 1, 28)},
                      .outputs = {"ultosc"});
