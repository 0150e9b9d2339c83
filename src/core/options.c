/* SPDX-License-Identifier: MIT */
#include "core/internal.h"

#include <string.h>

/* Larger than any option struct will ever be: a `size` above it is an uninitialised struct, not a newer one. */
#define OPTIONS_SIZE_LIMIT ((size_t)65536)

csm_status csm_options_take(void *out, size_t known, const void *user, const char *name) {
    if (!user) return CSM_OK;
    size_t size;
    memcpy(&size, user, sizeof size);
    if (size < sizeof size || size > OPTIONS_SIZE_LIMIT)
        return csm_fail(CSM_EINVAL, "%s: size %zu is outside %zu..%zu; call %s_init first", name, size,
                        sizeof size, OPTIONS_SIZE_LIMIT, name);
    const unsigned char *bytes = user;
    for (size_t i = known; i < size; i++) {
        if (bytes[i] != 0)
            return csm_fail(CSM_EINVAL, "%s: byte %zu of %zu is set, but this version knows only %zu bytes",
                            name, i, size, known);
    }
    memcpy(out, user, size < known ? size : known);
    memcpy(out, &known, sizeof known);
    return CSM_OK;
}
