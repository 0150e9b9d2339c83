/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ulcer {
    window high;
    window squares;
    double inverse;
    size_t wait;
} ulcer;

static size_t ulcer_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void ulcer_init(ulcer *s, const double *p, real *rows) {
    rows = window_init(&s->high, FOLD_MAX, p[0], rows);
    window_init(&s->squares, FOLD_SUM, p[0], rows);
    s->inverse = 1.0 / p[0];
    s->wait = (size_t)p[0] - 1;
}

CSM_INLINE void ulcer_step(ulcer *s, const candle *b, real *out) {
    const real below = (b->close / window_push(&s->high, FOLD_MAX, b->close) - 1.0) * 100.0;
    out[0] = below;
    if (wait_over(&s->wait))
        out[0] = real_sqrt(window_push(&s->squares, FOLD_SUM, below * below) * s->inverse);
}

static size_t ulcer_warmup(const double *p) {
    return 2 * ((size_t)p[0] - 1);
}

static size_t ulcer_memory(const double *p) {
    return ulcer_warmup(p) + 1;
}

CSM_INDICATOR(ulcer, 1, 1, .name = "ulcer", .title = "Ulcer index",
              .source = "Martin & McCann (1989): root mean square of per cent below the greatest of n closes",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 14)}, .outputs = {"ulcer"});
