/* SPDX-License-Identifier: MIT */
/* SQLite statements as rows of JSON: what accounts and panels ask of the daemon's database. */
#ifndef WEB_ROWS_H
#define WEB_ROWS_H

#include <cryptosmart/cryptosmart.h>
#include <jansson.h>
#include <sqlite3.h>

/* Opens the database for reading and writing, waiting up to 5 s for others. */
csm_status rows_open(sqlite3 **out, const char *path);
/* Runs one statement. Arguments follow the letters of `types`: s text (NULL allowed), i int64_t, n int64_t that is NULL when 0.
 * Columns of its rows go into out as objects (NULL: dropped); a column named NAME_time becomes member NAME with a time.
 * Gives the number of rows, or of changes for statements without rows; -1 on failure. */
int64_t rows_run(sqlite3 *db, json_t *out, const char *sql, const char *types, ...);
json_t *json_number(double value); /* null for NaN and infinities */
json_t *json_time(csm_time time);  /* null for CSM_TIME_MIN and CSM_TIME_MAX */

#endif
