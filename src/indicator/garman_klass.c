/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct garman_klass {
    window terms;
    double inverse;
} garman_klass;

static size_t garman_klass_rows(const double *p) {
    return (size_t)p[0];
}

static void garman_klass_init(garman_klass *s, const double *p, real *rows) {
    window_init(&s->terms, FOLD_SUM, p[0], rows);
    s->inverse = 1.0 / p[0];
}

CSM_INLINE void garman_klass_step(garman_klass *s, const candle *b, real *out) {
    const real range = real_log(b->high / b->low), body = real_log(b->close / b->open);
    const real term = range * range * 0.5 - body * body * (2.0 * LN_2 - 1.0);
    out[0] = real_sqrt(real_max(window_push(&s->terms, FOLD_SUM, term) * s->inverse, real_of(0.0)));
}

static size_t garman_klass_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t garman_klass_memory(const double *p) {
    return garman_klass_warmup(p) + 1;
}

CSM_INDICATOR(garman_klass, 1, 1, .name = "garman_klass", .title = "Garman-Klass volatility",
              .source = "Garman & Klass (1980), J. Business 53:1, eq. 19 without the overnight term",
              .group = CSM_INDICATOR_VOLATILITY,
              .inputs = CSM_INPUT_OPEN | CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 24)}, .outputs = {"garman_klass"});
