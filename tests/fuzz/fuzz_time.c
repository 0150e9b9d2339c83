/* SPDX-License-Identifier: MIT */
/* RFC 3339: what is read, written and read again is the same time. */
#include <cryptosmart/core.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    csm_time time, again;
    char text[CSM_TIME_TEXT];
    if (csm_time_parse(&time, (const char *)data, size)) return 0;
    csm_time_format(time, text, sizeof text);
    const csm_calendar calendar = csm_time_calendar(time);
    if (csm_time_from_calendar(&again, &calendar) || again != time) abort();
    /* an offset may lead out of the years that are read, though not out of 64 bits */
    if (calendar.year < 1678 || calendar.year > 2261) return 0;
    if (csm_time_parse(&again, text, strlen(text)) || again != time) abort();
    return 0;
}
