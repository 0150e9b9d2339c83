/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

json_t *json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_time(csm_time time) {
    char text[CSM_TIME_TEXT];
    if (time == CSM_TIME_MIN || time == CSM_TIME_MAX) return json_null();
    return json_string(csm_time_format(time, text, sizeof text));
}

csm_status rows_open(sqlite3 **out, const char *path) {
    int code =
        sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK) code = sqlite3_busy_timeout(*out, 5000);
    /* the daemon's own connection owns checkpoints: SQLite before 3.51.3 has a fault with several */
    if (code == SQLITE_OK) code = sqlite3_exec(*out, "PRAGMA wal_autocheckpoint = 0", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = sqlite3_db_config(*out, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return code == SQLITE_OK ? CSM_OK : CSM_EIO;
}

static int bind_all(sqlite3_stmt *statement, const char *types, va_list arguments) {
    int code = SQLITE_OK;
    for (int at = 1; *types && code == SQLITE_OK; types++, at++) {
        if (*types == 's') {
            code = sqlite3_bind_text(statement, at, va_arg(arguments, const char *), -1, SQLITE_TRANSIENT);
            continue;
        }
        const int64_t value = va_arg(arguments, int64_t);
        code = *types == 'n' && value == 0 ? sqlite3_bind_null(statement, at)
                                           : sqlite3_bind_int64(statement, at, value);
    }
    return code;
}

static json_t *cell(sqlite3_stmt *statement, int column, bool time) {
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER: {
        const int64_t value = sqlite3_column_int64(statement, column);
        return time ? json_time(value) : json_integer(value);
    }
    case SQLITE_FLOAT:
        return json_number(sqlite3_column_double(statement, column));
    case SQLITE_TEXT: {
        json_t *text = json_stringn((const char *)sqlite3_column_text(statement, column),
                                    (size_t)sqlite3_column_bytes(statement, column));
        return text ? text : json_string("(text that is not UTF-8)");
    }
    default:
        return json_null();
    }
}

static void add_row(json_t *out, sqlite3_stmt *statement) {
    json_t *row = json_object();
    for (int c = 0; c < sqlite3_column_count(statement); c++) {
        char name[64];
        snprintf(name, sizeof name, "%s", sqlite3_column_name(statement, c));
        char *suffix = strstr(name, "_time");
        const bool time = suffix && suffix[5] == 0;
        if (time) *suffix = 0;
        json_object_set_new(row, name, cell(statement, c, time));
    }
    json_array_append_new(out, row);
}

int64_t rows_run(sqlite3 *db, json_t *out, const char *sql, const char *types, ...) {
    sqlite3_stmt *statement = NULL;
    int64_t count = 0;
    va_list arguments;
    int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    va_start(arguments, types);
    if (code == SQLITE_OK) code = bind_all(statement, types, arguments);
    va_end(arguments);
    if (code == SQLITE_OK) {
        for (code = sqlite3_step(statement); code == SQLITE_ROW; code = sqlite3_step(statement)) {
            if (out) add_row(out, statement);
            count++;
        }
        if (code == SQLITE_DONE && sqlite3_column_count(statement) == 0) count = sqlite3_changes(db);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? count : -1;
}
