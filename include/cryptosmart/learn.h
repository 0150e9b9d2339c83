/* SPDX-License-Identifier: MIT */
/*
 * learn: what was predicted, written before the outcome, and what came of it. The ledger is append-only and hash-chained:
 * each row's hash covers its content and the hash of the row before. Outcomes are rows of their own and change no prediction.
 */
#ifndef CRYPTOSMART_LEARN_H
#define CRYPTOSMART_LEARN_H

#include <cryptosmart/calibrate.h>
#include <cryptosmart/core.h>
#include <cryptosmart/discover.h>
#include <cryptosmart/rank.h>
#include <cryptosmart/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What produced a batch of forecasts: SHA-256 hex each. */
typedef struct csm_ledger_lineage {
    const char *model;                   /* of the model file */
    const char *config;                  /* of the configuration in force */
    const char *features;                /* of the feature rows predicted from */
    const char *watermark;               /* of the data known (csm_store_watermark) */
    const char *event[CSM_HORIZONS_MAX]; /* event id per horizon */
    csm_time interval;                   /* of the bars decisions follow */
} csm_ledger_lineage;

typedef struct csm_ledger_head {
    int64_t rows;
    char hash[65]; /* of the last row; 64 zeros when empty */
    char reserved[7];
} csm_ledger_head;

/* Appends one batch: a header row with the lineage and the counts (also when nothing is shown: abstaining is a result) and a
 * row per coin and horizon, in one transaction. `written` is the context's clock; CSM_EINVAL when an outcome could already
 * be known (decision + shortest horizon <= written) unless `backfill` marks the batch as replayed: such rows never count
 * toward the live clock. Repeating a decision of the same model and data gives CSM_EEXIST. */
CSM_API csm_status csm_learn_append(csm_ledger_head *head, csm_context *context, csm_store *store,
                                    const csm_ranking *ranking, const csm_ledger_lineage *lineage,
                                    int backfill);
CSM_API csm_status csm_learn_head(csm_ledger_head *out, const csm_store *store);
/* Recomputes the whole chain. CSM_ECORRUPT names the first row whose content or link is wrong. */
CSM_API csm_status csm_learn_verify(csm_ledger_head *out, csm_context *context, const csm_store *store);

typedef struct csm_maturing {
    size_t matured; /* outcomes written now, CSM_TARGET_UNKNOWN included */
    size_t unknown;
    size_t pending; /* rows whose time has not come */
} csm_maturing;
/* Writes the outcome of every ledger row whose horizon has passed at as_of, by the event it was issued for. */
CSM_API csm_status csm_learn_mature(csm_maturing *out, csm_context *context, csm_store *store,
                                    const csm_market *const *markets, size_t market_count, csm_time as_of);

/* One forecast of the ledger with its outcome. Strings live as long as the history. */
typedef struct csm_ledger_entry {
    int64_t row;
    const char *market;
    const char *coin;
    csm_time written;
    csm_time decision;
    csm_time horizon;
    double probability;
    double lower;
    double expected_return;
    double low;
    double high;
    double cost;
    csm_reason show;
    csm_reason trade;
    uint32_t evidence;
    uint32_t state; /* csm_target_state; CSM_TARGET_PENDING until matured */
    uint32_t rises;
    uint32_t backfill;
    int32_t epoch;     /* listing epoch of the market */
    int32_t verdict;   /* of feedback: 1 right, -1 wrong, 0 none; beside the outcome, never in its place */
    double log_return; /* NaN unless known */
} csm_ledger_entry;
typedef struct csm_ledger_history csm_ledger_history;
/* Entries with from <= decision < to, by row, shadow forecasts left out. horizon 0: all. shown_only: those that passed the
 * gate. */
CSM_API csm_status csm_learn_history(csm_ledger_history **out, const csm_store *store, csm_time horizon,
                                     csm_time from, csm_time to, int shown_only);
CSM_API size_t csm_ledger_history_count(const csm_ledger_history *history);
CSM_API const csm_ledger_entry *csm_ledger_history_at(const csm_ledger_history *history, size_t index);
CSM_API void csm_ledger_history_free(csm_ledger_history *history);

/* Scores and evidence of matured live entries at one horizon; CSM_ENODATA when none matured. */
CSM_API csm_status csm_learn_scores(csm_scores *scores, csm_evidence *evidence, csm_context *context,
                                    const csm_store *store, csm_time horizon);
/* The live clock: from the first live ledger row's writing to the newest one's. 0 when empty. */
CSM_API csm_status csm_learn_live_clock(csm_time *out, const csm_store *store);

/* What a forecast's row says beside its numbers: what each member said and the greatest contributions of features, a line each
 * ("member trees score S weight W return R weight V", "shap trees FEATURE value V contribution C"), or a header's lineage. *text is
 * freed by csm_learn_text_free. CSM_ENOTFOUND. */
CSM_API csm_status csm_learn_row_text(char **text, const csm_store *store, int64_t row);
CSM_API void csm_learn_text_free(char *text);
/* Writes every row of the ledger, one JSON object a line with all columns that its hash covers, so that others can recompute
 * the chain (docs/learn.md says how). `out`: the head that was written. Replaces a file whole or not at all. */
CSM_API csm_status csm_learn_export(csm_ledger_head *out, csm_context *context, const csm_store *store,
                                    const char *path);

/* ---- feedback ------------------------------------------------------------------------------------------------------ */

/* What somebody says of a forecast: verdict 1 right, -1 wrong, 0 withdraws what was said before. Appended, never changed; the
 * newest of (row, who) counts, and where several people spoke, the sign of their sum. Never touches the outcome. who: 1..64 bytes,
 * text: at most 1024, NULL: "". CSM_ENOTFOUND: the row is no forecast that could have been seen. */
CSM_API csm_status csm_learn_feedback_add(csm_context *context, csm_store *store, int64_t row,
                                          int32_t verdict, const char *who, const char *text);

typedef struct csm_feedback_counts {
    size_t right; /* forecasts by what counts of them */
    size_t wrong;
    size_t rows; /* of feedback, ever */
} csm_feedback_counts;
CSM_API csm_status csm_learn_feedback_count(csm_feedback_counts *out, const csm_store *store);

/* ---- decisions of the loop ------------------------------------------------------------------------------------------- */

/* What the learning loop did and why: rows of the ledger's chain like forecasts. */
typedef enum csm_decision_kind {
    CSM_DECISION_ALARM = 0,       /* drift: shuts the gate until another model takes over */
    CSM_DECISION_CHALLENGER = 1,  /* a model was trained that predicts in shadow */
    CSM_DECISION_PROMOTED = 2,    /* the challenger became champion */
    CSM_DECISION_ROLLED_BACK = 3, /* the champion before came back */
    CSM_DECISION_RETIRED = 4,     /* a challenger or a champion before stopped predicting */
    CSM_DECISION_WEIGHTS = 5      /* weights of members or horizons by matured losses */
} csm_decision_kind;
#define CSM_DECISIONS 6                               /* csm_decision_kind values */
CSM_API const char *csm_decision_name(uint32_t kind); /* "alarm", ...; "unknown" beyond */

typedef struct csm_decision {
    int64_t row; /* of the ledger */
    csm_time written;
    csm_time time;     /* data known by then were looked at */
    csm_time horizon;  /* 0: of the whole model */
    uint32_t kind;     /* csm_decision_kind */
    uint32_t backfill; /* 1: of a replay */
    const char *model; /* hash of the model it is about */
    const char *text;  /* what was seen, a line each: "NAME VALUE" or a sentence */
} csm_decision;
typedef struct csm_decision_list csm_decision_list;
/* Decisions behind ledger row `after` (0: all), in order. Strings live as long as the list. */
CSM_API csm_status csm_learn_decisions(csm_decision_list **out, const csm_store *store, int64_t after);
CSM_API size_t csm_decision_list_count(const csm_decision_list *list);
CSM_API const csm_decision *csm_decision_list_at(const csm_decision_list *list, size_t index);
CSM_API void csm_decision_list_free(csm_decision_list *list);

/* ---- trial register ------------------------------------------------------------------------------------------------ */

/* One setting that was tried on data. What is chosen as the best of many looks better than it is, so figures that correct for
 * it (deflated Sharpe ratio, PBO) count these rows. */
typedef struct csm_trial_record {
    const char *search;     /* SHA-256 hex of all that the trials of one search share: data, recipe, space */
    const char *subject;    /* what was tried: "trees" */
    const char *recipe;     /* name of the features' recipe */
    const char *parameters; /* JSON object */
    int64_t number;         /* of the trial in its search */
    int64_t steps;          /* parts evaluated by then, such as folds */
    uint64_t seed;
    csm_time horizon;
    double loss; /* mean over the steps; NaN: the trial failed */
} csm_trial_record;

/* Appends; rows are never changed or removed. The same trial of the same search at the same step stands once: a repetition
 * after a kill adds nothing. */
CSM_API csm_status csm_learn_trial_add(csm_context *context, csm_store *store,
                                       const csm_trial_record *record);
/* Trials ever registered, however many steps each got; horizon 0: of all horizons. */
CSM_API csm_status csm_learn_trials(int64_t *out, const csm_store *store, csm_time horizon);

/* ---- drift ------------------------------------------------------------------------------------------------------ */

/* ADWIN2 (Bifet & Gavalda 2007): a window over a stream, here matured losses, that drops its older part whenever its mean
 * differs from the newer part's by more than chance allows. Memory is logarithmic in the window's length. */
typedef struct csm_adwin csm_adwin;
typedef struct csm_adwin_options {
    size_t size;
    double delta;      /* confidence of one check, 0..1; default 0.002 */
    uint32_t interval; /* values between checks, >= 1; default 32 */
    uint32_t buckets;  /* of each size, 1..64; default 5 */
    uint32_t shortest; /* part that may be compared, >= 1; default 5 */
    uint32_t grace;    /* no check in windows up to this length; default 10 */
} csm_adwin_options;
typedef struct csm_adwin_info {
    uint64_t values; /* seen */
    uint64_t alarms;
    double width; /* of the window now */
    double mean;  /* of the window; NaN when empty */
    double variance;
} csm_adwin_info;
CSM_API void csm_adwin_options_init(csm_adwin_options *options);
CSM_API csm_status csm_adwin_new(csm_adwin **out, const csm_adwin_options *options);
/* alarm: 1 when the window was cut at this value. A value that is not finite is CSM_EINVAL and changes nothing. */
CSM_API csm_status csm_adwin_add(int *alarm, csm_adwin *adwin, double value);
CSM_API csm_status csm_adwin_describe(csm_adwin_info *out, const csm_adwin *adwin);
CSM_API void csm_adwin_free(csm_adwin *adwin);

/* Page-Hinkley test (Page 1954) in both directions: the sum of what values exceed their running mean by, less a tolerance, against
 * its least so far. After an alarm it begins anew. */
typedef struct csm_page_hinkley csm_page_hinkley;
typedef struct csm_page_hinkley_options {
    size_t size;
    double tolerance; /* of the mean's change, in units of the values, >= 0; default 0.005 */
    double threshold; /* of the sum, > 0; default 50 */
    double memory;    /* factor of the sum a value, 0..1; default 0.9999 */
    uint64_t grace;   /* values before the first alarm; default 30 */
} csm_page_hinkley_options;
typedef struct csm_page_hinkley_info {
    uint64_t values; /* since it began anew */
    uint64_t alarms;
    double mean; /* NaN before the first value */
    double rise; /* what an alarm compares with the threshold */
    double fall;
} csm_page_hinkley_info;
CSM_API void csm_page_hinkley_options_init(csm_page_hinkley_options *options);
CSM_API csm_status csm_page_hinkley_new(csm_page_hinkley **out, const csm_page_hinkley_options *options);
/* alarm: 1 the mean rose, -1 it fell, else 0. A value that is not finite is CSM_EINVAL and changes nothing. */
CSM_API csm_status csm_page_hinkley_add(int *alarm, csm_page_hinkley *test, double value);
CSM_API csm_status csm_page_hinkley_describe(csm_page_hinkley_info *out, const csm_page_hinkley *test);
CSM_API void csm_page_hinkley_free(csm_page_hinkley *test);

/* Population stability index of `current` against `reference`, over bins that hold equal shares of the reference: sum of
 * (c - r) ln(c / r), a bin without a value counting half a value. Usual reading: 0.1 little, 0.25 much. 2..100 bins; ties in
 * the reference may leave fewer. Finite values; CSM_ENODATA when either side has fewer values than bins. */
CSM_API csm_status csm_learn_psi(double *psi, const double *reference, size_t reference_count,
                                 const double *current, size_t current_count, uint32_t bins);

/* Two-sample Kolmogorov-Smirnov test. */
typedef struct csm_ks {
    double statistic; /* greatest distance of the two distribution functions, exact */
    double p_value;   /* two-sided, by Kolmogorov's limit: for independent values and large samples */
} csm_ks;
/* Finite values; CSM_ENODATA when either side is empty. Linear in the counts: only cells of the range in which the greatest
 * distance could lie are sorted. */
CSM_API csm_status csm_learn_ks(csm_ks *out, const double *a, size_t a_count, const double *b,
                                size_t b_count);

/* The alarm budget: the level of each check, so that `streams` checked every `interval` give at most `false_alarms` a year on
 * average when nothing drifts: false_alarms * interval / (streams * 365.25 days), at most 0.5. The mean holds whatever the
 * dependence between checks. For p-values compare with the level; for ADWIN it is delta. */
CSM_API csm_status csm_learn_alarm_level(double *level, double false_alarms, size_t streams,
                                         csm_time interval);

/* ---- weights of members and horizons ------------------------------------------------------------------------------------ */

/* Exponentially weighted aggregation (Cesa-Bianchi & Lugosi 2006, section 2.3): weights proportional to exp(-rate * loss so far), with
 * rate = sqrt(8 ln(members) / ((rounds + 1) (2 delay + 1))). A mixture by them loses little more than the best member, whatever
 * the losses do; feedback may be late, which `delay` pays for with smaller steps (Joulani, Gyorgy & Szepesvari 2013). */
typedef struct csm_aggregate csm_aggregate;
/* members 1..4096; delay: rounds between a forecast and its outcome, 0 when it is known before the next one. */
CSM_API csm_status csm_aggregate_new(csm_aggregate **out, size_t members, double delay);
/* loss[members] of one matured round, each within 0..1; NaN: the member did not predict, and is charged what the others, by their
 * weights of now, lost. A round in which nobody predicted is CSM_EINVAL. Nothing changes on failure. */
CSM_API csm_status csm_aggregate_add(csm_aggregate *aggregate, const double *loss);
/* weight[members]: above or at 0, sum 1; equal before the first round. */
CSM_API csm_status csm_aggregate_weights(double *weight, const csm_aggregate *aggregate);
CSM_API void csm_aggregate_free(csm_aggregate *aggregate);

#ifdef __cplusplus
}
#endif
#endif
