/* SPDX-License-Identifier: MIT */
/* Jobs, alerts and the audit trail: what the daemon's database says, and what the host is asked to do. */
#include "rows.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>

/* Rows of a query on the daemon's database as member `name`; more rows may follow by add_rows. */
static json_t *query(request *r, const char *name, json_t *document, const char *sql, const char *types,
                     int64_t a, int64_t b) {
    sqlite3 *db = NULL;
    json_t *rows = json_array();
    if (rows_open(&db, r->dashboard->database) != CSM_OK || rows_run(db, rows, sql, types, a, b) < 0) {
        dashboard_log(r->dashboard, CSM_LOG_ERROR, "%s: %s", name, db ? sqlite3_errmsg(db) : "no memory");
        json_decref(rows);
        rows = json_null();
    }
    sqlite3_close(db);
    json_object_set_new(document, name, rows);
    return document;
}

static int64_t path_number(const request *r) {
    const char *text = r->path.value[0];
    const size_t length = strlen(text);
    return length <= 15 && strspn(text, "0123456789") == length ? strtoll(text, NULL, 10) : 0;
}

/* ---- jobs ---- */

void route_jobs(request *r) {
    json_t *d = json_object();
    query(r, "jobs", d,
          "SELECT 'jobs/' || name AS \"from\", name, next_due AS next_due_time, failures,"
          " last_success AS last_success_time FROM jobs ORDER BY name",
          "", 0, 0);
    query(r, "runs", d,
          "SELECT 'job_runs/' || id AS \"from\", id, job, cause, who, state, attempt, queued AS queued_time,"
          " started AS started_time, ended AS ended_time, code, signal, text, progress FROM job_runs"
          " ORDER BY id DESC LIMIT 100",
          "", 0, 0);
    answer_json(r, 200, d);
}

void route_run_log(request *r) {
    answer_json(
        r, 200,
        query(r, "lines", json_object(),
              "SELECT 'job_log/' || run || '/' || line AS \"from\", line, time AS time_time, level, module,"
              " text FROM job_log WHERE run = ? ORDER BY line DESC LIMIT 1000",
              "i", path_number(r), 0));
}

void route_job_run(request *r) {
    const dashboard_host *host = &r->dashboard->options.host;
    char text[300] = "this server runs without a scheduler", from[40];
    int64_t run = 0;
    const csm_status status =
        host->run_now ? host->run_now(host->user, &run, r->path.value[0], r->who.name, text, sizeof text)
                      : CSM_EUNSUPPORTED;
    if (status != CSM_OK) {
        answer_failure(r, status, text);
        return;
    }
    accounts_audit(r->dashboard->accounts, r->who.name, "job run", r->path.value[0], "", r->address);
    snprintf(from, sizeof from, "job_runs/%lld", (long long)run);
    answer_json(r, 202, json_pack("{s:s,s:I}", "from", from, "run", (json_int_t)run));
}

void route_run_cancel(request *r) {
    const dashboard_host *host = &r->dashboard->options.host;
    char text[300] = "this server runs without a scheduler";
    const csm_status status = host->cancel
                                  ? host->cancel(host->user, path_number(r), r->who.name, text, sizeof text)
                                  : CSM_EUNSUPPORTED;
    if (status != CSM_OK) {
        answer_failure(r, status, text);
        return;
    }
    accounts_audit(r->dashboard->accounts, r->who.name, "job cancel", r->path.value[0], "", r->address);
    answer_empty(r, 202);
}

/* ---- alerts and trail ---- */

void route_alerts(request *r) {
    answer_json(
        r, 200,
        query(r, "alerts", json_object(),
              "SELECT 'alerts/' || id AS \"from\", id, rule, severity, text, value, raised AS raised_time,"
              " cleared AS cleared_time, acknowledged_by FROM alerts"
              " ORDER BY cleared IS NOT NULL, id DESC LIMIT 200",
              "", 0, 0));
}

void route_alert_acknowledge(request *r) {
    sqlite3 *db = NULL;
    const int64_t alert = path_number(r);
    int64_t changed = -1;
    if (rows_open(&db, r->dashboard->database) == CSM_OK)
        changed = rows_run(db, NULL,
                           "UPDATE alerts SET acknowledged_by = ? WHERE id = ? AND acknowledged_by IS NULL",
                           "si", r->who.name, alert);
    sqlite3_close(db);
    if (changed == 1) {
        accounts_audit(r->dashboard->accounts, r->who.name, "alert acknowledge", r->path.value[0], "",
                       r->address);
        answer_empty(r, 204);
    } else {
        answer_failure(r, changed < 0 ? CSM_EIO : CSM_ENOTFOUND, "no such alert waits for anyone");
    }
}

void route_audit(request *r) {
    answer_json(
        r, 200,
        query(
            r, "audit", json_object(),
            "SELECT 'audit/' || id AS \"from\", id, time AS time_time, who, action, subject, detail, address"
            " FROM audit ORDER BY id DESC LIMIT ?",
            "i", request_integer(r, "limit", 200), 0));
}
