/* SPDX-License-Identifier: MIT */
/* GET /public/Trades out of recorded trades: rows strictly after the cursor `since`, `last` in ns. */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MOST 1000

typedef struct page {
    trade *rows;
    size_t count;
    size_t capacity;
} page;

static void page_add(page *out, const trade *t) {
    if (out->count == out->capacity) {
        out->capacity = out->capacity ? out->capacity * 2 : 1024;
        trade *rows = take_memory(out->capacity * sizeof *rows);
        if (out->count) memcpy(rows, out->rows, out->count * sizeof *rows);
        free(out->rows);
        out->rows = rows;
    }
    out->rows[out->count++] = *t;
}

static int compare_trades(const void *left, const void *right) {
    const trade *a = left, *b = right;
    if (a->time != b->time) return a->time < b->time ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

/* ---- recorded replies ---- */

static bool number_of(csm_decimal *out, const json_t *value) {
    const char *digits = json_string_value(value);
    return digits && csm_decimal_parse(out, digits, strlen(digits)) == CSM_OK;
}

static bool row_of(trade *out, const json_t *row) {
    csm_decimal seconds;
    const json_t *time = json_array_get(row, 2);
    *out = (trade){.id = CSM_CELL_MISSING};
    if (json_array_size(row) < 5 || !number_of(&out->price, json_array_get(row, 0)) ||
        !number_of(&out->volume, json_array_get(row, 1)))
        return false;
    if (json_is_integer(time))
        seconds = (csm_decimal){.ticks = json_integer_value(time)};
    else if (!number_of(&seconds, time) || seconds.scale > 9)
        return false;
    int64_t ns = seconds.ticks;
    for (int32_t s = seconds.scale; s < 9; s++)
        if (__builtin_mul_overflow(ns, (int64_t)10, &ns)) return false;
    out->time = ns;
    const char *side = json_string_value(json_array_get(row, 3));
    const char *order = json_string_value(json_array_get(row, 4));
    out->side = side ? side[0] : 0;
    out->order = order ? order[0] : 0;
    if (json_is_integer(json_array_get(row, 6))) out->id = json_integer_value(json_array_get(row, 6));
    return out->side == 'b' || out->side == 's';
}

static bool load_pair(pair *p, const char *path, const json_t *rows) {
    page all = {.rows = p->trades, .count = p->trade_count, .capacity = p->trade_count};
    for (size_t i = 0; i < json_array_size(rows); i++) {
        trade t;
        if (!row_of(&t, json_array_get(rows, i))) {
            fprintf(stderr, "cryptosmart-replay: %s: %s: trade %zu is not one\n", path, p->id, i);
            p->trades = all.rows;
            p->trade_count = all.count;
            return false;
        }
        page_add(&all, &t);
    }
    if (all.count) qsort(all.rows, all.count, sizeof *all.rows, compare_trades);
    p->trades = all.rows;
    p->trade_count = all.count;
    return true;
}

bool trades_load(replay *r, const char *path) {
    json_t *result = file_result_exact(path);
    if (!result) return false;
    const char *name = NULL;
    json_t *rows = NULL;
    bool good = true;
    json_object_foreach(result, name, rows) {
        if (strcmp(name, "last") == 0 || !json_is_array(rows)) continue;
        pair *p = market_find(r, name, strlen(name), CSM_TIME_MAX);
        if (!p)
            fprintf(stderr, "cryptosmart-replay: %s: %s is not in the listing\n", path, name);
        else
            good = good && load_pair(p, path, rows);
    }
    json_decref(result);
    return good;
}

/* ---- the store ---- */

static bool read_store(page *out, replay *r, const recorded *stream, csm_time from, csm_time to,
                       csm_time now) {
    csm_table *t = NULL;
    if (from >= to) return true;
    if (csm_store_read(&t, r->store, r->context, &stream->stream, from, to, now)) {
        fprintf(stderr, "cryptosmart-replay: %s\n", csm_error_message());
        return false;
    }
    const size_t price = (size_t)csm_table_column_find(t, "price"),
                 volume = (size_t)csm_table_column_find(t, "volume");
    const int64_t *side = csm_table_ticks(t, (size_t)csm_table_column_find(t, "side"));
    const int64_t *order = csm_table_ticks(t, (size_t)csm_table_column_find(t, "order_type"));
    const int64_t *id = csm_table_ticks(t, (size_t)csm_table_column_find(t, "trade_id"));
    for (size_t i = 0; i < csm_table_rows(t); i++) {
        const trade row = {.time = csm_table_ticks(t, 0)[i],
                           .price = {csm_table_ticks(t, price)[i], csm_table_scale(t, price), 0},
                           .volume = {csm_table_ticks(t, volume)[i], csm_table_scale(t, volume), 0},
                           .id = id[i],
                           .side = side[i] == 1 ? 's' : 'b',
                           .order = order[i] == CSM_CELL_MISSING ? 0
                                    : order[i] == 1              ? 'l'
                                                                 : 'm'};
        page_add(out, &row);
    }
    csm_table_free(t);
    return true;
}

/* Enough of the store's trades after `since`, oldest first; with since < 0 the newest ones. */
static bool collect_store(page *out, replay *r, const pair *p, csm_time since, size_t count, csm_time now) {
    const recorded *stream = market_stream(p, "trades", 0, now);
    if (!stream) return true;
    const csm_time first = since < stream->first ? stream->first : since + 1;
    for (csm_time span = CSM_HOUR;; span *= 4) {
        out->count = 0;
        csm_time from = first, to = now + 1;
        if (since < 0)
            from = now - span > stream->first ? now - span : stream->first;
        else if (to - first > span)
            to = first + span;
        const bool whole = from <= stream->first && since < 0;
        if (!read_store(out, r, stream, from, to, now)) return false;
        if (out->count > count || whole || (since >= 0 && to == now + 1)) return true;
    }
}

/* ---- the answer ---- */

static void add_trade(text *out, const trade *t, const pair *p, const char *comma) {
    text_add(out, "%s[\"", comma);
    text_decimal(out, t->price.ticks, t->price.scale, p->price_decimals);
    text_add(out, "\",\"");
    text_decimal(out, t->volume.ticks, t->volume.scale, 8);
    text_add(out, "\",");
    text_decimal(out, t->time, 9, 1);
    text_add(out, ",\"%c\",\"%.1s\",\"\"", t->side, t->order ? &t->order : "");
    if (t->id != CSM_CELL_MISSING) text_add(out, ",%" PRId64, t->id);
    text_add(out, "]");
}

/* Seconds or nanoseconds, as Kraken takes both. */
static bool take_since(csm_time *out, const char *value) {
    uint64_t number = 0;
    *out = -1;
    if (!value || !*value) return true;
    if (!answer_count(&number, value, 0, INT64_MAX)) return false;
    *out = number > 100000000000000 ? (csm_time)number : (csm_time)number * CSM_SECOND;
    return true;
}

void answer_trades(replay *r, const query *q, csm_time now, text *out) {
    csm_time since = -1;
    uint64_t count = 0;
    if (!q->pair) {
        answer_error(out, "EGeneral:Invalid arguments");
        return;
    }
    const pair *p = market_find(r, q->pair, strlen(q->pair), now);
    if (!p) {
        answer_error(out, "EQuery:Unknown asset pair");
        return;
    }
    if (!answer_count(&count, q->count, PAGE_MOST, PAGE_MOST) || count == 0) {
        answer_error(out, "EGeneral:Invalid arguments:count");
        return;
    }
    if (!take_since(&since, q->since)) {
        answer_error(out, "EGeneral:Invalid arguments:since");
        return;
    }
    page all = {0};
    if (!collect_store(&all, r, p, since, count, now)) {
        free(all.rows);
        answer_error(out, "EGeneral:Internal error");
        return;
    }
    for (size_t i = 0; i < p->trade_count; i++)
        if (p->trades[i].time <= now && (since < 0 || p->trades[i].time > since))
            page_add(&all, &p->trades[i]);
    if (all.count) qsort(all.rows, all.count, sizeof *all.rows, compare_trades);
    size_t begin = since < 0 && all.count > count ? all.count - count : 0;
    size_t end = all.count - begin > count ? begin + count : all.count;
    /* A cursor in ns cannot stand between equal times: a page ends before them. */
    while (end < all.count && end > begin + 1 && all.rows[end - 1].time == all.rows[end].time) end--;
    text_add(out, "{\"error\":[],\"result\":{\"%s\":[", answer_key(p, q));
    for (size_t i = begin; i < end; i++) add_trade(out, &all.rows[i], p, i > begin ? "," : "");
    text_add(out, "],\"last\":\"%" PRId64 "\"}}",
             end > begin ? all.rows[end - 1].time
             : since < 0 ? 0
                         : since);
    free(all.rows);
}
