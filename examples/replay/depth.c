/* SPDX-License-Identifier: MIT */
/* GET /public/Depth: the newest recorded book that is not after the virtual time; without one both sides are empty. */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MOST 500
#define BOOK_AGE_MOST CSM_DAY

static csm_time newest_level(const json_t *book) {
    static const char *const sides[] = {"asks", "bids"};
    csm_time newest = CSM_TIME_MIN;
    for (size_t s = 0; s < 2; s++) {
        const json_t *levels = json_object_get(book, sides[s]);
        for (size_t i = 0; i < json_array_size(levels); i++) {
            const csm_time time =
                (csm_time)json_number_value(json_array_get(json_array_get(levels, i), 2)) * CSM_SECOND;
            if (time > newest) newest = time;
        }
    }
    return newest;
}

static int compare_books(const void *left, const void *right) {
    const snapshot *a = left, *b = right;
    return (a->time > b->time) - (a->time < b->time);
}

bool books_load(replay *r, const char *path) {
    json_t *result = file_result(path);
    if (!result) return false;
    r->files[r->file_count++] = result;
    const char *name = NULL;
    json_t *book = NULL;
    json_object_foreach(result, name, book) {
        pair *p = market_find(r, name, strlen(name), CSM_TIME_MAX);
        const csm_time time = newest_level(book);
        if (!p || time == CSM_TIME_MIN) {
            fprintf(stderr, "cryptosmart-replay: %s: %s is not in the listing, or no book\n", path, name);
            continue;
        }
        snapshot *grown = take_memory((p->book_count + 1) * sizeof *grown);
        if (p->book_count) memcpy(grown, p->books, p->book_count * sizeof *grown);
        free(p->books);
        grown[p->book_count++] = (snapshot){time, book};
        p->books = grown;
        qsort(p->books, p->book_count, sizeof *p->books, compare_books);
    }
    return true;
}

static void add_side(text *out, const json_t *levels, uint64_t count) {
    for (size_t i = 0; i < json_array_size(levels) && i < count; i++) {
        char *row = json_dumps(json_array_get(levels, i), JSON_COMPACT | JSON_REAL_PRECISION(15));
        text_add(out, "%s%s", i ? "," : "", row ? row : "[]");
        free(row);
    }
}

/* Newest snapshot of the store; NULL when there is none within a day. */
static csm_table *stored_book(replay *r, const pair *p, csm_time now) {
    const recorded *stream = market_stream(p, "book", 0, now);
    csm_table *t = NULL;
    if (!stream) return NULL;
    if (csm_store_read(&t, r->store, r->context, &stream->stream, now - BOOK_AGE_MOST, now + 1, now) !=
        CSM_OK) {
        fprintf(stderr, "cryptosmart-replay: %s\n", csm_error_message());
        return NULL;
    }
    if (csm_table_rows(t) > 0) return t;
    csm_table_free(t);
    return NULL;
}

static void add_stored_side(text *out, const csm_table *t, int64_t side, uint64_t count, const pair *p) {
    const size_t rows = csm_table_rows(t);
    const int64_t *times = csm_table_ticks(t, 0);
    const int64_t *sides = csm_table_ticks(t, (size_t)csm_table_column_find(t, "side"));
    const size_t price = (size_t)csm_table_column_find(t, "price"),
                 volume = (size_t)csm_table_column_find(t, "volume");
    uint64_t shown = 0;
    for (size_t i = 0; i < rows && shown < count; i++) {
        if (times[i] != times[rows - 1] || sides[i] != side) continue;
        text_add(out, "%s[\"", shown++ ? "," : "");
        text_decimal(out, csm_table_ticks(t, price)[i], csm_table_scale(t, price), p->price_decimals);
        text_add(out, "\",\"");
        text_decimal(out, csm_table_ticks(t, volume)[i], csm_table_scale(t, volume), 3);
        text_add(out, "\",%" PRId64 "]", (int64_t)(times[i] / CSM_SECOND));
    }
}

void answer_depth(replay *r, const query *q, csm_time now, text *out) {
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
    if (!answer_count(&count, q->count, 100, LEVELS_MOST) || count == 0) {
        answer_error(out, "EGeneral:Invalid arguments:count");
        return;
    }
    const json_t *book = NULL;
    for (size_t i = 0; i < p->book_count && p->books[i].time <= now; i++) book = p->books[i].book;
    csm_table *stored = book ? NULL : stored_book(r, p, now);
    text_add(out, "{\"error\":[],\"result\":{\"%s\":{\"asks\":[", answer_key(p, q));
    if (book) add_side(out, json_object_get(book, "asks"), count);
    if (stored) add_stored_side(out, stored, 1, count, p);
    text_add(out, "],\"bids\":[");
    if (book) add_side(out, json_object_get(book, "bids"), count);
    if (stored) add_stored_side(out, stored, 0, count, p);
    text_add(out, "]}}}");
    csm_table_free(stored);
}
