/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct linreg {
    wide_window close;
    double inverse; /* 1 / sum of squared distances of the bar number from its mean */
    double reach;   /* bars from the mean bar to the newest */
} linreg;

static size_t linreg_rows(const double *p) {
    return wide_rows(FOLD_LINE, p[0]);
}

static void linreg_init(linreg *s, const double *p, real *rows) {
    wide_init(&s->close, FOLD_LINE, p[0], rows);
    s->inverse = 12.0 / (p[0] * (p[0] * p[0] - 1.0));
    s->reach = (p[0] - 1.0) / 2.0;
}

CSM_INLINE void linreg_step(linreg *s, const candle *b, real *out) {
    const piece line = wide_push(&s->close, FOLD_LINE, piece_of(b->close));
    out[1] = line.c * s->inverse;
    out[0] = line.a + out[1] * s->reach;
    out[2] = real_ratio(out[1] * line.c, line.b, real_of(NAN));
}

static size_t linreg_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t linreg_memory(const double *p) {
    return linreg_warmup(p) + 1;
}

CSM_INDICATOR(linreg, 1, 3, .name = "linreg", .title = "Linear regression over time",
              .source = "Least squares: value at the newest bar, slope a bar, coefficient of determination "
                        "(NaN in a flat market)",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 2, 14)}, .outputs = {"value", "slope", "r2"});
