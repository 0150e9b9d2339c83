/* SPDX-License-Identifier: MIT */
/* Any bytes as an answer to kraken.ticker: rows or a failure with text, never a fault. */
#include "ingest/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const csm_source_driver *driver = csm_source_driver_of(csm_ingest_source_find("kraken.ticker"));
    const csm_source_ask ask = {.base_url = "",
                                .cursor = "",
                                .last_id = CSM_ID_UNKNOWN,
                                .interval = CSM_MINUTE,
                                .from = CSM_TIME_MIN};
    csm_source_answer answer = CSM_SOURCE_ANSWER_INIT;
    csm_status status =
        driver->parse(&answer, &ask, size > 0 ? (const char *)data : "", size, 1800000000 * CSM_SECOND);
    if (status != CSM_OK && csm_error_message()[0] == '\0') __builtin_trap();
    csm_source_answer_free(&answer);
    return 0;
}
