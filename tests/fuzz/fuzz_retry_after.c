/* SPDX-License-Identifier: MIT */
/* Any bytes as the value of Retry-After: never before the answer, never beyond ten years. */
#include "net/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const csm_time received = (csm_time)1700000000 * CSM_SECOND;
    char *text = malloc(size + 1);
    if (!text) return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    csm_time at = 0;
    if (csm_retry_after_parse(&at, text, received) && (at < received || at > received + 3661 * CSM_DAY))
        abort();
    free(text);
    return 0;
}
