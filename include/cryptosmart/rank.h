/* SPDX-License-Identifier: MIT */
/* rank: what passes the gate, highest expected return first; and a count of where everything else fell. */
#ifndef CRYPTOSMART_RANK_H
#define CRYPTOSMART_RANK_H

#include <cryptosmart/calibrate.h>
#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What one member of the ensemble says alone, and how much it counts. */
typedef struct csm_member_forecast {
    char name[CSM_MEMBER_NAME]; /* "trees" */
    double score;               /* raw, log-odds */
    double score_weight;        /* in the ensemble's score */
    double expected_return;     /* log */
    double return_weight;       /* in the ensemble's expected return */
} csm_member_forecast;

/* How much one feature moved a member's score away from its mean (TreeSHAP), in log-odds. */
typedef struct csm_contribution {
    char feature[48]; /* "rsi_14"; cut to size */
    double value;     /* of the feature */
    double contribution;
} csm_contribution;
#define CSM_CONTRIBUTIONS_MAX 6 /* kept in forecasts and ledger rows, the greatest first */

typedef struct csm_horizon_forecast {
    csm_time horizon;
    double expected_return; /* log; NaN: no forecast */
    double low;             /* conformal interval of the return */
    double high;
    double probability; /* calibrated P(Y = 1); NaN: no forecast */
    double lower;       /* one-sided 95 % lower bound for the precision of such predictions; NaN: unknown */
    double cost;        /* c of the event, log */
    uint32_t evidence;  /* csm_evidence_status */
    uint32_t member_count; /* 0: no forecast */
    csm_member_forecast members[CSM_MEMBERS_MAX];
    char explained
        [CSM_MEMBER_NAME]; /* member that the contributions are of, "trees"; "": none can be explained so */
    uint32_t contribution_count;
    uint32_t reserved;
    csm_contribution contributions[CSM_CONTRIBUTIONS_MAX];
} csm_horizon_forecast;

/* One coin at one decision time. */
typedef struct csm_forecast {
    char coin[32];
    char market[64]; /* "kraken:BTC/USD" */
    int32_t epoch;   /* listing epoch of the market */
    int32_t reserved;
    csm_time time;        /* decision */
    csm_time last_update; /* close of the last traded bar */
    double price;         /* last traded */
    uint32_t horizon_count;
    uint32_t agreement; /* set by csm_rank_build: horizons with probability >= 0.5 and positive return */
    csm_horizon_forecast horizons[CSM_HORIZONS_MAX];
    csm_gate_input gate;
    csm_reason show;  /* set by csm_rank_build */
    csm_reason trade; /* set by csm_rank_build */
} csm_forecast;

typedef struct csm_rank_options {
    size_t size;
    csm_gate_options gate;
    csm_time horizon; /* of gate and order; default 30 days */
    size_t limit;     /* most rows shown; 0: all */
} csm_rank_options;
CSM_API void csm_rank_options_init(csm_rank_options *options);

typedef struct csm_ranking csm_ranking; /* immutable */

/* Funnel: each coin falls at the first condition that fails. Order: data reasons that occur, by bit; then NO_MODEL,
 * NOT_CALIBRATED, HISTORY_CLOCK, ILLIQUID, DRIFT_ALARM, EVIDENCE_REVOKED, EVIDENCE_LOW, PROBABILITY_LOW, RETURN_LOW, and
 * NO_CONSENSUS when it is required. */
typedef struct csm_funnel_step {
    uint32_t reason; /* csm_reason_bit */
    uint32_t reserved;
    size_t fell;   /* coins that fall here first */
    size_t failed; /* coins that fail this condition at all */
    size_t left;   /* coins still in after it */
} csm_funnel_step;

/* Applies the gate to each forecast and orders the passing ones by expected return at options.horizon (ties: higher
 * probability, then market name, then input order). Probability, expected return, cost, evidence and agreement of `gate`
 * are set here from `horizons`; the caller sets its other members. A horizon without a forecast is NO_MODEL. Copies what
 * it keeps. An empty ranking is a normal result. */
CSM_API csm_status csm_rank_build(csm_ranking **out, const csm_forecast *forecasts, size_t n,
                                  const csm_rank_options *options);
CSM_API void csm_ranking_free(csm_ranking *ranking);
CSM_API size_t csm_ranking_count(const csm_ranking *ranking);                         /* shown */
CSM_API const csm_forecast *csm_ranking_at(const csm_ranking *ranking, size_t index); /* shown, in order */
CSM_API size_t csm_ranking_total(const csm_ranking *ranking);                         /* all */
CSM_API const csm_forecast *csm_ranking_all_at(const csm_ranking *ranking,
                                               size_t index); /* all, in input order */
CSM_API size_t csm_ranking_funnel_count(const csm_ranking *ranking);
CSM_API const csm_funnel_step *csm_ranking_funnel_at(const csm_ranking *ranking, size_t index);

#ifdef __cplusplus
}
#endif
#endif
