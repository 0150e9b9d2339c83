/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct cmo {
    strength close;
} cmo;

static size_t cmo_rows(const double *p) {
    (void)p;
    return 0;
}

static void cmo_init(cmo *s, const double *p, real *rows) {
    (void)rows;
    strength_init(&s->close, p[0]);
}

CSM_INLINE void cmo_step(cmo *s, const candle *b, real *out) {
    strength_push(&s->close, b->close);
    const real gain = s->close.gain.value, loss = s->close.loss.value;
    out[0] = real_ratio((gain - loss) * 100.0, gain + loss, real_of(0.0));
}

static size_t cmo_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t cmo_memory(const double *p) {
    return cmo_warmup(p) + 1 + csm_memory_decay(1.0 / p[0], 1, CSM_WEIGHT_DIFFERENCE);
}

CSM_INDICATOR(
    cmo, 1, 1, .name = "cmo", .title = "Chande momentum oscillator",
    .source =
        "Chande & Kroll (1994), The New Technical Trader; Wilder's smoothing as TA-Lib; 0 in a flat market",
    .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 2, 14)},
    .outputs = {"cmo"});
