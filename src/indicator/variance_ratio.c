/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct variance_ratio {
    wide_window one;
    wide_window many;
    ring closes;
    real last;
    double inverse_lag;
    size_t wait;
    bool started;
} variance_ratio;

static size_t variance_ratio_rows(const double *p) {
    return 2 * wide_rows(FOLD_MOMENTS, p[0]) + (size_t)p[1];
}

static void variance_ratio_init(variance_ratio *s, const double *p, real *rows) {
    rows = wide_init(&s->one, FOLD_MOMENTS, p[0], rows);
    rows = wide_init(&s->many, FOLD_MOMENTS, p[0], rows);
    ring_init(&s->closes, p[1], 1.0, rows);
    s->last = real_of(1.0);
    s->inverse_lag = 1.0 / p[1];
    s->wait = (size_t)p[1];
}

CSM_INLINE void variance_ratio_step(variance_ratio *s, const candle *b, real *out) {
    const real r = real_log(b->close / s->last), far = real_log(b->close / ring_push(&s->closes, b->close));
    const bool started = s->started;
    s->last = b->close;
    s->started = true;
    out[0] = r;
    if (!started) {
        --s->wait;
        return;
    }
    const piece one = wide_push(&s->one, FOLD_MOMENTS, piece_of(r));
    if (!wait_over(&s->wait)) return;
    const piece many = wide_push(&s->many, FOLD_MOMENTS, piece_of(far));
    out[0] = real_ratio(many.b * s->inverse_lag, one.b, real_of(NAN));
}

static size_t variance_ratio_warmup(const double *p) {
    return (size_t)(p[0] + p[1]) - 1;
}

static size_t variance_ratio_memory(const double *p) {
    return variance_ratio_warmup(p) + 1;
}

CSM_INDICATOR(variance_ratio, 2, 1, .name = "variance_ratio", .title = "Variance ratio",
              .source = "Lo & MacKinlay (1988): variance of n q-bar log returns / q times that of n one-bar "
                        "ones; NaN in a flat market",
              .group = CSM_INDICATOR_STATISTICS, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 3, 168), CSM_PERIOD("lag", 2, 4)},
              .outputs = {"variance_ratio"});
