/* SPDX-License-Identifier: MIT */
/* The state of a search as safetensors: options, axes, and one row a trial. */
#include "core/platform.h"
#include "model/tune/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "tune."
#define FORMAT "1"
#define FILE_BYTES_MOST ((size_t)256 << 20)

enum { SEED, TRIALS, STEPS, FIRST_STEPS, REDUCTION, STARTUP, CANDIDATES, OPTIONS };
enum { MINIMUM, MAXIMUM, STANDARD, INTEGER, LOG_SCALE, AXIS };

/* ---- writing ---- */

static csm_status write_about(csm_tensors_writer *writer, const csm_tuner *tuner) {
    const csm_tuner_options *o = &tuner->options;
    const int64_t options[OPTIONS] = {(int64_t)o->seed, o->trials,  o->steps,     o->first_steps,
                                      o->reduction,     o->startup, o->candidates};
    double axis[CSM_TUNER_PARAMETERS_MAX * AXIS];
    csm_status status = csm_tensors_add_text(writer, PREFIX, "format", FORMAT);
    if (status == CSM_OK) status = csm_tensors_add_text(writer, PREFIX, "key", tuner->key);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, PREFIX, "options", CSM_TENSOR_I64, options, OPTIONS);
    for (size_t d = 0; status == CSM_OK && d < tuner->dimensions; d++) {
        const tune_axis *a = &tuner->axes[d];
        char name[32];
        snprintf(name, sizeof name, "axis%zu", d);
        status = csm_tensors_add_text(writer, PREFIX, name, a->name);
        memcpy(axis + d * AXIS,
               (double[AXIS]){a->minimum, a->maximum, a->standard, a->integer ? 1 : 0, a->log_scale ? 1 : 0},
               AXIS * sizeof *axis);
    }
    if (status == CSM_OK)
        status =
            csm_tensors_add_array(writer, PREFIX, "axes", CSM_TENSOR_F64, axis, tuner->dimensions * AXIS);
    return status;
}

static csm_status write_trials(csm_tensors_writer *writer, const csm_tuner *tuner) {
    const size_t n = tuner->count, dimensions = tuner->dimensions, steps = tuner->options.steps;
    double *value = csm_alloc_array(n * dimensions + 1, sizeof *value);
    double *loss = csm_alloc_array(n * steps + 1, sizeof *loss);
    int32_t *state = csm_alloc_array(3 * n + 1, sizeof *state); /* state, told, wanted */
    csm_status status = value && loss && state ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; status == CSM_OK && i < n; i++) {
        const tune_trial *trial = &tuner->trials[i];
        for (size_t d = 0; d < dimensions; d++) value[i * dimensions + d] = trial->parameters[d].value;
        memcpy(loss + i * steps, trial->loss, steps * sizeof *loss);
        state[3 * i] = (int32_t)trial->state;
        state[3 * i + 1] = (int32_t)trial->told;
        state[3 * i + 2] = (int32_t)trial->wanted;
    }
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, PREFIX, "value", CSM_TENSOR_F64, value, n * dimensions);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, PREFIX, "loss", CSM_TENSOR_F64, loss, n * steps);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, PREFIX, "state", CSM_TENSOR_I32, state, 3 * n);
    csm_dealloc(state);
    csm_dealloc(loss);
    csm_dealloc(value);
    return status;
}

csm_status tune_state_write(csm_buffer *out, const csm_tuner *tuner) {
    csm_tensors_writer *writer = NULL;
    csm_status status = csm_tensors_writer_new(&writer);
    if (status == CSM_OK) status = write_about(writer, tuner);
    if (status == CSM_OK) status = write_trials(writer, tuner);
    if (status == CSM_OK) status = csm_tensors_finish(out, writer);
    csm_tensors_writer_free(writer);
    return status;
}

csm_status csm_tuner_save(const csm_tuner *tuner, const char *path) {
    if (!tuner || !path) return csm_fail(CSM_EINVAL, "tuner: tuner or path is NULL");
    csm_buffer file = {0};
    csm_status status = tune_state_write(&file, tuner);
    if (status == CSM_OK) status = csm_file_write_atomic(path, file.data, file.length, 0644);
    csm_buffer_free(&file);
    return status;
}

/* ---- reading ---- */

static csm_status read_options(csm_tuner_options *options, const csm_tensors *tensors) {
    const char *format = csm_tensors_text(tensors, PREFIX, "format");
    size_t count = OPTIONS;
    int64_t *values = NULL;
    if (!format) return csm_fail(CSM_EPARSE, "not the state of a tuner");
    if (strcmp(format, FORMAT) != 0)
        return csm_fail(CSM_EUNSUPPORTED, "tuner format %.20s; this build reads %s", format, FORMAT);
    csm_status status =
        csm_tensors_copy((void **)&values, &count, tensors, PREFIX, "options", CSM_TENSOR_I64);
    if (status != CSM_OK) return status;
    uint32_t *const fields[] = {&options->trials,    &options->steps,   &options->first_steps,
                                &options->reduction, &options->startup, &options->candidates};
    options->seed = (uint64_t)values[SEED];
    for (size_t i = TRIALS; status == CSM_OK && i < OPTIONS; i++) {
        if (values[i] < 0 || values[i] > UINT32_MAX)
            status = csm_fail(CSM_ECORRUPT, "tuner: option %zu is %lld", i, (long long)values[i]);
        else
            *fields[i - TRIALS] = (uint32_t)values[i];
    }
    csm_dealloc(values);
    options->key = csm_tensors_text(tensors, PREFIX, "key");
    return status;
}

/* An empty tuner of the file's options and axes. What csm_tuner_new refuses in a file is damage. */
static csm_status read_about(csm_tuner **out, const csm_tensors *tensors) {
    csm_tuner_options options;
    csm_learner_parameter space[CSM_TUNER_PARAMETERS_MAX];
    double *axes = NULL;
    size_t count = SIZE_MAX;
    csm_tuner_options_init(&options);
    csm_status status = read_options(&options, tensors);
    if (status == CSM_OK)
        status = csm_tensors_copy((void **)&axes, &count, tensors, PREFIX, "axes", CSM_TENSOR_F64);
    if (status != CSM_OK) return status;
    if (count % AXIS != 0 || count / AXIS > CSM_TUNER_PARAMETERS_MAX)
        status = csm_fail(CSM_ECORRUPT, "tuner: %zu numbers of axes", count);
    for (size_t d = 0; status == CSM_OK && d < count / AXIS; d++) {
        const double *a = axes + d * AXIS;
        char name[32];
        snprintf(name, sizeof name, "axis%zu", d);
        space[d] = (csm_learner_parameter){.name = csm_tensors_text(tensors, PREFIX, name),
                                           .text = "",
                                           .minimum = a[MINIMUM],
                                           .maximum = a[MAXIMUM],
                                           .standard = a[STANDARD],
                                           .integer = a[INTEGER] == 1,
                                           .log_scale = a[LOG_SCALE] == 1};
    }
    if (status == CSM_OK) {
        status = csm_tuner_new(out, space, count / AXIS, &options);
        if (status == CSM_EINVAL) status = csm_fail_prefix(CSM_ECORRUPT, "state");
    }
    csm_dealloc(axes);
    return status;
}

/* Whether the numbers of a trial can have come about: told steps end a rung, losses are finite up to there. */
static csm_status check_trial(const csm_tuner *tuner, size_t number) {
    const csm_tuner_options *o = &tuner->options;
    const tune_trial *trial = &tuner->trials[number];
    uint32_t reached = 0;
    while (reached < trial->told && reached < o->steps) reached = tune_rung_end(o, reached);
    bool right = reached == trial->told;
    for (uint32_t s = 0; right && s < o->steps; s++) right = isfinite(trial->loss[s]) == (s < trial->told);
    if (trial->state == CSM_TRIAL_RUNNING || trial->state == CSM_TRIAL_FAILED)
        right = right && trial->told < o->steps && trial->wanted == tune_rung_end(o, trial->told);
    else if (trial->state == CSM_TRIAL_STOPPED)
        right = right && trial->told > 0 && trial->told < o->steps && trial->wanted == trial->told;
    else
        right = right && trial->state == CSM_TRIAL_COMPLETE && trial->told == o->steps &&
                trial->wanted == o->steps;
    for (size_t d = 0; right && d < tuner->dimensions; d++)
        right = tune_axis_holds(&tuner->axes[d], trial->parameters[d].value);
    return right ? CSM_OK : csm_fail(CSM_ECORRUPT, "tuner: trial %zu cannot have come about", number);
}

static csm_status fill_trials(csm_tuner *tuner, size_t n, const double *value, const double *loss,
                              const int32_t *state) {
    for (size_t i = 0; i < n; i++) {
        csm_status status = tune_trial_add(tuner, value + i * tuner->dimensions);
        if (status != CSM_OK) return status;
        tune_trial *trial = &tuner->trials[i];
        memcpy(trial->loss, loss + i * tuner->options.steps, tuner->options.steps * sizeof *loss);
        if (state[3 * i] < CSM_TRIAL_RUNNING || state[3 * i] > CSM_TRIAL_FAILED || state[3 * i + 1] < 0 ||
            state[3 * i + 2] < 0)
            return csm_fail(CSM_ECORRUPT, "tuner: trial %zu has state %d", i, (int)state[3 * i]);
        trial->state = (csm_trial_state)state[3 * i];
        trial->told = (uint32_t)state[3 * i + 1];
        trial->wanted = (uint32_t)state[3 * i + 2];
        if ((status = check_trial(tuner, i)) != CSM_OK) return status;
    }
    return CSM_OK;
}

static csm_status read_trials(csm_tuner *tuner, const csm_tensors *tensors) {
    double *value = NULL, *loss = NULL;
    int32_t *state = NULL;
    size_t states = SIZE_MAX;
    csm_status status = csm_tensors_copy((void **)&state, &states, tensors, PREFIX, "state", CSM_TENSOR_I32);
    const size_t n = states / 3;
    if (status == CSM_OK && (states % 3 != 0 || n > tuner->options.trials))
        status =
            csm_fail(CSM_ECORRUPT, "tuner: %zu states of at most %u trials", states, tuner->options.trials);
    size_t values = n * tuner->dimensions, losses = n * tuner->options.steps;
    if (status == CSM_OK)
        status = csm_tensors_copy((void **)&value, &values, tensors, PREFIX, "value", CSM_TENSOR_F64);
    if (status == CSM_OK)
        status = csm_tensors_copy((void **)&loss, &losses, tensors, PREFIX, "loss", CSM_TENSOR_F64);
    if (status == CSM_OK) status = fill_trials(tuner, n, value, loss, state);
    csm_dealloc(loss);
    csm_dealloc(value);
    csm_dealloc(state);
    return status;
}

csm_status tune_state_read(csm_tuner **out, const void *data, size_t length) {
    csm_tensors *tensors = NULL;
    csm_tuner *tuner = NULL;
    csm_status status = csm_tensors_read(&tensors, data, length);
    if (status == CSM_OK) status = read_about(&tuner, tensors);
    if (status == CSM_OK) status = read_trials(tuner, tensors);
    csm_tensors_free(tensors);
    if (status != CSM_OK) {
        csm_tuner_free(tuner);
        return status;
    }
    *out = tuner;
    return CSM_OK;
}

csm_status csm_tuner_load(csm_tuner **out, const char *path) {
    if (!out || !path) return csm_fail(CSM_EINVAL, "tuner: out or path is NULL");
    csm_buffer file = {0};
    *out = NULL;
    csm_status status = csm_file_read(&file, path, FILE_BYTES_MOST);
    if (status == CSM_OK) {
        status = tune_state_read(out, file.data, file.length);
        if (status != CSM_OK) csm_fail_prefix(status, "%s", path);
    }
    csm_buffer_free(&file);
    return status;
}
