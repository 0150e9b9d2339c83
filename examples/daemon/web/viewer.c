/* SPDX-License-Identifier: MIT */
#include "viewer.h"

#include "rows.h"
#include "server.h"
#include "streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_SECONDS 1
#define HEARTBEAT_SECONDS 15
#define AGE_SECONDS 60 /* a view is made anew when older: parts of it depend on the time */
#define PAUSE_SHARE 10 /* a view that took so long is kept ten times as long: ingest commits all the time */
#define PAUSE_MOST 60  /* seconds */

struct viewer {
    dashboard *dashboard;
    pthread_mutex_t mutex; /* of everything below */
    pthread_cond_t wake;
    pthread_t thread;
    bool running;
    bool stopping;
    view *present;
    uint64_t made;
    int64_t pause; /* seconds until the next view at the earliest; of the thread alone */
};

typedef json_t *(*page_fn)(const view *v);
static const page_fn pages[PAGE_COUNT] = {
    [PAGE_RANKING] = view_ranking, [PAGE_MATRIX] = view_matrix, [PAGE_GATE] = view_gate,
    [PAGE_HEALTH] = view_health,   [PAGE_STATUS] = view_status, [PAGE_COVERAGE] = view_coverage,
    [PAGE_SOURCES] = view_sources, [PAGE_MODELS] = view_models, [PAGE_RELIABILITY] = view_reliability,
    [PAGE_COINS] = view_coins,
};

/* ---- a view ---- */

static void view_free(view *v) {
    if (!v) return;
    for (size_t i = 0; i < PAGE_COUNT; i++) {
        if (v->page[i]) MHD_destroy_response(v->page[i]);
        if (v->unchanged[i]) MHD_destroy_response(v->unchanged[i]);
    }
    csm_frame_free(v->frame);
    csm_market_list_free(v->universe);
    csm_market_list_free(v->markets);
    csm_stream_list_free(v->streams);
    csm_ledger_history_free(v->batch);
    csm_training_free(v->champion);
    csm_pipeline_free(v->pipeline);
    csm_context_free(v->context);
    pthread_mutex_destroy(&v->reading);
    free(v);
}

/* Entries of the newest decision. The ledger may be long, so the search begins with the last days before the newest bar. */
static csm_status newest_batch(view *v, csm_time now) {
    static const csm_time spans[] = {2 * CSM_DAY, 14 * CSM_DAY, 120 * CSM_DAY, 0};
    csm_status status = CSM_OK;
    size_t count = 0;
    for (size_t i = 0; i < sizeof spans / sizeof *spans && count == 0 && status == CSM_OK; i++) {
        csm_ledger_history_free(v->batch);
        v->batch = NULL;
        status = csm_learn_history(&v->batch, v->store, 0, spans[i] ? now - spans[i] : CSM_TIME_MIN,
                                   CSM_TIME_MAX, 0);
        if (status == CSM_OK) count = csm_ledger_history_count(v->batch);
    }
    /* rows are in order of writing; the last batch is the newest decision's, unless it was replayed into the past */
    v->batch_first = count;
    while (v->batch_first > 0 && csm_ledger_history_at(v->batch, v->batch_first - 1)->decision ==
                                     csm_ledger_history_at(v->batch, count - 1)->decision)
        v->batch_first--;
    return status;
}

/* What is absent stays NULL: an empty workspace is a normal state. */
static csm_status read_parts(view *v, csm_time now) {
    csm_status status = csm_pipeline_status_report(&v->status, v->pipeline);
    if (status == CSM_OK) status = newest_batch(v, now);
    if (status == CSM_OK)
        status = csm_discover_markets(&v->markets, v->store, NULL, CSM_TIME_MAX, CSM_MARKETS_ALL);
    if (status == CSM_OK) status = csm_store_streams(&v->streams, v->store, NULL, NULL);
    if (status == CSM_OK) status = csm_pipeline_universe(&v->universe, v->pipeline, CSM_TIME_MAX);
    if (status == CSM_OK) {
        status = csm_pipeline_champion(&v->champion, v->pipeline);
        if (status == CSM_ENOTFOUND) status = CSM_OK;
    }
    return status;
}

/* A page, and the answer to who has it already. */
static bool write_page(const dashboard *d, view *v, size_t kind) {
    json_t *document = pages[kind](v);
    char *text = document ? json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(document);
    if (!text) return false;
    snprintf(v->tag[kind], sizeof v->tag[kind], "\"%llx-%llu\"", (unsigned long long)d->started,
             (unsigned long long)v->number);
    v->page[kind] = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
    v->unchanged[kind] = MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (!v->page[kind] || !v->unchanged[kind]) {
        if (!v->page[kind]) free(text);
        return false;
    }
    struct MHD_Response *both[] = {v->page[kind], v->unchanged[kind]};
    for (size_t i = 0; i < 2; i++) {
        security_headers(d, both[i]);
        MHD_add_response_header(both[i], "Cache-Control", "private, no-cache");
        MHD_add_response_header(both[i], "ETag", v->tag[kind]);
    }
    MHD_add_response_header(v->page[kind], "Content-Type", "application/json");
    return true;
}

static csm_time configured_horizon(const csm_config *config) {
    csm_time horizon = 30 * CSM_DAY;
    const char *text = csm_config_get(config, "gate.horizon");
    if (text) csm_interval_parse(&horizon, text);
    return horizon;
}

static int64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Failed among finished runs of the last week. */
static double error_ratio(const dashboard *d) {
    sqlite3 *db = NULL;
    json_t *rows = json_array();
    double ratio = NAN;
    if (rows_open(&db, d->database) == CSM_OK &&
        rows_run(db, rows,
                 "SELECT avg(state IN ('failed', 'timeout')) AS ratio FROM job_runs"
                 " WHERE state IN ('done', 'failed', 'timeout') AND ended > ?",
                 "i", dashboard_now(d) - CSM_WEEK) == 1) {
        const json_t *value = json_object_get(json_array_get(rows, 0), "ratio");
        if (json_is_real(value)) ratio = json_real_value(value);
    }
    sqlite3_close(db);
    json_decref(rows);
    return ratio;
}

/* NULL: no memory. Whatever else fails is the view's `problem`. */
static view *view_make(const dashboard *d, uint64_t number) {
    const int64_t began = microseconds();
    view *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    pthread_mutex_init(&v->reading, NULL);
    v->references = 1;
    v->number = number;
    v->made = dashboard_now(d);
    v->config = d->options.config;
    v->gate_horizon = configured_horizon(v->config);
    v->error_ratio = error_ratio(d);
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = 1;
    csm_status status = csm_context_new(&v->context, &options);
    if (status == CSM_OK) {
        if (d->options.host.clock)
            csm_context_set_clock(v->context, d->options.host.clock, d->options.host.user);
        status = csm_pipeline_open(&v->pipeline, v->context, v->config, d->workspace, CSM_STORE_READ);
    }
    if (status == CSM_OK) {
        v->store = csm_pipeline_store(v->pipeline);
        status = read_parts(v, v->made);
    }
    if (status != CSM_OK) snprintf(v->problem, sizeof v->problem, "%s", csm_error_message());
    bool good = true;
    for (size_t i = 0; i < PAGE_COUNT && status == CSM_OK && good; i++) good = write_page(d, v, i);
    v->build_microseconds = (uint64_t)(microseconds() - began);
    if (good) return v;
    view_free(v);
    return NULL;
}

/* ---- the thread ---- */

/* Changes whenever a transaction on the catalogue ends. */
static uint64_t fingerprint(const dashboard *d) {
    static const char *const names[] = {"catalog.db", "catalog.db-wal"};
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < 2; i++) {
        char path[4200];
        struct stat about;
        snprintf(path, sizeof path, "%s/%s", d->workspace, names[i]);
        if (stat(path, &about) != 0) continue;
        const uint64_t parts[] = {(uint64_t)about.st_size, (uint64_t)about.st_mtim.tv_sec,
                                  (uint64_t)about.st_mtim.tv_nsec, (uint64_t)about.st_ino};
        for (size_t p = 0; p < 4; p++) hash = (hash ^ parts[p]) * 1099511628211u;
    }
    return hash;
}

static void put_view(viewer *v, view *next) {
    pthread_mutex_lock(&v->mutex);
    view *before = v->present;
    v->present = next;
    const bool last = before && --before->references == 0;
    pthread_mutex_unlock(&v->mutex);
    if (last) view_free(before);
}

static void renew(viewer *v) {
    dashboard *d = v->dashboard;
    char data[80];
    view *next = view_make(d, ++v->made);
    if (!next) {
        dashboard_log(d, CSM_LOG_ERROR, "no memory for a view of the workspace");
        return;
    }
    if (*next->problem) dashboard_log(d, CSM_LOG_WARN, "the workspace cannot be read: %s", next->problem);
    v->pause = (int64_t)(next->build_microseconds * PAUSE_SHARE / 1000000);
    if (v->pause > PAUSE_MOST) v->pause = PAUSE_MOST;
    put_view(v, next);
    snprintf(data, sizeof data, "{\"view\":%llu}", (unsigned long long)v->made);
    streams_send(d->streams, "view", data);
}

static int64_t data_version(sqlite3 *db) {
    json_t *rows = json_array();
    int64_t version = -1;
    if (rows_run(db, rows, "PRAGMA data_version", "") == 1)
        version = json_integer_value(json_object_get(json_array_get(rows, 0), "data_version"));
    json_decref(rows);
    return version;
}

static bool wait_a_look(viewer *v) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LOOK_SECONDS;
    pthread_mutex_lock(&v->mutex);
    if (!v->stopping) pthread_cond_timedwait(&v->wake, &v->mutex, &until);
    const bool stopping = v->stopping;
    pthread_mutex_unlock(&v->mutex);
    return !stopping;
}

static void *look(void *user) {
    viewer *v = user;
    dashboard *d = v->dashboard;
    sqlite3 *db = NULL;
    uint64_t seen = 0;
    int64_t version = 0, viewed = -AGE_SECONDS, beat = 0;
    if (rows_open(&db, d->database) != CSM_OK)
        dashboard_log(d, CSM_LOG_ERROR, "%s cannot be opened", d->database);
    do {
        const int64_t now = microseconds() / 1000000, changed = db ? data_version(db) : 0;
        const uint64_t print = fingerprint(d);
        guard_sweep(d->guard);
        if ((print != seen && now - viewed >= v->pause) || now - viewed >= AGE_SECONDS) {
            renew(v);
            seen = print;
            viewed = now;
        }
        if (changed != version) streams_send(d->streams, "change", "{}");
        version = changed;
        if (now - beat >= HEARTBEAT_SECONDS) streams_send(d->streams, "heartbeat", "{}"), beat = now;
    } while (wait_a_look(v));
    sqlite3_close(db);
    return NULL;
}

viewer *viewer_new(dashboard *d) {
    viewer *v = calloc(1, sizeof *v);
    if (!v) return NULL;
    v->dashboard = d;
    pthread_mutex_init(&v->mutex, NULL);
    pthread_cond_init(&v->wake, NULL);
    v->running = pthread_create(&v->thread, NULL, look, v) == 0;
    if (v->running) return v;
    viewer_free(v);
    return NULL;
}

void viewer_stop(viewer *v) {
    if (!v || !v->running) return;
    pthread_mutex_lock(&v->mutex);
    v->stopping = true;
    pthread_cond_signal(&v->wake);
    pthread_mutex_unlock(&v->mutex);
    pthread_join(v->thread, NULL);
    v->running = false;
}

void viewer_free(viewer *v) {
    if (!v) return;
    viewer_stop(v);
    view_free(v->present);
    pthread_cond_destroy(&v->wake);
    pthread_mutex_destroy(&v->mutex);
    free(v);
}

view *viewer_hold(viewer *v) {
    pthread_mutex_lock(&v->mutex);
    view *held = v->present;
    if (held) held->references++;
    pthread_mutex_unlock(&v->mutex);
    return held;
}

void viewer_release(viewer *v, void *held) {
    view *released = held;
    if (!released) return;
    pthread_mutex_lock(&v->mutex);
    const bool last = --released->references == 0;
    pthread_mutex_unlock(&v->mutex);
    if (last) view_free(released);
}

/* ---- routes of pages ---- */

static void answer_page(request *r, page_kind kind) {
    view *v = viewer_hold(r->dashboard->viewer);
    r->held = v;
    if (!v || !v->page[kind]) {
        answer_problem(r, 503, "%s", v && *v->problem ? v->problem : "the workspace has not been read yet");
        answer_header(r, "Retry-After", "2");
        return;
    }
    const char *known = request_header(r, "If-None-Match");
    if (known && strcmp(known, v->tag[kind]) == 0)
        answer_shared(r, 304, v->unchanged[kind]);
    else
        answer_shared(r, 200, v->page[kind]);
}

#define PAGE_ROUTE(name, kind)                                                                               \
    void route_##name(request *r) {                                                                          \
        answer_page(r, kind);                                                                                \
    }
PAGE_ROUTE(ranking, PAGE_RANKING)
PAGE_ROUTE(matrix, PAGE_MATRIX)
PAGE_ROUTE(gate, PAGE_GATE)
PAGE_ROUTE(health, PAGE_HEALTH)
PAGE_ROUTE(status, PAGE_STATUS)
PAGE_ROUTE(coverage, PAGE_COVERAGE)
PAGE_ROUTE(sources, PAGE_SOURCES)
PAGE_ROUTE(models, PAGE_MODELS)
PAGE_ROUTE(reliability, PAGE_RELIABILITY)
PAGE_ROUTE(coins, PAGE_COINS)
#undef PAGE_ROUTE
