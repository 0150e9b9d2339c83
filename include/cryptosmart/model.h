/* SPDX-License-Identifier: MIT */
/*
 * model: learners behind one interface, and the splits they are trained on. A learner is one folder in src/model/ and
 * one line in models.def, which names its parameters with ranges; configuration, tuning and bindings follow from that.
 */
#ifndef CRYPTOSMART_MODEL_H
#define CRYPTOSMART_MODEL_H

#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- learners ------------------------------------------------------------------------------------------------ */

typedef enum csm_objective {
    CSM_OBJECTIVE_SQUARED = 0,  /* mean */
    CSM_OBJECTIVE_HUBER = 1,    /* mean, robust; parameter huber_delta */
    CSM_OBJECTIVE_QUANTILE = 2, /* quantile; parameter quantile */
    CSM_OBJECTIVE_LOGISTIC = 3  /* probability of y = 1; predictions are raw scores (log-odds) */
} csm_objective;

typedef struct csm_learner_parameter {
    const char *name; /* "leaves" */
    const char *text; /* one sentence */
    double minimum;
    double maximum;
    double standard;
    int32_t integer;   /* 1: whole numbers only */
    int32_t log_scale; /* 1: a tuner should search its logarithm */
} csm_learner_parameter;

/* One row of models.def. Static storage. */
typedef struct csm_learner {
    const char *name;    /* "gbt" */
    const char *title;   /* "Gradient-boosted trees, histogram, leaf-wise" */
    uint32_t objectives; /* bit (1 << csm_objective) for each it takes */
    uint32_t sequences;  /* 1 when it reads windows rather than rows */
    const csm_learner_parameter *parameters;
    size_t parameter_count;
} csm_learner;

CSM_API size_t csm_model_learner_count(void);
CSM_API const csm_learner *csm_model_learner_at(size_t index);       /* NULL past the end */
CSM_API const csm_learner *csm_model_learner_find(const char *name); /* NULL when unknown */

/* Borrowed training or prediction data. Row learners: x is (length, features), y (length, outputs). Sequence learners:
 * x is (hours, features), coin after coin and hour after hour, and sample i sees rows
 * window_end[i] - window_length + 1 .. window_end[i] of x; no window is ever materialised. No value is NaN. */
typedef struct csm_samples {
    csm_matrix x;
    csm_matrix y;              /* data NULL for prediction */
    const double *weight;      /* length; NULL: 1 */
    const int64_t *window_end; /* length; NULL for row learners */
    size_t window_length;
    size_t length;
} csm_samples;

typedef struct csm_parameter {
    const char *name;
    double value;
} csm_parameter;

typedef struct csm_train_options {
    size_t size;
    const csm_parameter *parameters; /* those not given keep their standard value */
    size_t parameter_count;
    const char *const *feature_names; /* x.cols names kept in the model; NULL: f0, f1, … */
    const csm_samples *validation;    /* for early stopping; NULL: none */
    uint32_t objective;               /* csm_objective */
    uint32_t early_stopping_rounds;   /* 0: off */
    uint64_t stream;                  /* random stream beside the context's seed */
} csm_train_options;

typedef struct csm_model csm_model; /* immutable; may be shared by threads */

CSM_API void csm_model_train_options_init(csm_train_options *options);
/* Trains. Bit-identical for any number of threads and instruction set (trees). CSM_EINVAL names the parameter or the
 * row and column of a NaN; CSM_ENODATA when nothing can be learnt (no rows, one class). */
CSM_API csm_status csm_model_train(csm_model **out, csm_context *context, const char *learner,
                                   const csm_samples *samples, const csm_train_options *options);
CSM_API void csm_model_free(csm_model *model);
/* Raw predictions: (samples->length, outputs) into the caller's memory, f64 or f32. context NULL: one thread. */
CSM_API csm_status csm_model_predict(const csm_model *model, csm_context *context, const csm_samples *samples,
                                     csm_matrix *out);

typedef struct csm_model_info {
    const char *learner; /* lives as long as the model */
    uint32_t objective;
    uint32_t outputs;
    size_t features;
    size_t rounds; /* trees or epochs kept */
    size_t trained_rows;
    double training_loss;
    double validation_loss; /* NaN without validation */
} csm_model_info;
CSM_API csm_status csm_model_describe(csm_model_info *out, const csm_model *model);
CSM_API const char *csm_model_feature_name(const csm_model *model, size_t feature); /* NULL past the end */
/* Total gain by feature (trees): `features` doubles into the caller's memory. */
CSM_API csm_status csm_model_importance(const csm_model *model, double *out, size_t features);

/* Safetensors file: JSON header + tensors, readable by PyTorch and NumPy users. Checksummed; unknown versions and
 * hostile files are refused with text. `metadata_json` (object or NULL) is kept in the header. */
CSM_API csm_status csm_model_save(const csm_model *model, const char *path, const char *metadata_json);
CSM_API csm_status csm_model_load(csm_model **out, const char *path);

/* ---- ensembles ------------------------------------------------------------------------------------------------- */

#define CSM_STACK_MEMBERS_MAX 8

/* Weights for mixing the members of an ensemble: none negative, sum 1, least mean loss of the mixture on out-of-fold
 * predictions plus shrink/2 * |weight - 1/members|^2, which keeps them near equal where the evidence is thin (Breiman
 * 1996, "Stacked regressions"; van der Laan, Polley & Hubbard 2007). weight: prediction->cols doubles, 1..8 of them;
 * prediction: (n, members), raw as csm_model_predict gives them; y: n; sample_weight: n, NULL: 1. Objective SQUARED or
 * LOGISTIC (predictions are log-odds). CSM_ENODATA without rows or weight. */
CSM_API csm_status csm_model_stack(double *weight, const csm_matrix *prediction, const double *y,
                                   const double *sample_weight, size_t n, uint32_t objective, double shrink);

/* ---- trees: prediction --------------------------------------------------------------------------------------- */

typedef enum csm_result {
    CSM_RESULT_RAW = 0, /* raw scores, as csm_model_predict */
    CSM_RESULT_RESPONSE =
        1,              /* through the link: probabilities for logistic and softmax, exp for Poisson, ... */
    CSM_RESULT_LEAF = 2 /* by tree, number of the leaf that a row falls in, counted from the left */
} csm_result;

typedef struct csm_predictor_options {
    size_t size;
    size_t rounds;        /* only the first ones; 0 (default): all */
    size_t stage;         /* also after each `stage` rounds; 0 (default): after the last only */
    uint32_t result;      /* csm_result; default CSM_RESULT_RAW */
    uint32_t concurrency; /* threads at once that memory is set aside for; default 1; more allocate once */
} csm_predictor_options;

/* A model of trees made ready: batches in blocks of rows, single rows by walking trees side by side. Independent of the
 * model. May be shared by threads; allocates nothing in a call (csm_predictor_run with a context of several threads
 * starts them). Same bits as csm_model_predict. */
typedef struct csm_predictor csm_predictor;

CSM_API void csm_predictor_options_init(csm_predictor_options *options);
/* CSM_EUNSUPPORTED for a model that is not made of trees. */
CSM_API csm_status csm_predictor_new(csm_predictor **out, const csm_model *model,
                                     const csm_predictor_options *options);
CSM_API void csm_predictor_free(csm_predictor *predictor);
/* Columns of a result: outputs (times stages, stage after stage), or trees for CSM_RESULT_LEAF. */
CSM_API size_t csm_predictor_columns(const csm_predictor *predictor);
/* x: (rows, features) of any stride and type; out: (rows, columns). context NULL: one thread. CSM_EINVAL names the row
 * and column of a value that is not a finite float (NaN passes where the model takes missing values). */
CSM_API csm_status csm_predictor_run(const csm_predictor *predictor, csm_context *context,
                                     const csm_matrix *x, csm_matrix *out);
/* One row of `features` floats into `columns` doubles. */
CSM_API csm_status csm_predictor_row(const csm_predictor *predictor, const float *row, size_t features,
                                     double *out, size_t columns);

/* ---- splits (STATISTICS "Fit, without leaks") ------------------------------------------------------------------ */

/* Half-open spans of decision times. train | purge | validate | purge | test; a span of zero length is empty. Each purge
 * is one horizon long: train_to = validate_from - horizon (test_from - horizon without validation), validate_to =
 * test_from - horizon. csm_model_purge then drops labels that last longer than the horizon. */
typedef struct csm_fold {
    csm_time train_from;
    csm_time train_to;
    csm_time validate_from;
    csm_time validate_to;
    csm_time test_from;
    csm_time test_to;
} csm_fold;

typedef struct csm_walk_options {
    size_t size;
    csm_time from;          /* first decision */
    csm_time to;            /* end of decisions, exclusive */
    csm_time horizon;       /* label length, for the purge */
    csm_time first_train;   /* before the first test, purges and validation included, > 0 */
    csm_time test_span;     /* length of each test block, > 0 */
    csm_time train_span;    /* rolling length of train; 0: expanding from `from` */
    csm_time validate_span; /* length of validate; 0: none */
} csm_walk_options;

CSM_API void csm_model_walk_options_init(csm_walk_options *options);
/* Walk-forward folds in order of time; *count is set even when it exceeds capacity (then CSM_EINVAL). CSM_ENODATA when
 * nothing is left to test after first_train. */
CSM_API csm_status csm_model_walk_forward(csm_fold *folds, size_t capacity, size_t *count,
                                          const csm_walk_options *options);
/* keep[i] = 1 when decision begin[i] lies in [from, to) and its label ends at or before `limit`, else 0. */
CSM_API csm_status csm_model_purge(uint8_t *keep, const csm_time *begin, const csm_time *end, size_t n,
                                   csm_time from, csm_time to, csm_time limit);
/* Average uniqueness of overlapping labels [begin, end) within each group (coin): 1 / concurrency averaged over the
 * label's life (Lopez de Prado 2018, ch. 4.4). out: n values in (0, 1]. */
CSM_API csm_status csm_model_uniqueness(double *out, const csm_time *begin, const csm_time *end,
                                        const uint32_t *group, size_t n);

#ifdef __cplusplus
}
#endif
#endif
