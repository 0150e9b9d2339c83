/* SPDX-License-Identifier: MIT */
/* The state of a search. Bytes are tried as they are and with their checksum made right, since behind a wrong one nothing
 * else would ever be reached; what is taken must be able to go on, and to be written and read again. */
#include "model/tune/internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DIGITS_AT (8 + sizeof("{\"__metadata__\":{\"csm.sha256\":\"") - 1)

static void go_on(csm_tuner *tuner) {
    csm_trial trial;
    double loss[1000] = {0};
    csm_buffer file = {0};
    csm_tuner *copy = NULL;
    /* A large search is not wrong, but proposing after thousands of trials is slow. */
    for (int i = 0; i < 3 && tuner->count < 200 && tuner->options.candidates < 100; i++) {
        if (csm_tuner_ask(&trial, tuner) != CSM_OK) break;
        if (csm_tuner_tell(tuner, trial.number, loss, trial.to_step - trial.from_step) != CSM_OK) abort();
    }
    (void)csm_tuner_best(&trial, tuner);
    if (tune_state_write(&file, tuner) == CSM_OK && tune_state_read(&copy, file.data, file.length) != CSM_OK)
        abort();
    csm_tuner_free(copy);
    csm_buffer_free(&file);
}

static void load(const uint8_t *data, size_t size) {
    csm_tuner *tuner = NULL;
    if (tune_state_read(&tuner, data, size) != CSM_OK) return;
    go_on(tuner);
    csm_tuner_free(tuner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char digits[CSM_HASH_TEXT];
    load(data, size);
    if (size < DIGITS_AT + CSM_HASH_TEXT) return 0;
    uint8_t *copy = malloc(size);
    if (!copy) return 0;
    memcpy(copy, data, size);
    memset(copy + DIGITS_AT, '0', CSM_HASH_TEXT - 1);
    csm_hash hash = csm_hash_bytes(copy, size);
    memcpy(copy + DIGITS_AT, csm_hash_format(&hash, digits), CSM_HASH_TEXT - 1);
    load(copy, size);
    free(copy);
    return 0;
}
