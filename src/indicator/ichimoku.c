/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ichimoku {
    window high[3];
    window low[3];
} ichimoku;

static size_t ichimoku_rows(const double *p) {
    return 2 * (size_t)(p[0] + p[1] + p[2]);
}

static void ichimoku_init(ichimoku *s, const double *p, real *rows) {
    for (int k = 0; k < 3; k++) {
        rows = window_init(&s->high[k], FOLD_MAX, p[k], rows);
        rows = window_init(&s->low[k], FOLD_MIN, p[k], rows);
    }
}

CSM_INLINE void ichimoku_step(ichimoku *s, const candle *b, real *out) {
    const real conversion =
        window_push(&s->high[0], FOLD_MAX, b->high) + window_push(&s->low[0], FOLD_MIN, b->low);
    const real base = window_push(&s->high[1], FOLD_MAX, b->high) + window_push(&s->low[1], FOLD_MIN, b->low);
    const real span = window_push(&s->high[2], FOLD_MAX, b->high) + window_push(&s->low[2], FOLD_MIN, b->low);
    out[0] = conversion * 0.5;
    out[1] = base * 0.5;
    out[2] = (conversion + base) * 0.25;
    out[3] = span * 0.5;
}

static size_t ichimoku_warmup(const double *p) {
    return (size_t)fmax(p[0], fmax(p[1], p[2])) - 1;
}

static size_t ichimoku_memory(const double *p) {
    return ichimoku_warmup(p) + 1;
}

CSM_INDICATOR(ichimoku, 3, 4, .name = "ichimoku", .title = "Ichimoku lines",
              .source = "Hosoda (1969); midpoints of ranges, spans not shifted forward",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW,
              .parameters = {CSM_PERIOD("conversion", 1, 9), CSM_PERIOD("base", 1, 26),
                             CSM_PERIOD("span", 1, 52)},
              .outputs = {"conversion", "base", "span_a", "span_b"});
