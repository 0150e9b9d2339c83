/* SPDX-License-Identifier: MIT */
/* The plain reference, in float and double: one thread, sums in the order written. lstm_plain.h is its body. */
#include "backend/lstm.h"

#include "backend/lstm_cell.h"
#include "core/internal.h"
#include "core/real.h"

#include <math.h>
#include <string.h>

/* 0 when dropped, 1 / (1 - rate) when kept, 1 where there is no dropout. */
static double dropout_scale(const csm_lstm_shape *shape, const csm_lstm_batch *batch, size_t layer, size_t s,
                            size_t b, size_t u) {
    const csm_lstm_dropout *dropout = &batch->dropout;
    if (!(dropout->rate > 0) || layer + 1 == shape->layers) return 1;
    const uint64_t element = ((b * shape->layers + layer) * batch->steps + s) * shape->hidden + u;
    uint32_t words[4];
    lstm_philox(words, dropout->seed, dropout->stream, element / 4);
    if (words[element % 4] < lstm_dropout_below(dropout->rate)) return 0;
    return (double)(1.0f / (1.0f - dropout->rate));
}

#define JOIN(name, suffix) name##suffix

#define REAL float
#define NAME(name) JOIN(name, _f32)
static inline float cell_forward_f32(float *i, float *f, float *g, float *o, float *c) {
    return lstm_cell_forward(i, f, g, o, c);
}
static inline void cell_backward_f32(float *i, float *f, float *g, float *o, float c, float before, float dh,
                                     float *dc) {
    lstm_cell_backward(i, f, g, o, c, before, dh, dc);
}
#include "backend/cpu/lstm_plain.h"
#undef REAL
#undef NAME

#define REAL double
#define NAME(name) JOIN(name, _f64)
static inline double cell_forward_f64(double *i, double *f, double *g, double *o, double *c) {
    *i = csm_logistic(*i);
    *f = csm_logistic(*f);
    *g = csm_tanh(*g);
    *o = csm_logistic(*o);
    *c = *f * *c + *i * *g;
    return *o * csm_tanh(*c);
}
static inline void cell_backward_f64(double *i, double *f, double *g, double *o, double c, double before,
                                     double dh, double *dc) {
    const double squashed = csm_tanh(c), d = dh * *o * (1 - squashed * squashed) + *dc;
    *dc = d * *f;
    *o = dh * squashed * *o * (1 - *o);
    *f = d * before * *f * (1 - *f);
    const double input = *i;
    *i = d * *g * input * (1 - input);
    *g = d * input * (1 - *g * *g);
}
#include "backend/cpu/lstm_plain.h"
