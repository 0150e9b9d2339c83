/* SPDX-License-Identifier: MIT */
/* daemon.db in the workspace: jobs, their runs and logs, facts that jobs measured, users, sessions, tokens, alerts, notifications,
 * audit. SQLite, WAL, synchronous=FULL, STRICT tables. The daemon is the only process that writes it, through one connection
 * that any of its threads may use: each call below holds it for its own length, database_begin until database_end. */
#ifndef DAEMON_DATABASE_H
#define DAEMON_DATABASE_H

#include <cryptosmart/cryptosmart.h>
#include <sqlite3.h>

typedef struct database database;

/* Opens, makes when absent, checks (quick_check) and brings to the present schema. CSM_ECORRUPT when damaged,
 * CSM_EUNSUPPORTED when a newer daemon wrote it. Text in failure_text(). */
csm_status database_open(database **out, const char *path);
/* A connection of its own that only reads, for threads that should not wait for a writer. Not checked. */
csm_status database_open_reader(database **out, const char *path);
void database_close(database *db);

/* Runs one statement. `types` has a letter for each parameter: i int64_t, d double (NaN is NULL), s text (NULL is NULL). */
csm_status database_run(database *db, const char *sql, const char *types, ...);
/* Called for each row; a non-zero result ends the query. */
typedef int (*database_row_fn)(void *user, sqlite3_stmt *row);
csm_status database_query(database *db, database_row_fn on_row, void *user, const char *sql,
                          const char *types, ...);
/* The first column of the first row; CSM_ENOTFOUND without a row. */
csm_status database_integer(int64_t *out, database *db, const char *sql, const char *types, ...);
/* Text copied into `out`, cut to size; "" for NULL. */
csm_status database_text(char *out, size_t size, database *db, const char *sql, const char *types, ...);

/* Several statements as one transaction, without any other thread in between. database_end commits when status is CSM_OK and
 * rolls back otherwise; gives the status of the whole. */
csm_status database_begin(database *db);
csm_status database_end(database *db, csm_status status);
/* Row id of the last insert of this thread's transaction. */
int64_t database_last_id(database *db);
/* Rows that the last statement of this thread's transaction changed. */
int64_t database_changes(database *db);
/* A consistent copy at `path` (SQLite's backup API). */
csm_status database_copy(database *db, const char *path);

/* Column as text, never NULL. */
const char *row_text(sqlite3_stmt *row, int column);

#endif
