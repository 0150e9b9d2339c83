/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct kama {
    ring closes;
    window path;
    real value;
    real last;
    size_t wait;
    bool started;
} kama;

static size_t kama_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void kama_init(kama *s, const double *p, real *rows) {
    rows = ring_init(&s->closes, p[0], 0.0, rows);
    window_init(&s->path, FOLD_SUM, p[0], rows);
    s->value = s->last = real_of(0.0);
    s->wait = (size_t)p[0];
}

CSM_INLINE void kama_step(kama *s, const candle *b, real *out) {
    const double slow = ema_factor(30.0), fast = ema_factor(2.0);
    const real way = real_abs(b->close - ring_push(&s->closes, b->close));
    real path = real_of(0.0);
    if (s->started) path = window_push(&s->path, FOLD_SUM, real_abs(b->close - s->last));
    s->started = true;
    s->last = b->close;
    if (wait_over(&s->wait)) {
        const real efficiency = real_min(real_ratio(way, path, real_of(1.0)), real_of(1.0));
        const real smoothing = efficiency * (fast - slow) + slow;
        s->value += (b->close - s->value) * (smoothing * smoothing);
    } else {
        s->value = b->close;
    }
    out[0] = s->value;
}

static size_t kama_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t kama_memory(const double *p) {
    return kama_warmup(p) + 1 + csm_memory_decay(ema_factor(30.0) * ema_factor(30.0), 1, CSM_WEIGHT_LEVEL);
}

CSM_INDICATOR(kama, 1, 1, .name = "kama", .title = "Kaufman's adaptive moving average",
              .source = "Kaufman (1995), Smarter Trading: fast 2, slow 30 bars; starts from the close before "
                        "the first output as TA-Lib",
              .group = CSM_INDICATOR_TREND, .inputs = CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 2, 30)}, .outputs = {"kama"});
