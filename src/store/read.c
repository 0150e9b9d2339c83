/* SPDX-License-Identifier: MIT */
/* Reading as of a time: of each key the latest revision that was known then. */
#include "store/internal.h"

#include <math.h>
#include <string.h>

/* Rows are sorted by key, then available: the last of each key stays. */
static csm_status keep_latest(csm_table *table) {
    if (csm_table_times_ascend(table)) return CSM_OK;
    size_t n = 0;
    for (size_t i = 1; i < table->rows && n == 0; i++) n += csm_kind_compare_key(table, i - 1, i) == 0;
    if (n == 0) return CSM_OK;
    size_t *keep = csm_alloc_array(table->rows, sizeof *keep), count = 0;
    if (!keep) return CSM_ENOMEM;
    for (size_t i = 0; i < table->rows; i++) {
        if (i + 1 == table->rows || csm_kind_compare_key(table, i, i + 1) != 0) keep[count++] = i;
    }
    const csm_status status = csm_table_take(table, keep, count);
    csm_dealloc(keep);
    return status;
}

csm_status csm_store_read(csm_table **out, const csm_store *store, csm_context *context,
                          const csm_stream *stream, csm_time from, csm_time to, csm_time as_of) {
    if (!out || !store || !context) return csm_fail(CSM_EINVAL, "csm_store_read: an argument is NULL");
    *out = NULL;
    const csm_kind *kind = NULL;
    csm_records found = {0};
    int64_t id;
    csm_status status = csm_stream_check(stream, &kind);
    if (!status) status = csm_stream_find(&id, store, stream);
    if (status) return csm_fail_prefix(status, "csm_store_read");
    if (id == 0 || from >= to) return csm_table_make(out, kind);
    status = csm_store_gather(&found, store, context, kind, id, from, to, as_of, false);
    if (!status) status = keep_latest(found.table);
    if (!status) {
        *out = found.table;
        found.table = NULL;
    }
    csm_records_free(&found);
    return status ? csm_fail_prefix(status, "%s:%s", stream->venue, stream->symbol) : CSM_OK;
}

/* ---- bars as arrays ---- */

#define SERIES_COLUMNS 5 /* open, high, low, close, volume */

/* The table's own columns become doubles where they stand: half the memory of a copy. */
struct csm_bar_series {
    csm_table *table; /* keeps the times */
    csm_time interval;
    double *column[SERIES_COLUMNS];
    uint8_t *state;
};

#define RUN ((size_t)512)

/* ticks[0..rows) turn into doubles in the same memory, by way of a run of them. */
static csm_status turn_into_doubles(csm_bar_series *series, size_t column) {
    csm_table *table = series->table;
    csm_table part = {.kind = table->kind};
    double run[RUN];
    unsigned char *memory = (unsigned char *)table->ticks[column];
    part.scale[column] = table->scale[column];
    csm_status status = CSM_OK;
    for (size_t i = 0; i < table->rows && !status; i += RUN) {
        part.ticks[column] = table->ticks[column] + i;
        part.rows = table->rows - i < RUN ? table->rows - i : RUN;
        status = csm_table_doubles(&part, column, run);
        if (!status) memcpy(memory + i * sizeof *run, run, part.rows * sizeof *run);
    }
    series->column[column - CSM_COLUMN_OPEN] = (void *)memory;
    return status;
}

static csm_status fill_series(csm_bar_series *series) {
    const csm_table *table = series->table;
    if (!table) return csm_fail(CSM_EINTERNAL, "bars without a table");
    csm_status status = CSM_OK;
    series->state = csm_alloc(table->rows);
    if (!series->state) return CSM_ENOMEM;
    const int64_t one = csm_power_of_ten[table->scale[CSM_COLUMN_STATE]];
    for (size_t i = 0; i < table->rows; i++)
        series->state[i] = (uint8_t)(table->ticks[CSM_COLUMN_STATE][i] / one);
    for (size_t c = CSM_COLUMN_OPEN; c < CSM_COLUMN_OPEN + SERIES_COLUMNS && !status; c++)
        status = turn_into_doubles(series, c);
    return status;
}

csm_status csm_store_read_bars(csm_bar_series **out, const csm_store *store, csm_context *context,
                               const csm_stream *stream, csm_time from, csm_time to, csm_time as_of) {
    if (!out) return csm_fail(CSM_EINVAL, "csm_store_read_bars: out is NULL");
    *out = NULL;
    if (!stream || !stream->kind || strcmp(stream->kind, "bars") != 0)
        return csm_fail(CSM_EINVAL, "csm_store_read_bars: the stream is not of bars");
    csm_bar_series *series = csm_alloc_array(1, sizeof *series);
    if (!series) return CSM_ENOMEM;
    series->interval = stream->interval;
    csm_status status = csm_store_read(&series->table, store, context, stream, from, to, as_of);
    if (!status) status = fill_series(series);
    if (status) {
        csm_bar_series_free(series);
        return status;
    }
    *out = series;
    return CSM_OK;
}

csm_bars csm_bar_series_view(const csm_bar_series *series) {
    return (csm_bars){.length = series->table->rows,
                      .interval = series->interval,
                      .time = series->table->ticks[CSM_COLUMN_TIME],
                      .open = series->column[0],
                      .high = series->column[1],
                      .low = series->column[2],
                      .close = series->column[3],
                      .volume = series->column[4],
                      .state = series->state};
}

void csm_bar_series_free(csm_bar_series *series) {
    if (!series) return;
    csm_table_free(series->table);
    csm_dealloc(series->state);
    csm_dealloc(series);
}
