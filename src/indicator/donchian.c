/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct donchian {
    window high;
    window low;
} donchian;

static size_t donchian_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void donchian_init(donchian *s, const double *p, real *rows) {
    rows = window_init(&s->high, FOLD_MAX, p[0], rows);
    window_init(&s->low, FOLD_MIN, p[0], rows);
}

CSM_INLINE void donchian_step(donchian *s, const candle *b, real *out) {
    out[0] = window_push(&s->high, FOLD_MAX, b->high);
    out[2] = window_push(&s->low, FOLD_MIN, b->low);
    out[1] = (out[0] + out[2]) * 0.5;
}

static size_t donchian_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t donchian_memory(const double *p) {
    return donchian_warmup(p) + 1;
}

CSM_INDICATOR(donchian, 1, 3, .name = "donchian", .title = "Donchian channel",
              .source = "Donchian (1960): greatest high, least low and their midpoint",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW,
              .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"upper", "middle", "lower"});
