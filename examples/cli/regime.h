/* SPDX-License-Identifier: MIT */
/* Calm and turbulent markets: what a record is worth in either. States are filtered, by models of earlier days alone. */
#ifndef CLI_REGIME_H
#define CLI_REGIME_H

#include <cryptosmart/cryptosmart.h>

#include <stdbool.h>

#define REGIMES 2 /* calm, turbulent */

/* Filtered probability of the turbulent state, one a day of the market factor: the mean hourly log return of every coin of the
 * universe that ever was. A day has its realised volatility (logarithm) and the return of the week that ends with it. */
typedef struct regimes {
    csm_time first; /* midnight that begins day 0 */
    size_t days;
    double *turbulent; /* NaN: before the first fit */
} regimes;

csm_status regimes_make(regimes *out, csm_context *context, csm_pipeline *pipeline, csm_time as_of);
/* From days that follow each other from `first`: log volatility and return of a day, NaN where too few hours traded. */
csm_status regimes_of_days(regimes *out, csm_context *context, csm_time first, const double *volatility,
                           const double *returns, size_t days);
void regimes_free(regimes *r);
/* 0 calm, 1 turbulent, by the last day that had ended at the decision; -1: not known. */
int regime_at(const regimes *r, csm_time decision);
const char *regime_name(int regime);

/* Judged rows (a calibrated probability, a known momentum) of one horizon in one regime. */
typedef struct regime_slice {
    csm_scores model; /* rows 0: none */
    size_t issued;
    double precision; /* of the issued; NaN: none */
    size_t members;   /* 0 where there is one alone */
    csm_band member_ic[CSM_MEMBERS_MAX];
    int ahead; /* member whose rank IC's band lies above the ensemble's; -1: none, and no choice by regime is supported */
} regime_slice;

csm_status regime_slices(regime_slice slices[REGIMES], csm_context *context, const regimes *r,
                         const csm_horizon_training *training, const csm_walk_row *rows);

#endif
