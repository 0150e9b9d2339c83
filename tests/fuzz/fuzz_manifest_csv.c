/* SPDX-License-Identifier: MIT */
#include <cryptosmart/discover.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_listing *listing = NULL;
    csm_status status = csm_discover_parse_manifest(&listing, size > 0 ? (const char *)data : "", size);
    if ((status == CSM_OK) != (listing != NULL && csm_listing_count(listing) > 0)) __builtin_trap();
    csm_listing_free(listing);
    return 0;
}
