/* SPDX-License-Identifier: MIT */
/* The coverage equation offered = processed + excluded(reason), in pairs and in coins. */
#include "discover/discovery.h"
#include "discover/raw_count.h"

#include <stdlib.h>
#include <string.h>

static uint32_t lowest_bit(csm_reason reasons) {
    return (uint32_t)__builtin_ctzll(reasons);
}

static int by_coin(const void *left, const void *right) {
    return strcmp((*(const csm_market *const *)left)->coin, (*(const csm_market *const *)right)->coin);
}

/* markets of one coin: processed, or excluded for the reason of its best market, the one whose lowest bit is highest. */
static void coin_count(csm_coverage *coverage, const csm_market *const *markets, size_t count) {
    uint32_t best = 0;
    for (size_t i = 0; i < count; i++) {
        if (markets[i]->excluded == 0) {
            coverage->coins_processed++;
            return;
        }
        if (lowest_bit(markets[i]->excluded) > best) best = lowest_bit(markets[i]->excluded);
    }
    coverage->coins_excluded++;
    coverage->coins_by_reason[best]++;
}

static csm_status registry_count(csm_coverage *coverage, const csm_market_list *list) {
    size_t count = 0;
    const csm_market **listed = csm_alloc_array(list->count, sizeof(csm_market *));
    if (listed == NULL) return CSM_ENOMEM;
    for (size_t i = 0; i < list->count; i++)
        if (list->markets[i].delisted == CSM_TIME_MAX) listed[count++] = &list->markets[i];
    for (size_t i = 0; i < count; i++) {
        if (listed[i]->excluded == 0) {
            coverage->pairs_processed++;
            continue;
        }
        coverage->pairs_excluded++;
        coverage->pairs_by_reason[lowest_bit(listed[i]->excluded)]++;
    }
    if (count > 0) qsort(listed, count, sizeof(csm_market *), by_coin);
    for (size_t i = 0; i < count;) {
        size_t next = i + 1;
        while (next < count && strcmp(listed[next]->coin, listed[i]->coin) == 0) next++;
        coin_count(coverage, &listed[i], next - i);
        i = next;
    }
    csm_dealloc(listed);
    return CSM_OK;
}

csm_status csm_coverage_settle(csm_coverage *coverage, const csm_store *store, const csm_listing *listing,
                               const char *raw, size_t raw_length) {
    csm_raw_total total = {0};
    csm_market_list *list = NULL;
    size_t bases = 0, coins = 0;
    csm_status status = csm_raw_count(&total, listing->format, raw, raw_length);
    if (status == CSM_OK) status = csm_rows_count(&bases, &coins, listing);
    if (status == CSM_OK) status = csm_registry_load(&list, store, listing->venue, CSM_TIME_MAX);
    if (status == CSM_OK) status = registry_count(coverage, list);
    csm_market_list_free(list);
    if (status != CSM_OK) return status;
    coverage->pairs_offered = total.pairs;
    /* two texts of the listing may name one coin (XBT and XXBT): they are counted as one */
    coverage->coins_offered = total.bases + coins - bases;
    if (coverage->pairs_offered != coverage->pairs_processed + coverage->pairs_excluded)
        return csm_fail(CSM_ECOVERAGE, "%s: %zu pairs offered, but %zu processed and %zu excluded",
                        listing->venue, coverage->pairs_offered, coverage->pairs_processed,
                        coverage->pairs_excluded);
    if (coverage->coins_offered != coverage->coins_processed + coverage->coins_excluded)
        return csm_fail(CSM_ECOVERAGE, "%s: %zu coins offered, but %zu processed and %zu excluded",
                        listing->venue, coverage->coins_offered, coverage->coins_processed,
                        coverage->coins_excluded);
    return CSM_OK;
}

csm_status csm_coverage_newest(csm_time *out, const csm_store *store, const char *venue) {
    csm_statement *s = NULL;
    bool row = false;
    *out = CSM_TIME_MIN;
    csm_status status =
        csm_catalog_prepare(&s, store, "SELECT max(time) FROM coverage_runs WHERE venue = ?1");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, venue);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row && csm_statement_text(s, 0) != NULL) *out = csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}

csm_status csm_coverage_begin(csm_coverage *coverage, csm_store *store, const csm_provenance *provenance,
                              const char *note) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "INSERT INTO coverage_runs (venue, time, listing_hash, source, request, origin, note, "
        "pairs_offered, pairs_processed, pairs_excluded, coins_offered, coins_processed, "
        "coins_excluded) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0, 0, 0, 0) RETURNING run");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, coverage->venue);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, coverage->time);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 3, coverage->listing_hash);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 4, provenance->source);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 5, provenance->request);
    if (status == CSM_OK)
        status = csm_statement_bind_text(s, 6, provenance->origin != NULL ? provenance->origin : "");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 7, note);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) coverage->run = csm_statement_i64(s, 0);
    if (status == CSM_OK && row) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

static csm_status reason_insert(const csm_coverage *coverage, csm_store *store, uint32_t bit) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(
        &s, store, "INSERT INTO coverage_reasons (run, reason, pairs, coins) VALUES (?1, ?2, ?3, ?4)");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, coverage->run);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, bit);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, (int64_t)coverage->pairs_by_reason[bit]);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 4, (int64_t)coverage->coins_by_reason[bit]);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

csm_status csm_coverage_commit(const csm_coverage *coverage, csm_store *store) {
    const size_t counts[] = {coverage->pairs_offered, coverage->pairs_processed, coverage->pairs_excluded,
                             coverage->coins_offered, coverage->coins_processed, coverage->coins_excluded};
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, store,
                            "UPDATE coverage_runs SET pairs_offered = ?1, pairs_processed = ?2, "
                            "pairs_excluded = ?3, coins_offered = ?4, coins_processed = ?5, "
                            "coins_excluded = ?6 WHERE run = ?7");
    for (int i = 0; status == CSM_OK && i < 6; i++)
        status = csm_statement_bind_i64(s, i + 1, (int64_t)counts[i]);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 7, coverage->run);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    for (uint32_t bit = 0; status == CSM_OK && bit < 64; bit++)
        if (coverage->pairs_by_reason[bit] != 0 || coverage->coins_by_reason[bit] != 0)
            status = reason_insert(coverage, store, bit);
    return status;
}

/* ---- the stored run ---- */

static csm_status last_row(csm_discovery *discovery, csm_statement *s) {
    csm_coverage *c = &discovery->coverage;
    const char *venue = csm_statement_text(s, 1), *hash = csm_statement_text(s, 3);
    c->run = csm_statement_i64(s, 0);
    c->time = csm_statement_i64(s, 2);
    c->pairs_offered = (size_t)csm_statement_i64(s, 4);
    c->pairs_processed = (size_t)csm_statement_i64(s, 5);
    c->pairs_excluded = (size_t)csm_statement_i64(s, 6);
    c->coins_offered = (size_t)csm_statement_i64(s, 7);
    c->coins_processed = (size_t)csm_statement_i64(s, 8);
    c->coins_excluded = (size_t)csm_statement_i64(s, 9);
    if (venue == NULL || hash == NULL)
        return csm_fail(CSM_ECORRUPT, "coverage run %lld has no venue", (long long)c->run);
    c->venue = csm_text_pool_add(&discovery->texts, venue, strlen(venue));
    c->listing_hash = csm_text_pool_add(&discovery->texts, hash, strlen(hash));
    return c->venue == NULL || c->listing_hash == NULL ? CSM_ENOMEM : CSM_OK;
}

static csm_status last_reasons(csm_coverage *coverage, const csm_store *store) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, store, "SELECT reason, pairs, coins FROM coverage_reasons WHERE run = ?1");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, coverage->run);
    while (status == CSM_OK) {
        status = csm_statement_step(s, &row);
        if (status != CSM_OK || !row) break;
        int64_t bit = csm_statement_i64(s, 0);
        if (bit < 0 || bit >= 64) {
            status = csm_fail(CSM_ECORRUPT, "coverage run %lld: reason %lld", (long long)coverage->run,
                              (long long)bit);
            break;
        }
        coverage->pairs_by_reason[bit] = (size_t)csm_statement_i64(s, 1);
        coverage->coins_by_reason[bit] = (size_t)csm_statement_i64(s, 2);
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_discover_last(csm_discovery **out, const csm_store *store, const char *venue) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_discover_last: out is NULL");
    *out = NULL;
    if (store == NULL || venue == NULL)
        return csm_fail(CSM_EINVAL, "csm_discover_last: store or venue is NULL");
    csm_discovery *discovery = NULL;
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_discovery_new(&discovery);
    if (status == CSM_OK)
        status = csm_catalog_prepare(
            &s, store,
            "SELECT run, venue, time, listing_hash, pairs_offered, pairs_processed, "
            "pairs_excluded, coins_offered, coins_processed, coins_excluded FROM coverage_runs "
            "WHERE venue = ?1 ORDER BY time DESC, run DESC LIMIT 1");
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, venue);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && !row) status = csm_fail(CSM_ENOTFOUND, "%s was never discovered", venue);
    if (status == CSM_OK) status = last_row(discovery, s);
    csm_statement_close(s);
    if (status == CSM_OK) status = last_reasons(&discovery->coverage, store);
    if (status == CSM_OK)
        *out = discovery;
    else
        csm_discovery_free(discovery);
    return status;
}
