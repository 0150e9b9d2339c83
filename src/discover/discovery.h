/* SPDX-License-Identifier: MIT */
/* The result of a run, and the steps that make it. */
#ifndef CSM_DISCOVER_DISCOVERY_H
#define CSM_DISCOVER_DISCOVERY_H

#include "discover/listing.h"
#include "discover/registry.h"

struct csm_discovery {
    csm_text_pool texts;
    csm_coverage coverage;
    csm_listing_event *events;
    size_t event_count;
    size_t event_capacity;
};

csm_status csm_discovery_new(csm_discovery **out);

/* Ranks quotes and picks the canonical market of each coin: the first wanted quote that it has. Others that nothing stood
 * against are NOT_CANONICAL; a quote outside the list is QUOTE_NOT_MODELLED. rows in any order. */
csm_status csm_canonical_choose(csm_registry_row *rows, size_t count, const char *const *quotes);

/* Fills pairs_ and coins_ of the coverage from the registry as the catalogue has it now and from the raw total:
 * CSM_ECOVERAGE when they do not add up. */
csm_status csm_coverage_settle(csm_coverage *coverage, const csm_store *store, const csm_listing *listing,
                               const char *raw, size_t raw_length);
/* Within a transaction: a run with nothing counted yet, its number in coverage->run; then what was counted. */
csm_status csm_coverage_begin(csm_coverage *coverage, csm_store *store, const csm_provenance *provenance,
                              const char *note);
csm_status csm_coverage_commit(const csm_coverage *coverage, csm_store *store);
/* Time of the venue's newest run; CSM_TIME_MIN when none. */
csm_status csm_coverage_newest(csm_time *out, const csm_store *store, const char *venue);

#endif
