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
    int32_t epoch; /* listing epoch of the market */
    int32_t reserved;
    double log_return; /* NaN unless known */
} csm_ledger_entry;
typedef struct csm_ledger_history csm_ledger_history;
/* Entries with from <= decision < to, by row. horizon 0: all. shown_only: those that passed the gate. */
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

#ifdef __cplusplus
}
#endif
#endif
