/* SPDX-License-Identifier: MIT */
/* Facts about coins that no listing says: exclusions.def. */
#ifndef CSM_DISCOVER_EXCLUSIONS_H
#define CSM_DISCOVER_EXCLUSIONS_H

#include "core/internal.h"

/* Reasons that stand against a base by its name alone, 0 when none. */
csm_reason csm_exclusion_of(const char *coin);
/* Source of that fact; NULL when the coin is not in the table. */
const char *csm_exclusion_source(const char *coin);

#endif
