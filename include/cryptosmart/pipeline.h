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
/* With rows of a host program beside the library's ("daemon.port"): read from the same YAML and environment, with the same
 * checks. The rows are copied. Names are section.key in lower case; CSM_EEXIST when one is taken. csm_config_hash does not
 * cover them: they change no result. */
CSM_API csm_status csm_config_new_with(csm_config **out, const csm_option *extra, size_t count);
/* Rows that this configuration knows: those of config.def, then the host's. Strings live as long as it. */
CSM_API size_t csm_config_count(const csm_config *config);
CSM_API const csm_option *csm_config_option(const csm_config *config, size_t index); /* NULL past the end */
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
/* SHA-256 hex over all names and values of the library's own options. */
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
/* The same as challenger: it predicts in shadow beside the champion and shows nothing. Takes the place of the one before. */
CSM_API csm_status csm_pipeline_train_challenger(csm_training **out, csm_pipeline *pipeline, csm_time as_of);
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
/* Writes the outcomes of ledger rows whose time has come. */
CSM_API csm_status csm_pipeline_learn(csm_maturing *out, csm_pipeline *pipeline);

/* The learning loop's look at what matured (docs/learn.md): raises drift alarms, weighs members by their losses, promotes the challenger or
 * brings the champion before back where the ledger's evidence says so, retires who is through, and trains a challenger when one is
 * due. Call it after csm_pipeline_learn. *out: what was decided now, often nothing. */
typedef struct csm_decide_options {
    size_t size;
    uint32_t train;    /* 1 (default): train a challenger when one is due; 0: never */
    uint32_t backfill; /* 1: of a replay; decisions are marked so */
} csm_decide_options;
CSM_API void csm_decide_options_init(csm_decide_options *options);
/* CSM_ENOTFOUND without a champion. */
CSM_API csm_status csm_pipeline_decide(csm_decision_list **out, csm_pipeline *pipeline,
                                       const csm_decide_options *options);

/* Feature matrix of the universe as the pipeline builds it, decisions in [from, to). */
CSM_API csm_status csm_pipeline_fuse(csm_frame **out, csm_pipeline *pipeline, csm_time from, csm_time to,
                                     csm_time as_of);
/* Truncated and corrupted replay at `times` decision times spread over the data (STATISTICS, law 2). */
CSM_API csm_status csm_pipeline_audit(csm_audit *out, csm_pipeline *pipeline, size_t times);

/* ---- models: champion, challenger, shadow ---------------------------------------------------------------------------- */

/* Where a model of the workspace stands. */
typedef struct csm_model_entry {
    char hash[65];
    char role
        [15]; /* "champion", "challenger", "shadow" (the champion before, still predicting unseen), "retired" */
    csm_time as_of; /* data it was trained on */
    csm_time created;
    csm_time since;     /* in this role */
    csm_time horizon;   /* of the next two, the gate's when it was trained; 0: not recorded */
    double brier_skill; /* on its walk; NaN: not recorded or nothing calibrated */
    double log_loss;
    size_t outcomes; /* live forecasts of it that matured, shadow ones too */
    double brier;    /* of those, over all horizons; NaN: none */
} csm_model_entry;
typedef struct csm_model_list csm_model_list;
/* Champion first, then challenger, shadow, and retired ones, newest first. */
CSM_API csm_status csm_pipeline_models(csm_model_list **out, const csm_pipeline *pipeline);
CSM_API size_t csm_model_list_count(const csm_model_list *list);
CSM_API const csm_model_entry *csm_model_list_at(const csm_model_list *list, size_t index);
CSM_API void csm_model_list_free(csm_model_list *list);

/* Two models on the forecasts that both made live for the same market, decision and horizon, and that matured: ledger evidence.
 * Losses are Brier scores, averaged within horizon-long blocks. e_value: wealth of a gambler who bets, block after block, that `model`
 * is better than `other` (betting martingale, valid under daily looks and overlapping labels as csm_calibrate_evidence); worse: the
 * other bet. 20 is one-sided 95 %. */
typedef struct csm_comparison {
    csm_time horizon; /* 0: all; counts are sums, e-values the largest divided by the number of horizons */
    size_t pairs;
    size_t blocks; /* closed */
    double brier;  /* of `model` on the pairs; NaN: none */
    double other;
    csm_band
        gain; /* other's Brier score less the model's, with a paired block bootstrap; at horizon 0 the value alone */
    double e_value;
    double worse;
} csm_comparison;
/* Hashes may be shortened to 8 digits or more where that is unique. CSM_ENOTFOUND. */
CSM_API csm_status csm_pipeline_compare(csm_comparison *out, const csm_pipeline *pipeline, const char *model,
                                        const char *other, csm_time horizon);
/* Makes the model champion; the one before goes on in shadow, so that it can come back. Without `force` only a challenger or shadow
 * that the ledger's evidence supports (learn.promotion_evidence, _blocks, _outcomes); else CSM_ENODATA says what is missing. The
 * decision, forced or not, stands in the ledger. */
CSM_API csm_status csm_pipeline_promote(csm_pipeline *pipeline, const char *model, uint32_t force);
/* The champion before comes back. CSM_ENOTFOUND when there is none. */
CSM_API csm_status csm_pipeline_rollback(csm_pipeline *pipeline);

/* ---- why: gate, explanation, health ------------------------------------------------------------------------------------- */

/* What stands between one horizon and being shown, and what would open it. Conditions of single coins (probability, liquidity, stale
 * data) come on top of it. */
typedef struct csm_gate_report {
    csm_time horizon;
    csm_time as_of;
    csm_reason reasons;       /* against showing anything at this horizon; 0: open */
    csm_reason trade_reasons; /* further ones against trade signals */
    uint32_t open;
    uint32_t trade; /* 1: open, and trade_reasons is 0 */
    uint32_t
        evidence; /* csm_evidence_status in force: REVOKED if either of the two is, the live one once it has blocks enough */
    uint32_t calibrated;   /* 1: the calibrator was fit on matured out-of-fold predictions */
    csm_evidence backtest; /* of the champion's walk */
    csm_evidence live;     /* of the ledger's live rows, whichever model issued them */
    double blocks_needed;  /* until a status other than UNPROVEN */
    double blocks_missing; /* of those, live or of the walk, whichever has more */
    double
        blocks_certify; /* further closed blocks until CERTIFIED if all that is issued from now on rises; NaN: none would do */
    csm_time live_clock;
    csm_time live_needed;
    csm_time history; /* of the shortest feature group, in the market of the universe that has least */
    csm_time history_needed;
    size_t markets;         /* of the universe */
    size_t markets_history; /* of them with history enough in every group */
    size_t
        markets_liquid; /* of the newest prediction run, liquid enough for the reference notional; 0 without a run */
    size_t outcomes;    /* live forecasts of this horizon that matured */
    size_t pending;     /* and that wait */
    csm_time model_age; /* of the champion's data; CSM_TIME_MIN: there is none */
    csm_time model_life;
    size_t alarms;           /* drift alarms that stand against the champion at this horizon */
    char shortest_group[16]; /* feature group whose history is shortest; "" without a universe */
    char text
        [2048]; /* for a reader: a line for each condition that fails, with what is missing; "" when all hold */
} csm_gate_report;
/* horizon: one of the configured ones. Reads only. */
CSM_API csm_status csm_pipeline_gate(csm_gate_report *out, const csm_pipeline *pipeline, csm_time horizon);

/* Why a coin's forecast is what it is. */
typedef struct csm_explanation csm_explanation;
/* market: id "kraken:BTC/USD", or a coin "BTC". horizon 0: the gate's. as_of: CSM_TIME_MAX: now. Predicts with the champion as
 * csm_pipeline_predict does and writes nothing. CSM_ENOTFOUND: no such market in the universe. */
CSM_API csm_status csm_pipeline_explain(csm_explanation **out, csm_pipeline *pipeline, const char *market,
                                        csm_time horizon, csm_time as_of);
CSM_API void csm_explanation_free(csm_explanation *explanation);
/* Everything forecast for the coin: members, gate, reasons. Lives as long as the explanation. */
CSM_API const csm_forecast *csm_explanation_forecast(const csm_explanation *explanation);
CSM_API const csm_horizon_forecast *csm_explanation_horizon(const csm_explanation *explanation);
/* Contributions of every feature to the score of the member that can be explained, greatest first; 0 when the coin has no
 * complete row or no member is made of trees. They and the base add up to that member's score. */
CSM_API size_t csm_explanation_count(const csm_explanation *explanation);
CSM_API const csm_contribution *csm_explanation_at(const csm_explanation *explanation, size_t index);
CSM_API double csm_explanation_base(const csm_explanation *explanation); /* NaN without contributions */

#define CSM_HEALTH_PARTS 6
typedef struct csm_health_part {
    const char *name; /* "validation accuracy"; static storage */
    double weight;
    double value;   /* 0..1; NaN: not available */
    char text[160]; /* what it was made from, or what is missing */
} csm_health_part;
typedef struct csm_health {
    double score;     /* sum of weight x value; NaN as long as a part is not available */
    double available; /* the same sum over the parts that are, divided by their weights; NaN without any */
    double go_at;     /* health.go */
    uint32_t go;      /* 1: score >= go_at. 0 as long as a part is not available */
    uint32_t missing; /* parts not available */
    csm_health_part part[CSM_HEALTH_PARTS];
} csm_health;
/* docs/learn.md defines each part. error_ratio: failed jobs or requests among those the host ran, 0..1, if it keeps count;
 * NaN: the share of matured forecasts of four weeks whose outcome stayed unknown. Reads only. */
CSM_API csm_status csm_pipeline_health(csm_health *out, const csm_pipeline *pipeline, double error_ratio);

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
