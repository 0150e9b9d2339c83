/* SPDX-License-Identifier: MIT */
/* The tuner's public face: asks, tells, and what is known so far. */
#include "model/tune/internal.h"

#include <math.h>
#include <string.h>

#define TRIALS_MOST 10000
#define STEPS_MOST 1000
#define REDUCTION_MOST 100
#define CANDIDATES_MOST 10000

void csm_tuner_options_init(csm_tuner_options *options) {
    *options = (csm_tuner_options){.size = sizeof *options,
                                   .seed = 1,
                                   .trials = 50,
                                   .steps = 1,
                                   .first_steps = 1,
                                   .reduction = 3,
                                   .startup = 10,
                                   .candidates = 24,
                                   .key = ""};
}

csm_status tune_options_check(const csm_tuner_options *o) {
    const struct {
        const char *name;
        uint32_t value, least, most;
    } checks[] = {{"trials", o->trials, 1, TRIALS_MOST},
                  {"steps", o->steps, 1, STEPS_MOST},
                  {"first_steps", o->first_steps, 1, o->steps},
                  {"reduction", o->reduction, 2, REDUCTION_MOST},
                  {"candidates", o->candidates, 1, CANDIDATES_MOST}};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (checks[i].value < checks[i].least || checks[i].value > checks[i].most)
            return csm_fail(CSM_EINVAL, "tuner: %s = %u is outside %u..%u", checks[i].name, checks[i].value,
                            checks[i].least, checks[i].most);
    }
    return CSM_OK;
}

static csm_status copy_space(csm_tuner *tuner, const csm_learner_parameter *space, size_t count) {
    for (size_t i = 0; i < count; i++) {
        csm_status status = tune_axis_init(&tuner->axes[i], &space[i]);
        tuner->dimensions = i + 1;
        if (status != CSM_OK) return status;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(tuner->axes[j].name, space[i].name) == 0)
                return csm_fail(CSM_EINVAL, "tuner: parameter %s is given twice", space[i].name);
        }
    }
    return CSM_OK;
}

csm_status csm_tuner_new(csm_tuner **out, const csm_learner_parameter *space, size_t count,
                         const csm_tuner_options *user) {
    csm_tuner_options options;
    if (!out || !space) return csm_fail(CSM_EINVAL, "tuner: out or space is NULL");
    *out = NULL;
    csm_tuner_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_tuner_options");
    if (status == CSM_OK) status = tune_options_check(&options);
    if (status != CSM_OK) return status;
    if (count < 1 || count > CSM_TUNER_PARAMETERS_MAX)
        return csm_fail(CSM_EINVAL, "tuner: %zu parameters are outside 1..%d", count,
                        CSM_TUNER_PARAMETERS_MAX);
    csm_tuner *tuner = csm_alloc_array(1, sizeof *tuner);
    if (!tuner) return CSM_ENOMEM;
    tuner->key = csm_strdup(options.key ? options.key : "");
    tuner->axes = csm_alloc_array(count, sizeof *tuner->axes);
    tuner->trials = csm_alloc_array(options.trials, sizeof *tuner->trials);
    tuner->options = options;
    tuner->options.key = tuner->key;
    status = tuner->key && tuner->axes && tuner->trials ? copy_space(tuner, space, count) : CSM_ENOMEM;
    if (status != CSM_OK) {
        csm_tuner_free(tuner);
        return status;
    }
    *out = tuner;
    return CSM_OK;
}

void csm_tuner_free(csm_tuner *tuner) {
    if (!tuner) return;
    for (size_t i = 0; i < tuner->count; i++) {
        csm_dealloc(tuner->trials[i].parameters);
        csm_dealloc(tuner->trials[i].loss);
    }
    for (size_t d = 0; d < tuner->dimensions; d++) tune_axis_clear(&tuner->axes[d]);
    csm_dealloc(tuner->trials);
    csm_dealloc(tuner->axes);
    csm_dealloc(tuner->key);
    csm_dealloc(tuner);
}

csm_status tune_trial_add(csm_tuner *tuner, const double *values) {
    tune_trial trial = {.wanted = tune_rung_end(&tuner->options, 0), .state = CSM_TRIAL_RUNNING};
    trial.parameters = csm_alloc_array(tuner->dimensions, sizeof *trial.parameters);
    trial.loss = csm_alloc_array(tuner->options.steps, sizeof *trial.loss);
    if (!trial.parameters || !trial.loss) {
        csm_dealloc(trial.parameters);
        csm_dealloc(trial.loss);
        return CSM_ENOMEM;
    }
    for (size_t d = 0; d < tuner->dimensions; d++)
        trial.parameters[d] = (csm_parameter){tuner->axes[d].name, values[d]};
    for (uint32_t s = 0; s < tuner->options.steps; s++) trial.loss[s] = NAN;
    tuner->trials[tuner->count++] = trial;
    return CSM_OK;
}

/* What the caller sees of a trial. */
static csm_trial view(const csm_tuner *tuner, size_t number) {
    const tune_trial *trial = &tuner->trials[number];
    const bool running = trial->state == CSM_TRIAL_RUNNING;
    return (csm_trial){.number = number,
                       .parameters = trial->parameters,
                       .parameter_count = tuner->dimensions,
                       .from_step = running ? trial->told : 0,
                       .to_step = running ? trial->wanted : trial->told,
                       .state = (uint32_t)trial->state,
                       .loss = trial->told && trial->state != CSM_TRIAL_FAILED ? tune_mean(trial, trial->told)
                                                                               : NAN};
}

/* Asked for before the state was saved, and never told: SIZE_MAX when there is none. */
static size_t find_lost(const csm_tuner *tuner) {
    for (size_t i = 0; i < tuner->count; i++) {
        if (tuner->trials[i].state == CSM_TRIAL_RUNNING && !tuner->trials[i].handed) return i;
    }
    return SIZE_MAX;
}

csm_status csm_tuner_ask(csm_trial *out, csm_tuner *tuner) {
    if (!out || !tuner) return csm_fail(CSM_EINVAL, "tuner: out or tuner is NULL");
    size_t number = find_lost(tuner);
    csm_status status = CSM_OK;
    if (number == SIZE_MAX) {
        status = tune_promote(&number, tuner);
        if (status != CSM_OK) return status;
        if (number != SIZE_MAX) {
            tune_trial *trial = &tuner->trials[number];
            trial->state = CSM_TRIAL_RUNNING;
            trial->wanted = tune_rung_end(&tuner->options, trial->told);
        }
    }
    if (number == SIZE_MAX) {
        double values[CSM_TUNER_PARAMETERS_MAX];
        if (tuner->count == tuner->options.trials)
            return csm_fail(CSM_ENODATA, "tuner: all %zu trials are done or out", tuner->count);
        number = tuner->count;
        status = tune_propose(values, tuner, number);
        if (status == CSM_OK) status = tune_trial_add(tuner, values);
        if (status != CSM_OK) return status;
    }
    tuner->trials[number].handed = true;
    *out = view(tuner, number);
    return CSM_OK;
}

csm_status csm_tuner_tell(csm_tuner *tuner, size_t number, const double *loss, size_t count) {
    if (!tuner || !loss) return csm_fail(CSM_EINVAL, "tuner: tuner or loss is NULL");
    if (number >= tuner->count || tuner->trials[number].state != CSM_TRIAL_RUNNING)
        return csm_fail(CSM_EINVAL, "tuner: trial %zu was not asked for", number);
    tune_trial *trial = &tuner->trials[number];
    if (count != trial->wanted - trial->told)
        return csm_fail(CSM_EINVAL, "tuner: %zu losses for steps %u..%u of trial %zu", count, trial->told,
                        trial->wanted, number);
    for (size_t s = 0; s < count; s++) {
        if (!isfinite(loss[s])) {
            trial->state = CSM_TRIAL_FAILED;
            return CSM_OK;
        }
    }
    memcpy(trial->loss + trial->told, loss, count * sizeof *loss);
    trial->told = trial->wanted;
    trial->state = trial->told == tuner->options.steps ? CSM_TRIAL_COMPLETE : CSM_TRIAL_STOPPED;
    return CSM_OK;
}

csm_status csm_tuner_best(csm_trial *out, const csm_tuner *tuner) {
    if (!out || !tuner) return csm_fail(CSM_EINVAL, "tuner: out or tuner is NULL");
    tune_standing *rank = NULL;
    size_t count = 0;
    csm_status status = tune_rank(&rank, &count, tuner, 0);
    if (status == CSM_OK && (count == 0 || rank[0].steps == 0))
        status = csm_fail(CSM_ENODATA, "tuner: none of %zu trials has a loss", tuner->count);
    if (status == CSM_OK) *out = view(tuner, rank[0].number);
    csm_dealloc(rank);
    return status;
}

size_t csm_tuner_count(const csm_tuner *tuner) {
    return tuner ? tuner->count : 0;
}

csm_status csm_tuner_trial(csm_trial *out, const csm_tuner *tuner, size_t number) {
    if (!out || !tuner) return csm_fail(CSM_EINVAL, "tuner: out or tuner is NULL");
    if (number >= tuner->count) return csm_fail(CSM_EINVAL, "tuner: trial %zu of %zu", number, tuner->count);
    *out = view(tuner, number);
    return CSM_OK;
}

const char *csm_tuner_key(const csm_tuner *tuner) {
    return tuner ? tuner->key : "";
}
