/* SPDX-License-Identifier: MIT */
/* The indicators of a recipe over a group of markets, each indicator once however many features read it. */
#include "fuse/frame.h"

#include <string.h>

/* Memory for one group's outputs. */
#define GROUP_BYTES ((size_t)256 << 20)
#define GROUP_TRACKS 64

static bool same_request(const csm_feature *a, const csm_feature *b) {
    return a->indicator == b->indicator &&
           memcmp(a->indicator_parameter, b->indicator_parameter, sizeof a->indicator_parameter) == 0;
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

static size_t outputs_of(const csm_indicator_table *table) {
    size_t outputs = 0;
    for (size_t r = 0; r < table->request_count; r++) outputs += table->requests[r].indicator->output_count;
    return outputs;
}

static void choose_tracks(csm_indicator_table *table, const csm_panel *panel, size_t begin) {
    const size_t row = outputs_of(table) * sizeof(double);
    size_t bytes = 0;
    table->first = begin;
    while (begin + table->tracks < panel->count && table->tracks < GROUP_TRACKS) {
        bytes += panel->tracks[begin + table->tracks].traded * row;
        if (table->tracks > 0 && bytes > GROUP_BYTES) break;
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

static csm_status run_table(csm_indicator_table *table, const csm_build *build) {
    const size_t cells = table->tracks * table->request_count;
    csm_bars bars[GROUP_TRACKS];
    csm_matrix *outputs = csm_alloc_array(cells, sizeof *outputs);
    table->columns = csm_alloc_array(cells, sizeof *table->columns);
    csm_status status = outputs && table->columns ? CSM_OK : CSM_ENOMEM;
    for (size_t i = 0; i < table->tracks && !status; i++) {
        bars[i] = bars_of(build->panel, &build->panel->tracks[table->first + i]);
        for (size_t r = 0; r < table->request_count && !status; r++) {
            const size_t width = table->requests[r].indicator->output_count,
                         cell = i * table->request_count + r;
            table->columns[cell] = csm_realloc_array(NULL, bars[i].length, width * sizeof(double));
            if (!table->columns[cell]) status = CSM_ENOMEM;
            outputs[cell] = csm_matrix_f64(table->columns[cell], bars[i].length, width);
        }
    }
    if (!status)
        status = csm_indicator_run_table(build->context, table->requests, table->request_count, bars,
                                         table->tracks, outputs);
    csm_dealloc(outputs);
    return status;
}

csm_status csm_indicator_table_run(csm_indicator_table *out, const csm_build *build, size_t begin) {
    csm_indicator_table table = {0};
    csm_status status = find_requests(&table, build->recipe);
    if (!status) {
        choose_tracks(&table, build->panel, begin);
        if (table.request_count > 0 && build->decisions > 0) status = run_table(&table, build);
    }
    if (status) csm_indicator_table_free(&table);
    *out = table;
    return status;
}

const double *csm_indicator_table_column(const csm_indicator_table *table, size_t track, size_t feature) {
    const size_t request = table->request[feature];
    return request == SIZE_MAX ? NULL
                               : table->columns[(track - table->first) * table->request_count + request];
}

void csm_indicator_table_free(csm_indicator_table *table) {
    for (size_t i = 0; table->columns && i < table->tracks * table->request_count; i++)
        csm_dealloc(table->columns[i]);
    csm_dealloc(table->columns);
    csm_dealloc(table->request);
    csm_dealloc(table->requests);
    *table = (csm_indicator_table){0};
}
