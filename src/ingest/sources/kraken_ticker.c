/* SPDX-License-Identifier: MIT */
/* GET /public/Ticker without a pair (docs.kraken.com): every market in one call. It names no time: the snapshot's time is
 * that of receipt. */
#include "discover/kraken.h"
#include "ingest/decimal_text.h"
#include "ingest/source.h"

#include <string.h>

#define TICKER_COLUMNS 7 /* time available bid ask last volume trades (kinds.def) */

typedef struct ticker_walk {
    csm_source_answer *answer;
    csm_time received;
} ticker_walk;

typedef struct ticker {
    csm_decimal bid, ask, last;
    csm_decimal volume; /* base units, rolling 24 hours */
    int64_t trades;     /* rolling 24 hours */
} ticker;

static csm_status request(csm_buffer *url, const csm_source_ask *ask) {
    return csm_buffer_printf(url, "%s/public/Ticker", ask->base_url);
}

/* Element `index` of an array of decimals as text or of whole numbers; the others are stepped over. */
static csm_status element_read(csm_scan *scan, size_t index, csm_slice *out) {
    csm_status status = CSM_OK;
    bool first = true;
    size_t i = 0;
    while (csm_scan_element(scan, &first, &status)) {
        csm_slice span;
        status = csm_scan_decimal_text(scan, &span);
        if (status == CSM_OK && i++ == index) *out = span;
    }
    if (status == CSM_OK && i <= index) return csm_scan_fail(scan, "one more element");
    return status;
}

static csm_status decimal_read(csm_scan *scan, size_t index, csm_decimal *out) {
    csm_slice span = {"", 0};
    csm_status status = element_read(scan, index, &span);
    return status != CSM_OK ? status : csm_decimal_from_slice(out, span);
}

/* {"a":[ask,...],"b":[bid,...],"c":[last,lot],"v":[today,24h],"t":[today,24h],...} */
static csm_status ticker_read(csm_scan *scan, ticker *t) {
    csm_status status = CSM_OK;
    bool first = true;
    csm_slice name, span = {"", 0};
    while (csm_scan_member(scan, &name, &first, &status)) {
        char letter = name.length == 1 ? name.text[0] : '\0';
        if (letter == 'a')
            status = decimal_read(scan, 0, &t->ask);
        else if (letter == 'b')
            status = decimal_read(scan, 0, &t->bid);
        else if (letter == 'c')
            status = decimal_read(scan, 0, &t->last);
        else if (letter == 'v')
            status = decimal_read(scan, 1, &t->volume);
        else if (letter == 't') {
            status = element_read(scan, 1, &span);
            if (status == CSM_OK) status = csm_slice_i64(&t->trades, span);
        } else
            status = csm_scan_skip(scan);
    }
    return status;
}

/* Kraken writes 0 where a side of the book is empty or nothing was ever traded. */
static void zero_is_missing(csm_decimal *price) {
    if (price->ticks == 0) price->ticks = CSM_CELL_MISSING;
}

static const char *ticker_fault(const ticker *t) {
    if ((t->bid.ticks < 0 && t->bid.ticks != CSM_CELL_MISSING) ||
        (t->ask.ticks < 0 && t->ask.ticks != CSM_CELL_MISSING) ||
        (t->last.ticks < 0 && t->last.ticks != CSM_CELL_MISSING))
        return "a price is negative";
    if (t->volume.ticks < 0 && t->volume.ticks != CSM_CELL_MISSING) return "the volume is negative";
    if (t->bid.ticks != CSM_CELL_MISSING && t->ask.ticks != CSM_CELL_MISSING &&
        csm_decimal_compare(t->bid, t->ask) > 0)
        return "bid is over ask";
    return NULL;
}

static csm_status member_take(void *user, csm_slice name, csm_scan *scan) {
    ticker_walk *walk = user;
    csm_source_part *part = NULL;
    const csm_decimal none = {.ticks = CSM_CELL_MISSING};
    ticker t = {.bid = none, .ask = none, .last = none, .volume = none, .trades = CSM_CELL_MISSING};
    csm_status status = csm_source_answer_part(&part, walk->answer, "ticker", name);
    if (status == CSM_OK) status = ticker_read(scan, &t);
    if (status != CSM_OK) return status;
    zero_is_missing(&t.bid);
    zero_is_missing(&t.ask);
    zero_is_missing(&t.last);
    const char *fault = ticker_fault(&t);
    if (fault != NULL) {
        part->why = fault;
        csm_table_free(part->rows);
        part->rows = NULL;
        return CSM_OK;
    }
    const csm_decimal cells[TICKER_COLUMNS] = {
        csm_decimal_whole(walk->received), csm_decimal_whole(walk->received), t.bid, t.ask, t.last, t.volume,
        csm_decimal_whole(t.trades)};
    if (csm_table_columns(part->rows) != TICKER_COLUMNS)
        return csm_fail(CSM_EINTERNAL, "a table of tickers has not %d columns", TICKER_COLUMNS);
    return csm_table_append(part->rows, cells);
}

static csm_status parse(csm_source_answer *answer, const csm_source_ask *ask, const char *body, size_t length,
                        csm_time received) {
    (void)ask;
    ticker_walk walk = {.answer = answer, .received = received};
    return csm_kraken_walk(body, length, "kraken Ticker", member_take, &walk);
}

const csm_source_driver csm_driver_kraken_ticker = {
    .net = &csm_kraken_source,
    .request = request,
    .parse = parse,
    .venue = CSM_KRAKEN_VENUE,
};
