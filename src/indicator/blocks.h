/* SPDX-License-Identifier: MIT */
/*
 * What indicators are built from: delay lines, exponential averages and windows. A block counts its own bars, so it
 * may start late. Windows follow van Herk (1992) and Gil & Werman (1993): the stream is cut into blocks of n bars; a
 * window is the suffix of the last block combined with the prefix of the current one. That costs three combinations
 * a bar for any n, and because nothing is ever subtracted, sums neither drift nor keep the rounding (or a NaN) of bars
 * that have left.
 */
#ifndef CSM_INDICATOR_BLOCKS_H
#define CSM_INDICATOR_BLOCKS_H

#include "indicator/kernel.h"

/* ---- delay line: the value n bars ago; n reals of memory ---- */

typedef struct ring {
    real *held;
    size_t n;
    size_t at;
} ring;

CSM_INLINE real *ring_init(ring *r, size_t n, real *rows) {
    *r = (ring){.held = rows, .n = n};
    return rows + n;
}

/* Stores x and returns what was stored n pushes earlier (zero before that). */
CSM_INLINE real ring_push(ring *r, real x) {
    real oldest = r->held[r->at];
    r->held[r->at] = x;
    r->at = r->at + 1 == r->n ? 0 : r->at + 1;
    return oldest;
}

/* ---- exponential average, seeded with the mean of its first n values as TA-Lib does ---- */

typedef struct ema {
    real value;
    double k;
    size_t n;
    size_t seen;
} ema;

CSM_INLINE double ema_factor(double period) {
    return 2.0 / (period + 1.0);
}

/* k = 2/(n+1) is the usual average, k = 1/n Wilder's. */
CSM_INLINE void ema_init(ema *e, size_t n, double k) {
    *e = (ema){.value = real_of(0.0), .k = k, .n = n};
}

/* Meaningful from the n-th push on. The running mean of the seed is exact in a flat market. */
CSM_INLINE real ema_push(ema *e, real x) {
    double k = e->k;
    if (e->seen < e->n) k = 1.0 / (double)++e->seen;
    e->value += (x - e->value) * k;
    return e->value;
}

/* ---- window of n values under one associative operation; n reals of memory ---- */

typedef enum fold { FOLD_SUM, FOLD_MAX, FOLD_MIN } fold;

typedef struct window {
    real *held; /* positions >= at: suffixes of the last block; below: values of the current one */
    real prefix;
    size_t n;
    size_t at;
} window;

CSM_INLINE real fold_pair(fold kind, real older, real newer) {
    if (kind == FOLD_MAX) return real_max(older, newer);
    if (kind == FOLD_MIN) return real_min(older, newer);
    return older + newer;
}

CSM_INLINE real *window_init(window *w, fold kind, size_t n, real *rows) {
    const double identity = kind == FOLD_MAX ? -INFINITY : kind == FOLD_MIN ? INFINITY : 0.0;
    *w = (window){.held = rows, .prefix = real_of(identity), .n = n};
    for (size_t k = 0; k < n; k++) rows[k] = real_of(identity);
    return rows + n;
}

/* The fold of the last n values, of all of them before the n-th. */
CSM_INLINE real window_push(window *w, fold kind, real x) {
    w->prefix = w->at == 0 ? x : fold_pair(kind, w->prefix, x);
    w->held[w->at] = x;
    if (++w->at < w->n) return fold_pair(kind, w->held[w->at], w->prefix);
    real suffix = x;
    for (size_t k = w->n - 1; k > 1; k--) {
        suffix = fold_pair(kind, w->held[k - 1], suffix);
        w->held[k - 1] = suffix;
    }
    w->at = 0;
    return w->prefix;
}

/* ---- window extremum with its age in bars, the latest of equals; 2n reals of memory ---- */

typedef struct extremum {
    real *value;
    real *when; /* index of the bar */
    real prefix_value;
    real prefix_when;
    double now;
    size_t n;
    size_t at;
} extremum;

CSM_INLINE real *extremum_init(extremum *e, fold kind, size_t n, real *rows) {
    const real identity = real_of(kind == FOLD_MAX ? -INFINITY : INFINITY);
    *e = (extremum){.value = rows, .when = rows + n, .prefix_value = identity, .n = n};
    for (size_t k = 0; k < n; k++) {
        e->value[k] = identity;
        e->when[k] = real_of(0.0);
    }
    return rows + 2 * n;
}

CSM_INLINE mask extremum_newer_wins(fold kind, real older, real newer) {
    return kind == FOLD_MAX ? real_ge(newer, older) : real_le(newer, older);
}

/* Bars since the extremum of the last n values: 0 when it is the newest. */
CSM_INLINE real extremum_push(extremum *e, fold kind, real x) {
    const real now = real_of(e->now);
    mask wins = extremum_newer_wins(kind, e->prefix_value, x);
    if (e->at == 0) wins = mask_or(wins, mask_not(wins));
    e->prefix_value = real_select(wins, x, e->prefix_value);
    e->prefix_when = real_select(wins, now, e->prefix_when);
    e->value[e->at] = x;
    e->when[e->at] = now;
    e->now += 1.0;
    if (++e->at < e->n) {
        wins = extremum_newer_wins(kind, e->value[e->at], e->prefix_value);
        return now - real_select(wins, e->prefix_when, e->when[e->at]);
    }
    for (size_t k = e->n - 1; k > 1; k--) {
        wins = extremum_newer_wins(kind, e->value[k - 1], e->value[k]);
        e->value[k - 1] = real_select(wins, e->value[k], e->value[k - 1]);
        e->when[k - 1] = real_select(wins, e->when[k], e->when[k - 1]);
    }
    e->at = 0;
    return now - e->prefix_when;
}

/* ---- prices ---- */

CSM_INLINE real typical_price(const candle *b) {
    return (b->high + b->low + b->close) / 3.0;
}

/* Wilder (1978), ch. 3: the greatest of the bar's range and its two gaps to the last close. */
CSM_INLINE real true_range(const candle *b, real last_close) {
    real range = b->high - b->low;
    range = real_max(real_abs(b->high - last_close), range);
    return real_max(real_abs(b->low - last_close), range);
}

/* Volume signed by where the close stands in the bar's range (Chaikin's money flow multiplier); 0 in a bar without
 * range, as TA-Lib. */
CSM_INLINE real money_flow(const candle *b) {
    real range = b->high - b->low;
    return real_ratio((b->close - b->low) - (b->high - b->close), range, real_of(0.0)) * b->volume;
}

#endif
