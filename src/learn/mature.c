/* SPDX-License-Identifier: MIT */
/* Outcomes of ledger rows whose time has come, computed by the same function that labels training data (law 7). */
#include "learn/ledger.h"

#include <cryptosmart/fuse.h>
#include <string.h>

/* Bars may arrive late: an outcome is not called unknown before this much time has passed after its maturity. */
#define ARRIVAL_GRACE (14 * CSM_DAY)
#define ROWS_AT_ONCE 4096

typedef struct due {
    int64_t row;
    csm_time decision;
    csm_time interval;
    csm_time horizon;
    double cost;
    const csm_market *market; /* NULL: not registered any more */
    char hash[CSM_HASH_TEXT];
} due;

static const csm_market *find_market(const csm_market *const *markets, size_t n, const char *id,
                                     int64_t epoch) {
    for (size_t i = 0; i < n; i++) {
        if (markets[i]->epoch == epoch && strcmp(markets[i]->id, id) == 0) return markets[i];
    }
    return NULL;
}

static csm_status read_due(due *out, size_t *count, const csm_store *store, const csm_market *const *markets,
                           size_t market_count, csm_time as_of, int64_t after) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT l.row, l.decision, l.interval, l.horizon, l.cost, l.market, l.epoch, l.hash FROM ledger l "
        "LEFT JOIN outcomes o ON o.row = l.row WHERE o.row IS NULL AND l.kind IN (1, 3) AND l.row > ?1 "
        "AND l.probability IS NOT NULL AND l.decision + l.horizon <= ?2 ORDER BY l.row LIMIT ?3");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, after);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 2, as_of);
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 3, ROWS_AT_ONCE);
    *count = 0;
    for (bool more = true; status == CSM_OK && *count < ROWS_AT_ONCE;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        due *d = &out[(*count)++];
        *d = (due){.row = csm_statement_i64(s, 0),
                   .decision = csm_statement_i64(s, 1),
                   .interval = csm_statement_i64(s, 2),
                   .horizon = csm_statement_i64(s, 3),
                   .cost = csm_statement_f64(s, 4)};
        const char *id = csm_statement_text(s, 5), *hash = csm_statement_text(s, 7);
        d->market = find_market(markets, market_count, id ? id : "", csm_statement_i64(s, 6));
        memcpy(d->hash, hash && strlen(hash) == CSM_HASH_TEXT - 1 ? hash : "", hash ? CSM_HASH_TEXT : 1);
    }
    csm_statement_close(s);
    return status;
}

/* Whether bars reach the maturity, so that a missing price is a gap and not merely late. */
static csm_status covered(bool *out, const csm_store *store, const due *d) {
    csm_stream_list *streams = NULL;
    csm_status status = csm_store_streams(&streams, store, "bars", d->market->venue);
    *out = false;
    if (status != CSM_OK) return status;
    for (size_t i = 0; i < csm_stream_list_count(streams); i++) {
        const csm_stream_info *info = csm_stream_list_at(streams, i);
        if (info->stream.interval == d->interval && info->stream.epoch == d->market->epoch &&
            strcmp(info->stream.symbol, d->market->symbol) == 0)
            *out = info->last + info->stream.interval >= d->decision + d->horizon;
    }
    csm_stream_list_free(streams);
    return CSM_OK;
}

static csm_status insert_outcome(csm_statement *insert, const due *d, const csm_target *t, csm_time scored) {
    const int64_t integers[] = {d->row, scored, t->state, t->rises, t->entry_time, t->exit_time};
    const double reals[] = {t->log_return, t->entry, t->exit};
    csm_status status = CSM_OK;
    int index = 1;
    for (size_t i = 0; status == CSM_OK && i < 6; i++)
        status = csm_statement_bind_i64(insert, index++, integers[i]);
    for (size_t i = 0; status == CSM_OK && i < 3; i++)
        status = csm_statement_bind_f64(insert, index++, reals[i]);
    if (status == CSM_OK) status = csm_statement_bind_text(insert, index, d->hash);
    bool more = false;
    if (status == CSM_OK) status = csm_statement_step(insert, &more);
    return status;
}

static csm_status mature_one(csm_maturing *out, csm_context *context, const csm_store *store,
                             csm_statement *insert, const due *d, csm_time as_of) {
    csm_target target = {.state = CSM_TARGET_UNKNOWN};
    bool whole = true;
    csm_status status = CSM_OK;
    if (d->market && d->market->delisted > d->decision + d->horizon) status = covered(&whole, store, d);
    if (status == CSM_OK && !whole && as_of < d->decision + d->horizon + ARRIVAL_GRACE) {
        out->pending++;
        return CSM_OK;
    }
    if (status == CSM_OK && d->market)
        status = csm_fuse_outcome(&target, context, store, d->market, d->decision, d->interval, d->horizon,
                                  as_of, d->cost);
    if (status != CSM_OK) return status;
    if (target.state == CSM_TARGET_PENDING) {
        out->pending++;
        return CSM_OK;
    }
    out->matured++;
    out->unknown += target.state != CSM_TARGET_KNOWN;
    return insert_outcome(insert, d, &target, as_of);
}

static csm_status mature_some(csm_maturing *out, csm_context *context, csm_store *store, const due *rows,
                              size_t n, csm_time as_of) {
    csm_statement *insert = NULL;
    csm_status status = csm_catalog_begin(store);
    if (status != CSM_OK) return status;
    status = csm_catalog_prepare(
        &insert, store,
        "INSERT INTO outcomes (row, scored, state, rises, entry_time, exit_time, log_return, "
        "entry, exit, prediction) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)");
    for (size_t i = 0; status == CSM_OK && i < n; i++) {
        status = csm_progress(context, "mature", i, n);
        if (status == CSM_OK) status = mature_one(out, context, store, insert, &rows[i], as_of);
    }
    csm_statement_close(insert);
    if (status == CSM_OK) status = csm_catalog_commit(store);
    if (status != CSM_OK) csm_catalog_rollback(store);
    return status;
}

static csm_status count_waiting(size_t *out, const csm_store *store, csm_time as_of) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status =
        csm_catalog_prepare(&s, store,
                            "SELECT count(*) FROM ledger WHERE kind IN (1, 3) AND probability IS "
                            "NOT NULL AND decision + horizon > ?1");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, as_of);
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) *out += (size_t)csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}

csm_status csm_learn_mature(csm_maturing *out, csm_context *context, csm_store *store,
                            const csm_market *const *markets, size_t market_count, csm_time as_of) {
    if (!out || !context || !store || (!markets && market_count > 0))
        return csm_fail(CSM_EINVAL, "mature: out, context, store and markets are required");
    *out = (csm_maturing){0};
    due *rows = csm_alloc_array(ROWS_AT_ONCE, sizeof *rows);
    if (!rows) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    int64_t after = 0;
    for (size_t n = ROWS_AT_ONCE; status == CSM_OK && n == ROWS_AT_ONCE;) {
        if ((status = csm_store_enter(store))) break; /* what is due may be another process's next row, too */
        status = read_due(rows, &n, store, markets, market_count, as_of, after);
        if (status == CSM_OK && n > 0) status = mature_some(out, context, store, rows, n, as_of);
        after = n > 0 ? rows[n - 1].row : after;
        csm_store_leave(store);
    }
    if (status == CSM_OK) status = count_waiting(&out->pending, store, as_of);
    csm_dealloc(rows);
    return status;
}
