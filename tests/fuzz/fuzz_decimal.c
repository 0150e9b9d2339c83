/* SPDX-License-Identifier: MIT */
/* Decimals: what is read, written and read again is the same, and its double is the one strtod takes from its text. */
#include <cryptosmart/core.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_decimal value, again;
    char text[CSM_DECIMAL_TEXT];
    if (csm_decimal_parse(&value, (const char *)data, size)) return 0;
    csm_decimal_format(value, text, sizeof text);
    if (csm_decimal_double(value) != strtod(text, NULL)) abort();
    if (csm_decimal_parse(&again, text, strlen(text))) abort();
    if (again.ticks != value.ticks || again.scale != value.scale) abort();
    return 0;
}
