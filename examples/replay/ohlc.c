/* SPDX-License-Identifier: MIT */
/* GET /public/OHLC as Kraken answers it: at most 720 closed candles and the open one, holes filled with the last close. */
#include "replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLOSED_MOST 720
#define LOOK_BACK (45 * CSM_DAY) /* for the close before the first candle served */

static const uint64_t minutes_offered[] = {1, 5, 15, 30, 60, 240, 1440, 10080, 21600};

static bool take_interval(csm_time *out, const char *value) {
    uint64_t minutes = 0;
    if (!answer_count(&minutes, value, 1, 21600)) return false;
    for (size_t i = 0; i < sizeof minutes_offered / sizeof minutes_offered[0]; i++)
        if (minutes == minutes_offered[i]) {
            *out = (csm_time)minutes * CSM_MINUTE;
            return true;
        }
    return false;
}

/* What is served: candles [begin, end) of `interval`, then the open one. */
typedef struct window {
    csm_time interval;
    csm_time begin; /* first candle */
    csm_time end;   /* open time of the candle that is still open */
    csm_time since; /* candles at or before it are left out */
    csm_time now;
    int32_t decimals;
} window;

static void add_traded(text *out, const bars *series, const bar *b, int32_t decimals) {
    const int64_t prices[] = {b->open, b->high, b->low, b->close};
    text_add(out, "[%" PRId64, (int64_t)(b->time / CSM_SECOND));
    for (size_t i = 0; i < 4; i++) {
        text_add(out, ",\"");
        text_decimal(out, prices[i], series->price_scale, decimals);
        text_add(out, "\"");
    }
    text_add(out, ",\"");
    if (b->vwap == CSM_CELL_MISSING)
        text_add(out, "0.0");
    else
        text_decimal(out, b->vwap, series->vwap_scale, decimals);
    text_add(out, "\",\"");
    text_decimal(out, b->volume, series->volume_scale, 8);
    /* Traded without a recorded count: at least one trade took place. */
    text_add(out, "\",%" PRId64 "]", b->trades == CSM_CELL_MISSING || b->trades < 1 ? (int64_t)1 : b->trades);
}

static void add_quiet(text *out, const bars *series, csm_time time, int64_t close, int32_t decimals) {
    text_add(out, "[%" PRId64, (int64_t)(time / CSM_SECOND));
    for (size_t i = 0; i < 4; i++) {
        text_add(out, ",\"");
        text_decimal(out, close, series->price_scale, decimals);
        text_add(out, "\"");
    }
    text_add(out, ",\"0.0\",\"0.00000000\",0]");
}

/* Rows of the window and `last`. `open_known`: the candle at w->end is built of finer bars. */
static void add_rows(text *out, const bars *series, const window *w, csm_time data_end, bool open_known) {
    size_t at = 0;
    int64_t close = 0;
    bool any = false;
    csm_time last = 0, time = w->begin;
    for (; at < series->count && series->rows[at].time < w->begin; at++) {
        close = series->rows[at].close;
        any = true;
    }
    if (!any && at < series->count) time = series->rows[at].time;
    if (!any && at == series->count) time = w->end + 1;
    const char *comma = "";
    for (; time <= w->end && time <= data_end; time += w->interval) {
        const bool traded = at < series->count && series->rows[at].time == time;
        const bool shown = time > w->since;
        if (time < w->end) last = time;
        if (shown) text_add(out, "%s", comma);
        if (shown) comma = ",";
        if (traded && (time < w->end || open_known)) {
            if (shown) add_traded(out, series, &series->rows[at], w->decimals);
        } else if (shown) {
            add_quiet(out, series, time, close, w->decimals);
        }
        if (traded) close = series->rows[at++].close;
    }
    text_add(out, "],\"last\":%" PRId64 "}}", (int64_t)(last / CSM_SECOND));
}

/* The bars of the window, from the stream of this interval or made of finer ones. */
static bool read_window(bars *series, replay *r, const pair *p, const window *w, csm_time source) {
    const recorded *stream = market_stream(p, "bars", source, w->now);
    csm_time from = w->begin - LOOK_BACK;
    if (from < stream->first) from = csm_time_floor(stream->first, w->interval);
    if (!bars_read(series, r, stream, from, w->end + w->interval, w->now)) return false;
    if (source != w->interval) bars_aggregate(series, w->interval);
    return true;
}

/* The candle that is still open, out of bars that are finer than the stream. */
static bool add_open(bars *series, replay *r, const pair *p, const window *w) {
    const csm_time finer = market_source(p, w->interval, w->interval - 1, w->now);
    const recorded *stream = finer ? market_stream(p, "bars", finer, w->now) : NULL;
    bars open = {0};
    if (!stream) return true;
    bool good = bars_read(&open, r, stream, w->end, w->end + w->interval, w->now);
    if (good) {
        bars_aggregate(&open, w->interval);
        good = bars_append(series, &open);
    }
    bars_free(&open);
    return good;
}

void answer_ohlc(replay *r, const query *q, csm_time now, text *out) {
    window w = {.now = now};
    uint64_t since = 0;
    if (!q->pair) {
        answer_error(out, "EGeneral:Invalid arguments");
        return;
    }
    const pair *p = market_find(r, q->pair, strlen(q->pair), now);
    if (!p) {
        answer_error(out, "EQuery:Unknown asset pair");
        return;
    }
    if (!take_interval(&w.interval, q->interval)) {
        answer_error(out, "EGeneral:Invalid arguments:interval");
        return;
    }
    if (!answer_count(&since, q->since, 0, INT64_MAX / 2)) {
        answer_error(out, "EGeneral:Invalid arguments:since");
        return;
    }
    w.since = since > INT64_MAX / CSM_SECOND ? INT64_MAX : (csm_time)since * CSM_SECOND;
    w.end = csm_time_floor(now, w.interval);
    w.begin = w.end - CLOSED_MOST * w.interval;
    w.decimals = p->price_decimals;
    const csm_time source = market_source(p, w.interval, w.interval, now);
    bars series = {0};
    csm_time data_end = CSM_TIME_MIN;
    if (source) {
        const bool good =
            read_window(&series, r, p, &w, source) && (source != w.interval || add_open(&series, r, p, &w));
        if (!good) {
            bars_free(&series);
            answer_error(out, "EGeneral:Internal error");
            return;
        }
        data_end = csm_time_floor(market_stream(p, "bars", source, now)->last, w.interval);
    }
    const bool open_known = series.count && series.rows[series.count - 1].time == w.end;
    text_add(out, "{\"error\":[],\"result\":{\"%s\":[", answer_key(p, q));
    add_rows(out, &series, &w, data_end, open_known);
    bars_free(&series);
}
