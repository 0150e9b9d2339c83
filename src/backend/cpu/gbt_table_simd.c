/* SPDX-License-Identifier: MIT */
#include "backend/cpu/gbt_cpu.h"

const csm_gbt_kernels *GBT_KERNELS(void) {
    static const csm_gbt_kernels kernels = {.code = GBT_CODE,
                                            .sum_rows = GBT_SUM_ROWS,
                                            .sum_exact = GBT_SUM_EXACT,
                                            .partition = GBT_PARTITION,
                                            .quantise = GBT_QUANTISE,
                                            .logistic = GBT_LOGISTIC,
                                            .prefix = GBT_PREFIX,
                                            .best = GBT_BEST};
    return &kernels;
}
