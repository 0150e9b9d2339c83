/* SPDX-License-Identifier: MIT */
#include <cryptosmart/learn.h>

#include "core/internal.h"

#include <math.h>

struct csm_page_hinkley {
    csm_page_hinkley_options options;
    uint64_t values;
    uint64_t alarms;
    double mean;
    double rising; /* sum of exceedances less the tolerance */
    double least;
    double falling;
    double greatest;
};

static void begin_anew(csm_page_hinkley *test) {
    test->values = 0;
    test->mean = test->rising = test->falling = 0;
    test->least = INFINITY;
    test->greatest = -INFINITY;
}

void csm_page_hinkley_options_init(csm_page_hinkley_options *options) {
    *options = (csm_page_hinkley_options){
        .size = sizeof *options, .tolerance = 0.005, .threshold = 50, .memory = 0.9999, .grace = 30};
}

csm_status csm_page_hinkley_new(csm_page_hinkley **out, const csm_page_hinkley_options *user) {
    csm_page_hinkley_options options;
    if (!out) return csm_fail(CSM_EINVAL, "page_hinkley: out is NULL");
    *out = NULL;
    csm_page_hinkley_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_page_hinkley_options");
    if (status) return status;
    if (!(options.tolerance >= 0) || !isfinite(options.tolerance))
        return csm_fail(CSM_EINVAL, "page_hinkley: tolerance %g is below 0", options.tolerance);
    if (!(options.threshold > 0) || !isfinite(options.threshold))
        return csm_fail(CSM_EINVAL, "page_hinkley: threshold %g is not above 0", options.threshold);
    if (!(options.memory > 0 && options.memory <= 1))
        return csm_fail(CSM_EINVAL, "page_hinkley: memory %g is outside 0..1", options.memory);
    csm_page_hinkley *test = csm_alloc_array(1, sizeof *test);
    if (!test) return CSM_ENOMEM;
    test->options = options;
    begin_anew(test);
    *out = test;
    return CSM_OK;
}

void csm_page_hinkley_free(csm_page_hinkley *test) {
    csm_dealloc(test);
}

static double rise_of(const csm_page_hinkley *test) {
    return test->values ? test->rising - test->least : 0;
}

static double fall_of(const csm_page_hinkley *test) {
    return test->values ? test->greatest - test->falling : 0;
}

csm_status csm_page_hinkley_describe(csm_page_hinkley_info *out, const csm_page_hinkley *test) {
    if (!out || !test) return csm_fail(CSM_EINVAL, "page_hinkley: out or test is NULL");
    *out = (csm_page_hinkley_info){test->values, test->alarms, test->values ? test->mean : NAN, rise_of(test),
                                   fall_of(test)};
    return CSM_OK;
}

csm_status csm_page_hinkley_add(int *alarm, csm_page_hinkley *test, double value) {
    if (!alarm || !test) return csm_fail(CSM_EINVAL, "page_hinkley: alarm or test is NULL");
    if (!(fabs(value) <= 1e100)) return csm_fail(CSM_EINVAL, "page_hinkley: value %g", value);
    const csm_page_hinkley_options *o = &test->options;
    test->values++;
    test->mean += (value - test->mean) / (double)test->values;
    double exceeds = value - test->mean;
    test->rising = o->memory * test->rising + exceeds - o->tolerance;
    test->falling = o->memory * test->falling + exceeds + o->tolerance;
    if (test->rising < test->least) test->least = test->rising;
    if (test->falling > test->greatest) test->greatest = test->falling;
    *alarm = 0;
    if (test->values < o->grace) return CSM_OK;
    *alarm = rise_of(test) > o->threshold ? 1 : fall_of(test) > o->threshold ? -1 : 0;
    if (*alarm) {
        test->alarms++;
        begin_anew(test);
    }
    return CSM_OK;
}
