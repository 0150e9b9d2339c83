/* SPDX-License-Identifier: MIT */
/* Facts about coins that no listing says: exclusions.def and relistings.def. */
#ifndef CSM_DISCOVER_EXCLUSIONS_H
#define CSM_DISCOVER_EXCLUSIONS_H

#include "core/internal.h"

/* Reasons that stand against a base by its name alone, 0 when none. */
csm_reason csm_exclusion_of(const char *coin);
/* Source of that fact; NULL when the coin is not in the table. */
const char *csm_exclusion_source(const char *coin);

/* Listing epoch of a market at `time` as far as relistings.def knows: 1 where it does not name the market. */
int32_t csm_relisting_epoch(const char *venue, const char *symbol, csm_time time);
/* First moment of that epoch by the same table; CSM_TIME_MIN for epoch 1 and for markets that it does not name. */
csm_time csm_relisting_from(const char *venue, const char *symbol, int32_t epoch);

#endif
