/* SPDX-License-Identifier: MIT */
/* Any bytes as a cassette, and every exchange of what was accepted played once. */
#include "net/cassette.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_cassette *cassette = NULL;
    if (csm_cassette_parse(&cassette, (const char *)data, size, "fuzz") != CSM_OK) return 0;
    size_t recorded = 0;
    const csm_exchange *exchange = csm_cassette_next(cassette, "GET", "https://x/", "", &recorded);
    for (; exchange; exchange = csm_cassette_next(cassette, "GET", "https://x/", "", &recorded))
        if (exchange->body[exchange->length] != '\0' || strcmp(exchange->url, "https://x/") != 0) abort();
    csm_cassette_free(cassette);
    return 0;
}
