/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <math.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

static csm_status try_open(const workspace *w, uint32_t mode) {
    csm_store *store = NULL;
    const csm_status status = csm_store_open(&store, w->context, w->path, mode);
    assert_true((store == NULL) == (status != CSM_OK));
    csm_store_free(store);
    return status;
}

static void sql_on_file(const workspace *w, const char *sql) {
    char path[300];
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/catalog.db", w->path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_only_create_makes_a_workspace(void **state) {
    const workspace *w = *state;
    assert_status(CSM_ENOTFOUND, try_open(w, CSM_STORE_READ));
    assert_text("catalog.db");
    assert_status(CSM_ENOTFOUND, try_open(w, CSM_STORE_WRITE));
    assert_ok(try_open(w, CSM_STORE_CREATE));
    assert_ok(try_open(w, CSM_STORE_CREATE));
    assert_ok(try_open(w, CSM_STORE_WRITE));
    assert_ok(try_open(w, CSM_STORE_READ));
}

static void test_wrong_arguments_are_refused(void **state) {
    const workspace *w = *state;
    csm_store *store;
    assert_status(CSM_EINVAL, csm_store_open(NULL, w->context, w->path, CSM_STORE_READ));
    assert_status(CSM_EINVAL, csm_store_open(&store, NULL, w->path, CSM_STORE_READ));
    assert_status(CSM_EINVAL, csm_store_open(&store, w->context, NULL, CSM_STORE_READ));
    assert_status(CSM_EINVAL, csm_store_open(&store, w->context, "", CSM_STORE_READ));
    assert_status(CSM_EINVAL, csm_store_open(&store, w->context, w->path, 4));
    csm_store_free(NULL);
}

static void test_one_writer_at_a_time(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    assert_status(CSM_ELOCKED, try_open(w, CSM_STORE_WRITE));
    const pid_t child = fork();
    if (child == 0) {
        csm_store *second = NULL, *reader = NULL;
        const csm_status wrote = csm_store_open(&second, w->context, w->path, CSM_STORE_WRITE);
        const csm_status read = csm_store_open(&reader, w->context, w->path, CSM_STORE_READ);
        _exit(wrote == CSM_ELOCKED && read == CSM_OK ? 0 : 1);
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    csm_store_free(store);
    assert_ok(try_open(w, CSM_STORE_WRITE));
}

static void test_a_reader_writes_nothing(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 10);
    csm_store_free(store);
    store = open_store(w, CSM_STORE_READ);
    csm_table *bars = bars_from(0, 3);
    const csm_stream stream = bar_stream("BTC/USD");
    const csm_provenance source = source_at(START + 10 * HOUR);
    assert_status(CSM_EREADONLY, csm_store_append(store, w->context, &stream, bars, &source));
    assert_status(CSM_EREADONLY, csm_store_roll(store, w->context));
    assert_status(CSM_EREADONLY, csm_store_adopt(store, w->context, w->path));
    assert_status(CSM_EREADONLY, csm_catalog_begin(store));
    csm_statement *s;
    bool row;
    assert_ok(csm_catalog_prepare(&s, store, "DELETE FROM tail"));
    assert_status(CSM_EREADONLY, csm_statement_step(s, &row));
    csm_statement_close(s);
    csm_table_free(bars);
    csm_store_recovery report;
    assert_ok(csm_store_recovery_report(&report, store));
    assert_int_equal(report.tail_rows, 10);
    csm_store_free(store);
}

static void test_a_newer_workspace_is_refused(void **state) {
    const workspace *w = *state;
    assert_ok(try_open(w, CSM_STORE_CREATE));
    sql_on_file(w, "UPDATE schema SET version = 99 WHERE stage = 'store'");
    assert_status(CSM_EUNSUPPORTED, try_open(w, CSM_STORE_READ));
    assert_text("version 99");
    assert_status(CSM_EUNSUPPORTED, try_open(w, CSM_STORE_WRITE));
    sql_on_file(w, "UPDATE schema SET version = 1 WHERE stage = 'store'; PRAGMA user_version = 77");
    assert_status(CSM_EUNSUPPORTED, try_open(w, CSM_STORE_WRITE));
    assert_text("format 77");
}

static void test_an_older_workspace_is_brought_up_by_a_writer_only(void **state) {
    const workspace *w = *state;
    assert_ok(try_open(w, CSM_STORE_CREATE));
    sql_on_file(w, "DELETE FROM schema WHERE stage = 'store';"
                   "DROP TABLE retired; DROP TABLE tail; DROP TABLE segment_provenance; DROP TABLE segments;"
                   "DROP TABLE stream_columns; DROP TABLE streams; DROP TABLE provenance;");
    assert_status(CSM_EUNSUPPORTED, try_open(w, CSM_STORE_READ));
    assert_text("open it once for writing");
    assert_ok(try_open(w, CSM_STORE_WRITE));
    assert_ok(try_open(w, CSM_STORE_READ));
}

static void test_another_program_s_database_is_left_alone(void **state) {
    const workspace *w = *state;
    sql_on_file(w, "CREATE TABLE theirs (x); PRAGMA application_id = 7");
    assert_status(CSM_ECORRUPT, try_open(w, CSM_STORE_CREATE));
    assert_text("not a catalogue");
    assert_status(CSM_ECORRUPT, try_open(w, CSM_STORE_READ));
}

static void test_a_catalogue_that_is_no_database_is_corrupt(void **state) {
    const workspace *w = *state;
    char path[300];
    snprintf(path, sizeof path, "%s/catalog.db", w->path);
    FILE *file = fopen(path, "wb");
    for (int i = 0; i < 9999; i++) fputs("no database ", file);
    fclose(file);
    assert_status(CSM_ECORRUPT, try_open(w, CSM_STORE_READ));
    assert_status(CSM_ECORRUPT, try_open(w, CSM_STORE_WRITE));
    assert_text("catalog.db");
}

static void test_a_path_with_strange_bytes_works(void **state) {
    workspace *w = *state;
    char plain[256], path[300];
    snprintf(plain, sizeof plain, "%s", w->path);
    snprintf(path, sizeof path, "%s/a?b#c%%20 d&mode=ro", plain);
    csm_store *store = NULL;
    assert_ok(csm_store_open(&store, w->context, path, CSM_STORE_CREATE));
    assert_string_equal(csm_store_path(store), path);
    append_bars(store, w, "BTC/USD", 0, 10);
    csm_store_free(store);
    assert_ok(csm_store_open(&store, w->context, path, CSM_STORE_READ));
    csm_store_free(store);
    char expected[400];
    snprintf(expected, sizeof expected, "%s/catalog.db", path);
    assert_true(csm_file_exists(expected));
}

/* ---- a folder that may not be written: as a user other than root, to whom permissions mean nothing ---- */

#define NOBODY 65534

static int as_nobody(int (*run)(const workspace *w), const workspace *w) {
    const pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY))) _exit(99);
        _exit(run(w));
    }
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
}

static int reads_ten_bars(const workspace *w) {
    csm_store *store = NULL;
    csm_table *table = NULL;
    const csm_stream stream = bar_stream("BTC/USD");
    csm_status status = csm_store_open(&store, w->context, w->path, CSM_STORE_READ);
    if (!status)
        status = csm_store_read(&table, store, w->context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, CSM_TIME_MAX);
    const size_t rows = status ? 0 : csm_table_rows(table);
    csm_table_free(table);
    csm_store_free(store);
    if (status) fprintf(stderr, "%s\n", csm_error_message());
    return rows == 10 ? 0 : 1;
}

static int open_fails_with_reason(const workspace *w) {
    csm_store *store = NULL;
    const csm_status status = csm_store_open(&store, w->context, w->path, CSM_STORE_READ);
    if (!strstr(csm_error_message(), "unfinished catalog.db-wal"))
        fprintf(stderr, "%s\n", csm_error_message());
    return status != CSM_OK && strstr(csm_error_message(), "unfinished catalog.db-wal") ? 0 : 1;
}

static int writing_is_refused(const workspace *w) {
    csm_store *store = NULL;
    const csm_status status = csm_store_open(&store, w->context, w->path, CSM_STORE_WRITE);
    if (status == CSM_OK) csm_store_free(store);
    if (status != CSM_EREADONLY) fprintf(stderr, "%s: %s\n", csm_status_name(status), csm_error_message());
    return status == CSM_EREADONLY ? 0 : 1;
}

static void protect(const workspace *w, mode_t folder) {
    assert_int_equal(chmod(w->path, folder), 0);
}

static void test_a_read_only_folder_can_be_read(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 10);
    csm_store_free(store);
    protect(w, 0555);
    assert_int_equal(as_nobody(reads_ten_bars, w), 0);
    assert_int_equal(as_nobody(writing_is_refused, w), 0);
    char wal[300], shm[300];
    snprintf(wal, sizeof wal, "%s/catalog.db-wal", w->path);
    snprintf(shm, sizeof shm, "%s/catalog.db-shm", w->path);
    protect(w, 0755);
    assert_ok(csm_file_remove(wal));
    assert_ok(csm_file_remove(shm));
    protect(w, 0555);
    assert_int_equal(as_nobody(reads_ten_bars, w), 0);
    protect(w, 0755);
}

static void copy_file(const char *from, const char *to) {
    csm_buffer bytes = {0};
    assert_ok(csm_file_read(&bytes, from, (size_t)1 << 30));
    assert_ok(csm_file_write_atomic(to, bytes.data, bytes.length, 0644));
    csm_buffer_free(&bytes);
}

/* A copy of a live workspace without its -shm: what the -wal holds must not be missed silently. */
static void test_a_read_only_folder_with_an_unfinished_log_says_so(void **state) {
    const workspace *w = *state;
    workspace copy = *w;
    char from[400], to[400];
    strcat(copy.path, "/copy");
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    append_bars(store, w, "BTC/USD", 0, 10);
    assert_int_equal(mkdir(copy.path, 0755), 0);
    static const char *const names[] = {"catalog.db", "catalog.db-wal"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s/%s", w->path, names[i]);
        snprintf(to, sizeof to, "%s/%s", copy.path, names[i]);
        copy_file(from, to);
    }
    csm_store_free(store);
    protect(w, 0755);
    protect(&copy, 0555);
    assert_int_equal(as_nobody(open_fails_with_reason, &copy), 0);
    protect(&copy, 0755);
    assert_int_equal(reads_ten_bars(&copy), 0); /* where it may be written, the log is read */
}

/* ---- the catalogue for other stages ---- */

static void test_statements_bind_step_and_answer(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    csm_statement *s;
    bool row;
    size_t length;
    assert_ok(csm_catalog_prepare(&s, store, "SELECT ?1, ?2, ?3, ?4, ?5, ?6"));
    for (int turn = 0; turn < 2; turn++) {
        assert_ok(csm_statement_bind_text(s, 1, "text"));
        assert_ok(csm_statement_bind_text(s, 2, NULL));
        assert_ok(csm_statement_bind_i64(s, 3, INT64_MIN + turn));
        assert_ok(csm_statement_bind_f64(s, 4, 0.1));
        assert_ok(csm_statement_bind_f64(s, 5, (double)NAN));
        assert_ok(csm_statement_bind_blob(s, 6, "a\0b", 3));
        assert_ok(csm_statement_step(s, &row));
        assert_true(row);
        assert_string_equal(csm_statement_text(s, 0), "text");
        assert_null(csm_statement_text(s, 1));
        assert_true(csm_statement_i64(s, 2) == INT64_MIN + turn);
        assert_true(csm_statement_f64(s, 3) == 0.1);
        assert_true(csm_statement_f64(s, 4) != csm_statement_f64(s, 4));
        assert_memory_equal(csm_statement_blob(s, 5, &length), "a\0b", 3);
        assert_int_equal(length, 3);
        assert_ok(csm_statement_step(s, &row));
        assert_false(row);
    }
    assert_status(CSM_EINTERNAL, csm_statement_bind_i64(s, 7, 0));
    csm_statement_close(s);
    csm_statement_close(NULL);
    assert_status(CSM_EINTERNAL, csm_catalog_prepare(&s, store, "SELEC 1"));
    assert_text("SELEC 1");
    assert_null(s);
    csm_store_free(store);
}

static void test_transactions_do_not_nest_and_roll_back(void **state) {
    const workspace *w = *state;
    csm_store *store = open_store(w, CSM_STORE_CREATE);
    int64_t rows;
    assert_ok(csm_catalog_begin(store));
    assert_status(CSM_EINTERNAL, csm_catalog_begin(store));
    assert_ok(csm_catalog_run(
        store, "INSERT INTO provenance (source, request, origin, received) VALUES ('a','b','',1)"));
    csm_fail(CSM_EIO, "the first failure");
    csm_catalog_rollback(store);
    assert_string_equal(csm_error_message(), "the first failure");
    csm_catalog_rollback(store);
    assert_status(CSM_EINTERNAL, csm_catalog_commit(store));
    assert_ok(csm_catalog_number(&rows, store, "SELECT count(*) FROM provenance", -1));
    assert_int_equal(rows, 0);
    csm_store_free(store);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, workspace_setup, workspace_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_only_create_makes_a_workspace),
        TEST(test_wrong_arguments_are_refused),
        TEST(test_one_writer_at_a_time),
        TEST(test_a_reader_writes_nothing),
        TEST(test_a_newer_workspace_is_refused),
        TEST(test_an_older_workspace_is_brought_up_by_a_writer_only),
        TEST(test_another_program_s_database_is_left_alone),
        TEST(test_a_catalogue_that_is_no_database_is_corrupt),
        TEST(test_a_path_with_strange_bytes_works),
        TEST(test_a_read_only_folder_can_be_read),
        TEST(test_a_read_only_folder_with_an_unfinished_log_says_so),
        TEST(test_statements_bind_step_and_answer),
        TEST(test_transactions_do_not_nest_and_roll_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
