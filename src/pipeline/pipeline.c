/* SPDX-License-Identifier: MIT */
/* Opening a workspace, and what every step of the cycle asks first: which markets, which recipe, which span. */
#include "learn/ledger.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <string.h>

#define LEDGER_TAIL_ROWS                                                                                     \
    4096 /* checked on every writing open; doctor and `ledger verify` check the whole chain */

void csm_pipeline_free(csm_pipeline *pipeline) {
    if (!pipeline) return;
    csm_store_free(pipeline->store);
    csm_config_free(pipeline->config);
    csm_dealloc(pipeline->workspace);
    csm_dealloc(pipeline);
}

csm_status csm_pipeline_open(csm_pipeline **out, csm_context *context, const csm_config *config,
                             const char *workspace, uint32_t mode) {
    if (!out || !context || !config || !workspace)
        return csm_fail(CSM_EINVAL, "pipeline: out, context, config and workspace are required");
    csm_pipeline *pipeline = csm_alloc_array(1, sizeof *pipeline);
    if (!pipeline) return CSM_ENOMEM;
    pipeline->context = context;
    pipeline->workspace = csm_strdup(workspace);
    csm_status status = pipeline->workspace ? csm_config_copy(&pipeline->config, config) : CSM_ENOMEM;
    if (status == CSM_OK) status = csm_training_settings(&pipeline->settings, pipeline->config);
    if (status == CSM_OK) status = csm_store_open(&pipeline->store, context, workspace, mode);
    if (status == CSM_OK && mode != CSM_STORE_READ)
        status = csm_ledger_verify_tail(pipeline->store, LEDGER_TAIL_ROWS);
    if (status != CSM_OK) {
        csm_pipeline_free(pipeline);
        return status;
    }
    *out = pipeline;
    return CSM_OK;
}

csm_store *csm_pipeline_store(csm_pipeline *pipeline) {
    return pipeline ? pipeline->store : NULL;
}

/* ---- universe ---- */

char *csm_market_epoch_name(char *text, size_t size, const csm_market *market) {
    if (market->epoch > 1)
        snprintf(text, size, "%s#%d", market->id, (int)market->epoch);
    else
        snprintf(text, size, "%s", market->id);
    return text;
}

static csm_status markets_of(csm_market_list **out, const csm_pipeline *pipeline, csm_time as_of,
                             uint32_t flags) {
    const char *venue = csm_config_get(pipeline->config, "universe.venue");
    return csm_discover_markets(out, pipeline->store, venue && *venue ? venue : NULL, as_of,
                                CSM_MARKETS_PROCESSED | CSM_MARKETS_CANONICAL | flags);
}

csm_status csm_pipeline_universe(csm_market_list **out, const csm_pipeline *pipeline, csm_time as_of) {
    if (!out || !pipeline) return csm_fail(CSM_EINVAL, "universe: out and pipeline are required");
    return markets_of(out, pipeline, as_of, 0);
}

csm_status csm_universe_make(universe *out, const csm_pipeline *pipeline, csm_time as_of, bool ever) {
    *out = (universe){0};
    csm_status status = markets_of(&out->list, pipeline, as_of, ever ? CSM_MARKETS_EVER : 0);
    if (status != CSM_OK) return status;
    out->count = csm_market_list_count(out->list);
    if (out->count == 0)
        status = csm_fail(CSM_ENODATA, "%s: no market is registered: discover or import first",
                          pipeline->workspace);
    out->market = csm_alloc_array(out->count + 1, sizeof *out->market);
    if (!out->market) status = CSM_ENOMEM;
    for (size_t i = 0; status == CSM_OK && i < out->count; i++)
        out->market[i] = csm_market_list_at(out->list, i);
    if (status != CSM_OK) csm_universe_free(out);
    return status;
}

void csm_universe_free(universe *u) {
    csm_dealloc((void *)u->market);
    csm_market_list_free(u->list);
    *u = (universe){0};
}

static bool stream_is_of(const csm_stream *stream, const csm_market *market) {
    return market->epoch == stream->epoch && strcmp(market->symbol, stream->symbol) == 0 &&
           strcmp(market->venue, stream->venue) == 0;
}

csm_status csm_pipeline_span(csm_time *first, csm_time *last, const csm_pipeline *pipeline,
                             const universe *u) {
    *first = CSM_TIME_MAX;
    *last = CSM_TIME_MIN;
    csm_stream_list *streams = NULL;
    csm_status status = csm_store_streams(&streams, pipeline->store, "bars", NULL);
    if (status != CSM_OK) return status;
    for (size_t i = 0; i < csm_stream_list_count(streams); i++) {
        const csm_stream_info *info = csm_stream_list_at(streams, i);
        if (info->stream.interval != pipeline->settings.fuse.interval) continue;
        for (size_t m = 0; m < u->count; m++) {
            if (!stream_is_of(&info->stream, u->market[m])) continue;
            if (info->first < *first) *first = info->first;
            if (info->last + info->stream.interval > *last) *last = info->last + info->stream.interval;
        }
    }
    csm_stream_list_free(streams);
    if (*last == CSM_TIME_MIN)
        return csm_fail(CSM_ENODATA, "%s: no bars of the %zu markets of the universe", pipeline->workspace,
                        u->count);
    return CSM_OK;
}

/* ---- recipe ---- */

/* A group that lives from a source which a workspace may not hold: a stream outside the exchange, or the lead coin. */
typedef struct optional_group {
    const char *group;
    const char *kind;
    const char *symbol; /* of the stream; NULL: any */
    const char *coin;   /* of a market of the universe with bars; NULL: none is asked for */
} optional_group;

static const optional_group optional_groups[] = {
    {.group = "sentiment", .kind = "value", .symbol = "fear_greed"},
    {.group = "book", .kind = "book"},
    {.group = "bitcoin", .kind = "bars", .coin = "BTC"},
};

/* True when the stream holds bars of the interval of a market of `coin`. */
static bool stream_of_coin(const csm_stream *stream, const csm_pipeline *pipeline, const universe *u,
                           const char *coin) {
    if (stream->interval != pipeline->settings.fuse.interval) return false;
    for (size_t m = 0; m < u->count; m++) {
        const csm_market *market = u->market[m];
        if (strcmp(market->coin, coin) == 0 && stream_is_of(stream, market)) return true;
    }
    return false;
}

static csm_status group_present(bool *out, const csm_pipeline *pipeline, const universe *u,
                                const optional_group *group) {
    csm_stream_list *streams = NULL;
    csm_status status = csm_store_streams(&streams, pipeline->store, group->kind, NULL);
    *out = false;
    if (status != CSM_OK) return status;
    for (size_t i = 0; i < csm_stream_list_count(streams) && !*out; i++) {
        const csm_stream *stream = &csm_stream_list_at(streams, i)->stream;
        if (group->coin)
            *out = stream_of_coin(stream, pipeline, u, group->coin);
        else
            *out = !group->symbol || strcmp(stream->symbol, group->symbol) == 0;
    }
    csm_stream_list_free(streams);
    return CSM_OK;
}

static bool recipe_has(const csm_recipe *recipe, const char *group) {
    for (size_t i = 0; i < csm_recipe_features(recipe); i++) {
        csm_feature_info info;
        if (csm_recipe_feature(&info, recipe, i) == CSM_OK && strcmp(info.group, group) == 0) return true;
    }
    return false;
}

csm_status csm_pipeline_recipe(csm_recipe **out, const csm_pipeline *pipeline, const universe *u) {
    csm_recipe *recipe = NULL;
    csm_status status = csm_fuse_recipe(&recipe, csm_config_get(pipeline->config, "fuse.recipe"));
    for (size_t g = 0; status == CSM_OK && g < sizeof optional_groups / sizeof optional_groups[0]; g++) {
        const optional_group *group = &optional_groups[g];
        bool present = true;
        if (recipe_has(recipe, group->group)) status = group_present(&present, pipeline, u, group);
        if (status != CSM_OK || present) continue;
        csm_log_write(pipeline->context, CSM_LOG_WARN, "pipeline",
                      "recipe %s without group %s: the workspace holds no such data", csm_recipe_name(recipe),
                      group->group);
        csm_recipe *smaller = NULL;
        status = csm_fuse_recipe_without(&smaller, recipe, group->group);
        csm_recipe_free(recipe);
        recipe = smaller;
    }
    if (status != CSM_OK) {
        csm_recipe_free(recipe);
        return status;
    }
    *out = recipe;
    return CSM_OK;
}
