/* SPDX-License-Identifier: MIT */
#include "backend/gbt.h"

#include "backend/isa.h"

const csm_gbt_kernels *csm_gbt_train_kernels_scalar(void);
#ifdef CSM_HAVE_SIMD
const csm_gbt_kernels *csm_gbt_train_kernels_avx2(void);
const csm_gbt_kernels *csm_gbt_train_kernels_avx512(void);
#endif

const csm_gbt_kernels *csm_gbt_kernels_of(csm_isa isa) {
    return CSM_ISA_SELECT(isa, csm_gbt_train_kernels)();
}
