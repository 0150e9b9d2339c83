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
