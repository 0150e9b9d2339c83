/* SPDX-License-Identifier: MIT */
#include "fuse/rolling.h"

#include "backend/isa.h"

#define DECLARE(isa)                                                                                         \
    csm_rolling_fn csm_rolling_sum_##isa, csm_rolling_max_##isa, csm_rolling_min_##isa;                      \
    csm_median_fn csm_rolling_median_##isa;
DECLARE(scalar)
DECLARE(avx2)
DECLARE(avx512)

csm_rolling csm_rolling_of(csm_isa isa) {
    return (csm_rolling){.sum = CSM_ISA_SELECT(isa, csm_rolling_sum),
                         .max = CSM_ISA_SELECT(isa, csm_rolling_max),
                         .min = CSM_ISA_SELECT(isa, csm_rolling_min),
                         .median = CSM_ISA_SELECT(isa, csm_rolling_median)};
}

void csm_rolling_sum(double *out, const double *x, size_t n, size_t window, double *room) {
    csm_rolling_of(csm_backend_isa()).sum(out, x, n, window, room);
}

void csm_rolling_max(double *out, const double *x, size_t n, size_t window, double *room) {
    csm_rolling_of(csm_backend_isa()).max(out, x, n, window, room);
}

void csm_rolling_min(double *out, const double *x, size_t n, size_t window, double *room) {
    csm_rolling_of(csm_backend_isa()).min(out, x, n, window, room);
}

void csm_rolling_median(double *out, const double *x, size_t n, size_t window, double *const sorted[2]) {
    csm_rolling_of(csm_backend_isa()).median(out, x, n, window, sorted);
}
