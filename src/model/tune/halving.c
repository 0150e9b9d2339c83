/* SPDX-License-Identifier: MIT */
/*
 * Successive halving (Jamieson & Talwalkar 2016) without waiting for whole rungs (Li et al. 2020, "A system for massively
 * parallel hyperparameter tuning", algorithm 2): of the n trials that finished a rung, the best n / reduction may go on,
 * and trials stopped earlier go on when later ones turn out worse. When every trial has been proposed and none may go on,
 * the best of the highest rung goes on, so that at least one is evaluated in full.
 */
#include "model/tune/internal.h"

#include <math.h>
#include <stdlib.h>

uint32_t tune_rung_end(const csm_tuner_options *options, uint32_t told) {
    uint64_t end = options->first_steps;
    while (end <= told && end < options->steps) end *= options->reduction;
    return end < options->steps ? (uint32_t)end : options->steps;
}

double tune_mean(const tune_trial *trial, uint32_t steps) {
    double sum = 0;
    for (uint32_t s = 0; s < steps; s++) sum += trial->loss[s];
    return sum / steps;
}

static int by_merit(const void *a, const void *b) {
    const tune_standing *x = a, *y = b;
    if (x->steps != y->steps) return x->steps > y->steps ? -1 : 1;
    if (x->loss != y->loss) return x->loss < y->loss ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

csm_status tune_rank(tune_standing **out, size_t *count, const csm_tuner *tuner, uint32_t at) {
    tune_standing *rank = csm_alloc_array(tuner->count + 1, sizeof *rank);
    if (!rank) return CSM_ENOMEM;
    *count = 0;
    for (size_t i = 0; i < tuner->count; i++) {
        const tune_trial *trial = &tuner->trials[i];
        const bool failed = trial->state == CSM_TRIAL_FAILED;
        const uint32_t finished = failed ? trial->wanted : trial->told;
        if (finished < at || finished == 0) continue;
        const uint32_t steps = at ? at : trial->told;
        rank[(*count)++] =
            failed ? (tune_standing){i, 0, 0} : (tune_standing){i, steps, tune_mean(trial, steps)};
    }
    qsort(rank, *count, sizeof *rank, by_merit);
    *out = rank;
    return CSM_OK;
}

/* The best trial stopped at the rung of `steps` among the first `share` of all that finished it. `share` 0: how many the
 * reduction grants. */
static csm_status promote_at(size_t *number, const csm_tuner *tuner, uint32_t steps, size_t share) {
    tune_standing *rank = NULL;
    size_t count = 0;
    csm_status status = tune_rank(&rank, &count, tuner, steps);
    if (status != CSM_OK) return status;
    const size_t most = share ? share : count / tuner->options.reduction;
    for (size_t i = 0; i < count && i < most && *number == SIZE_MAX; i++) {
        const tune_trial *trial = &tuner->trials[rank[i].number];
        if (trial->state == CSM_TRIAL_STOPPED && trial->told == steps) *number = rank[i].number;
    }
    csm_dealloc(rank);
    return CSM_OK;
}

/* When all else is done: the best of the highest rung, unless a trial is complete or one is still out. */
static csm_status promote_last(size_t *number, const csm_tuner *tuner) {
    uint32_t highest = 0;
    for (size_t i = 0; i < tuner->count; i++) {
        const tune_trial *trial = &tuner->trials[i];
        if (trial->state == CSM_TRIAL_RUNNING || trial->state == CSM_TRIAL_COMPLETE) return CSM_OK;
        if (trial->state == CSM_TRIAL_STOPPED && trial->told > highest) highest = trial->told;
    }
    return highest ? promote_at(number, tuner, highest, SIZE_MAX) : CSM_OK;
}

csm_status tune_promote(size_t *number, const csm_tuner *tuner) {
    uint32_t rungs[32] = {0}; /* steps double at least, and are 1000 at most */
    size_t count = 0;
    for (uint32_t told = 0; told < tuner->options.steps; told = rungs[count++])
        rungs[count] = tune_rung_end(&tuner->options, told);
    *number = SIZE_MAX;
    csm_status status = CSM_OK;
    for (size_t r = count - 1; status == CSM_OK && r > 0 && *number == SIZE_MAX; r--)
        status = promote_at(number, tuner, rungs[r - 1], 0);
    if (status == CSM_OK && *number == SIZE_MAX && tuner->count == tuner->options.trials)
        status = promote_last(number, tuner);
    return status;
}
