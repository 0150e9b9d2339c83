/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ichimoku {
    window conversion_high;
    window conversion_low;
    window base_high;
    window base_low;
    window span_high;
    window span_low;
} ichimoku;

static size_t ichimoku_rows(const double *p) {
    return 2 * (size_t)(p[0] + p[1] + p[2]);
}

static void ichimoku_init(ichimoku *s, const double *p, real *rows) {
    rows = window_init(&s->conversion_high, FOLD_MAX, p[0], rows);
    rows = window_init(&s->conversion_low, FOLD_MIN, p[0], rows);
    rows = window_init(&s->base_high, FOLD_MAX, p[1], rows);
    rows = window_init(&s->base_low, FOLD_MIN, p[1], rows);
    rows = window_init(&s->span_high, FOLD_MAX, p[2], rows);
    window_init(&s->span_low, FOLD_MIN, p[2], rows);
}

CSM_INLINE void ichimoku_step(ichimoku *s, const candle *b, real *out) {
    const real high = window_push(&s->conversion_high, FOLD_MAX, b->high);
    const real conversion = high + window_push(&s->conversion_low, FOLD_MIN, b->low);
    const real base_high = window_push(&s->base_high, FOLD_MAX, b->high);
    const real base = base_high + window_push(&s->base_low, FOLD_MIN, b->low);
    const real span_high = window_push(&s->span_high, FOLD_MAX, b->high);
    out[0] = conversion * 0.5;
    out[1] = base * 0.5;
    out[2] = (conversion + base) * 0.25;
    out[3] = (span_high + window_push(&s->span_low, FOLD_MIN, b->low)) * 0.5;
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
