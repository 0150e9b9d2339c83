/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct minmax {
    window low;
    window high;
} minmax;

static size_t minmax_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void minmax_init(minmax *s, const double *p, real *rows) {
    rows = window_init(&s->low, FOLD_MIN, p[0], rows);
    window_init(&s->high, FOLD_MAX, p[0], rows);
}

CSM_INLINE void minmax_step(minmax *s, const candle *b, real *out) {
    out[0] = window_push(&s->low, FOLD_MIN, b->close);
    out[1] = window_push(&s->high, FOLD_MAX, b->close);
}

static size_t minmax_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t minmax_memory(const double *p) {
    return minmax_warmup(p) + 1;
}

CSM_INDICATOR(minmax, 1, 2, .name = "minmax", .title = "Rolling minimum and maximum",
              .source = "van Herk (1992), Pattern Recognition Letters 13:7",
              .group = CSM_INDICATOR_STATISTICS, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"minimum", "maximum"});
