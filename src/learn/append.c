/* SPDX-License-Identifier: MIT */
/* One prediction run into the ledger: a header with lineage and counts, then a row a coin and horizon, all or nothing. */
#include "learn/ledger.h"

#include <math.h>
#include <string.h>

#define ROW_FORMAT 2 /* of texts: 1, which headers do not name, had no contributions */

static csm_status check_hash(const char *name, const char *hex) {
    csm_hash hash;
    if (!hex || csm_hash_parse(&hash, hex) != CSM_OK)
        return csm_fail(CSM_EINVAL, "ledger: lineage %s '%s' is not a SHA-256 in hex", name,
                        hex ? hex : "(null)");
    return CSM_OK;
}

/* The header's text: what the run was made from, then what it gave. */
static csm_status lineage_text(csm_buffer *text, const csm_ranking *ranking, const csm_ledger_lineage *l,
                               const csm_forecast *first, int64_t kind) {
    const struct {
        const char *name;
        const char *hex;
    } hashes[] = {
        {"model", l->model}, {"config", l->config}, {"features", l->features}, {"watermark", l->watermark}};
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < sizeof hashes / sizeof hashes[0]; i++) {
        status = check_hash(hashes[i].name, hashes[i].hex);
        if (status == CSM_OK) status = csm_buffer_printf(text, "%s %s\n", hashes[i].name, hashes[i].hex);
    }
    for (size_t h = 0; status == CSM_OK && h < first->horizon_count; h++) {
        char name[32];
        csm_interval_format(first->horizons[h].horizon, name, sizeof name);
        status = check_hash("event", l->event[h]);
        if (status == CSM_OK) status = csm_buffer_printf(text, "event %s %s\n", name, l->event[h]);
    }
    if (status == CSM_OK)
        status = csm_buffer_printf(text, "format %d\npredicted %zu\nshown %zu\n%s", ROW_FORMAT,
                                   csm_ranking_total(ranking), csm_ranking_count(ranking),
                                   kind == CSM_LEDGER_SHADOW ? "in shadow\n" : "");
    return status;
}

static csm_status refuse_repeat(const csm_store *store, csm_time decision, const char *text) {
    csm_statement *s = NULL;
    bool found = false;
    csm_status status = csm_catalog_prepare(
        &s, store, "SELECT row FROM ledger WHERE kind = 0 AND decision = ?1 AND text = ?2");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, decision);
    if (status == CSM_OK) status = csm_statement_bind_text(s, 2, text);
    if (status == CSM_OK) status = csm_statement_step(s, &found);
    if (status == CSM_OK && found)
        status = csm_fail(CSM_EEXIST, "ledger: this decision of this model and data stands at row %lld",
                          (long long)csm_statement_i64(s, 0));
    csm_statement_close(s);
    return status;
}

/* What each member said, a line each: "member trees score S weight W return R weight V", numbers that read back exactly. */
static csm_status member_text(csm_buffer *text, const csm_horizon_forecast *at) {
    text->length = 0;
    csm_status status = csm_buffer_append(text, "", 0);
    for (size_t m = 0; status == CSM_OK && m < at->member_count; m++) {
        const csm_member_forecast *member = &at->members[m];
        const struct {
            const char *name;
            double value;
        } numbers[] = {{"score", member->score},
                       {"weight", member->score_weight},
                       {"return", member->expected_return},
                       {"weight", member->return_weight}};
        status = csm_buffer_printf(text, "member %.*s", CSM_MEMBER_NAME, member->name);
        for (size_t i = 0; status == CSM_OK && i < sizeof numbers / sizeof numbers[0]; i++) {
            status = csm_buffer_printf(text, " %s ", numbers[i].name);
            if (status == CSM_OK) status = csm_buffer_real(text, numbers[i].value);
        }
        if (status == CSM_OK) status = csm_buffer_append(text, "\n", 1);
    }
    return status;
}

/* The greatest contributions, a line each: "shap trees rsi_14 value V contribution C". */
static csm_status contribution_text(csm_buffer *text, const csm_horizon_forecast *at) {
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && i < at->contribution_count && i < CSM_CONTRIBUTIONS_MAX; i++) {
        const csm_contribution *c = &at->contributions[i];
        status = csm_buffer_printf(text, "shap %.*s %.*s value ", CSM_MEMBER_NAME, at->explained,
                                   (int)sizeof c->feature, c->feature);
        if (status == CSM_OK) status = csm_buffer_real(text, c->value);
        if (status == CSM_OK) status = csm_buffer_append(text, " contribution ", 14);
        if (status == CSM_OK) status = csm_buffer_real(text, c->contribution);
        if (status == CSM_OK) status = csm_buffer_append(text, "\n", 1);
    }
    return status;
}

static ledger_row forecast_row(const csm_forecast *f, size_t h, const ledger_row *header, int64_t kind,
                               const char *text) {
    const csm_horizon_forecast *at = &f->horizons[h];
    return (ledger_row){.kind = kind,
                        .batch = header->batch,
                        .written = header->written,
                        .decision = f->time,
                        .interval = header->interval,
                        .horizon = at->horizon,
                        .epoch = f->epoch,
                        .show = (int64_t)f->show,
                        .trade = (int64_t)f->trade,
                        .evidence = at->evidence,
                        .backfill = header->backfill,
                        .probability = at->probability,
                        .lower = at->lower,
                        .expected = at->expected_return,
                        .low = at->low,
                        .high = at->high,
                        .cost = at->cost,
                        .price = f->price,
                        .market = f->market,
                        .coin = f->coin,
                        .text = text};
}

static csm_status insert_all(csm_ledger_head *head, csm_statement *insert, const csm_ranking *ranking,
                             ledger_row *header, int64_t kind) {
    csm_buffer text = {0};
    csm_status status = csm_ledger_insert(head, insert, header);
    for (size_t i = 0; status == CSM_OK && i < csm_ranking_total(ranking); i++) {
        const csm_forecast *f = csm_ranking_all_at(ranking, i);
        for (size_t h = 0; status == CSM_OK && h < f->horizon_count; h++) {
            if ((status = member_text(&text, &f->horizons[h]))) break;
            if ((status = contribution_text(&text, &f->horizons[h]))) break;
            ledger_row row = forecast_row(f, h, header, kind, text.data);
            status = csm_ledger_insert(head, insert, &row);
        }
    }
    csm_buffer_free(&text);
    return status;
}

/* Law 5: the shortest horizon's outcome must lie ahead of the writing. */
static csm_status check_times(const csm_ranking *ranking, const ledger_row *header) {
    for (size_t i = 0; i < csm_ranking_total(ranking); i++) {
        const csm_forecast *f = csm_ranking_all_at(ranking, i);
        if (f->time != header->decision)
            return csm_fail(CSM_EINVAL, "ledger: %s was decided at another time than the batch", f->market);
        if (f->time > header->written)
            return csm_fail(CSM_EINVAL, "ledger: the decision for %s lies after the clock", f->market);
        for (size_t h = 0; h < f->horizon_count && !header->backfill; h++) {
            if (f->time + f->horizons[h].horizon <= header->written)
                return csm_fail(CSM_EINVAL,
                                "ledger: an outcome of %s could be known already; a replayed decision "
                                "must be marked as backfill",
                                f->market);
        }
    }
    return CSM_OK;
}

csm_status csm_ledger_append(csm_ledger_head *head, csm_context *context, csm_store *store,
                             const csm_ranking *ranking, const csm_ledger_lineage *lineage, bool backfill,
                             int64_t kind) {
    if (!head || !context || !store || !ranking || !lineage)
        return csm_fail(CSM_EINVAL, "ledger: head, context, store, ranking and lineage are required");
    if (csm_ranking_total(ranking) == 0) return csm_fail(CSM_EINVAL, "ledger: a batch without a coin");
    const csm_forecast *first = csm_ranking_all_at(ranking, 0);
    csm_buffer text = {0};
    ledger_row header = {.kind = CSM_LEDGER_BATCH,
                         .written = csm_context_now(context),
                         .decision = first->time,
                         .interval = lineage->interval,
                         .backfill = backfill,
                         .probability = NAN,
                         .lower = NAN,
                         .expected = NAN,
                         .low = NAN,
                         .high = NAN,
                         .cost = NAN,
                         .price = NAN,
                         .market = "",
                         .coin = ""};
    csm_status status = check_times(ranking, &header);
    if (status == CSM_OK) status = lineage_text(&text, ranking, lineage, first, kind);
    header.text = text.data;
    if (status == CSM_OK) status = csm_catalog_begin(store);
    if (status != CSM_OK) {
        csm_buffer_free(&text);
        return status;
    }
    csm_statement *insert = NULL;
    status = refuse_repeat(store, header.decision, header.text);
    if (status == CSM_OK) status = csm_learn_head(head, store);
    if (status == CSM_OK) status = csm_catalog_prepare(&insert, store, CSM_LEDGER_INSERT);
    if (status == CSM_OK) status = insert_all(head, insert, ranking, &header, kind);
    csm_statement_close(insert);
    if (status == CSM_OK) status = csm_catalog_commit(store);
    if (status != CSM_OK) csm_catalog_rollback(store);
    csm_buffer_free(&text);
    return status;
}

csm_status csm_learn_append(csm_ledger_head *head, csm_context *context, csm_store *store,
                            const csm_ranking *ranking, const csm_ledger_lineage *lineage, int backfill) {
    return csm_ledger_append(head, context, store, ranking, lineage, backfill != 0, CSM_LEDGER_FORECAST);
}
