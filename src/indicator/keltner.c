/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct keltner {
    average close;
    average range;
    real last;
    double multiplier;
    bool started;
} keltner;

static size_t keltner_rows(const double *p) {
    (void)p;
    return 0;
}

static void keltner_init(keltner *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->close, p[0], ema_factor(p[0]));
    average_init(&s->range, p[1], 1.0 / p[1]);
    s->last = real_of(0.0);
    s->multiplier = p[2];
}

CSM_INLINE void keltner_step(keltner *s, const candle *b, real *out) {
    real reach = real_of(0.0);
    if (s->started) reach = average_push(&s->range, true_range(b, s->last)) * s->multiplier;
    out[1] = average_push(&s->close, b->close);
    out[0] = out[1] + reach;
    out[2] = out[1] - reach;
    s->last = b->close;
    s->started = true;
}

static size_t keltner_warmup(const double *p) {
    return (size_t)fmax(p[0] - 1.0, p[1]);
}

static size_t keltner_memory(const double *p) {
    return keltner_warmup(p) + 1 + csm_memory_decay(fmin(ema_factor(p[0]), 1.0 / p[1]), 1, CSM_WEIGHT_RATIO);
}

CSM_INDICATOR(keltner, 3, 3, .name = "keltner", .title = "Keltner channel",
              .source = "Raschke's form of Keltner (1960): EMA of the close with bands of n ATR",
              .group = CSM_INDICATOR_VOLATILITY, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE,
              .parameters = {CSM_PERIOD("period", 1, 20),
                             CSM_PERIOD("atr", 1, 10),
                             {.name = "multiplier", .minimum = 0.1, .maximum = 10.0, .standard = 2.0}},
              .outputs = {"upper", "middle", "lower"});
