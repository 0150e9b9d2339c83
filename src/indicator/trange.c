/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct trange {
    real last;
} trange;

static size_t trange_rows(const double *p) {
    (void)p;
    return 0;
}

static void trange_init(trange *s, const double *p, real *rows) {
    (void)p;
    (void)rows;
    s->last = real_of(0.0);
}

CSM_INLINE void trange_step(trange *s, const candle *b, real *out) {
    out[0] = true_range(b, s->last);
    s->last = b->close;
}

static size_t trange_warmup(const double *p) {
    (void)p;
    return 1;
}

static size_t trange_memory(const double *p) {
    return trange_warmup(p) + 1;
}

CSM_INDICATOR(trange, 0, 1, .name = "true_range", .title = "True range",
              .source = "Wilder (1978), New Concepts in Technical Trading Systems, ch. 3",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .outputs = {"true_range"});
