/* SPDX-License-Identifier: MIT */
#include "discover/registry.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                                              \
    "venue, symbol, epoch, coin, quote, native, altname, status, excluded, listed, delisted, canonical, "    \
    "quote_rank, price_decimals, lot_decimals, order_minimum, cost_minimum, tick_size, taker, maker, note"

/* ---- terms as text ---- */

/* JSON, because printf and strtod write what the host's locale says. */
const char *csm_tiers_format(csm_text_pool *pool, uint32_t tiers, const double *volumes,
                             const double *percents) {
    const char *copy = NULL;
    json_t *list = json_array();
    for (uint32_t i = 0; i < tiers; i++)
        json_array_append_new(list, json_pack("[f,f]", volumes[i], percents[i]));
    char *text = json_array_size(list) == tiers ? json_dumps(list, JSON_COMPACT) : NULL;
    if (text != NULL)
        copy = csm_text_pool_add(pool, text, strlen(text));
    else
        csm_fail(CSM_ENOMEM, "registry: no memory for %u fee tiers", tiers);
    free(text);
    json_decref(list);
    return copy;
}

static csm_status tiers_parse(uint32_t *tiers, double *volumes, double *percents, const char *text) {
    json_error_t fault;
    json_t *list = json_loads(text == NULL ? "" : text, JSON_REJECT_DUPLICATES, &fault);
    size_t count = json_array_size(list);
    bool good = json_is_array(list) && count <= CSM_FEE_TIERS_MAX;
    for (size_t i = 0; good && i < count; i++) {
        json_t *volume = json_array_get(json_array_get(list, i), 0);
        json_t *percent = json_array_get(json_array_get(list, i), 1);
        good = json_is_number(volume) && json_is_number(percent);
        volumes[i] = json_number_value(volume);
        percents[i] = json_number_value(percent);
    }
    json_decref(list);
    *tiers = good ? (uint32_t)count : 0;
    return good ? CSM_OK : csm_fail(CSM_ECORRUPT, "registry: fee tiers \"%.60s\"", text == NULL ? "" : text);
}

static csm_status bind_decimal(csm_statement *s, int index, csm_decimal value) {
    char text[64];
    if (value.ticks == CSM_CELL_MISSING) return csm_statement_bind_text(s, index, NULL);
    return csm_statement_bind_text(s, index, csm_decimal_format(value, text, sizeof text));
}

static csm_status column_decimal(csm_decimal *out, csm_statement *s, int column) {
    const char *text = csm_statement_text(s, column);
    *out = (csm_decimal){.ticks = CSM_CELL_MISSING};
    return text == NULL ? CSM_OK : csm_decimal_parse(out, text, strlen(text));
}

/* ---- rows in ---- */

static csm_status bind_names(csm_statement *s, const csm_market *m) {
    csm_status status = csm_statement_bind_text(s, 1, m->venue);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, m->symbol);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, m->epoch);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 4, m->coin);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 5, m->quote);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 6, m->native);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 7, m->altname);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 8, m->status);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 9, (int64_t)m->excluded);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 10, m->listed);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 11, m->delisted);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 12, m->canonical);
    return status;
}

static csm_status bind_terms(csm_statement *s, const csm_registry_row *row, csm_text_pool *pool) {
    const csm_market *m = &row->market;
    const char *taker = csm_tiers_format(pool, m->taker_tiers, m->taker_volume, m->taker_percent);
    const char *maker = csm_tiers_format(pool, m->maker_tiers, m->maker_volume, m->maker_percent);
    if (taker == NULL || maker == NULL) return CSM_ENOMEM;
    csm_status status = csm_statement_bind_i64(s, 13, row->quote_rank);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 14, m->price_decimals);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 15, m->lot_decimals);
    if (status == CSM_OK) status = bind_decimal(s, 16, m->order_minimum);
    if (status == CSM_OK) status = bind_decimal(s, 17, m->cost_minimum);
    if (status == CSM_OK) status = bind_decimal(s, 18, m->tick_size);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 19, taker);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 20, maker);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 21, row->note);
    return status;
}

csm_status csm_registry_begin_version(csm_store *store, const csm_registry_row *row, csm_time from,
                                      int64_t run) {
    csm_statement *s = NULL;
    csm_text_pool pool = {0};
    bool more = false;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "INSERT INTO registry (" COLUMNS ", valid_from, valid_to, run) VALUES "
        "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24)");
    if (status == CSM_OK) status = bind_names(s, &row->market);
    if (status == CSM_OK) status = bind_terms(s, row, &pool);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 22, from);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 23, CSM_TIME_MAX);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 24, run);
    if (status == CSM_OK) status = csm_statement_step(s, &more);
    csm_statement_close(s);
    csm_text_pool_free(&pool);
    return status;
}

static csm_status version_run(csm_store *store, const csm_market *market, csm_time time, const char *sql) {
    csm_statement *s = NULL;
    bool more = false;
    csm_status status = csm_catalog_prepare(&s, store, sql);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 1, market->venue);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, market->symbol);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, market->epoch);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 4, time);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 5, CSM_TIME_MAX);
    if (status == CSM_OK) status = csm_statement_step(s, &more);
    csm_statement_close(s);
    return status;
}

csm_status csm_registry_end_version(csm_store *store, const csm_market *market, csm_time time) {
    csm_status status = version_run(store, market, time,
                                    "DELETE FROM registry WHERE venue = ?1 AND symbol = ?2 AND epoch = ?3 "
                                    "AND valid_from = ?4 AND valid_to = ?5");
    if (status != CSM_OK) return status;
    return version_run(store, market, time,
                       "UPDATE registry SET valid_to = ?4 WHERE venue = ?1 AND symbol = ?2 AND epoch = ?3 "
                       "AND valid_to = ?5");
}

/* ---- rows out ---- */

static csm_status list_grow(csm_market_list *list) {
    size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
    csm_market *markets = csm_realloc_array(list->markets, capacity, sizeof(csm_market));
    if (markets == NULL) return CSM_ENOMEM;
    list->markets = markets;
    int32_t *ranks = csm_realloc_array(list->ranks, capacity, sizeof(int32_t));
    if (ranks == NULL) return CSM_ENOMEM;
    list->ranks = ranks;
    list->capacity = capacity;
    return CSM_OK;
}

static const char *column_text(csm_text_pool *pool, csm_statement *s, int column) {
    const char *text = csm_statement_text(s, column);
    return text == NULL ? csm_text_pool_add(pool, "", 0) : csm_text_pool_add(pool, text, strlen(text));
}

static csm_status row_names(csm_market *m, csm_text_pool *pool, csm_statement *s) {
    m->venue = column_text(pool, s, 0);
    m->symbol = column_text(pool, s, 1);
    m->coin = column_text(pool, s, 3);
    m->quote = column_text(pool, s, 4);
    m->native = column_text(pool, s, 5);
    m->altname = column_text(pool, s, 6);
    m->status = column_text(pool, s, 7);
    if (!m->venue || !m->symbol || !m->coin || !m->quote || !m->native || !m->altname || !m->status)
        return CSM_ENOMEM;
    m->id = csm_text_pool_format(pool, "%s:%s", m->venue, m->symbol);
    return m->id == NULL ? CSM_ENOMEM : CSM_OK;
}

static csm_status row_read(csm_market_list *list, csm_statement *s) {
    if (list->count == list->capacity && list_grow(list) != CSM_OK) return CSM_ENOMEM;
    csm_market *m = &list->markets[list->count];
    memset(m, 0, sizeof *m);
    csm_status status = row_names(m, &list->texts, s);
    if (status != CSM_OK) return status;
    m->epoch = (int32_t)csm_statement_i64(s, 2);
    m->excluded = (csm_reason)csm_statement_i64(s, 8);
    m->listed = csm_statement_i64(s, 9);
    m->delisted = csm_statement_i64(s, 10);
    m->canonical = (int32_t)csm_statement_i64(s, 11);
    list->ranks[list->count] = (int32_t)csm_statement_i64(s, 12);
    m->price_decimals = (int32_t)csm_statement_i64(s, 13);
    m->lot_decimals = (int32_t)csm_statement_i64(s, 14);
    status = column_decimal(&m->order_minimum, s, 15);
    if (status == CSM_OK) status = column_decimal(&m->cost_minimum, s, 16);
    if (status == CSM_OK) status = column_decimal(&m->tick_size, s, 17);
    if (status == CSM_OK)
        status = tiers_parse(&m->taker_tiers, m->taker_volume, m->taker_percent, csm_statement_text(s, 18));
    if (status == CSM_OK)
        status = tiers_parse(&m->maker_tiers, m->maker_volume, m->maker_percent, csm_statement_text(s, 19));
    if (status == CSM_OK) list->count++;
    return status;
}

csm_status csm_registry_load(csm_market_list **out, const csm_store *store, const char *venue,
                             csm_time as_of) {
    csm_statement *s = NULL;
    bool row = false;
    *out = NULL;
    csm_market_list *list = csm_alloc_array(1, sizeof(csm_market_list));
    if (list == NULL) return CSM_ENOMEM;
    csm_status status = csm_catalog_prepare(&s, store,
                                            "SELECT " COLUMNS " FROM registry WHERE valid_from <= ?1 AND "
                                            "(valid_to > ?1 OR valid_to = ?2) AND (?3 IS NULL OR venue = ?3) "
                                            "ORDER BY venue, symbol, epoch");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, as_of);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, CSM_TIME_MAX);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 3, venue);
    while (status == CSM_OK) {
        status = csm_statement_step(s, &row);
        if (status != CSM_OK || !row) break;
        status = row_read(list, s);
    }
    csm_statement_close(s);
    if (status == CSM_OK)
        *out = list;
    else
        csm_market_list_free(list);
    return status;
}

void csm_market_list_free(csm_market_list *list) {
    if (list == NULL) return;
    csm_text_pool_free(&list->texts);
    csm_dealloc(list->markets);
    csm_dealloc(list->ranks);
    csm_dealloc(list);
}

size_t csm_market_list_count(const csm_market_list *list) {
    return list == NULL ? 0 : list->count;
}

const csm_market *csm_market_list_at(const csm_market_list *list, size_t index) {
    return list == NULL || index >= list->count ? NULL : &list->markets[index];
}
