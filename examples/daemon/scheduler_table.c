/* SPDX-License-Identifier: MIT */
#include "scheduler_table.h"

#include "failure.h"

#include <stdio.h>
#include <string.h>

static csm_status queue_run(database *db, const char *job, const char *cause, const char *who, int priority,
                            uint32_t attempt, csm_time now, csm_time not_before) {
    return database_run(db,
                        "INSERT INTO job_runs(job, cause, who, state, attempt, priority, queued, not_before)"
                        " VALUES(?,?,?,'queued',?,?,?,?)",
                        "sssiiii", job, cause, who, (int64_t)attempt, (int64_t)priority, now, not_before);
}

static csm_status open_runs(int64_t *count, database *db, const char *job) {
    return database_integer(
        count, db, "SELECT count(*) FROM job_runs WHERE job=? AND state IN ('queued','running')", "s", job);
}

/* ---- recovery ---- */

csm_status table_recover(size_t *interrupted, database *db, csm_time now) {
    int64_t count = 0;
    csm_status status = database_begin(db);
    if (status != CSM_OK) return status;
    status = database_integer(&count, db, "SELECT count(*) FROM job_runs WHERE state='running'", "");
    /* a run that somebody had cancelled, or whose job waits in the queue already, is not repeated */
    if (status == CSM_OK)
        status =
            database_run(db,
                         "INSERT INTO job_runs(job, cause, who, state, attempt, priority, queued, not_before)"
                         " SELECT job, 'restart', who, 'queued', attempt, priority, ?, ? FROM job_runs AS r "
                         "WHERE state='running'"
                         " AND cancelled_by IS NULL AND NOT EXISTS(SELECT 1 FROM job_runs q WHERE "
                         "q.job=r.job AND q.state='queued')",
                         "ii", now, now);
    if (status == CSM_OK)
        status =
            database_run(db,
                         "UPDATE job_runs SET state='interrupted', ended=?, text='the daemon ended before it'"
                         " WHERE state='running'",
                         "i", now);
    *interrupted = (size_t)count;
    return database_end(db, status);
}

csm_status table_know_job(database *db, const char *job, csm_time every, csm_time now, csm_time next) {
    csm_time due = every > 0 ? now : CSM_TIME_MAX;
    csm_status status =
        database_run(db, "INSERT OR IGNORE INTO jobs(name, next_due) VALUES(?,?)", "si", job, due);
    if (status != CSM_OK) return status;
    return database_run(db, "UPDATE jobs SET next_due=? WHERE name=? AND (next_due>? OR ?)", "isii", next,
                        job, next, (int64_t)(every == 0));
}

/* ---- queueing ---- */

csm_status table_queue_due(database *db, const char *job, int priority, csm_time now, csm_time next) {
    int64_t due = 0, open = 0;
    csm_status status =
        database_integer(&due, db, "SELECT count(*) FROM jobs WHERE name=? AND next_due<=?", "si", job, now);
    if (status != CSM_OK || due == 0) return status;
    status = database_begin(db);
    if (status != CSM_OK) return status;
    status = open_runs(&open, db, job);
    if (status == CSM_OK && open == 0)
        status = queue_run(db, job, "schedule", "scheduler", priority, 0, now, now);
    if (status == CSM_OK)
        status = database_run(db, "UPDATE jobs SET next_due=? WHERE name=?", "is", next, job);
    return database_end(db, status);
}

csm_status table_queue_by_hand(int64_t *run, database *db, const char *job, int priority, const char *who,
                               csm_time now) {
    int64_t open = 0;
    csm_status status = database_begin(db);
    if (status != CSM_OK) return status;
    status = open_runs(&open, db, job);
    if (status == CSM_OK && open > 0) {
        /* one that waits for a retry or a free place starts as soon as it can */
        status = database_run(
            db, "UPDATE job_runs SET not_before=?, priority=min(priority, ?) WHERE job=? AND state='queued'",
            "iis", now, (int64_t)priority, job);
        if (status == CSM_OK && database_changes(db) == 0)
            status = fail(CSM_EEXIST, "%s is running already", job);
        if (status == CSM_OK)
            status =
                database_integer(run, db, "SELECT id FROM job_runs WHERE job=? AND state='queued'", "s", job);
    } else if (status == CSM_OK) {
        status = queue_run(db, job, "manual", who, priority, 0, now, now);
        if (status == CSM_OK) *run = database_last_id(db);
    }
    return database_end(db, status);
}

csm_status table_cancel(database *db, int64_t run, const char *who, csm_time now) {
    char state[16] = "";
    csm_status status = database_begin(db);
    if (status != CSM_OK) return status;
    status = database_text(state, sizeof state, db, "SELECT state FROM job_runs WHERE id=?", "i", run);
    if (status == CSM_ENOTFOUND) status = fail(status, "there is no run %lld", (long long)run);
    if (status == CSM_OK && strcmp(state, "queued") == 0)
        status = database_run(
            db, "UPDATE job_runs SET state='cancelled', ended=?, cancelled_by=?, text='cancelled' WHERE id=?",
            "isi", now, who, run);
    else if (status == CSM_OK && strcmp(state, "running") == 0)
        status = database_run(db, "UPDATE job_runs SET cancelled_by=? WHERE id=? AND cancelled_by IS NULL",
                              "si", who, run);
    else if (status == CSM_OK)
        status = fail(CSM_EEXIST, "run %lld has ended: %s", (long long)run, state);
    return database_end(db, status);
}

bool table_is_cancelled(database *db, int64_t run) {
    int64_t asked = 0;
    return database_integer(&asked, db, "SELECT cancelled_by IS NOT NULL FROM job_runs WHERE id=?", "i",
                            run) == CSM_OK &&
           asked != 0;
}

typedef struct queue_reader {
    queued_run *queue;
    size_t count;
} queue_reader;

static int take_queued(void *user, sqlite3_stmt *row) {
    queue_reader *reader = user;
    queued_run *q = &reader->queue[reader->count++];
    q->run = sqlite3_column_int64(row, 0);
    q->attempt = (uint32_t)sqlite3_column_int64(row, 1);
    snprintf(q->job, sizeof q->job, "%s", row_text(row, 2));
    snprintf(q->cause, sizeof q->cause, "%s", row_text(row, 3));
    return reader->count == QUEUE_MOST;
}

csm_status table_queue(queued_run queue[QUEUE_MOST], size_t *count, database *db, csm_time now) {
    queue_reader reader = {.queue = queue};
    csm_status status = database_query(db, take_queued, &reader,
                                       "SELECT id, attempt, job, cause FROM job_runs WHERE state='queued' "
                                       "AND not_before<=? ORDER BY priority, id",
                                       "i", now);
    *count = reader.count;
    return status;
}

/* ---- runs ---- */

csm_status table_start_run(database *db, int64_t run, csm_time now) {
    return database_run(db, "UPDATE job_runs SET state='running', started=? WHERE id=?", "ii", now, run);
}

csm_status table_process(database *db, int64_t run, int64_t pid) {
    return database_run(db, "UPDATE job_runs SET pid=? WHERE id=?", "ii", pid, run);
}

csm_status table_cursor(char *cursor, size_t size, database *db, const char *job) {
    return database_text(cursor, size, db, "SELECT cursor FROM jobs WHERE name=?", "s", job);
}

static csm_status note_job(database *db, const char *job, const run_record *end) {
    if (strcmp(end->state, "done") == 0)
        return database_run(db, "UPDATE jobs SET failures=0, last_success=? WHERE name=?", "is", end->now,
                            job);
    if (strcmp(end->state, "failed") == 0 || strcmp(end->state, "timeout") == 0)
        return database_run(db, "UPDATE jobs SET failures=failures+1 WHERE name=?", "s", job);
    return CSM_OK;
}

csm_status table_end_run(database *db, const char *job, int priority, const run_record *end) {
    csm_status status = database_begin(db);
    if (status != CSM_OK) return status;
    status =
        database_run(db, "UPDATE job_runs SET state=?, ended=?, code=?, signal=?, text=? WHERE id=?",
                     "siiisi", end->state, end->now, end->code, (int64_t)end->signal, end->text, end->run);
    if (status == CSM_OK) status = note_job(db, job, end);
    if (status == CSM_OK && end->next_due > 0)
        status = database_run(db, "UPDATE jobs SET next_due=min(next_due, ?) WHERE name=?", "is",
                              end->next_due, job);
    if (status == CSM_OK && end->retry)
        status =
            queue_run(db, job, "retry", "scheduler", priority, end->attempt + 1, end->now, end->not_before);
    else if (status == CSM_OK && end->more && strcmp(end->state, "done") == 0)
        status = queue_run(db, job, "continue", "scheduler", priority, 0, end->now, end->now);
    else if (status == CSM_OK && strcmp(end->state, "interrupted") == 0)
        status = queue_run(db, job, "restart", "scheduler", priority, end->attempt, end->now, end->now);
    return database_end(db, status);
}

csm_status table_drop_run(database *db, int64_t run, csm_time now) {
    return database_run(
        db, "UPDATE job_runs SET state='cancelled', ended=?, text='no longer configured' WHERE id=?", "ii",
        now, run);
}

csm_status table_next_event(csm_time *out, database *db) {
    return database_integer(
        out, db,
        "SELECT coalesce(min(t), 9223372036854775807) FROM (SELECT min(next_due) AS t FROM jobs UNION ALL"
        " SELECT min(not_before) FROM job_runs WHERE state='queued')",
        "");
}

csm_status table_trim(database *db, int64_t keep) {
    csm_status status = database_begin(db);
    if (status != CSM_OK) return status;
    status = database_run(
        db,
        "DELETE FROM job_runs WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY job"
        " ORDER BY id DESC) AS place FROM job_runs WHERE state NOT IN ('queued','running')) WHERE place>?)",
        "i", keep);
    if (status == CSM_OK)
        status = database_run(db, "DELETE FROM job_log WHERE run NOT IN (SELECT id FROM job_runs)", "");
    return database_end(db, status);
}

/* ---- sources that went ---- */

typedef struct fact_names {
    char name[JOBS_MOST][128];
    size_t count;
} fact_names;

static int take_name(void *user, sqlite3_stmt *row) {
    fact_names *names = user;
    snprintf(names->name[names->count], sizeof names->name[0], "%s", row_text(row, 0));
    return ++names->count == JOBS_MOST;
}

/* "source.latched.kraken.ohlc" belongs to the job "ingest.kraken.ohlc". */
static bool has_job(const char *fact, const job_entry *jobs, size_t count) {
    char job[128];
    const char *source = strchr(fact + strlen("source."), '.');
    snprintf(job, sizeof job, "ingest%s", source ? source : "");
    return schedule_find(jobs, count, job) != NULL;
}

csm_status table_forget_sources(database *db, const job_entry *jobs, size_t count, csm_time now) {
    fact_names names = {.count = 0};
    csm_status status = database_begin(db);
    if (status != CSM_OK) return status;
    status = database_query(db, take_name, &names, "SELECT name FROM facts WHERE name LIKE 'source.%'", "");
    for (size_t i = 0; status == CSM_OK && i < names.count; i++) {
        if (has_job(names.name[i], jobs, count)) continue;
        status = database_run(db, "DELETE FROM facts WHERE name=?", "s", names.name[i]);
        if (status == CSM_OK) /* rules are named source_latched.NAME, source_trouble.NAME */
            status = database_run(
                db, "UPDATE alerts SET cleared=? WHERE cleared IS NULL AND rule='source_'||substr(?, 8)",
                "is", now, names.name[i]);
    }
    return database_end(db, status);
}
