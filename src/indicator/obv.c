/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct obv {
    real total;
    real last;
    bool started;
} obv;

static size_t obv_rows(const double *p) {
    (void)p;
    return 0;
}

static void obv_init(obv *s, const double *p, real *rows) {
    (void)p;
    (void)rows;
    s->total = s->last = real_of(0.0);
}

CSM_INLINE void obv_step(obv *s, const candle *b, real *out) {
    const real zero = real_of(0.0);
    if (s->started) {
        s->total += real_select(real_gt(b->close, s->last), b->volume, zero);
        s->total = s->total - real_select(real_lt(b->close, s->last), b->volume, zero);
    } else {
        s->total = b->volume;
    }
    s->last = b->close;
    s->started = true;
    out[0] = s->total;
}

static size_t obv_warmup(const double *p) {
    (void)p;
    return 0;
}

static size_t obv_memory(const double *p) {
    (void)p;
    return CSM_MEMORY_ENDLESS;
}

CSM_INDICATOR(
    obv, 0, 1, .name = "obv", .title = "On-balance volume",
    .source =
        "Granville (1963), New Key to Stock Market Profits; starts with the first bar's volume as TA-Lib",
    .group = CSM_INDICATOR_VOLUME, .inputs = CSM_INPUT_CLOSE | CSM_INPUT_VOLUME, .outputs = {"obv"});
