/* SPDX-License-Identifier: MIT */
#include "indicator/blocks.h"

typedef struct vpt {
    real total;
    real last;
    bool started;
} vpt;

static size_t vpt_rows(const double *p) {
    (void)p;
    return 0;
}

static void vpt_init(vpt *s, const double *p, real *rows) {
    (void)p;
    (void)rows;
    s->total = s->last = real_of(0.0);
}

CSM_INLINE void vpt_step(vpt *s, const candle *b, real *out) {
    if (s->started) s->total += (b->close / s->last - 1.0) * b->volume;
    s->last = b->close;
    s->started = true;
    out[0] = s->total;
}

static size_t vpt_warmup(const double *p) {
    (void)p;
    return 1;
}

static size_t vpt_memory(const double *p) {
    (void)p;
    return CSM_MEMORY_ENDLESS;
}

CSM_INDICATOR(vpt, 0, 1, .name = "vpt", .title = "Volume price trend",
              .source = "Running sum of volume times relative close change", .group = CSM_INDICATOR_VOLUME,
              .inputs = CSM_INPUT_CLOSE | CSM_INPUT_VOLUME, .outputs = {"vpt"});
