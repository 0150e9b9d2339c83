/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct wma {
    wide_window close;
    double inverse_weights;
} wma;

static size_t wma_rows(const double *p) {
    return wide_rows(FOLD_LINE, p[0]);
}

static void wma_init(wma *s, const double *p, real *rows) {
    wide_init(&s->close, FOLD_LINE, p[0], rows);
    s->inverse_weights = 2.0 / (p[0] * (p[0] + 1.0));
}

CSM_INLINE void wma_step(wma *s, const candle *b, real *out) {
    const piece line = wide_push(&s->close, FOLD_LINE, piece_of(b->close));
    out[0] = line.a + line.c * s->inverse_weights; /* the mean, and what the tilt of the weights adds */
}

static size_t wma_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t wma_memory(const double *p) {
    return wma_warmup(p) + 1;
}

CSM_INDICATOR(wma, 1, 1, .name = "wma", .title = "Weighted moving average",
              .source = "Weights n, n-1, .. 1 from the newest close back", .group = CSM_INDICATOR_TREND,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"wma"});
