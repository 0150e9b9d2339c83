/* SPDX-License-Identifier: MIT */
/* The left side of the coverage equation: what a raw listing offers, counted from its bytes and not from parsed rows. */
#ifndef CSM_DISCOVER_RAW_COUNT_H
#define CSM_DISCOVER_RAW_COUNT_H

#include "discover/listing.h"

typedef struct csm_raw_total {
    size_t pairs; /* members of the reply, or lines of the manifest */
    size_t bases; /* different texts in their base or coin field; a record without one counts for itself */
} csm_raw_total;

csm_status csm_raw_count(csm_raw_total *out, csm_listing_format format, const char *raw, size_t length);
/* The same over a listing's rows: different bases, and different coins after naming. */
csm_status csm_rows_count(size_t *bases, size_t *coins, const csm_listing *listing);

#endif
