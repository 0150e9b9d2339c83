/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct rsi {
    strength close;
} rsi;

static size_t rsi_rows(const double *p) {
    (void)p;
    return 0;
}

static void rsi_init(rsi *s, const double *p, real *rows) {
    (void)rows;
    strength_init(&s->close, p[0]);
}

CSM_INLINE void rsi_step(rsi *s, const candle *b, real *out) {
    strength_push(&s->close, b->close);
    out[0] = strength_index(&s->close);
}

static size_t rsi_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t rsi_memory(const double *p) {
    return rsi_warmup(p) + 1 + csm_memory_decay(1.0 / p[0], 1, CSM_WEIGHT_RATIO);
}

CSM_INDICATOR(
    rsi, 1, 1, .name = "rsi", .title = "Relative strength index",
    .source = "Wilder (1978), New Concepts in Technical Trading Systems, ch. 6; 50 in a flat market",
    .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 2, 14)},
    .outputs = {"rsi"});
