/* SPDX-License-Identifier: MIT */
/* Statements and transactions on the catalogue's connection. */
#include "store/internal.h"

#include <math.h>
#include <sqlite3.h>
#include <string.h>

struct csm_statement {
    const csm_store *store;
    sqlite3_stmt *native;
    bool done; /* reset before the next bind or step */
};

static csm_status meaning_of(sqlite3 *db, int code) {
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return CSM_ENOMEM;
    case SQLITE_FULL:
        return CSM_ENOSPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return CSM_ELOCKED;
    case SQLITE_READONLY:
        return CSM_EREADONLY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return CSM_ECORRUPT;
    case SQLITE_CONSTRAINT:
        return CSM_EEXIST;
    case SQLITE_IOERR: {
        const int error = db ? sqlite3_system_errno(db) : 0;
        return error ? csm_fail_errno(error, "catalogue") : CSM_EIO;
    }
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return CSM_EIO;
    default:
        return CSM_EINTERNAL;
    }
}

/* Within the connection's mutex, so that the text belongs to this thread's call. */
static csm_status fail_sqlite(const csm_store *store, int code, const char *sql) {
    const csm_status status = meaning_of(store->catalog, code);
    return csm_fail(status, "%s/catalog.db: %s (%s)", store->path, sqlite3_errmsg(store->catalog), sql);
}

static void enter(const csm_store *store) {
    sqlite3_mutex_enter(sqlite3_db_mutex(store->catalog));
}

static void leave(const csm_store *store) {
    sqlite3_mutex_leave(sqlite3_db_mutex(store->catalog));
}

/* A shared store reads one generation from its first read after a commit until its next. */
static int pin(const csm_store *store) {
    if (!store->pins || store->sections > 0 || !sqlite3_get_autocommit(store->catalog)) return SQLITE_OK;
    return sqlite3_exec(store->catalog, "BEGIN", NULL, NULL, NULL);
}

csm_status csm_catalog_unpin(const csm_store *store) {
    csm_status status = CSM_OK;
    enter(store);
    const char *sql = "ROLLBACK";
    if (!sqlite3_get_autocommit(store->catalog)) {
        const int code = sqlite3_exec(store->catalog, sql, NULL, NULL, NULL);
        if (code != SQLITE_OK) status = fail_sqlite(store, code, sql);
    }
    leave(store);
    return status;
}

csm_status csm_catalog_prepare(csm_statement **out, const csm_store *store, const char *sql) {
    *out = NULL;
    csm_statement *statement = csm_alloc_array(1, sizeof *statement);
    if (!statement) return CSM_ENOMEM;
    statement->store = store;
    csm_status status = CSM_OK;
    enter(store);
    int code = pin(store);
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(store->catalog, sql, -1, &statement->native, NULL);
    if (code != SQLITE_OK) status = fail_sqlite(store, code, sql);
    leave(store);
    if (status) {
        csm_dealloc(statement);
        return status;
    }
    *out = statement;
    return CSM_OK;
}

void csm_statement_close(csm_statement *statement) {
    if (!statement) return;
    sqlite3_finalize(statement->native);
    csm_dealloc(statement);
}

static void make_ready(csm_statement *statement) {
    if (statement->done) sqlite3_reset(statement->native);
    statement->done = false;
}

static csm_status bound(const csm_statement *statement, int code, int index) {
    if (code == SQLITE_OK) return CSM_OK;
    if (code == SQLITE_NOMEM) return csm_fail(CSM_ENOMEM, "catalogue: no memory for parameter %d", index);
    return csm_fail(CSM_EINTERNAL, "catalogue: parameter %d of \"%s\": %s", index,
                    sqlite3_sql(statement->native), sqlite3_errstr(code));
}

csm_status csm_statement_bind_text(csm_statement *statement, int index, const char *text) {
    make_ready(statement);
    if (!text) return bound(statement, sqlite3_bind_null(statement->native, index), index);
    return bound(
        statement,
        sqlite3_bind_text64(statement->native, index, text, strlen(text), SQLITE_TRANSIENT, SQLITE_UTF8),
        index);
}

csm_status csm_statement_bind_i64(csm_statement *statement, int index, int64_t value) {
    make_ready(statement);
    return bound(statement, sqlite3_bind_int64(statement->native, index, value), index);
}

csm_status csm_statement_bind_f64(csm_statement *statement, int index, double value) {
    make_ready(statement);
    return bound(statement, sqlite3_bind_double(statement->native, index, value), index);
}

csm_status csm_statement_bind_blob(csm_statement *statement, int index, const void *data, size_t length) {
    make_ready(statement);
    const void *bytes = data ? data : "";
    return bound(statement, sqlite3_bind_blob64(statement->native, index, bytes, length, SQLITE_TRANSIENT),
                 index);
}

csm_status csm_statement_step(csm_statement *statement, bool *row) {
    make_ready(statement);
    csm_status status = CSM_OK;
    *row = false;
    enter(statement->store);
    const int code = sqlite3_step(statement->native);
    if (code == SQLITE_ROW)
        *row = true;
    else if (code != SQLITE_DONE)
        status = fail_sqlite(statement->store, code, sqlite3_sql(statement->native));
    statement->done = !*row;
    if (!*row) sqlite3_reset(statement->native);
    leave(statement->store);
    return status;
}

void csm_statement_reset(csm_statement *statement) {
    sqlite3_reset(statement->native);
    statement->done = false;
}

const char *csm_statement_text(csm_statement *statement, int column) {
    return (const char *)sqlite3_column_text(statement->native, column);
}

int64_t csm_statement_i64(csm_statement *statement, int column) {
    return sqlite3_column_int64(statement->native, column);
}

double csm_statement_f64(csm_statement *statement, int column) {
    if (sqlite3_column_type(statement->native, column) == SQLITE_NULL) return NAN;
    return sqlite3_column_double(statement->native, column);
}

const void *csm_statement_blob(csm_statement *statement, int column, size_t *length) {
    const void *data = sqlite3_column_blob(statement->native, column);
    *length = (size_t)sqlite3_column_bytes(statement->native, column);
    return data;
}

csm_status csm_catalog_run(const csm_store *store, const char *sql) {
    csm_statement *statement = NULL;
    csm_status status = csm_catalog_prepare(&statement, store, sql);
    bool row = true;
    while (!status && row) status = csm_statement_step(statement, &row);
    csm_statement_close(statement);
    return status;
}

csm_status csm_catalog_number(int64_t *out, const csm_store *store, const char *sql, int64_t otherwise) {
    csm_statement *statement = NULL;
    bool row = false;
    *out = otherwise;
    csm_status status = csm_catalog_prepare(&statement, store, sql);
    if (!status) status = csm_statement_step(statement, &row);
    if (!status && row) *out = csm_statement_i64(statement, 0);
    csm_statement_close(statement);
    return status;
}

csm_status csm_catalog_begin(csm_store *store) {
    if (store->in_transaction)
        return csm_fail(CSM_EINTERNAL, "%s: a transaction is open already", store->path);
    csm_status status = csm_store_enter(store);
    if (status) return status;
    status = csm_catalog_run(store, "BEGIN IMMEDIATE");
    store->in_transaction = !status;
    if (status) csm_store_leave(store);
    return status;
}

csm_status csm_catalog_commit(csm_store *store) {
    if (!store->in_transaction) return csm_fail(CSM_EINTERNAL, "%s: no transaction is open", store->path);
    const csm_status status = csm_catalog_run(store, "COMMIT");
    if (status) return status;
    store->in_transaction = false;
    csm_store_leave(store);
    return CSM_OK;
}

void csm_catalog_rollback(csm_store *store) {
    if (!store->in_transaction) return;
    /* A failed statement may have rolled back by itself; then there is nothing left to do. Not csm_catalog_run: the
     * text of the failure that led here must stay. */
    if (!sqlite3_get_autocommit(store->catalog)) sqlite3_exec(store->catalog, "ROLLBACK", NULL, NULL, NULL);
    store->in_transaction = false;
    csm_store_leave(store);
}
