/* SPDX-License-Identifier: MIT */
/* What the learning loop decided, as rows of the ledger's chain; and rows of the ledger for others to read. */
#include "core/platform.h"
#include "learn/ledger.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[CSM_DECISIONS] = {
    [CSM_DECISION_ALARM] = "alarm",       [CSM_DECISION_CHALLENGER] = "challenger",
    [CSM_DECISION_PROMOTED] = "promoted", [CSM_DECISION_ROLLED_BACK] = "rolled back",
    [CSM_DECISION_RETIRED] = "retired",   [CSM_DECISION_WEIGHTS] = "weights"};

const char *csm_decision_name(uint32_t kind) {
    return kind < CSM_DECISIONS ? names[kind] : "unknown";
}

csm_status csm_ledger_decide(csm_context *context, const csm_store *store, uint32_t kind, csm_time time,
                             csm_time horizon, const char *model, const char *text, bool backfill) {
    csm_ledger_head head = {0};
    csm_statement *insert = NULL;
    char *whole = csm_strformat("model %s\n%s", model, text);
    csm_status status = whole ? csm_learn_head(&head, store) : CSM_ENOMEM;
    if (status == CSM_OK) status = csm_catalog_prepare(&insert, store, CSM_LEDGER_INSERT);
    ledger_row row = {.kind = CSM_LEDGER_DECISION,
                      .batch = head.rows + 1,
                      .written = csm_context_now(context),
                      .decision = time,
                      .horizon = horizon,
                      .backfill = backfill,
                      .probability = NAN,
                      .lower = NAN,
                      .expected = NAN,
                      .low = NAN,
                      .high = NAN,
                      .cost = NAN,
                      .price = NAN,
                      .market = "",
                      .coin = csm_decision_name(kind),
                      .text = whole};
    if (status == CSM_OK) status = csm_ledger_insert(&head, insert, &row);
    csm_statement_close(insert);
    csm_dealloc(whole);
    return status;
}

/* ---- reading decisions ---- */

struct csm_decision_list {
    csm_decision *decision;
    char **text; /* two strings a decision: model, text */
    size_t count;
    size_t capacity;
};

void csm_decision_list_free(csm_decision_list *list) {
    if (!list) return;
    for (size_t i = 0; list->text && i < 2 * list->count; i++) csm_dealloc(list->text[i]);
    csm_dealloc(list->text);
    csm_dealloc(list->decision);
    csm_dealloc(list);
}

size_t csm_decision_list_count(const csm_decision_list *list) {
    return list ? list->count : 0;
}

const csm_decision *csm_decision_list_at(const csm_decision_list *list, size_t index) {
    return list && index < list->count ? &list->decision[index] : NULL;
}

static csm_status grow(csm_decision_list *list) {
    if (list->count < list->capacity) return CSM_OK;
    const size_t capacity = list->capacity ? 2 * list->capacity : 32;
    csm_decision *decision = csm_realloc_array(list->decision, capacity, sizeof *decision);
    if (!decision) return CSM_ENOMEM;
    list->decision = decision;
    char **text = csm_realloc_array(list->text, 2 * capacity, sizeof *text);
    if (!text) return CSM_ENOMEM;
    list->text = text;
    list->capacity = capacity;
    return CSM_OK;
}

/* The text's first line is "model HASH". */
static csm_status take(csm_decision_list *list, csm_statement *s) {
    const char *name = csm_statement_text(s, 5), *text = csm_statement_text(s, 6);
    csm_status status = grow(list);
    if (status != CSM_OK) return status;
    uint32_t kind = 0;
    while (kind < CSM_DECISIONS && (!name || strcmp(names[kind], name) != 0)) kind++;
    text = text ? text : "";
    const char *hash = strncmp(text, "model ", 6) == 0 ? text + 6 : "";
    const size_t length = strcspn(hash, "\n");
    const char *rest = *hash ? hash + length + (hash[length] == '\n') : text;
    char **own = &list->text[2 * list->count];
    own[0] = csm_strndup(hash, length);
    own[1] = csm_strdup(rest);
    list->decision[list->count++] = (csm_decision){.row = csm_statement_i64(s, 0),
                                                   .written = csm_statement_i64(s, 1),
                                                   .time = csm_statement_i64(s, 2),
                                                   .horizon = csm_statement_i64(s, 3),
                                                   .kind = kind,
                                                   .backfill = (uint32_t)csm_statement_i64(s, 4),
                                                   .model = own[0],
                                                   .text = own[1]};
    return own[0] && own[1] ? CSM_OK : CSM_ENOMEM;
}

csm_status csm_learn_decisions(csm_decision_list **out, const csm_store *store, int64_t after) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "decisions: out and store are required");
    *out = NULL;
    csm_statement *s = NULL;
    csm_decision_list *list = csm_alloc_array(1, sizeof *list);
    if (!list) return CSM_ENOMEM;
    csm_status status =
        csm_catalog_prepare(&s, store,
                            "SELECT row, written, decision, horizon, backfill, coin, text FROM ledger "
                            "WHERE kind = 2 AND row > ?1 ORDER BY row");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, after);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        status = take(list, s);
    }
    csm_statement_close(s);
    if (status != CSM_OK) {
        csm_decision_list_free(list);
        return status;
    }
    *out = list;
    return CSM_OK;
}

/* ---- a row's text ---- */

csm_status csm_learn_row_text(char **text, const csm_store *store, int64_t row) {
    if (!text || !store) return csm_fail(CSM_EINVAL, "ledger text: text and store are required");
    *text = NULL;
    csm_statement *s = NULL;
    bool found = false;
    csm_status status = csm_catalog_prepare(&s, store, "SELECT text FROM ledger WHERE row = ?1");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, row);
    if (status == CSM_OK) status = csm_statement_step(s, &found);
    if (status == CSM_OK && !found)
        status = csm_fail(CSM_ENOTFOUND, "ledger: there is no row %lld", (long long)row);
    if (status == CSM_OK) {
        const char *content = csm_statement_text(s, 0);
        *text = csm_strdup(content ? content : "");
        if (!*text) status = CSM_ENOMEM;
    }
    csm_statement_close(s);
    return status;
}

void csm_learn_text_free(char *text) {
    csm_dealloc(text);
}

/* ---- export ---- */

static csm_status add_text(csm_buffer *out, const char *name, const char *text) {
    json_t *value = json_string(text ? text : "");
    char *dumped = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
    const csm_status status = dumped ? csm_buffer_printf(out, ",\"%s\":%s", name, dumped)
                                     : csm_fail(CSM_ENOMEM, "ledger export: no memory for a text");
    free(dumped); /* jansson's */
    json_decref(value);
    return status;
}

static csm_status add_real(csm_buffer *out, const char *name, double value) {
    csm_status status = csm_buffer_printf(out, ",\"%s\":", name);
    if (status != CSM_OK) return status;
    if (isnan(value)) return csm_buffer_append(out, "null", 4);
    if (isinf(value))
        return csm_buffer_printf(out, "%s1e999", value < 0 ? "-" : ""); /* readers overflow to it */
    return csm_buffer_real(out, value);
}

/* All columns in the order in which the hash covers them. */
static csm_status add_row(csm_buffer *out, const ledger_row *r) {
    const struct {
        const char *name;
        int64_t value;
    } integers[] = {{"kind", r->kind},         {"batch", r->batch},       {"written", r->written},
                    {"decision", r->decision}, {"interval", r->interval}, {"horizon", r->horizon},
                    {"epoch", r->epoch},       {"show", r->show},         {"trade", r->trade},
                    {"evidence", r->evidence}, {"backfill", r->backfill}};
    const struct {
        const char *name;
        double value;
    } reals[] = {{"probability", r->probability},
                 {"lower", r->lower},
                 {"expected", r->expected},
                 {"low", r->low},
                 {"high", r->high},
                 {"cost", r->cost},
                 {"price", r->price}};
    csm_status status = csm_buffer_printf(out, "{\"row\":%lld", (long long)r->row);
    for (size_t i = 0; status == CSM_OK && i < sizeof integers / sizeof *integers; i++)
        status = csm_buffer_printf(out, ",\"%s\":%lld", integers[i].name, (long long)integers[i].value);
    for (size_t i = 0; status == CSM_OK && i < sizeof reals / sizeof *reals; i++)
        status = add_real(out, reals[i].name, reals[i].value);
    if (status == CSM_OK) status = add_text(out, "market", r->market);
    if (status == CSM_OK) status = add_text(out, "coin", r->coin);
    if (status == CSM_OK) status = add_text(out, "text", r->text);
    if (status == CSM_OK) status = add_text(out, "previous", r->previous);
    if (status == CSM_OK) status = add_text(out, "hash", r->hash);
    return status == CSM_OK ? csm_buffer_append(out, "}\n", 2) : status;
}

csm_status csm_learn_export(csm_ledger_head *out, csm_context *context, const csm_store *store,
                            const char *path) {
    if (!out || !store || !path)
        return csm_fail(CSM_EINVAL, "ledger export: out, store and path are required");
    csm_buffer text = {0};
    csm_statement *s = NULL;
    csm_ledger_head newest;
    csm_status status = csm_learn_head(&newest, store);
    if (status == CSM_OK)
        status = csm_catalog_prepare(
            &s, store, "SELECT " CSM_LEDGER_COLUMNS " FROM ledger WHERE row <= ?1 ORDER BY row");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, newest.rows);
    for (bool more = true; status == CSM_OK;) {
        ledger_row row;
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        status = csm_ledger_read(&row, s);
        if (status == CSM_OK) status = add_row(&text, &row);
        if (status == CSM_OK && row.row % 4096 == 0)
            status = csm_progress(context, "export ledger", (uint64_t)row.row, (uint64_t)newest.rows);
    }
    csm_statement_close(s);
    if (status == CSM_OK) status = csm_file_write_atomic(path, text.data ? text.data : "", text.length, 0644);
    if (status == CSM_OK) *out = newest;
    csm_buffer_free(&text);
    return status;
}
