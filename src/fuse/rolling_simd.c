/* SPDX-License-Identifier: MIT */
/*
 * Folds of windows by blocks. Block b holds x[b * window .. (b + 1) * window). The window that ends at i is the suffix of
 * the block before joined with the prefix of i's own block, and the whole block where i is its last. A fold waits for
 * the one before it, so as many blocks as there are lanes are folded side by side: each keeps its own order of
 * operations, and every instruction set gives the same bits.
 */
#include "fuse/rolling.h"

#include "indicator/lane_transpose.h"

#define ROLLING_SUM CSM_ISA_SYMBOL(csm_rolling_sum)
#define ROLLING_MAX CSM_ISA_SYMBOL(csm_rolling_max)
#define ROLLING_MIN CSM_ISA_SYMBOL(csm_rolling_min)
void ROLLING_SUM(double *out, const double *x, size_t n, size_t window);
void ROLLING_MAX(double *out, const double *x, size_t n, size_t window);
void ROLLING_MIN(double *out, const double *x, size_t n, size_t window);

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

/* `count` places of LANES blocks from x on: v[k] is place k, one lane a block. */
CSM_INLINE void load_places(real v[LANES], const double *x, size_t window, size_t count) {
    for (size_t l = 0; l < LANES; l++)
        v[l] = count == LANES ? real_load(x + l * window) : real_load_some(x + l * window, count);
    lanes_transpose(v);
}

CSM_INLINE void store_places(double *out, real v[LANES], size_t window, size_t count) {
    lanes_transpose(v);
    for (size_t l = 0; l < LANES; l++) {
        if (count == LANES)
            real_store(out + l * window, v[l]);
        else
            real_store_some(out + l * window, v[l], count);
    }
}

CSM_INLINE real suffix_places(real suffix, double *out, const double *x, size_t window, size_t count,
                              enum fold fold) {
    real v[LANES];
    load_places(v, x, window, count);
    for (int k = LANES - 1; k >= 0; k--)
        if ((size_t)k < count) v[k] = suffix = combine_lanes(fold, v[k], suffix);
    store_places(out + window - 1, v, window, count);
    return suffix;
}

/* suffixes_of_one for LANES blocks; the whole of each goes where its own prefix is written afterwards. */
CSM_INLINE void suffixes_of_lanes(double *out, const double *x, size_t window, enum fold fold) {
    const size_t rest = window % LANES;
    real suffix = identity(fold);
    for (size_t at = window; at > rest;) {
        at -= LANES;
        suffix = suffix_places(suffix, out + at, x + at, window, LANES, fold);
    }
    if (rest > 0) (void)suffix_places(suffix, out, x, window, rest, fold);
}

/* last: the places end with the block's last. */
CSM_INLINE real prefix_places(real prefix, double *out, const double *x, size_t window, size_t count,
                              bool last, enum fold fold) {
    real v[LANES], u[LANES];
    load_places(v, x, window, count);
    load_places(u, out, window, count);
    for (size_t k = 0; k < LANES; k++) {
        if (k >= count) continue;
        prefix = combine_lanes(fold, prefix, v[k]);
        u[k] = last && k + 1 == count ? prefix : combine_lanes(fold, u[k], prefix);
    }
    store_places(out, u, window, count);
    return prefix;
}

CSM_INLINE void prefixes_of_lanes(double *out, const double *x, size_t window, enum fold fold) {
    const size_t rest = window % LANES, whole = rest > 0 ? window - rest : window - LANES;
    real prefix = identity(fold);
    for (size_t at = 0; at < whole; at += LANES)
        prefix = prefix_places(prefix, out + at, x + at, window, LANES, false, fold);
    if (rest > 0)
        (void)prefix_places(prefix, out + whole, x + whole, window, rest, true, fold);
    else
        (void)prefix_places(prefix, out + whole, x + whole, window, LANES, true, fold);
}
#endif

CSM_INLINE void fold_windows(double *out, const double *x, size_t n, size_t window, enum fold fold) {
    size_t begin = 0;
    const size_t unknown = window - 1 < n ? window - 1 : n;
    for (size_t i = 0; i < unknown; i++) out[i] = (double)NAN;
#if LANES > 1
    /* the block after the last lane is whole too, so that every suffix has its place */
    for (; window > LANES && (n - begin) / window > LANES; begin += LANES * window) {
        suffixes_of_lanes(out + begin, x + begin, window, fold);
        prefixes_of_lanes(out + begin, x + begin, window, fold);
    }
#endif
    for (; begin < n; begin += window) {
        const size_t left = n - begin;
        if (left >= window) suffixes_of_one(out + begin, x + begin, left, window, fold);
        prefixes_of_one(out + begin, x + begin, left < window ? left : window, window, fold);
        if (left <= window) break;
    }
    /* of the first block only the whole is a window */
    for (size_t i = 0; i < unknown; i++) out[i] = (double)NAN;
}

void ROLLING_SUM(double *out, const double *x, size_t n, size_t window) {
    fold_windows(out, x, n, window, FOLD_SUM);
}

void ROLLING_MAX(double *out, const double *x, size_t n, size_t window) {
    fold_windows(out, x, n, window, FOLD_MAX);
}

void ROLLING_MIN(double *out, const double *x, size_t n, size_t window) {
    fold_windows(out, x, n, window, FOLD_MIN);
}
