/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct force_index {
    average force;
    real last;
    bool started;
} force_index;

static size_t force_index_rows(const double *p) {
    (void)p;
    return 0;
}

static void force_index_init(force_index *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->force, p[0], ema_factor(p[0]));
    s->last = real_of(0.0);
}

CSM_INLINE void force_index_step(force_index *s, const candle *b, real *out) {
    out[0] = s->last;
    if (s->started) out[0] = average_push(&s->force, (b->close - s->last) * b->volume);
    s->last = b->close;
    s->started = true;
}

static size_t force_index_warmup(const double *p) {
    return (size_t)p[0];
}

static size_t force_index_memory(const double *p) {
    return force_index_warmup(p) + 1 + csm_memory_decay(ema_factor(p[0]), 1, CSM_WEIGHT_DIFFERENCE);
}

CSM_INDICATOR(force_index, 1, 1, .name = "force_index", .title = "Force index",
              .source = "Elder (1993), Trading for a Living: EMA of close change times volume",
              .group = CSM_INDICATOR_VOLUME, .inputs = CSM_INPUT_CLOSE | CSM_INPUT_VOLUME,
              .parameters = {CSM_PERIOD("period", 1, 13)}, .outputs = {"force_index"});
