/* SPDX-License-Identifier: MIT */
#include "model/linear/internal.h"

#include <math.h>
#include <string.h>

linear_blocks linear_blocks_of(size_t rows) {
    size_t length = (rows + LINEAR_BLOCKS_MAX - 1) / LINEAR_BLOCKS_MAX;
    length = (length + CSM_TILE_ROWS - 1) / CSM_TILE_ROWS * CSM_TILE_ROWS;
    return (linear_blocks){.rows = rows, .length = length, .count = (rows + length - 1) / length};
}

static csm_status not_finite(size_t row, size_t column) {
    return csm_fail(CSM_EINVAL, "linear: x is not a finite float at row %zu, column %zu", row, column);
}

static double value_at(const csm_matrix *x, size_t r, size_t f) {
    const ptrdiff_t at = (ptrdiff_t)r * x->row_stride + (ptrdiff_t)f * x->col_stride;
    return x->dtype == CSM_F32 ? (double)((const float *)x->data)[at]
                               : (double)(float)((const double *)x->data)[at];
}

csm_status linear_tile(double *tile, const linear_model *model, const csm_matrix *x, size_t first,
                       size_t count) {
    if (count < CSM_TILE_ROWS) memset(tile, 0, model->features * CSM_TILE_ROWS * sizeof *tile);
    for (size_t r = 0; r < count; r++) {
        for (size_t f = 0; f < model->features; f++) {
            const double value = value_at(x, first + r, f);
            if (!isfinite(value)) return not_finite(first + r, f);
            tile[f * CSM_TILE_ROWS + r] = (value - model->mean[f]) * model->inverse[f];
        }
    }
    return CSM_OK;
}

/* ---- mean and deviation: two passes, sums by block ---- */

typedef struct scale_job {
    const linear_model *model;
    const csm_samples *samples;
    linear_blocks blocks;
    bool squares; /* second pass: squared distances from the mean */
    double *sum;  /* (blocks, features) */
} scale_job;

static csm_status sum_blocks(void *user, size_t begin, size_t end, uint32_t worker) {
    const scale_job *job = user;
    const csm_samples *samples = job->samples;
    const size_t features = job->model->features;
    (void)worker;
    for (size_t b = begin; b < end; b++) {
        double *sum = job->sum + b * features;
        const size_t first = b * job->blocks.length;
        const size_t last =
            first + job->blocks.length < job->blocks.rows ? first + job->blocks.length : job->blocks.rows;
        for (size_t r = first; r < last; r++) {
            const double weight = samples->weight ? samples->weight[r] : 1;
            for (size_t f = 0; f < features; f++) {
                const double value = value_at(&samples->x, r, f);
                const double distance = value - job->model->mean[f];
                if (!isfinite(value)) return not_finite(r, f);
                sum[f] += job->squares ? weight * distance * distance : weight * value;
            }
        }
    }
    return CSM_OK;
}

/* total[f]: the blocks' sums in order. */
static csm_status sum_columns(double *total, csm_context *context, scale_job *job) {
    const size_t features = job->model->features;
    memset(job->sum, 0, job->blocks.count * features * sizeof *job->sum);
    memset(total, 0, features * sizeof *total);
    const csm_status status =
        csm_parallel_for(csm_context_threads(context), job->blocks.count, 1, sum_blocks, job);
    for (size_t b = 0; status == CSM_OK && b < job->blocks.count; b++) {
        for (size_t f = 0; f < features; f++) total[f] += job->sum[b * features + f];
    }
    return status;
}

csm_status linear_scale(linear_model *model, csm_context *context, const csm_samples *samples) {
    scale_job job = {.model = model, .samples = samples, .blocks = linear_blocks_of(samples->length)};
    double weight = 0;
    double *total = csm_alloc_array(model->features, sizeof *total);
    job.sum = csm_alloc_array(job.blocks.count, model->features * sizeof *job.sum);
    csm_status status = total && job.sum ? CSM_OK : CSM_ENOMEM;
    for (size_t r = 0; r < samples->length; r++) weight += samples->weight ? samples->weight[r] : 1;
    if (status == CSM_OK) status = sum_columns(total, context, &job);
    for (size_t f = 0; status == CSM_OK && f < model->features; f++) model->mean[f] = total[f] / weight;
    job.squares = true;
    if (status == CSM_OK) status = sum_columns(total, context, &job);
    for (size_t f = 0; status == CSM_OK && f < model->features; f++) {
        const double deviation = sqrt(total[f] / weight);
        /* what is left of a constant column is the rounding of its mean */
        model->inverse[f] = deviation > 1e-12 * fabs(model->mean[f]) ? 1 / deviation : 0;
    }
    csm_dealloc(total);
    csm_dealloc(job.sum);
    return status;
}
