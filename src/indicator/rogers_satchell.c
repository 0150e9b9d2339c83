/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct rogers_satchell {
    window terms;
    double inverse;
} rogers_satchell;

static size_t rogers_satchell_rows(const double *p) {
    return (size_t)p[0];
}

static void rogers_satchell_init(rogers_satchell *s, const double *p, real *rows) {
    window_init(&s->terms, FOLD_SUM, p[0], rows);
    s->inverse = 1.0 / p[0];
}

CSM_INLINE void rogers_satchell_step(rogers_satchell *s, const candle *b, real *out) {
    const real above = real_log(b->high / b->close) * real_log(b->high / b->open);
    const real below = real_log(b->low / b->close) * real_log(b->low / b->open);
    out[0] = real_sqrt(real_max(window_push(&s->terms, FOLD_SUM, above + below) * s->inverse, real_of(0.0)));
}

static size_t rogers_satchell_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t rogers_satchell_memory(const double *p) {
    return rogers_satchell_warmup(p) + 1;
}

CSM_INDICATOR(rogers_satchell, 1, 1, .name = "rogers_satchell", .title = "Rogers-Satchell volatility",
              .source = "Rogers & Satchell (1991), Annals of Applied Probability 1:4",
              .group = CSM_INDICATOR_VOLATILITY,
              .inputs = CSM_INPUT_OPEN | CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 24)}, .outputs = {"rogers_satchell"});
