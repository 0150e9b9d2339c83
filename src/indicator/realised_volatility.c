/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct realised_volatility {
    window squares;
    real last;
    bool started;
} realised_volatility;

static size_t realised_volatility_rows(const double *p) {
    return (size_t)p[0];
}

static void realised_volatility_init(realised_volatility *s, const double *p, real *rows) {
    window_init(&s->squares, FOLD_SUM, p[0], rows);
    s->last = real_of(1.0);
}

CSM_INLINE void realised_volatility_step(realised_volatility *s, const candle *b, real *out) {
    const real r = real_log(b->close / s->last);
    out[0] = r;
    if (s->started) out[0] = real_sqrt(window_push(&s->squares, FOLD_SUM, r * r));
    s->last = b->close;
    s->started = true;
}

static size_t realised_volatility_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t realised_volatility_memory(const double *p) {
    return realised_volatility_warmup(p) + 1;
}

CSM_INDICATOR(realised_volatility, 1, 1, .name = "realised_volatility", .title = "Realised volatility",
              .source = "Andersen & Bollerslev (1998): root of the sum of n squared log returns",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 24)}, .outputs = {"realised_volatility"});
