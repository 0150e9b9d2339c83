/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include <math.h>

static csm_status check_row(const csm_outcomes *o, size_t i, const char *what) {
    if (o->outcome[i] != 0 && o->outcome[i] != 1)
        return csm_fail(CSM_EINVAL, "%s: outcome %zu is %g, neither 0 nor 1", what, i, o->outcome[i]);
    if (!(o->probability[i] >= 0 && o->probability[i] <= 1))
        return csm_fail(CSM_EINVAL, "%s: probability %zu is %g", what, i, o->probability[i]);
    if (o->expected && !isfinite(o->expected[i]))
        return csm_fail(CSM_EINVAL, "%s: expected return %zu is not finite", what, i);
    if (o->realised && !isfinite(o->realised[i]))
        return csm_fail(CSM_EINVAL, "%s: realised return %zu is not finite", what, i);
    return CSM_OK;
}

csm_status csm_outcomes_check(const csm_outcomes *o, const char *what) {
    if (!o) return csm_fail(CSM_EINVAL, "%s: outcomes is NULL", what);
    if (o->horizon <= 0) return csm_fail(CSM_EINVAL, "%s: horizon %lld ns", what, (long long)o->horizon);
    if (o->length && (!o->time || !o->probability || !o->outcome))
        return csm_fail(CSM_EINVAL, "%s: time, probability or outcome is NULL", what);
    for (size_t i = 0; i < o->length; i++) {
        csm_status status = check_row(o, i, what);
        if (status) return status;
    }
    return CSM_OK;
}

int64_t csm_block_index(csm_time time, csm_time horizon) {
    int64_t index = time / horizon;
    return time % horizon < 0 ? index - 1 : index;
}

double csm_calibrate_blocks(const csm_time *time, size_t n, csm_time horizon) {
    size_t blocks = 0;
    if (!time || horizon <= 0) return 0;
    uint32_t *order = csm_alloc_array(n, sizeof *order);
    if (!order || csm_order_time(order, time, n)) {
        csm_dealloc(order);
        return NAN;
    }
    for (size_t i = 0; i < n; i++) {
        if (i == 0 ||
            csm_block_index(time[order[i]], horizon) != csm_block_index(time[order[i - 1]], horizon))
            blocks++;
    }
    csm_dealloc(order);
    return (double)blocks;
}
