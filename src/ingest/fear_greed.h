/* SPDX-License-Identifier: MIT */
/* The Fear & Greed series: its name in the store, and when a day's value counts as known. */
#ifndef CSM_INGEST_FEAR_GREED_H
#define CSM_INGEST_FEAR_GREED_H

#include "ingest/decimal_text.h"

#include <cryptosmart/store.h>

#define CSM_FEAR_GREED_VENUE "alternative.me"
#define CSM_FEAR_GREED_SERIES "fear_greed"
/* The value of day D is published about 00:00 UTC of D, "plus minutes" (vendor); an hour is on the safe side. */
#define CSM_FEAR_GREED_LAG CSM_HOUR

/* Appends the value of the day that begins at `day`; CSM_EPARSE when it is outside 0..100 or no midnight. */
csm_status csm_fear_greed_append(csm_table *rows, csm_time day, int64_t value);

#endif
