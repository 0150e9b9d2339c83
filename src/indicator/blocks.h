/* SPDX-License-Identifier: MIT */
/* What indicators are built from beside windows: delay lines, exponential averages and the prices of one bar. A block
 * counts its own values, so it may start late. */
#ifndef CSM_INDICATOR_BLOCKS_H
#define CSM_INDICATOR_BLOCKS_H

#include "indicator/window.h"

/* ---- delay line: the value n bars ago; n reals of memory ---- */

typedef struct ring {
    real *held;
    size_t n;
    size_t at;
} ring;

/* Takes n reals, filled with `before`, and returns what follows them. */
CSM_INLINE real *ring_init(ring *r, double n, double before, real *rows) {
    *r = (ring){.held = rows, .n = (size_t)n};
    for (size_t k = 0; k < r->n; k++) rows[k] = real_of(before);
    return rows + r->n;
}

/* Stores x and returns what was stored n pushes earlier. */
CSM_INLINE real ring_push(ring *r, real x) {
    const real oldest = r->held[r->at];
    r->held[r->at] = x;
    r->at = r->at + 1 == r->n ? 0 : r->at + 1;
    return oldest;
}

/* ---- exponential average, seeded with the mean of its first n values as TA-Lib does ---- */

typedef struct average {
    real value;
    double k;
    size_t n;
    size_t seen;
} average;

CSM_INLINE double ema_factor(double period) {
    return 2.0 / (period + 1.0);
}

/* k = 2/(n+1) is the usual average, k = 1/n Wilder's. */
CSM_INLINE void average_init(average *e, double n, double k) {
    *e = (average){.value = real_of(0.0), .k = k, .n = (size_t)n};
}

CSM_INLINE bool average_ready(const average *e) {
    return e->seen == e->n;
}

/* Meaningful from the n-th push on. The running mean of the seed is exact in a flat market. */
CSM_INLINE real average_push(average *e, real x) {
    double k = e->k;
    if (e->seen < e->n) k = 1.0 / (double)++e->seen;
    e->value += (x - e->value) * k;
    return e->value;
}

/* ---- Wilder's averages of gains and losses ---- */

typedef struct strength {
    average gain;
    average loss;
    real last;
    bool started;
} strength;

CSM_INLINE void strength_init(strength *s, double n) {
    average_init(&s->gain, n, 1.0 / n);
    average_init(&s->loss, n, 1.0 / n);
    s->last = real_of(0.0);
}

CSM_INLINE void strength_push(strength *s, real x) {
    const real change = x - s->last, zero = real_of(0.0);
    if (s->started) {
        (void)average_push(&s->gain, real_max(change, zero));
        (void)average_push(&s->loss, real_max(zero - change, zero));
    }
    s->last = x;
    s->started = true;
}

/* Wilder's relative strength index, 50 when nothing moved. */
CSM_INLINE real strength_index(const strength *s) {
    return real_ratio(s->gain.value * 100.0, s->gain.value + s->loss.value, real_of(50.0));
}

/* ---- counting, and sums over a ring ---- */

/* Skips `wait` bars: true while they last. */
CSM_INLINE bool wait_over(size_t *wait) {
    if (*wait == 0) return true;
    --*wait;
    return false;
}

/* Sum of |x - from| over n values, in four running sums that do not wait for each other. */
CSM_INLINE real distance_sum(const real *values, size_t n, real from) {
    real sum[4] = {real_of(0.0), real_of(0.0), real_of(0.0), real_of(0.0)};
    size_t k = 0;
    for (; k + 4 <= n; k += 4) {
        sum[0] += real_abs(values[k] - from);
        sum[1] += real_abs(values[k + 1] - from);
        sum[2] += real_abs(values[k + 2] - from);
        sum[3] += real_abs(values[k + 3] - from);
    }
    for (; k < n; k++) sum[0] += real_abs(values[k] - from);
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* ---- prices of one bar ---- */

#define LN_2 0x1.62e42fefa39efp-1

CSM_INLINE real typical_price(const candle *b) {
    return (b->high + b->low + b->close) / 3.0;
}

/* Wilder (1978), ch. 3: the greatest of the bar's range and its two distances from the last close. */
CSM_INLINE real true_range(const candle *b, real last_close) {
    const real range = real_max(real_abs(b->high - last_close), b->high - b->low);
    return real_max(real_abs(b->low - last_close), range);
}

/* Chaikin's money flow: volume weighted by where the close stands between low (-1) and high (+1); 0 in a bar without
 * range, as TA-Lib. */
CSM_INLINE real money_flow(const candle *b) {
    const real balance = (b->close - b->low) - (b->high - b->close);
    return real_ratio(balance, b->high - b->low, real_of(0.0)) * b->volume;
}

#endif
