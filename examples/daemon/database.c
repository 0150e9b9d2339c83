/* SPDX-License-Identifier: MIT */
#include "database.h"

#include "failure.h"

#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct database {
    sqlite3 *handle;
    pthread_mutex_t mutex; /* recursive: a transaction holds it over its statements */
    int depth;             /* of database_begin */
};

static const struct {
    int version;
    const char *sql;
} steps[] = {
#define STEP(version, sql) {version, sql},
#include "schema.def"
#undef STEP
};
#define STEP_COUNT (sizeof steps / sizeof steps[0])

static csm_status database_fault(database *db, int code, const char *sql) {
    csm_status status = CSM_EIO;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) status = CSM_ECORRUPT;
    if (code == SQLITE_FULL) status = CSM_ENOSPACE;
    if (code == SQLITE_NOMEM) status = CSM_ENOMEM;
    if (code == SQLITE_READONLY) status = CSM_EREADONLY;
    if (code == SQLITE_CONSTRAINT) status = CSM_EEXIST;
    return fail(status, "daemon.db: %s (%.60s)", sqlite3_errmsg(db->handle), sql);
}

/* ---- opening ---- */

static csm_status make_connection(database **out, const char *path, int flags) {
    pthread_mutexattr_t recursive;
    database *db = calloc(1, sizeof *db);
    if (!db) return fail(CSM_ENOMEM, "no memory for a database");
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&db->mutex, &recursive);
    pthread_mutexattr_destroy(&recursive);
    int code = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        csm_status status = fail(code == SQLITE_NOMEM ? CSM_ENOMEM : CSM_EIO, "%s: %s", path,
                                 db->handle ? sqlite3_errmsg(db->handle) : "no memory");
        database_close(db);
        return status;
    }
    sqlite3_busy_timeout(db->handle, 10000);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    *out = db;
    return CSM_OK;
}

static csm_status bring_up(database *db) {
    int64_t version = 0;
    csm_status status = database_integer(&version, db, "PRAGMA user_version", "");
    if (status != CSM_OK) return status;
    int newest = steps[STEP_COUNT - 1].version;
    if (version > newest)
        return fail(CSM_EUNSUPPORTED, "daemon.db has schema %lld, this daemon knows %d", (long long)version,
                    newest);
    if (version == newest) return CSM_OK;
    status = database_begin(db);
    if (status != CSM_OK) return status;
    for (size_t i = 0; status == CSM_OK && i < STEP_COUNT; i++) {
        if (steps[i].version > version) status = database_run(db, steps[i].sql, "");
    }
    char pragma[64];
    snprintf(pragma, sizeof pragma, "PRAGMA user_version=%d", newest);
    if (status == CSM_OK) status = database_run(db, pragma, "");
    return database_end(db, status);
}

csm_status database_open(database **out, const char *path) {
    database *db = NULL;
    char check[256] = "";
    csm_status status = make_connection(&db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (status != CSM_OK || !db) return status;
    /* sessions, tokens and password hashes are nobody else's to read */
    if (chmod(path, 0600) != 0) status = fail(CSM_EIO, "%s: its mode cannot be set to 0600", path);
    if (status == CSM_OK) status = database_text(check, sizeof check, db, "PRAGMA journal_mode=WAL", "");
    if (status == CSM_OK) status = database_run(db, "PRAGMA synchronous=FULL", "");
    if (status == CSM_OK) status = database_run(db, "PRAGMA foreign_keys=ON", "");
    if (status == CSM_OK) status = database_text(check, sizeof check, db, "PRAGMA quick_check(1)", "");
    if (status == CSM_OK && strcmp(check, "ok") != 0)
        status = fail(CSM_ECORRUPT, "%s is damaged: %s", path, check);
    if (status == CSM_OK) status = bring_up(db);
    if (status != CSM_OK) {
        database_close(db);
        return status;
    }
    *out = db;
    return CSM_OK;
}

csm_status database_open_reader(database **out, const char *path) {
    return make_connection(out, path, SQLITE_OPEN_READONLY);
}

void database_close(database *db) {
    if (!db) return;
    sqlite3_close(db->handle);
    pthread_mutex_destroy(&db->mutex);
    free(db);
}

/* ---- statements ---- */

static int bind_one(sqlite3_stmt *statement, int at, char type, va_list *arguments) {
    if (type == 'i') return sqlite3_bind_int64(statement, at, va_arg(*arguments, int64_t));
    if (type == 'd') {
        double value = va_arg(*arguments, double);
        return isnan(value) ? sqlite3_bind_null(statement, at) : sqlite3_bind_double(statement, at, value);
    }
    const char *text = va_arg(*arguments, const char *);
    return text ? sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT)
                : sqlite3_bind_null(statement, at);
}

static csm_status perform(database *db, database_row_fn on_row, void *user, const char *sql,
                          const char *types, va_list *arguments) {
    sqlite3_stmt *statement = NULL;
    pthread_mutex_lock(&db->mutex);
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);
    for (int i = 0; code == SQLITE_OK && types[i]; i++)
        code = bind_one(statement, i + 1, types[i], arguments);
    if (code == SQLITE_OK) {
        do {
            code = sqlite3_step(statement);
        } while (code == SQLITE_ROW && (!on_row || on_row(user, statement) == 0));
        if (code == SQLITE_ROW) code = SQLITE_DONE;
    }
    csm_status status = code == SQLITE_DONE ? CSM_OK : database_fault(db, code, sql);
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&db->mutex);
    return status;
}

csm_status database_run(database *db, const char *sql, const char *types, ...) {
    va_list arguments;
    va_start(arguments, types);
    csm_status status = perform(db, NULL, NULL, sql, types, &arguments);
    va_end(arguments);
    return status;
}

csm_status database_query(database *db, database_row_fn on_row, void *user, const char *sql,
                          const char *types, ...) {
    va_list arguments;
    va_start(arguments, types);
    csm_status status = perform(db, on_row, user, sql, types, &arguments);
    va_end(arguments);
    return status;
}

typedef struct one_value {
    int64_t integer;
    char *text;
    size_t size;
    bool found;
} one_value;

static int take_value(void *user, sqlite3_stmt *row) {
    one_value *value = user;
    value->found = true;
    value->integer = sqlite3_column_int64(row, 0);
    if (value->text) snprintf(value->text, value->size, "%s", row_text(row, 0));
    return 1;
}

csm_status database_integer(int64_t *out, database *db, const char *sql, const char *types, ...) {
    one_value value = {0};
    va_list arguments;
    va_start(arguments, types);
    csm_status status = perform(db, take_value, &value, sql, types, &arguments);
    va_end(arguments);
    if (status == CSM_OK && !value.found) return fail(CSM_ENOTFOUND, "daemon.db: no row (%.60s)", sql);
    if (status == CSM_OK) *out = value.integer;
    return status;
}

csm_status database_text(char *out, size_t size, database *db, const char *sql, const char *types, ...) {
    one_value value = {.text = out, .size = size};
    va_list arguments;
    va_start(arguments, types);
    csm_status status = perform(db, take_value, &value, sql, types, &arguments);
    va_end(arguments);
    if (status == CSM_OK && !value.found) return fail(CSM_ENOTFOUND, "daemon.db: no row (%.60s)", sql);
    return status;
}

const char *row_text(sqlite3_stmt *row, int column) {
    const unsigned char *text = sqlite3_column_text(row, column);
    return text ? (const char *)text : "";
}

/* ---- transactions ---- */

csm_status database_begin(database *db) {
    pthread_mutex_lock(&db->mutex);
    csm_status status = db->depth > 0 ? CSM_OK : database_run(db, "BEGIN IMMEDIATE", "");
    if (status == CSM_OK)
        db->depth++;
    else
        pthread_mutex_unlock(&db->mutex);
    return status;
}

csm_status database_end(database *db, csm_status status) {
    if (--db->depth == 0) {
        if (status == CSM_OK) status = database_run(db, "COMMIT", "");
        /* a failed COMMIT or an automatic rollback may have ended the transaction already */
        if (status != CSM_OK && !sqlite3_get_autocommit(db->handle))
            sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    }
    pthread_mutex_unlock(&db->mutex);
    return status;
}

int64_t database_last_id(database *db) {
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t database_changes(database *db) {
    return sqlite3_changes64(db->handle);
}

csm_status database_copy(database *db, const char *path) {
    database *copy = NULL;
    csm_status status = make_connection(&copy, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (status != CSM_OK || !copy) return status;
    pthread_mutex_lock(&db->mutex);
    sqlite3_backup *backup = sqlite3_backup_init(copy->handle, "main", db->handle, "main");
    int code = backup ? sqlite3_backup_step(backup, -1) : sqlite3_errcode(copy->handle);
    if (backup) sqlite3_backup_finish(backup);
    pthread_mutex_unlock(&db->mutex);
    if (code != SQLITE_DONE) status = fail(CSM_EIO, "%s: %s", path, sqlite3_errmsg(copy->handle));
    database_close(copy);
    if (status == CSM_OK && chmod(path, 0600) != 0) status = fail(CSM_EIO, "%s: mode", path);
    return status;
}
