/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct drawdown {
    window high;
} drawdown;

static size_t drawdown_rows(const double *p) {
    return (size_t)p[0];
}

static void drawdown_init(drawdown *s, const double *p, real *rows) {
    window_init(&s->high, FOLD_MAX, p[0], rows);
}

CSM_INLINE void drawdown_step(drawdown *s, const candle *b, real *out) {
    out[0] = b->close / window_push(&s->high, FOLD_MAX, b->close) - 1.0;
}

static size_t drawdown_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t drawdown_memory(const double *p) {
    return drawdown_warmup(p) + 1;
}

CSM_INDICATOR(drawdown, 1, 1, .name = "drawdown", .title = "Drawdown",
              .source = "close / greatest of n closes - 1", .group = CSM_INDICATOR_STATISTICS,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 168)},
              .outputs = {"drawdown"});
