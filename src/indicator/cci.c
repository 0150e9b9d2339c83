/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct cci {
    wide_window mean;
    ring prices;
    double inverse;
} cci;

static size_t cci_rows(const double *p) {
    return wide_rows(FOLD_MEAN, p[0]) + (size_t)p[0];
}

static void cci_init(cci *s, const double *p, real *rows) {
    rows = wide_init(&s->mean, FOLD_MEAN, p[0], rows);
    ring_init(&s->prices, p[0], 0.0, rows);
    s->inverse = 1.0 / p[0];
}

CSM_INLINE void cci_step(cci *s, const candle *b, real *out) {
    const real price = typical_price(b);
    const real mean = wide_push(&s->mean, FOLD_MEAN, piece_of(price)).a;
    (void)ring_push(&s->prices, price);
    const real deviation = distance_sum(s->prices.held, s->prices.n, mean) * s->inverse;
    out[0] = real_ratio(price - mean, deviation * 0.015, real_of(0.0));
}

static size_t cci_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t cci_memory(const double *p) {
    return cci_warmup(p) + 1;
}

CSM_INDICATOR(cci, 1, 1, .name = "cci", .title = "Commodity channel index",
              .source = "Lambert (1980), Commodities 10; 0 in a flat market", .group = CSM_INDICATOR_MOMENTUM,
              .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 2, 20)}, .outputs = {"cci"});
