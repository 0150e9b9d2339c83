/* SPDX-License-Identifier: MIT */
/*
 * The Parzen estimator of TPE (Bergstra, Bardenet, Bengio & Kegl 2011, section 4.2) in its multivariate form (Falkner,
 * Klein & Hutter 2018; Watanabe 2023): one kernel is a product over all axes, so that values that were good together are
 * proposed together. Along an axis a kernel is a normal centred on the observation, cut to the range, as wide as the
 * farther of its two neighbours is away, but no wider than the range and no narrower than range / min(100, n + 2). The
 * prior is one more kernel: centred, as wide as the range. Of more than 25 observations the older ones fade.
 */
#include "core/real.h"
#include "model/tune/internal.h"

#include <math.h>
#include <stdlib.h>

#define UNFADED 25
#define NARROWEST 100.0
#define TINY 1e-300 /* keeps the logarithm of a vanished tail finite */

void tune_parzen_clear(tune_parzen *parzen) {
    csm_dealloc(parzen->log_weight);
    csm_dealloc(parzen->mean);
    csm_dealloc(parzen->deviation);
    csm_dealloc(parzen->below);
    csm_dealloc(parzen->mass);
    *parzen = (tune_parzen){0};
}

/* Normal probability of [low, high], without cancellation in the upper tail. */
static double normal_mass(double low, double high) {
    return low > 0 ? csm_normal_cdf(-low) - csm_normal_cdf(-high)
                   : csm_normal_cdf(high) - csm_normal_cdf(low);
}

/* Weight 1 for the newest 25 and the prior; before them a line from 1/n up to 1. */
static void weigh(tune_parzen *parzen, size_t n) {
    double sum = 0;
    for (size_t k = 0; k < parzen->kernels; k++) {
        double weight = 1;
        if (n > UNFADED && k < n - UNFADED) {
            const size_t faded = n - UNFADED;
            const double share = faded > 1 ? (double)k / (double)(faded - 1) : 0;
            weight = 1 / (double)n + share * (1 - 1 / (double)n);
        }
        parzen->log_weight[k] = weight;
        sum += weight;
    }
    for (size_t k = 0; k < parzen->kernels; k++) parzen->log_weight[k] = csm_log(parzen->log_weight[k] / sum);
}

typedef struct placed {
    double at;
    size_t kernel;
} placed;

static int by_place(const void *a, const void *b) {
    const placed *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->kernel < y->kernel ? -1 : x->kernel > y->kernel;
}

/* Means and widths along one axis. The ends of the range are neighbours only where there is no other. */
static void place(tune_parzen *parzen, size_t d, placed *order, size_t n) {
    const size_t dimensions = parzen->dimensions;
    const double narrowest = 1 / fmin(NARROWEST, (double)n + 2);
    qsort(order, n, sizeof *order, by_place);
    for (size_t i = 0; i < n; i++) {
        double left = order[i].at - (i > 0 ? order[i - 1].at : 0);
        double right = (i + 1 < n ? order[i + 1].at : 1) - order[i].at;
        if (n > 1 && i == 0) left = 0;
        if (n > 1 && i + 1 == n) right = 0;
        const size_t k = order[i].kernel * dimensions + d;
        parzen->mean[k] = order[i].at;
        parzen->deviation[k] = fmin(1, fmax(narrowest, fmax(left, right)));
    }
    parzen->mean[n * dimensions + d] = 0.5;
    parzen->deviation[n * dimensions + d] = 1;
}

csm_status tune_parzen_init(tune_parzen *out, const tune_axis *axes, size_t dimensions, const double *values,
                            size_t n) {
    const size_t kernels = n + 1, cells = kernels * dimensions;
    *out = (tune_parzen){.axes = axes, .dimensions = dimensions, .kernels = kernels};
    out->log_weight = csm_alloc_array(kernels, sizeof(double));
    out->mean = csm_alloc_array(cells, sizeof(double));
    out->deviation = csm_alloc_array(cells, sizeof(double));
    out->below = csm_alloc_array(cells, sizeof(double));
    out->mass = csm_alloc_array(cells, sizeof(double));
    placed *order = csm_alloc_array(kernels, sizeof *order);
    csm_status status = CSM_OK;
    if (!out->log_weight || !out->mean || !out->deviation || !out->below || !out->mass || !order) {
        status = CSM_ENOMEM;
        goto done;
    }
    weigh(out, n);
    for (size_t d = 0; d < dimensions; d++) {
        for (size_t i = 0; i < n; i++)
            order[i] = (placed){tune_axis_coordinate(&axes[d], values[i * dimensions + d]), i};
        place(out, d, order, n);
    }
    for (size_t i = 0; i < cells; i++) {
        out->below[i] = csm_normal_cdf(-out->mean[i] / out->deviation[i]);
        out->mass[i] = normal_mass(-out->mean[i] / out->deviation[i], (1 - out->mean[i]) / out->deviation[i]);
    }
done:
    csm_dealloc(order);
    if (status != CSM_OK) tune_parzen_clear(out);
    return status;
}

/* Of one kernel along one axis: density of a coordinate, probability of a cell. */
static double log_kernel(const tune_parzen *parzen, size_t cell, const tune_axis *axis, double value) {
    const double mean = parzen->mean[cell], deviation = parzen->deviation[cell];
    if (axis->integer) {
        double low, high;
        tune_axis_cell(axis, value, &low, &high);
        const double mass = normal_mass((low - mean) / deviation, (high - mean) / deviation);
        return csm_log(fmax(mass, TINY) / parzen->mass[cell]);
    }
    const double z = (tune_axis_coordinate(axis, value) - mean) / deviation;
    static const double half_log_two_pi = 0x1.d67f1c864beb5p-1;
    return -0.5 * z * z - half_log_two_pi - csm_log(deviation * parzen->mass[cell]);
}

double tune_parzen_log_density(const tune_parzen *parzen, const double *values) {
    double greatest = -INFINITY, sum = 0; /* sum of exp(term - greatest) */
    for (size_t k = 0; k < parzen->kernels; k++) {
        double term = parzen->log_weight[k];
        for (size_t d = 0; d < parzen->dimensions; d++)
            term += log_kernel(parzen, k * parzen->dimensions + d, &parzen->axes[d], values[d]);
        if (term > greatest) {
            sum = sum * csm_exp(greatest - term) + 1;
            greatest = term;
        } else {
            sum += csm_exp(term - greatest);
        }
    }
    return greatest + csm_log(sum);
}

void tune_parzen_draw(const tune_parzen *parzen, double *values, const double *uniform) {
    double left = uniform[0];
    size_t k = 0;
    for (; k + 1 < parzen->kernels; k++) {
        const double weight = csm_exp(parzen->log_weight[k]);
        if (left < weight) break;
        left -= weight;
    }
    for (size_t d = 0; d < parzen->dimensions; d++) {
        const size_t cell = k * parzen->dimensions + d;
        double p = parzen->below[cell] + uniform[d + 1] * parzen->mass[cell];
        p = fmin(fmax(p, 0x1p-60), 1 - 0x1p-53);
        double at = parzen->mean[cell] + parzen->deviation[cell] * csm_normal_quantile(p);
        at = fmin(fmax(at, 0), 1);
        values[d] = tune_axis_value(&parzen->axes[d], at);
    }
}
