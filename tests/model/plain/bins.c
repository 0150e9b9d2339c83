/* SPDX-License-Identifier: MIT */
#include "model/plain/plain.h"

#include <math.h>
#include <string.h>

typedef struct bins_job {
    plain_bins *bins;
    const csm_matrix *x;
    uint32_t bins_max;
    uint32_t *count; /* features: bins of each */
    float *edge;     /* (features, PLAIN_BINS_MAX) while counts are not known */
} bins_job;

/* Bits that order like the float: the sign bit flipped, all bits for negatives. */
static uint32_t ordered_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float from_ordered_bits(uint32_t bits) {
    float value;
    bits = bits & 0x80000000u ? bits & 0x7fffffffu : ~bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Sorts keys[n] through spare[n] by least significant byte first; the result is in keys. */
static void radix_sort(uint32_t *keys, uint32_t *spare, size_t n) {
    for (uint32_t shift = 0; shift < 32; shift += 8) {
        size_t place[257] = {0};
        for (size_t i = 0; i < n; i++) place[(keys[i] >> shift & 255) + 1]++;
        for (size_t b = 0; b < 256; b++) place[b + 1] += place[b];
        for (size_t i = 0; i < n; i++) spare[place[keys[i] >> shift & 255]++] = keys[i];
        uint32_t *swap = keys;
        keys = spare;
        spare = swap;
    }
}

/* An edge between two neighbours, low <= edge < high. */
static float edge_between(float low, float high) {
    float middle = 0.5f * low + 0.5f * high;
    return middle >= low && middle < high ? middle : low;
}

/* Edges of a sorted sample: one bin a distinct value where they fit; otherwise a bin is closed once it holds the mean of
 * what is left, so that a value of great mass takes one bin and the others share the rest. Returns the bins. */
static uint32_t choose_edges(float *edge, const uint32_t *sorted, size_t n, uint32_t bins_max) {
    size_t distinct = 1;
    for (size_t i = 1; i < n; i++) distinct += sorted[i] != sorted[i - 1];
    uint32_t bins = 0;
    size_t taken = 0; /* sample values in closed bins */
    for (size_t i = 0; i + 1 < n && bins + 1 < bins_max; i++) {
        if (sorted[i] == sorted[i + 1]) continue;
        size_t held = i + 1 - taken;
        if (distinct > bins_max && held * (bins_max - bins) < n - taken) continue;
        edge[bins++] = edge_between(from_ordered_bits(sorted[i]), from_ordered_bits(sorted[i + 1]));
        taken = i + 1;
    }
    edge[bins] = INFINITY;
    return bins + 1;
}

static csm_status edges_of_features(void *user, size_t begin, size_t end, uint32_t worker) {
    bins_job *job = user;
    (void)worker;
    size_t rows = job->bins->rows;
    size_t stride = (rows + PLAIN_BIN_SAMPLE - 1) / PLAIN_BIN_SAMPLE;
    size_t sampled = (rows + stride - 1) / stride;
    uint32_t *sample = csm_alloc_array(sampled, 2 * sizeof *sample);
    if (!sample) return CSM_ENOMEM;
    for (size_t f = begin; f < end; f++) {
        for (size_t i = 0; i < sampled; i++)
            sample[i] = ordered_bits((float)csm_matrix_get(job->x, i * stride, f) + 0.0f); /* -0 joins 0 */
        radix_sort(sample, sample + sampled, sampled);
        job->count[f] = choose_edges(job->edge + f * PLAIN_BINS_MAX, sample, sampled, job->bins_max);
    }
    csm_dealloc(sample);
    return CSM_OK;
}

/* First bin whose edge is not below x. */
static uint8_t find_bin(const float *edge, uint32_t bins, float x) {
    uint32_t low = 0;
    for (uint32_t length = bins; length > 1;) {
        uint32_t half = length / 2;
        low += edge[low + half - 1] < x ? half : 0;
        length -= half;
    }
    return (uint8_t)low;
}

static csm_status code_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    bins_job *job = user;
    (void)worker;
    const plain_bins *bins = job->bins;
    for (size_t r = begin; r < end; r++) {
        for (size_t f = 0; f < bins->features; f++) {
            float value = (float)csm_matrix_get(job->x, r, f);
            bins->code[r * bins->features + f] =
                find_bin(bins->edge + bins->first[f], plain_bin_count(bins, f), value);
        }
    }
    return CSM_OK;
}

static csm_status check_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    bins_job *job = user;
    (void)worker;
    for (size_t r = begin; r < end; r++) {
        for (size_t f = 0; f < job->x->cols; f++) {
            if (!isfinite((float)csm_matrix_get(job->x, r, f)))
                return csm_fail(CSM_EINVAL, "gbt: x is not a finite float at row %zu, column %zu", r, f);
        }
    }
    return CSM_OK;
}

static csm_status gather_edges(plain_bins *bins, const bins_job *job) {
    bins->first = csm_alloc_array(bins->features + 1, sizeof *bins->first);
    if (!bins->first) return CSM_ENOMEM;
    for (size_t f = 0; f < bins->features; f++) bins->first[f + 1] = bins->first[f] + job->count[f];
    bins->edge = csm_alloc_array(bins->first[bins->features], sizeof *bins->edge);
    if (!bins->edge) return CSM_ENOMEM;
    for (size_t f = 0; f < bins->features; f++)
        memcpy(bins->edge + bins->first[f], job->edge + f * PLAIN_BINS_MAX,
               job->count[f] * sizeof *bins->edge);
    return CSM_OK;
}

csm_status plain_bins_build(plain_bins *bins, csm_context *context, const csm_matrix *x, uint32_t bins_max) {
    bins_job job = {.bins = bins, .x = x, .bins_max = bins_max};
    uint32_t threads = csm_context_threads(context);
    csm_status status = CSM_ENOMEM;
    *bins = (plain_bins){.rows = x->rows, .features = x->cols};
    if (x->rows > INT32_MAX || x->cols > INT32_MAX / PLAIN_BINS_MAX)
        return csm_fail(CSM_EINVAL, "gbt: %zu rows x %zu features are too many", x->rows, x->cols);
    if ((status = csm_parallel_for(threads, x->rows, 4096, check_rows, &job))) return status;
    status = CSM_ENOMEM;
    bins->code = csm_alloc(x->rows * x->cols); /* below 2^31 * 2^23 by the check above */
    job.count = csm_alloc_array(x->cols, sizeof *job.count);
    job.edge = csm_alloc_array(x->cols * PLAIN_BINS_MAX, sizeof *job.edge);
    if (!bins->code || !job.count || !job.edge) goto done;
    if ((status = csm_parallel_for(threads, x->cols, 1, edges_of_features, &job))) goto done;
    if ((status = gather_edges(bins, &job))) goto done;
    status = csm_parallel_for(threads, x->rows, 1024, code_rows, &job);
done:
    csm_dealloc(job.count);
    csm_dealloc(job.edge);
    if (status) plain_bins_free(bins);
    return status;
}

void plain_bins_free(plain_bins *bins) {
    csm_dealloc(bins->code);
    csm_dealloc(bins->first);
    csm_dealloc(bins->edge);
    *bins = (plain_bins){0};
}
