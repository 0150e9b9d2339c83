/* SPDX-License-Identifier: MIT */
/*
 * Gradients of one round as integers. Quantised (Shi et al. 2022, with more levels): stochastic rounding to 19 bits of
 * gradient and 13 of hessian, or 22 and 10 where every hessian is 1, so narrow that a tile of rows cannot overflow.
 * Exact: 64-bit fixed point with as many bits as the sum of all rows leaves, 40 and more.
 */
#include "model/gbt/train.h"

#include <math.h>
#include <string.h>

#define NARROW_BITS 32
#define WEIGHED_SHIFT 13
#define COUNTED_SHIFT 10
#define HESSIAN_LIMIT 15 /* 512 rows of it fit 13 bits */
#define LARGEST 1e38
#define TINY 1e-30    /* floats of less than it lose bits */
#define FIXED_BITS 61 /* of a sum over all rows */

typedef struct quanta_job {
    gbt_quanta *quanta;
    const gbt_target *target;
    const double *score;
    const csm_gbt_kernels *kernels;
    double *largest; /* blocks: gradient, hessian */
    int32_t gradient_limit;
    int32_t hessian_limit;
    int gradient_exponent; /* exact: fixed point steps are 2^-exponent */
    int hessian_exponent;
    uint64_t key;
} quanta_job;

csm_status gbt_quanta_new(gbt_quanta *quanta, size_t rows, bool exact, bool hessians) {
    *quanta = (gbt_quanta){.rows = rows, .exact = exact};
    if (exact) {
        quanta->fixed = csm_alloc_array(rows, 2 * sizeof *quanta->fixed);
        return quanta->fixed ? CSM_OK : CSM_ENOMEM;
    }
    quanta->gradient = csm_alloc(rows * sizeof *quanta->gradient);
    quanta->quantum = csm_alloc(rows * sizeof *quanta->quantum);
    if (hessians) quanta->hessian_block = csm_alloc(rows * sizeof *quanta->hessian_block);
    if (quanta->gradient && quanta->quantum && (!hessians || quanta->hessian_block)) return CSM_OK;
    gbt_quanta_free(quanta);
    return CSM_ENOMEM;
}

void gbt_quanta_free(gbt_quanta *quanta) {
    csm_dealloc(quanta->gradient);
    csm_dealloc(quanta->hessian_block);
    csm_dealloc(quanta->quantum);
    csm_dealloc(quanta->fixed);
    *quanta = (gbt_quanta){0};
}

/* Keeps one block's derivatives: as floats, or as the bits of doubles where fixed point will stand. */
static void keep_block(gbt_quanta *quanta, const double *gradient, const double *hessian, size_t begin,
                       size_t n) {
    if (quanta->exact) {
        memcpy(quanta->fixed + begin, gradient, n * sizeof *gradient);
        memcpy(quanta->fixed + quanta->rows + begin, hessian, n * sizeof *hessian);
        return;
    }
    for (size_t i = 0; i < n; i++) quanta->gradient[begin + i] = (float)gradient[i];
    for (size_t i = 0; quanta->hessian && i < n; i++) quanta->hessian[begin + i] = (float)hessian[i];
}

static double largest_of(const double *x, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fabs(x[i]) > largest ? fabs(x[i]) : largest;
    return largest;
}

static csm_status derive_blocks(void *user, size_t begin, size_t end, uint32_t worker) {
    const quanta_job *job = user;
    enum { PART = 1024 }; /* stays in the first-level cache */
    double gradient[PART], hessian[PART];
    (void)worker;
    for (size_t block = begin; block < end; block++) {
        size_t rows = job->target->rows;
        size_t last = (block + 1) * GBT_ROW_BLOCK < rows ? (block + 1) * GBT_ROW_BLOCK : rows;
        double *largest = job->largest + 2 * block;
        for (size_t at = block * GBT_ROW_BLOCK; at < last; at += PART) {
            size_t n = last - at < PART ? last - at : PART;
            gbt_derivatives(gradient, hessian, job->target, job->score, at, at + n, job->kernels);
            keep_block(job->quanta, gradient, hessian, at, n);
            double g = largest_of(gradient, n), h = largest_of(hessian, n);
            if (g > largest[0]) largest[0] = g;
            if (h > largest[1]) largest[1] = h;
        }
    }
    return CSM_OK;
}

static void fix_block(const quanta_job *job, size_t begin, size_t n) {
    gbt_quanta *quanta = job->quanta;
    const double steps[2] = {ldexp(1, job->gradient_exponent), ldexp(1, job->hessian_exponent)};
    for (size_t plane = 0; plane < 2; plane++) {
        int64_t *fixed = quanta->fixed + plane * quanta->rows + begin;
        for (size_t i = 0; i < n; i++) {
            double value;
            memcpy(&value, fixed + i, sizeof value);
            fixed[i] = (int64_t)floor(value * steps[plane] + 0.5);
        }
    }
}

static csm_status round_blocks(void *user, size_t begin, size_t end, uint32_t worker) {
    const quanta_job *job = user;
    gbt_quanta *q = job->quanta;
    (void)worker;
    for (size_t block = begin; block < end; block++) {
        size_t first = block * GBT_ROW_BLOCK,
               n = q->rows - first < GBT_ROW_BLOCK ? q->rows - first : GBT_ROW_BLOCK;
        if (q->exact) {
            fix_block(job, first, n);
            continue;
        }
        job->kernels->quantise(q->quantum + first, q->gradient + first,
                               q->hessian ? q->hessian + first : NULL, first, n,
                               (float)(1 / q->gradient_unit), (float)(1 / q->hessian_unit),
                               job->gradient_limit, job->hessian_limit, q->narrow_shift, job->key);
    }
    return CSM_OK;
}

/* Bits left above a value below 2^exponent when `rows` of them are summed into `bits` bits. */
static int spare_exponent(double largest, size_t rows, int bits) {
    int value_exponent, rows_exponent;
    frexp(largest, &value_exponent);
    frexp((double)rows, &rows_exponent);
    return bits - value_exponent - rows_exponent;
}

static void choose_units(quanta_job *job, double gradient, double hessian) {
    gbt_quanta *q = job->quanta;
    if (q->exact) {
        job->gradient_exponent = spare_exponent(gradient, q->rows, FIXED_BITS);
        job->hessian_exponent = spare_exponent(hessian, q->rows, FIXED_BITS);
        if (job->gradient_exponent > 1000) job->gradient_exponent = 1000;
        if (job->hessian_exponent > 1000) job->hessian_exponent = 1000;
        q->gradient_unit = ldexp(1, -job->gradient_exponent);
        q->hessian_unit = ldexp(1, -job->hessian_exponent);
        return;
    }
    int64_t narrow = ((INT64_C(1) << (NARROW_BITS - 1 - q->narrow_shift)) - 1) / CSM_GBT_TILE_ROWS;
    int64_t wide = (INT64_C(1) << (63 - CSM_GBT_WIDE_SHIFT)) / (int64_t)q->rows;
    int64_t wide_hessian = (INT64_C(1) << CSM_GBT_WIDE_SHIFT) / (int64_t)(q->rows + 1);
    job->gradient_limit = (int32_t)(narrow < wide ? narrow : wide);
    job->hessian_limit = wide_hessian < HESSIAN_LIMIT ? (int32_t)wide_hessian : HESSIAN_LIMIT;
    q->gradient_unit = gradient / job->gradient_limit;
    q->hessian_unit = q->hessian ? hessian / job->hessian_limit : 1;
}

csm_status gbt_quanta_derive(gbt_quanta *quanta, const gbt_target *target, const double *score, bool hessians,
                             const csm_gbt_kernels *kernels, csm_context *context) {
    size_t blocks = (quanta->rows + GBT_ROW_BLOCK - 1) / GBT_ROW_BLOCK;
    double largest[2] = {0};
    quanta_job job = {.quanta = quanta, .target = target, .score = score, .kernels = kernels};
    quanta->hessian = hessians ? quanta->hessian_block : NULL;
    quanta->narrow_shift = hessians ? WEIGHED_SHIFT : COUNTED_SHIFT;
    job.largest = csm_alloc_array(blocks, 2 * sizeof *job.largest);
    if (!job.largest) return CSM_ENOMEM;
    csm_status status = csm_parallel_for(csm_context_threads(context), blocks, 1, derive_blocks, &job);
    for (size_t b = 0; b < 2 * blocks; b++) {
        if (job.largest[b] > largest[b % 2]) largest[b % 2] = job.largest[b];
    }
    csm_dealloc(job.largest);
    if (status) return status;
    if (!(largest[0] < LARGEST && largest[1] < LARGEST))
        return csm_fail(CSM_EINVAL, "gbt: a gradient of %g overflows; scale y or the weights", largest[0]);
    if (!quanta->exact && largest[0] > target->noise && largest[1] < TINY)
        return csm_fail(CSM_EINVAL, "gbt: a hessian of %g underflows; scale the weights", largest[1]);
    quanta->largest_gradient = largest[0];
    quanta->largest_hessian = largest[1];
    return CSM_OK;
}

double gbt_quanta_gradient(const gbt_quanta *quanta, size_t row) {
    double value;
    if (!quanta->exact) return (double)quanta->gradient[row];
    memcpy(&value, quanta->fixed + row, sizeof value);
    return value;
}

void gbt_quanta_amplify(gbt_quanta *quanta, size_t row, double factor) {
    if (!quanta->exact) {
        quanta->gradient[row] *= (float)factor;
        quanta->hessian[row] *= (float)factor;
        return;
    }
    for (size_t plane = 0; plane < 2; plane++) {
        double value;
        memcpy(&value, quanta->fixed + plane * quanta->rows + row, sizeof value);
        value *= factor;
        memcpy(quanta->fixed + plane * quanta->rows + row, &value, sizeof value);
    }
}

csm_status gbt_quanta_round(gbt_quanta *quanta, const gbt_target *target, uint64_t key,
                            const csm_gbt_kernels *kernels, csm_context *context) {
    size_t blocks = (quanta->rows + GBT_ROW_BLOCK - 1) / GBT_ROW_BLOCK;
    quanta_job job = {.quanta = quanta, .kernels = kernels, .key = key};
    double noise = target->noise > TINY || quanta->exact ? target->noise : TINY;
    quanta->gradient_unit = 0;
    if (!(quanta->largest_gradient > noise) || !(quanta->largest_hessian > 0)) return CSM_OK;
    choose_units(&job, quanta->largest_gradient, quanta->largest_hessian);
    return csm_parallel_for(csm_context_threads(context), blocks, 1, round_blocks, &job);
}
