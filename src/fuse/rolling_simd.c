/* SPDX-License-Identifier: MIT */
/*
 * Folds of windows by blocks. Block b holds x[b * window .. (b + 1) * window). The window that ends at i is the suffix of
 * the block before joined with the prefix of i's own block, and the whole block where i is its last. A fold waits for
 * the one before it, so as many blocks as there are lanes are folded side by side, turned so that a place of all of them
 * is one vector: each keeps its own order of operations, and every instruction set gives the same bits.
 */
#include "fuse/rolling.h"

#include "indicator/lane_transpose.h"

#define ROLLING_SUM CSM_ISA_SYMBOL(csm_rolling_sum)
#define ROLLING_MAX CSM_ISA_SYMBOL(csm_rolling_max)
#define ROLLING_MIN CSM_ISA_SYMBOL(csm_rolling_min)
csm_rolling_fn ROLLING_SUM;
csm_rolling_fn ROLLING_MAX;
csm_rolling_fn ROLLING_MIN;

/* One body for the three folds; `fold` is a constant at each call, so each caller is compiled on its own. */
enum fold { FOLD_SUM, FOLD_MAX, FOLD_MIN };

CSM_INLINE double combine(enum fold fold, double a, double b) {
    if (fold == FOLD_SUM) return a + b;
    if (fold == FOLD_MAX) return a > b ? a : b;
    return a < b ? a : b;
}

/* Suffixes of x[0 .. window) but the whole, where the windows that begin with them end, as far as those are there. */
CSM_INLINE void suffixes_of_one(double *out, const double *x, size_t n, size_t window, enum fold fold) {
    double suffix = x[window - 1];
    for (size_t j = window - 1; j > 0; j--) {
        if (j < window - 1) suffix = combine(fold, x[j], suffix);
        if (j + window - 1 < n) out[j + window - 1] = suffix;
    }
}

/* Joins what stands in out[0 .. count) with the prefixes of x; a block's last value is the block. */
CSM_INLINE void prefixes_of_one(double *out, const double *x, size_t count, size_t window, enum fold fold) {
    double prefix = x[0];
    for (size_t i = 0; i < count; i++) {
        if (i > 0) prefix = combine(fold, prefix, x[i]);
        out[i] = i + 1 == window ? prefix : combine(fold, out[i], prefix);
    }
}

#if LANES > 1
CSM_INLINE real combine_lanes(enum fold fold, real a, real b) {
    if (fold == FOLD_SUM) return a + b;
    return fold == FOLD_MAX ? real_max(a, b) : real_min(a, b);
}

/* What joined with any value gives that value, bit for bit. */
CSM_INLINE real identity(enum fold fold) {
    return real_of(fold == FOLD_SUM ? -0.0 : fold == FOLD_MAX ? -INFINITY : INFINITY);
}

/* `count` places of LANES blocks from x on: turned[k] is place k, one lane a block. */
CSM_INLINE void turn_in(real *turned, const double *x, size_t window, size_t count) {
    real v[LANES];
    for (size_t l = 0; l < LANES; l++)
        v[l] = count == LANES ? real_load(x + l * window) : real_load_some(x + l * window, count);
    lanes_transpose(v);
    for (size_t k = 0; k < count; k++) turned[k] = v[k];
}

CSM_INLINE void turn_out(double *out, real v[LANES], size_t window, size_t count) {
    lanes_transpose(v);
    for (size_t l = 0; l < LANES; l++) {
        if (count == LANES)
            real_store(out + l * window, v[l]);
        else
            real_store_some(out + l * window, v[l], count);
    }
}

/* Suffixes of LANES blocks, place by place; their values stay turned in `x`. */
CSM_INLINE void suffixes_of_lanes(real *suffix, real *turned, const double *x, size_t window,
                                  enum fold fold) {
    const size_t rest = window % LANES;
    for (size_t at = 0; at + LANES <= window; at += LANES) turn_in(turned + at, x + at, window, LANES);
    if (rest > 0) turn_in(turned + window - rest, x + window - rest, window, rest);
    real joined = identity(fold);
    for (size_t k = window; k-- > 1;) suffix[k] = joined = combine_lanes(fold, turned[k], joined);
}

/* The windows that end at `count` places of LANES blocks. suffix and before: of these blocks and of the LANES before them,
 * at the place that follows; the window that ends with a block is the block. */
CSM_INLINE real prefixes_of_places(real prefix, double *out, const real *turned, const real *suffix,
                                   const real *before, size_t window, size_t count, bool last,
                                   enum fold fold) {
    real v[LANES];
    for (size_t k = 0; k < LANES; k++) {
        if (k >= count) {
            v[k] = prefix;
            continue;
        }
        v[k] = prefix = combine_lanes(fold, prefix, turned[k]);
        if (!last || k + 1 < count)
            v[k] = combine_lanes(fold, real_shift_up(before[k + 1], suffix[k + 1]), prefix);
    }
    turn_out(out, v, window, count);
    return prefix;
}

CSM_INLINE void prefixes_of_lanes(double *out, const real *turned, const real *suffix, const real *before,
                                  size_t window, enum fold fold) {
    const size_t rest = window % LANES, whole = rest > 0 ? window - rest : window - LANES;
    real prefix = identity(fold);
    for (size_t at = 0; at < whole; at += LANES)
        prefix = prefixes_of_places(prefix, out + at, turned + at, suffix + at, before + at, window, LANES,
                                    false, fold);
    if (rest > 0)
        (void)prefixes_of_places(prefix, out + whole, turned + whole, suffix + whole, before + whole, window,
                                 rest, true, fold);
    else
        (void)prefixes_of_places(prefix, out + whole, turned + whole, suffix + whole, before + whole, window,
                                 LANES, true, fold);
}

/* As many blocks as make whole groups of LANES; returns where the next begins, with the suffixes that it needs in `out`. */
CSM_INLINE size_t fold_lanes(double *out, const double *x, size_t n, size_t window, double *room,
                             enum fold fold) {
    const size_t blocks = n / window / LANES * LANES;
    if (window <= LANES || blocks == 0) return 0;
    double lane[LANES]; /* LANES * window <= n: three arrays of `window` vectors fit into the room */
    real *turned = (real *)(void *)room, *suffix = turned + window, *before = suffix + window;
    for (size_t begin = 0; begin < blocks * window; begin += LANES * window) {
        suffixes_of_lanes(suffix, turned, x + begin, window, fold);
        prefixes_of_lanes(out + begin, turned, suffix, before, window, fold);
        real *swapped = before;
        before = suffix;
        suffix = swapped;
    }
    const size_t next = blocks * window;
    for (size_t k = 1; k < window && next + k - 1 < n; k++) {
        real_store(lane, before[k]);
        out[next + k - 1] = lane[LANES - 1];
    }
    return next;
}
#endif

CSM_INLINE void fold_windows(double *out, const double *x, size_t n, size_t window, double *room,
                             enum fold fold) {
    const size_t unknown = window - 1 < n ? window - 1 : n;
    size_t begin = 0;
    (void)room;
#if LANES > 1
    begin = fold_lanes(out, x, n, window, room, fold);
#endif
    if (begin == 0)
        for (size_t i = 0; i < unknown; i++) out[i] = (double)NAN;
    for (; begin < n; begin += window) {
        const size_t left = n - begin;
        if (left >= window) suffixes_of_one(out + begin, x + begin, left, window, fold);
        prefixes_of_one(out + begin, x + begin, left < window ? left : window, window, fold);
        if (left <= window) break;
    }
    /* of the first block only the whole is a window */
    for (size_t i = 0; i < unknown; i++) out[i] = (double)NAN;
}

void ROLLING_SUM(double *out, const double *x, size_t n, size_t window, double *room) {
    fold_windows(out, x, n, window, room, FOLD_SUM);
}

void ROLLING_MAX(double *out, const double *x, size_t n, size_t window, double *room) {
    fold_windows(out, x, n, window, room, FOLD_MAX);
}

void ROLLING_MIN(double *out, const double *x, size_t n, size_t window, double *room) {
    fold_windows(out, x, n, window, room, FOLD_MIN);
}
