/* SPDX-License-Identifier: MIT */
#include "model/gbt/train.h"

#include "core/platform.h"

#include <math.h>
#include <string.h>

#define CACHE_LINE 64
#define STRIP CSM_GBT_STRIP_ROWS
#define STRIP_FEATURES 16 /* floats of a cache line */
#define CODE_ROWS (8 * STRIP)
#define DIGITS 2048              /* of 11 bits: three passes sort 32 */
#define INFINITY_KEY 0xff800000u /* ordered bits of +inf */

typedef struct bins_job {
    gbt_bins *bins;
    const csm_matrix *x;
    const csm_gbt_kernels *kernels;
    uint32_t bins_max; /* of values: NaN has one more */
    size_t stride;     /* rows to a sampled one */
    size_t sampled;
    uint32_t *sample; /* (features, sampled), keys */
} bins_job;

/* ---- edges from a sorted sample ---- */

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

/* Sorts keys[n] with the help of spare[n] by least significant digit first; returns which of them holds the result. */
static uint32_t *radix_sort(uint32_t *keys, uint32_t *spare, size_t n) {
    uint32_t place[3][DIGITS] = {{0}};
    for (size_t i = 0; i < n; i++) {
        place[0][keys[i] & 2047]++;
        place[1][keys[i] >> 11 & 2047]++;
        place[2][keys[i] >> 22]++;
    }
    for (uint32_t digit = 0; digit < 3; digit++) {
        uint32_t shift = 11 * digit, begin = 0;
        if (place[digit][keys[0] >> shift & 2047] == n) continue; /* all alike */
        for (uint32_t b = 0; b < DIGITS; b++) {
            uint32_t count = place[digit][b];
            place[digit][b] = begin;
            begin += count;
        }
        for (size_t i = 0; i < n; i++) spare[place[digit][keys[i] >> shift & 2047]++] = keys[i];
        uint32_t *swap = keys;
        keys = spare;
        spare = swap;
    }
    return keys;
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
    return bins + 1;
}

static float value_at(const csm_matrix *x, size_t r, size_t f) {
    ptrdiff_t at = (ptrdiff_t)r * x->row_stride + (ptrdiff_t)f * x->col_stride;
    return x->dtype == CSM_F32 ? ((const float *)x->data)[at] : (float)((const double *)x->data)[at];
}

/* ---- strips of the caller's view ---- */

/* strip[f][i] = x at row first + i (or row[i]), feature at + f. */
static void copy_strip(float *strip, const csm_matrix *x, const size_t *row, size_t first, size_t rows,
                       size_t at, size_t features) {
    ptrdiff_t step = x->col_stride;
    for (size_t i = 0; i < rows; i++) {
        ptrdiff_t r = (ptrdiff_t)(row ? row[i] : first + i);
        ptrdiff_t place = r * x->row_stride + (ptrdiff_t)at * step;
        if (x->dtype == CSM_F32) {
            const float *from = (const float *)x->data + place;
            for (size_t f = 0; f < features; f++) strip[f * STRIP + i] = from[(ptrdiff_t)f * step];
        } else {
            const double *from = (const double *)x->data + place;
            for (size_t f = 0; f < features; f++) strip[f * STRIP + i] = (float)from[(ptrdiff_t)f * step];
        }
    }
}

/* Whether all are finite floats, or NaN where it may be missing. */
static bool is_readable(const float *strip, size_t rows, size_t features, bool missing) {
    bool readable = true;
    for (size_t f = 0; f < features; f++) {
        int wrong = 0;
        for (size_t i = 0; i < rows; i++) {
            float x = strip[f * STRIP + i];
            wrong |= (x - x != 0) & !(missing & (x != x));
        }
        readable = readable && !wrong;
    }
    return readable;
}

/* ---- sample ---- */

/* One row of each `stride` consecutive ones, by a hash: rows may have a period. */
static size_t sampled_row(size_t i, size_t stride, size_t rows) {
    uint64_t hash = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    size_t row = i * stride + (size_t)((hash >> 32) * stride >> 32);
    return row < rows ? row : rows - 1;
}

/* Keys of sampled rows [begin, end) of every feature. */
static csm_status take_sample(void *user, size_t begin, size_t end, uint32_t worker) {
    const bins_job *job = user;
    size_t features = job->bins->features;
    float strip[STRIP_FEATURES * STRIP];
    size_t row[STRIP];
    (void)worker;
    for (size_t first = begin; first < end; first += STRIP) {
        size_t rows = end - first < STRIP ? end - first : STRIP;
        for (size_t i = 0; i < rows; i++)
            row[i] = job->stride == 1 ? first + i : sampled_row(first + i, job->stride, job->bins->rows);
        for (size_t at = 0; at < features; at += STRIP_FEATURES) {
            size_t n = features - at < STRIP_FEATURES ? features - at : STRIP_FEATURES;
            copy_strip(strip, job->x, row, 0, rows, at, n);
            for (size_t f = 0; f < n; f++) {
                uint32_t *key = job->sample + (at + f) * job->sampled + first;
                for (size_t i = 0; i < rows; i++) key[i] = ordered_bits(strip[f * STRIP + i] + 0.0f);
            }
        }
    }
    return CSM_OK;
}

/* Each category of the sample has a bin, and the last one is for the others. */
static csm_status list_categories(const bins_job *job, size_t f, const uint32_t *sorted, size_t n,
                                  uint32_t count) {
    float *category = job->bins->category + f * job->bins->slots;
    uint32_t b = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && sorted[i] == sorted[i - 1]) continue;
        if (b == count || count >= job->bins_max)
            return csm_fail(CSM_EINVAL,
                            "gbt: column %zu has more than %u categories: raise `bins` or group rare ones", f,
                            job->bins_max - 1);
        category[b++] = from_ordered_bits(sorted[i]);
    }
    category[b] = NAN;
    job->bins->edge[f * job->bins->slots + count - 1] = category[count - 1];
    job->bins->count[f] = count + 1;
    return CSM_OK;
}

static csm_status edges_of_feature(const bins_job *job, size_t f, const uint32_t *sorted, size_t n) {
    gbt_bins *bins = job->bins;
    float *edge = bins->edge + f * bins->slots;
    uint32_t count = n ? choose_edges(edge, sorted, n, job->bins_max) : 1;
    for (uint32_t b = count - 1; b < bins->slots; b++) edge[b] = INFINITY;
    bins->count[f] = count;
    return bins->categorical && bins->categorical[f] ? list_categories(job, f, sorted, n, count) : CSM_OK;
}

static csm_status edges_of_features(void *user, size_t begin, size_t end, uint32_t worker) {
    const bins_job *job = user;
    (void)worker;
    uint32_t *spare = csm_alloc(job->sampled * sizeof *spare);
    if (!spare) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    for (size_t f = begin; f < end && !status; f++) {
        const uint32_t *sorted = radix_sort(job->sample + f * job->sampled, spare, job->sampled);
        size_t values = job->sampled;
        while (values > 0 && sorted[values - 1] > INFINITY_KEY) values--; /* NaN sorts last */
        status = edges_of_feature(job, f, sorted, values);
    }
    csm_dealloc(spare);
    return status;
}

static csm_status find_edges(bins_job *job, uint32_t threads) {
    size_t rows = job->bins->rows, features = job->bins->features;
    job->stride = (rows + GBT_BIN_SAMPLE - 1) / GBT_BIN_SAMPLE;
    job->sampled = (rows + job->stride - 1) / job->stride;
    job->sample = csm_alloc(features * job->sampled * sizeof *job->sample); /* at most 2^23 * 200,000 * 4 */
    if (!job->sample) return CSM_ENOMEM;
    csm_platform_large_pages(job->sample, features * job->sampled * sizeof *job->sample);
    csm_status status = csm_parallel_for(threads, job->sampled, CODE_ROWS, take_sample, job);
    if (!status) status = csm_parallel_for(threads, features, 1, edges_of_features, job);
    csm_dealloc(job->sample);
    return status;
}

/* ---- codes ---- */

/* Names the first row, then column, of [first, first + rows) that cannot be read. */
static csm_status refuse_rows(const bins_job *job, size_t first, size_t rows) {
    for (size_t r = first; r < first + rows; r++) {
        for (size_t f = 0; f < job->x->cols; f++) {
            float x = value_at(job->x, r, f);
            if (!isfinite(x) && !(job->bins->missing && isnan(x)))
                return csm_fail(CSM_EINVAL, "gbt: x is not a finite float at row %zu, column %zu", r, f);
        }
    }
    return csm_fail(CSM_EINTERNAL, "gbt: rows from %zu changed while they were read", first);
}

/* Codes of categories that the sample did not hold, and of missing values. */
static csm_status settle_codes(uint8_t *code, const float *x, const gbt_bins *bins, size_t f, size_t first,
                               size_t rows) {
    bool categorical = bins->categorical && bins->categorical[f];
    const float *category = categorical ? bins->category + f * bins->slots : NULL;
    for (size_t i = 0; categorical && i < rows; i++) {
        if (isnan(x[i])) continue;
        if (!(x[i] >= 0 && x[i] < (float)GBT_CATEGORIES_MAX && x[i] == floorf(x[i])))
            return csm_fail(CSM_EINVAL, "gbt: x is %g at row %zu, column %zu, which is no category",
                            (double)x[i], first + i, f);
        if (x[i] != category[code[i]]) code[i] = (uint8_t)(bins->count[f] - 1);
    }
    for (size_t i = 0; bins->missing && i < rows; i++) {
        if (isnan(x[i])) code[i] = (uint8_t)(bins->slots - 1);
    }
    return CSM_OK;
}

static void store_codes(gbt_bins *bins, const uint8_t *code, size_t first, size_t rows, size_t at,
                        size_t features) {
    for (size_t i = 0; i < rows; i++) {
        uint8_t *to = bins->code + (first + i) * bins->stride + at;
        for (size_t f = 0; f < features; f++) to[f] = code[f * STRIP + i];
    }
    for (size_t f = 0; bins->column && f < features; f++)
        memcpy(bins->column + (at + f) * bins->rows + first, code + f * STRIP, rows);
}

static csm_status code_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const bins_job *job = user;
    gbt_bins *bins = job->bins;
    float strip[STRIP_FEATURES * STRIP];
    uint8_t code[STRIP_FEATURES * STRIP];
    (void)worker;
    for (size_t first = begin; first < end; first += STRIP) {
        size_t rows = end - first < STRIP ? end - first : STRIP;
        for (size_t at = 0; at < bins->features; at += STRIP_FEATURES) {
            size_t features = bins->features - at < STRIP_FEATURES ? bins->features - at : STRIP_FEATURES;
            copy_strip(strip, job->x, NULL, first, rows, at, features);
            if (!is_readable(strip, rows, features, bins->missing)) return refuse_rows(job, first, rows);
            for (size_t f = 0; f < features; f++) {
                job->kernels->code(code + f * STRIP, strip + f * STRIP, rows,
                                   bins->edge + (at + f) * bins->slots, bins->slots);
                csm_status status =
                    settle_codes(code + f * STRIP, strip + f * STRIP, bins, at + f, first, rows);
                if (status) return status;
            }
            store_codes(bins, code, first, rows, at, features);
        }
    }
    return CSM_OK;
}

/* Rows are padded so that none of up to 128 features touches more cache lines than it must. */
static size_t row_stride(size_t features) {
    size_t stride = 8;
    while (stride < features && stride < CACHE_LINE) stride *= 2;
    return features <= stride ? stride : (features + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
}

static csm_status bins_alloc(gbt_bins *bins) {
    size_t bytes = bins->rows * bins->stride + 2 * CACHE_LINE; /* below 2^31 * 2^24 */
    size_t columns = bins->features * bins->rows;
    bins->block = csm_alloc(bytes);
    bins->count = csm_alloc_array(bins->features, sizeof *bins->count);
    bins->edge = csm_alloc_array(bins->features * bins->slots, sizeof *bins->edge);
    if (bins->categorical)
        bins->category = csm_alloc_array(bins->features * bins->slots, sizeof *bins->category);
    if (!bins->block || !bins->count || !bins->edge || (bins->categorical && !bins->category))
        return CSM_ENOMEM;
    uintptr_t start = ((uintptr_t)bins->block + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
    bins->code = (uint8_t *)bins->block + (start - (uintptr_t)bins->block);
    csm_platform_large_pages(bins->block, bytes);
    if (columns > GBT_COLUMN_BYTES_MAX) return CSM_OK;
    bins->column = csm_alloc(columns);
    if (!bins->column) return CSM_ENOMEM;
    csm_platform_large_pages(bins->column, columns);
    return CSM_OK;
}

csm_status gbt_bins_build(gbt_bins *bins, csm_context *context, const csm_matrix *x,
                          const gbt_bins_options *options, const csm_gbt_kernels *kernels) {
    bins_job job = {.bins = bins, .x = x, .kernels = kernels, .bins_max = options->bins};
    uint32_t threads = csm_context_threads(context);
    *bins = (gbt_bins){.rows = x->rows,
                       .features = x->cols,
                       .missing = options->missing,
                       .categorical = options->categorical};
    if (x->rows > GBT_ROWS_MAX || x->cols > INT32_MAX / CSM_GBT_SLOTS_MAX)
        return csm_fail(CSM_EINVAL, "gbt: %zu rows x %zu features are too many", x->rows, x->cols);
    bins->slots =
        options->bins + options->missing <= CSM_GBT_SLOTS_FEW ? CSM_GBT_SLOTS_FEW : CSM_GBT_SLOTS_MAX;
    bins->stride = row_stride(x->cols);
    csm_status status = bins_alloc(bins);
    if (!status) status = find_edges(&job, threads);
    if (!status) status = csm_parallel_for(threads, x->rows, CODE_ROWS, code_rows, &job);
    if (status) gbt_bins_free(bins);
    return status;
}

void gbt_bins_free(gbt_bins *bins) {
    csm_dealloc(bins->block);
    csm_dealloc(bins->column);
    csm_dealloc(bins->count);
    csm_dealloc(bins->category);
    csm_dealloc(bins->edge);
    *bins = (gbt_bins){0};
}
