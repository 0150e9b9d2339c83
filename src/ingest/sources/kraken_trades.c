/* SPDX-License-Identifier: MIT */
/* GET /public/Trades (docs.kraken.com): the whole history of a market, 1000 trades a call, behind a cursor in ns. */
#include "discover/kraken.h"
#include "ingest/decimal_text.h"
#include "ingest/source.h"

#include <inttypes.h>
#include <string.h>

#define PAGE_ROWS 1000
#define CURSOR_DIGITS 19      /* of ns since 1970; a shorter `last` has been seen and is no cursor */
#define CLOCK_SKEW CSM_MINUTE /* how far our clock may be behind; the store allows as much */
#define TRADE_COLUMNS 7       /* time available price volume side order_type trade_id (kinds.def) */

typedef struct trades_walk {
    csm_source_answer *answer;
    csm_source_part *part;
    csm_slice last;
    csm_time received;
    csm_time newest;
    int64_t last_id;
    uint64_t missing_ids;
    size_t rows;
    bool rows_seen;
} trades_walk;

typedef struct trade {
    csm_time time;
    csm_decimal price;
    csm_decimal volume;
    int64_t side;  /* 0 taker bought, 1 sold */
    int64_t order; /* 0 market, 1 limit; missing when neither */
    int64_t id;    /* missing before November 2022 */
} trade;

static csm_status request(csm_buffer *url, const csm_source_ask *ask) {
    csm_status status = csm_buffer_printf(url, "%s/public/Trades?pair=%s&count=%d", ask->base_url,
                                          ask->market->native, PAGE_ROWS);
    if (status != CSM_OK) return status;
    if (*ask->cursor != '\0') return csm_buffer_printf(url, "&since=%s", ask->cursor);
    if (ask->from == CSM_TIME_MIN) return CSM_OK;
    /* strictly after: one ns less, and 0 for the first trade ever */
    return csm_buffer_printf(url, "&since=%" PRId64, ask->from > 0 ? (int64_t)(ask->from - 1) : (int64_t)0);
}

static csm_status letter_read(csm_scan *scan, char zero, char one, int64_t *out) {
    csm_slice span;
    csm_status status = csm_scan_expect(scan, ',');
    if (status == CSM_OK) status = csm_scan_string(scan, &span);
    if (status != CSM_OK) return status;
    *out = CSM_CELL_MISSING;
    if (span.length == 1 && span.text[0] == zero) *out = 0;
    if (span.length == 1 && span.text[0] == one) *out = 1;
    return CSM_OK;
}

/* ["price", "volume", seconds, "b"|"s", "m"|"l", "misc"[, id]] */
static csm_status trade_read(csm_scan *scan, trade *t) {
    csm_slice span;
    csm_status status = csm_scan_expect(scan, '[');
    if (status == CSM_OK) status = csm_scan_string(scan, &span);
    if (status == CSM_OK) status = csm_decimal_from_slice(&t->price, span);
    if (status == CSM_OK) status = csm_scan_expect(scan, ',');
    if (status == CSM_OK) status = csm_scan_string(scan, &span);
    if (status == CSM_OK) status = csm_decimal_from_slice(&t->volume, span);
    if (status == CSM_OK) status = csm_scan_expect(scan, ',');
    if (status == CSM_OK) status = csm_scan_number(scan, &span);
    if (status == CSM_OK) status = csm_time_from_slice(&t->time, span);
    if (status == CSM_OK) status = letter_read(scan, 'b', 's', &t->side);
    if (status == CSM_OK) status = letter_read(scan, 'm', 'l', &t->order);
    if (status == CSM_OK) status = csm_scan_expect(scan, ',');
    if (status == CSM_OK) status = csm_scan_raw_string(scan, &span);
    t->id = CSM_CELL_MISSING;
    if (status == CSM_OK && csm_scan_take(scan, ',')) {
        status = csm_scan_number(scan, &span);
        if (status == CSM_OK) status = csm_slice_i64(&t->id, span);
    }
    return status != CSM_OK ? status : csm_scan_expect(scan, ']');
}

static csm_status trade_fail(const csm_scan *scan, const trade *t, const char *what) {
    char text[CSM_TIME_TEXT];
    return csm_fail(CSM_EPARSE, "%s: trade of %s before byte %zu: %s", scan->what,
                    csm_time_format(t->time, text, sizeof text), (size_t)(scan->at - scan->start), what);
}

static csm_status trade_check(const trades_walk *walk, const csm_scan *scan, const trade *t) {
    if (t->price.ticks <= 0) return trade_fail(scan, t, "the price is not positive");
    if (t->volume.ticks < 0) return trade_fail(scan, t, "the volume is negative");
    if (t->side == CSM_CELL_MISSING) return trade_fail(scan, t, "the side is neither \"b\" nor \"s\"");
    if (t->time > walk->received + CLOCK_SKEW) return trade_fail(scan, t, "in the future");
    if (t->time < walk->newest) return trade_fail(scan, t, "before the trade above it");
    if (t->id != CSM_CELL_MISSING && t->id < 1) return trade_fail(scan, t, "the id is not positive");
    return CSM_OK;
}

static csm_status trade_take(trades_walk *walk, csm_scan *scan) {
    trade t;
    csm_status status = trade_read(scan, &t);
    if (status == CSM_OK) status = trade_check(walk, scan, &t);
    if (status != CSM_OK) return status;
    walk->newest = t.time;
    walk->rows++;
    if (t.id != CSM_CELL_MISSING) {
        if (t.id <= walk->last_id)
            return CSM_OK; /* received before: a cursor in ns can cut between equal times */
        if (walk->last_id != CSM_ID_UNKNOWN) walk->missing_ids += (uint64_t)(t.id - walk->last_id - 1);
        walk->last_id = t.id;
    }
    /* A trade was public when it happened; when it reached us stands in its provenance. */
    const csm_decimal cells[TRADE_COLUMNS] = {
        csm_decimal_whole(t.time),  csm_decimal_whole(t.time), t.price, t.volume, csm_decimal_whole(t.side),
        csm_decimal_whole(t.order), csm_decimal_whole(t.id)};
    if (csm_table_columns(walk->part->rows) != TRADE_COLUMNS)
        return csm_fail(CSM_EINTERNAL, "a table of trades has not %d columns", TRADE_COLUMNS);
    return csm_table_append(walk->part->rows, cells);
}

static csm_status member_take(void *user, csm_slice name, csm_scan *scan) {
    trades_walk *walk = user;
    if (csm_slice_is(name, "last")) return csm_scan_decimal_text(scan, &walk->last);
    if (walk->rows_seen) return csm_scan_fail(scan, "the rows of one pair");
    walk->rows_seen = true;
    walk->part->native = csm_text_pool_add(&walk->answer->texts, name.text, name.length);
    if (walk->part->native == NULL) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    bool first = true;
    while (csm_scan_element(scan, &first, &status)) status = trade_take(walk, scan);
    return status;
}

/* `last` verbatim, or the newest trade's time where `last` is too short to be ns. */
static csm_status cursor_set(trades_walk *walk, const csm_source_ask *ask) {
    csm_source_answer *answer = walk->answer;
    int64_t value = 0;
    csm_status status = csm_slice_i64(&value, walk->last);
    if (status != CSM_OK) return csm_fail_prefix(status, "kraken Trades: last");
    if (walk->last.length >= CURSOR_DIGITS)
        answer->cursor = csm_text_pool_add(&answer->texts, walk->last.text, walk->last.length);
    else if (walk->rows > 0)
        answer->cursor = csm_text_pool_format(&answer->texts, "%" PRId64, (int64_t)walk->newest);
    else
        return CSM_OK;
    if (answer->cursor == NULL) return CSM_ENOMEM;
    answer->more = walk->rows >= PAGE_ROWS && strcmp(answer->cursor, ask->cursor) != 0;
    return CSM_OK;
}

static csm_status parse(csm_source_answer *answer, const csm_source_ask *ask, const char *body, size_t length,
                        csm_time received) {
    trades_walk walk = {
        .answer = answer, .received = received, .newest = CSM_TIME_MIN, .last_id = ask->last_id};
    csm_status status = csm_source_answer_part(&walk.part, answer, "trades", (csm_slice){"", 0});
    if (status == CSM_OK) status = csm_kraken_walk(body, length, "kraken Trades", member_take, &walk);
    if (status != CSM_OK) return status;
    if (!walk.rows_seen || walk.last.text == NULL)
        return csm_fail(CSM_EPARSE, "kraken Trades: no %s", walk.rows_seen ? "\"last\"" : "rows");
    answer->last_id = walk.last_id;
    if (walk.missing_ids > 0)
        status = csm_source_answer_note(answer, "%" PRIu64 " trade ids missing", walk.missing_ids);
    return status != CSM_OK ? status : cursor_set(&walk, ask);
}

const csm_source_driver csm_driver_kraken_trades = {
    .net = &csm_kraken_source,
    .request = request,
    .parse = parse,
    .venue = CSM_KRAKEN_VENUE,
};
