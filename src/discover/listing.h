/* SPDX-License-Identifier: MIT */
/* A parsed listing, and a list of registry rows: markets with the strings that they name. */
#ifndef CSM_DISCOVER_LISTING_H
#define CSM_DISCOVER_LISTING_H

#include "discover/text_pool.h"

#include <cryptosmart/discover.h>

/* How a listing's raw bytes are counted again, apart from its rows (csm_raw_count). */
typedef enum csm_listing_format { CSM_LISTING_KRAKEN = 0, CSM_LISTING_MANIFEST = 1 } csm_listing_format;

typedef struct csm_listing_detail {
    const char *note; /* what is wrong with the record, "" when nothing */
    const char *base; /* the coin as the listing writes it: what the raw count counts too */
} csm_listing_detail;

struct csm_listing {
    csm_text_pool texts;
    csm_market *markets;
    csm_listing_detail *details; /* per market */
    size_t count;
    size_t capacity;
    const char *venue; /* of every row */
    csm_listing_format format;
    bool names_by_prefix; /* no Assets reply: names follow the legacy prefix rule */
};

csm_status csm_listing_new(csm_listing **out, csm_listing_format format);
/* A new row with nothing known: empty texts, missing decimals, epoch 1, not delisted. Valid until the next call. */
csm_status csm_listing_row(csm_market **out, csm_listing *listing);
/* Marks the last row BAD_RECORD; the first note stays. `why` is copied. */
csm_status csm_listing_bad(csm_listing *listing, const char *why);
/* Names that two rows claim are a contradiction: all but the first become BAD_RECORD under a name of their own. Sets ids. */
csm_status csm_listing_finish(csm_listing *listing);

/* "A-Za-z0-9._-", 1..24 bytes: what may stand in a symbol. */
bool csm_asset_name_good(const char *name);

#endif
