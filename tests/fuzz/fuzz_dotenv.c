/* SPDX-License-Identifier: MIT */
/* The daemon's .env parser: any bytes give entries or a text with a line number, and never a value in that text. */
#include "../../examples/daemon/dotenv.c"
#include "../../examples/daemon/failure.c"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static csm_status see(void *user, const char *name, const char *value, int line) {
    size_t *entries = user;
    /* names are letters, digits and '_'; values have no byte zero but their last */
    if (!*name || strlen(name) >= DOTENV_NAME || strlen(value) >= DOTENV_VALUE || line < 1) abort();
    ++*entries;
    return CSM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (sodium_init() < 0) return 0;
    size_t entries = 0;
    csm_status status = dotenv_parse((const char *)data, size, "fuzz.env", see, &entries);
    if (entries > size || (status != CSM_OK && status != CSM_EPARSE && status != CSM_ENOMEM)) abort();
    if (status == CSM_EPARSE && strncmp(failure_text(), "fuzz.env:", 9) != 0) abort();
    return 0;
}
