/* SPDX-License-Identifier: MIT */
#include "pipeline/champion.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <string.h>

static csm_status count_streams(csm_pipeline_status *out, const csm_pipeline *p) {
    csm_stream_list *streams = NULL;
    csm_status status = csm_store_streams(&streams, p->store, NULL, NULL);
    if (status != CSM_OK) return status;
    out->streams = csm_stream_list_count(streams);
    for (size_t i = 0; i < out->streams; i++) {
        const csm_stream_info *info = csm_stream_list_at(streams, i);
        out->rows += info->rows;
        if (strcmp(info->stream.kind, "bars") != 0) continue;
        if (out->first == CSM_TIME_MIN || info->first < out->first) out->first = info->first;
        if (info->last > out->last) out->last = info->last;
    }
    csm_stream_list_free(streams);
    return CSM_OK;
}

/* Span of bars of the market with the shortest history. */
static csm_status history_clock(csm_pipeline_status *out, const csm_pipeline *p,
                                const csm_market_list *markets) {
    csm_stream_list *streams = NULL;
    csm_status status = csm_store_streams(&streams, p->store, "bars", NULL);
    if (status != CSM_OK) return status;
    csm_time shortest = CSM_TIME_MAX;
    for (size_t m = 0; m < csm_market_list_count(markets); m++) {
        const csm_market *market = csm_market_list_at(markets, m);
        csm_time span = 0;
        for (size_t i = 0; i < csm_stream_list_count(streams); i++) {
            const csm_stream_info *info = csm_stream_list_at(streams, i);
            if (info->stream.interval == p->settings.fuse.interval && info->stream.epoch == market->epoch &&
                strcmp(info->stream.symbol, market->symbol) == 0 &&
                strcmp(info->stream.venue, market->venue) == 0)
                span = info->last + info->stream.interval - info->first;
        }
        if (span < shortest) shortest = span;
    }
    out->history_clock = shortest == CSM_TIME_MAX ? 0 : shortest;
    csm_stream_list_free(streams);
    return CSM_OK;
}

static csm_status count_markets(csm_pipeline_status *out, const csm_pipeline *p) {
    csm_market_list *all = NULL, *modelled = NULL;
    csm_time now = csm_context_now(p->context);
    csm_status status = csm_discover_markets(&all, p->store, NULL, now, CSM_MARKETS_ALL);
    if (status == CSM_OK) status = csm_pipeline_universe(&modelled, p, now);
    if (status == CSM_OK) {
        out->markets = csm_market_list_count(all);
        out->universe = csm_market_list_count(modelled);
        status = history_clock(out, p, modelled);
    }
    csm_market_list_free(modelled);
    csm_market_list_free(all);
    return status;
}

/* The newest coverage run of any venue the registry names. */
static csm_status last_discovery(csm_pipeline_status *out, const csm_pipeline *p) {
    csm_market_list *all = NULL;
    csm_status status =
        csm_discover_markets(&all, p->store, NULL, CSM_TIME_MAX, CSM_MARKETS_ALL | CSM_MARKETS_EVER);
    const char *venue = "";
    for (size_t i = 0; status == CSM_OK && i < csm_market_list_count(all); i++) {
        const csm_market *market = csm_market_list_at(all, i);
        if (strcmp(market->venue, venue) == 0) continue;
        venue = market->venue;
        csm_discovery *run = NULL;
        status = csm_discover_last(&run, p->store, venue);
        if (status == CSM_OK && csm_discovery_coverage(run)->time > out->discovered)
            out->discovered = csm_discovery_coverage(run)->time;
        if (status == CSM_ENOTFOUND) status = CSM_OK;
        csm_discovery_free(run);
    }
    csm_market_list_free(all);
    return status;
}

/* The recipe that these sources give; without any market, as if there were no lead coin. */
static csm_status name_recipe(csm_pipeline_status *out, const csm_pipeline *p) {
    universe u = {0};
    csm_recipe *recipe = NULL;
    csm_status status = csm_universe_make(&u, p, csm_context_now(p->context), true);
    if (status == CSM_OK || status == CSM_ENODATA) status = csm_pipeline_recipe(&recipe, p, &u);
    if (status == CSM_OK) snprintf(out->recipe, sizeof out->recipe, "%s", csm_recipe_name(recipe));
    csm_recipe_free(recipe);
    csm_universe_free(&u);
    return status;
}

csm_status csm_pipeline_status_report(csm_pipeline_status *out, const csm_pipeline *pipeline) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "status: out and pipeline are required");
    *out = (csm_pipeline_status){
        .first = CSM_TIME_MIN, .last = CSM_TIME_MIN, .discovered = CSM_TIME_MIN, .trained = CSM_TIME_MIN};
    csm_status status = count_streams(out, pipeline);
    if (status == CSM_OK) status = count_markets(out, pipeline);
    if (status == CSM_OK) status = name_recipe(out, pipeline);
    if (status == CSM_OK) status = last_discovery(out, pipeline);
    if (status == CSM_OK) status = csm_champion_as_of(&out->trained, pipeline);
    if (status == CSM_OK) status = csm_learn_live_clock(&out->live_clock, pipeline->store);
    if (status == CSM_OK) status = csm_learn_head(&out->ledger, pipeline->store);
    if (status == CSM_OK) status = csm_learn_trials(&out->trials, pipeline->store, 0);
    return status;
}
