/* SPDX-License-Identifier: MIT */
/* Decimals and times of bulk replies, from spans of text, without a double in between. */
#ifndef CSM_INGEST_DECIMAL_TEXT_H
#define CSM_INGEST_DECIMAL_TEXT_H

#include "discover/json_scan.h"

/* As csm_decimal_parse, quicker for plain "123.4500" of up to 18 digits. */
csm_status csm_decimal_from_slice(csm_decimal *out, csm_slice span);
/* left + right, exact; CSM_EINVAL when the sum leaves 18 digits. */
csm_status csm_decimal_add(csm_decimal *out, csm_decimal left, csm_decimal right);
/* Seconds with a fraction of at most nine digits -> ns, exact. CSM_EPARSE outside the years 1970..2261. */
csm_status csm_time_from_slice(csm_time *out, csm_slice seconds);

static inline csm_decimal csm_decimal_whole(int64_t value) {
    return (csm_decimal){.ticks = value, .scale = 0, .reserved = 0};
}

#endif
