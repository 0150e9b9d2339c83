/* SPDX-License-Identifier: MIT */
/* The steps of the cycle that only connect stages: discover, ingest, adopt, learn, fuse, audit. */
#include "core/platform.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <string.h>

/* ---- network ---- */

static csm_status open_net(csm_net **out, const csm_pipeline *p) {
    csm_net_options options;
    csm_net_options_init(&options);
    const char *cassette = csm_config_get(p->config, "net.cassette");
    const char *mode = csm_config_get(p->config, "net.cassette_mode");
    options.total_timeout = csm_config_duration(p->config, "net.timeout");
    options.allow_private = csm_config_boolean(p->config, "net.allow_private") ? 1u : 0u;
    options.cassette_path = *cassette ? cassette : NULL;
    if (strcmp(mode, "record") == 0)
        options.cassette_mode = CSM_CASSETTE_RECORD;
    else if (strcmp(mode, "replay") == 0)
        options.cassette_mode = CSM_CASSETTE_REPLAY;
    else if (strcmp(mode, "off") != 0)
        return csm_fail(CSM_EINVAL, "net.cassette_mode: '%s' is not off, record or replay", mode);
    char *state = csm_strformat("%s/net-state.json", p->workspace);
    if (!state) return CSM_ENOMEM;
    options.state_path = state;
    csm_status status = csm_net_new(out, p->context, &options);
    csm_dealloc(state);
    return status;
}

#define QUOTES_MOST 16
typedef struct quote_list {
    char text[QUOTES_MOST][32];
    const char *quote[QUOTES_MOST + 1];
} quote_list;

static void read_quotes(quote_list *out, const csm_config *config) {
    size_t n = 0;
    while (n < QUOTES_MOST &&
           csm_config_item(config, "universe.quotes", n, out->text[n], sizeof out->text[n])) {
        out->quote[n] = out->text[n];
        n++;
    }
    out->quote[n] = NULL;
}

csm_status csm_pipeline_discover(csm_discovery **out, csm_pipeline *pipeline) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "discover: out and pipeline are required");
    quote_list quotes = {0};
    read_quotes(&quotes, pipeline->config);
    csm_discover_options options;
    csm_discover_options_init(&options);
    options.quotes = quotes.quote;
    csm_net *net = NULL;
    csm_status status = open_net(&net, pipeline);
    if (status == CSM_OK)
        status = csm_discover_kraken(out, pipeline->context, pipeline->store, net,
                                     csm_config_get(pipeline->config, "kraken.url"), &options);
    csm_net_free(net);
    return status;
}

/* ---- ingest ---- */

#define INTERVALS_MOST 16

static csm_status ingest_options(csm_ingest_options *options, csm_time *intervals, const csm_pipeline *p,
                                 const csm_source *source) {
    csm_ingest_options_init(options);
    csm_status status = csm_config_durations(intervals, INTERVALS_MOST, &options->interval_count, p->config,
                                             "ingest.intervals");
    options->intervals = intervals;
    options->depth = (uint32_t)csm_config_integer(p->config, "ingest.depth");
    options->most_requests = (uint64_t)csm_config_integer(p->config, "ingest.most_requests");
    csm_time history = csm_config_duration(p->config, "ingest.history");
    if (history > 0) options->from = csm_context_now(p->context) - history;
    options->provenance_prefix = csm_config_get(p->config, "ingest.provenance_prefix");
    if (strncmp(source->name, "kraken.", 7) == 0) options->base_url = csm_config_get(p->config, "kraken.url");
    if (strcmp(source->name, "alternative.fear_greed") == 0)
        options->base_url = csm_config_get(p->config, "fear_greed.url");
    return status;
}

/* Bars of the modelled interval from the trades that reach back further than candles do. */
static csm_status rebuild_bars(csm_pipeline *p, const universe *u) {
    csm_time now = csm_context_now(p->context), history = csm_config_duration(p->config, "ingest.history");
    csm_time from = history > 0 ? now - history : now - 30 * CSM_DAY;
    csm_status status = CSM_OK;
    for (size_t m = 0; status == CSM_OK && m < u->count; m++) {
        uint64_t rows = 0;
        status = csm_ingest_bars_from_trades(&rows, p->context, p->store, u->market[m],
                                             p->settings.fuse.interval, from, now);
        if (status == CSM_ENODATA) status = CSM_OK;
    }
    return status;
}

static csm_status ingest_source(csm_ingest_report **report, csm_pipeline *p, csm_net *net, const universe *u,
                                const char *name) {
    const csm_source *source = csm_ingest_source_find(name);
    if (!source) return csm_fail(CSM_EINVAL, "ingest.sources: unknown source '%s'", name);
    csm_ingest_options options;
    csm_time intervals[INTERVALS_MOST];
    csm_ingest_report *one = NULL;
    csm_status status = ingest_options(&options, intervals, p, source);
    if (status == CSM_OK)
        status = csm_ingest_run(&one, p->context, p->store, net, source, u->market, u->count, &options);
    if (status == CSM_OK) status = csm_ingest_report_join(report, one);
    csm_ingest_report_free(one);
    if (status == CSM_OK && strcmp(source->kind, "trades") == 0) status = rebuild_bars(p, u);
    return status;
}

csm_status csm_pipeline_ingest(csm_ingest_report **out, csm_pipeline *pipeline) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "ingest: out and pipeline are required");
    universe u = {0};
    csm_net *net = NULL;
    csm_ingest_report *report = NULL;
    csm_status status = csm_universe_make(&u, pipeline, csm_context_now(pipeline->context), false);
    if (status == CSM_OK) status = open_net(&net, pipeline);
    char name[64];
    for (size_t i = 0; status == CSM_OK; i++) {
        if (!csm_config_item(pipeline->config, "ingest.sources", i, name, sizeof name)) break;
        status = ingest_source(&report, pipeline, net, &u, name);
    }
    csm_net_free(net);
    csm_universe_free(&u);
    if (status != CSM_OK) {
        csm_ingest_report_free(report);
        return status;
    }
    *out = report;
    return CSM_OK;
}

csm_status csm_pipeline_ingest_part(csm_ingest_report **out, size_t *total, csm_pipeline *pipeline,
                                    const char *source, size_t first, size_t count) {
    if (!out || !total || !pipeline || !source || count == 0)
        return csm_fail(CSM_EINVAL, "ingest: out, total, pipeline, source and a count above 0 are required");
    const csm_source *row = csm_ingest_source_find(source);
    if (!row) return csm_fail(CSM_EINVAL, "ingest: unknown source '%s'", source);
    universe u = {0};
    csm_net *net = NULL;
    csm_ingest_report *report = NULL;
    csm_status status = csm_universe_make(&u, pipeline, csm_context_now(pipeline->context), false);
    if (status == CSM_OK) status = open_net(&net, pipeline);
    universe part = u;
    if (row->per_market && first < u.count) {
        part.market = u.market + first;
        part.count = u.count - first < count ? u.count - first : count;
    }
    *total = row->per_market ? u.count : 1;
    if (status == CSM_OK && first < *total) status = ingest_source(&report, pipeline, net, &part, source);
    csm_net_free(net);
    csm_universe_free(&u);
    if (status != CSM_OK) {
        csm_ingest_report_free(report);
        return status;
    }
    *out = report;
    return CSM_OK;
}

/* ---- learn, fuse, audit ---- */

csm_status csm_pipeline_learn(csm_maturing *out, csm_pipeline *pipeline) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "learn: out and pipeline are required");
    universe u;
    csm_time now = csm_context_now(pipeline->context);
    csm_status status = csm_universe_make(&u, pipeline, now, true);
    if (status == CSM_OK)
        status = csm_learn_mature(out, pipeline->context, pipeline->store, u.market, u.count, now);
    csm_universe_free(&u);
    return status;
}

static csm_status fuse(csm_frame **out, csm_pipeline *p, const universe *u, csm_time from, csm_time to,
                       csm_time as_of) {
    csm_recipe *recipe = NULL;
    csm_time first = 0, last = 0;
    csm_status status = csm_pipeline_recipe(&recipe, p, u);
    if (status == CSM_OK) status = csm_pipeline_span(&first, &last, p, u);
    csm_fuse_options options = p->settings.fuse;
    options.as_of = as_of;
    options.from = from > first ? from : first;
    options.to = to < last + 1 ? to : last + 1;
    if (status == CSM_OK && options.from >= options.to)
        status = csm_fail(CSM_ENODATA, "fuse: no decision between the times asked for");
    if (status == CSM_OK)
        status = csm_fuse_build(out, p->context, p->store, recipe, u->market, u->count, &options);
    csm_recipe_free(recipe);
    return status;
}

csm_status csm_pipeline_fuse(csm_frame **out, csm_pipeline *pipeline, csm_time from, csm_time to,
                             csm_time as_of) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "fuse: out and pipeline are required");
    universe u;
    csm_status status = csm_universe_make(&u, pipeline, as_of, true);
    if (status == CSM_OK) status = fuse(out, pipeline, &u, from, to, as_of);
    csm_universe_free(&u);
    return status;
}

/* Decision times of the frame at even steps, the last one among them. */
static size_t spread_times(csm_time *times, size_t count, const csm_frame *frame) {
    csm_time first = CSM_TIME_MAX, last = CSM_TIME_MIN;
    const csm_time *rows = csm_frame_times(frame);
    for (size_t r = 0; r < csm_frame_rows(frame); r++) {
        if (rows[r] < first) first = rows[r];
        if (rows[r] > last) last = rows[r];
    }
    if (last == CSM_TIME_MIN) return 0;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        csm_time time = csm_time_floor(last - (last - first) / (csm_time)count * (csm_time)i, CSM_HOUR);
        if (n == 0 || time < times[n - 1]) times[n++] = time;
    }
    return n;
}

csm_status csm_pipeline_audit(csm_audit *out, csm_pipeline *pipeline, size_t times) {
    if (!out || !pipeline || times == 0 || times > 10000)
        return csm_fail(CSM_EINVAL, "audit: %zu decision times are outside 1..10000", times);
    universe u;
    csm_frame *frame = NULL;
    csm_time now = csm_context_now(pipeline->context);
    csm_time *at = csm_alloc_array(times, sizeof *at);
    csm_status status = at ? csm_universe_make(&u, pipeline, now, true) : CSM_ENOMEM;
    if (status != CSM_OK) {
        csm_dealloc(at);
        return status;
    }
    status = fuse(&frame, pipeline, &u, CSM_TIME_MIN, CSM_TIME_MAX, now);
    size_t n = status == CSM_OK ? spread_times(at, times, frame) : 0;
    if (status == CSM_OK)
        status = csm_fuse_audit(out, pipeline->context, pipeline->store, frame, u.market, u.count, at, n);
    csm_frame_free(frame);
    csm_universe_free(&u);
    csm_dealloc(at);
    return status;
}
