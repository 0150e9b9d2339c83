/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct bbands {
    wide_window close;
    double inverse;
    double width;
} bbands;

static size_t bbands_rows(const double *p) {
    return wide_rows(FOLD_MOMENTS, p[0]);
}

static void bbands_init(bbands *s, const double *p, real *rows) {
    wide_init(&s->close, FOLD_MOMENTS, p[0], rows);
    s->inverse = 1.0 / p[0];
    s->width = p[1];
}

CSM_INLINE void bbands_step(bbands *s, const candle *b, real *out) {
    const piece moments = wide_push(&s->close, FOLD_MOMENTS, piece_of(b->close));
    const real reach = real_sqrt(moments.b * s->inverse) * s->width;
    out[0] = moments.a + reach;
    out[1] = moments.a;
    out[2] = moments.a - reach;
    out[3] = real_ratio(b->close - out[2], out[0] - out[2], real_of(0.5));
}

static size_t bbands_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t bbands_memory(const double *p) {
    return bbands_warmup(p) + 1;
}

CSM_INDICATOR(
    bbands, 2, 4, .name = "bbands", .title = "Bollinger bands",
    .source =
        "Bollinger (2001), Bollinger on Bollinger Bands; population deviation; %b is 0.5 in a flat market",
    .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_CLOSE,
    .parameters = {CSM_PERIOD("period", 2, 20),
                   {.name = "deviations", .minimum = 0.1, .maximum = 10.0, .standard = 2.0}},
    .outputs = {"upper", "middle", "lower", "percent_b"});
