/* SPDX-License-Identifier: MIT */
#ifndef CSM_LEARN_BETTING_H
#define CSM_LEARN_BETTING_H

#include "core/internal.h"

typedef struct csm_bets {
    size_t blocks; /* closed */
    double up;     /* largest wealth so far of who bets that the mean is above 0 */
    double down;   /* and below */
} csm_bets;

/* Bets on block means of values within -1..1, rows in order of time; blocks of `horizon`, closed by as_of. Valid at every look. */
csm_status csm_bet_on_blocks(csm_bets *out, const csm_time *time, const double *value, size_t n,
                             csm_time horizon, csm_time as_of);

#endif
