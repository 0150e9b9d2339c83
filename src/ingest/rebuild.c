/* SPDX-License-Identifier: MIT */
/* csm_ingest_bars_from_trades: bars older than any candle reply, from trades whose ids show that none is missing. */
#include "ingest/bar_row.h"
#include "ingest/report.h"
#include "ingest/revise.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK CSM_DAY /* of trades held at once, or one interval where that is longer */

/* Trades of a time range in the order of their ids, with what stands before and behind it. */
typedef struct trade_run {
    csm_table *table;
    size_t count;
    const int64_t *time;
    const int64_t *id;
    size_t price;
    size_t volume;
} trade_run;

typedef struct rebuilding {
    csm_context *context;
    csm_store *store;
    csm_stream trades;
    csm_stream bars;
    csm_provenance provenance;
    uint64_t rows;
} rebuilding;

static csm_decimal cell_of(const csm_table *table, size_t row, size_t column) {
    return (csm_decimal){.ticks = csm_table_ticks(table, column)[row],
                         .scale = csm_table_scale(table, column)};
}

static void run_free(trade_run *run) {
    csm_table_free(run->table);
    *run = (trade_run){0};
}

static csm_status run_read(trade_run *run, const rebuilding *r, csm_time from, csm_time to) {
    run_free(run);
    csm_status status = csm_store_read(&run->table, r->store, r->context, &r->trades, from, to, CSM_TIME_MAX);
    if (status != CSM_OK) return status;
    run->count = csm_table_rows(run->table);
    run->time = csm_table_ticks(run->table, 0);
    run->id = csm_table_ticks(run->table, (size_t)csm_table_column_find(run->table, "trade_id"));
    run->price = (size_t)csm_table_column_find(run->table, "price");
    run->volume = (size_t)csm_table_column_find(run->table, "volume");
    return CSM_OK;
}

static csm_time earlier(csm_time time, csm_time by) {
    return time < CSM_TIME_MIN + by ? CSM_TIME_MIN : time - by;
}

static csm_time later(csm_time time, csm_time by) {
    return time > CSM_TIME_MAX - by ? CSM_TIME_MAX : time + by;
}

/* Trades of [from, to) and at least one on either side, where the store has one: looks further and further away. */
static csm_status run_around(trade_run *run, const rebuilding *r, csm_time from, csm_time to) {
    static const csm_time reach[] = {CSM_HOUR, CSM_DAY, 30 * CSM_DAY, CSM_TIME_MAX};
    for (size_t i = 0; i < sizeof reach / sizeof reach[0]; i++) {
        csm_time begin = reach[i] == CSM_TIME_MAX ? CSM_TIME_MIN : earlier(from, reach[i]);
        csm_time end = reach[i] == CSM_TIME_MAX ? CSM_TIME_MAX : later(to, reach[i]);
        csm_status status = run_read(run, r, begin, end);
        if (status != CSM_OK) return status;
        if (run->count > 0 && run->time[0] < from && run->time[run->count - 1] >= to) break;
    }
    return CSM_OK;
}

/* First trade at or after `time`. */
static size_t first_at(const trade_run *run, csm_time time) {
    size_t low = 0, high = run->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (run->time[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Every id from the trade before `begin` to the trade `end` is there: nothing happened in between that is not stored. The
 * first trade of a market has id 1 and nothing before it. */
static bool is_whole(const trade_run *run, size_t begin, size_t end) {
    if (end >= run->count || run->id[end] == CSM_CELL_MISSING) return false;
    if (begin == 0 && run->id[0] != 1) return false;
    for (size_t i = begin == 0 ? 1 : begin; i <= end; i++)
        if (run->id[i - 1] == CSM_CELL_MISSING || run->id[i] != run->id[i - 1] + 1) return false;
    return true;
}

/* Trades [begin, end), at least one. */
static csm_status bar_of(csm_bar_row *bar, const trade_run *run, size_t begin, size_t end) {
    csm_status status = CSM_OK;
    bar->open = bar->high = bar->low = cell_of(run->table, begin, run->price);
    bar->close = cell_of(run->table, end - 1, run->price);
    bar->volume = csm_decimal_whole(0);
    bar->vwap = csm_decimal_missing;
    bar->trades = (int64_t)(end - begin);
    for (size_t i = begin; status == CSM_OK && i < end; i++) {
        csm_decimal price = cell_of(run->table, i, run->price);
        if (csm_decimal_compare(price, bar->high) > 0) bar->high = price;
        if (csm_decimal_compare(price, bar->low) < 0) bar->low = price;
        status = csm_decimal_add(&bar->volume, bar->volume, cell_of(run->table, i, run->volume));
    }
    return status;
}

/* Bars of [from, to), both multiples of the interval. */
static csm_status bars_make(csm_table *bars, const trade_run *run, csm_time interval, csm_time from,
                            csm_time to) {
    for (csm_time open = from; open < to; open += interval) {
        csm_bar_row bar = {.time = open, .available = open + interval};
        size_t begin = first_at(run, open), end = first_at(run, open + interval);
        csm_status status = CSM_OK;
        if (!is_whole(run, begin, end)) continue;
        if (begin == end)
            status = csm_bar_row_append_quiet(bars, open, bar.available);
        else if ((status = bar_of(&bar, run, begin, end)) == CSM_OK)
            status = csm_bar_row_append_traded(bars, &bar);
        if (status != CSM_OK) return status;
    }
    return CSM_OK;
}

static csm_status chunk_rebuild(rebuilding *r, csm_time from, csm_time to) {
    trade_run run = {0};
    csm_table *bars = NULL, *fresh = NULL;
    csm_status status = run_around(&run, r, from, to);
    if (status == CSM_OK) status = csm_table_new(&bars, "bars");
    if (status == CSM_OK) status = bars_make(bars, &run, r->bars.interval, from, to);
    if (status == CSM_OK) /* candles that came from the exchange stay */
        status = csm_rows_revise(&fresh, r->store, r->context, &r->bars, bars, CSM_TIME_MIN);
    if (status == CSM_OK && csm_table_rows(fresh) > 0)
        status = csm_store_append(r->store, r->context, &r->bars, fresh, &r->provenance);
    if (status == CSM_OK) r->rows += csm_table_rows(fresh);
    csm_table_free(fresh);
    csm_table_free(bars);
    run_free(&run);
    return status;
}

/* The part of [from, to) that the stored trades span, in whole intervals. */
static csm_status span_of(csm_time *from, csm_time *to, const rebuilding *r) {
    csm_time interval = r->bars.interval, first = CSM_TIME_MAX, last = CSM_TIME_MIN;
    csm_status status = csm_stream_span(&first, &last, r->store, &r->trades);
    if (status != CSM_OK) return status;
    if (first > last) {
        *from = *to;
        return CSM_OK;
    }
    if (*from < first) *from = first;
    if (*to > last) *to = last;
    csm_time begin = csm_time_floor(*from, interval);
    /* a bar that begins before the first trade may still be whole: it is when that trade has id 1 */
    *from = begin < *from && *from != first ? begin + interval : begin;
    *to = csm_time_floor(*to, interval);
    return CSM_OK;
}

csm_status csm_ingest_bars_from_trades(uint64_t *rows, csm_context *context, csm_store *store,
                                       const csm_market *market, csm_time interval, csm_time from,
                                       csm_time to) {
    char name[32];
    if (rows == NULL) return csm_fail(CSM_EINVAL, "csm_ingest_bars_from_trades: rows is NULL");
    *rows = 0;
    if (context == NULL || store == NULL || market == NULL)
        return csm_fail(CSM_EINVAL, "csm_ingest_bars_from_trades: context, store or market is NULL");
    if (interval <= 0)
        return csm_fail(CSM_EINVAL, "csm_ingest_bars_from_trades: the interval is not positive");
    if (from >= to) return csm_fail(CSM_EINVAL, "csm_ingest_bars_from_trades: from is not before to");
    rebuilding r = {.context = context, .store = store};
    r.trades = (csm_stream){"trades", market->venue, market->symbol, 0, market->epoch, 0};
    r.bars = (csm_stream){"bars", market->venue, market->symbol, interval, market->epoch, 0};
    csm_interval_format(interval, name, sizeof name);
    char *request = csm_strformat("bars of %s from stored trades of %s", name, market->id);
    if (request == NULL) return CSM_ENOMEM;
    r.provenance = (csm_provenance){
        .source = "rebuilt.trades", .request = request, .origin = "", .received = csm_context_now(context)};
    csm_status status = span_of(&from, &to, &r);
    csm_time chunk = interval > CHUNK ? interval : csm_time_floor(CHUNK, interval);
    for (csm_time begin = from; status == CSM_OK && begin < to; begin += chunk) {
        status = csm_progress(context, "bars from trades", (uint64_t)((begin - from) / interval),
                              (uint64_t)((to - from) / interval));
        if (status == CSM_OK) status = chunk_rebuild(&r, begin, to - begin < chunk ? to : begin + chunk);
    }
    csm_dealloc(request);
    *rows = r.rows;
    return status;
}
