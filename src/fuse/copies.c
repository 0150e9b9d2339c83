/* SPDX-License-Identifier: MIT */
#include "fuse/copies.h"

#include "backend/isa.h"

#define DECLARE(isa)                                                                                         \
    bool csm_copy_doubles_##isa(float *out, const double *x, size_t n);                                      \
    bool csm_copy_floats_##isa(float *out, const float *x, size_t n);                                        \
    void csm_copy_strip_##isa(float *out, size_t stride, const float *strip, size_t rows, size_t columns);
DECLARE(scalar)
DECLARE(avx2)
DECLARE(avx512)

bool csm_copy_doubles(float *out, const double *x, size_t n) {
    return CSM_ISA_SELECT(csm_backend_isa(), csm_copy_doubles)(out, x, n);
}

bool csm_copy_floats(float *out, const float *x, size_t n) {
    return CSM_ISA_SELECT(csm_backend_isa(), csm_copy_floats)(out, x, n);
}

void csm_copy_strip(float *out, size_t stride, const float *strip, size_t rows, size_t columns) {
    CSM_ISA_SELECT(csm_backend_isa(), csm_copy_strip)(out, stride, strip, rows, columns);
}
