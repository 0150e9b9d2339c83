/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct willr {
    window high;
    window low;
} willr;

static size_t willr_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void willr_init(willr *s, const double *p, real *rows) {
    rows = window_init(&s->high, FOLD_MAX, p[0], rows);
    window_init(&s->low, FOLD_MIN, p[0], rows);
}

CSM_INLINE void willr_step(willr *s, const candle *b, real *out) {
    const real high = window_push(&s->high, FOLD_MAX, b->high), low = window_push(&s->low, FOLD_MIN, b->low);
    out[0] = real_ratio((b->close - high) * 100.0, high - low, real_of(-50.0));
}

static size_t willr_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t willr_memory(const double *p) {
    return willr_warmup(p) + 1;
}

CSM_INDICATOR(willr, 1, 1, .name = "willr", .title = "Williams' %R",
              .source = "Williams (1979), How I Made One Million Dollars; -50 in a flat market",
              .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 14)}, .outputs = {"willr"});
