/* SPDX-License-Identifier: MIT */
#include "discover/listing.h"

#include <stdlib.h>
#include <string.h>

#define ASSET_NAME_MAX 24

static const csm_decimal missing = {.ticks = CSM_CELL_MISSING};

csm_status csm_listing_new(csm_listing **out, csm_listing_format format) {
    *out = NULL;
    csm_listing *listing = csm_alloc_array(1, sizeof(csm_listing));
    if (listing == NULL) return CSM_ENOMEM;
    listing->format = format;
    listing->venue = "";
    *out = listing;
    return CSM_OK;
}

void csm_listing_free(csm_listing *listing) {
    if (listing == NULL) return;
    csm_text_pool_free(&listing->texts);
    csm_dealloc(listing->markets);
    csm_dealloc(listing->details);
    csm_dealloc(listing);
}

size_t csm_listing_count(const csm_listing *listing) {
    return listing == NULL ? 0 : listing->count;
}

const csm_market *csm_listing_at(const csm_listing *listing, size_t index) {
    return listing == NULL || index >= listing->count ? NULL : &listing->markets[index];
}

static csm_status listing_grow(csm_listing *listing) {
    size_t capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
    csm_market *markets = csm_realloc_array(listing->markets, capacity, sizeof(csm_market));
    if (markets == NULL) return CSM_ENOMEM;
    listing->markets = markets;
    csm_listing_detail *details = csm_realloc_array(listing->details, capacity, sizeof(csm_listing_detail));
    if (details == NULL) return CSM_ENOMEM;
    listing->details = details;
    listing->capacity = capacity;
    return CSM_OK;
}

csm_status csm_listing_row(csm_market **out, csm_listing *listing) {
    if (listing->count == listing->capacity) {
        csm_status status = listing_grow(listing);
        if (status != CSM_OK) return status;
    }
    csm_market *market = &listing->markets[listing->count];
    *market = (csm_market){.id = "",
                           .venue = listing->venue,
                           .symbol = "",
                           .coin = "",
                           .quote = "",
                           .native = "",
                           .altname = "",
                           .status = "",
                           .listed = CSM_TIME_MIN,
                           .delisted = CSM_TIME_MAX,
                           .epoch = 1,
                           .price_decimals = -1,
                           .lot_decimals = -1,
                           .order_minimum = missing,
                           .cost_minimum = missing,
                           .tick_size = missing};
    listing->details[listing->count++] = (csm_listing_detail){.note = "", .base = ""};
    *out = market;
    return CSM_OK;
}

csm_status csm_listing_bad(csm_listing *listing, const char *why) {
    size_t last = listing->count - 1;
    listing->markets[last].excluded |= CSM_REASON_MASK(BAD_RECORD);
    if (*listing->details[last].note != '\0') return CSM_OK;
    const char *note = csm_text_pool_add(&listing->texts, why, strlen(why));
    if (note == NULL) return CSM_ENOMEM;
    listing->details[last].note = note;
    return CSM_OK;
}

bool csm_asset_name_good(const char *name) {
    size_t length = strlen(name);
    if (length == 0 || length > ASSET_NAME_MAX) return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-') return false;
    }
    return true;
}

/* A record without a usable name is named by the hash of its native id, so that hostile text names no file or stream. */
static csm_status row_rename(csm_listing *listing, csm_market *market) {
    char hex[CSM_HASH_TEXT];
    csm_hash hash = csm_hash_bytes(market->native, strlen(market->native));
    market->symbol = csm_text_pool_format(&listing->texts, "BAD-%.12s", csm_hash_format(&hash, hex));
    if (market->symbol == NULL) return CSM_ENOMEM;
    if (!csm_asset_name_good(market->coin)) market->coin = market->symbol;
    return CSM_OK;
}

static int by_symbol_then_row(const void *left, const void *right) {
    const csm_market *a = *(const csm_market *const *)left;
    const csm_market *b = *(const csm_market *const *)right;
    int order = strcmp(a->symbol, b->symbol);
    if (order != 0) return order;
    return a < b ? -1 : a > b;
}

static csm_status twins_mark(csm_listing *listing, csm_market **sorted) {
    for (size_t i = 0; i < listing->count; i++) sorted[i] = &listing->markets[i];
    qsort(sorted, listing->count, sizeof(csm_market *), by_symbol_then_row);
    const char *symbol = NULL;
    for (size_t i = 0; i < listing->count; i++) {
        bool twin = symbol != NULL && strcmp(symbol, sorted[i]->symbol) == 0;
        symbol = sorted[i]->symbol;
        if (!twin) continue;
        size_t row = (size_t)(sorted[i] - listing->markets);
        sorted[i]->excluded |= CSM_REASON_MASK(BAD_RECORD);
        if (*listing->details[row].note == '\0')
            listing->details[row].note =
                csm_text_pool_format(&listing->texts, "symbol %s is claimed twice", symbol);
        if (listing->details[row].note == NULL) return CSM_ENOMEM;
        csm_status status = row_rename(listing, sorted[i]);
        if (status != CSM_OK) return status;
    }
    return CSM_OK;
}

csm_status csm_listing_finish(csm_listing *listing) {
    csm_status status = CSM_OK;
    csm_market **sorted = NULL;
    for (size_t i = 0; status == CSM_OK && i < listing->count; i++)
        if (*listing->markets[i].symbol == '\0') status = row_rename(listing, &listing->markets[i]);
    if (status != CSM_OK || listing->count == 0) goto done;
    sorted = csm_alloc_array(listing->count, sizeof(csm_market *));
    status = sorted == NULL ? CSM_ENOMEM : twins_mark(listing, sorted);
    for (size_t i = 0; status == CSM_OK && i < listing->count; i++) {
        csm_market *market = &listing->markets[i];
        market->id = csm_text_pool_format(&listing->texts, "%s:%s", market->venue, market->symbol);
        if (market->id == NULL) status = CSM_ENOMEM;
    }
done:
    csm_dealloc(sorted);
    return status;
}
