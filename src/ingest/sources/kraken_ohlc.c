/* SPDX-License-Identifier: MIT */
/* GET /public/OHLC (docs.kraken.com): at most 720 closed candles and the open one, whatever `since`. */
#include "discover/kraken.h"
#include "ingest/ohlc_scan.h"
#include "ingest/source.h"

#include <inttypes.h>
#include <string.h>

/* Minutes that Kraken offers: 1 5 15 30 60 240 1440 10080 21600. */
static csm_status minutes_of(int64_t *out, csm_time interval) {
    static const int64_t offered[] = {1, 5, 15, 30, 60, 240, 1440, 10080, 21600};
    for (size_t i = 0; i < sizeof offered / sizeof offered[0]; i++) {
        if (interval != offered[i] * CSM_MINUTE) continue;
        *out = offered[i];
        return CSM_OK;
    }
    char text[32];
    return csm_fail(CSM_EINVAL, "kraken.ohlc: no candles of %s",
                    csm_interval_format(interval, text, sizeof text));
}

/* `since` one interval before the newest closed candle, so that a candle revised after its close is seen again. */
static csm_status request(csm_buffer *url, const csm_source_ask *ask) {
    int64_t minutes = 0, last = 0;
    csm_status status = minutes_of(&minutes, ask->interval);
    if (status == CSM_OK)
        status = csm_buffer_printf(url, "%s/public/OHLC?pair=%s&interval=%" PRId64, ask->base_url,
                                   ask->market->native, minutes);
    if (status != CSM_OK || *ask->cursor == '\0') return status;
    status = csm_slice_i64(&last, (csm_slice){ask->cursor, strlen(ask->cursor)});
    if (status != CSM_OK || last < minutes * 60) return status;
    return csm_buffer_printf(url, "&since=%" PRId64, last - minutes * 60);
}

static csm_status parse(csm_source_answer *answer, const csm_source_ask *ask, const char *body, size_t length,
                        csm_time received) {
    csm_source_part *part = NULL;
    csm_ohlc_reply reply;
    csm_status status = csm_source_answer_part(&part, answer, "bars", (csm_slice){"", 0});
    if (status == CSM_OK) status = csm_ohlc_scan(&reply, part->rows, body, length, ask->interval, received);
    if (status == CSM_OK)
        part->native = csm_text_pool_add(&answer->texts, reply.pair.text, reply.pair.length);
    if (status == CSM_OK && part->native == NULL) status = CSM_ENOMEM;
    if (status != CSM_OK) return status;
    if (reply.steps_missing > 0)
        status =
            csm_source_answer_note(answer, "%zu intervals missing between the candles", reply.steps_missing);
    if (status != CSM_OK || reply.newest == CSM_TIME_MIN) return status;
    answer->cursor = csm_text_pool_format(&answer->texts, "%" PRId64, (int64_t)(reply.newest / CSM_SECOND));
    return answer->cursor == NULL ? CSM_ENOMEM : CSM_OK;
}

const csm_source_driver csm_driver_kraken_ohlc = {
    .net = &csm_kraken_source,
    .by_interval = true,
    .request = request,
    .parse = parse,
    .venue = CSM_KRAKEN_VENUE,
};
