/* SPDX-License-Identifier: MIT */
/* Interval names: what is read, written and read again is the same. */
#include <cryptosmart/core.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *input = malloc(size + 1);
    if (!input) return 0;
    memcpy(input, data, size);
    input[size] = '\0';
    csm_time interval, again;
    char text[CSM_TIME_TEXT];
    if (csm_interval_parse(&interval, input) == CSM_OK) {
        if (interval <= 0) abort();
        csm_interval_format(interval, text, sizeof text);
        if (csm_interval_parse(&again, text) || again != interval) abort();
    }
    free(input);
    return 0;
}
