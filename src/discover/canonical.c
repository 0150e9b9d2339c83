/* SPDX-License-Identifier: MIT */
/* Which market stands for its coin. */
#include "discover/discovery.h"

#include <stdlib.h>
#include <string.h>

static const char *const usual_quotes[] = {"USD", "EUR", "USDT", NULL};

static int32_t rank_of(const char *quote, const char *const *quotes) {
    for (int32_t i = 0; quotes[i] != NULL; i++)
        if (strcmp(quotes[i], quote) == 0) return i;
    return -1;
}

/* Coin, then the more wanted quote; a venue lists a coin once a quote, so the symbol settles nothing real. */
static int by_coin_then_rank(const void *left, const void *right) {
    const csm_registry_row *a = *(csm_registry_row *const *)left, *b = *(csm_registry_row *const *)right;
    int order = strcmp(a->market.coin, b->market.coin);
    if (order != 0) return order;
    if (a->quote_rank != b->quote_rank) return a->quote_rank < b->quote_rank ? -1 : 1;
    return strcmp(a->market.symbol, b->market.symbol);
}

csm_status csm_canonical_choose(csm_registry_row *rows, size_t count, const char *const *quotes) {
    if (quotes == NULL) quotes = usual_quotes;
    size_t candidates = 0;
    csm_registry_row **sorted = csm_alloc_array(count, sizeof(csm_registry_row *));
    if (sorted == NULL) return CSM_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        csm_market *market = &rows[i].market;
        rows[i].quote_rank = rank_of(market->quote, quotes);
        if (rows[i].quote_rank < 0) market->excluded |= CSM_REASON_MASK(QUOTE_NOT_MODELLED);
        if (market->excluded == 0) sorted[candidates++] = &rows[i];
    }
    if (candidates > 0) qsort(sorted, candidates, sizeof(csm_registry_row *), by_coin_then_rank);
    for (size_t i = 0; i < candidates; i++) {
        csm_market *market = &sorted[i]->market;
        market->canonical = i == 0 || strcmp(sorted[i - 1]->market.coin, market->coin) != 0;
        if (!market->canonical) market->excluded |= CSM_REASON_MASK(NOT_CANONICAL);
    }
    csm_dealloc(sorted);
    return CSM_OK;
}
