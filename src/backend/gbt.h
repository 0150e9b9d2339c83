/* SPDX-License-Identifier: MIT */
/*
 * Kernels of histogram tree training. Every sum is one of integers, so its order never matters: any number of threads,
 * chunks or instruction sets gives the same bits.
 *
 * A packed sum holds gradients above and hessians below: g * 2^shift + h, h >= 0. Rows carry narrow quanta of 32 bits;
 * a tile of rows is summed into narrow buckets that stay in the first-level cache, and these are added to wide buckets
 * of 64 bits before they could overflow. Exact sums have three planes of 64-bit integers instead: gradients, hessians
 * (both fixed point) and counts.
 */
#ifndef CSM_BACKEND_GBT_H
#define CSM_BACKEND_GBT_H

#include <cryptosmart/backend.h>

#include <stdbool.h>

#define CSM_GBT_SLOTS_MAX 256 /* buckets of a feature otherwise */
#define CSM_GBT_SLOTS_FEW 64  /* buckets of a feature where none has more bins */
#define CSM_GBT_NARROW 8800   /* narrow buckets at a time: 128 features of 64, or 32 of 256; 34 KB */
#define CSM_GBT_TILE_ROWS 512
#define CSM_GBT_WIDE_SHIFT 30
#define CSM_GBT_STRIP_ROWS 256 /* rows of one feature coded at a time */
#define CSM_GBT_SCRATCH ((size_t)640 << 10)
#define CSM_GBT_JOINT_ROWS 2048 /* fewest rows of which two features are summed at once */

static inline int64_t csm_gbt_wide_gradient(uint64_t sum) {
    return (int64_t)sum >> CSM_GBT_WIDE_SHIFT;
}
static inline uint64_t csm_gbt_wide_hessian(uint64_t sum) {
    return sum & ((UINT64_C(1) << CSM_GBT_WIDE_SHIFT) - 1);
}

/* Rows of a leaf and the features to sum. */
typedef struct csm_gbt_rows {
    const uint8_t *code; /* bins, row-major; 8 bytes behind the last row may be read */
    size_t stride;       /* bytes from row to row */
    const uint32_t *row; /* count row numbers; NULL: first, first + 1, ... */
    size_t first;
    size_t count;
    const uint32_t *feature; /* ascending */
    size_t features;
    uint32_t slots;        /* 64 or 256 */
    uint32_t narrow_shift; /* of the quanta */
    const uint8_t *column; /* the codes once more, (features, column_rows); NULL: not at hand */
    size_t column_rows;
    void *scratch; /* CSM_GBT_SCRATCH bytes on a cache line, zero at first and then left alone; NULL: none */
} csm_gbt_rows;

/* How the bins of one feature are divided at best. Sums of the left side in units of the scales. */
typedef struct csm_gbt_best {
    double gain; /* 0: no split is allowed */
    uint32_t bin;
    double gradient;
    double hessian;
    double count;
} csm_gbt_best;

typedef struct csm_gbt_limits {
    double min_rows;
    double min_hessian;
    double l2;
    double min_gain;
} csm_gbt_limits;

/* Sums of one feature's bins from the first to each, and of the whole leaf. */
typedef struct csm_gbt_prefix {
    double gradient[CSM_GBT_SLOTS_MAX];
    double hessian[CSM_GBT_SLOTS_MAX];
    double count[CSM_GBT_SLOTS_MAX];
    double total_gradient;
    double total_hessian;
    double total_count;
} csm_gbt_prefix;

typedef struct csm_gbt_kernels {
    /* code[i] = first bin whose edge is not below x[i]; edge holds 64 or 256 ascending floats, +inf from the last bin on. */
    void (*code)(uint8_t *code, const float *x, size_t n, const float *edge, uint32_t slots);
    /* Adds the rows' quanta (by row number; NULL: the hessian 1 each) to wide buckets [feature][slot]. */
    void (*sum_rows)(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum);
    /* Adds the rows' fixed-point gradients and hessians (by row number) and counts to planes `plane` buckets apart. */
    void (*sum_exact)(uint64_t *wide, size_t plane, const csm_gbt_rows *rows, const int64_t *gradient,
                      const int64_t *hessian);
    /* Stable: rows whose code's entry in `goes_left` is not 0 to left, others to right. Both need room for 16 rows
     * beyond. The code of row r is code[r * stride]. last >= 0: exactly the codes up to it go left. Returns the left. */
    size_t (*partition)(uint32_t *left, uint32_t *right, const uint32_t *row, size_t count,
                        const uint8_t *code, size_t stride, const uint8_t *goes_left, int32_t last);
    /* Stochastic rounding of rows first .. first + n: gradient[i] * gradient_units to a whole number within +-limit,
     * hessian likewise from 0 (hessian NULL: 1), packed. The random numbers depend on key and row alone. */
    void (*quantise)(uint32_t *quantum, const float *gradient, const float *hessian, size_t first, size_t n,
                     float gradient_units, float hessian_units, int32_t gradient_limit, int32_t hessian_limit,
                     uint32_t narrow_shift, uint64_t key);
    /* 1 / (1 + exp(-score)), within 4 ulp. */
    void (*logistic)(double *p, const double *score, size_t n);
    /* Sums from the first bin to each of `bins`, out of one feature's buckets (plane 0: packed). */
    void (*prefix)(csm_gbt_prefix *out, const uint64_t *bucket, size_t plane, uint32_t bins,
                   double gradient_unit, double hessian_unit);
    /* Best division behind one of the first `bins` bins: the first of the highest gain. */
    void (*best)(csm_gbt_best *out, const csm_gbt_prefix *prefix, uint32_t bins,
                 const csm_gbt_limits *limits);
} csm_gbt_kernels;

const csm_gbt_kernels *csm_gbt_kernels_of(csm_isa isa);

#endif
