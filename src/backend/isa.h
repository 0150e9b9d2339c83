/* SPDX-License-Identifier: MIT */
/*
 * One kernel file, several instruction sets. cmake/CsmSimd.cmake compiles every *_simd.c (and every indicator) once
 * plainly and once more for AVX2 and for AVX-512; CSM_ISA_SYMBOL gives each compilation its own names, and
 * CSM_ISA_SELECT picks one at run time. A kernel does the same IEEE operations in the same order in each, so the
 * choice never changes a bit of the result (law 6).
 */
#ifndef CSM_BACKEND_ISA_H
#define CSM_BACKEND_ISA_H

#include <cryptosmart/backend.h>

#if defined(CSM_BUILD_AVX512)
#define CSM_ISA_SYMBOL(name) name##_avx512
#elif defined(CSM_BUILD_AVX2)
#define CSM_ISA_SYMBOL(name) name##_avx2
#else
#define CSM_ISA_SYMBOL(name) name##_scalar
#endif

/* The symbol of `name` for `isa`. All three must be declared. */
#ifdef CSM_HAVE_SIMD
#define CSM_ISA_SELECT(isa, name)                                                                            \
    ((isa) == CSM_ISA_AVX512 ? name##_avx512 : (isa) == CSM_ISA_AVX2 ? name##_avx2 : name##_scalar)
#else
#define CSM_ISA_SELECT(isa, name) ((void)(isa), name##_scalar)
#endif

#endif
