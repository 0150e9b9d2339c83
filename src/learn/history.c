/* SPDX-License-Identifier: MIT */
/* Reading the ledger back: entries with outcomes, scores of what was live, the live clock. */
#include "learn/ledger.h"

#include <cryptosmart/fuse.h>
#include <math.h>
#include <string.h>

struct csm_ledger_history {
    csm_ledger_entry *entry;
    char **text; /* two strings an entry: market, coin */
    size_t count;
    size_t capacity;
};

void csm_ledger_history_free(csm_ledger_history *history) {
    if (!history) return;
    for (size_t i = 0; history->text && i < 2 * history->count; i++) csm_dealloc(history->text[i]);
    csm_dealloc(history->text);
    csm_dealloc(history->entry);
    csm_dealloc(history);
}

size_t csm_ledger_history_count(const csm_ledger_history *history) {
    return history ? history->count : 0;
}

const csm_ledger_entry *csm_ledger_history_at(const csm_ledger_history *history, size_t index) {
    return history && index < history->count ? &history->entry[index] : NULL;
}

static csm_status grow(csm_ledger_history *h) {
    if (h->count < h->capacity) return CSM_OK;
    size_t capacity = h->capacity ? 2 * h->capacity : 256;
    csm_ledger_entry *entry = csm_realloc_array(h->entry, capacity, sizeof *entry);
    if (!entry) return CSM_ENOMEM;
    h->entry = entry;
    char **text = csm_realloc_array(h->text, 2 * capacity, sizeof *text);
    if (!text) return CSM_ENOMEM;
    h->text = text;
    h->capacity = capacity;
    return CSM_OK;
}

static csm_status take_entry(csm_ledger_history *h, csm_statement *s) {
    csm_status status = grow(h);
    if (status != CSM_OK) return status;
    const char *market = csm_statement_text(s, 1), *coin = csm_statement_text(s, 2);
    char **text = &h->text[2 * h->count];
    text[0] = csm_strdup(market ? market : "");
    text[1] = csm_strdup(coin ? coin : "");
    csm_ledger_entry *e = &h->entry[h->count++];
    *e = (csm_ledger_entry){.row = csm_statement_i64(s, 0),
                            .market = text[0],
                            .coin = text[1],
                            .written = csm_statement_i64(s, 3),
                            .decision = csm_statement_i64(s, 4),
                            .horizon = csm_statement_i64(s, 5),
                            .probability = csm_statement_f64(s, 6),
                            .lower = csm_statement_f64(s, 7),
                            .expected_return = csm_statement_f64(s, 8),
                            .low = csm_statement_f64(s, 9),
                            .high = csm_statement_f64(s, 10),
                            .cost = csm_statement_f64(s, 11),
                            .show = (csm_reason)csm_statement_i64(s, 12),
                            .trade = (csm_reason)csm_statement_i64(s, 13),
                            .evidence = (uint32_t)csm_statement_i64(s, 14),
                            .backfill = (uint32_t)csm_statement_i64(s, 15),
                            .epoch = (int32_t)csm_statement_i64(s, 16),
                            .state = (uint32_t)csm_statement_i64(s, 17),
                            .rises = (uint32_t)csm_statement_i64(s, 18),
                            .log_return = csm_statement_f64(s, 19),
                            .verdict = (int32_t)csm_statement_i64(s, 20)};
    return text[0] && text[1] ? CSM_OK : CSM_ENOMEM;
}

csm_status csm_learn_history(csm_ledger_history **out, const csm_store *store, csm_time horizon,
                             csm_time from, csm_time to, int shown_only) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "ledger history: out and store are required");
    csm_ledger_history *history = csm_alloc_array(1, sizeof *history);
    if (!history) return CSM_ENOMEM;
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT l.row, l.market, l.coin, l.written, l.decision, l.horizon, l.probability, l.lower, "
        "l.expected, l.low, "
        "l.high, l.cost, l.show, l.trade, l.evidence, l.backfill, l.epoch, coalesce(o.state, 2), "
        "coalesce(o.rises, 0), "
        "o.log_return, coalesce((SELECT sign(sum(f.verdict)) FROM feedback f WHERE f.row = l.row AND f.id = "
        "(SELECT max(g.id) FROM feedback g WHERE g.row = f.row AND g.who = f.who)), 0) "
        "FROM ledger l LEFT JOIN outcomes o ON o.row = l.row WHERE l.kind = 1 AND l.decision >= "
        "?1 AND "
        "l.decision < ?2 AND (?3 = 0 OR l.horizon = ?3) AND (?4 = 0 OR l.show = 0) ORDER BY l.row");
    const int64_t bound[] = {from, to, horizon, shown_only != 0};
    for (int i = 0; status == CSM_OK && i < 4; i++) status = csm_statement_bind_i64(s, i + 1, bound[i]);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        status = take_entry(history, s);
    }
    csm_statement_close(s);
    if (status != CSM_OK) {
        csm_ledger_history_free(history);
        return status;
    }
    *out = history;
    return CSM_OK;
}
