/* SPDX-License-Identifier: MIT */
#include "ingest/ohlc_scan.h"
#include "discover/kraken.h"
#include "ingest/bar_row.h"
#include "ingest/digits.h"

#include <string.h>

#define TAIL_BYTES 256 /* `last` ends the reply */
/* Bytes that row_read_usual may look at: '[', 10 digits, ',', six times '"', a number, '",', then a count. */
#define ROW_REACH (12 + 6 * (3 + CSM_DIGITS_REACH) + CSM_DIGITS_REACH)
#define CLOCK_SKEW (5 * CSM_MINUTE) /* how far our clock may be behind the exchange's */

typedef struct ohlc_walk {
    csm_ohlc_reply *reply;
    csm_table *rows;
    csm_time interval;
    csm_time received;
    csm_time previous; /* open of the row before; CSM_TIME_MIN at first */
    bool rows_seen;
    bool last_seen;
} ohlc_walk;

static csm_status row_fail(const csm_scan *scan, csm_time time, const char *what) {
    char text[CSM_TIME_TEXT];
    return csm_fail(CSM_EPARSE, "%s: bar of %s before byte %zu: %s", scan->what,
                    csm_time_format(time, text, sizeof text), (size_t)(scan->at - scan->start), what);
}

/* [open_time, "open", "high", "low", "close", "vwap", "volume", count] */
static csm_status row_read(csm_scan *scan, csm_bar_row *bar) {
    csm_decimal *const fields[] = {&bar->open, &bar->high, &bar->low, &bar->close, &bar->vwap, &bar->volume};
    csm_slice span;
    csm_status status = csm_scan_expect(scan, '[');
    if (status == CSM_OK) status = csm_scan_number(scan, &span);
    if (status == CSM_OK) status = csm_time_from_slice(&bar->time, span);
    for (size_t i = 0; status == CSM_OK && i < sizeof fields / sizeof fields[0]; i++) {
        status = csm_scan_expect(scan, ',');
        if (status == CSM_OK) status = csm_scan_string(scan, &span);
        if (status == CSM_OK) status = csm_decimal_from_slice(fields[i], span);
    }
    if (status == CSM_OK) status = csm_scan_expect(scan, ',');
    if (status == CSM_OK) status = csm_scan_number(scan, &span);
    if (status == CSM_OK) status = csm_slice_i64(&bar->trades, span);
    if (status == CSM_OK) status = csm_scan_expect(scan, ']');
    return status;
}

/* The same row as the exchange writes it, without white space and with numbers of usual length; false, and the cursor where it
 * was, when it is anything else, right or wrong: row_read decides then. */
static bool row_read_usual(csm_scan *scan, csm_bar_row *bar) {
    csm_decimal *const fields[] = {&bar->open, &bar->high, &bar->low, &bar->close, &bar->vwap, &bar->volume};
    const char *at = scan->at;
    if (scan->end - at < ROW_REACH || at[0] != '[') return false;
    uint64_t high = csm_digits_load(at + 1), low = csm_digits_load(at + 3);
    if (csm_digits_run(high) != 8 || csm_digits_run(low) != 8 || at[1] == '0' || at[11] != ',') return false;
    uint64_t seconds = csm_digits_fold(high, 2) * 100000000u + csm_digits_fold(low, 8);
    if (seconds > INT64_MAX / CSM_SECOND) return false;
    at += 12;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (*at++ != '"' || !csm_digits_take(&at, fields[i]) || at[0] != '"' || at[1] != ',') return false;
        at += 2;
    }
    const char *count = at;
    csm_decimal trades;
    if (!csm_digits_take(&at, &trades) || trades.scale != 0 || *at != ']') return false;
    if (*count == '0' && at != count + 1) return false; /* no number in JSON begins so */
    bar->time = (csm_time)seconds * CSM_SECOND;
    bar->trades = trades.ticks;
    scan->at = at + 1;
    return true;
}

static csm_status row_check_time(ohlc_walk *walk, const csm_scan *scan, csm_time time) {
    if (time % walk->interval != 0) return row_fail(scan, time, "not a multiple of the interval");
    if (time > walk->received + CLOCK_SKEW) return row_fail(scan, time, "in the future");
    if (walk->previous != CSM_TIME_MIN) {
        if (time <= walk->previous) return row_fail(scan, time, "not after the bar before it");
        walk->reply->steps_missing += (size_t)((time - walk->previous) / walk->interval - 1);
    }
    walk->previous = time;
    return CSM_OK;
}

static csm_status row_take(ohlc_walk *walk, csm_scan *scan) {
    csm_bar_row bar;
    csm_status status = row_read_usual(scan, &bar) ? CSM_OK : row_read(scan, &bar);
    if (status == CSM_OK) status = row_check_time(walk, scan, bar.time);
    if (status != CSM_OK) return status;
    bar.available = bar.time + walk->interval;
    if (bar.time > walk->reply->last || bar.available > walk->received) {
        walk->reply->open_rows++;
        return CSM_OK;
    }
    walk->reply->newest = bar.time;
    if (bar.trades == 0) { /* Kraken fills the hole with the last close, vwap 0 and volume 0 */
        if (bar.volume.ticks != 0) return row_fail(scan, bar.time, "volume without a trade");
        walk->reply->quiet_rows++;
        return csm_bar_row_append_quiet(walk->rows, bar.time, bar.available);
    }
    const char *fault = csm_bar_row_fault(&bar);
    if (fault == NULL && bar.vwap.ticks < 0) fault = "vwap is negative";
    if (fault != NULL) return row_fail(scan, bar.time, fault);
    if (bar.vwap.ticks == 0) bar.vwap = csm_decimal_missing;
    return csm_bar_row_append_traded(walk->rows, &bar);
}

static csm_status last_take(ohlc_walk *walk, csm_scan *scan) {
    csm_slice number;
    csm_status status = csm_scan_number(scan, &number);
    return status != CSM_OK ? status : csm_time_from_slice(&walk->reply->last, number);
}

static csm_status rows_take(ohlc_walk *walk, csm_scan *scan) {
    csm_status status = CSM_OK;
    bool first = true;
    while (csm_scan_element(scan, &first, &status)) status = row_take(walk, scan);
    return status;
}

/* `last` decides which row is still open, but stands behind the rows. It is read ahead from the end of the body, so that one
 * pass is enough, and compared with the real member when the walk gets there. */
static csm_status last_read_ahead(ohlc_walk *walk, const char *body, size_t length) {
    static const char name[] = "\"last\"";
    const size_t size = sizeof name - 1;
    size_t stop = length > TAIL_BYTES ? length - TAIL_BYTES : 0;
    for (size_t at = length; at >= stop + size; at--) {
        if (memcmp(body + at - size, name, size) != 0) continue;
        csm_scan scan = csm_scan_over(body, length, "kraken OHLC");
        scan.at = body + at;
        csm_status status = csm_scan_expect(&scan, ':');
        return status != CSM_OK ? status : last_take(walk, &scan);
    }
    return csm_fail(CSM_EPARSE, "kraken OHLC: no \"last\" in the final %d bytes of %zu", TAIL_BYTES, length);
}

static csm_status member_take(void *user, csm_slice name, csm_scan *scan) {
    ohlc_walk *walk = user;
    if (csm_slice_is(name, "last")) {
        csm_time ahead = walk->reply->last;
        if (walk->last_seen) return csm_scan_fail(scan, "\"last\" once");
        walk->last_seen = true;
        csm_status status = last_take(walk, scan);
        if (status == CSM_OK && ahead != walk->reply->last)
            status = csm_scan_fail(scan, "\"last\" at the end");
        return status;
    }
    if (walk->rows_seen) return csm_scan_fail(scan, "the rows of one pair");
    walk->rows_seen = true;
    walk->reply->pair = name;
    return rows_take(walk, scan);
}

csm_status csm_ohlc_scan(csm_ohlc_reply *out, csm_table *rows, const char *body, size_t length,
                         csm_time interval, csm_time received) {
    *out = (csm_ohlc_reply){.newest = CSM_TIME_MIN};
    ohlc_walk walk = {
        .reply = out, .rows = rows, .interval = interval, .received = received, .previous = CSM_TIME_MIN};
    if (interval <= 0)
        return csm_fail(CSM_EINVAL, "kraken OHLC: interval %lld is not positive", (long long)interval);
    csm_status status = last_read_ahead(&walk, body, length);
    if (status == CSM_OK) status = csm_kraken_walk(body, length, "kraken OHLC", member_take, &walk);
    if (status != CSM_OK) return status;
    if (!walk.rows_seen || !walk.last_seen)
        return csm_fail(CSM_EPARSE, "kraken OHLC: no %s", walk.rows_seen ? "\"last\"" : "rows");
    return CSM_OK;
}
