/* SPDX-License-Identifier: MIT */
#include "discover/exclusions.h"

#include <string.h>

typedef struct exclusion {
    const char *coin;
    csm_reason_bit reason;
    const char *source;
} exclusion;

static const exclusion exclusions[] = {
#define CSM_EXCLUSION(coin, reason, source) {coin, CSM_REASON_##reason, source},
#include "discover/exclusions.def"
#undef CSM_EXCLUSION
};

static const exclusion *exclusion_find(const char *coin) {
    for (size_t i = 0; i < sizeof(exclusions) / sizeof(exclusions[0]); i++)
        if (strcmp(exclusions[i].coin, coin) == 0) return &exclusions[i];
    return NULL;
}

csm_reason csm_exclusion_of(const char *coin) {
    const exclusion *found = exclusion_find(coin);
    return found == NULL ? 0 : (csm_reason)1 << found->reason;
}

const char *csm_exclusion_source(const char *coin) {
    const exclusion *found = exclusion_find(coin);
    return found == NULL ? NULL : found->source;
}

typedef struct relisting {
    const char *venue;
    const char *symbol;
    int32_t epoch;
    int64_t from; /* Unix second */
    const char *source;
} relisting;

static const relisting relistings[] = {
#define CSM_RELISTING(venue, symbol, epoch, from, source) {venue, symbol, epoch, from, source},
#include "discover/relistings.def"
#undef CSM_RELISTING
};

static bool relisting_is(const relisting *r, const char *venue, const char *symbol) {
    return strcmp(r->venue, venue) == 0 && strcmp(r->symbol, symbol) == 0;
}

int32_t csm_relisting_epoch(const char *venue, const char *symbol, csm_time time) {
    int32_t epoch = 1;
    for (size_t i = 0; i < sizeof relistings / sizeof relistings[0]; i++)
        if (relisting_is(&relistings[i], venue, symbol) && relistings[i].epoch > epoch &&
            time >= relistings[i].from * CSM_SECOND)
            epoch = relistings[i].epoch;
    return epoch;
}

csm_time csm_relisting_from(const char *venue, const char *symbol, int32_t epoch) {
    for (size_t i = 0; i < sizeof relistings / sizeof relistings[0]; i++)
        if (relisting_is(&relistings[i], venue, symbol) && relistings[i].epoch == epoch)
            return relistings[i].from * CSM_SECOND;
    return CSM_TIME_MIN;
}
