/* SPDX-License-Identifier: MIT */
/* csm_discover_markets: the registry as known at a time. */
#include "discover/registry.h"

#include <stdlib.h>
#include <string.h>

#define TRADED_VALUE_DAYS 30

typedef struct candidate {
    size_t market;
    double value; /* traded over the last 30 days; negative: not looked up yet */
} candidate;

/* Sum of close x volume of the stored bars of the last 30 days known at as_of, day bars first; 0 when there are none. */
static csm_status traded_value(double *out, csm_context *context, const csm_store *store,
                               const csm_market *market, csm_time as_of) {
    static const csm_time intervals[] = {CSM_DAY, CSM_HOUR};
    *out = 0.0;
    for (size_t k = 0; k < sizeof intervals / sizeof intervals[0]; k++) {
        csm_bar_series *series = NULL;
        csm_stream stream = {"bars", market->venue, market->symbol, intervals[k], market->epoch, 0};
        csm_status status =
            csm_store_read_bars(&series, store, context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, as_of);
        if (status == CSM_ENOTFOUND) continue;
        if (status != CSM_OK) return status;
        csm_bars bars = csm_bar_series_view(series);
        csm_time from = bars.length > 0 ? bars.time[bars.length - 1] - TRADED_VALUE_DAYS * CSM_DAY : 0;
        for (size_t i = 0; i < bars.length; i++)
            if (bars.time[i] > from && (bars.state == NULL || bars.state[i] == CSM_BAR_TRADED))
                *out += bars.close[i] * bars.volume[i];
        csm_bar_series_free(series);
        if (*out > 0.0) return CSM_OK;
    }
    return CSM_OK;
}

static csm_status candidate_value(candidate *c, const csm_market_list *list, const csm_store *store,
                                  csm_time as_of) {
    if (c->value >= 0.0) return CSM_OK;
    csm_context *context = NULL; /* reading needs one, and the registry's reader has none */
    csm_status status = csm_context_new(&context, NULL);
    if (status == CSM_OK) status = traded_value(&c->value, context, store, &list->markets[c->market], as_of);
    csm_context_free(context);
    return status;
}

/* Whether `b` is a better market of the coin than `a`: the more wanted quote, then more traded, then the venue's name. */
static csm_status is_better(bool *better, candidate *a, candidate *b, const csm_market_list *list,
                            const csm_store *store, csm_time as_of) {
    int32_t rank_a = list->ranks[a->market], rank_b = list->ranks[b->market];
    *better = rank_b < rank_a;
    if (rank_a != rank_b) return CSM_OK;
    csm_status status = candidate_value(a, list, store, as_of);
    if (status == CSM_OK) status = candidate_value(b, list, store, as_of);
    if (status != CSM_OK) return status;
    if (a->value != b->value)
        *better = b->value > a->value;
    else
        *better = strcmp(list->markets[b->market].venue, list->markets[a->market].venue) < 0;
    return CSM_OK;
}

static int by_coin(const void *left, const void *right) {
    const csm_market *a = *(const csm_market *const *)left, *b = *(const csm_market *const *)right;
    int order = strcmp(a->coin, b->coin);
    if (order != 0) return order;
    return a < b ? -1 : a > b;
}

/* Among markets of several venues that are canonical on their own venue, keeps one a coin: the others lose the flag. Only
 * listed markets compete; earlier epochs keep what they were. */
static csm_status one_a_coin(csm_market_list *list, const csm_store *store, csm_time as_of) {
    csm_status status = CSM_OK;
    csm_market **sorted = csm_alloc_array(list->count, sizeof(csm_market *));
    if (sorted == NULL) return CSM_ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        if (list->markets[i].canonical && list->markets[i].delisted == CSM_TIME_MAX)
            sorted[count++] = &list->markets[i];
    qsort(sorted, count, sizeof(csm_market *), by_coin);
    for (size_t i = 0; status == CSM_OK && i < count;) {
        candidate best = {(size_t)(sorted[i] - list->markets), -1.0};
        size_t next = i + 1;
        for (; status == CSM_OK && next < count && strcmp(sorted[next]->coin, sorted[i]->coin) == 0; next++) {
            candidate other = {(size_t)(sorted[next] - list->markets), -1.0};
            bool better = false;
            status = is_better(&better, &best, &other, list, store, as_of);
            list->markets[better ? best.market : other.market].canonical = 0;
            if (better) best = other;
        }
        i = next;
    }
    csm_dealloc(sorted);
    return status;
}

static bool wanted(const csm_market *market, uint32_t flags) {
    csm_reason against = market->excluded & ~CSM_REASON_MASK(DELISTED);
    if (!(flags & CSM_MARKETS_EVER) && market->delisted != CSM_TIME_MAX) return false;
    if ((flags & CSM_MARKETS_PROCESSED) && against != 0) return false;
    return !(flags & CSM_MARKETS_CANONICAL) || market->canonical != 0;
}

static int by_id(const void *left, const void *right) {
    const csm_market *a = left, *b = right;
    int order = strcmp(a->id, b->id);
    return order != 0 ? order : (a->epoch > b->epoch) - (a->epoch < b->epoch);
}

csm_status csm_discover_markets(csm_market_list **out, const csm_store *store, const char *venue,
                                csm_time as_of, uint32_t flags) {
    const uint32_t known = CSM_MARKETS_PROCESSED | CSM_MARKETS_CANONICAL | CSM_MARKETS_EVER;
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_discover_markets: out is NULL");
    *out = NULL;
    if (store == NULL) return csm_fail(CSM_EINVAL, "csm_discover_markets: store is NULL");
    if (flags & ~known)
        return csm_fail(CSM_EINVAL, "csm_discover_markets: flags 0x%x are unknown", flags & ~known);
    csm_market_list *list = NULL;
    csm_status status = csm_registry_load(&list, store, venue, as_of);
    if (status == CSM_OK && venue == NULL && list->count > 0) status = one_a_coin(list, store, as_of);
    if (status != CSM_OK) {
        csm_market_list_free(list);
        return status;
    }
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (wanted(&list->markets[i], flags)) list->markets[kept++] = list->markets[i];
    list->count = kept;
    if (kept > 0) qsort(list->markets, kept, sizeof(csm_market), by_id);
    *out = list;
    return CSM_OK;
}
