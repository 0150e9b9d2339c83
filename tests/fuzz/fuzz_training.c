/* SPDX-License-Identifier: MIT */
/* Whole trainings of the pipeline: recipe, models, calibrators and walk in one file. Bytes are tried as they are and with
 * their checksum made right. */
#include "pipeline/training.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGITS_AT (8 + sizeof("{\"__metadata__\":{\"csm.sha256\":\"") - 1)

static void parse(const uint8_t *data, size_t size) {
    csm_training *training = NULL;
    const csm_status status = csm_training_parse(&training, data, size);
    if ((status == CSM_OK) != (training != NULL)) __builtin_trap();
    for (size_t h = 0; training && h < training->horizons; h++) {
        const horizon_walk *walk = &training->horizon[h].walk;
        for (size_t i = 0; i < walk->length; i++) {
            if (walk->rows[i].market >= training->markets) __builtin_trap();
        }
    }
    csm_training_free(training);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char digits[CSM_HASH_TEXT];
    parse(data, size);
    if (size < DIGITS_AT + CSM_HASH_TEXT) return 0;
    uint8_t *copy = malloc(size);
    if (!copy) return 0;
    memcpy(copy, data, size);
    memset(copy + DIGITS_AT, '0', CSM_HASH_TEXT - 1);
    csm_hash hash = csm_hash_bytes(copy, size);
    memcpy(copy + DIGITS_AT, csm_hash_format(&hash, digits), CSM_HASH_TEXT - 1);
    parse(copy, size);
    free(copy);
    return 0;
}
