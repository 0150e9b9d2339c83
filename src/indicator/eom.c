/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct eom {
    window ease;
    real last;
    double inverse;
    bool started;
} eom;

static size_t eom_rows(const double *p) {
    return (size_t)p[0];
}

static void eom_init(eom *s, const double *p, real *rows) {
    window_init(&s->ease, FOLD_SUM, p[0], rows);
    s->last = real_of(0.0);
    s->inverse = 1.0 / p[0];
}

CSM_INLINE void eom_step(eom *s, const candle *b, real *out) {
    const real middle = (b->high + b->low) * 0.5;
    const real ease = real_ratio((middle - s->last) * (b->high - b->low), b->volume, real_of(NAN));
    out[0] = ease;
    if (s->started) out[0] = window_push(&s->ease, FOLD_SUM, ease) * s->inverse;
    s->last = middle;
    s->started = true;
}

static size_t eom_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t eom_memory(const double *p) {
    return eom_warmup(p) + 1;
}

CSM_INDICATOR(eom, 1, 1, .name = "eom", .title = "Ease of movement",
              .source = "Arms (1996): mean of midpoint change times range over volume; NaN while a bar "
                        "without volume is in the window",
              .group = CSM_INDICATOR_VOLUME, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_VOLUME,
              .parameters = {CSM_PERIOD("period", 1, 14)}, .outputs = {"eom"});
