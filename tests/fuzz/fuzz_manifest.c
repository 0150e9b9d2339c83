/* SPDX-License-Identifier: MIT */
/* manifest.json of an exported folder: what is read is written and read again as the same. */
#include "store/manifest.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_manifest manifest, again;
    csm_buffer first = {0}, second = {0};
    if (csm_manifest_parse(&manifest, size > 0 ? (const char *)data : "", size)) return 0;
    for (size_t i = 0; i < manifest.count; i++) {
        if (!csm_manifest_path_is_plain(manifest.entries[i].path)) __builtin_trap();
    }
    if (csm_manifest_format(&first, &manifest)) __builtin_trap();
    if (csm_manifest_parse(&again, first.data, first.length)) __builtin_trap();
    if (csm_manifest_format(&second, &again)) __builtin_trap();
    if (first.length != second.length || memcmp(first.data, second.data, first.length) != 0) __builtin_trap();
    csm_buffer_free(&second);
    csm_buffer_free(&first);
    csm_manifest_free(&again);
    csm_manifest_free(&manifest);
    return 0;
}
