/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct zscore {
    wide_window close;
    double inverse;
} zscore;

static size_t zscore_rows(const double *p) {
    return wide_rows(FOLD_MOMENTS, p[0]);
}

static void zscore_init(zscore *s, const double *p, real *rows) {
    wide_init(&s->close, FOLD_MOMENTS, p[0], rows);
    s->inverse = 1.0 / p[0];
}

CSM_INLINE void zscore_step(zscore *s, const candle *b, real *out) {
    const piece moments = wide_push(&s->close, FOLD_MOMENTS, piece_of(b->close));
    out[0] = real_ratio(b->close - moments.a, real_sqrt(moments.b * s->inverse), real_of(NAN));
}

static size_t zscore_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t zscore_memory(const double *p) {
    return zscore_warmup(p) + 1;
}

CSM_INDICATOR(zscore, 1, 1, .name = "zscore", .title = "Standard score",
              .source = "(close - mean) / population standard deviation of n closes; NaN in a flat market",
              .group = CSM_INDICATOR_STATISTICS, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 2, 20)}, .outputs = {"zscore"});
