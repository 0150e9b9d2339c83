/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct roc {
    ring close;
} roc;

static size_t roc_rows(const double *p) {
    return (size_t)p[0];
}

static void roc_init(roc *s, const double *p, real *rows) {
    ring_init(&s->close, p[0], 1.0, rows);
}

CSM_INLINE void roc_step(roc *s, const candle *b, real *out) {
    out[0] = (b->close / ring_push(&s->close, b->close) - 1.0) * 100.0;
}

static size_t roc_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t roc_memory(const double *p) {
    return roc_warmup(p) + 1;
}

CSM_INDICATOR(roc, 1, 1, .name = "roc", .title = "Rate of change",
              .source = "100 (close / close n bars ago - 1)", .group = CSM_INDICATOR_MOMENTUM,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 10)}, .outputs = {"roc"});
