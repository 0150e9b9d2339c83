/* SPDX-License-Identifier: MIT */
/*
 * Central moments over a window, as blocks.h folds: pieces are joined by the pairwise formulas of Chan, Golub &
 * LeVeque (1979) and Pebay (2008), which neither cancel nor drift and are exactly zero in a flat market.
 */
#ifndef CSM_INDICATOR_MOMENTS_H
#define CSM_INDICATOR_MOMENTS_H

#include "indicator/blocks.h"

/* Of `count` values: their mean, and sums of the 2nd to 4th power of their distance from it. */
typedef struct moments {
    real mean;
    real m2;
    real m3;
    real m4;
} moments;

/* Joins the moments of a values and of b values (Pebay 2008, eq. 2.1 and 3.1). order: 2 or 4, the others stay zero. */
CSM_INLINE moments moments_join(int order, const moments *x, double a, const moments *y, double b) {
    const double n = a + b, inverse = 1.0 / n, ab = a * b * inverse;
    const real delta = y->mean - x->mean, square = delta * delta;
    moments joined = {.mean = x->mean + delta * (b * inverse),
                      .m2 = x->m2 + y->m2 + square * ab,
                      .m3 = real_of(0.0),
                      .m4 = real_of(0.0)};
    if (order == 2) return joined;
    const real a2 = y->m2 * a - x->m2 * b;
    joined.m3 = x->m3 + y->m3 + square * delta * (ab * (a - b) * inverse) + delta * a2 * (3.0 * inverse);
    joined.m4 = x->m4 + y->m4 + square * square * (ab * (a * a - a * b + b * b) * inverse * inverse) +
                square * (y->m2 * (a * a) + x->m2 * (b * b)) * (6.0 * inverse * inverse) +
                delta * (y->m3 * a - x->m3 * b) * (4.0 * inverse);
    return joined;
}

typedef struct moment_window {
    real *held; /* order rows of n: mean, m2, and for order 4 m3, m4 */
    moments prefix;
    size_t n;
    size_t at;
    size_t seen;
} moment_window;

CSM_INLINE size_t moment_rows(int order, size_t n) {
    return (size_t)order * n;
}

CSM_INLINE real *moment_init(moment_window *w, int order, size_t n, real *rows) {
    const real zero = real_of(0.0);
    *w = (moment_window){.held = rows, .prefix = {zero, zero, zero, zero}, .n = n};
    return rows + moment_rows(order, n);
}

CSM_INLINE moments moment_load(const moment_window *w, int order, size_t k) {
    const real *row = w->held + k * (size_t)order;
    const real zero = real_of(0.0);
    return (moments){row[0], row[1], order == 4 ? row[2] : zero, order == 4 ? row[3] : zero};
}

CSM_INLINE void moment_store(moment_window *w, int order, size_t k, const moments *m) {
    real *row = w->held + k * (size_t)order;
    row[0] = m->mean;
    row[1] = m->m2;
    if (order == 4) {
        row[2] = m->m3;
        row[3] = m->m4;
    }
}

/* Moments of the last n values, of all of them before the n-th. */
CSM_INLINE moments moment_push(moment_window *w, int order, real x) {
    const real zero = real_of(0.0);
    const moments one = {x, zero, zero, zero};
    w->prefix = w->at == 0 ? one : moments_join(order, &w->prefix, (double)w->at, &one, 1.0);
    moment_store(w, order, w->at, &one);
    if (w->seen < w->n) w->seen++;
    if (++w->at < w->n) {
        if (w->seen < w->n) return w->prefix;
        const moments suffix = moment_load(w, order, w->at);
        return moments_join(order, &suffix, (double)(w->n - w->at), &w->prefix, (double)w->at);
    }
    moments suffix = moment_load(w, order, w->n - 1);
    for (size_t k = w->n - 1; k > 1; k--) {
        const moments older = moment_load(w, order, k - 1);
        suffix = moments_join(order, &older, 1.0, &suffix, (double)(w->n - k));
        moment_store(w, order, k - 1, &suffix);
    }
    w->at = 0;
    return w->prefix;
}

#endif
