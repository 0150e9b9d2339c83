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

/* What a window of single numbers is folded to. */
typedef enum fold { FOLD_SUM, FOLD_MAX, FOLD_MIN } fold;

typedef struct window {
    real *held; /* (n): from position `at` on suffixes of the last block, below values of the current one */
    real prefix;
    size_t n;
    size_t at;
} window;

CSM_INLINE double fold_identity(fold kind) {
    return kind == FOLD_SUM ? 0.0 : kind == FOLD_MAX ? -INFINITY : INFINITY;
}

CSM_INLINE real fold_join(fold kind, real older, real newer) {
    if (kind == FOLD_SUM) return older + newer;
    return kind == FOLD_MAX ? real_max(older, newer) : real_min(older, newer);
}

/* Takes n reals and returns what follows them. */
CSM_INLINE real *window_init(window *w, fold kind, double n, real *rows) {
    *w = (window){.held = rows, .prefix = real_of(fold_identity(kind)), .n = (size_t)n};
    for (size_t k = 0; k < w->n; k++) rows[k] = w->prefix;
    return rows + w->n;
}

/* The fold of the last n values, of all of them before the n-th. */
CSM_INLINE real window_push(window *w, fold kind, real x) {
    w->prefix = fold_join(kind, w->prefix, x);
    w->held[w->at] = x;
    if (++w->at < w->n) return fold_join(kind, w->held[w->at], w->prefix);
    const real whole = w->prefix;
    real suffix = x;
    for (size_t k = w->n - 1; k-- > 1;) w->held[k] = suffix = fold_join(kind, w->held[k], suffix);
    w->prefix = real_of(fold_identity(kind));
    w->at = 0;
    return whole;
}

/* ---- windows folded to several numbers ---- */

/* The meaning of the piece's members a, b, c, d, e. */
typedef enum wide_fold {
    FOLD_MEAN,     /* a: mean, exact in a flat market */
    FOLD_MOMENTS,  /* a: mean, b: sum of squared distances from it */
    FOLD_WHEN_MAX, /* a: greatest, b: index of its latest occurrence */
    FOLD_WHEN_MIN, /* a: least, b: index of its latest occurrence */
    FOLD_LINE,     /* as FOLD_MOMENTS; c: sum of products with the distance from the mean bar number */
    FOLD_SHAPE,    /* as FOLD_MOMENTS; c, d: sums of their third and fourth powers */
    FOLD_PAIR      /* a, b of the first variable, c, d of the second; e: sum of products of their distances */
} wide_fold;

typedef struct piece {
    real a;
    real b;
    real c;
    real d;
    real e;
} piece;

CSM_INLINE size_t fold_width(wide_fold kind) {
    switch (kind) {
    case FOLD_MEAN:
        return 1;
    case FOLD_MOMENTS:
    case FOLD_WHEN_MAX:
    case FOLD_WHEN_MIN:
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

/* Joining nothing (m = 0) with y gives y in each of these. inverse is 1 / (m + n). */

/* Means and moments of m and n values joined: Chan, Golub & LeVeque (1979), Pebay (2008) eq. 2.1 and 3.1. They neither cancel
 * nor drift, and are exactly zero in a flat market. */
CSM_INLINE piece join_mean(piece x, piece y, double n, double inverse) {
    return piece_of(x.a + (y.a - x.a) * (n * inverse));
}

CSM_INLINE piece join_moments(piece x, double m, piece y, double n, double inverse) {
    const real delta = y.a - x.a;
    piece joined = join_mean(x, y, n, inverse);
    joined.b = x.b + y.b + delta * delta * (m * n * inverse);
    return joined;
}

CSM_INLINE piece join_shape(piece x, double m, piece y, double n, double inverse) {
    const double mn = m * n * inverse;
    const real delta = y.a - x.a, square = delta * delta;
    piece joined = join_moments(x, m, y, n, inverse);
    joined.c =
        x.c + y.c + square * delta * (mn * (m - n) * inverse) + delta * (y.b * m - x.b * n) * (3.0 * inverse);
    joined.d = x.d + y.d + square * square * (mn * (m * m - m * n + n * n) * inverse * inverse) +
               square * (y.b * (m * m) + x.b * (n * n)) * (6.0 * inverse * inverse) +
               delta * (y.c * m - x.c * n) * (4.0 * inverse);
    return joined;
}

CSM_INLINE piece join_pair(piece x, double m, piece y, double n, double inverse) {
    const double mn = m * n * inverse;
    const real first = y.a - x.a, second = y.c - x.c;
    return (piece){.a = x.a + first * (n * inverse),
                   .b = x.b + y.b + first * first * mn,
                   .c = x.c + second * (n * inverse),
                   .d = x.d + y.d + second * second * mn,
                   .e = x.e + y.e + first * second * mn};
}

/* x: the older m values, y: the newer n. */
CSM_INLINE piece piece_join(wide_fold kind, piece x, double m, piece y, double n, double inverse) {
    switch (kind) {
    case FOLD_MEAN:
        return join_mean(x, y, n, inverse);
    case FOLD_WHEN_MAX:
    case FOLD_WHEN_MIN: {
        const mask newer = kind == FOLD_WHEN_MAX ? real_ge(y.a, x.a) : real_le(y.a, x.a);
        piece joined = piece_of(real_select(newer, y.a, x.a));
        joined.b = real_select(newer, y.b, x.b);
        return joined;
    }
    case FOLD_MOMENTS:
        return join_moments(x, m, y, n, inverse);
    case FOLD_LINE: {
        /* The two pieces' mean bar numbers are (m + n) / 2 apart. */
        piece joined = join_moments(x, m, y, n, inverse);
        joined.c = x.c + y.c + (y.a - x.a) * (0.5 * m * n);
        return joined;
    }
    case FOLD_SHAPE:
        return join_shape(x, m, y, n, inverse);
    case FOLD_PAIR:
        return join_pair(x, m, y, n, inverse);
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

typedef struct wide_window {
    real *held;            /* (n, width), as in window */
    const double *inverse; /* 1 / k at k, 1..n: a division a bar is slower than a load */
    piece prefix;
    size_t n;
    size_t at;
    bool filled; /* n values have come */
} wide_window;

/* Reals of memory that a window takes: its values and its inverses. */
CSM_INLINE size_t wide_rows(wide_fold kind, double n) {
    return fold_width(kind) * (size_t)n + (size_t)n / LANES + 1;
}

CSM_INLINE piece wide_nothing(wide_fold kind) {
    if (kind == FOLD_WHEN_MAX) return piece_of(real_of(-INFINITY));
    return piece_of(real_of(kind == FOLD_WHEN_MIN ? INFINITY : 0.0));
}

/* Takes wide_rows and returns what follows them. */
CSM_INLINE real *wide_init(wide_window *w, wide_fold kind, double n, real *rows) {
    double *inverse = (double *)(rows + fold_width(kind) * (size_t)n);
    *w = (wide_window){.held = rows, .inverse = inverse, .prefix = wide_nothing(kind), .n = (size_t)n};
    for (size_t k = 1; k <= w->n; k++) inverse[k] = 1.0 / (double)k;
    return rows + wide_rows(kind, n);
}

/* The fold of the last n values, of all of them before the n-th. */
CSM_INLINE piece wide_push(wide_window *w, wide_fold kind, piece one) {
    const size_t width = fold_width(kind), n = w->n;
    w->prefix = piece_join(kind, w->prefix, (double)w->at, one, 1.0, w->inverse[w->at + 1]);
    piece_store(w->held + w->at * width, width, one);
    if (++w->at < n) {
        if (!w->filled) return w->prefix;
        const piece suffix = piece_load(w->held + w->at * width, width);
        return piece_join(kind, suffix, (double)(n - w->at), w->prefix, (double)w->at, w->inverse[n]);
    }
    const piece whole = w->prefix;
    piece suffix = one;
    for (size_t k = n - 1; k-- > 1;) {
        const piece older = piece_load(w->held + k * width, width);
        suffix = piece_join(kind, older, 1.0, suffix, (double)(n - 1 - k), w->inverse[n - k]);
        piece_store(w->held + k * width, width, suffix);
    }
    w->prefix = wide_nothing(kind);
    w->at = 0;
    w->filled = true;
    return whole;
}

#endif
