/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct vortex {
    window plus;
    window minus;
    window range;
    real high;
    real low;
    real close;
    bool started;
} vortex;

static size_t vortex_rows(const double *p) {
    return 3 * (size_t)p[0];
}

static void vortex_init(vortex *s, const double *p, real *rows) {
    rows = window_init(&s->plus, FOLD_SUM, p[0], rows);
    rows = window_init(&s->minus, FOLD_SUM, p[0], rows);
    window_init(&s->range, FOLD_SUM, p[0], rows);
    s->high = s->low = s->close = real_of(0.0);
}

CSM_INLINE void vortex_step(vortex *s, const candle *b, real *out) {
    out[0] = out[1] = s->close;
    if (s->started) {
        const real plus = window_push(&s->plus, FOLD_SUM, real_abs(b->high - s->low));
        const real minus = window_push(&s->minus, FOLD_SUM, real_abs(b->low - s->high));
        const real range = window_push(&s->range, FOLD_SUM, true_range(b, s->close));
        out[0] = real_ratio(plus, range, real_of(NAN));
        out[1] = real_ratio(minus, range, real_of(NAN));
    }
    s->high = b->high;
    s->low = b->low;
    s->close = b->close;
    s->started = true;
}

static size_t vortex_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t vortex_memory(const double *p) {
    return vortex_warmup(p) + 1;
}

CSM_INDICATOR(vortex, 1, 2, .name = "vortex", .title = "Vortex indicator",
              .source = "Botes & Siepman (2010), Stocks & Commodities 28:1; NaN in a flat market",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 14)}, .outputs = {"plus", "minus"});
