/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct mom {
    ring close;
} mom;

static size_t mom_rows(const double *p) {
    return (size_t)p[0];
}

static void mom_init(mom *s, const double *p, real *rows) {
    ring_init(&s->close, p[0], 0.0, rows);
}

CSM_INLINE void mom_step(mom *s, const candle *b, real *out) {
    out[0] = b->close - ring_push(&s->close, b->close);
}

static size_t mom_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t mom_memory(const double *p) {
    return mom_warmup(p) + 1;
}

CSM_INDICATOR(mom, 1, 1, .name = "mom", .title = "Momentum", .source = "close - close n bars ago",
              .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 10)}, .outputs = {"mom"});
