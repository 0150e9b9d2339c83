/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct stddev {
    wide_window close;
    double inverse;
} stddev;

static size_t stddev_rows(const double *p) {
    return wide_rows(FOLD_MOMENTS, p[0]);
}

static void stddev_init(stddev *s, const double *p, real *rows) {
    wide_init(&s->close, FOLD_MOMENTS, p[0], rows);
    s->inverse = 1.0 / p[0];
}

CSM_INLINE void stddev_step(stddev *s, const candle *b, real *out) {
    out[0] = real_sqrt(wide_push(&s->close, FOLD_MOMENTS, piece_of(b->close)).b * s->inverse);
}

static size_t stddev_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t stddev_memory(const double *p) {
    return stddev_warmup(p) + 1;
}

CSM_INDICATOR(stddev, 1, 1, .name = "stddev", .title = "Standard deviation",
              .source = "Population standard deviation of n closes", .group = CSM_INDICATOR_VOLATILITY,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 2, 20)}, .outputs = {"stddev"});
