/* SPDX-License-Identifier: MIT */
/* What training makes, and the parts it is made of: samples of a horizon, the walk over them, what the walk proves. */
#ifndef CSM_PIPELINE_TRAINING_H
#define CSM_PIPELINE_TRAINING_H

#include "pipeline/config.h"

/* ---- settings read once from the configuration ---- */

typedef struct horizon_settings {
    csm_time horizon;
    csm_time step;   /* between training decisions */
    csm_time span;   /* rolling training length; 0: expanding */
    csm_time window; /* data looked at before as_of; 0: all */
    csm_time first;  /* training before the first test */
} horizon_settings;

/* A member of the ensemble: a learner with its parameters. */
typedef struct member_settings {
    char name[CSM_MEMBER_NAME]; /* "trees" */
    const csm_learner *learner;
    csm_parameter parameter[24];
    size_t parameter_count;
    csm_device device;
    uint32_t device_index;
    csm_precision precision;
} member_settings;

#define CSM_TUNE_FOLDS_MAX 20

typedef struct tune_settings {
    uint32_t trials; /* a horizon and member; 0: parameters stay as configured */
    uint32_t folds;
    uint32_t reduction; /* one of so many goes on to more folds */
} tune_settings;

typedef struct training_settings {
    size_t horizons;
    horizon_settings horizon[CSM_HORIZONS_MAX];
    csm_time test_span;
    csm_time recalibrate;
    double interval_level;
    uint32_t bootstrap;
    csm_rank_options rank;
    csm_fuse_options fuse;
    csm_cost_options cost;
    tune_settings tune;
    size_t members;
    member_settings member[CSM_MEMBERS_MAX];
    size_t window; /* rows that a member reads as a sequence, the decision's included; 1 where none does */
} training_settings;

csm_status csm_training_settings(training_settings *out, const csm_config *config);

/* ---- samples: the labelled rows of one horizon, by market, then time ---- */

typedef struct horizon_samples {
    size_t length;
    size_t unknown;    /* labels in gaps, left out */
    size_t unwindowed; /* decisions whose window is not complete, left out */
    csm_matrix frame;  /* borrowed: outlives the samples */
    int64_t *row;      /* of the frame */
    double *rises;     /* Y */
    double *log_return;
    double *cost;
    double *momentum; /* log return of the horizon's length before the decision; NaN when not known */
    csm_time *begin;  /* decision */
    csm_time *end;    /* matures */
    uint32_t *market;
} horizon_samples;

/* A decision counts when the `window` rows that end in it are consecutive hours of its market. */
csm_status csm_samples_make(horizon_samples *out, const csm_frame *frame, const csm_targets *targets,
                            const horizon_settings *settings, size_t window, csm_time as_of);
/* whole[r] = 1 where the `window` rows of the frame that end in r are consecutive intervals of one market. */
csm_status csm_frame_whole_windows(uint8_t *whole, const csm_frame *frame, size_t window);
/* Fills samples->momentum from the markets' bars. */
csm_status csm_samples_momentum(horizon_samples *samples, csm_context *context, const csm_store *store,
                                const csm_market *const *markets, size_t market_count, csm_time interval,
                                csm_time horizon, csm_time as_of);
void csm_samples_free(horizon_samples *samples);

/* ---- the ensemble: members that each say a direction (log-odds of rising) and an expected log return ---- */

typedef struct member_models {
    csm_model *direction;
    csm_model *expected; /* NULL: the other has two outputs, direction and return */
} member_models;

typedef struct ensemble {
    size_t members;
    size_t window;
    char name[CSM_MEMBERS_MAX][CSM_MEMBER_NAME];
    member_models member[CSM_MEMBERS_MAX];
} ensemble;

typedef struct ensemble_weights {
    size_t members;
    double score[CSM_MEMBERS_MAX];
    double expected[CSM_MEMBERS_MAX];
} ensemble_weights;

/* Trains on the rows with keep[i] != 0. CSM_ENODATA when they cannot teach anything. */
csm_status csm_ensemble_train(ensemble *out, csm_context *context, const horizon_samples *samples,
                              const uint8_t *keep, const csm_recipe *recipe,
                              const training_settings *settings, uint64_t stream);
/* The two heads of a member with one trunk: direction from column 0 of targets (n, 2), return from column 1. */
void csm_ensemble_heads(csm_head *heads, const double *targets, const double *weight, size_t n);
/* score and expected: (n, members) for n rows of the frame. */
csm_status csm_ensemble_predict(const ensemble *e, csm_context *context, const csm_matrix *frame,
                                const int64_t *row, size_t n, double *score, double *expected);
void csm_ensemble_free(ensemble *e);
double csm_ensemble_mix(const double *values, const double *weight, size_t members);
ensemble_weights csm_ensemble_equal(size_t members);
/* Weights by the out-of-fold predictions of matured rows that lie in so many disjoint blocks. */
csm_status csm_ensemble_stack(ensemble_weights *out, const csm_walk_row *rows, size_t n, size_t members,
                              double blocks);

/* ---- the walk ---- */

typedef struct horizon_walk {
    size_t length;
    size_t folds;
    size_t members;
    csm_walk_row *rows; /* by time, then market */
    double *base_rate;  /* length: base rate known at the time; NaN while none was */
    uint32_t *evidence; /* length: csm_evidence_status of what had been issued by then */
} horizon_walk;

/* Predictions of every test block by models that saw nothing of it or after it. */
csm_status csm_walk_forward(horizon_walk *out, csm_context *context, const horizon_samples *samples,
                            const csm_recipe *recipe, const training_settings *settings, size_t horizon);
/* Weights, probability, bounds and interval of each row by what had matured before it, refitted every
 * settings->recalibrate. */
csm_status csm_walk_calibrate(horizon_walk *walk, csm_context *context, const training_settings *settings,
                              csm_time horizon, size_t member);
#define CSM_WHOLE_ENSEMBLE SIZE_MAX /* as `member`; else one member is judged alone, without bounds */
/* Weights by the whole walk: those of the models that will predict. */
csm_status csm_walk_weights(ensemble_weights *out, const horizon_walk *walk, csm_time horizon);
/* Gate of each row as it would have been then: full at the gate's horizon, probability alone elsewhere. walks: one a
 * horizon of the settings. */
csm_status csm_walk_gate(horizon_walk *walks, const training_settings *settings, const csm_frame *frame);
void csm_walk_free(horizon_walk *walk);

/* Calibrator and conformal radius of the members mixed by `weights`, from matured rows; NULL and NaN where they are too few
 * to say anything. */
csm_status csm_walk_fit_calibrator(csm_calibrator **out, double *radius, const ensemble_weights *weights,
                                   const csm_walk_row *rows, size_t n, csm_time horizon, double level);
/* One-sided lower bound for the precision of predictions with at least `threshold`, over matured rows[0..n) with a
 * probability: the block bound by betting. NaN when nothing was issued at that threshold. */
csm_status csm_walk_block_bound(double *lower, const csm_walk_row *rows, size_t n, csm_time horizon,
                                double threshold);
/* Evidence of the issued set (probability >= threshold) among rows[0..n). */
csm_status csm_walk_evidence(csm_evidence *out, const csm_walk_row *rows, size_t n, csm_time horizon,
                             double threshold);

/* ---- what live features are compared with ---- */

#define CSM_DRIFT_QUANTILES 256

/* Distribution of each feature over the training's days, and how far its own windows lay from it. */
typedef struct drift_reference {
    size_t features; /* 0: the file holds none */
    size_t windows;
    csm_time window;
    float *quantile; /* (features, CSM_DRIFT_QUANTILES), ascending */
    double *psi;     /* windows: mean over features */
    double *ks;
} drift_reference;

/* Rows of midnight decisions before as_of, in windows counted from the epoch. Left empty where there are too few. */
csm_status csm_drift_reference_make(drift_reference *out, csm_context *context, const csm_frame *frame,
                                    csm_time window, csm_time as_of);
void csm_drift_reference_free(drift_reference *reference);

/* ---- the result ---- */

typedef struct horizon_result {
    csm_horizon_training facts;
    ensemble ensemble;
    ensemble_weights weights;
    csm_calibrator *calibrator;
    double radius; /* conformal, of the log return; NaN: too few rows */
    char event[CSM_HASH_TEXT];
    horizon_walk walk;
} horizon_result;

struct csm_training {
    char hash[CSM_HASH_TEXT];
    csm_time as_of;
    csm_recipe *recipe;
    size_t horizons;
    horizon_result horizon[CSM_HORIZONS_MAX];
    drift_reference drift;
    size_t markets;
    char **market; /* ids, "#EPOCH" appended from the second listing epoch on */
    char **coin;
};

/* What the finished walk of one horizon shows. */
csm_status csm_training_facts(horizon_result *result, csm_context *context,
                              const training_settings *settings);
/* One safetensors file. The hash is of its bytes. */
csm_status csm_training_save(csm_training *training, const char *path);
/* From such a file's bytes; the text of a failure does not name the file. */
csm_status csm_training_parse(csm_training **out, const void *bytes, size_t length);

#endif
