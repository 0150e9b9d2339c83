/* SPDX-License-Identifier: MIT */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>
#include <string.h>

#define WINDOW_MAX 1000000
#define DECIMAL_NOISE 1e-12 /* as in conformal.c: 10 * 0.9 is 9 */

struct csm_conformal {
    csm_conformal_options options;
    uint64_t rows;
    uint64_t missed;
    double level;   /* adaptive */
    double tracked; /* PID: radius without the integrator */
    double *recent; /* sizes of residuals, a ring of `window` */
    double *sorted; /* the same, ascending */
    size_t kept;
};

void csm_conformal_options_init(csm_conformal_options *options, uint32_t method) {
    *options = (csm_conformal_options){.size = sizeof *options,
                                       .method = method,
                                       .window = 500,
                                       .alpha = 0.10,
                                       .step = method == CSM_CONFORMAL_PID ? 0.1 : 0.005,
                                       .saturation = 5};
}

static csm_status check(const csm_conformal_options *o) {
    if (o->method > CSM_CONFORMAL_PID)
        return csm_fail(CSM_EINVAL, "conformal: method %u is not known", o->method);
    if (o->window < 1 || o->window > WINDOW_MAX)
        return csm_fail(CSM_EINVAL, "conformal: window %u is outside 1..%d", o->window, WINDOW_MAX);
    if (!(o->alpha > 0 && o->alpha < 1))
        return csm_fail(CSM_EINVAL, "conformal: alpha = %g is outside 0..1", o->alpha);
    if (!(o->step > 0) || !isfinite(o->step))
        return csm_fail(CSM_EINVAL, "conformal: step %g is not above 0", o->step);
    if (!(o->gain >= 0) || !isfinite(o->gain))
        return csm_fail(CSM_EINVAL, "conformal: gain %g is below 0", o->gain);
    if (!(o->saturation > 0) || !isfinite(o->saturation))
        return csm_fail(CSM_EINVAL, "conformal: saturation %g is not above 0", o->saturation);
    if (!(o->start >= 0) || !isfinite(o->start))
        return csm_fail(CSM_EINVAL, "conformal: start %g is below 0", o->start);
    return CSM_OK;
}

csm_status csm_conformal_new(csm_conformal **out, const csm_conformal_options *user) {
    csm_conformal_options options;
    if (!out) return csm_fail(CSM_EINVAL, "conformal: out is NULL");
    *out = NULL;
    csm_conformal_options_init(&options, CSM_CONFORMAL_ADAPTIVE);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_conformal_options");
    if (!status) status = check(&options);
    if (status) return status;
    csm_conformal *conformal = csm_alloc_array(1, sizeof *conformal);
    if (!conformal) return CSM_ENOMEM;
    conformal->options = options;
    conformal->level = options.alpha;
    conformal->tracked = options.start;
    conformal->recent = csm_alloc_array(options.window, sizeof *conformal->recent);
    conformal->sorted = csm_alloc_array(options.window, sizeof *conformal->sorted);
    if (!conformal->recent || !conformal->sorted) {
        csm_conformal_free(conformal);
        return CSM_ENOMEM;
    }
    *out = conformal;
    return CSM_OK;
}

void csm_conformal_free(csm_conformal *conformal) {
    if (!conformal) return;
    csm_dealloc(conformal->recent);
    csm_dealloc(conformal->sorted);
    csm_dealloc(conformal);
}

/* ---- the radius ---- */

/* The split conformal one of the window at the level in force. */
static double adaptive_radius(const csm_conformal *c) {
    if (c->level >= 1) return 0;
    double rank = ceil(((double)c->kept + 1) * (1 - c->level) * (1 - DECIMAL_NOISE));
    if (c->level <= 0 || rank > (double)c->kept) return INFINITY;
    return rank < 1 ? 0 : c->sorted[(size_t)rank - 1];
}

/* gain * tan(x log(t + 1) / (saturation (t + 1))) of the misses beyond alpha's share: nothing at first, without bound when they
 * grow faster than t / log t. */
static double integral(const csm_conformal *c) {
    if (c->options.gain == 0 || c->rows == 0) return 0;
    double t = (double)c->rows, excess = (double)c->missed - c->options.alpha * t;
    double turns = excess * csm_log(t + 1) / (c->options.saturation * (t + 1)) / (2 * 3.14159265358979323846);
    if (turns >= 0.25) return INFINITY;
    if (turns <= -0.25) return -INFINITY;
    return c->options.gain * csm_sin_turn(turns) / csm_cos_turn(turns);
}

static double radius_of(const csm_conformal *c) {
    if (c->options.method == CSM_CONFORMAL_ADAPTIVE) return adaptive_radius(c);
    double radius = c->tracked + integral(c);
    return radius > 0 ? radius : 0;
}

csm_status csm_conformal_describe(csm_conformal_info *out, const csm_conformal *conformal) {
    if (!out || !conformal) return csm_fail(CSM_EINVAL, "conformal: out or conformal is NULL");
    *out = (csm_conformal_info){conformal->rows, conformal->missed, conformal->level, radius_of(conformal)};
    return CSM_OK;
}

/* ---- an outcome ---- */

/* First place of the sorted window that is not below `size`. */
static size_t place_of(const csm_conformal *c, double size) {
    size_t low = 0, high = c->kept;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c->sorted[middle] < size)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void remember(csm_conformal *c, double size) {
    size_t slot = (size_t)((c->rows - 1) % c->options.window);
    if (c->kept == c->options.window) {
        size_t old = place_of(c, c->recent[slot]);
        c->kept--;
        memmove(c->sorted + old, c->sorted + old + 1, (c->kept - old) * sizeof *c->sorted);
    }
    size_t place = place_of(c, size);
    memmove(c->sorted + place + 1, c->sorted + place, (c->kept - place) * sizeof *c->sorted);
    c->sorted[place] = size;
    c->kept++;
    c->recent[slot] = size;
}

csm_status csm_conformal_add(csm_conformal *conformal, double residual, double issued) {
    if (!conformal) return csm_fail(CSM_EINVAL, "conformal: conformal is NULL");
    if (!isfinite(residual)) return csm_fail(CSM_EINVAL, "conformal: residual %g is not finite", residual);
    if (!(issued >= 0)) return csm_fail(CSM_EINVAL, "conformal: a radius of %g was issued", issued);
    const csm_conformal_options *o = &conformal->options;
    double size = fabs(residual), miss = size > issued ? 1 : 0;
    conformal->rows++;
    conformal->missed += miss > 0;
    remember(conformal, size);
    if (o->method == CSM_CONFORMAL_ADAPTIVE) {
        conformal->level += o->step * (o->alpha - miss);
    } else {
        double range = conformal->sorted[conformal->kept - 1]; /* from 0 */
        conformal->tracked += o->step * range * (miss - o->alpha);
    }
    return CSM_OK;
}
