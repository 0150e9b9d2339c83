/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include <math.h>
#include <stdlib.h>

typedef struct ranked {
    double value;
    size_t index;
} ranked;

static int by_value(const void *a, const void *b) {
    double left = ((const ranked *)a)->value, right = ((const ranked *)b)->value;
    return (left > right) - (left < right);
}

/* Ranks 1..n less their mean, ties at the mean of their ranks. Twice the rank is a whole number, so sums are exact. */
static bool centered_ranks(double *rank, const double *value, size_t n) {
    ranked *rows = csm_alloc_array(n, sizeof *rows);
    if (!rows) return false;
    for (size_t i = 0; i < n; i++) rows[i] = (ranked){value[i], i};
    qsort(rows, n, sizeof *rows, by_value);
    for (size_t begin = 0, end; begin < n; begin = end) {
        end = begin + 1;
        while (end < n && rows[end].value == rows[begin].value) end++;
        for (size_t i = begin; i < end; i++)
            rank[rows[i].index] = 0.5 * (double)(begin + end) - 0.5 * (double)n;
    }
    csm_dealloc(rows);
    return true;
}

csm_status csm_spearman(double *out, const double *a, const double *b, size_t n) {
    double aa = 0, bb = 0, ab = 0;
    csm_status status = CSM_ENOMEM;
    *out = NAN;
    for (size_t i = 0; i < n; i++) {
        if (isnan(a[i]) || isnan(b[i])) return CSM_OK;
    }
    double *ranks = csm_alloc_array(n, 2 * sizeof *ranks);
    if (!ranks || !centered_ranks(ranks, a, n) || !centered_ranks(ranks + n, b, n)) goto done;
    for (size_t i = 0; i < n; i++) {
        aa += ranks[i] * ranks[i];
        bb += ranks[n + i] * ranks[n + i];
        ab += ranks[i] * ranks[n + i];
    }
    if (aa > 0 && bb > 0) *out = ab / sqrt(aa * bb);
    status = CSM_OK;
done:
    csm_dealloc(ranks);
    return status;
}

double csm_calibrate_spearman(const double *a, const double *b, size_t n) {
    double rho = NAN;
    if (n < 2 || !a || !b || csm_spearman(&rho, a, b, n)) return NAN;
    return rho;
}
