/* SPDX-License-Identifier: MIT */
/* Loops over whole columns of cells, compiled for each instruction set: integers, so every one gives the same. */
#ifndef CSM_STORE_COLUMNS_H
#define CSM_STORE_COLUMNS_H

#include "backend/isa.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of values whose cell is present; least > most where none is. */
typedef struct csm_extremes {
    int64_t least;
    int64_t most;
    size_t missing;
} csm_extremes;

/* How stored numbers and residuals turn into each other (store/coding.h). */
typedef struct csm_steps {
    int64_t offset;
    int64_t unit;
    bool zigzag;
    bool has_missing;
    int64_t sentinel; /* the stored number of a missing cell */
} csm_steps;

#define CSM_COLUMN_KERNELS(isa)                                                                                \
    /* values[i] counts where cells[i] is present; cells may be values. */                                     \
    csm_extremes csm_column_extremes_##isa(const int64_t *values, const int64_t *cells, size_t n);             \
    size_t csm_column_missing_##isa(const int64_t *cells, size_t n);                                           \
    /* How many rows have left - right < distance; cells are present, distance is not negative. */             \
    size_t csm_column_closer_##isa(const int64_t *left, const int64_t *right, size_t n, int64_t distance);     \
    /* Largest number, as unsigned, of those that are not `but`; 0 where none is. */                           \
    uint64_t csm_column_greatest_##isa(const int64_t *values, size_t n, uint64_t but);                         \
    /* ticks / divisor, missing as NaN. Answers how many cells have more than 53 bits: those are not right. */ \
    size_t csm_column_doubles_##isa(double *out, const int64_t *ticks, size_t n, double divisor);              \
    /* max (above) or min of open and close; 0 where one is missing. */                                        \
    void csm_column_bounds_##isa(int64_t *out, const int64_t *open, const int64_t *close, size_t n,            \
                                 bool above);                                                                  \
    /* Residuals become stored numbers where they stand; unit is 1 or -1, or was divided out already. */       \
    void csm_column_number_##isa(int64_t *values, const int64_t *cells, size_t n, const csm_steps *s);         \
    /* Stored numbers become residuals, or CSM_CELL_MISSING, where they stand. */                              \
    void csm_column_residuals_##isa(int64_t *values, size_t n, const csm_steps *s);                            \
    /* values[i] += predicted[i], missing ones stay. */                                                        \
    void csm_column_add_##isa(int64_t *values, const int64_t *predicted, size_t n);

CSM_COLUMN_KERNELS(scalar)
#ifdef CSM_HAVE_SIMD
CSM_COLUMN_KERNELS(avx2)
CSM_COLUMN_KERNELS(avx512)
#endif

#define CSM_ON_COLUMN(kernel) CSM_ISA_SELECT(csm_backend_isa(), csm_column_##kernel)

#endif
