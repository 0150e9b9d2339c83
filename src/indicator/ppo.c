/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ppo {
    average fast;
    average slow;
} ppo;

static size_t ppo_rows(const double *p) {
    (void)p;
    return 0;
}

static void ppo_init(ppo *s, const double *p, real *rows) {
    (void)rows;
    average_init(&s->fast, p[0], ema_factor(p[0]));
    average_init(&s->slow, p[1], ema_factor(p[1]));
}

CSM_INLINE void ppo_step(ppo *s, const candle *b, real *out) {
    const real slow = average_push(&s->slow, b->close);
    out[0] = (real_ratio(average_push(&s->fast, b->close), slow, real_of(NAN)) - 1.0) * 100.0;
}

static size_t ppo_warmup(const double *p) {
    return (size_t)p[1] - 1;
}

static size_t ppo_memory(const double *p) {
    return ppo_warmup(p) + 1 + csm_memory_decay(ema_factor(p[1]), 1, CSM_WEIGHT_DIFFERENCE);
}

static const char *ppo_relation(const double *p) {
    return p[0] < p[1] ? NULL : "fast must be less than slow";
}

CSM_INDICATOR_RELATED(ppo, ppo_relation, 2, 1, .name = "ppo", .title = "Percentage price oscillator",
                      .source = "Appel (2005), Technical Analysis: 100 (EMA fast / EMA slow - 1)",
                      .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_CLOSE,
                      .parameters = {CSM_PERIOD("fast", 2, 12), CSM_PERIOD("slow", 3, 26)},
                      .outputs = {"ppo"});
