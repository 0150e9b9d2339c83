/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ad {
    real total;
} ad;

static size_t ad_rows(const double *p) {
    (void)p;
    return 0;
}

static void ad_init(ad *s, const double *p, real *rows) {
    (void)p;
    (void)rows;
    s->total = real_of(0.0);
}

CSM_INLINE void ad_step(ad *s, const candle *b, real *out) {
    s->total += money_flow(b);
    out[0] = s->total;
}

static size_t ad_warmup(const double *p) {
    (void)p;
    return 0;
}

static size_t ad_memory(const double *p) {
    (void)p;
    return CSM_MEMORY_ENDLESS;
}

CSM_INDICATOR(
    ad, 0, 1, .name = "ad", .title = "Accumulation/distribution line",
    .source = "Chaikin: running sum of volume weighted by where the close stands in the bar's range",
    .group = CSM_INDICATOR_VOLUME,
    .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE | CSM_INPUT_VOLUME, .outputs = {"ad"});
