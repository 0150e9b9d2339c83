/* SPDX-License-Identifier: MIT */
/* Hashes as text: what is read, written and read again is the same. */
#include "core/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *input = malloc(size + 1);
    if (!input) return 0;
    memcpy(input, data, size);
    input[size] = '\0';
    csm_hash hash, again;
    char text[CSM_HASH_TEXT];
    if (csm_hash_parse(&hash, input) == CSM_OK) {
        if (csm_hash_parse(&again, csm_hash_format(&hash, text)) || memcmp(&hash, &again, sizeof hash) != 0)
            abort();
    }
    free(input);
    return 0;
}
