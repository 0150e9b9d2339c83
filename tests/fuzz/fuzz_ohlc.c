/* SPDX-License-Identifier: MIT */
/* Any bytes as an answer to kraken.ohlc: rows or a failure with text, never a fault. A space behind every '[' that is in no
 * string sends the same rows the exact way instead of the quick one: the outcome must be the same. */
#include "ingest/source.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static csm_status parse(csm_source_answer *answer, const char *body, size_t length) {
    const csm_source_driver *driver = csm_source_driver_of(csm_ingest_source_find("kraken.ohlc"));
    const csm_source_ask ask = {.base_url = "",
                                .cursor = "",
                                .last_id = CSM_ID_UNKNOWN,
                                .interval = CSM_MINUTE,
                                .from = CSM_TIME_MIN};
    return driver->parse(answer, &ask, body, length, 1800000000 * CSM_SECOND);
}

static size_t loosen(char *out, const uint8_t *data, size_t size) {
    size_t length = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        out[length++] = (char)data[i];
        if (in_string && data[i] == '\\' && i + 1 < size)
            out[length++] = (char)data[++i];
        else if (data[i] == '"')
            in_string = !in_string;
        else if (data[i] == '[' && !in_string)
            out[length++] = ' ';
    }
    return length;
}

static void compare(const csm_table *a, const csm_table *b) {
    if (csm_table_rows(a) != csm_table_rows(b)) __builtin_trap();
    for (size_t c = 0; c < csm_table_columns(a); c++) {
        if (csm_table_rows(a) == 0) continue;
        if (csm_table_scale(a, c) != csm_table_scale(b, c)) __builtin_trap();
        if (memcmp(csm_table_ticks(a, c), csm_table_ticks(b, c), csm_table_rows(a) * sizeof(int64_t)) != 0)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_source_answer quick = CSM_SOURCE_ANSWER_INIT, exact = CSM_SOURCE_ANSWER_INIT;
    char *loose = malloc(2 * size + 1);
    if (loose == NULL) return 0;
    csm_status status = parse(&quick, size > 0 ? (const char *)data : "", size);
    if (status != CSM_OK && csm_error_message()[0] == '\0') __builtin_trap();
    csm_status other = parse(&exact, loose, loosen(loose, data, size));
    /* "last" is looked for in the final 256 bytes, which spaces may push it out of */
    if (status == CSM_OK && other == CSM_OK) compare(quick.parts[0].rows, exact.parts[0].rows);
    if (status != other && size < 200) __builtin_trap();
    csm_source_answer_free(&quick);
    csm_source_answer_free(&exact);
    free(loose);
    return 0;
}
