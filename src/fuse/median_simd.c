/* SPDX-License-Identifier: MIT */
/* The median of every window, from its values in order: one leaves and one enters a bar. */
#include "fuse/rolling.h"

#include "indicator/lane.h"

/* Each instruction set has its own form, at another line: a name of its own keeps line counts by function apart. */
#define replace_sorted CSM_ISA_SYMBOL(replace_sorted)

#define ROLLING_MEDIAN CSM_ISA_SYMBOL(csm_rolling_median)
csm_median_fn ROLLING_MEDIAN;

static void insert_sorted(double *sorted, size_t count, double x) {
    size_t i = count;
    for (; i > 0 && sorted[i - 1] > x; i--) sorted[i] = sorted[i - 1];
    sorted[i] = x;
}

#if LANES > 1
/* `next` = `sorted` with `out`, which is there, replaced by `in`. Without branches: what is not below `out` moves down a
 * place, then what is above `in` moves up one. Behind the last value stands infinity. */
static void replace_sorted(double *next, const double *sorted, size_t count, double out, double in) {
    const real gone = real_of(out), come = real_of(in);
    real before = real_of(-INFINITY), here = real_load(sorted);
    for (size_t i = 0; i < count; i += LANES) {
        const real after = real_load(sorted + i + LANES);
        const real lower = real_shift_up(before, here), upper = real_shift_down(here, after);
        const real left = real_select(real_lt(here, gone), here, upper);
        const real left_before = real_select(real_lt(lower, gone), lower, here);
        real_store(next + i, real_max(left_before, real_min(left, come)));
        before = here;
        here = after;
    }
}

/* Up to a whole row of lanes, and one more. */
static void bound(double *sorted, size_t count) {
    for (size_t i = 0; i < 2 * LANES; i++) sorted[count + i] = INFINITY;
}
#else
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

/* Puts `in` in the place of `out`, which is there: only what lies between them moves. */
static void replace_sorted(double *next, double *sorted, size_t count, double out, double in) {
    size_t i = lower_bound(sorted, count, out);
    (void)next;
    for (; i + 1 < count && sorted[i + 1] < in; i++) sorted[i] = sorted[i + 1];
    for (; i > 0 && sorted[i - 1] > in; i--) sorted[i] = sorted[i - 1];
    sorted[i] = in;
}

static void bound(double *sorted, size_t count) {
    (void)sorted;
    (void)count;
}
#endif

#define LINE 8 /* doubles of a cache line */
_Static_assert(LINE + 2 * LANES <= CSM_MEDIAN_ROOM,
               "the workspace holds the window and what stands behind it");

static double *on_a_line(double *at) {
    return at + (LINE - (uintptr_t)at / sizeof *at % LINE) % LINE;
}

static double middle_of(const double *sorted, size_t window) {
    if (window % 2 == 1) return sorted[window / 2];
    return 0.5 * (sorted[window / 2 - 1] + sorted[window / 2]);
}

void ROLLING_MEDIAN(double *out, const double *x, size_t n, size_t window, double *const sorted[2]) {
    double *now = on_a_line(sorted[0]), *next = on_a_line(sorted[1]);
    const size_t first = window < n ? window : n;
    for (size_t i = 0; i < first; i++) {
        insert_sorted(now, i, x[i]);
        out[i] = (double)NAN;
    }
    if (n < window) return;
    bound(now, window);
    bound(next, window);
    out[window - 1] = middle_of(now, window);
    for (size_t i = window; i < n; i++) {
        replace_sorted(next, now, window, x[i - window], x[i]);
        if (LANES > 1) {
            double *swapped = now;
            now = next;
            next = swapped;
        }
        out[i] = middle_of(now, window);
    }
}
