/* SPDX-License-Identifier: MIT */
/*
 * A ridge-penalised linear model: the baseline that keeps trees and LSTM honest.
 *
 *   scale.c    weighted mean and deviation of each feature; rows as standardised tiles
 *   fit.c      mean loss + l2/2 |beta|^2 by majorised Newton steps on one Gram matrix
 *   solve.c    Cholesky
 *   learner.c  parameters, prediction, file, the row of models.def
 */
#ifndef CSM_MODEL_LINEAR_INTERNAL_H
#define CSM_MODEL_LINEAR_INTERNAL_H

#include "backend/tile.h"
#include "model/internal.h"

typedef enum linear_parameter {
    LINEAR_L2,
    LINEAR_ITERATIONS,
    LINEAR_TOLERANCE,
    LINEAR_HUBER_DELTA,
    LINEAR_PARAMETER_COUNT
} linear_parameter;

/* score = intercept + sum of coefficient * (x - mean) * inverse, inverse = 1 / deviation or 0 for a constant feature */
typedef struct linear_model {
    size_t features;
    double intercept;
    double *coefficient; /* features, of standardised values */
    double *mean;        /* features */
    double *inverse;     /* features */
} linear_model;

csm_status linear_model_new(linear_model **out, size_t features);
void linear_model_free(void *state);

/* Blocks of rows whose sums are made apart and added in order: what is computed depends on the rows alone. */
#define LINEAR_BLOCKS_MAX 32
typedef struct linear_blocks {
    size_t rows;
    size_t length; /* rows of a block, a multiple of CSM_TILE_ROWS */
    size_t count;
} linear_blocks;
linear_blocks linear_blocks_of(size_t rows);

/* Weighted mean and inverse deviation of each column. CSM_EINVAL names a value that is not a finite float. */
csm_status linear_scale(linear_model *model, csm_context *context, const csm_samples *samples);
/* Rows [first, first + count) of x, standardised, into the tile. */
csm_status linear_tile(double *tile, const linear_model *model, const csm_matrix *x, size_t first,
                       size_t count);

csm_status linear_train(void **state, csm_model_info *info, const csm_train_job *job);

/* Lower factor of the symmetric positive definite matrix whose lower triangle is a[n][n], in place. CSM_EINVAL when
 * it is not positive definite. */
csm_status linear_factor(double *a, size_t n);
/* Solves L L' x = b in place. */
void linear_solve(double *b, const double *factor, size_t n);

extern const csm_learner_class csm_learner_linear;

#endif
