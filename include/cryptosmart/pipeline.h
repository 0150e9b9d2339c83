/* SPDX-License-Identifier: MIT */
/*
 * pipeline: configuration, and the cycle that runs the stages on a workspace: discover, ingest, fuse, train, predict, learn.
 * Backtest, replay and live runs call the same functions; only clock and transport differ.
 */
#ifndef CRYPTOSMART_PIPELINE_H
#define CRYPTOSMART_PIPELINE_H

#include <cryptosmart/calibrate.h>
#include <cryptosmart/core.h>
#include <cryptosmart/discover.h>
#include <cryptosmart/fuse.h>
#include <cryptosmart/ingest.h>
#include <cryptosmart/learn.h>
#include <cryptosmart/model.h>
#include <cryptosmart/rank.h>
#include <cryptosmart/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- configuration ------------------------------------------------------------------------------------------- */

typedef enum csm_option_type {
    CSM_OPTION_TEXT = 0,
    CSM_OPTION_INTEGER = 1,
    CSM_OPTION_REAL = 2,
    CSM_OPTION_DURATION = 3, /* "30d" */
    CSM_OPTION_BOOLEAN = 4,  /* true, false */
    CSM_OPTION_LIST = 5      /* of texts or durations, comma separated as text, a sequence in YAML */
} csm_option_type;

/* One row of config.def. Static storage. */
typedef struct csm_option {
    const char *name; /* "gate.threshold" */
    const char *text; /* one sentence */
    const char *standard;
    double minimum; /* of numbers, and of durations in seconds */
    double maximum;
    uint32_t type; /* csm_option_type */
    uint32_t reserved;
} csm_option;
CSM_API size_t csm_config_option_count(void);
CSM_API const csm_option *csm_config_option_at(size_t index);

typedef struct csm_config csm_config;
CSM_API csm_status csm_config_new(csm_config **out); /* the defaults */
CSM_API void csm_config_free(csm_config *config);
/* Reads YAML over what is there. Unknown keys, wrong types and values out of range are errors; all are reported at once in the
 * error text, one a line, as FILE:LINE:COLUMN: message. */
CSM_API csm_status csm_config_load(csm_config *config, const char *path);
CSM_API csm_status csm_config_parse(csm_config *config, const char *text, size_t length, const char *name);
/* Takes CRYPTOSMART__SECTION__KEY of `environment` ("NAME=value" strings, NULL-terminated). Unknown ones are errors. */
CSM_API csm_status csm_config_environment(csm_config *config, const char *const *environment);
CSM_API csm_status csm_config_set(csm_config *config, const char *name, const char *value);
CSM_API const char *csm_config_get(const csm_config *config,
                                   const char *name); /* as text; NULL when unknown */
/* SHA-256 hex over all names and values. */
CSM_API csm_status csm_config_hash(char *hex, size_t size, const csm_config *config);

/* ---- the pipeline on one workspace ------------------------------------------------------------------------------- */

typedef struct csm_pipeline csm_pipeline;

/* Opens the workspace with a copy of `config`. mode: csm_store_mode. */
CSM_API csm_status csm_pipeline_open(csm_pipeline **out, csm_context *context, const csm_config *config,
                                     const char *workspace, uint32_t mode);
CSM_API void csm_pipeline_free(csm_pipeline *pipeline);
CSM_API csm_store *csm_pipeline_store(csm_pipeline *pipeline); /* borrowed */

/* Markets that would be modelled at as_of: processed and canonical. */
CSM_API csm_status csm_pipeline_universe(csm_market_list **out, const csm_pipeline *pipeline, csm_time as_of);

CSM_API csm_status csm_pipeline_discover(csm_discovery **out, csm_pipeline *pipeline);
/* Runs the configured sources for the universe. */
CSM_API csm_status csm_pipeline_ingest(csm_ingest_report **out, csm_pipeline *pipeline);
/* Runs one source for markets first .. first + count - 1 of the universe, so that a host can take turns between sources; *total
 * is how many there are (1 for a source that is asked once for all markets). *out may stay NULL: first is past the end. */
CSM_API csm_status csm_pipeline_ingest_part(csm_ingest_report **out, size_t *total, csm_pipeline *pipeline,
                                            const char *source, size_t first, size_t count);
/* Adopts a folder: listings/NAME.csv (dated universe manifests, applied in order of name; first line "# as of DATE") and segments/
 * (what csm_store_export wrote). Gives the newest listing's discovery. */
CSM_API csm_status csm_pipeline_adopt(csm_discovery **out, csm_pipeline *pipeline, const char *folder);

/* ---- training ------------------------------------------------------------------------------------------------------ */

/* One walk-forward prediction: made by a model, a calibrator and bounds that knew nothing after `time`. */
typedef struct csm_walk_row {
    csm_time time;
    csm_time matures;
    double score;       /* raw, log-odds */
    double probability; /* by the calibrator fit on earlier matured predictions; NaN while there was none */
    double lower;       /* bound known then; NaN while unknown */
    double expected_return; /* log */
    double low;             /* conformal interval known then; NaN while unknown */
    double high;
    double log_return; /* what happened */
    double cost;
    double momentum; /* log return of the horizon's length before `time`: the momentum rule */
    csm_reason show; /* gate at that time, at the gate's horizon; 0: it would have been shown */
    uint32_t market; /* index: csm_training_market */
    uint32_t rises;
    double member_score
        [CSM_MEMBERS_MAX]; /* raw, of each member alone; `score` mixes them by the weights known then */
    double member_return[CSM_MEMBERS_MAX];
} csm_walk_row;

/* A member of the ensemble, judged alone on the walk with a calibrator of its own. */
typedef struct csm_member_training {
    char name[CSM_MEMBER_NAME];
    double score_weight; /* in the final ensemble */
    double return_weight;
    csm_band brier_skill;
    csm_band rank_ic; /* of its expected returns */
    csm_band gain; /* its Brier score less the ensemble's on the same rows: above 0 the ensemble is better */
} csm_member_training;

typedef struct csm_horizon_training {
    csm_time horizon;
    size_t rows; /* training rows of the final model */
    size_t walk_rows;
    size_t folds;
    size_t unknown; /* labels in gaps, never used */
    double blocks;  /* disjoint blocks of the walk */
    double base_rate;
    csm_calibrator_info calibrator;
    csm_scores model;    /* of calibrated walk-forward predictions */
    csm_scores baseline; /* base rate known at the time, and the momentum rule's rank IC */
    csm_evidence evidence;
    double momentum_precision; /* of the momentum rule at the model's coverage; NaN: nothing issued */
    double
        market_return; /* mean log return of holding all coins over the issued dates; NaN: nothing issued */
    double issued_return; /* mean log return net of costs of what was issued */
    double issued_return_doubled_costs;
    size_t trials; /* parameter settings tried before training (train.tune); 0: the configured ones */
    size_t members;
    csm_member_training member[CSM_MEMBERS_MAX];
} csm_horizon_training;

typedef struct csm_training csm_training; /* immutable: models, calibrators, walk-forward record */

/* Trains every horizon on what was known at as_of (CSM_TIME_MAX: the context's now), registers the model file in the
 * workspace as champion and returns it. Model sizes are configuration, fixed before results are seen. */
CSM_API csm_status csm_pipeline_train(csm_training **out, csm_pipeline *pipeline, csm_time as_of);
/* The champion; CSM_ENOTFOUND when nothing was trained. */
CSM_API csm_status csm_pipeline_champion(csm_training **out, const csm_pipeline *pipeline);
CSM_API csm_status csm_training_load(csm_training **out, const char *path);
CSM_API void csm_training_free(csm_training *training);
CSM_API const char *csm_training_hash(const csm_training *training); /* SHA-256 hex of the model file */
CSM_API csm_time csm_training_as_of(const csm_training *training);
CSM_API const char *csm_training_recipe(const csm_training *training); /* name */
CSM_API size_t csm_training_features(const csm_training *training);
CSM_API size_t csm_training_horizons(const csm_training *training);
CSM_API const csm_horizon_training *csm_training_horizon(const csm_training *training, size_t index);
CSM_API const csm_walk_row *csm_training_walk(const csm_training *training,
                                              size_t horizon); /* by time, then market */
/* Parameter `index` of a member's direction model, tuned or configured; CSM_EINVAL past the end. */
CSM_API csm_status csm_training_parameter(csm_parameter *out, const csm_training *training, size_t horizon,
                                          size_t member, size_t index);
CSM_API const char *csm_training_market(const csm_training *training, uint32_t market); /* id */
CSM_API const char *csm_training_coin(const csm_training *training, uint32_t market);

/* ---- prediction ------------------------------------------------------------------------------------------------------ */

/* Predicts as of a time (CSM_TIME_MAX: now) with the champion, ranks, and writes the ledger (unless dry). */
typedef struct csm_predict_options {
    size_t size;
    csm_time as_of;
    uint32_t dry;      /* 1: write nothing */
    uint32_t backfill; /* 1: a replayed past decision; marked so in the ledger */
} csm_predict_options;
CSM_API void csm_predict_options_init(csm_predict_options *options);
CSM_API csm_status csm_pipeline_predict(csm_ranking **out, csm_pipeline *pipeline,
                                        const csm_predict_options *options);
/* Matures and scores the ledger. */
CSM_API csm_status csm_pipeline_learn(csm_maturing *out, csm_pipeline *pipeline);

/* Feature matrix of the universe as the pipeline builds it, decisions in [from, to). */
CSM_API csm_status csm_pipeline_fuse(csm_frame **out, csm_pipeline *pipeline, csm_time from, csm_time to,
                                     csm_time as_of);
/* Truncated and corrupted replay at `times` decision times spread over the data (STATISTICS, law 2). */
CSM_API csm_status csm_pipeline_audit(csm_audit *out, csm_pipeline *pipeline, size_t times);

/* ---- doctor and status -------------------------------------------------------------------------------------------------- */

typedef struct csm_check {
    const char *name; /* "store.catalog" */
    const char *text; /* what was found */
    uint32_t level;   /* csm_log_level: ERROR, WARN or INFO (fine) */
    uint32_t reserved;
} csm_check;
typedef struct csm_checks csm_checks;
/* Looks at machine, build, workspace and data; reaches no network. */
CSM_API csm_status csm_pipeline_doctor(csm_checks **out, csm_context *context, const csm_config *config,
                                       const char *workspace);
CSM_API size_t csm_checks_count(const csm_checks *checks);
CSM_API const csm_check *csm_checks_at(const csm_checks *checks, size_t index);
CSM_API void csm_checks_free(csm_checks *checks);

typedef struct csm_pipeline_status {
    size_t markets;  /* registered */
    size_t universe; /* modelled */
    size_t streams;
    uint64_t rows;
    csm_time first; /* of bars */
    csm_time last;
    csm_time discovered;    /* last coverage run; CSM_TIME_MIN: never */
    csm_time trained;       /* champion's as_of; CSM_TIME_MIN: never */
    csm_time history_clock; /* span of bars of the shortest market of the universe */
    csm_time live_clock;
    csm_ledger_head ledger;
    int64_t trials; /* in the trial register */
    char recipe
        [128]; /* what would be trained: "spine-1-sentiment" is spine-1 without that group, for want of its source */
} csm_pipeline_status;
CSM_API csm_status csm_pipeline_status_report(csm_pipeline_status *out, const csm_pipeline *pipeline);

#ifdef __cplusplus
}
#endif
#endif
