/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct cmf {
    window flow;
    window volume;
} cmf;

static size_t cmf_rows(const double *p) {
    return 2 * (size_t)p[0];
}

static void cmf_init(cmf *s, const double *p, real *rows) {
    rows = window_init(&s->flow, FOLD_SUM, p[0], rows);
    window_init(&s->volume, FOLD_SUM, p[0], rows);
}

CSM_INLINE void cmf_step(cmf *s, const candle *b, real *out) {
    const real flow = window_push(&s->flow, FOLD_SUM, money_flow(b));
    out[0] = real_ratio(flow, window_push(&s->volume, FOLD_SUM, b->volume), real_of(NAN));
}

static size_t cmf_warmup(const double *p) {
    return (size_t)p[0] - 1;
}

static size_t cmf_memory(const double *p) {
    return cmf_warmup(p) + 1;
}

CSM_INDICATOR(cmf, 1, 1, .name = "cmf", .title = "Chaikin money flow",
              .source = "Chaikin: sum of money flow over sum of volume; NaN without volume",
              .group = CSM_INDICATOR_VOLUME,
              .inputs = CSM_INPUT_HIGH | CSM_INPUT_LOW | CSM_INPUT_CLOSE | CSM_INPUT_VOLUME,
              .parameters = {CSM_PERIOD("period", 1, 20)}, .outputs = {"cmf"});
