/* SPDX-License-Identifier: MIT */
/* Recorded bars as exact decimals, and longer bars made of them. */
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WIDE_MOST ((wide)1 << 120)

typedef struct columns {
    int open, high, low, close, volume, vwap, trades, state;
} columns;

static int32_t largest(const csm_table *t, const int *column, size_t n) {
    int32_t scale = 0;
    for (size_t i = 0; i < n; i++)
        if (csm_table_scale(t, (size_t)column[i]) > scale) scale = csm_table_scale(t, (size_t)column[i]);
    return scale;
}

/* A cell in a column's own scale, brought to `scale`. False when it is missing or leaves int64. */
static bool cell(int64_t *out, const csm_table *t, int column, size_t row, int32_t scale) {
    int64_t ticks = csm_table_ticks(t, (size_t)column)[row];
    if (ticks == CSM_CELL_MISSING) return false;
    for (int32_t s = csm_table_scale(t, (size_t)column); s < scale; s++)
        if (__builtin_mul_overflow(ticks, (int64_t)10, &ticks)) return false;
    *out = ticks;
    return true;
}

static void take_row(bars *out, const csm_table *t, const columns *c, size_t row) {
    bar b = {.time = csm_table_ticks(t, 0)[row], .vwap = CSM_CELL_MISSING, .trades = CSM_CELL_MISSING};
    if (csm_table_ticks(t, (size_t)c->state)[row] != CSM_BAR_TRADED) return;
    if (!cell(&b.open, t, c->open, row, out->price_scale) ||
        !cell(&b.high, t, c->high, row, out->price_scale) ||
        !cell(&b.low, t, c->low, row, out->price_scale) ||
        !cell(&b.close, t, c->close, row, out->price_scale))
        return;
    int64_t volume = 0;
    if (cell(&volume, t, c->volume, row, out->volume_scale)) b.volume = volume;
    cell(&b.vwap, t, c->vwap, row, out->vwap_scale);
    cell(&b.trades, t, c->trades, row, 0);
    out->rows[out->count++] = b;
}

bool bars_read(bars *out, replay *r, const recorded *source, csm_time from, csm_time to, csm_time now) {
    *out = (bars){0};
    csm_table *t = NULL;
    if (csm_store_read(&t, r->store, r->context, &source->stream, from, to, now)) {
        fprintf(stderr, "cryptosmart-replay: %s\n", csm_error_message());
        return false;
    }
    const columns c = {csm_table_column_find(t, "open"),   csm_table_column_find(t, "high"),
                       csm_table_column_find(t, "low"),    csm_table_column_find(t, "close"),
                       csm_table_column_find(t, "volume"), csm_table_column_find(t, "vwap"),
                       csm_table_column_find(t, "trades"), csm_table_column_find(t, "state")};
    const int prices[] = {c.open, c.high, c.low, c.close};
    out->price_scale = largest(t, prices, 4);
    out->vwap_scale = csm_table_scale(t, (size_t)c.vwap);
    out->volume_scale = csm_table_scale(t, (size_t)c.volume);
    out->rows = take_memory(csm_table_rows(t) * sizeof *out->rows);
    for (size_t i = 0; i < csm_table_rows(t); i++) take_row(out, t, &c, i);
    csm_table_free(t);
    return true;
}

/* Sum of price times volume as long as every bar had a vwap; volume-weighted at the end. */
typedef struct weight {
    wide value;
    bool known;
} weight;

static void weigh(weight *w, const bar *b) {
    if (b->vwap == CSM_CELL_MISSING || b->vwap == 0) w->known = false;
    if (!w->known) return;
    const wide volume = b->volume ? b->volume : 0;
    if (volume > WIDE_MOST / (b->vwap > 0 ? b->vwap : 1) - w->value)
        w->known = false; /* beyond 128 bits */
    else
        w->value += volume * b->vwap;
}

static void join(bar *into, const bar *b) {
    if (b->high > into->high) into->high = b->high;
    if (b->low < into->low) into->low = b->low;
    into->close = b->close;
    into->volume += b->volume;
    into->trades = into->trades == CSM_CELL_MISSING || b->trades == CSM_CELL_MISSING
                       ? CSM_CELL_MISSING
                       : into->trades + b->trades;
}

void bars_aggregate(bars *series, csm_time interval) {
    size_t n = 0;
    for (size_t i = 0; i < series->count;) {
        bar merged = series->rows[i];
        weight w = {0, true};
        merged.time = csm_time_floor(merged.time, interval);
        weigh(&w, &series->rows[i]);
        size_t k = i + 1;
        for (; k < series->count && csm_time_floor(series->rows[k].time, interval) == merged.time; k++) {
            join(&merged, &series->rows[k]);
            weigh(&w, &series->rows[k]);
        }
        if (k > i + 1)
            merged.vwap = w.known && merged.volume > 0
                              ? (int64_t)((w.value + merged.volume / 2) / merged.volume)
                              : CSM_CELL_MISSING;
        series->rows[n++] = merged;
        i = k;
    }
    series->count = n;
}

static bool grow(int64_t *ticks, int32_t by) {
    for (; by > 0 && *ticks != CSM_CELL_MISSING; by--)
        if (__builtin_mul_overflow(*ticks, (int64_t)10, ticks)) return false;
    return true;
}

/* Brings all rows to larger scales. False when a value leaves its type. */
static bool rescale(bars *series, int32_t price, int32_t vwap, int32_t volume) {
    for (size_t i = 0; i < series->count; i++) {
        bar *b = &series->rows[i];
        const int32_t by = price - series->price_scale;
        if (!grow(&b->open, by) || !grow(&b->high, by) || !grow(&b->low, by) || !grow(&b->close, by) ||
            !grow(&b->vwap, vwap - series->vwap_scale))
            return false;
        for (int32_t s = series->volume_scale; s < volume; s++) {
            if (b->volume > WIDE_MOST / 10) return false;
            b->volume *= 10;
        }
    }
    series->price_scale = price;
    series->vwap_scale = vwap;
    series->volume_scale = volume;
    return true;
}

static int32_t larger(int32_t a, int32_t b) {
    return a > b ? a : b;
}

bool bars_append(bars *series, bars *tail) {
    const int32_t price = larger(series->price_scale, tail->price_scale);
    const int32_t vwap = larger(series->vwap_scale, tail->vwap_scale);
    const int32_t volume = larger(series->volume_scale, tail->volume_scale);
    if (!rescale(series, price, vwap, volume) || !rescale(tail, price, vwap, volume)) return false;
    bar *rows = take_memory((series->count + tail->count) * sizeof *rows);
    if (series->count) memcpy(rows, series->rows, series->count * sizeof *rows);
    if (tail->count) memcpy(rows + series->count, tail->rows, tail->count * sizeof *rows);
    free(series->rows);
    series->rows = rows;
    series->count += tail->count;
    return true;
}

void bars_free(bars *series) {
    free(series->rows);
    *series = (bars){0};
}
