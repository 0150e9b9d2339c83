/* SPDX-License-Identifier: MIT */
#include "learn/ledger.h"

#include <stdio.h>
#include <string.h>

#define ZERO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* ---- canonical bytes ---- */

static void hash_i64(csm_hasher *hasher, int64_t value) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    csm_hasher_update(hasher, bytes, sizeof bytes);
}

/* All NaNs are one value: SQLite keeps them as NULL. */
static void hash_f64(csm_hasher *hasher, double value) {
    int64_t bits = INT64_MIN;
    if (value == value) memcpy(&bits, &value, sizeof bits);
    hash_i64(hasher, bits);
}

static void hash_text(csm_hasher *hasher, const char *text) {
    csm_hasher_update(hasher, text ? text : "", (text ? strlen(text) : 0) + 1);
}

void csm_ledger_hash(char *hex, const ledger_row *row) {
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    hash_text(&hasher, row->previous);
    const int64_t integers[] = {row->row,      row->kind,     row->batch,    row->written,
                                row->decision, row->interval, row->horizon,  row->epoch,
                                row->show,     row->trade,    row->evidence, row->backfill};
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) hash_i64(&hasher, integers[i]);
    const double reals[] = {row->probability, row->lower, row->expected, row->low,
                            row->high,        row->cost,  row->price};
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) hash_f64(&hasher, reals[i]);
    hash_text(&hasher, row->market);
    hash_text(&hasher, row->coin);
    hash_text(&hasher, row->text);
    csm_hash hash = csm_hasher_final(&hasher);
    csm_hash_format(&hash, hex);
}

/* ---- reading and writing rows ---- */

static csm_status copy_hash(char *out, const char *text, const char *column, int64_t row) {
    if (!text || strlen(text) != CSM_HASH_TEXT - 1)
        return csm_fail(CSM_ECORRUPT, "ledger row %lld: column %s is not a hash", (long long)row, column);
    memcpy(out, text, CSM_HASH_TEXT);
    return CSM_OK;
}

csm_status csm_ledger_read(ledger_row *out, csm_statement *s) {
    int64_t *const integers[] = {&out->row,      &out->kind,     &out->batch,    &out->written,
                                 &out->decision, &out->interval, &out->horizon,  &out->epoch,
                                 &out->show,     &out->trade,    &out->evidence, &out->backfill};
    double *const reals[] = {&out->probability, &out->lower, &out->expected, &out->low,
                             &out->high,        &out->cost,  &out->price};
    int column = 0;
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
        *integers[i] = csm_statement_i64(s, column++);
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) *reals[i] = csm_statement_f64(s, column++);
    out->market = csm_statement_text(s, column++);
    out->coin = csm_statement_text(s, column++);
    out->text = csm_statement_text(s, column++);
    csm_status status = copy_hash(out->previous, csm_statement_text(s, column++), "previous", out->row);
    if (status == CSM_OK) status = copy_hash(out->hash, csm_statement_text(s, column++), "hash", out->row);
    return status;
}

static csm_status bind_row(csm_statement *s, const ledger_row *row) {
    const int64_t integers[] = {row->row,      row->kind,     row->batch,    row->written,
                                row->decision, row->interval, row->horizon,  row->epoch,
                                row->show,     row->trade,    row->evidence, row->backfill};
    const double reals[] = {row->probability, row->lower, row->expected, row->low,
                            row->high,        row->cost,  row->price};
    const char *const texts[] = {row->market ? row->market : "", row->coin ? row->coin : "",
                                 row->text ? row->text : "", row->previous, row->hash};
    csm_status status = CSM_OK;
    int index = 1;
    for (size_t i = 0; status == CSM_OK && i < sizeof integers / sizeof integers[0]; i++)
        status = csm_statement_bind_i64(s, index++, integers[i]);
    for (size_t i = 0; status == CSM_OK && i < sizeof reals / sizeof reals[0]; i++)
        status = csm_statement_bind_f64(s, index++, reals[i]);
    for (size_t i = 0; status == CSM_OK && i < sizeof texts / sizeof texts[0]; i++)
        status = csm_statement_bind_text(s, index++, texts[i]);
    return status;
}

csm_status csm_ledger_insert(csm_ledger_head *head, csm_statement *insert, ledger_row *row) {
    row->row = head->rows + 1;
    if (row->kind == CSM_LEDGER_BATCH) row->batch = row->row;
    memcpy(row->previous, head->hash, CSM_HASH_TEXT);
    csm_ledger_hash(row->hash, row);
    csm_status status = bind_row(insert, row);
    bool more = false;
    if (status == CSM_OK) status = csm_statement_step(insert, &more);
    if (status != CSM_OK) return status;
    head->rows = row->row;
    memcpy(head->hash, row->hash, CSM_HASH_TEXT);
    return CSM_OK;
}

/* ---- head and chain ---- */

csm_status csm_learn_head(csm_ledger_head *out, const csm_store *store) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "ledger head: out and store are required");
    *out = (csm_ledger_head){.hash = ZERO_HASH};
    csm_statement *s = NULL;
    csm_status status =
        csm_catalog_prepare(&s, store, "SELECT row, hash FROM ledger ORDER BY row DESC LIMIT 1");
    bool row = false;
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row) {
        out->rows = csm_statement_i64(s, 0);
        status = copy_hash(out->hash, csm_statement_text(s, 1), "hash", out->rows);
    }
    csm_statement_close(s);
    return status;
}

/* One link: row numbers without holes, previous = the hash before, hash = what the content gives. */
static csm_status check_row(csm_ledger_head *head, const ledger_row *row) {
    char hash[CSM_HASH_TEXT];
    if (row->row != head->rows + 1)
        return csm_fail(CSM_ECORRUPT, "ledger: row %lld follows row %lld", (long long)row->row,
                        (long long)head->rows);
    if (strcmp(row->previous, head->hash) != 0)
        return csm_fail(CSM_ECORRUPT, "ledger row %lld: does not link to the row before",
                        (long long)row->row);
    csm_ledger_hash(hash, row);
    if (strcmp(row->hash, hash) != 0)
        return csm_fail(CSM_ECORRUPT, "ledger row %lld: content does not match its hash",
                        (long long)row->row);
    head->rows = row->row;
    memcpy(head->hash, row->hash, CSM_HASH_TEXT);
    return CSM_OK;
}

static csm_status check_chain(csm_ledger_head *head, csm_context *context, const csm_store *store,
                              int64_t total) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store, "SELECT " CSM_LEDGER_COLUMNS " FROM ledger WHERE row > ?1 ORDER BY row");
    if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, head->rows);
    for (bool more = true; status == CSM_OK;) {
        status = csm_statement_step(s, &more);
        if (status != CSM_OK || !more) break;
        ledger_row row;
        status = csm_ledger_read(&row, s);
        if (status == CSM_OK) status = check_row(head, &row);
        if (status == CSM_OK && row.row % 4096 == 0)
            status = csm_progress(context, "verify ledger", (uint64_t)row.row, (uint64_t)total);
    }
    csm_statement_close(s);
    return status;
}

/* The outcome rows' own hashes, each bound to the hash of the prediction it belongs to. */
static csm_status check_outcomes(const csm_store *store) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT count(*) FROM outcomes o LEFT JOIN ledger l ON l.row = o.row AND l.hash = o.prediction "
        "WHERE l.row IS NULL");
    bool row = false;
    if (status == CSM_OK) status = csm_statement_step(s, &row);
    if (status == CSM_OK && row && csm_statement_i64(s, 0) != 0)
        status = csm_fail(CSM_ECORRUPT, "ledger: %lld outcomes belong to no prediction",
                          (long long)csm_statement_i64(s, 0));
    csm_statement_close(s);
    return status;
}

csm_status csm_learn_verify(csm_ledger_head *out, csm_context *context, const csm_store *store) {
    if (!out || !store) return csm_fail(CSM_EINVAL, "ledger verify: out and store are required");
    csm_ledger_head newest;
    *out = (csm_ledger_head){.hash = ZERO_HASH};
    csm_status status = csm_learn_head(&newest, store);
    if (status == CSM_OK) status = check_chain(out, context, store, newest.rows);
    if (status == CSM_OK) status = check_outcomes(store);
    return status;
}

csm_status csm_ledger_verify_tail(const csm_store *store, int64_t rows) {
    csm_ledger_head newest, head = {.hash = ZERO_HASH};
    csm_status status = csm_learn_head(&newest, store);
    if (status != CSM_OK || newest.rows == 0) return status;
    if (newest.rows > rows) {
        csm_statement *s = NULL;
        bool found = false;
        head.rows = newest.rows - rows;
        status = csm_catalog_prepare(&s, store, "SELECT hash FROM ledger WHERE row = ?1");
        if (status == CSM_OK) status = csm_statement_bind_i64(s, 1, head.rows);
        if (status == CSM_OK) status = csm_statement_step(s, &found);
        if (status == CSM_OK && !found)
            status = csm_fail(CSM_ECORRUPT, "ledger: row %lld is missing", (long long)head.rows);
        if (status == CSM_OK) status = copy_hash(head.hash, csm_statement_text(s, 0), "hash", head.rows);
        csm_statement_close(s);
    }
    if (status == CSM_OK) status = check_chain(&head, NULL, store, newest.rows);
    return status;
}
