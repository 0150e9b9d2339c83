/* SPDX-License-Identifier: MIT */
#include "core/real.h"
#include "model/tune/internal.h"

#include <math.h>

static double scaled(const tune_axis *axis, double value) {
    return axis->log_scale ? csm_log(value) : value;
}

static csm_status check_parameter(const csm_learner_parameter *p) {
    if (!p->name || !*p->name) return csm_fail(CSM_EINVAL, "tuner: a parameter has no name");
    if (!(isfinite(p->minimum) && isfinite(p->maximum) && p->minimum <= p->maximum &&
          fabs(p->minimum) <= 1e15 && fabs(p->maximum) <= 1e15))
        return csm_fail(CSM_EINVAL, "tuner: %s runs from %g to %g", p->name, p->minimum, p->maximum);
    if (p->log_scale && !(p->minimum > 0))
        return csm_fail(CSM_EINVAL, "tuner: %s begins at %g, which has no logarithm", p->name, p->minimum);
    if (p->integer && (p->minimum != floor(p->minimum) || p->maximum != floor(p->maximum)))
        return csm_fail(CSM_EINVAL, "tuner: %s is whole, its range %g..%g is not", p->name, p->minimum,
                        p->maximum);
    return CSM_OK;
}

csm_status tune_axis_init(tune_axis *axis, const csm_learner_parameter *p) {
    *axis = (tune_axis){0};
    csm_status status = check_parameter(p);
    if (status != CSM_OK) return status;
    axis->minimum = p->minimum;
    axis->maximum = p->maximum;
    axis->standard = p->standard;
    axis->integer = p->integer != 0;
    axis->log_scale = p->log_scale != 0;
    if (!tune_axis_holds(axis, p->standard))
        return csm_fail(CSM_EINVAL, "tuner: %s's standard value %g is outside %g..%g%s", p->name, p->standard,
                        p->minimum, p->maximum, axis->integer ? " or not whole" : "");
    const double half = axis->integer ? 0.5 : 0;
    axis->origin = scaled(axis, axis->minimum - half);
    axis->extent = scaled(axis, axis->maximum + half) - axis->origin;
    axis->name = csm_strdup(p->name);
    return axis->name ? CSM_OK : CSM_ENOMEM;
}

void tune_axis_clear(tune_axis *axis) {
    csm_dealloc(axis->name);
    *axis = (tune_axis){0};
}

bool tune_axis_holds(const tune_axis *axis, double value) {
    return value >= axis->minimum && value <= axis->maximum && (!axis->integer || value == floor(value));
}

static double coordinate(const tune_axis *axis, double value) {
    if (!(axis->extent > 0)) return 0.5; /* one value alone */
    const double at = (scaled(axis, value) - axis->origin) / axis->extent;
    return at < 0 ? 0 : at > 1 ? 1 : at;
}

double tune_axis_coordinate(const tune_axis *axis, double value) {
    return coordinate(axis, value);
}

double tune_axis_value(const tune_axis *axis, double at) {
    double value = axis->origin + at * axis->extent;
    if (axis->log_scale) value = csm_exp(value);
    if (axis->integer) value = floor(value + 0.5);
    if (value < axis->minimum) return axis->minimum;
    return value > axis->maximum ? axis->maximum : value;
}

void tune_axis_cell(const tune_axis *axis, double value, double *low, double *high) {
    *low = coordinate(axis, value - 0.5);
    *high = coordinate(axis, value + 0.5);
}
