/* SPDX-License-Identifier: MIT */
/*
 * What to try next (Bergstra et al. 2011, section 4): l is the density of the good trials' values, g that of all others;
 * of the candidates drawn from l the one with the greatest l/g is taken, since expected improvement grows with it. Trials
 * stand in the order of merit across rungs: whoever was let further is better, then the lesser loss counts.
 */
#include "model/tune/internal.h"

#include <math.h>
#include <stdlib.h>

#define GOOD_MOST 25

/* Good trials: a tenth of them, 25 at most, as in Optuna. */
static size_t count_good(size_t told) {
    const size_t good = (told + 9) / 10;
    return good < GOOD_MOST ? good : GOOD_MOST;
}

static void draw_evenly(double *values, const csm_tuner *tuner, size_t number) {
    for (size_t d = 0; d < tuner->dimensions; d++)
        values[d] =
            tune_axis_value(&tuner->axes[d], csm_random_uniform(tuner->options.seed, number, (uint64_t)d));
}

static int by_number(const void *a, const void *b) {
    const tune_standing *x = a, *y = b;
    return x->number < y->number ? -1 : x->number > y->number;
}

/* Density of some trials, the oldest first whatever their merit. */
static csm_status estimate(tune_parzen *out, const csm_tuner *tuner, tune_standing *order, size_t n) {
    double *values = csm_alloc_array(n * tuner->dimensions + 1, sizeof *values);
    if (!values) return CSM_ENOMEM;
    qsort(order, n, sizeof *order, by_number);
    for (size_t i = 0; i < n; i++) {
        for (size_t d = 0; d < tuner->dimensions; d++)
            values[i * tuner->dimensions + d] = tuner->trials[order[i].number].parameters[d].value;
    }
    csm_status status = tune_parzen_init(out, tuner->axes, tuner->dimensions, values, n);
    csm_dealloc(values);
    return status;
}

/* Candidate c of a trial takes the numbers after those of the candidates before it. */
static void choose(double *values, const csm_tuner *tuner, size_t number, const tune_parzen *good,
                   const tune_parzen *bad) {
    const size_t dimensions = tuner->dimensions;
    double candidate[CSM_TUNER_PARAMETERS_MAX], uniform[CSM_TUNER_PARAMETERS_MAX + 1], best = -INFINITY;
    for (size_t c = 0; c < tuner->options.candidates; c++) {
        for (size_t d = 0; d <= dimensions; d++)
            uniform[d] = csm_random_uniform(tuner->options.seed, number, c * (dimensions + 1) + d);
        tune_parzen_draw(good, candidate, uniform);
        const double gain =
            tune_parzen_log_density(good, candidate) - tune_parzen_log_density(bad, candidate);
        if (c > 0 && !(gain > best)) continue;
        best = gain;
        for (size_t d = 0; d < dimensions; d++) values[d] = candidate[d];
    }
}

csm_status tune_propose(double *values, const csm_tuner *tuner, size_t number) {
    if (number == 0) {
        for (size_t d = 0; d < tuner->dimensions; d++) values[d] = tuner->axes[d].standard;
        return CSM_OK;
    }
    if (number < tuner->options.startup) {
        draw_evenly(values, tuner, number);
        return CSM_OK;
    }
    tune_parzen good = {0}, bad = {0};
    tune_standing *rank = NULL;
    size_t told = 0;
    csm_status status = tune_rank(&rank, &told, tuner, 0);
    if (status != CSM_OK) return status;
    if (told < 2) {
        draw_evenly(values, tuner, number);
        goto done;
    }
    const size_t best = count_good(told);
    status = estimate(&good, tuner, rank, best);
    if (status == CSM_OK) status = estimate(&bad, tuner, rank + best, told - best);
    if (status == CSM_OK) choose(values, tuner, number, &good, &bad);
done:
    tune_parzen_clear(&bad);
    tune_parzen_clear(&good);
    csm_dealloc(rank);
    return status;
}
