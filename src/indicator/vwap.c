/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct vwap {
    window value;
    window volume;
} vwap;

static size_t vwap_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void vwap_init(vwap *s, const double *p, real *rows) {
    rows = window_init(&s->value, FOLD_SUM, p[0], rows);
    window_init(&s->volume, FOLD_SUM, p[0], rows);
}

CSM_INLINE void vwap_step(vwap *s, const candle *b, real *out) {
    const real value = window_push(&s->value, FOLD_SUM, typical_price(b) * b->volume);
    out[0] = real_ratio(value, window_push(&s->volume, FOLD_SUM, b->volume), real_of(NAN));
}

static size_t vwap_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t vwap_memory(const double *p) {
    return vwap_warmup(p) + 1;
}

CSM_INDICATOR(vwap, 1, 1, .name = "vwap", .title = "Volume-weighted average price",
              .source = "Mean typical price of n bars weighted by volume; NaN without volume",
              .group = CSM_INDICATOR_VOLUME,
              .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE | CSM_INPUT_VOLUME,
              .parameters = {CSM_PERIOD("period", 1, 24)}, .outputs = {"vwap"});
