/* SPDX-License-Identifier: MIT */
/* Skill or luck: what the walk-forward record of a horizon is worth after trials, tails and benchmarks are counted. */
#ifndef CLI_SKILL_H
#define CLI_SKILL_H

#include "regime.h"

#define SKILL_STRATEGIES (CSM_MEMBERS_MAX + 2)

/* Coins ranked by what a strategy expects: the tenth of each date's with the most, at least one. Coins tied at the cut share the places
 * left. Returns are logarithmic means over disjoint blocks, the others means over dates. */
typedef struct skill_strategy {
    char name[CSM_MEMBER_NAME];
    double top;         /* net of costs */
    double error;       /* standard error of that (Newey & West); NaN: too few blocks */
    double top_doubled; /* with costs doubled */
    double spread;      /* top tenth less the lowest, net of both costs */
    double precision;   /* share of the top tenth that rose by more than its costs */
    double turnover;    /* share of the tenth that was not in it a date before */
} skill_strategy;

/* One return a disjoint block of the horizon: the mean over the block's dates. "Issued" holds in equal parts what was issued on
 * the date, nothing where nothing was. Rows count where both a calibrated probability and momentum are known. */
typedef struct skill {
    size_t dates;  /* with calibrated predictions */
    size_t silent; /* of them without an issued call */
    size_t blocks;
    uint64_t trials;   /* of the workspace's register */
    csm_sharpe issued; /* net of costs; rows 0: not known */
    double
        drawdown; /* deepest fall of the issued calls' cumulative log return, at most 0; NaN: nothing issued */
    size_t strategies; /* ensemble, each member where there are several, momentum last */
    skill_strategy strategy[SKILL_STRATEGIES];
    double market;               /* every coin of the date, before costs */
    double base_rate;            /* share of them that rose by more than their costs, mean over dates */
    uint32_t parts;              /* of the cross-validation; 0: too few blocks */
    csm_overfitting overfitting; /* among the strategies */
    /* Hansen's test; `consistent` is NaN where there were too few blocks. */
    csm_superior over_base;     /* Brier score against the base rate known at the time */
    csm_superior over_momentum; /* top tenths of ensemble and members against momentum's */
    csm_superior over_market;   /* the same against every coin */
} skill;

csm_status skill_make(skill *out, csm_context *context, const csm_horizon_training *training,
                      const csm_walk_row *rows, uint64_t trials);
/* All of it for one horizon. */
typedef struct judgement {
    skill skill;
    regime_slice regime[REGIMES];
} judgement;
/* One a horizon of the training, with the trials and the market of the pipeline's workspace; freed by the caller. */
csm_status judge_record(judgement **out, csm_context *context, csm_pipeline *pipeline,
                        const csm_training *training);

#endif
