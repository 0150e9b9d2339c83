/* SPDX-License-Identifier: MIT */
/* Columns into rows. */
#ifndef CSM_FUSE_COPIES_H
#define CSM_FUSE_COPIES_H

#include <stdbool.h>
#include <stddef.h>

/* out = x as float; true when all are finite. */
bool csm_copy_doubles(float *out, const double *x, size_t n);
bool csm_copy_floats(float *out, const float *x, size_t n);
/* strip (columns, rows) into the first `columns` values of each row; rows are `stride` apart. */
void csm_copy_strip(float *out, size_t stride, const float *strip, size_t rows, size_t columns);

#endif
