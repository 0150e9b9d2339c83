/* SPDX-License-Identifier: MIT */
/* Hansen 2005. Variances are those of the stationary bootstrap's own kernel (Politis & Romano 1994); models are recentred at their
 * mean, unless it is so low that no sample would make them the best one. */
#include "calibrate/internal.h"

#include "core/real.h"

#include <math.h>

#define PERIODS_LEAST 16
#define KERNEL_LEAST 1e-16 /* weights below it change nothing */

void csm_calibrate_superior_options_init(csm_superior_options *options) {
    *options = (csm_superior_options){.size = sizeof *options, .bootstrap = 1000};
}

typedef struct model_gain {
    double mean;
    double deviation; /* of sqrt(periods) * mean; 0: left out */
} model_gain;

static double long_run_variance(const double *gain, size_t n, double mean, double run) {
    double variance = 0, log_stays = csm_log(1 - 1 / run); /* -inf for runs of one row */
    for (size_t lag = 0; lag < n; lag++) {
        double share = (double)lag / (double)n, sum = 0;
        double kernel = lag == 0 ? 1
                                 : 2 * (1 - share) * csm_exp((double)lag * log_stays) +
                                       2 * share * csm_exp((double)(n - lag) * log_stays);
        if (kernel < KERNEL_LEAST) continue;
        for (size_t i = lag; i < n; i++) sum += (gain[i] - mean) * (gain[i - lag] - mean);
        variance += kernel * sum / (double)n;
    }
    return variance;
}

static size_t measure(model_gain *model, const double *gain, size_t periods, size_t models, double run) {
    size_t used = 0;
    for (size_t m = 0; m < models; m++) {
        const double *own = gain + m * periods;
        for (size_t i = 0; i < periods; i++) model[m].mean += own[i] / (double)periods;
        double variance = long_run_variance(own, periods, model[m].mean, run);
        double least = 1e-24 * model[m].mean * model[m].mean; /* rounding of a constant */
        model[m].deviation = variance > least ? sqrt(variance) : 0;
        used += model[m].deviation > 0;
    }
    return used;
}

/* Means of one resample, studentised: the largest after each of the three ways of recentring. */
static void largest_of(double *largest, const uint32_t *pick, const double *gain, const model_gain *model,
                       size_t periods, size_t models) {
    double root = sqrt((double)periods), limit = -sqrt(2 * csm_log(csm_log((double)periods)));
    largest[0] = largest[1] = largest[2] = 0;
    for (size_t m = 0; m < models; m++) {
        double sum = 0, mean = model[m].mean;
        if (!(model[m].deviation > 0)) continue;
        for (size_t i = 0; i < periods; i++) sum += gain[m * periods + pick[i]];
        double scale = root / model[m].deviation, drawn = sum / (double)periods;
        double center[3] = {mean > 0 ? mean : 0, mean * scale >= limit ? mean : 0, mean};
        for (size_t k = 0; k < 3; k++) {
            double z = (drawn - center[k]) * scale;
            if (z > largest[k]) largest[k] = z;
        }
    }
}

static csm_status resample(csm_superior *out, csm_context *context, const double *gain,
                           const model_gain *model, size_t periods, size_t models,
                           const csm_superior_options *o) {
    size_t beyond[3] = {0};
    uint32_t *pick = csm_alloc_array(periods, sizeof *pick);
    csm_status status = pick ? CSM_OK : CSM_ENOMEM;
    for (size_t s = 0; s < o->bootstrap && !status; s++) {
        double largest[3];
        csm_bootstrap_runs(pick, periods, o->run, csm_context_seed(context), s);
        largest_of(largest, pick, gain, model, periods, models);
        for (size_t k = 0; k < 3; k++) beyond[k] += largest[k] > out->statistic || out->statistic == 0;
        if (s % 64 == 0) status = csm_progress(context, "bootstrap", s, o->bootstrap);
    }
    out->lower = (double)beyond[0] / o->bootstrap;
    out->consistent = (double)beyond[1] / o->bootstrap;
    out->upper = (double)beyond[2] / o->bootstrap;
    csm_dealloc(pick);
    return status;
}

static csm_status take_options(csm_superior_options *out, const csm_superior_options *user, size_t periods) {
    csm_calibrate_superior_options_init(out);
    csm_status status = csm_options_take(out, sizeof *out, user, "csm_superior_options");
    if (status) return status;
    if (periods < PERIODS_LEAST)
        return csm_fail(CSM_ENODATA, "superior: %zu periods are fewer than %d", periods, PERIODS_LEAST);
    if (out->run == 0) out->run = sqrt((double)periods);
    if (!(out->run >= 1 && out->run <= (double)periods))
        return csm_fail(CSM_EINVAL, "superior: run %g is outside 1..%zu", out->run, periods);
    if (out->bootstrap < 1 || out->bootstrap > 1000000)
        return csm_fail(CSM_EINVAL, "superior: %u resamples are outside 1..1000000", out->bootstrap);
    return CSM_OK;
}

csm_status csm_calibrate_superior(csm_superior *out, csm_context *context, const csm_matrix *gain,
                                  const csm_superior_options *user) {
    csm_superior_options options;
    double *values = NULL;
    model_gain *model = NULL;
    if (!out || !context) return csm_fail(CSM_EINVAL, "superior: out or context is NULL");
    csm_status status = csm_panel_copy(&values, gain, "superior");
    if (status) return status;
    size_t periods = gain->rows, models = gain->cols;
    if ((status = take_options(&options, user, periods))) goto done;
    model = csm_alloc_array(models, sizeof *model);
    if (!model) {
        status = CSM_ENOMEM;
        goto done;
    }
    if (measure(model, values, periods, models, options.run) == 0) {
        status = csm_fail(CSM_ENODATA, "superior: none of %zu models' gains varies", models);
        goto done;
    }
    csm_superior found = {0};
    double largest = -INFINITY;
    for (size_t m = 0; m < models; m++) {
        double z = sqrt((double)periods) * model[m].mean / model[m].deviation;
        if (!(model[m].deviation > 0) || z <= largest) continue;
        largest = z;
        found.best = m;
    }
    found.statistic = largest > 0 ? largest : 0;
    status = resample(&found, context, values, model, periods, models, &options);
    if (!status) *out = found;
done:
    csm_dealloc(model);
    csm_dealloc(values);
    return status;
}
