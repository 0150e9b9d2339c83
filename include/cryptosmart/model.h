/* SPDX-License-Identifier: MIT */
/*
 * model: learners behind one interface, and the splits they are trained on. A learner is one folder in src/model/ and
 * one line in models.def, which names its parameters with ranges; configuration, tuning and bindings follow from that.
 */
#ifndef CRYPTOSMART_MODEL_H
#define CRYPTOSMART_MODEL_H

#include <cryptosmart/backend.h>
#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- learners ------------------------------------------------------------------------------------------------ */

typedef enum csm_objective {
    CSM_OBJECTIVE_SQUARED = 0,  /* mean */
    CSM_OBJECTIVE_HUBER = 1,    /* mean, robust; parameter huber_delta */
    CSM_OBJECTIVE_QUANTILE = 2, /* quantile; parameter quantile */
    CSM_OBJECTIVE_LOGISTIC = 3, /* probability of y = 1; predictions are raw scores (log-odds) */
    CSM_OBJECTIVE_LAMBDARANK =
        4 /* order within each group of samples (trees); y is a relevance within 0..31 */
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
 * window_end[i] - window_length + 1 .. window_end[i] of x; no window is ever materialised. No value is NaN, unless
 * the learner's parameter `missing` is 1. */
typedef struct csm_samples {
    csm_matrix x;
    csm_matrix y;              /* data NULL for prediction */
    const double *weight;      /* length; NULL: 1 */
    const int64_t *window_end; /* length; NULL for row learners */
    size_t window_length;
    size_t length;
    const uint32_t
        *group; /* length; LambdaRank: rows of one date share a number and stand together; else NULL */
} csm_samples;

/* One output of a model: what it predicts, from which column of y, and how much it counts beside the others where they
 * share a trunk (LSTM). */
typedef struct csm_head {
    uint32_t objective; /* csm_objective */
    uint32_t column;    /* of y */
    double parameter;   /* QUANTILE: the quantile, 0..1; HUBER: delta, > 0; else not read */
    double weight;      /* of its loss, > 0 */
} csm_head;

typedef struct csm_parameter {
    const char *name;
    double value;
} csm_parameter;

typedef struct csm_model csm_model; /* immutable; may be shared by threads */

typedef struct csm_train_options {
    size_t size;
    const csm_parameter *parameters; /* those not given keep their standard value */
    size_t parameter_count;
    const char *const *feature_names; /* x.cols names kept in the model; NULL: f0, f1, … */
    const csm_samples *validation;    /* for early stopping; NULL: none */
    uint32_t objective;               /* csm_objective */
    uint32_t early_stopping_rounds;   /* 0: off */
    uint64_t stream;                  /* random stream beside the context's seed */
    const csm_head *heads; /* outputs of the model (LSTM, trees); NULL: `objective` for each column of y */
    size_t head_count;
    const char *checkpoint; /* file (LSTM): written after each epoch, resumed from when there; NULL: none */
    const uint8_t *categorical; /* x.cols (trees); 1: whole numbers from 0 that name categories; NULL: none */
    const int8_t
        *monotone; /* x.cols (trees); +1: predictions never fall as the feature grows, -1: never rise */
    const csm_model *start; /* trees: those of this model come first, and training goes on; NULL: none */
    const char *metric; /* trees: early stopping watches "loss" "rmse" "mae" "auc" or "ndcg"; NULL: "loss" */
    uint32_t device;    /* csm_device; the trained model is the same kind of object wherever it was trained */
    uint32_t device_index; /* of csm_backend_device_info */
    uint32_t precision;    /* csm_precision, CUDA LSTM */
    uint32_t reserved;
} csm_train_options;

CSM_API void csm_model_train_options_init(csm_train_options *options);
/* Trains. Bit-identical for any number of threads, and for any instruction set (not the LSTM). CSM_EINVAL names the
 * parameter or the row and column of a NaN; CSM_ENODATA when nothing can be learnt (no rows, one class). A training that
 * resumes from its checkpoint ends with the same bits; the checkpoint of another training is refused (CSM_EINVAL) and a
 * finished one stays for the caller to remove. CSM_EUNSUPPORTED when the learner has no kernels for the device; CSM_EDEVICE
 * and CSM_ENOMEM when the card cannot: the CPU is then the caller's to choose. */
CSM_API csm_status csm_model_train(csm_model **out, csm_context *context, const char *learner,
                                   const csm_samples *samples, const csm_train_options *options);
/* Trees: a copy whose splits stay and whose leaves become decay * old + (1 - decay) * what these samples give, tree after
 * tree (LightGBM's refit). Objective and parameters are the model's; heads as it was trained with, NULL for one objective. A leaf
 * that no row reaches stays. CSM_EUNSUPPORTED for other learners. */
CSM_API csm_status csm_model_refit(csm_model **out, csm_context *context, const csm_model *model,
                                   const csm_samples *samples, const csm_head *heads, double decay);
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
/* What the model was trained with, in the order of its learner's table; CSM_EINVAL past the end. */
CSM_API csm_status csm_model_parameter(csm_parameter *out, const csm_model *model, size_t index);
CSM_API const char *csm_model_feature_name(const csm_model *model, size_t feature); /* NULL past the end */
/* Total gain by feature (trees): `features` doubles into the caller's memory. */
CSM_API csm_status csm_model_importance(const csm_model *model, double *out, size_t features);

/* Safetensors file: JSON header + tensors, readable by PyTorch and NumPy users. Checksummed; unknown versions and
 * hostile files are refused with text. `metadata_json` (object or NULL) is kept in the header. */
CSM_API csm_status csm_model_save(const csm_model *model, const char *path, const char *metadata_json);
CSM_API csm_status csm_model_load(csm_model **out, const char *path);

/* ---- ensembles ------------------------------------------------------------------------------------------------- */

#define CSM_STACK_MEMBERS_MAX 8

/* Weights for mixing the members of an ensemble: none negative, least mean loss of the weighted sum on out-of-fold
 * predictions plus shrink/2 * |weight - 1/members|^2, which keeps them near the mean where the evidence is thin (Breiman
 * 1996, "Stacked regressions"). Members that see different things add up to more than 1, members that see nothing to
 * less. weight: prediction->cols doubles, 1..8 of them;
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

/* ---- trees: explanation -------------------------------------------------------------------------------------- */

/* Shapley values of raw scores: how much each feature moved a row's prediction away from the expected one (Lundberg et al.
 * 2020, "From local explanations to global understanding with explainable AI for trees"). Exact; a row's contributions
 * and the expected value add up to its prediction. */
typedef struct csm_explainer
    csm_explainer; /* immutable; independent of the model; may be shared by threads */

typedef struct csm_explainer_options {
    size_t size;
    const csm_matrix *background; /* (rows, features): features outside a coalition take these rows' values
                                     ("interventional"). NULL (default): they follow the training rows down the path
                                     ("path-dependent"; the model must know its nodes' covers) */
} csm_explainer_options;

CSM_API void csm_explainer_options_init(csm_explainer_options *options);
/* CSM_EUNSUPPORTED for a model that is not made of trees or lacks covers, or with paths of more distinct features than
 * 256 (64 against a background). */
CSM_API csm_status csm_explainer_new(csm_explainer **out, const csm_model *model,
                                     const csm_explainer_options *options);
CSM_API void csm_explainer_free(csm_explainer *explainer);
/* out (rows, outputs * (features + 1)): for each output, a contribution for each feature, then the expected value.
 * context NULL: one thread. Same bits for any number of threads and instruction set. */
CSM_API csm_status csm_explainer_values(const csm_explainer *explainer, csm_context *context,
                                        const csm_matrix *x, csm_matrix *out);
/* out (rows, outputs * (features + 1)^2): for each output a symmetric matrix whose rows add up to the contributions; the
 * expected value stands in its last corner. CSM_EUNSUPPORTED with a background. */
CSM_API csm_status csm_explainer_interactions(const csm_explainer *explainer, csm_context *context,
                                              const csm_matrix *x, csm_matrix *out);
/* Mean absolute contribution over rows: outputs * features doubles. CSM_ENODATA without rows. */
CSM_API csm_status csm_explainer_importance(const csm_explainer *explainer, csm_context *context,
                                            const csm_matrix *x, double *out, size_t columns);
/* How often each feature is split on: `features` doubles. (Its gain: csm_model_importance.) */
CSM_API csm_status csm_model_split_counts(const csm_model *model, double *out, size_t features);

/* ---- trees: interchange -------------------------------------------------------------------------------------- */

typedef enum csm_exchange {
    CSM_EXCHANGE_LIGHTGBM = 0, /* LightGBM's text model, v2 to v4; read and written (v4) */
    CSM_EXCHANGE_XGBOOST = 1,  /* XGBoost's JSON model; read */
    CSM_EXCHANGE_ONNX = 2,     /* written: x -> raw, response (ai.onnx.ml 3, opset 15) */
    CSM_EXCHANGE_JSON = 3,     /* written: one object a node */
    CSM_EXCHANGE_GRAPHVIZ = 4  /* written: DOT, one cluster a tree */
} csm_exchange;

/* Reads a model of another library; its raw predictions of float data are reproduced to 1e-6 (theirs may be sums of
 * floats), missing values, categories, several outputs and DART weights included. Linear trees, gblinear, vector leaves
 * and unknown objectives are CSM_EUNSUPPORTED with text; anything malformed is CSM_EPARSE. */
CSM_API csm_status csm_model_import(csm_model **out, const char *path, uint32_t format);
/* Writes the first `rounds` rounds (0: all) of a model of trees. CSM_EUNSUPPORTED names what a format cannot express. */
CSM_API csm_status csm_model_export(const csm_model *model, const char *path, uint32_t format, size_t rounds);

/* ---- sequences ------------------------------------------------------------------------------------------------- */

/* Hours a window must hold for this model; 0: it reads rows. */
CSM_API size_t csm_model_window_length(const csm_model *model);
/* How far the members of a deep ensemble (Lakshminarayanan, Pritzel & Blundell 2017) and `passes` passes of each with
 * dropout (Gal & Ghahramani 2016) differ: mean and standard deviation of raw predictions, (length, outputs) each. passes 0:
 * without dropout. One network and no dropout give deviation 0. Same seed, same numbers. CSM_EUNSUPPORTED for other
 * learners. */
CSM_API csm_status csm_model_spread(const csm_model *model, csm_context *context, const csm_samples *samples,
                                    uint32_t passes, csm_matrix *mean, csm_matrix *deviation);
/* Integrated gradients (Sundararajan, Taly & Yan 2017) of sample's raw prediction `output`, from a window that holds each
 * feature's training mean: out (window_length, features), hour by hour. *base is the prediction for that window, and
 * *error what the sum of out lacks of prediction - base; it shrinks with `steps`, 1..1024 (64 is usual), of the path. */
CSM_API csm_status csm_model_integrated_gradients(const csm_model *model, csm_context *context,
                                                  const csm_samples *samples, size_t sample, uint32_t output,
                                                  uint32_t steps, csm_matrix *out, double *base,
                                                  double *error);

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

/* ---- tuning ---------------------------------------------------------------------------------------------------- */

/* A search for good parameters: a tree-structured Parzen estimator (Bergstra et al. 2011) proposes, successive halving
 * (Jamieson & Talwalkar 2016, in the asynchronous form of Li et al. 2020) decides which proposals deserve more steps. A
 * step is one part of an evaluation, such as one fold; the loss of a trial is the mean over its steps. What is proposed
 * depends on seed, trial number and what was told before, and on nothing else. One thread at a time. */
typedef struct csm_tuner csm_tuner;

#define CSM_TUNER_PARAMETERS_MAX 64

typedef struct csm_tuner_options {
    size_t size;
    uint64_t seed;   /* 1 */
    uint32_t trials; /* parameter settings to try, 1..10000; 50 */
    uint32_t steps;  /* of a full evaluation, 1..1000; 1 */
    uint32_t
        first_steps; /* before a trial is first compared, 1..steps; 1. Each rung has `reduction` times as many */
    uint32_t reduction; /* one of so many goes on to the next rung, 2..100; 3 */
    uint32_t startup; /* trials drawn evenly before the estimator proposes; 10. >= trials: a random search */
    uint32_t candidates; /* proposals the estimator chooses from, 1..10000; 24 */
    const char *key;     /* names what is searched, a hash of data and recipe say; copied. NULL: "" */
} csm_tuner_options;

typedef enum csm_trial_state {
    CSM_TRIAL_RUNNING = 0, /* asked for, not told yet */
    CSM_TRIAL_STOPPED = 1, /* its rung is told; goes on when it is among the best of its rung */
    CSM_TRIAL_COMPLETE = 2,
    CSM_TRIAL_FAILED = 3 /* a loss was not finite: the worst of all */
} csm_trial_state;

typedef struct csm_trial {
    size_t number;                   /* from 0 in the order of proposal; 0 has the standard values */
    const csm_parameter *parameters; /* lives as long as the tuner */
    size_t parameter_count;
    uint32_t
        from_step; /* asked: steps [from_step, to_step) are wanted; else 0 and the number of steps told */
    uint32_t to_step;
    uint32_t state; /* csm_trial_state */
    uint32_t reserved;
    double loss; /* mean over the steps told; NaN: none, or failed */
} csm_trial;

CSM_API void csm_tuner_options_init(csm_tuner_options *options);
/* `space`: what is searched, a learner's table or a narrower list; copied. `standard` is the first trial. log_scale
 * needs minimum > 0. */
CSM_API csm_status csm_tuner_new(csm_tuner **out, const csm_learner_parameter *space, size_t count,
                                 const csm_tuner_options *options);
CSM_API void csm_tuner_free(csm_tuner *tuner);
/* The next steps worth evaluating: of a promoted trial, or of a new one. CSM_ENODATA when all is done, or when what is
 * left depends on trials that were asked for and not told yet. */
CSM_API csm_status csm_tuner_ask(csm_trial *out, csm_tuner *tuner);
/* Losses of the steps asked for, count = to_step - from_step, lower is better. One that is not finite fails the trial. */
CSM_API csm_status csm_tuner_tell(csm_tuner *tuner, size_t number, const double *loss, size_t count);
/* The trial of least loss among those that got furthest; CSM_ENODATA when none was told. */
CSM_API csm_status csm_tuner_best(csm_trial *out, const csm_tuner *tuner);
CSM_API size_t csm_tuner_count(const csm_tuner *tuner); /* trials proposed so far */
CSM_API csm_status csm_tuner_trial(csm_trial *out, const csm_tuner *tuner, size_t number);
CSM_API const char *csm_tuner_key(const csm_tuner *tuner);
/* State as a checksummed safetensors file; what was asked for and not told is asked for again after a load. A load gives
 * a tuner that goes on as the saved one would have; damaged and hostile files are refused. */
CSM_API csm_status csm_tuner_save(const csm_tuner *tuner, const char *path);
CSM_API csm_status csm_tuner_load(csm_tuner **out, const char *path);

/* After each evaluation, before the state is saved: the hook of a trial register. A status other than CSM_OK ends the
 * search with it. A trial may be handed over again after a kill; (key, number, to_step) tells. */
typedef csm_status (*csm_trial_fn)(void *user, const csm_tuner *tuner, const csm_trial *trial);

typedef struct csm_tune_options {
    size_t size;
    const csm_parameter *fixed; /* parameters that are not searched; others keep their standard value */
    size_t fixed_count;
    const char *path;   /* state saved after each evaluation; NULL: not saved */
    csm_trial_fn trial; /* NULL: none */
    void *user;
    uint64_t stream;       /* random stream of the trainings; fold f trains with stream + f in every trial */
    uint32_t objective;    /* csm_objective: trained with and scored by, on raw predictions */
    uint32_t device;       /* as in csm_train_options, and so are the last two */
    const csm_head *heads; /* as in csm_train_options; the loss is their losses' mean by their weights */
    size_t head_count;
    const uint8_t *categorical; /* as in csm_train_options */
    const int8_t *monotone;
    uint32_t device_index;
    uint32_t precision;
} csm_tune_options;

CSM_API void csm_tune_options_init(csm_tune_options *options);
/* Runs the tuner to its end: step f trains on fold f's training rows, purged by begin and end (samples->length each),
 * and scores its test rows with the objective's loss, weights respected. The tuner needs as many steps as folds, and
 * searches parameters of this learner; those that define the loss (quantile, huber_delta) cannot be searched. The result
 * is csm_tuner_best. CSM_ECANCELLED between two trainings; CSM_ENODATA names a fold without rows to learn from or to
 * score. */
CSM_API csm_status csm_model_tune(csm_tuner *tuner, csm_context *context, const char *learner,
                                  const csm_samples *samples, const csm_time *begin, const csm_time *end,
                                  const csm_fold *folds, size_t fold_count, const csm_tune_options *options);

/* ---- combinatorial purged cross-validation ------------------------------------------------------------------------------ */

typedef enum csm_split_part {
    CSM_PART_NONE = 0, /* purged or embargoed */
    CSM_PART_TRAIN = 1,
    CSM_PART_TEST = 2
} csm_split_part;
/* How many ways there are to test `tests` of `groups` groups: groups! / (tests! (groups - tests)!). 2..32 groups, 1 <= tests < groups. */
CSM_API csm_status csm_model_combinations(uint64_t *count, uint32_t groups, uint32_t tests);
/* One of them (Lopez de Prado 2018, chapters 7 and 12). Rows are cut into groups of about equal size in order of `begin`, at its
 * changes; the groups of combination 0..count-1 in lexicographic order are tested. part[n] gets a csm_split_part each: a row trains
 * unless its label overlaps the span of a tested group's labels, or its decision lies less than `embargo` after it. Give an embargo
 * of max(horizon, longest feature memory). */
CSM_API csm_status csm_model_combinatorial(uint8_t *part, const csm_time *begin, const csm_time *end,
                                           size_t n, uint32_t groups, uint32_t tests, uint64_t combination,
                                           csm_time embargo);

/* ---- regimes --------------------------------------------------------------------------------------------------------- */

/* Hidden Markov model with Gaussian emissions, features independent within a state: regimes of volatility and trend. States are
 * ordered by the mean of the first feature. Immutable; probabilities are filtered, of a state given its past and present
 * alone, never smoothed by the future. */
typedef struct csm_hmm csm_hmm;
typedef struct csm_hmm_options {
    size_t size;
    uint32_t states;     /* 2..16; default 2 */
    uint32_t iterations; /* of Baum-Welch, at most; default 200 */
    double tolerance;    /* gain of log-likelihood per row that ends it; default 1e-7; 0: all iterations */
    double floor;        /* of a state's variance, as share of the feature's; 0..1; default 1e-4 */
} csm_hmm_options;
typedef struct csm_hmm_info {
    uint32_t states;
    uint32_t iterations; /* made; 0 for csm_hmm_from */
    size_t features;
    double log_likelihood; /* of the rows it was fitted on; NaN for csm_hmm_from */
} csm_hmm_info;
CSM_API void csm_hmm_options_init(csm_hmm_options *options);
/* x: (rows in order of time, features), finite. Baum-Welch from equal shares of the rows by first feature, or from `initial`, which
 * then also says how many states. CSM_ENODATA with fewer than 10 rows a state or a feature that never varies. */
CSM_API csm_status csm_hmm_fit(csm_hmm **out, csm_context *context, const csm_matrix *x,
                               const csm_hmm *initial, const csm_hmm_options *options);
/* From its parameters: start[states], transition[states * states] with rows that sum to 1, mean and variance
 * [states * features]. States keep the given order. */
CSM_API csm_status csm_hmm_from(csm_hmm **out, uint32_t states, size_t features, const double *start,
                                const double *transition, const double *mean, const double *variance);
/* Copies the parameters; each may be NULL. */
CSM_API csm_status csm_hmm_parameters(const csm_hmm *hmm, double *start, double *transition, double *mean,
                                      double *variance);
CSM_API csm_status csm_hmm_describe(csm_hmm_info *out, const csm_hmm *hmm);
/* probability: (rows, states), doubles. log_likelihood may be NULL. */
CSM_API csm_status csm_hmm_filter(csm_matrix *probability, double *log_likelihood, const csm_hmm *hmm,
                                  const csm_matrix *x);
/* Filtered probabilities (rows, states) along a series, said by models that knew nothing later: a model is fitted on all rows before
 * `first`, again after every `every` rows, and each says the rows up to the next fit. Rows before `first` are NaN. Errors as csm_hmm_fit. */
CSM_API csm_status csm_hmm_walk(csm_matrix *probability, csm_context *context, const csm_matrix *x,
                                size_t first, size_t every, const csm_hmm_options *options);
/* One row later: probability[states], all zero before the first row; row[features]. The same bits as csm_hmm_filter. */
CSM_API csm_status csm_hmm_step(double *probability, const csm_hmm *hmm, const double *row);
CSM_API void csm_hmm_free(csm_hmm *hmm);

#ifdef __cplusplus
}
#endif
#endif
