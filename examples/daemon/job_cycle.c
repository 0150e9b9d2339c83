/* SPDX-License-Identifier: MIT */
/* discover, ingest, predict, learn: the steps of the cycle, as jobs. */
#include "job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- discover ---- */

static json_t *reasons_of(const size_t by_reason[64]) {
    json_t *reasons = json_object();
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (by_reason[bit] && csm_reason_name(bit))
            json_object_set_new(reasons, csm_reason_name(bit), json_integer((json_int_t)by_reason[bit]));
    }
    return reasons;
}

static json_t *part_of(size_t offered, size_t processed, size_t excluded, const size_t by_reason[64]) {
    return json_pack("{s:I,s:I,s:I,s:o}", "offered", (json_int_t)offered, "processed", (json_int_t)processed,
                     "excluded", (json_int_t)excluded, "by_reason", reasons_of(by_reason));
}

static json_t *events_of(const csm_discovery *discovery) {
    json_t *events = json_array();
    for (size_t i = 0; i < csm_discovery_event_count(discovery) && i < 200; i++) {
        const csm_listing_event *e = csm_discovery_event_at(discovery, i);
        json_array_append_new(events, json_pack("{s:s,s:s,s:s,s:s}", "kind", csm_discover_event_name(e->kind),
                                                "market", e->market, "before", e->before, "after", e->after));
    }
    return events;
}

csm_status job_discover(const job_process *p) {
    csm_pipeline *pipeline = NULL;
    csm_discovery *discovery = NULL;
    csm_status status = job_open(&pipeline, p);
    if (status != CSM_OK) return status;
    status = csm_pipeline_discover(&discovery, pipeline);
    if (status == CSM_OK) {
        const csm_coverage *c = csm_discovery_coverage(discovery);
        size_t missing = c->pairs_offered - c->pairs_processed - c->pairs_excluded;
        emit_fact("coverage.offered", (double)c->pairs_offered, "markets offered by %s", c->venue);
        emit_fact("coverage.processed", (double)c->pairs_processed, "markets processed");
        emit_fact("coverage.missing", (double)missing,
                  "markets offered that are neither processed nor excluded");
        emit_result(json_pack(
            "{s:s,s:I,s:s,s:o,s:o,s:o}", "venue", c->venue, "coverage_run", (json_int_t)c->run,
            "listing_hash", c->listing_hash, "pairs",
            part_of(c->pairs_offered, c->pairs_processed, c->pairs_excluded, c->pairs_by_reason), "coins",
            part_of(c->coins_offered, c->coins_processed, c->coins_excluded, c->coins_by_reason), "events",
            events_of(discovery)));
    } else {
        status = fail_library(status, "");
        if (status == CSM_ECOVERAGE) emit_fact("coverage.missing", 1, "%s", failure_text());
    }
    csm_discovery_free(discovery);
    csm_pipeline_free(pipeline);
    return status;
}

/* ---- ingest ---- */

typedef struct ingest_sum {
    uint64_t rows;
    uint64_t requests;
    size_t items;
    size_t troubled;
    bool latched;
    const char *trouble; /* text of the first item in trouble */
} ingest_sum;

static ingest_sum sum_report(const csm_ingest_report *report) {
    ingest_sum sum = {.trouble = ""};
    for (size_t i = 0; i < csm_ingest_report_count(report); i++) {
        const csm_ingest_item *item = csm_ingest_report_at(report, i);
        bool trouble = item->net_class != CSM_NET_OK && item->net_class != CSM_NET_EMPTY;
        sum.rows += item->rows;
        sum.requests += item->requests;
        sum.items++;
        sum.latched = sum.latched || item->net_class == CSM_NET_LATCHED || item->net_class == CSM_NET_AUTH;
        if (trouble && sum.troubled++ == 0) sum.trouble = item->text;
    }
    return sum;
}

static json_t *items_of(const csm_ingest_report *report) {
    json_t *items = json_array();
    for (size_t i = 0; i < csm_ingest_report_count(report) && i < 300; i++) {
        const csm_ingest_item *item = csm_ingest_report_at(report, i);
        if (item->net_class == CSM_NET_OK && !*item->text) continue;
        json_array_append_new(items, json_pack("{s:s,s:s,s:s}", "market", item->market, "class",
                                               csm_net_class_name(item->net_class), "text", item->text));
    }
    return items;
}

static csm_status show_ingest(const job_process *p, const csm_ingest_report *report, size_t next,
                              size_t total) {
    char name[128], cursor[32] = "";
    ingest_sum sum = sum_report(report);
    if (next < total) snprintf(cursor, sizeof cursor, "%zu", next);
    snprintf(name, sizeof name, "source.latched.%s", p->source);
    emit_fact(name, sum.latched, "%s", sum.latched ? sum.trouble : "asked as usual");
    snprintf(name, sizeof name, "source.trouble.%s", p->source);
    emit_fact(name, sum.items ? (double)sum.troubled / (double)sum.items : 0,
              "%zu of %zu items in trouble%s%s", sum.troubled, sum.items, *sum.trouble ? ": " : "",
              sum.trouble);
    emit_cursor(cursor);
    emit_result(json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "source", p->source, "rows",
                          (json_int_t)sum.rows, "requests", (json_int_t)sum.requests, "items",
                          (json_int_t)sum.items, "troubled", (json_int_t)sum.troubled, "next",
                          (json_int_t)next, "total", (json_int_t)total, "troubles", items_of(report)));
    /* one market's failure is its own; a source that answered nobody is the run's */
    if (sum.items > 0 && sum.troubled == sum.items)
        return fail(sum.latched ? CSM_EAUTH : CSM_ETRANSIENT, "%s: %s", p->source, sum.trouble);
    return CSM_OK;
}

csm_status job_ingest(const job_process *p) {
    csm_pipeline *pipeline = NULL;
    csm_ingest_report *report = NULL;
    size_t first = (size_t)strtoul(p->request->cursor, NULL, 10), total = 0;
    size_t slice = (size_t)settings_integer(p->config, "daemon.ingest_slice");
    csm_status status = job_open(&pipeline, p);
    if (status != CSM_OK) return status;
    status = csm_pipeline_ingest_part(&report, &total, pipeline, p->source, first, slice);
    if (status == CSM_OK)
        status = show_ingest(p, report, first + slice, total);
    else
        status = fail_library(status, "");
    csm_ingest_report_free(report);
    csm_pipeline_free(pipeline);
    return status;
}

/* ---- predict ---- */

static json_t *funnel_of(const csm_ranking *ranking) {
    json_t *steps = json_array();
    for (size_t i = 0; i < csm_ranking_funnel_count(ranking); i++) {
        const csm_funnel_step *step = csm_ranking_funnel_at(ranking, i);
        json_array_append_new(steps, json_pack("{s:s,s:I,s:I,s:I}", "reason", csm_reason_name(step->reason),
                                               "fell", (json_int_t)step->fell, "failed",
                                               (json_int_t)step->failed, "left", (json_int_t)step->left));
    }
    return steps;
}

static void show_ranking(const csm_ranking *ranking) {
    size_t shown = csm_ranking_count(ranking), total = csm_ranking_total(ranking);
    emit_fact("predict.coins", (double)total, "coins of the newest prediction");
    emit_fact("predict.shown", (double)shown, "coins that passed the gate");
    emit_result(json_pack("{s:I,s:I,s:o}", "coins", (json_int_t)total, "shown", (json_int_t)shown, "funnel",
                          funnel_of(ranking)));
}

csm_status job_predict(const job_process *p) {
    csm_pipeline *pipeline = NULL;
    csm_ranking *ranking = NULL;
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.backfill = p->test;
    csm_status status = job_open(&pipeline, p);
    if (status != CSM_OK) return status;
    status = csm_pipeline_predict(&ranking, pipeline, &options);
    if (status == CSM_OK) {
        show_ranking(ranking);
    } else if (status ==
               CSM_EEXIST) { /* a run that was killed after it had written: the ledger has the rows */
        emit_result(json_pack("{s:s}", "text", csm_error_message()));
        status = CSM_OK;
    } else {
        status = fail_library(status, "");
    }
    csm_ranking_free(ranking);
    csm_pipeline_free(pipeline);
    return status;
}

/* ---- learn: mature, score, decide ---- */

json_t *decisions_of(const csm_decision_list *list) {
    json_t *decisions = json_array();
    char horizon[CSM_TIME_TEXT];
    for (size_t i = 0; i < csm_decision_list_count(list) && i < 100; i++) {
        const csm_decision *d = csm_decision_list_at(list, i);
        json_array_append_new(
            decisions, json_pack("{s:I,s:s,s:s,s:s,s:s}", "row", (json_int_t)d->row, "kind",
                                 csm_decision_name(d->kind), "model", d->model, "horizon",
                                 d->horizon ? csm_interval_format(d->horizon, horizon, sizeof horizon) : "",
                                 "text", d->text));
    }
    return decisions;
}

/* Challengers are trained by the job `retrain`, which has the limits for it. */
static csm_status decide(csm_decision_list **out, csm_pipeline *pipeline, const job_process *p) {
    csm_decide_options options;
    csm_decide_options_init(&options);
    options.train = 0;
    options.backfill = p->test;
    csm_status status = csm_pipeline_decide(out, pipeline, &options);
    return status == CSM_ENOTFOUND ? CSM_OK : status; /* no champion yet: nothing to decide on */
}

csm_status job_learn(const job_process *p) {
    csm_pipeline *pipeline = NULL;
    csm_decision_list *decisions = NULL;
    csm_maturing maturing = {0};
    csm_status status = job_open(&pipeline, p);
    if (status != CSM_OK) return status;
    status = csm_pipeline_learn(&maturing, pipeline);
    if (status == CSM_OK) status = decide(&decisions, pipeline, p);
    if (status == CSM_OK) {
        emit_fact("ledger.pending", (double)maturing.pending, "forecasts that wait for their outcome");
        emit_result(json_pack("{s:I,s:I,s:I,s:o}", "matured", (json_int_t)maturing.matured, "unknown",
                              (json_int_t)maturing.unknown, "pending", (json_int_t)maturing.pending,
                              "decisions", decisions_of(decisions)));
    } else {
        status = fail_library(status, "");
    }
    csm_decision_list_free(decisions);
    csm_pipeline_free(pipeline);
    return status;
}
