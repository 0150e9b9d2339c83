/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct mfi {
    window inflow;
    window outflow;
    window volume;
    real last;
    bool started;
} mfi;

static size_t mfi_rows(const double *p) {
    return 3 * (size_t)p[0];
}

static void mfi_init(mfi *s, const double *p, real *rows) {
    rows = window_init(&s->inflow, FOLD_SUM, p[0], rows);
    rows = window_init(&s->outflow, FOLD_SUM, p[0], rows);
    window_init(&s->volume, FOLD_SUM, p[0], rows);
    s->last = real_of(0.0);
}

CSM_INLINE void mfi_step(mfi *s, const candle *b, real *out) {
    const real price = typical_price(b), flow = price * b->volume, zero = real_of(0.0), last = s->last;
    const bool started = s->started;
    s->last = price;
    s->started = true;
    out[0] = zero;
    if (!started) return;
    /* Prices that are equal as decimals may differ by rounding once added and divided. */
    const real change = price - last, rounding = price * 1e-14;
    const real in = window_push(&s->inflow, FOLD_SUM, real_select(real_gt(change, rounding), flow, zero));
    const real out_flow = real_select(real_lt(change, zero - rounding), flow, zero);
    const real all = in + window_push(&s->outflow, FOLD_SUM, out_flow);
    const real traded = window_push(&s->volume, FOLD_SUM, b->volume);
    const real otherwise = real_select(real_gt(traded, zero), real_of(50.0), real_of(NAN));
    out[0] = real_ratio(in * 100.0, all, otherwise);
}

static size_t mfi_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t mfi_memory(const double *p) {
    return mfi_warmup(p) + 1;
}

CSM_INDICATOR(
    mfi, 1, 1, .name = "mfi", .title = "Money flow index",
    .source =
        "Quong & Soudack (1989), Stocks & Commodities 7:3; 50 without price changes, NaN without volume",
    .group = CSM_INDICATOR_MOMENTUM,
    .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE | CSM_INPUT_VOLUME,
    .parameters = {CSM_PERIOD("period", 2, 14)}, .outputs = {"mfi"});
