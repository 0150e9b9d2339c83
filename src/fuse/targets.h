/* SPDX-License-Identifier: MIT */
#ifndef CSM_FUSE_TARGETS_H
#define CSM_FUSE_TARGETS_H

#include "core/internal.h"

#include <cryptosmart/fuse.h>

/* A price older than this is not executable: entry at most so long after the decision, exit at most so long before the
 * horizon's end. Part of the event's id. */
#define CSM_TARGET_AGE_LIMIT (6 * CSM_HOUR)

/* The one definition of an outcome, for targets, the ledger and tests. bars: all known of the market at as_of from the
 * decision to decision + horizon (more does no harm). delisted: CSM_TIME_MAX while listed. */
csm_status csm_target_of(csm_target *out, const csm_bars *bars, csm_time decision, csm_time horizon,
                         csm_time as_of, csm_time delisted, double cost);
csm_status csm_target_check(csm_time interval, csm_time horizon);

#endif
