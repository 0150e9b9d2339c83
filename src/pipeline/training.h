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
    csm_parameter learner[8];
    size_t learner_count;
} training_settings;

csm_status csm_training_settings(training_settings *out, const csm_config *config);

/* ---- samples: the labelled rows of one horizon, by market, then time ---- */

typedef struct horizon_samples {
    size_t length;
    size_t features;
    size_t unknown; /* labels in gaps, left out */
    float *x;       /* (length, features) */
    double *rises;  /* Y */
    double *log_return;
    double *cost;
    double *momentum; /* log return of the horizon's length before the decision; NaN when not known */
    csm_time *begin;  /* decision */
    csm_time *end;    /* matures */
    uint32_t *market;
} horizon_samples;

csm_status csm_samples_make(horizon_samples *out, const csm_frame *frame, const csm_targets *targets,
                            const horizon_settings *settings, csm_time as_of);
/* Fills samples->momentum from the markets' bars. */
csm_status csm_samples_momentum(horizon_samples *samples, csm_context *context, const csm_store *store,
                                const csm_market *const *markets, size_t market_count, csm_time interval,
                                csm_time horizon, csm_time as_of);
void csm_samples_free(horizon_samples *samples);

/* ---- a pair of models: direction (log-odds of rising) and expected log return ---- */

typedef struct model_pair {
    csm_model *direction;
    csm_model *expected;
} model_pair;

/* Trains on the rows with keep[i] != 0. CSM_ENODATA when they cannot teach anything. */
csm_status csm_pair_train(model_pair *out, csm_context *context, const horizon_samples *samples,
                          const uint8_t *keep, const csm_recipe *recipe, const training_settings *settings,
                          uint64_t stream);
/* score and expected: n values each, for n rows of features. */
csm_status csm_pair_predict(const model_pair *pair, csm_context *context, const float *x, size_t n,
                            size_t features, double *score, double *expected);
void csm_pair_free(model_pair *pair);

/* ---- the walk ---- */

typedef struct horizon_walk {
    size_t length;
    size_t folds;
    csm_walk_row *rows; /* by time, then market */
    double *base_rate;  /* length: base rate known at the time; NaN while none was */
    uint32_t *evidence; /* length: csm_evidence_status of what had been issued by then */
} horizon_walk;

/* Predictions of every test block by models that saw nothing of it or after it. */
csm_status csm_walk_forward(horizon_walk *out, csm_context *context, const horizon_samples *samples,
                            const csm_recipe *recipe, const training_settings *settings, size_t horizon);
/* Probability, bounds and interval of each row by what had matured before it, refitted every settings->recalibrate. */
csm_status csm_walk_calibrate(horizon_walk *walk, csm_context *context, const training_settings *settings,
                              csm_time horizon);
/* Gate of each row as it would have been then: full at the gate's horizon, probability alone elsewhere. walks: one a
 * horizon of the settings. */
csm_status csm_walk_gate(horizon_walk *walks, const training_settings *settings, const csm_frame *frame);
void csm_walk_free(horizon_walk *walk);

/* Calibrator and conformal radius from matured rows; NULL and NaN where they are too few to say anything. */
csm_status csm_walk_fit_calibrator(csm_calibrator **out, double *radius, const csm_walk_row *rows, size_t n,
                                   csm_time horizon, double level);
/* One-sided lower bound for the precision of predictions with at least `threshold`, over matured rows[0..n) with a
 * probability: the block bound by betting. NaN when nothing was issued at that threshold. */
csm_status csm_walk_block_bound(double *lower, const csm_walk_row *rows, size_t n, csm_time horizon,
                                double threshold);
/* Evidence of the issued set (probability >= threshold) among rows[0..n). */
csm_status csm_walk_evidence(csm_evidence *out, const csm_walk_row *rows, size_t n, csm_time horizon,
                             double threshold);

/* ---- the result ---- */

typedef struct horizon_result {
    csm_horizon_training facts;
    model_pair pair;
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
    size_t markets;
    char **market; /* ids, "#EPOCH" appended from the second listing epoch on */
    char **coin;
};

/* What the finished walk of one horizon shows. */
csm_status csm_training_facts(horizon_result *result, csm_context *context,
                              const training_settings *settings);
/* One safetensors file. The hash is of its bytes. */
csm_status csm_training_save(csm_training *training, const char *path);

#endif
