/* SPDX-License-Identifier: MIT */
#include "ingest/revise.h"
#include "ingest/decimal_text.h"
#include "store/kind.h"

static csm_decimal cell_of(const csm_table *table, size_t row, size_t column) {
    return (csm_decimal){.ticks = csm_table_ticks(table, column)[row],
                         .scale = csm_table_scale(table, column)};
}

static bool same_values(const csm_table *a, size_t row_a, const csm_table *b, size_t row_b) {
    for (size_t column = 0; column < csm_table_columns(a); column++) {
        if (column == CSM_COLUMN_AVAILABLE) continue;
        csm_decimal x = cell_of(a, row_a, column), y = cell_of(b, row_b, column);
        bool missing = x.ticks == CSM_CELL_MISSING || y.ticks == CSM_CELL_MISSING;
        if (missing ? x.ticks != y.ticks : csm_decimal_compare(x, y) != 0) return false;
    }
    return true;
}

static csm_status row_copy(csm_table *out, const csm_table *rows, size_t row, csm_time available) {
    csm_decimal cells[CSM_COLUMNS_MAX];
    for (size_t column = 0; column < csm_table_columns(rows); column++)
        cells[column] = cell_of(rows, row, column);
    cells[CSM_COLUMN_AVAILABLE] = csm_decimal_whole(available);
    return csm_table_append(out, cells);
}

/* Both tables ascend in time. */
static csm_status merge(csm_table *out, const csm_table *rows, const csm_table *known, csm_time received) {
    const int64_t *time = csm_table_ticks(rows, CSM_COLUMN_TIME);
    const int64_t *available = csm_table_ticks(rows, CSM_COLUMN_AVAILABLE);
    const int64_t *known_time = csm_table_ticks(known, CSM_COLUMN_TIME);
    csm_status status = CSM_OK;
    size_t j = 0;
    for (size_t i = 0; status == CSM_OK && i < csm_table_rows(rows); i++) {
        while (j < csm_table_rows(known) && known_time[j] < time[i]) j++;
        bool present = j < csm_table_rows(known) && known_time[j] == time[i];
        if (present && (received == CSM_TIME_MIN || same_values(rows, i, known, j))) continue;
        status = row_copy(out, rows, i, present && received > available[i] ? received : available[i]);
    }
    return status;
}

csm_status csm_rows_revise(csm_table **out, csm_store *store, csm_context *context, const csm_stream *stream,
                           const csm_table *rows, csm_time received) {
    csm_table *known = NULL;
    size_t count = csm_table_rows(rows);
    csm_status status = csm_table_new(out, csm_table_kind(rows));
    if (status != CSM_OK || count == 0) return status;
    const int64_t *time = csm_table_ticks(rows, CSM_COLUMN_TIME);
    status = csm_store_read(&known, store, context, stream, time[0], time[count - 1] + 1, CSM_TIME_MAX);
    if (status == CSM_OK) status = merge(*out, rows, known, received);
    csm_table_free(known);
    if (status != CSM_OK) {
        csm_table_free(*out);
        *out = NULL;
    }
    return status;
}
