/* SPDX-License-Identifier: MIT */
/* Kraken AssetPairs: any bytes are a listing or CSM_EPARSE (or the status of an error string), never a fault. */
#include <cryptosmart/discover.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    const char *split = size > 0 ? memchr(text, '\1', size) : NULL; /* AssetPairs \1 Assets */
    size_t pairs = split == NULL ? size : (size_t)(split - text);
    csm_listing *listing = NULL;
    csm_status status =
        csm_discover_parse_kraken(&listing, size > 0 ? text : "", pairs, split == NULL ? NULL : split + 1,
                                  split == NULL ? 0 : size - pairs - 1);
    if ((status == CSM_OK) != (listing != NULL)) __builtin_trap();
    for (size_t i = 0; i < csm_listing_count(listing); i++) {
        const csm_market *market = csm_listing_at(listing, i);
        if (*market->symbol == '\0' || strlen(market->symbol) > 64) __builtin_trap();
    }
    csm_listing_free(listing);
    return 0;
}
