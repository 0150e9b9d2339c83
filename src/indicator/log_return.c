/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct log_return {
    ring close;
} log_return;

static size_t log_return_rows(const double *p) {
    return (size_t)p[0];
}

static void log_return_init(log_return *s, const double *p, real *rows) {
    ring_init(&s->close, p[0], 1.0, rows);
}

CSM_INLINE void log_return_step(log_return *s, const candle *b, real *out) {
    out[0] = real_log(b->close / ring_push(&s->close, b->close));
}

static size_t log_return_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t log_return_memory(const double *p) {
    return log_return_warmup(p) + 1;
}

CSM_INDICATOR(log_return, 1, 1, .name = "log_return", .title = "Logarithmic return",
              .source = "ln(close / close n bars ago)", .group = CSM_INDICATOR_STATISTICS,
              .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 1)},
              .outputs = {"log_return"});
