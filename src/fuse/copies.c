/* SPDX-License-Identifier: MIT */
#include "fuse/copies.h"

#include "backend/isa.h"

#define DECLARE(isa)                                                                                         \
    bool csm_copy_doubles_##isa(float *out, const double *x, size_t n);                                      \
    bool csm_copy_floats_##isa(float *out, const float *x, size_t n);                                        \
    csm_write_rows_fn csm_write_rows_##isa;
DECLARE(scalar)
DECLARE(avx2)
DECLARE(avx512)

bool csm_copy_doubles(float *out, const double *x, size_t n) {
    return CSM_ISA_SELECT(csm_backend_isa(), csm_copy_doubles)(out, x, n);
}

bool csm_copy_floats(float *out, const float *x, size_t n) {
    return CSM_ISA_SELECT(csm_backend_isa(), csm_copy_floats)(out, x, n);
}

csm_write_rows_fn *csm_write_rows_of(csm_isa isa) {
    return CSM_ISA_SELECT(isa, csm_write_rows);
}

void csm_write_rows(float *out, const float *strip, size_t stride, size_t rows, size_t columns,
                    const bool *dropped) {
    csm_write_rows_of(csm_backend_isa())(out, strip, stride, rows, columns, dropped);
}
