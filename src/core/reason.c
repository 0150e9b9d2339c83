/* SPDX-License-Identifier: MIT */
#include <cryptosmart/core.h>

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *text;
} reasons_by_bit[64] = {
#define CSM_REASON(bit, name, text) [bit] = {#name, text},
#include <cryptosmart/reasons.def>
#undef CSM_REASON
};

const char *csm_reason_name(uint32_t bit) {
    return bit < 64 ? reasons_by_bit[bit].name : NULL;
}

const char *csm_reason_text(uint32_t bit) {
    return bit < 64 ? reasons_by_bit[bit].text : NULL;
}

char *csm_reason_format(csm_reason reasons, char *text, size_t size) {
    if (!text || size == 0) return text;
    size_t length = 0;
    text[0] = '\0';
    for (uint32_t bit = 0; bit < 64 && length + 1 < size; bit++) {
        if (!(reasons >> bit & 1)) continue;
        const char *between = length ? "|" : "";
        const char *name = csm_reason_name(bit);
        const int added = name ? snprintf(text + length, size - length, "%s%s", between, name)
                               : snprintf(text + length, size - length, "%sBIT_%u", between, bit);
        if (added < 0) break;
        length = (size_t)added < size - length ? length + (size_t)added : size - 1;
    }
    return text;
}
