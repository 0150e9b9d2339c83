/* SPDX-License-Identifier: MIT */
/*
 * For src/fuse/formula/. The files are compiled once for each instruction set (cmake/CsmSimd.cmake): their loops are the same
 * IEEE operations in the same order in each, only on more bars at a time.
 */
#ifndef CSM_FUSE_FORMULA_SIMD_H
#define CSM_FUSE_FORMULA_SIMD_H

#include "backend/isa.h"
#include "fuse/formula.h"

#include <math.h>

/* x, or NaN, which passes through all that is computed from it. Denominators and variances go through this: a condition around
 * a division or root itself would keep the compiler from doing them on whole vectors. */
static inline double positive(double x) {
    return x > 0 ? x : (double)NAN;
}

#define RUN(id) CSM_ISA_SYMBOL(csm_##id##_run)

#define CSM_FORMULA(id, group, sequence, memory, across, missing, parameters, indicator, text)               \
    csm_status RUN(id)(const csm_feature *feature, csm_subject *subject, double *out);
#include "fuse/formulas.def"
#undef CSM_FORMULA

#endif
