/* SPDX-License-Identifier: MIT */
/* csm_discover_apply: a listing against the registry. What differs becomes a version and a dated event, all of it in one
 * transaction that the coverage equation must let pass. */
#include "discover/discovery.h"
#include "discover/exclusions.h"
#include "store/internal.h"

#include <stdlib.h>
#include <string.h>

typedef struct applying {
    csm_context *context;
    csm_store *store;
    const csm_listing *listing;
    csm_discovery *discovery;
    csm_market_list *before; /* versions that hold now, by symbol and epoch */
    csm_registry_row *rows;  /* of the listing, by symbol */
    csm_time time;
    size_t listed_before;
    size_t vanished;
} applying;

/* ---- results ---- */

csm_status csm_discovery_new(csm_discovery **out) {
    *out = csm_alloc_array(1, sizeof(csm_discovery));
    if (*out == NULL) return CSM_ENOMEM;
    (*out)->coverage.venue = (*out)->coverage.listing_hash = "";
    return CSM_OK;
}

void csm_discovery_free(csm_discovery *discovery) {
    if (discovery == NULL) return;
    csm_text_pool_free(&discovery->texts);
    csm_dealloc(discovery->events);
    csm_dealloc(discovery);
}

const csm_coverage *csm_discovery_coverage(const csm_discovery *discovery) {
    return discovery == NULL ? NULL : &discovery->coverage;
}

size_t csm_discovery_event_count(const csm_discovery *discovery) {
    return discovery == NULL ? 0 : discovery->event_count;
}

const csm_listing_event *csm_discovery_event_at(const csm_discovery *discovery, size_t index) {
    return discovery == NULL || index >= discovery->event_count ? NULL : &discovery->events[index];
}

const char *csm_discover_event_name(uint32_t kind) {
    static const char *const names[] = {"new", "vanished", "back", "status", "terms"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : "unknown";
}

void csm_discover_options_init(csm_discover_options *options) {
    if (options == NULL) return;
    memset(options, 0, sizeof *options);
    options->size = sizeof *options;
}

/* ---- events ---- */

static csm_status event_insert(const applying *a, const csm_market *market, const csm_listing_event *event) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, a->store,
                            "INSERT INTO listing_events (run, venue, symbol, epoch, kind, time, before, "
                            "after) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, a->discovery->coverage.run);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, market->venue);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 3, market->symbol);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 4, event->epoch);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 5, event->kind);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 6, event->time);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 7, event->before);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 8, event->after);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

static csm_status event_add(applying *a, const csm_market *market, csm_listing_event_kind kind,
                            const char *before, const char *after) {
    csm_discovery *d = a->discovery;
    if (d->event_count == d->event_capacity) {
        size_t capacity = d->event_capacity == 0 ? 32 : d->event_capacity * 2;
        csm_listing_event *events = csm_realloc_array(d->events, capacity, sizeof(csm_listing_event));
        if (events == NULL) return CSM_ENOMEM;
        d->events = events;
        d->event_capacity = capacity;
    }
    csm_listing_event event = {.market = csm_text_pool_add(&d->texts, market->id, strlen(market->id)),
                               .before = csm_text_pool_add(&d->texts, before, strlen(before)),
                               .after = csm_text_pool_add(&d->texts, after, strlen(after)),
                               .time = a->time,
                               .kind = kind,
                               .epoch = market->epoch};
    if (event.market == NULL || event.before == NULL || event.after == NULL) return CSM_ENOMEM;
    csm_status status = event_insert(a, market, &event);
    if (status == CSM_OK) d->events[d->event_count++] = event;
    return status;
}

static const char *decimal_text(csm_decimal value, char *text, size_t size) {
    return value.ticks == CSM_CELL_MISSING ? "-" : csm_decimal_format(value, text, size);
}

/* "decimals 1/8 minimum 0.0001 cost 0.5 tick 0.1 taker [[0,0.4]] maker [[0,0.25]]": equal texts are equal terms. */
static const char *terms_text(csm_text_pool *pool, const csm_market *m) {
    char minimum[64], cost[64], tick[64];
    const char *taker = csm_tiers_format(pool, m->taker_tiers, m->taker_volume, m->taker_percent);
    const char *maker = csm_tiers_format(pool, m->maker_tiers, m->maker_volume, m->maker_percent);
    if (taker == NULL || maker == NULL) return NULL;
    return csm_text_pool_format(pool, "decimals %d/%d minimum %s cost %s tick %s taker %s maker %s",
                                m->price_decimals, m->lot_decimals,
                                decimal_text(m->order_minimum, minimum, sizeof minimum),
                                decimal_text(m->cost_minimum, cost, sizeof cost),
                                decimal_text(m->tick_size, tick, sizeof tick), taker, maker);
}

/* ---- one market ---- */

static csm_status begin_version(const applying *a, const csm_registry_row *row) {
    return csm_registry_begin_version(a->store, row, a->time, a->discovery->coverage.run);
}

/* Epochs that ended before this registry began, as far as relistings.def knows: training must see what vanished. */
static csm_status earlier_epochs(const applying *a, const csm_registry_row *row) {
    csm_registry_row earlier = *row;
    for (int32_t epoch = 1; epoch < row->market.epoch; epoch++) {
        csm_time until = csm_relisting_from(row->market.venue, row->market.symbol, epoch + 1);
        if (until == CSM_TIME_MIN) continue;
        earlier.market.epoch = epoch;
        earlier.market.listed = csm_relisting_from(row->market.venue, row->market.symbol, epoch);
        earlier.market.delisted = until;
        earlier.market.excluded |= CSM_REASON_MASK(DELISTED);
        csm_status status = begin_version(a, &earlier);
        if (status != CSM_OK) return status;
    }
    return CSM_OK;
}

static csm_status market_new(applying *a, csm_registry_row *row) {
    row->market.epoch = csm_relisting_epoch(row->market.venue, row->market.symbol, a->time);
    row->market.listed = a->time;
    csm_status status = earlier_epochs(a, row);
    if (status == CSM_OK) status = begin_version(a, row);
    return status != CSM_OK ? status : event_add(a, &row->market, CSM_LISTING_NEW, "", row->market.status);
}

static csm_status market_vanished(applying *a, const csm_market *old, int32_t quote_rank) {
    csm_registry_row gone = {.market = *old, .quote_rank = quote_rank, .note = ""};
    gone.market.delisted = a->time;
    gone.market.excluded |= CSM_REASON_MASK(DELISTED);
    a->vanished++;
    csm_status status = csm_registry_end_version(a->store, old, a->time);
    if (status == CSM_OK) status = begin_version(a, &gone);
    return status != CSM_OK ? status : event_add(a, old, CSM_LISTING_VANISHED, old->status, "");
}

static csm_status market_back(applying *a, const csm_market *old, csm_registry_row *row) {
    char when[CSM_TIME_TEXT + 16] = "delisted ";
    int32_t known = csm_relisting_epoch(row->market.venue, row->market.symbol, a->time);
    csm_time_format(old->delisted == CSM_TIME_MAX ? a->time : old->delisted, when + strlen(when),
                    CSM_TIME_TEXT);
    row->market.epoch = known > old->epoch ? known : old->epoch + 1;
    row->market.listed = a->time;
    csm_status status = begin_version(a, row);
    return status != CSM_OK ? status : event_add(a, &row->market, CSM_LISTING_BACK, when, row->market.status);
}

static bool same_version(const csm_market *a, const csm_market *b) {
    return strcmp(a->coin, b->coin) == 0 && strcmp(a->quote, b->quote) == 0 &&
           strcmp(a->altname, b->altname) == 0 && a->excluded == b->excluded && a->canonical == b->canonical;
}

/* Listed before and now: another version where anything differs. */
static csm_status market_stays(applying *a, const csm_market *old, int32_t old_rank, csm_registry_row *row) {
    csm_text_pool pool = {0};
    csm_status status = CSM_OK;
    row->market.epoch = old->epoch;
    row->market.listed = old->listed;
    const char *before = terms_text(&pool, old);
    const char *after = terms_text(&pool, &row->market);
    if (before == NULL || after == NULL) {
        status = CSM_ENOMEM;
        goto done;
    }
    bool status_changed = strcmp(old->status, row->market.status) != 0;
    bool terms_changed = strcmp(before, after) != 0;
    if (!status_changed && !terms_changed && old_rank == row->quote_rank && same_version(old, &row->market))
        goto done;
    status = csm_registry_end_version(a->store, old, a->time);
    if (status == CSM_OK) status = begin_version(a, row);
    if (status == CSM_OK && status_changed)
        status = event_add(a, old, CSM_LISTING_STATUS, old->status, row->market.status);
    if (status == CSM_OK && terms_changed) status = event_add(a, old, CSM_LISTING_TERMS, before, after);
done:
    csm_text_pool_free(&pool);
    return status;
}

/* The same symbol under another native id, or across a known relisting, is another coin: the old epoch ends. */
static bool is_another_listing(const applying *a, const csm_market *old, const csm_registry_row *row) {
    return strcmp(old->native, row->market.native) != 0 ||
           csm_relisting_epoch(old->venue, old->symbol, a->time) > old->epoch;
}

static csm_status market_seen(applying *a, const csm_market *old, int32_t old_rank, csm_registry_row *row) {
    if (old->delisted != CSM_TIME_MAX) return market_back(a, old, row);
    if (!is_another_listing(a, old, row)) return market_stays(a, old, old_rank, row);
    csm_status status = market_vanished(a, old, old_rank);
    return status != CSM_OK ? status : market_back(a, old, row);
}

/* ---- all markets ---- */

static int by_symbol(const void *left, const void *right) {
    return strcmp(((const csm_registry_row *)left)->market.symbol,
                  ((const csm_registry_row *)right)->market.symbol);
}

static csm_status rows_make(applying *a, const char *const *quotes) {
    const csm_listing *listing = a->listing;
    a->rows = csm_alloc_array(listing->count, sizeof(csm_registry_row));
    if (a->rows == NULL) return CSM_ENOMEM;
    for (size_t i = 0; i < listing->count; i++)
        a->rows[i] = (csm_registry_row){.market = listing->markets[i], .note = listing->details[i].note};
    csm_status status = csm_canonical_choose(a->rows, listing->count, quotes);
    if (status == CSM_OK && listing->count > 0)
        qsort(a->rows, listing->count, sizeof(csm_registry_row), by_symbol);
    return status;
}

/* Both lists ascend by symbol; of the registry only a symbol's last epoch counts. */
static csm_status registry_merge(applying *a) {
    const csm_market_list *before = a->before;
    csm_status status = CSM_OK;
    size_t i = 0, j = 0;
    while (status == CSM_OK && (i < before->count || j < a->listing->count)) {
        if (i + 1 < before->count && strcmp(before->markets[i].symbol, before->markets[i + 1].symbol) == 0) {
            i++;
            continue;
        }
        const csm_market *old = i < before->count ? &before->markets[i] : NULL;
        csm_registry_row *row = j < a->listing->count ? &a->rows[j] : NULL;
        int order = old == NULL ? 1 : row == NULL ? -1 : strcmp(old->symbol, row->market.symbol);
        if (old != NULL && order <= 0) a->listed_before += old->delisted == CSM_TIME_MAX;
        if (old == NULL || order > 0)
            status = market_new(a, &a->rows[j]);
        else if (row != NULL && order == 0)
            status = market_seen(a, old, before->ranks[i], row);
        else if (old->delisted == CSM_TIME_MAX)
            status = market_vanished(a, old, before->ranks[i]);
        i += order <= 0;
        j += order >= 0;
    }
    return status;
}

static const char *run_note(const csm_listing *listing) {
    return listing->names_by_prefix ? "names by the legacy prefix rule: no Assets reply" : "";
}

static csm_status coverage_name(applying *a, const void *raw, size_t raw_length) {
    csm_coverage *coverage = &a->discovery->coverage;
    csm_text_pool *pool = &a->discovery->texts;
    char hex[CSM_HASH_TEXT];
    csm_hash hash = csm_hash_bytes(raw, raw_length);
    csm_hash_format(&hash, hex);
    coverage->time = a->time;
    coverage->venue = csm_text_pool_add(pool, a->listing->venue, strlen(a->listing->venue));
    coverage->listing_hash = csm_text_pool_add(pool, hex, strlen(hex));
    return coverage->venue == NULL || coverage->listing_hash == NULL ? CSM_ENOMEM : CSM_OK;
}

static csm_status apply_within(applying *a, const char *raw, size_t raw_length,
                               const csm_provenance *provenance) {
    csm_coverage *coverage = &a->discovery->coverage;
    csm_status status = csm_coverage_begin(coverage, a->store, provenance, run_note(a->listing));
    if (status == CSM_OK) status = csm_registry_load(&a->before, a->store, a->listing->venue, CSM_TIME_MAX);
    if (status == CSM_OK) status = registry_merge(a);
    if (status == CSM_OK) status = csm_coverage_settle(coverage, a->store, a->listing, raw, raw_length);
    if (status == CSM_OK) status = csm_coverage_commit(coverage, a->store);
    return status;
}

static csm_status time_check(const applying *a) {
    csm_time newest = CSM_TIME_MIN;
    char given[CSM_TIME_TEXT], known[CSM_TIME_TEXT];
    csm_status status = csm_coverage_newest(&newest, a->store, a->listing->venue);
    if (status != CSM_OK || a->time >= newest) return status;
    return csm_fail(CSM_EINVAL, "%s: a listing received at %s comes after the run of %s", a->listing->venue,
                    csm_time_format(a->time, given, sizeof given),
                    csm_time_format(newest, known, sizeof known));
}

/* Half of a venue gone at once is more likely the venue's fault than the truth; it is what was received all the same. */
static void warn(const applying *a) {
    if (2 * a->vanished > a->listed_before)
        csm_log_write(a->context, CSM_LOG_WARN, "discover", "%s: %zu of %zu markets vanished at once",
                      a->listing->venue, a->vanished, a->listed_before);
    if (a->listing->names_by_prefix)
        csm_log_write(a->context, CSM_LOG_WARN, "discover", "%s: %s", a->listing->venue,
                      run_note(a->listing));
    const csm_coverage *c = &a->discovery->coverage;
    csm_log_write(a->context, CSM_LOG_INFO, "discover",
                  "%s: %zu pairs offered = %zu processed + %zu excluded; %zu coins = %zu + %zu; %zu events",
                  c->venue, c->pairs_offered, c->pairs_processed, c->pairs_excluded, c->coins_offered,
                  c->coins_processed, c->coins_excluded, a->discovery->event_count);
}

csm_status csm_discover_apply(csm_discovery **out, csm_context *context, csm_store *store,
                              const csm_listing *listing, const void *raw, size_t raw_length,
                              const csm_provenance *provenance, const csm_discover_options *options) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_discover_apply: out is NULL");
    *out = NULL;
    if (context == NULL || store == NULL || listing == NULL || raw == NULL)
        return csm_fail(CSM_EINVAL, "csm_discover_apply: context, store, listing or raw is NULL");
    csm_discover_options o;
    csm_discover_options_init(&o);
    csm_status status = csm_options_take(&o, sizeof o, options, "csm_discover_options");
    if (status == CSM_OK) status = csm_provenance_check(provenance);
    if (status != CSM_OK) return status;
    applying a = {.context = context, .store = store, .listing = listing, .time = provenance->received};
    status = csm_discovery_new(&a.discovery);
    if (status == CSM_OK) status = coverage_name(&a, raw, raw_length);
    if (status == CSM_OK) status = rows_make(&a, o.quotes);
    if (status == CSM_OK) status = csm_catalog_begin(store);
    if (status != CSM_OK) goto done;
    status = time_check(&a);
    if (status == CSM_OK) status = apply_within(&a, raw, raw_length, provenance);
    if (status == CSM_OK) status = csm_catalog_commit(store);
    if (status != CSM_OK) csm_catalog_rollback(store);
    if (status == CSM_OK) warn(&a);
done:
    csm_market_list_free(a.before);
    csm_dealloc(a.rows);
    if (status == CSM_OK)
        *out = a.discovery;
    else
        csm_discovery_free(a.discovery);
    return status;
}
