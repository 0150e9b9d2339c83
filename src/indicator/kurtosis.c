/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct kurtosis {
    wide_window returns;
    real last;
    double n;
    bool started;
} kurtosis;

static size_t kurtosis_rows(const double *p) {
    return wide_rows(FOLD_SHAPE, p[0]);
}

static void kurtosis_init(kurtosis *s, const double *p, real *rows) {
    wide_init(&s->returns, FOLD_SHAPE, p[0], rows);
    s->last = real_of(1.0);
    s->n = p[0];
}

CSM_INLINE void kurtosis_step(kurtosis *s, const candle *b, real *out) {
    const real r = real_log(b->close / s->last);
    const bool started = s->started;
    s->last = b->close;
    s->started = true;
    out[0] = r;
    if (!started) return;
    const piece shape = wide_push(&s->returns, FOLD_SHAPE, piece_of(r));
    out[0] = real_ratio(shape.d * s->n, shape.b * shape.b, real_of(NAN)) - 3.0;
}

static size_t kurtosis_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t kurtosis_memory(const double *p) {
    return kurtosis_warmup(p) + 1;
}

CSM_INDICATOR(kurtosis, 1, 1, .name = "kurtosis", .title = "Excess kurtosis of log returns",
              .source = "Population excess kurtosis g2 of n log returns; NaN in a flat market",
              .group = CSM_INDICATOR_STATISTICS, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 4, 48)}, .outputs = {"kurtosis"});
