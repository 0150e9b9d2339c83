/* SPDX-License-Identifier: MIT */
/*
 * Parts of the tuner. A parameter's value has a coordinate in [0, 1] along its axis: linear, or linear in the logarithm.
 * A whole number v owns the cell between the coordinates of v - 1/2 and v + 1/2, so that every whole number of an evenly
 * drawn coordinate is as likely as its cell is wide.
 */
#ifndef CSM_MODEL_TUNE_INTERNAL_H
#define CSM_MODEL_TUNE_INTERNAL_H

#include "model/internal.h"

/* ---- axes: space.c ---- */

typedef struct tune_axis {
    char *name;
    double minimum;
    double maximum;
    double standard;
    bool integer;
    bool log_scale;
    double origin; /* of coordinate 0: minimum, less 1/2 for whole numbers, then the logarithm */
    double extent; /* coordinate 1 less coordinate 0 */
} tune_axis;

/* Copies and checks; CSM_EINVAL names the parameter. The axis is freed by tune_axis_clear, also on failure. */
csm_status tune_axis_init(tune_axis *axis, const csm_learner_parameter *parameter);
void tune_axis_clear(tune_axis *axis);
bool tune_axis_holds(const tune_axis *axis, double value);
double tune_axis_coordinate(const tune_axis *axis, double value);
double tune_axis_value(const tune_axis *axis, double coordinate);
/* The cell of a whole number. */
void tune_axis_cell(const tune_axis *axis, double value, double *low, double *high);

/* ---- Parzen estimator: parzen.c ---- */

/* Mixture of products of truncated normals: one kernel an observation, and the prior last. */
typedef struct tune_parzen {
    const tune_axis *axes;
    size_t dimensions;
    size_t kernels;
    double *log_weight; /* kernels */
    double *mean;       /* (kernels, dimensions) */
    double *deviation;
    double *below; /* normal distribution function at coordinate 0 */
    double *mass;  /* between coordinates 0 and 1 */
} tune_parzen;

/* values: (n, dimensions), oldest first. */
csm_status tune_parzen_init(tune_parzen *out, const tune_axis *axes, size_t dimensions, const double *values,
                            size_t n);
void tune_parzen_clear(tune_parzen *parzen);
/* Logarithm of the density at values[dimensions], in coordinates; of the probability along axes of whole numbers. */
double tune_parzen_log_density(const tune_parzen *parzen, const double *values);
/* A value from dimensions + 1 numbers in [0, 1). */
void tune_parzen_draw(const tune_parzen *parzen, double *values, const double *uniform);

/* ---- trials ---- */

typedef struct tune_trial {
    csm_parameter *parameters; /* dimensions; names are the axes' */
    double *loss;              /* steps; NaN where not told */
    uint32_t told;             /* steps */
    uint32_t wanted;           /* steps at the end of the rung it runs or stands at */
    csm_trial_state state;
    bool handed; /* RUNNING: asked for since this tuner was made or loaded */
} tune_trial;

struct csm_tuner {
    csm_tuner_options options; /* key: own copy */
    char *key;
    tune_axis *axes;
    size_t dimensions;
    tune_trial *trials; /* options.trials, the first `count` in use */
    size_t count;
};

/* Steps at the end of the rung that follows `told` steps: first_steps, times reduction, ..., steps. */
uint32_t tune_rung_end(const csm_tuner_options *options, uint32_t told);
/* Mean of the first `steps` losses. */
double tune_mean(const tune_trial *trial, uint32_t steps);
typedef struct tune_standing {
    size_t number;
    uint32_t steps; /* told so far; 0: failed */
    double loss;    /* mean over them */
} tune_standing;
/* Trials in the order of merit: most steps, then least mean loss; failed ones last. at 0: all trials with a word told, by
 * all their steps; else the trials with at least `at` steps, by the first `at`. New array (csm_dealloc). */
csm_status tune_rank(tune_standing **out, size_t *count, const csm_tuner *tuner, uint32_t at);
/* A stopped trial that deserves its next rung; SIZE_MAX when there is none. CSM_ENOMEM. */
csm_status tune_promote(size_t *number, const csm_tuner *tuner);
/* Values for trial `number`. */
csm_status tune_propose(double *values, const csm_tuner *tuner, size_t number);
/* Makes trial `tuner->count` with these values. */
csm_status tune_trial_add(csm_tuner *tuner, const double *values);
csm_status tune_options_check(const csm_tuner_options *options);

/* ---- state: file.c ---- */

csm_status tune_state_write(csm_buffer *out, const csm_tuner *tuner);
csm_status tune_state_read(csm_tuner **out, const void *data, size_t length);

#endif
