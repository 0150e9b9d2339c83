/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include <math.h>

/* (n + 1)(1 - alpha) is meant as written in decimals: 10 * 0.9 is 9, whatever its last bit says. */
#define DECIMAL_NOISE 1e-12

csm_status csm_calibrate_conformal(double *radius, const double *residual, size_t n, double alpha) {
    if (!radius || (n && !residual)) return csm_fail(CSM_EINVAL, "conformal: radius or residual is NULL");
    if (!(alpha > 0 && alpha < 1))
        return csm_fail(CSM_EINVAL, "conformal: alpha = %g is outside 0..1", alpha);
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(residual[i])) return csm_fail(CSM_EINVAL, "conformal: residual %zu is not finite", i);
    }
    double rank = ceil(((double)n + 1) * (1 - alpha) * (1 - DECIMAL_NOISE));
    if (rank > (double)n)
        return csm_fail(CSM_ENODATA, "conformal: %zu residuals are too few for alpha = %g", n, alpha);
    csm_status status = CSM_ENOMEM;
    double *size = csm_alloc_array(n, sizeof *size);
    uint32_t *order = csm_alloc_array(n, sizeof *order);
    if (!size || !order) goto done;
    for (size_t i = 0; i < n; i++) size[i] = fabs(residual[i]);
    if ((status = csm_order_f64(order, size, n))) goto done;
    *radius = size[order[(size_t)rank - 1]];
done:
    csm_dealloc(order);
    csm_dealloc(size);
    return status;
}
