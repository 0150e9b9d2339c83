/* SPDX-License-Identifier: MIT */
/* health: what the workspace holds, how fresh and how complete it is, as facts that alerts and pages look at. Reads only. */
#include "job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- completeness: of the markets that are modelled, how many have bars that are not stale ---- */

typedef struct freshness {
    size_t fresh;
    size_t stale;
    char missing[400]; /* the first coins that are stale */
} freshness;

static csm_time newest_bar(const csm_stream_list *streams, const csm_market *market) {
    csm_time newest = CSM_TIME_MIN;
    for (size_t i = 0; i < csm_stream_list_count(streams); i++) {
        const csm_stream_info *info = csm_stream_list_at(streams, i);
        if (info->stream.epoch == market->epoch && info->available > newest &&
            strcmp(info->stream.symbol, market->symbol) == 0 &&
            strcmp(info->stream.venue, market->venue) == 0)
            newest = info->available;
    }
    return newest;
}

static void count_fresh(freshness *f, const csm_market_list *universe, const csm_stream_list *streams,
                        csm_time oldest) {
    size_t used = 0;
    for (size_t i = 0; i < csm_market_list_count(universe); i++) {
        const csm_market *market = csm_market_list_at(universe, i);
        if (newest_bar(streams, market) >= oldest) {
            f->fresh++;
            continue;
        }
        f->stale++;
        int n = snprintf(f->missing + used, sizeof f->missing - used, "%s%s", used ? ", " : "", market->coin);
        if (n > 0 && (size_t)n < sizeof f->missing - used)
            used += (size_t)n;
        else
            f->missing[used] = 0;
    }
}

static csm_status measure_freshness(const job_process *p, csm_pipeline *pipeline) {
    csm_market_list *universe = NULL;
    csm_stream_list *streams = NULL;
    freshness f = {0};
    csm_time oldest = csm_context_now(p->context) - settings_duration(p->config, "fuse.stale_after");
    csm_status status = csm_pipeline_universe(&universe, pipeline, CSM_TIME_MAX);
    if (status == CSM_ENODATA) return CSM_OK; /* nothing is registered yet: not known, not zero */
    if (status == CSM_OK) status = csm_store_streams(&streams, csm_pipeline_store(pipeline), "bars", NULL);
    if (status == CSM_OK) {
        count_fresh(&f, universe, streams, oldest);
        size_t all = f.fresh + f.stale;
        emit_fact("coins.missing", (double)f.stale, "%s",
                  f.stale ? f.missing : "every modelled coin has bars that are not stale");
        emit_fact("data.completeness", all ? (double)f.fresh / (double)all : (double)NAN,
                  "%zu of %zu modelled coins have bars that are not stale", f.fresh, all);
    } else {
        status = fail_library(status, "");
    }
    csm_stream_list_free(streams);
    csm_market_list_free(universe);
    return status;
}

/* ---- the workspace ---- */

static double age(csm_time now, csm_time then) {
    return then == CSM_TIME_MIN ? (double)NAN : (double)(now - then) / (double)CSM_SECOND;
}

static csm_status measure_workspace(const job_process *p, csm_pipeline *pipeline) {
    csm_pipeline_status s;
    csm_status status = csm_pipeline_status_report(&s, pipeline);
    if (status != CSM_OK) return fail_library(status, "");
    csm_time now = csm_context_now(p->context);
    emit_fact("store.rows", (double)s.rows, "records of %zu streams", s.streams);
    emit_fact("store.age", age(now, s.last), "seconds since the open of the newest bar");
    emit_fact("discover.age", age(now, s.discovered), "seconds since the newest coverage run");
    emit_fact("model.age", age(now, s.trained), "seconds since the champion's data ended");
    emit_fact("ledger.rows", (double)s.ledger.rows, "head %.12s", s.ledger.hash);
    emit_fact("universe.coins", (double)s.universe, "coins that are modelled");
    emit_result(json_pack("{s:I,s:I,s:I,s:o,s:o,s:s}", "markets", (json_int_t)s.markets, "universe",
                          (json_int_t)s.universe, "records", (json_int_t)s.rows, "last_bar",
                          json_time_or_null(s.last), "trained", json_time_or_null(s.trained), "recipe",
                          s.recipe));
    return CSM_OK;
}

/* ---- evidence, drift and the health score ---- */

static csm_status measure_gates(const job_process *p, csm_pipeline *pipeline) {
    char item[64], name[96];
    double alarms = 0, revoked = 0;
    csm_time horizon = 0;
    csm_status status = CSM_OK;
    for (size_t i = 0; status == CSM_OK && settings_item(p->config, "train.horizons", i, item, sizeof item);
         i++) {
        csm_gate_report gate;
        status = csm_interval_parse(&horizon, item);
        if (status == CSM_OK) status = csm_pipeline_gate(&gate, pipeline, horizon);
        if (status != CSM_OK) break;
        snprintf(name, sizeof name, "gate.open.%s", item);
        emit_fact(name, gate.open, "%.400s", gate.open ? "open" : gate.text);
        alarms += gate.alarms > 0;
        revoked += gate.evidence == CSM_EVIDENCE_REVOKED;
    }
    if (status == CSM_ENODATA || status == CSM_ENOTFOUND)
        return CSM_OK; /* nothing is trained yet: not known */
    if (status != CSM_OK) return fail_library(status, "");
    emit_fact("drift.alarms", alarms, "horizons with a drift alarm");
    emit_fact("evidence.revoked", revoked, "horizons whose evidence was revoked");
    return CSM_OK;
}

/* Share of the last week's ended runs that failed; NaN when there was none. */
static double error_ratio(const job_process *p) {
    char path[DAEMON_PATH + 32];
    database *db = NULL;
    int64_t all = 0, failed = 0;
    csm_time week_ago = csm_context_now(p->context) - CSM_WEEK;
    snprintf(path, sizeof path, "%s/daemon.db", p->daemon->workspace);
    if (database_open_reader(&db, path) != CSM_OK) return (double)NAN;
    csm_status status = database_integer(
        &all, db, "SELECT count(*) FROM job_runs WHERE state IN ('done','failed','timeout') AND ended>?", "i",
        week_ago);
    if (status == CSM_OK)
        status = database_integer(
            &failed, db, "SELECT count(*) FROM job_runs WHERE state IN ('failed','timeout') AND ended>?", "i",
            week_ago);
    database_close(db);
    return status == CSM_OK && all > 0 ? (double)failed / (double)all : (double)NAN;
}

static csm_status measure_health(const job_process *p, csm_pipeline *pipeline) {
    csm_health health;
    csm_status status = csm_pipeline_health(&health, pipeline, error_ratio(p));
    if (status == CSM_ENODATA || status == CSM_ENOTFOUND) return CSM_OK;
    if (status != CSM_OK) return fail_library(status, "");
    emit_fact("health.score", health.score, "%u of %d parts are not available", health.missing,
              CSM_HEALTH_PARTS);
    emit_fact("health.available", health.available, "of the parts that are available");
    return CSM_OK;
}

csm_status job_health(const job_process *p) {
    csm_pipeline *pipeline = NULL;
    csm_status status =
        csm_pipeline_open(&pipeline, p->context, p->config, p->daemon->workspace, CSM_STORE_READ);
    if (status != CSM_OK) return fail_library(status, "");
    status = measure_freshness(p, pipeline);
    if (status == CSM_OK) status = measure_workspace(p, pipeline);
    if (status == CSM_OK) status = measure_gates(p, pipeline);
    if (status == CSM_OK) status = measure_health(p, pipeline);
    csm_pipeline_free(pipeline);
    return status;
}
