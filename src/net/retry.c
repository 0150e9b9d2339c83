/* SPDX-License-Identifier: MIT */
#include "net/internal.h"

#include <string.h>

#define CSM_RETRY_AFTER_MOST ((csm_time)10 * 366 * CSM_DAY)

bool csm_retry_after_parse(csm_time *out, const char *text, csm_time received) {
    text += strspn(text, " \t");
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && text[digits + strspn(text + digits, " \t")] == '\0') {
        csm_time seconds = 0;
        for (size_t i = 0; i < digits && seconds <= CSM_RETRY_AFTER_MOST / CSM_SECOND; i++)
            seconds = seconds * 10 + (text[i] - '0');
        if (seconds > CSM_RETRY_AFTER_MOST / CSM_SECOND) seconds = CSM_RETRY_AFTER_MOST / CSM_SECOND;
        *out = received + seconds * CSM_SECOND;
        return true;
    }
    if (digits > 0 || *text == '\0') return false; /* an HTTP-date begins with the day's name */
    const time_t date = curl_getdate(text, NULL);
    if (date == (time_t)-1) return false;
    csm_time wait = CSM_RETRY_AFTER_MOST;
    if (date <= (time_t)(received / CSM_SECOND))
        wait = 0;
    else if (date - (time_t)(received / CSM_SECOND) < (time_t)(CSM_RETRY_AFTER_MOST / CSM_SECOND))
        wait = (csm_time)date * CSM_SECOND - received;
    *out = received + wait;
    return true;
}

csm_time csm_retry_backoff(const csm_net_source *source, uint64_t seed, const char *url, uint32_t attempt,
                           bool floor) {
    csm_time step = source->backoff_first;
    for (uint32_t i = 1; i < attempt && step < source->backoff_last; i++)
        step = step > source->backoff_last / 2 ? source->backoff_last : step * 2;
    if (step > source->backoff_last) step = source->backoff_last;
    const csm_hash hash = csm_hash_bytes(url, strlen(url));
    uint64_t stream = 0;
    memcpy(&stream, hash.bytes, sizeof stream);
    const double u = csm_random_uniform(seed, stream, attempt);
    const csm_time jitter = (csm_time)(u * (double)(floor ? step - step / 2 : step));
    return floor ? step / 2 + jitter : jitter;
}
