/* SPDX-License-Identifier: MIT */
/* Combinatorially symmetric cross-validation. Sums by part and strategy are taken once; a combination only adds them up. */
#include "calibrate/internal.h"

#include <math.h>
#include <stdlib.h>

#define PARTS_MAX 16

typedef struct part_sums {
    double count;
    double sum;
    double squares;
} part_sums;

static void add(part_sums *total, const part_sums *part) {
    total->count += part->count;
    total->sum += part->sum;
    total->squares += part->squares;
}

static double ratio(const part_sums *s) {
    double mean = s->sum / s->count, variance = s->squares / s->count - mean * mean;
    return variance > 1e-14 * (s->squares / s->count) ? mean / sqrt(variance) : 0;
}

typedef struct splitting {
    const part_sums *part; /* [strategy * parts + part] */
    size_t strategies;
    uint32_t parts;
    double *outside; /* ratio of each strategy */
    double *rank;    /* of the chosen one, by combination */
    size_t combinations;
    size_t overfit;
    size_t losing;
} splitting;

/* Bit p of `chosen`: part p is in sample. */
static void judge(splitting *s, uint32_t chosen) {
    double best = -INFINITY, best_mean = 0;
    size_t winner = 0;
    for (size_t k = 0; k < s->strategies; k++) {
        part_sums in = {0}, out = {0};
        for (uint32_t p = 0; p < s->parts; p++) add(chosen >> p & 1 ? &in : &out, &s->part[k * s->parts + p]);
        double inside = ratio(&in);
        s->outside[k] = ratio(&out);
        if (inside <= best) continue;
        best = inside;
        winner = k;
        best_mean = out.sum;
    }
    double below = 0; /* ties count half */
    for (size_t k = 0; k < s->strategies; k++) {
        if (k == winner) continue;
        below += s->outside[k] < s->outside[winner] ? 1 : s->outside[k] == s->outside[winner] ? 0.5 : 0;
    }
    double rank = (below + 1) / ((double)s->strategies + 1);
    s->overfit += rank <= 0.5;
    s->losing += best_mean < 0;
    s->rank[s->combinations++] = below / ((double)s->strategies - 1);
}

static uint32_t bits(uint32_t word) {
    uint32_t count = 0;
    for (; word; word &= word - 1) count++;
    return count;
}

static void sum_parts(part_sums *part, const double *values, size_t periods, size_t strategies,
                      uint32_t parts) {
    for (size_t k = 0; k < strategies; k++) {
        for (size_t t = 0; t < periods; t++) {
            part_sums *own = &part[k * parts + t * parts / periods];
            double value = values[k * periods + t];
            own->count++;
            own->sum += value;
            own->squares += value * value;
        }
    }
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double *values, size_t n) {
    qsort(values, n, sizeof *values, by_size);
    return n % 2 ? values[n / 2] : values[n / 2 - 1] / 2 + values[n / 2] / 2;
}

csm_status csm_calibrate_overfitting(csm_overfitting *out, const csm_matrix *returns, uint32_t parts) {
    double *values = NULL;
    part_sums *part = NULL;
    if (!out) return csm_fail(CSM_EINVAL, "overfitting: out is NULL");
    if (parts < 2 || parts > PARTS_MAX || parts % 2)
        return csm_fail(CSM_EINVAL, "overfitting: %u parts are not even or outside 2..%d", parts, PARTS_MAX);
    csm_status status = csm_panel_copy(&values, returns, "overfitting");
    if (status) return status;
    splitting s = {.strategies = returns->cols, .parts = parts};
    if (s.strategies < 2 || returns->rows / 2 < parts) {
        status = csm_fail(CSM_EINVAL, "overfitting: %zu strategies over %zu periods in %u parts",
                          s.strategies, returns->rows, parts);
        goto done;
    }
    status = CSM_ENOMEM;
    part = csm_alloc_array(s.strategies * parts, sizeof *part);
    s.outside = csm_alloc_array(s.strategies, sizeof *s.outside);
    s.rank = csm_alloc_array((size_t)1 << parts, sizeof *s.rank);
    if (!part || !s.outside || !s.rank) goto done;
    sum_parts(part, values, returns->rows, s.strategies, parts);
    s.part = part;
    for (uint32_t chosen = 0; chosen < (uint32_t)1 << parts; chosen++) {
        if (bits(chosen) == parts / 2) judge(&s, chosen);
    }
    double all = (double)s.combinations;
    *out = (csm_overfitting){s.combinations, (double)s.overfit / all, median(s.rank, s.combinations),
                             (double)s.losing / all};
    status = CSM_OK;
done:
    csm_dealloc(s.rank);
    csm_dealloc(s.outside);
    csm_dealloc(part);
    csm_dealloc(values);
    return status;
}
