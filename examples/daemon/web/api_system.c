/* SPDX-License-Identifier: MIT */
/* The dashboard's files, liveness and figures for monitoring. */
#include "assets.h"
#include "rows.h"
#include "server.h"
#include "streams.h"
#include "viewer.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

static const char *asset_type(const char *name) {
    static const char *const types[][2] = {{".html", "text/html; charset=utf-8"},
                                           {".css", "text/css; charset=utf-8"},
                                           {".js", "text/javascript; charset=utf-8"},
                                           {".svg", "image/svg+xml"},
                                           {".json", "application/json"}};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++) {
        if (strcmp(dot, types[i][0]) == 0) return types[i][1];
    }
    return "application/octet-stream";
}

static void answer_asset(request *r, const char *name) {
    const char *known = request_header(r, "If-None-Match");
    for (size_t i = 0; i < asset_count; i++) {
        const asset *a = &assets[i];
        if (strcmp(a->name, name) != 0) continue;
        if (known && strcmp(known, a->hash) == 0)
            answer_empty(r, 304);
        else
            answer_bytes(r, 200, asset_type(name), (const char *)a->bytes, a->length);
        if (r->response) {
            MHD_del_response_header(r->response, "Cache-Control", "no-store");
            answer_header(r, "Cache-Control", "no-cache");
            answer_header(r, "ETag", a->hash);
        }
        return;
    }
    answer_problem(r, 404, "nothing is here");
}

void route_page(request *r) {
    answer_asset(r, "index.html");
}

void route_asset(request *r) {
    answer_asset(r, r->path.value[0]);
}

/* ---- liveness ---- */

static void answer_line(request *r, unsigned int status, const char *line) {
    answer_bytes(r, status, "text/plain; charset=utf-8", line, strlen(line));
}

void route_healthz(request *r) {
    answer_line(r, 200, "ok\n");
}

void route_readyz(request *r) {
    view *v = viewer_hold(r->dashboard->viewer);
    r->held = v;
    if (v && !*v->problem)
        answer_line(r, 200, "ready\n");
    else
        answer_line(r, 503, "the workspace cannot be read yet\n");
}

/* ---- figures ---- */

static void figure(FILE *out, const char *name, const char *type, const char *help, double value) {
    fprintf(out, "# HELP cryptosmart_%s %s\n# TYPE cryptosmart_%s %s\n", name, help, name, type);
    if (isnan(value))
        fprintf(out, "cryptosmart_%s NaN\n", name);
    else
        fprintf(out, "cryptosmart_%s %.17g\n", name, value);
}

static void label_head(FILE *out, const char *name, const char *type, const char *help) {
    fprintf(out, "# HELP cryptosmart_%s %s\n# TYPE cryptosmart_%s %s\n", name, help, name, type);
}

/* Of the process: from /proc, as Prometheus' own clients do. */
static void process_figures(FILE *out) {
    char line[128] = "";
    unsigned long resident = 0;
    double descriptors = 0;
    FILE *statm = fopen("/proc/self/statm", "r"); /* "size resident ..." in pages */
    if (statm) {
        const char *second = fgets(line, sizeof line, statm) ? strchr(line, ' ') : NULL;
        if (second) resident = strtoul(second, NULL, 10);
        fclose(statm);
    }
    DIR *folder = opendir("/proc/self/fd");
    if (folder) {
        while (readdir(folder)) descriptors++;
        closedir(folder);
        descriptors -= 3; /* . and .. and this one */
    }
    fprintf(
        out,
        "# HELP process_resident_memory_bytes Resident memory\n# TYPE process_resident_memory_bytes gauge\n"
        "process_resident_memory_bytes %.0f\n"
        "# HELP process_open_fds Open descriptors\n# TYPE process_open_fds gauge\nprocess_open_fds %.0f\n",
        (double)resident * (double)sysconf(_SC_PAGESIZE), descriptors);
}

static void server_figures(FILE *out, dashboard *d) {
    figure(out, "http_requests_total", "counter", "Requests whose body had arrived", (double)d->requests);
    figure(out, "http_refused_total", "counter", "Requests refused by a limit", (double)d->refused);
    label_head(out, "http_answers_total", "counter", "Answers by class of status");
    for (int i = 1; i <= 5; i++)
        fprintf(out, "cryptosmart_http_answers_total{class=\"%dxx\"} %llu\n", i,
                (unsigned long long)d->answers[i]);
    figure(out, "http_streams", "gauge", "Open event streams", (double)streams_count(d->streams));
}

static double seconds_of(csm_time time) {
    return time == CSM_TIME_MIN ? NAN : (double)time / (double)CSM_SECOND;
}

static void coverage_figures(FILE *out, const view *v) {
    csm_discovery *discovery = NULL;
    const csm_market *m =
        v->markets && csm_market_list_count(v->markets) ? csm_market_list_at(v->markets, 0) : NULL;
    if (!m || csm_discover_last(&discovery, v->store, m->venue) != CSM_OK) return;
    const csm_coverage *c = csm_discovery_coverage(discovery);
    label_head(out, "coverage_pairs", "gauge", "Pairs of the newest listing");
    fprintf(out,
            "cryptosmart_coverage_pairs{part=\"offered\"} "
            "%zu\ncryptosmart_coverage_pairs{part=\"processed\"} %zu\n"
            "cryptosmart_coverage_pairs{part=\"excluded\"} %zu\n",
            c->pairs_offered, c->pairs_processed, c->pairs_excluded);
    csm_discovery_free(discovery);
}

static void model_figures(FILE *out, const view *v) {
    char name[32];
    label_head(out, "model_brier_skill", "gauge", "Brier skill of the champion's walk-forward record");
    for (size_t h = 0; v->champion && h < csm_training_horizons(v->champion); h++) {
        const csm_horizon_training *t = csm_training_horizon(v->champion, h);
        if (isnan(t->model.brier_skill.value)) continue;
        fprintf(out, "cryptosmart_model_brier_skill{horizon=\"%s\"} %.17g\n",
                horizon_text(t->horizon, name, sizeof name), t->model.brier_skill.value);
    }
}

static void view_figures(FILE *out, view *v) {
    const csm_pipeline_status *s = &v->status;
    size_t shown = 0, predicted = 0;
    for (size_t i = 0; i < batch_count(v); i++) {
        if (batch_at(v, i)->horizon != v->gate_horizon) continue;
        predicted++;
        shown += batch_at(v, i)->show == 0;
    }
    figure(out, "markets", "gauge", "Registered markets", (double)s->markets);
    figure(out, "universe", "gauge", "Modelled markets", (double)s->universe);
    figure(out, "streams", "gauge", "Streams of the store", (double)s->streams);
    figure(out, "rows", "gauge", "Stored records", (double)s->rows);
    figure(out, "ledger_rows", "gauge", "Rows of the ledger", (double)s->ledger.rows);
    figure(out, "coins_predicted", "gauge", "Coins of the newest decision", (double)predicted);
    figure(out, "coins_shown", "gauge", "Coins that passed the gate", (double)shown);
    figure(out, "last_bar_time_seconds", "gauge", "Open of the newest bar", seconds_of(s->last));
    figure(out, "last_discovery_time_seconds", "gauge", "Time of the newest coverage run",
           seconds_of(s->discovered));
    figure(out, "champion_time_seconds", "gauge", "Data that the champion was trained on",
           seconds_of(s->trained));
    figure(out, "live_clock_seconds", "gauge", "Span of live predictions", seconds_of(s->live_clock));
    figure(out, "view_build_seconds", "gauge", "Time that the present view took to make",
           (double)v->build_microseconds / 1e6);
    pthread_mutex_lock(&v->reading);
    coverage_figures(out, v);
    pthread_mutex_unlock(&v->reading);
    model_figures(out, v);
}

/* Numbers that the daemon's jobs measured, and their queue. */
static void daemon_figures(FILE *out, dashboard *d) {
    sqlite3 *db = NULL;
    json_t *runs = json_array(), *facts = json_array(), *row;
    size_t i;
    if (rows_open(&db, d->database) == CSM_OK) {
        rows_run(db, runs, "SELECT state, count(*) AS count FROM job_runs GROUP BY state ORDER BY state", "");
        rows_run(db, facts, "SELECT name, value FROM facts WHERE value IS NOT NULL ORDER BY name", "");
    }
    sqlite3_close(db);
    label_head(out, "job_runs", "gauge", "Recorded runs of jobs by state");
    json_array_foreach(runs, i, row) {
        fprintf(out, "cryptosmart_job_runs{state=\"%s\"} %lld\n",
                json_string_value(json_object_get(row, "state")),
                (long long)json_integer_value(json_object_get(row, "count")));
    }
    label_head(out, "fact", "gauge", "What jobs measured last");
    json_array_foreach(facts, i, row) {
        const char *name = json_string_value(json_object_get(row, "name"));
        if (!strpbrk(name, "\"\\\n"))
            fprintf(out, "cryptosmart_fact{name=\"%s\"} %.17g\n", name,
                    json_number_value(json_object_get(row, "value")));
    }
    json_decref(runs);
    json_decref(facts);
}

void route_metrics(request *r) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out) return;
    view *v = viewer_hold(r->dashboard->viewer);
    r->held = v;
    label_head(out, "build_info", "gauge", "Version of the library");
    fprintf(out, "cryptosmart_build_info{version=\"%s\"} 1\n", csm_version());
    figure(out, "up", "gauge", "1: the workspace can be read", v && !*v->problem);
    process_figures(out);
    server_figures(out, r->dashboard);
    daemon_figures(out, r->dashboard);
    if (v && !*v->problem) view_figures(out, v);
    if (fclose(out) == 0) answer_bytes(r, 200, "text/plain; version=0.0.4; charset=utf-8", text, length);
    free(text);
}
