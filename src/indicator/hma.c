/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct hma {
    wide_window half;
    wide_window whole;
    wide_window root;
    double inverse_half; /* 2 / (n (n + 1)) of each window */
    double inverse_whole;
    double inverse_root;
    size_t wait;
} hma;

static size_t hma_rows(const double *p) {
    return wide_rows(FOLD_LINE, p[0]) + wide_rows(FOLD_LINE, floor(p[0] / 2.0)) +
           wide_rows(FOLD_LINE, floor(sqrt(p[0])));
}

static void hma_init(hma *s, const double *p, real *rows) {
    const double half = floor(p[0] / 2.0), root = floor(sqrt(p[0]));
    rows = wide_init(&s->half, FOLD_LINE, half, rows);
    rows = wide_init(&s->whole, FOLD_LINE, p[0], rows);
    wide_init(&s->root, FOLD_LINE, root, rows);
    s->inverse_half = 2.0 / (half * (half + 1.0));
    s->inverse_whole = 2.0 / (p[0] * (p[0] + 1.0));
    s->inverse_root = 2.0 / (root * (root + 1.0));
    s->wait = (size_t)p[0] - 1;
}

CSM_INLINE void hma_step(hma *s, const candle *b, real *out) {
    const piece half = wide_push(&s->half, FOLD_LINE, piece_of(b->close));
    const piece whole = wide_push(&s->whole, FOLD_LINE, piece_of(b->close));
    const real quick = half.a + half.c * s->inverse_half, slow = whole.a + whole.c * s->inverse_whole;
    out[0] = quick;
    if (!wait_over(&s->wait)) return;
    const piece root = wide_push(&s->root, FOLD_LINE, piece_of(quick * 2.0 - slow));
    out[0] = root.a + root.c * s->inverse_root;
}

static size_t hma_warmup(const double *p) {
    return (size_t)p[0] + (size_t)floor(sqrt(p[0])) - 2;
}

static size_t hma_memory(const double *p) {
    return hma_warmup(p) + 1;
}

CSM_INDICATOR(hma, 1, 1, .name = "hma", .title = "Hull moving average",
              .source = "Hull (2005): WMA(sqrt n) of 2 WMA(n/2) - WMA(n), lengths rounded down",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 4, 20)}, .outputs = {"hma"});
