/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include <math.h>
#include <stdlib.h>

#define BOOTSTRAP_STREAM 0x626f6f7473747261u /* "bootstra" */
#define RUN 2                                /* blocks on average */

void csm_bootstrap_draw(uint32_t *pick, size_t blocks, uint64_t seed, uint64_t resample) {
    csm_bootstrap_runs(pick, blocks, RUN, seed, resample);
}

void csm_bootstrap_runs(uint32_t *pick, size_t blocks, double run, uint64_t seed, uint64_t resample) {
    uint64_t stream = BOOTSTRAP_STREAM + resample;
    for (size_t b = 0; b < blocks; b++) {
        bool starts = b == 0 || csm_random_uniform(seed, stream, 2 * b) < 1 / run;
        if (starts)
            pick[b] = (uint32_t)(csm_random_uniform(seed, stream, 2 * b + 1) * (double)blocks);
        else
            pick[b] = pick[b - 1] + 1 < blocks ? pick[b - 1] + 1 : 0;
    }
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double quantile_of_sorted(const double *values, size_t n, double q) {
    double at = q * (double)(n - 1);
    size_t below = (size_t)at;
    if (below + 1 >= n) return values[n - 1];
    return values[below] + (at - (double)below) * (values[below + 1] - values[below]);
}

void csm_bootstrap_band(double *low, double *high, double *values, size_t n) {
    size_t numbers = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(values[i])) values[numbers++] = values[i];
    }
    *low = *high = NAN;
    if (numbers == 0) return;
    qsort(values, numbers, sizeof *values, by_size);
    *low = quantile_of_sorted(values, numbers, 0.05);
    *high = quantile_of_sorted(values, numbers, 0.95);
}
