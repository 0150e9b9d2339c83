/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct adosc {
    real
        fast; /* the averages' distances from the line: the line itself, which grows without bound, is not needed */
    real slow;
    double keep_fast;
    double keep_slow;
    bool started;
} adosc;

static size_t adosc_rows(const double *p) {
    (void)p;
    return 0;
}

static void adosc_init(adosc *s, const double *p, real *rows) {
    (void)rows;
    s->fast = s->slow = real_of(0.0);
    s->keep_fast = 1.0 - ema_factor(p[0]);
    s->keep_slow = 1.0 - ema_factor(p[1]);
}

CSM_INLINE void adosc_step(adosc *s, const candle *b, real *out) {
    if (s->started) {
        const real flow = money_flow(b);
        s->fast = (s->fast - flow) * s->keep_fast;
        s->slow = (s->slow - flow) * s->keep_slow;
    }
    s->started = true;
    out[0] = s->fast - s->slow;
}

static size_t adosc_warmup(const double *p) {
    return (size_t)p[1] - 1;
}

static size_t adosc_memory(const double *p) {
    return adosc_warmup(p) + 1 + csm_memory_decay(ema_factor(p[1]), 1, CSM_WEIGHT_DIFFERENCE);
}

static const char *adosc_relation(const double *p) {
    return p[0] < p[1] ? NULL : "fast must be less than slow";
}

CSM_INDICATOR_RELATED(adosc, adosc_relation, 2, 1, .name = "adosc", .title = "Chaikin oscillator",
                      .source = "Chaikin: fast EMA less slow EMA of the accumulation/distribution line, both "
                                "starting at its first value as TA-Lib",
                      .group = CSM_INDICATOR_VOLUME,
                      .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE | CSM_INPUT_VOLUME,
                      .parameters = {CSM_PERIOD("fast", 2, 3), CSM_PERIOD("slow", 3, 10)},
                      .outputs = {"adosc"});
