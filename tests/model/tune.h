/* SPDX-License-Identifier: MIT */
/* Search spaces, functions to search, and tuners run to their end. */
#ifndef CSM_TESTS_MODEL_TUNE_H
#define CSM_TESTS_MODEL_TUNE_H

#include "model/support.h"

#include "model/tune/internal.h"

#define REAL(axis, low, high, first)                                                                         \
    { axis, "", low, high, first, 0, 0 }

static const csm_learner_parameter four_kinds[] = {{"a", "", -5, 5, 0, 0, 0},
                                                   {"b", "", 1e-3, 1, 0.1, 0, 1},
                                                   {"c", "", 0, 60, 3, 1, 0},
                                                   {"d", "", 2, 256, 31, 1, 1}};

typedef double (*function)(const csm_parameter *x);

/* Least 0 where every axis stands a third along. */
static inline double bowl(const csm_parameter *x) {
    const double a = (x[0].value + 5 - 10.0 / 3) / 10, b = (log(x[1].value) - log(1e-3) * 2 / 3) / log(1e3);
    const double c = (x[2].value - 20) / 60, d = log(x[3].value / 10) / log(128);
    return a * a + b * b + c * c + d * d;
}

static inline csm_tuner *tuner_new(const csm_learner_parameter *space, size_t count, uint32_t trials,
                                   uint32_t steps, uint64_t seed) {
    csm_tuner_options options;
    csm_tuner *tuner;
    csm_tuner_options_init(&options);
    options.trials = trials;
    options.steps = steps;
    options.reduction = 2;
    options.seed = seed;
    assert_ok(csm_tuner_new(&tuner, space, count, &options));
    return tuner;
}

/* Loss of a step: the function, and a disturbance of its own for every step. */
static inline double step_loss(function f, const csm_trial *trial, uint32_t step) {
    return f(trial->parameters) + 0.01 * csm_random_uniform(11, step, trial->number);
}

/* Up to `most` evaluations; how many there were. */
static inline size_t tuner_run(csm_tuner *tuner, function f, size_t most) {
    csm_trial trial;
    size_t n = 0;
    for (; n < most; n++) {
        double loss[64];
        const csm_status status = csm_tuner_ask(&trial, tuner);
        if (status == CSM_ENODATA) break;
        assert_ok(status);
        assert_true(trial.to_step > trial.from_step && trial.to_step <= 64);
        for (uint32_t s = trial.from_step; s < trial.to_step; s++)
            loss[s - trial.from_step] = step_loss(f, &trial, s);
        assert_ok(csm_tuner_tell(tuner, trial.number, loss, trial.to_step - trial.from_step));
    }
    return n;
}

static inline void assert_same_trials(const csm_tuner *a, const csm_tuner *b) {
    assert_int_equal(csm_tuner_count(a), csm_tuner_count(b));
    for (size_t i = 0; i < csm_tuner_count(a); i++) {
        csm_trial x, y;
        assert_ok(csm_tuner_trial(&x, a, i));
        assert_ok(csm_tuner_trial(&y, b, i));
        assert_int_equal(x.state, y.state);
        assert_int_equal(x.to_step, y.to_step);
        assert_memory_equal(&x.loss, &y.loss, sizeof x.loss);
        for (size_t p = 0; p < x.parameter_count; p++) {
            assert_string_equal(x.parameters[p].name, y.parameters[p].name);
            assert_memory_equal(&x.parameters[p].value, &y.parameters[p].value, sizeof(double));
        }
    }
}

#endif
