/* SPDX-License-Identifier: MIT */
#include "ingest/decimal_text.h"

#define DIGITS_MAX 18

__extension__ typedef __int128 wide;

csm_status csm_decimal_from_slice(csm_decimal *out, csm_slice span) {
    const char *at = span.text;
    const char *end = span.text + span.length;
    int64_t ticks = 0;
    if (span.length == 0 || span.length > DIGITS_MAX) return csm_decimal_parse(out, span.text, span.length);
    while (at < end && *at >= '0' && *at <= '9') ticks = ticks * 10 + (*at++ - '0');
    if (at == span.text) return csm_decimal_parse(out, span.text, span.length);
    const char *point = at;
    if (at < end) {
        if (*at != '.' || at + 1 == end) return csm_decimal_parse(out, span.text, span.length);
        while (end[-1] == '0') end--;
        for (at++; at < end && *at >= '0' && *at <= '9'; at++) ticks = ticks * 10 + (*at - '0');
        if (at < end) return csm_decimal_parse(out, span.text, span.length);
        *out = (csm_decimal){.ticks = ticks, .scale = (int32_t)(end - point) - 1, .reserved = 0};
        return CSM_OK;
    }
    *out = csm_decimal_whole(ticks);
    return CSM_OK;
}

csm_status csm_decimal_add(csm_decimal *out, csm_decimal left, csm_decimal right) {
    int32_t scale = left.scale > right.scale ? left.scale : right.scale;
    wide sum = (wide)left.ticks * csm_power_of_ten[scale - left.scale] +
               (wide)right.ticks * csm_power_of_ten[scale - right.scale];
    while (scale > 0 && sum % 10 == 0) {
        sum /= 10;
        scale--;
    }
    if (sum > csm_power_of_ten[DIGITS_MAX] || sum < -csm_power_of_ten[DIGITS_MAX])
        return csm_fail(CSM_EINVAL, "a sum of decimals has more than 18 digits");
    *out = (csm_decimal){.ticks = (int64_t)sum, .scale = scale, .reserved = 0};
    return CSM_OK;
}

csm_status csm_time_from_slice(csm_time *out, csm_slice seconds) {
    csm_decimal value;
    csm_status status = csm_decimal_from_slice(&value, seconds);
    if (status != CSM_OK) return status;
    if (value.ticks < 0 || value.scale > 9 ||
        __builtin_mul_overflow(value.ticks, csm_power_of_ten[9 - value.scale], out))
        return csm_fail(CSM_EPARSE, "\"%.*s\" is no time in seconds with at most nine decimals",
                        (int)(seconds.length < 40 ? seconds.length : 40), seconds.text);
    return CSM_OK;
}
