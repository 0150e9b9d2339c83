/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct autocorrelation {
    wide_window pairs;
    real last;
    real last_return;
    size_t seen;
} autocorrelation;

static size_t autocorrelation_rows(const double *p) {
    return wide_rows(FOLD_PAIR, p[0]);
}

static void autocorrelation_init(autocorrelation *s, const double *p, real *rows) {
    wide_init(&s->pairs, FOLD_PAIR, p[0], rows);
    s->last = real_of(1.0);
    s->last_return = real_of(0.0);
}

CSM_INLINE void autocorrelation_step(autocorrelation *s, const candle *b, real *out) {
    const real r = real_log(b->close / s->last);
    out[0] = r;
    if (s->seen > 1) {
        piece pair = piece_of(r);
        pair.c = s->last_return;
        pair = wide_push(&s->pairs, FOLD_PAIR, pair);
        out[0] = real_ratio(pair.e, real_sqrt(pair.b) * real_sqrt(pair.d), real_of(NAN));
    }
    s->last = b->close;
    s->last_return = r;
    s->seen++;
}

static size_t autocorrelation_warmup(const double *p) {
    return (size_t)p[0] + 1;
}

static size_t autocorrelation_memory(const double *p) {
    return autocorrelation_warmup(p) + 1;
}

CSM_INDICATOR(
    autocorrelation, 1, 1, .name = "autocorrelation", .title = "Autocorrelation of log returns",
    .source = "Pearson correlation of n log returns with those one bar earlier; NaN in a flat market",
    .group = CSM_INDICATOR_STATISTICS, .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 3, 48)},
    .outputs = {"autocorrelation"});
