/* SPDX-License-Identifier: MIT */
/* Columns into float columns, and float columns into rows. */
#ifndef CSM_FUSE_COPIES_H
#define CSM_FUSE_COPIES_H

#include <cryptosmart/backend.h>

#include <stdbool.h>
#include <stddef.h>

/* out: n floats. False when a value is not finite. */
bool csm_copy_doubles(float *out, const double *x, size_t n);
bool csm_copy_floats(float *out, const float *x, size_t n);

/* Between the columns of a strip so long: whole cache lines, and not a multiple of a page, where columns would displace each
 * other. */
static inline size_t csm_strip_stride(size_t rows) {
    const size_t lines = rows / 16 + 1;
    return 16 * (lines % 16 == 0 ? lines + 1 : lines);
}

/* Rows r of `columns` values from strip[c * stride + r] to out, one after the other, those with dropped[r] left out (NULL:
 * none). Written past the caches: a matrix is larger than they are. */
typedef void csm_write_rows_fn(float *out, const float *strip, size_t stride, size_t rows, size_t columns,
                               const bool *dropped);
csm_write_rows_fn csm_write_rows;
/* The same for one instruction set, which this machine must have: for tests. */
csm_write_rows_fn *csm_write_rows_of(csm_isa isa);

#endif
