/* SPDX-License-Identifier: MIT */
#include "backend/isa.h"

csm_isa csm_backend_isa(void) {
#ifdef CSM_HAVE_SIMD
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("fma"))
        return CSM_ISA_AVX512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return CSM_ISA_AVX2;
#endif
    return CSM_ISA_SCALAR;
}

const char *csm_backend_isa_name(csm_isa isa) {
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    return isa >= CSM_ISA_SCALAR && isa <= CSM_ISA_AVX512 ? names[isa] : "unknown";
}
