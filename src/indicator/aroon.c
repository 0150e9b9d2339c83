/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct aroon {
    wide_window high;
    wide_window low;
    double now;
    double scale;
} aroon;

static size_t aroon_rows(const double *p) {
    return wide_rows(FOLD_WHEN_MAX, p[0] + 1.0) + wide_rows(FOLD_WHEN_MIN, p[0] + 1.0);
}

static void aroon_init(aroon *s, const double *p, real *rows) {
    rows = wide_init(&s->high, FOLD_WHEN_MAX, p[0] + 1.0, rows);
    wide_init(&s->low, FOLD_WHEN_MIN, p[0] + 1.0, rows);
    s->scale = 100.0 / p[0];
}

CSM_INLINE void aroon_step(aroon *s, const candle *b, real *out) {
    piece high = piece_of(b->high), low = piece_of(b->low);
    high.b = low.b = real_of(s->now);
    high = wide_push(&s->high, FOLD_WHEN_MAX, high);
    low = wide_push(&s->low, FOLD_WHEN_MIN, low);
    out[0] = 100.0 - (s->now - high.b) * s->scale;
    out[1] = 100.0 - (s->now - low.b) * s->scale;
    out[2] = out[0] - out[1];
    s->now += 1.0;
}

static size_t aroon_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t aroon_memory(const double *p) {
    return aroon_warmup(p) + 1;
}

CSM_INDICATOR(
    aroon, 1, 3, .name = "aroon", .title = "Aroon",
    .source = "Chande (1995), Stocks & Commodities 13:9; the latest of equal extrema counts, as TA-Lib",
    .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW,
    .parameters = {CSM_PERIOD("period", 2, 14)}, .outputs = {"up", "down", "oscillator"});
