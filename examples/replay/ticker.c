/* SPDX-License-Identifier: MIT */
/* GET /public/Ticker, computed of recorded bars that are closed; bid and ask only where they were recorded. */
#include "replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct sums {
    wide volume;
    wide value; /* of price times volume, ticks of both scales */
    int64_t trades;
    int64_t low, high;
    size_t bars;
    bool vwap_known;
} sums;

static void sum_up(sums *s, const bar *b) {
    if (s->bars == 0 || b->low < s->low) s->low = b->low;
    if (s->bars == 0 || b->high > s->high) s->high = b->high;
    s->volume += b->volume;
    s->trades += b->trades == CSM_CELL_MISSING ? 1 : b->trades;
    if (s->bars == 0) s->vwap_known = true;
    if (b->vwap == CSM_CELL_MISSING || b->volume > ((wide)1 << 60))
        s->vwap_known = false;
    else
        s->value += b->volume * b->vwap;
    s->bars++;
}

static void add_price(text *out, int64_t ticks, int32_t scale, int32_t decimals) {
    text_add(out, "\"");
    text_decimal(out, ticks, scale, decimals);
    text_add(out, "\"");
}

static void add_vwap(text *out, const sums *s, const bars *series, int32_t decimals) {
    if (s->vwap_known && s->volume > 0)
        add_price(out, (int64_t)((s->value + s->volume / 2) / s->volume), series->vwap_scale, decimals);
    else
        text_add(out, "\"0.0\"");
}

/* Best bid and ask as recorded within the last hour; 0 is what Kraken writes for an empty side. */
static void add_quotes(text *out, replay *r, const pair *p, csm_time now) {
    const recorded *stream = market_stream(p, "ticker", 0, now);
    csm_table *t = NULL;
    if (stream &&
        csm_store_read(&t, r->store, r->context, &stream->stream, now - CSM_HOUR, now + 1, now) == CSM_OK &&
        csm_table_rows(t) > 0) {
        const size_t row = csm_table_rows(t) - 1;
        static const char *const sides[] = {"ask", "bid"};
        for (size_t i = 0; i < 2; i++) {
            const size_t column = (size_t)csm_table_column_find(t, sides[i]);
            const int64_t ticks = csm_table_ticks(t, column)[row];
            text_add(out, "\"%c\":[", sides[i][0]);
            add_price(out, ticks == CSM_CELL_MISSING ? 0 : ticks, csm_table_scale(t, column),
                      p->price_decimals);
            text_add(out, ",\"0\",\"0.000\"],");
        }
    } else {
        text_add(out, "\"a\":[\"0.00000\",\"0\",\"0.000\"],\"b\":[\"0.00000\",\"0\",\"0.000\"],");
    }
    csm_table_free(t);
}

static void add_body(text *out, replay *r, const pair *p, const bars *series, csm_time now, csm_time day) {
    sums today = {0}, rolling = {0};
    int64_t open = 0;
    const bar *newest = &series->rows[series->count - 1];
    for (size_t i = 0; i < series->count; i++) {
        const bar *b = &series->rows[i];
        if (b->time >= now - CSM_DAY) sum_up(&rolling, b);
        if (b->time < day) continue;
        if (today.bars == 0) open = b->open;
        sum_up(&today, b);
    }
    const sums *both[] = {&today, &rolling};
    add_quotes(out, r, p, now);
    text_add(out, "\"c\":[");
    add_price(out, newest->close, series->price_scale, p->price_decimals);
    text_add(out, ",\"0.00000000\"],\"v\":[");
    for (size_t i = 0; i < 2; i++) {
        text_add(out, i ? ",\"" : "\"");
        text_decimal(out, both[i]->volume, series->volume_scale, 8);
        text_add(out, "\"");
    }
    text_add(out, "],\"p\":[");
    for (size_t i = 0; i < 2; i++) {
        if (i) text_add(out, ",");
        add_vwap(out, both[i], series, p->price_decimals);
    }
    text_add(out, "],\"t\":[%" PRId64 ",%" PRId64 "],\"l\":[", today.trades, rolling.trades);
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < 2; i++) {
            if (i) text_add(out, ",");
            /* without a trade in the span: the last price, as Kraken writes */
            const int64_t price = both[i]->bars == 0 ? newest->close : side ? both[i]->high : both[i]->low;
            add_price(out, price, series->price_scale, p->price_decimals);
        }
        text_add(out, side ? "],\"o\":" : "],\"h\":[");
    }
    add_price(out, today.bars ? open : newest->close, series->price_scale, p->price_decimals);
}

/* False when nothing was recorded before `now`. */
static bool add_pair(text *out, replay *r, const pair *p, const query *q, csm_time now, const char *comma) {
    const csm_time source = market_source(p, CSM_DAY, CSM_HOUR, now);
    if (!source) return false;
    const recorded *stream = market_stream(p, "bars", source, now);
    const csm_time day = csm_time_floor(now, CSM_DAY);
    bars series = {0};
    bool some = bars_read(&series, r, stream, now - 2 * CSM_DAY, now, now);
    if (some && series.count == 0) {
        bars_free(&series);
        some = bars_read(&series, r, stream, now - 45 * CSM_DAY, now, now);
    }
    some = some && series.count > 0;
    if (some) {
        text_add(out, "%s\"%s\":{", comma, answer_key(p, q));
        add_body(out, r, p, &series, now, day);
        text_add(out, "}");
    }
    bars_free(&series);
    return some;
}

void answer_ticker(replay *r, const query *q, csm_time now, text *out) {
    const char *comma = "";
    text_add(out, "{\"error\":[],\"result\":{");
    if (!q->pair || !*q->pair) {
        for (size_t i = 0; i < r->pair_count; i++)
            if (market_listed(r, &r->pairs[i], now) && add_pair(out, r, &r->pairs[i], q, now, comma))
                comma = ",";
    }
    for (const char *at = q->pair ? q->pair : ""; *at; at += strcspn(at, ","), at += *at == ',') {
        const pair *p = market_find(r, at, strcspn(at, ","), now);
        if (!p) { /* one bad name fails the whole request */
            text_free(out);
            answer_error(out, "EQuery:Unknown asset pair");
            return;
        }
        if (add_pair(out, r, p, q, now, comma)) comma = ",";
    }
    text_add(out, "}}");
}
