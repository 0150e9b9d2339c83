/* SPDX-License-Identifier: MIT */
/* The kernels of backend/gbt.h as this instruction set compiles them. */
#ifndef CSM_BACKEND_CPU_GBT_CPU_H
#define CSM_BACKEND_CPU_GBT_CPU_H

#include "backend/gbt.h"
#include "backend/isa.h"

#define GBT_CODE CSM_ISA_SYMBOL(csm_gbt_train_code)
#define GBT_SUM_ROWS CSM_ISA_SYMBOL(csm_gbt_train_sum_rows)
#define GBT_SUM_COLUMNS CSM_ISA_SYMBOL(csm_gbt_train_sum_columns)
#define GBT_SUM_TILES CSM_ISA_SYMBOL(csm_gbt_train_sum_tiles)
#define GBT_SUM_EXACT CSM_ISA_SYMBOL(csm_gbt_train_sum_exact)
#define GBT_PARTITION CSM_ISA_SYMBOL(csm_gbt_train_partition)
#define GBT_QUANTISE CSM_ISA_SYMBOL(csm_gbt_train_quantise)
#define GBT_LOGISTIC CSM_ISA_SYMBOL(csm_gbt_train_logistic)
#define GBT_PREFIX CSM_ISA_SYMBOL(csm_gbt_train_prefix)
#define GBT_BEST CSM_ISA_SYMBOL(csm_gbt_train_best)
#define GBT_KERNELS CSM_ISA_SYMBOL(csm_gbt_train_kernels)

void GBT_CODE(uint8_t *code, const float *x, size_t n, const float *edge, uint32_t slots);
void GBT_SUM_ROWS(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum);
/* Two features at once, with rows->scratch: codes below 64, features without a gap. */
void GBT_SUM_COLUMNS(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum);
#if defined(CSM_BUILD_AVX512)
void GBT_SUM_TILES(uint64_t *wide, const csm_gbt_rows *rows, const uint32_t *quantum);
#endif
void GBT_SUM_EXACT(uint64_t *wide, size_t plane, const csm_gbt_rows *rows, const int64_t *gradient,
                   const int64_t *hessian);
size_t GBT_PARTITION(uint32_t *left, uint32_t *right, const uint32_t *row, size_t count, const uint8_t *code,
                     size_t stride, const uint8_t *goes_left, int32_t last);
void GBT_QUANTISE(uint32_t *quantum, const float *gradient, const float *hessian, size_t first, size_t n,
                  float gradient_units, float hessian_units, int32_t gradient_limit, int32_t hessian_limit,
                  uint32_t narrow_shift, uint64_t key);
void GBT_LOGISTIC(double *p, const double *score, size_t n);
void GBT_PREFIX(csm_gbt_prefix *out, const uint64_t *bucket, size_t plane, uint32_t bins,
                double gradient_unit, double hessian_unit);
void GBT_BEST(csm_gbt_best *out, const csm_gbt_prefix *prefix, uint32_t bins, const csm_gbt_limits *limits);
const csm_gbt_kernels *GBT_KERNELS(void);

#endif
