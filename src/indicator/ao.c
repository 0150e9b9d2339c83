/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct ao {
    window fast;
    window slow;
    double half_fast; /* 1 / (2 n): the median price is (high + low) / 2 */
    double half_slow;
} ao;

static size_t ao_rows(const double *p) {
    return (size_t)(p[0] + p[1]);
}

static void ao_init(ao *s, const double *p, real *rows) {
    rows = window_init(&s->fast, FOLD_SUM, p[0], rows);
    window_init(&s->slow, FOLD_SUM, p[1], rows);
    s->half_fast = 0.5 / p[0];
    s->half_slow = 0.5 / p[1];
}

CSM_INLINE void ao_step(ao *s, const candle *b, real *out) {
    const real fast = window_push(&s->fast, FOLD_SUM, b->high + b->low) * s->half_fast;
    out[0] = fast - window_push(&s->slow, FOLD_SUM, b->high + b->low) * s->half_slow;
}

static size_t ao_warmup(const double *p) {
    return (size_t)p[1] - 1;
}

static size_t ao_memory(const double *p) {
    return ao_warmup(p) + 1;
}

static const char *ao_relation(const double *p) {
    return p[0] < p[1] ? NULL : "fast must be less than slow";
}

CSM_INDICATOR_RELATED(
    ao, ao_relation, 2, 1, .name = "ao", .title = "Awesome oscillator",
    .source = "Williams (1998), New Trading Dimensions: difference of two means of the median price",
    .group = CSM_INDICATOR_MOMENTUM, .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW,
    .parameters = {CSM_PERIOD("fast", 1, 5), CSM_PERIOD("slow", 2, 34)}, .outputs = {"ao"});
