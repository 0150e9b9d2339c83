/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ultosc {
    window pressure[3];
    window range[3];
    real last;
    bool started;
} ultosc;

static size_t ultosc_rows(const double *p) {
    return 2 * (size_t)(p[0] + p[1] + p[2]);
}

static void ultosc_init(ultosc *s, const double *p, real *rows) {
    for (int k = 0; k < 3; k++) {
        rows = window_init(&s->pressure[k], FOLD_SUM, p[k], rows);
        rows = window_init(&s->range[k], FOLD_SUM, p[k], rows);
    }
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
    real share[3];
    for (int k = 0; k < 3; k++) {
        const real bought = window_push(&s->pressure[k], FOLD_SUM, pressure);
        share[k] = real_ratio(bought, window_push(&s->range[k], FOLD_SUM, range), half);
    }
    out[0] = (share[0] * 4.0 + share[1] * 2.0 + share[2]) * (100.0 / 7.0);
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
