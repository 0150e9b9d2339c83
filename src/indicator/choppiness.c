/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct choppiness {
    window range;
    window high;
    window low;
    real last;
    double scale;
    bool started;
} choppiness;

static size_t choppiness_rows(const double *p) {
    return 3 * (size_t)p[0];
}

static void choppiness_init(choppiness *s, const double *p, real *rows) {
    rows = window_init(&s->range, FOLD_SUM, p[0], rows);
    rows = window_init(&s->high, FOLD_MAX, p[0], rows);
    window_init(&s->low, FOLD_MIN, p[0], rows);
    s->last = real_of(0.0);
    s->scale = 100.0 / csm_log(p[0]);
}

CSM_INLINE void choppiness_step(choppiness *s, const candle *b, real *out) {
    const real high = window_push(&s->high, FOLD_MAX, b->high), low = window_push(&s->low, FOLD_MIN, b->low);
    real path = real_of(0.0);
    if (s->started) path = window_push(&s->range, FOLD_SUM, true_range(b, s->last));
    s->last = b->close;
    s->started = true;
    const real ratio = real_ratio(path, high - low, real_of(0.0)), zero = real_of(0.0);
    const mask moved = real_gt(ratio, zero);
    out[0] = real_select(moved, real_log(real_select(moved, ratio, real_of(1.0))) * s->scale, real_of(NAN));
}

static size_t choppiness_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t choppiness_memory(const double *p) {
    return choppiness_warmup(p) + 1;
}

CSM_INDICATOR(
    choppiness, 1, 1, .name = "choppiness", .title = "Choppiness index",
    .source = "Dreiss (1993): 100 log(sum of true ranges / range of n bars) / log n; NaN in a flat market",
    .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
    .parameters = {CSM_PERIOD("period", 2, 14)}, .outputs = {"choppiness"});
