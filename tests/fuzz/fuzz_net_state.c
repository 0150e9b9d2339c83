/* SPDX-License-Identifier: MIT */
/* Any bytes as the state file of net: whatever it says, a bucket is at worst empty. */
#include "net/internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const csm_time now = (csm_time)1700000000 * CSM_SECOND;
    const csm_bucket_rule rule = {.interval = CSM_SECOND, .depth = 3 * CSM_SECOND};
    csm_limits limits;
    csm_limits_init(&limits);
    if (csm_state_parse(&limits, (const char *)data, size) == CSM_OK)
        for (size_t i = 0; i < limits.bucket_count; i++) {
            const csm_time ready = csm_bucket_ready(limits.buckets[i], &rule, now);
            if (ready > now + CSM_SECOND) abort();
            csm_bucket_take(limits.buckets[i], &rule, now);
        }
    csm_limits_free(&limits);
    return 0;
}
