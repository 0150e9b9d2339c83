/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct bop {
    size_t unused;
} bop;

static size_t bop_rows(const double *p) {
    (void)p;
    return 0;
}

static void bop_init(bop *s, const double *p, real *rows) {
    (void)s;
    (void)p;
    (void)rows;
}

CSM_INLINE void bop_step(bop *s, const candle *b, real *out) {
    (void)s;
    out[0] = real_ratio(b->close - b->open, b->high - b->low, real_of(0.0));
}

static size_t bop_warmup(const double *p) {
    (void)p;
    return 0;
}

static size_t bop_memory(const double *p) {
    return bop_warmup(p) + 1;
}

CSM_INDICATOR(bop, 0, 1, .name = "bop", .title = "Balance of power",
              .source = "Livshin (2001), Stocks & Commodities 19:8; 0 in a bar without range",
              .group = CSM_INDICATOR_MOMENTUM,
              .inputs = CSM_INPUT_OPEN | CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .outputs = {"bop"});
