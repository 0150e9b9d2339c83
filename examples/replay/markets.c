/* SPDX-License-Identifier: MIT */
/* Pairs of the recorded listing, and which recorded streams stand for each. */
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

typedef struct named {
    const char *name;
    pair *market;
} named;

/* Every name of every pair; the first pair that bears a name keeps it. */
static void index_names(replay *r) {
    named *all = take_memory(r->pair_count * 4 * sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < r->pair_count; i++) {
        pair *p = &r->pairs[i];
        const char *const names[] = {p->id, p->altname, p->wsname, p->symbol};
        for (size_t k = 0; k < 4; k++)
            if (names[k][0]) all[n++] = (named){names[k], p};
    }
    qsort(all, n, sizeof *all, compare_names);
    r->names = take_memory(n * sizeof(char *));
    r->by_name = take_memory(n * sizeof(pair *));
    for (size_t i = 0; i < n; i++) {
        if (r->name_count && strcmp(r->names[r->name_count - 1], all[i].name) == 0) continue;
        r->names[r->name_count] = all[i].name;
        r->by_name[r->name_count++] = all[i].market;
    }
    free(all);
}

static pair *find_any(const replay *r, const char *name) {
    const char *const *at = bsearch(&name, r->names, r->name_count, sizeof(char *), compare_names);
    return at ? r->by_name[at - (const char *const *)r->names] : NULL;
}

pair *market_find(const replay *r, const char *name, size_t length, csm_time now) {
    char copy[64];
    if (length == 0 || length >= sizeof copy) return NULL;
    memcpy(copy, name, length);
    copy[length] = '\0';
    pair *p = find_any(r, copy);
    return p && market_listed(r, p, now) ? p : NULL;
}

bool market_listed(const replay *r, const pair *p, csm_time now) {
    if (p->delisted) return false;
    if (!r->options.only_recorded) return true;
    csm_time first = CSM_TIME_MAX, last = CSM_TIME_MIN;
    for (size_t i = 0; i < p->stream_count; i++) {
        if (strcmp(p->streams[i].stream.kind, "bars") != 0) continue;
        if (p->streams[i].first < first) first = p->streams[i].first;
        /* Which data end is known only afterwards: the exchange knew when it delisted. */
        if (p->streams[i].first <= now && p->streams[i].last > last) last = p->streams[i].last;
    }
    if (first > now) return false;
    return r->options.delist_after == 0 || now - last <= r->options.delist_after;
}

const recorded *market_stream(const pair *p, const char *kind, csm_time interval, csm_time now) {
    const recorded *found = NULL;
    for (size_t i = 0; i < p->stream_count; i++) {
        const recorded *s = &p->streams[i];
        if (strcmp(s->stream.kind, kind) != 0 || s->stream.interval != interval || s->first > now) continue;
        if (!found || s->stream.epoch > found->stream.epoch) found = s;
    }
    return found;
}

csm_time market_source(const pair *p, csm_time interval, csm_time most, csm_time now) {
    csm_time best = 0;
    for (size_t i = 0; i < p->stream_count; i++) {
        const csm_time step = p->streams[i].stream.interval;
        if (strcmp(p->streams[i].stream.kind, "bars") != 0 || step <= best || step > most ||
            interval % step != 0)
            continue;
        if (market_stream(p, "bars", step, now)) best = step;
    }
    return best;
}

/* "BTC/USDT" with USDT=USD stands for "BTC/USD". False when the quote is not mapped. */
static bool map_quote(char *out, size_t size, const char *symbol, const char *quotes) {
    const char *slash = strrchr(symbol, '/');
    if (!slash) return false;
    const size_t quote = strlen(slash + 1);
    for (const char *at = quotes; at && *at; at += strcspn(at, ","), at += *at == ',') {
        const size_t length = strcspn(at, ",");
        if (length <= quote + 1 || strncmp(at, slash + 1, quote) != 0 || at[quote] != '=') continue;
        snprintf(out, size, "%.*s/%.*s", (int)(slash - symbol), symbol, (int)(length - quote - 1),
                 at + quote + 1);
        return true;
    }
    return false;
}

static void add_stream(pair *p, const csm_stream_info *info) {
    recorded *grown = take_memory((p->stream_count + 1) * sizeof *grown);
    if (p->stream_count) memcpy(grown, p->streams, p->stream_count * sizeof *grown);
    free(p->streams);
    grown[p->stream_count++] = (recorded){info->stream, info->first, info->last};
    p->streams = grown;
}

/* Streams of the symbol itself come before those of a mapped quote. */
static size_t match_streams(replay *r, bool mapped) {
    size_t matched = 0;
    char other[64];
    for (size_t i = 0; i < csm_stream_list_count(r->streams); i++) {
        const csm_stream_info *info = csm_stream_list_at(r->streams, i);
        const char *symbol = info->stream.symbol;
        if (info->rows == 0) continue;
        if (mapped) {
            if (!map_quote(other, sizeof other, symbol, r->options.quotes)) continue;
            symbol = other;
        }
        pair *p = find_any(r, symbol);
        if (!p || strcmp(p->symbol, symbol) != 0) continue;
        if (mapped && p->stream_count && strcmp(p->streams[0].stream.symbol, info->stream.symbol) != 0)
            continue;
        add_stream(p, info);
        matched++;
    }
    return matched;
}

static const char *text_of(const json_t *object, const char *name) {
    const char *value = json_string_value(json_object_get(object, name));
    return value ? value : "";
}

bool listing_load(replay *r) {
    r->pairs_json = file_result(r->options.listing);
    r->assets_json = r->options.assets ? file_result(r->options.assets) : NULL;
    if (!r->pairs_json || (r->options.assets && !r->assets_json)) return false;
    json_t *envelope = json_pack("{s:[], s:O}", "error", "result", r->pairs_json);
    json_t *assets = r->assets_json ? json_pack("{s:[], s:O}", "error", "result", r->assets_json) : NULL;
    char *pairs_text = json_dumps(envelope, JSON_COMPACT);
    char *assets_text = assets ? json_dumps(assets, JSON_COMPACT) : NULL;
    const csm_status status =
        csm_discover_parse_kraken(&r->listing, pairs_text, pairs_text ? strlen(pairs_text) : 0, assets_text,
                                  assets_text ? strlen(assets_text) : 0);
    if (status) fprintf(stderr, "cryptosmart-replay: %s: %s\n", r->options.listing, csm_error_message());
    free(pairs_text);
    free(assets_text);
    json_decref(envelope);
    json_decref(assets);
    return status == CSM_OK;
}

static bool load_streams(replay *r) {
    if (!r->store) return true;
    if (csm_store_streams(&r->streams, r->store, NULL, r->options.venue)) {
        fprintf(stderr, "cryptosmart-replay: %s\n", csm_error_message());
        return false;
    }
    const size_t direct = match_streams(r, false);
    const size_t mapped = match_streams(r, true);
    fprintf(stderr,
            "cryptosmart-replay: %zu of %zu streams of %s stand for pairs of the listing (%zu by another "
            "quote)\n",
            direct + mapped, csm_stream_list_count(r->streams), r->options.venue, mapped);
    return true;
}

bool markets_load(replay *r) {
    r->pairs = take_memory(csm_listing_count(r->listing) * sizeof *r->pairs);
    for (size_t i = 0; i < csm_listing_count(r->listing); i++) {
        const csm_market *m = csm_listing_at(r->listing, i);
        const json_t *listing = json_object_get(r->pairs_json, m->native);
        if (!listing) continue;
        r->pairs[r->pair_count++] = (pair){.id = m->native,
                                           .altname = text_of(listing, "altname"),
                                           .wsname = text_of(listing, "wsname"),
                                           .symbol = m->symbol,
                                           .listing = listing,
                                           .price_decimals = m->price_decimals,
                                           .lot_decimals = m->lot_decimals};
    }
    index_names(r);
    return load_streams(r);
}

void markets_free(replay *r) {
    for (size_t i = 0; i < r->pair_count; i++) {
        free(r->pairs[i].streams);
        free(r->pairs[i].books);
        free(r->pairs[i].trades);
    }
    free(r->pairs);
    free(r->names);
    free(r->by_name);
    for (size_t i = 0; i < r->file_count; i++) json_decref(r->files[i]);
    json_decref(r->pairs_json);
    json_decref(r->assets_json);
    csm_listing_free(r->listing);
    csm_stream_list_free(r->streams);
}
