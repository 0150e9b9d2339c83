/* SPDX-License-Identifier: MIT */
/* Reads of the store: bars and values with the time at which each became known. */
#include "fuse/panel.h"

#include <string.h>

void csm_raw_bars_free(csm_raw_bars *raw) {
    csm_dealloc(raw->time);
    csm_dealloc(raw->available);
    csm_dealloc(raw->open);
    csm_dealloc(raw->high);
    csm_dealloc(raw->low);
    csm_dealloc(raw->close);
    csm_dealloc(raw->volume);
    csm_dealloc(raw->state);
    *raw = (csm_raw_bars){0};
}

csm_bars csm_raw_bars_view(const csm_raw_bars *raw, csm_time interval) {
    return (csm_bars){.length = raw->length,
                      .interval = interval,
                      .time = raw->time,
                      .open = raw->open,
                      .high = raw->high,
                      .low = raw->low,
                      .close = raw->close,
                      .volume = raw->volume,
                      .state = raw->state};
}

static csm_status column_of(int *out, const csm_table *table, const char *name) {
    *out = csm_table_column_find(table, name);
    if (*out >= 0) return CSM_OK;
    return csm_fail(CSM_ECORRUPT, "store: a table of %s has no column \"%s\"", csm_table_kind(table), name);
}

static csm_status times_of(csm_time **out, const csm_table *table, const char *name) {
    int column;
    const size_t rows = csm_table_rows(table);
    const csm_status status = column_of(&column, table, name);
    if (status) return status;
    *out = csm_alloc_array(rows, sizeof **out);
    if (!*out) return CSM_ENOMEM;
    if (rows > 0) memcpy(*out, csm_table_ticks(table, (size_t)column), rows * sizeof **out);
    return CSM_OK;
}

static csm_status doubles_of(double **out, const csm_table *table, const char *name) {
    int column;
    const csm_status status = column_of(&column, table, name);
    if (status) return status;
    *out = csm_alloc_array(csm_table_rows(table), sizeof **out);
    if (!*out) return CSM_ENOMEM;
    return csm_table_doubles(table, (size_t)column, *out);
}

static csm_status states_of(uint8_t **out, const csm_table *table) {
    int column;
    const size_t rows = csm_table_rows(table);
    const csm_status status = column_of(&column, table, "state");
    if (status) return status;
    *out = csm_alloc_array(rows, 1);
    if (!*out) return CSM_ENOMEM;
    const int64_t *ticks = csm_table_ticks(table, (size_t)column);
    for (size_t i = 0; i < rows; i++) {
        if (ticks[i] < CSM_BAR_TRADED || ticks[i] > CSM_BAR_PENDING)
            return csm_fail(CSM_ECORRUPT, "store: state %lld of bar %zu is unknown", (long long)ticks[i], i);
        (*out)[i] = (uint8_t)ticks[i];
    }
    return CSM_OK;
}

csm_status csm_raw_bars_read(csm_raw_bars *out, csm_context *context, const csm_store *store,
                             const csm_market *market, csm_time interval, csm_time from, csm_time to,
                             csm_time as_of) {
    const csm_stream stream = {.kind = "bars",
                               .venue = market->venue,
                               .symbol = market->symbol,
                               .interval = interval,
                               .epoch = market->epoch};
    csm_table *table = NULL;
    *out = (csm_raw_bars){0};
    csm_status status = csm_store_read(&table, store, context, &stream, from, to, as_of);
    if (status) return status;
    out->length = csm_table_rows(table);
    status = times_of(&out->time, table, "time");
    if (!status) status = times_of(&out->available, table, "available");
    if (!status) status = doubles_of(&out->open, table, "open");
    if (!status) status = doubles_of(&out->high, table, "high");
    if (!status) status = doubles_of(&out->low, table, "low");
    if (!status) status = doubles_of(&out->close, table, "close");
    if (!status) status = doubles_of(&out->volume, table, "volume");
    if (!status) status = states_of(&out->state, table);
    csm_table_free(table);
    if (!status) return CSM_OK;
    csm_raw_bars_free(out);
    return csm_fail_prefix(status, "%s", market->id);
}

/* The stream of a value series by its name alone: the first in the store's order of venues. */
static csm_status read_named(csm_table **table, csm_context *context, const csm_store *store,
                             const char *name, csm_time as_of) {
    csm_stream_list *list = NULL;
    csm_status status = csm_store_streams(&list, store, "value", NULL);
    *table = NULL;
    for (size_t i = 0; !status && i < csm_stream_list_count(list); i++) {
        const csm_stream_info *info = csm_stream_list_at(list, i);
        if (strcmp(info->stream.symbol, name) != 0) continue;
        status = csm_store_read(table, store, context, &info->stream, CSM_TIME_MIN, CSM_TIME_MAX, as_of);
        break;
    }
    csm_stream_list_free(list);
    return status;
}

csm_status csm_values_read(csm_values *out, csm_context *context, const csm_store *store, const char *name,
                           csm_time as_of) {
    csm_table *table = NULL;
    *out = (csm_values){0};
    csm_status status = read_named(&table, context, store, name, as_of);
    if (status || !table) return status;
    status = times_of(&out->time, table, "time");
    if (!status) status = times_of(&out->available, table, "available");
    if (!status) status = doubles_of(&out->value, table, "value");
    out->length = csm_table_rows(table);
    csm_table_free(table);
    if (!status) return CSM_OK;
    csm_values_free(out);
    return csm_fail_prefix(status, "%s", name);
}

static csm_status read_track(csm_track *out, csm_context *context, const csm_store *store,
                             const csm_market *market, const csm_fuse_options *options) {
    /* Bars that close at `to` or later serve no decision; history is read from its beginning, so that a row does not
     * depend on where its frame begins. */
    const bool bounded = options->to < CSM_TIME_MAX && options->to > CSM_TIME_MIN + options->interval;
    const csm_time to = bounded ? options->to - options->interval : options->to;
    csm_raw_bars raw;
    csm_status status =
        csm_raw_bars_read(&raw, context, store, market, options->interval, CSM_TIME_MIN, to, options->as_of);
    if (status) return status;
    const csm_track_source source = {.coin = market->coin,
                                     .delisted = market->delisted,
                                     .bars = csm_raw_bars_view(&raw, options->interval),
                                     .available = raw.available};
    status = csm_track_build(out, &source, options->interval);
    csm_raw_bars_free(&raw);
    return status ? csm_fail_prefix(status, "%s", market->id) : CSM_OK;
}

csm_status csm_panel_from_store(csm_panel **out, csm_context *context, const csm_store *store,
                                const csm_market *const *markets, size_t count, bool sentiment,
                                const csm_fuse_options *options) {
    csm_panel *panel = NULL;
    *out = NULL;
    csm_status status = csm_panel_new(&panel, count, options);
    for (size_t i = 0; i < count && !status; i++) {
        status = csm_progress(context, "fuse: read bars", i, count);
        if (!status) status = read_track(&panel->tracks[i], context, store, markets[i], options);
    }
    if (!status && sentiment)
        status = csm_values_read(&panel->fear_greed, context, store, "fear_greed", options->as_of);
    if (!status) status = csm_panel_finish(panel, csm_context_threads(context));
    if (status) {
        csm_panel_free(panel);
        return status;
    }
    *out = panel;
    return CSM_OK;
}
