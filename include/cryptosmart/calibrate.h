/* SPDX-License-Identifier: MIT */
/* calibrate: scores into probabilities that were checked, their bounds, the evidence behind them, and the gate. Words
 * are those of STATISTICS (docs/calibrate.md). All of it is pure computation over the caller's arrays. */
#ifndef CRYPTOSMART_CALIBRATE_H
#define CRYPTOSMART_CALIBRATE_H

#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- calibrators --------------------------------------------------------------------------------------------- */

/* g is the logistic function; the score is meant as log-odds. The parametric three use Platt's prior targets and slopes
 * of 0 or above. Asked for with fewer blocks than stated a method is CSM_ENODATA. */
typedef enum csm_calibration {
    CSM_CALIBRATION_AUTO =
        0, /* by blocks: Platt under 100, isotonic from there on; or by csm_calibrator_choose */
    CSM_CALIBRATION_PLATT = 1,    /* logit p = slope s + intercept (Platt 1999) */
    CSM_CALIBRATION_ISOTONIC = 2, /* pool adjacent violators (Ayer et al. 1955); from 100 blocks */
    CSM_CALIBRATION_BETA = 3, /* logit p = slope ln g(s) - slope_high ln(1 - g(s)) + intercept (Kull, Silva
                                     * Filho & Flach 2017) */
    CSM_CALIBRATION_TEMPERATURE = 4, /* logit p = slope s, slope = 1 / T (Guo et al. 2017); from 30 blocks */
    CSM_CALIBRATION_VENN_ABERS = 5 /* p1 / (1 - p0 + p1) of the inductive Venn-Abers pair; from 100 blocks */
} csm_calibration;
#define CSM_CALIBRATIONS 6 /* csm_calibration values */
/* "Platt", "isotonic", "beta", "temperature", "Venn-Abers"; "auto" for 0; "unknown" beyond. */
CSM_API const char *csm_calibration_name(uint32_t method);

typedef struct csm_calibrator csm_calibrator; /* immutable */

typedef struct csm_calibrator_options {
    size_t size;
    uint32_t method;  /* csm_calibration */
    uint32_t matured; /* 1 when the scores are matured out-of-fold predictions: the gate asks for it */
    double blocks;    /* disjoint horizon blocks behind the scores (csm_calibrate_blocks); required, > 0 */
} csm_calibrator_options;

CSM_API void csm_calibrator_options_init(csm_calibrator_options *options);
/* score, outcome (0 or 1), weight (NULL: 1; else 0 or 1e-100..1e100): n each. CSM_ENODATA with one class or fewer than 2
 * rows. Under 30 blocks every probability is shrunk by `shrinkage` = 1 - blocks / 30 toward
 * min(base_rate, (blocks * base_rate + 1) / (blocks + 2)), whatever the method. */
CSM_API csm_status csm_calibrator_fit(csm_calibrator **out, const double *score, const double *outcome,
                                      const double *weight, size_t n, const csm_calibrator_options *options);
/* As csm_calibrator_fit, with the method of least log loss on purged folds when options->method is AUTO. begin, end: each
 * row's label, from its decision to its outcome. Folds go forward in time: the later half of the rows is cut into five
 * parts of about equal size at changes of `begin`; each is predicted by every method that `blocks` permits, fitted on the
 * rows whose labels had ended before it. A tie goes to the method with fewer parameters; without a fold that could be judged
 * AUTO is as in csm_calibrator_fit. csm_calibrator_describe tells every method's loss. */
CSM_API csm_status csm_calibrator_choose(csm_calibrator **out, const double *score, const double *outcome,
                                         const double *weight, const csm_time *begin, const csm_time *end,
                                         size_t n, const csm_calibrator_options *options);
CSM_API void csm_calibrator_free(csm_calibrator *calibrator);
/* probability: n values, monotone in score. */
CSM_API csm_status csm_calibrator_apply(const csm_calibrator *calibrator, const double *score,
                                        double *probability, size_t n);
/* Inductive Venn-Abers pair (Vovk, Petej & Fedorova 2015) of the fitting data at each score: p0 <= p1. The new row has
 * weight 1. Given for any number of blocks; p0 counts as a bound from 100 blocks on. */
CSM_API csm_status csm_calibrator_venn_abers(const csm_calibrator *calibrator, const double *score,
                                             double *p0, double *p1, size_t n);
typedef struct csm_calibrator_info {
    uint32_t method; /* the one in use, never AUTO */
    uint32_t matured;
    size_t rows;
    double blocks;
    double base_rate;
    double shrinkage;                  /* 0 none .. 1 base rate only */
    double slope;                      /* Platt, beta (of ln g), temperature (1 / T); NaN otherwise */
    double intercept;                  /* Platt, beta; 0 for temperature; NaN otherwise */
    double slope_high;                 /* beta (of -ln(1 - g)); NaN otherwise */
    double log_loss[CSM_CALIBRATIONS]; /* by method, on the folds of csm_calibrator_choose; NaN: not tried */
    size_t judged;                     /* rows in those folds */
} csm_calibrator_info;
CSM_API csm_status csm_calibrator_describe(csm_calibrator_info *out, const csm_calibrator *calibrator);

/* Split conformal radius: the ceil((n+1)(1-alpha))-th smallest |residual| (Vovk et al. 2005; Lei et al. 2018).
 * CSM_ENODATA when n is too small for alpha. */
CSM_API csm_status csm_calibrate_conformal(double *radius, const double *residual, size_t n, double alpha);

/* Conformal radius online: it widens after outcomes that fell outside and narrows after others, so that the long-run share outside
 * is alpha whatever the data do. Outcomes may be late: each is judged by the radius that was issued with its forecast. */
typedef enum csm_conformal_method {
    CSM_CONFORMAL_ADAPTIVE =
        0, /* adaptive conformal inference (Gibbs & Candes 2021): level moves, quantile of a window */
    CSM_CONFORMAL_PID =
        1 /* quantile tracking with an error integrator (Angelopoulos, Candes & Tibshirani 2023) */
} csm_conformal_method;
typedef struct csm_conformal csm_conformal;
typedef struct csm_conformal_options {
    size_t size;
    uint32_t method; /* csm_conformal_method */
    uint32_t window; /* outcomes looked back at, 1..1000000; default 500. PID: for the scale of its steps */
    double alpha;    /* share outside, 0..1; default 0.10 */
    double
        step; /* adaptive: of the level an outcome, default 0.005. PID: share of the window's range; default 0.1 */
    double gain;       /* PID: of the integrator, in units of the residuals, >= 0; default 0: none */
    double saturation; /* PID: error at which the integrator is unbounded, > 0; default 5 */
    double start;      /* PID: radius before the first outcome, >= 0; default 0 */
} csm_conformal_options;
typedef struct csm_conformal_info {
    uint64_t rows;   /* outcomes */
    uint64_t missed; /* of them outside their radius */
    double level;    /* adaptive: the level in force; PID: alpha */
    double radius;
} csm_conformal_info;
/* Defaults of one method. */
CSM_API void csm_conformal_options_init(csm_conformal_options *options, uint32_t method);
CSM_API csm_status csm_conformal_new(csm_conformal **out, const csm_conformal_options *options);
/* An outcome's residual and the radius its forecast was issued with (infinite is one). */
CSM_API csm_status csm_conformal_add(csm_conformal *conformal, double residual, double issued);
/* Radius for the next forecast: 0 or above, and infinite as long as nothing less can be promised. */
CSM_API csm_status csm_conformal_describe(csm_conformal_info *out, const csm_conformal *conformal);
CSM_API void csm_conformal_free(csm_conformal *conformal);

/* ---- scores of forecasts ---------------------------------------------------------------------------------------- */

/* Forecasts with matured outcomes. Rows of one `time` are one date; block = horizon-long span. */
typedef struct csm_outcomes {
    size_t length;
    csm_time horizon;
    const csm_time *time;      /* decision */
    const uint32_t *coin;      /* index of the coin */
    const double *probability; /* calibrated; may be NULL where not used */
    const double *outcome;     /* 0 or 1 */
    const double *expected;    /* predicted return; may be NULL where not used */
    const double *realised;    /* realised log return; may be NULL where not used */
} csm_outcomes;

typedef struct csm_band {
    double value;
    double low;  /* 5 % of the block bootstrap */
    double high; /* 95 % */
} csm_band;

#define CSM_RELIABILITY_BINS_MAX 20
typedef struct csm_reliability_bin {
    size_t count;
    double probability; /* mean */
    double frequency;   /* share of outcomes 1 */
    double low;         /* block-bootstrap band of frequency */
    double high;
} csm_reliability_bin;

typedef struct csm_scores {
    size_t rows;
    double blocks; /* disjoint horizon blocks, coins pooled, clustered by date */
    double base_rate;
    csm_band brier;
    csm_band brier_skill; /* 1 - brier / brier of the base rate */
    double reliability;   /* Murphy 1973: brier = reliability - resolution + uncertainty, exactly: */
    /* resolution holds what varies within bins too (Stephenson, Coelho & Jolliffe 2008) */
    double resolution;
    double uncertainty;
    csm_band log_loss;
    csm_band ece; /* equal-mass expected calibration error */
    /* mean over dates of Spearman(expected, realised), 0 where the same is expected of all; NaN without returns */
    csm_band rank_ic;
    double rank_icir; /* mean / standard deviation over dates */
    size_t dates;     /* distinct decision times */
    size_t bin_count;
    csm_reliability_bin bins[CSM_RELIABILITY_BINS_MAX];
} csm_scores;

typedef struct csm_scores_options {
    size_t size;
    uint32_t bins;      /* 2..20, default 10 */
    uint32_t bootstrap; /* resamples of blocks; default 400; 0: bands equal the value */
} csm_scores_options;
CSM_API void csm_calibrate_scores_options_init(csm_scores_options *options);
/* Bands: stationary bootstrap of the blocks, reproducible by the context's seed. CSM_ENODATA without rows. */
CSM_API csm_status csm_calibrate_scores(csm_scores *out, csm_context *context, const csm_outcomes *outcomes,
                                        const csm_scores_options *options);
/* Brier score of `other` (n probabilities) less that of outcomes->probability on the same rows, with a paired band of the
 * block bootstrap: above 0 the outcomes' own probabilities are better. */
CSM_API csm_status csm_calibrate_brier_gain(csm_band *out, csm_context *context, const csm_outcomes *outcomes,
                                            const double *other, uint32_t bootstrap);
/* Disjoint horizon blocks, counted from the epoch, that hold at least one decision time. NaN when memory is short. */
CSM_API double csm_calibrate_blocks(const csm_time *time, size_t n, csm_time horizon);
/* Spearman's rank correlation with mean ranks for ties; NaN when either side is constant or n < 2. */
CSM_API double csm_calibrate_spearman(const double *a, const double *b, size_t n);

/* ---- skill or luck -------------------------------------------------------------------------------------------------- */

/* Sharpe ratio of a series of returns, all of it per period of the series. */
typedef struct csm_sharpe {
    size_t rows;
    uint32_t lags; /* of the standard error */
    uint32_t reserved;
    double mean;
    double standard_error; /* of the mean, Newey & West 1987: holds under autocorrelation */
    double deviation;      /* n - 1 */
    double sharpe;         /* mean / deviation */
    double skewness;
    double kurtosis; /* 3 for a normal distribution */
    double
        probabilistic; /* probability that the true ratio exceeds the benchmark (Bailey & Lopez de Prado 2012) */
    double expected_best; /* ratio that the best of `trials` without skill is expected to reach */
    double deflated;      /* probability that the true ratio exceeds that (Bailey & Lopez de Prado 2014) */
} csm_sharpe;
#define CSM_LAGS_AUTOMATIC UINT32_MAX /* floor(4 (n / 100)^(2/9)) */
typedef struct csm_sharpe_options {
    size_t size;
    double benchmark; /* ratio per period; default 0 */
    uint64_t trials;  /* ever made, kept or not; default 1 */
    double
        trial_deviation; /* standard deviation of the trials' ratios; default 0: 1 / sqrt(n - 1), that of pure luck */
    uint32_t lags; /* default CSM_LAGS_AUTOMATIC */
    uint32_t reserved;
} csm_sharpe_options;
CSM_API void csm_calibrate_sharpe_options_init(csm_sharpe_options *options);
/* CSM_ENODATA with fewer than 3 returns or returns that are all equal. */
CSM_API csm_status csm_calibrate_sharpe(csm_sharpe *out, const double *returns, size_t n,
                                        const csm_sharpe_options *options);

/* Probability of backtest overfitting by combinatorially symmetric cross-validation (Bailey, Borwein, Lopez de Prado & Zhu
 * 2017). Periods are cut into `parts`; for every choice of half of them the strategy with the best Sharpe ratio there is looked up in
 * the other half. */
typedef struct csm_overfitting {
    size_t combinations;
    double probability; /* share of combinations in which the chosen one is at the median or below */
    double median_rank; /* of the chosen one out of sample: 0 worst .. 1 best */
    double loss;        /* share in which the chosen one's mean out of sample is negative */
} csm_overfitting;
/* returns: (periods, strategies >= 2), finite. parts: even, 2..16, at most half the periods. A part without variance counts as a
 * ratio of 0. */
CSM_API csm_status csm_calibrate_overfitting(csm_overfitting *out, const csm_matrix *returns, uint32_t parts);

/* Test for superior predictive ability (Hansen 2005): whether the best of several models beats a benchmark by more than the best
 * of as many would by luck. */
typedef struct csm_superior {
    size_t best;      /* column */
    double statistic; /* largest studentised mean, at least 0 */
    double lower;     /* p-values; the consistent one is Hansen's */
    double consistent;
    double upper; /* White's reality check, studentised */
} csm_superior;
typedef struct csm_superior_options {
    size_t size;
    double run;         /* mean run of the stationary bootstrap in rows, >= 1; default 0: sqrt(rows) */
    uint32_t bootstrap; /* resamples, 1..1000000; default 1000 */
    uint32_t reserved;
} csm_superior_options;
CSM_API void csm_calibrate_superior_options_init(csm_superior_options *options);
/* gain: (periods, models), finite: the benchmark's loss less the model's. A model without variance is left out; CSM_ENODATA when
 * none is left or with fewer than 16 periods. Reproducible by the context's seed. */
CSM_API csm_status csm_calibrate_superior(csm_superior *out, csm_context *context, const csm_matrix *gain,
                                          const csm_superior_options *options);

/* ---- evidence ------------------------------------------------------------------------------------------------- */

typedef enum csm_evidence_status {
    CSM_EVIDENCE_UNPROVEN = 0,
    CSM_EVIDENCE_REVOKED = 1,
    CSM_EVIDENCE_CONSISTENT = 2,
    CSM_EVIDENCE_CERTIFIED = 3
} csm_evidence_status;
CSM_API const char *csm_evidence_name(uint32_t status);

typedef struct csm_evidence {
    uint32_t status; /* csm_evidence_status */
    uint32_t reserved;
    size_t issued;    /* predictions at or above the threshold */
    double blocks;    /* disjoint blocks that hold them */
    double precision; /* mean outcome; NaN when none */
    double lower;     /* one-sided 95 % betting bound over blocks (Waudby-Smith & Ramdas 2023) */
    double upper;
    double e_value; /* largest wealth against "precision >= target" so far, at most 2^512 */
} csm_evidence;

typedef struct csm_evidence_options {
    size_t size;
    double threshold;     /* of probability; default 0.80 */
    double target;        /* of precision; default 0.80 */
    double level;         /* one-sided, default 0.05 */
    double revoke_at;     /* e-value; default 20 */
    double blocks_needed; /* default 14 */
    csm_time as_of;       /* of the look; default CSM_TIME_MAX: no outcome is missing any more */
} csm_evidence_options;
CSM_API void csm_calibrate_evidence_options_init(csm_evidence_options *options);
/* Evidence of the issued set: outcomes averaged within each horizon block, blocks in order of time, one bounded bet a
 * block; valid under daily peeking and lagged outcomes: where labels of neighbouring blocks overlap (decisions less than a
 * horizon apart), even and odd blocks are bet on apart at half the level each, and e_value is half the larger wealth. Give
 * all matured forecasts, not the issued ones alone: they show whether labels overlap. A block counts once its last label has
 * ended by as_of (two horizons after it began): the mean of half a block could be looked at again and again until it pleases.
 * issued and precision are of all rows, everything else of the blocks that count. */
CSM_API csm_status csm_calibrate_evidence(csm_evidence *out, const csm_outcomes *outcomes,
                                          const csm_evidence_options *options);

/* ---- gate --------------------------------------------------------------------------------------------------------- */

/* What the gate looks at for one coin (STATISTICS "The gate"). */
typedef struct csm_gate_input {
    double probability;     /* at the gate's horizon */
    double expected_return; /* at the gate's horizon, log */
    double cost;            /* round trip, log */
    double traded_value;    /* median daily traded value in quote currency known at the time; NaN: unknown */
    csm_time history;       /* span of final bars in the shortest group of the recipe */
    csm_time live;          /* span of ledger rows written before their outcome */
    csm_reason data;        /* reasons already found by fusion */
    uint32_t matured;       /* calibrator fit on matured out-of-fold predictions */
    uint32_t evidence;      /* csm_evidence_status */
    uint32_t drift;         /* 1: an alarm stands */
    uint32_t agreement;     /* 1: all horizons point up */
} csm_gate_input;

typedef struct csm_gate_options {
    size_t size;
    double threshold;        /* default 0.80; values under 0.80 are refused */
    csm_time history_needed; /* default 12 weeks; less is refused */
    double notional;         /* reference notional Q in quote currency; default 1000 */
    double participation;    /* Q may be at most this share of daily traded value; default 0.01 */
    uint32_t
        minimum_evidence; /* csm_evidence_status order UNPROVEN < CONSISTENT < CERTIFIED; default UNPROVEN */
    uint32_t require_consensus; /* default 0 */
} csm_gate_options;
CSM_API void csm_calibrate_gate_options_init(csm_gate_options *options);
/* show: reasons against showing (0: shown). trade: further reasons against a trade signal: the live clock (12 weeks) and
 * horizons that do not agree. A NaN probability or expected return is NO_MODEL, an unknown traded value ILLIQUID. */
CSM_API csm_status csm_calibrate_gate(csm_reason *show, csm_reason *trade, const csm_gate_input *input,
                                      const csm_gate_options *options);

#ifdef __cplusplus
}
#endif
#endif
