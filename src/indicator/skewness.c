/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct skewness {
    wide_window returns;
    real last;
    double root;
    bool started;
} skewness;

static size_t skewness_rows(const double *p) {
    return wide_rows(FOLD_SHAPE, p[0]);
}

static void skewness_init(skewness *s, const double *p, real *rows) {
    wide_init(&s->returns, FOLD_SHAPE, p[0], rows);
    s->last = real_of(1.0);
    s->root = sqrt(p[0]);
}

CSM_INLINE void skewness_step(skewness *s, const candle *b, real *out) {
    const real r = real_log(b->close / s->last);
    const bool started = s->started;
    s->last = b->close;
    s->started = true;
    out[0] = r;
    if (!started) return;
    const piece shape = wide_push(&s->returns, FOLD_SHAPE, piece_of(r));
    out[0] = real_ratio(shape.c * s->root, shape.b * real_sqrt(shape.b), real_of(NAN));
}

static size_t skewness_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t skewness_memory(const double *p) {
    return skewness_warmup(p) + 1;
}

CSM_INDICATOR(skewness, 1, 1, .name = "skewness", .title = "Skewness of log returns",
              .source = "Population skewness g1 of n log returns; NaN in a flat market",
              .group = CSM_INDICATOR_STATISTICS, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 3, 48)}, .outputs = {"skewness"});
