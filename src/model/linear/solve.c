/* SPDX-License-Identifier: MIT */
#include "model/linear/internal.h"

#include <math.h>

csm_status linear_factor(double *a, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++) sum -= a[i * n + k] * a[j * n + k];
            if (j < i) {
                a[i * n + j] = sum / a[j * n + j];
                continue;
            }
            if (!(sum > 0))
                return csm_fail(CSM_EINVAL, "linear: feature %zu depends on those before it; raise l2", i);
            a[i * n + i] = sqrt(sum);
        }
    }
    return CSM_OK;
}

void linear_solve(double *b, const double *factor, size_t n) {
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= factor[i * n + k] * b[k];
        b[i] /= factor[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++) b[i] -= factor[k * n + i] * b[k];
        b[i] /= factor[i * n + i];
    }
}
