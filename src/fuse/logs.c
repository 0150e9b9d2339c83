/* SPDX-License-Identifier: MIT */
#include "fuse/logs.h"

#include "backend/isa.h"

#define DECLARE(isa)                                                                                         \
    void csm_logs_##isa(double *out, const double *x, size_t n);                                             \
    void csm_log1ps_##isa(double *out, const double *x, size_t n);
DECLARE(scalar)
DECLARE(avx2)
DECLARE(avx512)

void csm_logs(double *out, const double *x, size_t n) {
    CSM_ISA_SELECT(csm_backend_isa(), csm_logs)(out, x, n);
}

void csm_log1ps(double *out, const double *x, size_t n) {
    CSM_ISA_SELECT(csm_backend_isa(), csm_log1ps)(out, x, n);
}
