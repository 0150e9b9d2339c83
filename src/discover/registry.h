/* SPDX-License-Identifier: MIT */
/* The registry's rows in the catalogue: one a version of a listing epoch, readable as of any time. */
#ifndef CSM_DISCOVER_REGISTRY_H
#define CSM_DISCOVER_REGISTRY_H

#include "discover/text_pool.h"
#include "store/catalog.h"

#include <cryptosmart/discover.h>

struct csm_market_list {
    csm_text_pool texts;
    csm_market *markets;
    int32_t *ranks; /* of the market's quote, see quote_rank */
    size_t count;
    size_t capacity;
};

typedef struct csm_registry_row {
    csm_market market;
    int32_t quote_rank; /* 0 the most wanted quote; -1 not modelled */
    const char *note;
} csm_registry_row;

/* Versions of `venue` (NULL: all) that hold at as_of, sorted by venue, symbol and epoch. */
csm_status csm_registry_load(csm_market_list **out, const csm_store *store, const char *venue,
                             csm_time as_of);

/* Within a transaction. */
csm_status csm_registry_begin_version(csm_store *store, const csm_registry_row *row, csm_time from,
                                      int64_t run);
/* Ends the version that holds now; one that began at `time` itself is taken back. */
csm_status csm_registry_end_version(csm_store *store, const csm_market *market, csm_time time);

/* Fee tiers as text: [[volume,percent],...]. */
const char *csm_tiers_format(csm_text_pool *pool, uint32_t tiers, const double *volumes,
                             const double *percents);

#endif
