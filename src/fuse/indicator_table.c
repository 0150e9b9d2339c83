/* SPDX-License-Identifier: MIT */
/* The indicators of a recipe over a group of markets, each indicator once however many features read it. */
#include "fuse/frame.h"

#include "core/platform.h"

/* Most values and tracks of a group: enough for all lanes and threads, little enough to be used again while warm. */
#define GROUP_VALUES ((size_t)16 << 20)
#define GROUP_TRACKS 64

static bool same_request(const csm_feature *a, const csm_feature *b) {
    if (a->indicator != b->indicator) return false;
    for (int i = 0; i < CSM_INDICATOR_PARAMETERS_MAX; i++)
        if (a->indicator_parameter[i] != b->indicator_parameter[i]) return false;
    return true;
}

/* request[f] of every feature: index among the distinct ones, SIZE_MAX without an indicator. */
static csm_status find_requests(csm_indicator_table *table, const csm_recipe *recipe) {
    table->request = csm_alloc_array(recipe->count, sizeof *table->request);
    table->requests = csm_alloc_array(recipe->count, sizeof *table->requests);
    if (!table->request || !table->requests) return CSM_ENOMEM;
    for (size_t f = 0; f < recipe->count; f++) {
        const csm_feature *feature = &recipe->features[f];
        table->request[f] = SIZE_MAX;
        if (!feature->indicator) continue;
        for (size_t e = 0; e < f && table->request[f] == SIZE_MAX; e++)
            if (same_request(feature, &recipe->features[e])) table->request[f] = table->request[e];
        if (table->request[f] != SIZE_MAX) continue;
        table->request[f] = table->request_count;
        table->requests[table->request_count++] = (csm_indicator_request){
            .indicator = feature->indicator, .parameters = feature->indicator_parameter};
    }
    return CSM_OK;
}

static void choose_tracks(csm_indicator_table *table, const csm_panel *panel, size_t begin) {
    size_t bars = 0;
    table->first = begin;
    table->tracks = 0;
    while (begin + table->tracks < panel->count && table->tracks < GROUP_TRACKS) {
        bars += panel->tracks[begin + table->tracks].traded;
        if (table->tracks > 0 && bars * table->outputs > GROUP_VALUES) break;
        table->tracks++;
    }
}

static csm_bars bars_of(const csm_panel *panel, const csm_track *track) {
    return (csm_bars){.length = track->traded,
                      .interval = panel->interval,
                      .time = track->time,
                      .open = track->open,
                      .high = track->high,
                      .low = track->low,
                      .close = track->close,
                      .volume = track->volume};
}

/* Room for the group in the block of the group before, or a larger one. */
static csm_status reserve_values(csm_indicator_table *table, const csm_panel *panel) {
    size_t bars = 0;
    for (size_t i = 0; i < table->tracks; i++) bars += panel->tracks[table->first + i].traded;
    if (bars <= table->capacity) return CSM_OK;
    csm_dealloc(table->values);
    table->capacity = 0;
    table->values = csm_realloc_array(NULL, bars, table->outputs * sizeof *table->values);
    if (!table->values) return CSM_ENOMEM;
    csm_platform_large_pages(table->values, bars * table->outputs * sizeof *table->values);
    table->capacity = bars;
    return CSM_OK;
}

static csm_status run_group(csm_indicator_table *table, const csm_build *build) {
    csm_bars bars[GROUP_TRACKS];
    csm_matrix *outputs = csm_alloc_array(table->tracks * table->request_count, sizeof *outputs);
    csm_status status = outputs ? reserve_values(table, build->panel) : CSM_ENOMEM;
    double *next = table->values;
    for (size_t i = 0; i < table->tracks && !status; i++) {
        bars[i] = bars_of(build->panel, &build->panel->tracks[table->first + i]);
        for (size_t r = 0; r < table->request_count; r++) {
            const size_t cell = i * table->request_count + r;
            const size_t width = table->requests[r].indicator->output_count;
            table->columns[cell] = next;
            outputs[cell] = csm_matrix_f64(next, bars[i].length, width);
            next += bars[i].length * width;
        }
    }
    if (!status)
        status = csm_indicator_run_table(build->context, table->requests, table->request_count, bars,
                                         table->tracks, outputs);
    csm_dealloc(outputs);
    return status;
}

csm_status csm_indicator_table_open(csm_indicator_table *out, const csm_recipe *recipe) {
    csm_indicator_table table = {0};
    csm_status status = find_requests(&table, recipe);
    for (size_t r = 0; r < table.request_count; r++)
        table.outputs += table.requests[r].indicator->output_count;
    if (!status) {
        table.columns = csm_alloc_array(GROUP_TRACKS * table.request_count, sizeof *table.columns);
        if (!table.columns) status = CSM_ENOMEM;
    }
    if (status) csm_indicator_table_free(&table);
    *out = table;
    return status;
}

csm_status csm_indicator_table_run(csm_indicator_table *table, const csm_build *build, size_t begin) {
    choose_tracks(table, build->panel, begin);
    return table->request_count > 0 && build->decisions > 0 ? run_group(table, build) : CSM_OK;
}

const double *csm_indicator_table_column(const csm_indicator_table *table, size_t track, size_t feature) {
    const size_t request = table->request[feature];
    return request == SIZE_MAX ? NULL
                               : table->columns[(track - table->first) * table->request_count + request];
}

void csm_indicator_table_free(csm_indicator_table *table) {
    csm_dealloc(table->values);
    csm_dealloc(table->columns);
    csm_dealloc(table->request);
    csm_dealloc(table->requests);
    *table = (csm_indicator_table){0};
}
