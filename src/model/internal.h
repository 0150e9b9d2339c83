/* SPDX-License-Identifier: MIT */
/* What a learner gives to the model interface, and how other stages put models into their own files. */
#ifndef CSM_MODEL_INTERNAL_H
#define CSM_MODEL_INTERNAL_H

#include <cryptosmart/model.h>

#include "core/internal.h"
#include "model/safetensors.h"

/* One training run. Samples are checked: shapes agree, y and weights are finite, weights are not negative. */
typedef struct csm_train_job {
    csm_context *context;
    const csm_samples *samples;
    const csm_samples *validation; /* NULL: none */
    const double *values;          /* one for each of the learner's parameters, in their order, in range */
    csm_objective objective;
    uint32_t early_stopping_rounds;
    uint64_t stream;
    const csm_head *heads; /* head_count, checked; what the caller left out is filled in */
    size_t head_count;
    const char *checkpoint; /* NULL: none */
    const uint8_t *categorical;
    const int8_t *monotone;
    const void *start; /* the state of a model of the same learner; NULL: none */
    const char *metric;
    csm_device device;
    uint32_t device_index;
    csm_precision precision;
} csm_train_job;

/* A learner: `about` is the public row; the functions work on its own trained state. train and read fill the rounds and
 * losses of `info`, whose other members are set before. */
typedef struct csm_learner_class {
    csm_learner about;
    csm_status (*train)(void **state, csm_model_info *info, const csm_train_job *job);
    csm_status (*predict)(const void *state, csm_context *context, const csm_samples *samples,
                          csm_matrix *out);
    void (*free)(void *state);
    csm_status (*importance)(const void *state, double *out); /* NULL: the learner has none */
    csm_status (*write)(const void *state, csm_tensors_writer *writer, const char *prefix);
    csm_status (*read)(void **state, const csm_model_info *info, const csm_tensors *tensors,
                       const char *prefix);
    /* The rest is for learners with heads and windows; NULL elsewhere. */
    csm_status (*spread)(const void *state, csm_context *context, const csm_samples *samples, uint32_t passes,
                         csm_matrix *mean, csm_matrix *deviation);
    csm_status (*gradients)(const void *state, csm_context *context, const csm_samples *samples,
                            size_t sample, uint32_t output, uint32_t steps, csm_matrix *out, double *base,
                            double *error);
    size_t (*window)(const void *state);
    /* Trees: heads, and the training options that are theirs alone. */
    csm_status (*refit)(void **state, const void *old, const csm_train_job *job, double decay);
    bool cuda; /* trains on CSM_DEVICE_CUDA too */
} csm_learner_class;

/* NULL when unknown. */
const csm_learner_class *csm_learner_class_find(const char *name);

struct csm_model {
    const csm_learner_class *learner;
    void *state;
    csm_model_info info;
    char **feature_names; /* info.features */
    double *values;       /* parameters, learner->about.parameter_count */
};

/* A model of this shape without state; names are copied (NULL: f0, f1, ...), values too. */
csm_status csm_model_new(csm_model **out, const csm_learner_class *learner, const csm_model_info *info,
                         const char *const *feature_names, const double *values);

/* Resolves options->parameters against the learner's table into values[parameter_count]. */
csm_status csm_model_parameters(double *values, const csm_learner *learner, const csm_parameter *parameters,
                                size_t count);

/* Heads of a training: the caller's, checked against the learner and y, or one of `objective` for each column of y with
 * the learner's own parameter. csm_dealloc. */
csm_status csm_heads_resolve(csm_head **out, size_t *count, const csm_learner_class *learner,
                             const csm_samples *samples, const csm_train_options *options,
                             const double *values);

/* Checks shapes and y, weight, window_end; not x, which learners check while they read it. */
csm_status csm_samples_check(const csm_samples *samples, const csm_learner *learner, csm_objective objective,
                             size_t features, const char *what);

/* Puts a model under a name prefix into a file with other content, and takes it out again. */
csm_status csm_model_write(csm_tensors_writer *writer, const char *prefix, const csm_model *model);
csm_status csm_model_read(csm_model **out, const csm_tensors *tensors, const char *prefix);

#endif
