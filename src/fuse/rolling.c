/* SPDX-License-Identifier: MIT */
#include "fuse/rolling.h"

#include <math.h>

/* One body for the three folds; `fold` is a constant at each call, so each caller is compiled on its own. */
enum fold { FOLD_SUM, FOLD_MAX, FOLD_MIN };

static inline double combine(enum fold fold, double a, double b) {
    if (fold == FOLD_SUM) return a + b;
    if (fold == FOLD_MAX) return a > b ? a : b;
    return a < b ? a : b;
}

/* Block b holds x[b * window .. (b + 1) * window). The window that ends at i begins at i + 1 - window, inside the block
 * before unless i is a block's last: suffix of that block, then prefix of this one. Suffixes are written into `out` when
 * a block is complete, one window ahead of where they are needed. */
static inline void fold_windows(double *out, const double *x, size_t n, size_t window, enum fold fold) {
    for (size_t begin = 0; begin < n; begin += window) {
        const size_t end = n - begin > window ? begin + window : n;
        double prefix = x[begin];
        for (size_t i = begin; i < end; i++) {
            if (i > begin) prefix = combine(fold, prefix, x[i]);
            if (i + 1 == begin + window)
                out[i] = prefix;
            else
                out[i] = begin == 0 ? NAN : combine(fold, out[i], prefix);
        }
        if (end != begin + window) break;
        /* suffix of x[j .. end) serves the window that ends at j + window - 1 */
        double suffix = x[end - 1];
        for (size_t j = end - 1; j > begin; j--) {
            if (j < end - 1) suffix = combine(fold, x[j], suffix);
            if (j + window - 1 < n) out[j + window - 1] = suffix;
        }
    }
}

void csm_rolling_sum(double *out, const double *x, size_t n, size_t window) {
    fold_windows(out, x, n, window, FOLD_SUM);
}

/* fold_windows for four sums: the operations of each column, in its order, four chains at a time. */
static void sum_four(double *const *out, const double *const *x, size_t n, size_t window) {
    const double *a = x[0], *b = x[1], *c = x[2], *d = x[3];
    double *p = out[0], *q = out[1], *r = out[2], *t = out[3];
    for (size_t begin = 0; begin < n; begin += window) {
        const size_t end = n - begin > window ? begin + window : n;
        const size_t last = begin + window - 1;
        double sa = a[begin], sb = b[begin], sc = c[begin], sd = d[begin];
        for (size_t i = begin; i < end && i < last; i++) {
            if (i > begin) {
                sa += a[i];
                sb += b[i];
                sc += c[i];
                sd += d[i];
            }
            p[i] = begin == 0 ? NAN : p[i] + sa;
            q[i] = begin == 0 ? NAN : q[i] + sb;
            r[i] = begin == 0 ? NAN : r[i] + sc;
            t[i] = begin == 0 ? NAN : t[i] + sd;
        }
        if (end != begin + window) break;
        if (last > begin) {
            sa += a[last];
            sb += b[last];
            sc += c[last];
            sd += d[last];
        }
        p[last] = sa;
        q[last] = sb;
        r[last] = sc;
        t[last] = sd;
        sa = a[last];
        sb = b[last];
        sc = c[last];
        sd = d[last];
        for (size_t j = last; j > begin; j--) {
            if (j < last) {
                sa = a[j] + sa;
                sb = b[j] + sb;
                sc = c[j] + sc;
                sd = d[j] + sd;
            }
            if (j + window - 1 >= n) continue;
            p[j + window - 1] = sa;
            q[j + window - 1] = sb;
            r[j + window - 1] = sc;
            t[j + window - 1] = sd;
        }
    }
}

void csm_rolling_sums(double *const *out, const double *const *x, size_t columns, size_t n, size_t window) {
    size_t c = 0;
    for (; c + 4 <= columns; c += 4) sum_four(out + c, x + c, n, window);
    for (; c < columns; c++) csm_rolling_sum(out[c], x[c], n, window);
}

void csm_rolling_max(double *out, const double *x, size_t n, size_t window) {
    fold_windows(out, x, n, window, FOLD_MAX);
}

void csm_rolling_min(double *out, const double *x, size_t n, size_t window) {
    fold_windows(out, x, n, window, FOLD_MIN);
}

/* First position in sorted[0 .. count) whose value is not below x. */
static size_t lower_bound(const double *sorted, size_t count, double x) {
    size_t low = 0;
    while (low < count) {
        const size_t middle = low + (count - low) / 2;
        if (sorted[middle] < x)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static void insert_sorted(double *sorted, size_t count, double x) {
    size_t i = count;
    for (; i > 0 && sorted[i - 1] > x; i--) sorted[i] = sorted[i - 1];
    sorted[i] = x;
}

/* Puts `in` in the place of `out`, which is there: only what lies between them moves. */
static void replace_sorted(double *sorted, size_t count, double out, double in) {
    size_t i = lower_bound(sorted, count, out);
    for (; i + 1 < count && sorted[i + 1] < in; i++) sorted[i] = sorted[i + 1];
    for (; i > 0 && sorted[i - 1] > in; i--) sorted[i] = sorted[i - 1];
    sorted[i] = in;
}

void csm_rolling_median(double *out, const double *x, size_t n, size_t window, double *sorted) {
    for (size_t i = 0; i < n; i++) {
        if (i < window)
            insert_sorted(sorted, i, x[i]);
        else
            replace_sorted(sorted, window, x[i - window], x[i]);
        if (i + 1 < window)
            out[i] = NAN;
        else if (window % 2 == 1)
            out[i] = sorted[window / 2];
        else
            out[i] = 0.5 * (sorted[window / 2 - 1] + sorted[window / 2]);
    }
}
