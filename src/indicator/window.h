/* SPDX-License-Identifier: MIT */
/*
 * Windows over the last n bars, for any associative operation. After van Herk (1992) and Gil & Werman (1993) the
 * stream is cut into blocks of n bars; a window is a suffix of the last block joined with the prefix of the current
 * one. That costs three joins a bar for any n, and because nothing is ever subtracted, sums neither drift nor keep the
 * rounding (or a NaN) of bars that have left.
 */
#ifndef CSM_INDICATOR_WINDOW_H
#define CSM_INDICATOR_WINDOW_H

#include "indicator/kernel.h"

/* What a window is folded to, and the meaning of the piece's members a, b, c, d, e. */
typedef enum fold {
    FOLD_SUM,      /* a: sum */
    FOLD_MAX,      /* a: greatest */
    FOLD_MIN,      /* a: least */
    FOLD_WHEN_MAX, /* a: greatest, b: index of its latest occurrence */
    FOLD_WHEN_MIN, /* a: least, b: index of its latest occurrence */
    FOLD_MOMENTS,  /* a: mean, b: sum of squared distances from it */
    FOLD_SHAPE,    /* as FOLD_MOMENTS; c, d: sums of their third and fourth powers */
    FOLD_LINE,     /* as FOLD_MOMENTS; c: sum of products with the distance from the mean bar number */
    FOLD_PAIR      /* a, b of the first variable, c, d of the second; e: sum of products of their distances */
} fold;

typedef struct piece {
    real a;
    real b;
    real c;
    real d;
    real e;
} piece;

typedef struct window {
    real *
        held; /* (n, width): from position `at` on suffixes of the last block, below values of the current one */
    piece prefix;
    size_t n;
    size_t at;
    bool filled; /* n values have come */
} window;

CSM_INLINE size_t fold_width(fold kind) {
    switch (kind) {
    case FOLD_SUM:
    case FOLD_MAX:
    case FOLD_MIN:
        return 1;
    case FOLD_WHEN_MAX:
    case FOLD_WHEN_MIN:
    case FOLD_MOMENTS:
        return 2;
    case FOLD_LINE:
        return 3;
    case FOLD_SHAPE:
        return 4;
    case FOLD_PAIR:
        return 5;
    }
    return 0;
}

CSM_INLINE piece piece_of(real a) {
    const real zero = real_of(0.0);
    return (piece){a, zero, zero, zero, zero};
}

/* Moments of m and n values joined: Chan, Golub & LeVeque (1979), Pebay (2008) eq. 2.1 and 3.1. They neither cancel
 * nor drift, and are exactly zero in a flat market. */
CSM_INLINE piece join_moments(piece x, double m, piece y, double n) {
    const double inverse = 1.0 / (m + n);
    const real delta = y.a - x.a;
    piece joined = piece_of(x.a + delta * (n * inverse));
    joined.b = x.b + y.b + delta * delta * (m * n * inverse);
    return joined;
}

CSM_INLINE piece join_shape(piece x, double m, piece y, double n) {
    const double inverse = 1.0 / (m + n), mn = m * n * inverse;
    const real delta = y.a - x.a, square = delta * delta;
    piece joined = join_moments(x, m, y, n);
    joined.c =
        x.c + y.c + square * delta * (mn * (m - n) * inverse) + delta * (y.b * m - x.b * n) * (3.0 * inverse);
    joined.d = x.d + y.d + square * square * (mn * (m * m - m * n + n * n) * inverse * inverse) +
               square * (y.b * (m * m) + x.b * (n * n)) * (6.0 * inverse * inverse) +
               delta * (y.c * m - x.c * n) * (4.0 * inverse);
    return joined;
}

CSM_INLINE piece join_pair(piece x, double m, piece y, double n) {
    const double inverse = 1.0 / (m + n), mn = m * n * inverse;
    const real first = y.a - x.a, second = y.c - x.c;
    return (piece){.a = x.a + first * (n * inverse),
                   .b = x.b + y.b + first * first * mn,
                   .c = x.c + second * (n * inverse),
                   .d = x.d + y.d + second * second * mn,
                   .e = x.e + y.e + first * second * mn};
}

/* x: the older m values, y: the newer n. */
CSM_INLINE piece piece_join(fold kind, piece x, double m, piece y, double n) {
    switch (kind) {
    case FOLD_SUM:
        return piece_of(x.a + y.a);
    case FOLD_MAX:
        return piece_of(real_max(x.a, y.a));
    case FOLD_MIN:
        return piece_of(real_min(x.a, y.a));
    case FOLD_WHEN_MAX:
    case FOLD_WHEN_MIN: {
        const mask newer = kind == FOLD_WHEN_MAX ? real_ge(y.a, x.a) : real_le(y.a, x.a);
        piece joined = piece_of(real_select(newer, y.a, x.a));
        joined.b = real_select(newer, y.b, x.b);
        return joined;
    }
    case FOLD_MOMENTS:
        return join_moments(x, m, y, n);
    case FOLD_LINE: {
        /* The two pieces' mean bar numbers are (m + n) / 2 apart. */
        piece joined = join_moments(x, m, y, n);
        joined.c = x.c + y.c + (y.a - x.a) * (0.5 * m * n);
        return joined;
    }
    case FOLD_SHAPE:
        return join_shape(x, m, y, n);
    case FOLD_PAIR:
        return join_pair(x, m, y, n);
    }
    return x;
}

CSM_INLINE piece piece_load(const real *at, size_t width) {
    piece p = piece_of(at[0]);
    if (width > 1) p.b = at[1];
    if (width > 2) p.c = at[2];
    if (width > 3) p.d = at[3];
    if (width > 4) p.e = at[4];
    return p;
}

CSM_INLINE void piece_store(real *at, size_t width, piece p) {
    at[0] = p.a;
    if (width > 1) at[1] = p.b;
    if (width > 2) at[2] = p.c;
    if (width > 3) at[3] = p.d;
    if (width > 4) at[4] = p.e;
}

/* Reals of memory that a window takes. */
CSM_INLINE size_t window_rows(fold kind, double n) {
    return fold_width(kind) * (size_t)n;
}

/* Takes window_rows from `rows` and returns what follows them. */
CSM_INLINE real *window_init(window *w, fold kind, double n, real *rows) {
    *w = (window){.held = rows, .prefix = piece_of(real_of(0.0)), .n = (size_t)n};
    return rows + window_rows(kind, n);
}

/* The fold of the last n values, of all of them before the n-th. */
CSM_INLINE piece window_fold(window *w, fold kind, piece one) {
    const size_t width = fold_width(kind), n = w->n;
    w->prefix = w->at == 0 ? one : piece_join(kind, w->prefix, (double)w->at, one, 1.0);
    piece_store(w->held + w->at * width, width, one);
    if (++w->at < n) {
        if (!w->filled) return w->prefix;
        const piece suffix = piece_load(w->held + w->at * width, width);
        return piece_join(kind, suffix, (double)(n - w->at), w->prefix, (double)w->at);
    }
    piece suffix = one;
    for (size_t k = n - 1; k-- > 1;) {
        suffix = piece_join(kind, piece_load(w->held + k * width, width), 1.0, suffix, (double)(n - 1 - k));
        piece_store(w->held + k * width, width, suffix);
    }
    w->at = 0;
    w->filled = true;
    return w->prefix;
}

/* The same for folds of one member. */
CSM_INLINE real window_push(window *w, fold kind, real x) {
    return window_fold(w, kind, piece_of(x)).a;
}

#endif
