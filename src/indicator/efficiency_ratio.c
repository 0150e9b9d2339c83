/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct efficiency_ratio {
    ring closes;
    window path;
    real last;
    bool started;
} efficiency_ratio;

static size_t efficiency_ratio_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void efficiency_ratio_init(efficiency_ratio *s, const double *p, real *rows) {
    rows = ring_init(&s->closes, p[0], 0.0, rows);
    window_init(&s->path, FOLD_SUM, p[0], rows);
    s->last = real_of(0.0);
}

CSM_INLINE void efficiency_ratio_step(efficiency_ratio *s, const candle *b, real *out) {
    const real way = real_abs(b->close - ring_push(&s->closes, b->close));
    out[0] = way;
    if (s->started) {
        const real path = window_push(&s->path, FOLD_SUM, real_abs(b->close - s->last));
        out[0] = real_min(real_ratio(way, path, real_of(0.0)), real_of(1.0));
    }
    s->last = b->close;
    s->started = true;
}

static size_t efficiency_ratio_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t efficiency_ratio_memory(const double *p) {
    return efficiency_ratio_warmup(p) + 1;
}

CSM_INDICATOR(
    efficiency_ratio, 1, 1, .name = "efficiency_ratio", .title = "Efficiency ratio",
    .source = "Kaufman (1995), Smarter Trading: net change over n bars / sum of changes; 0 in a flat market",
    .group = CSM_INDICATOR_STATISTICS, .inputs = CSM_INPUT_CLOSE, .parameters = {CSM_PERIOD("period", 1, 10)},
    .outputs = {"efficiency_ratio"});
