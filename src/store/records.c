/* SPDX-License-Identifier: MIT */
/* Rows with where each came from. */
#include "store/internal.h"

#include <string.h>

csm_status csm_records_init(csm_records *records, const csm_kind *kind) {
    *records = (csm_records){0};
    return csm_table_make(&records->table, kind);
}

void csm_records_free(csm_records *records) {
    csm_table_free(records->table);
    csm_dealloc(records->provenance);
    csm_dealloc(records->sources);
    *records = (csm_records){0};
}

csm_status csm_records_source(uint32_t *index, csm_records *records, int64_t provenance) {
    for (size_t i = records->source_count; i > 0; i--) { /* the newest is asked for most */
        if (records->sources[i - 1] != provenance) continue;
        *index = (uint32_t)(i - 1);
        return CSM_OK;
    }
    if (records->source_count == UINT32_MAX) return csm_fail(CSM_EINTERNAL, "records: too many sources");
    int64_t *grown = csm_realloc_array(records->sources, records->source_count + 1, sizeof *grown);
    if (!grown) return CSM_ENOMEM;
    records->sources = grown;
    grown[records->source_count] = provenance;
    *index = (uint32_t)records->source_count++;
    return CSM_OK;
}

static csm_status reserve_provenance(csm_records *records, size_t rows) {
    if (rows <= records->capacity) return CSM_OK;
    const size_t doubled = records->capacity > SIZE_MAX / 2 ? rows : 2 * records->capacity;
    const size_t capacity = rows > doubled ? rows : doubled;
    uint32_t *grown = csm_realloc_array(records->provenance, capacity, sizeof *grown);
    if (!grown) return CSM_ENOMEM;
    records->provenance = grown;
    records->capacity = capacity;
    return CSM_OK;
}

csm_status csm_records_extend(csm_records *records, const csm_table *from, const uint32_t *from_index,
                              const uint32_t *map, size_t begin, size_t end) {
    if (begin >= end) return CSM_OK;
    const size_t at = records->table->rows;
    csm_status status = map ? reserve_provenance(records, at + (end - begin)) : CSM_OK;
    if (!status) status = csm_table_extend(records->table, from, begin, end);
    for (size_t i = begin; map && !status && i < end; i++)
        records->provenance[at + i - begin] = map[from_index ? from_index[i] : 0];
    return status;
}

csm_status csm_records_take(csm_records *records, const size_t *keep, size_t count) {
    if (!records->provenance) return csm_table_take(records->table, keep, count);
    uint32_t *kept = csm_alloc_array(count, sizeof *kept);
    if (!kept) return CSM_ENOMEM;
    for (size_t i = 0; i < count; i++) kept[i] = records->provenance[keep[i]];
    const csm_status status = csm_table_take(records->table, keep, count);
    if (!status && count) memcpy(records->provenance, kept, count * sizeof *kept);
    csm_dealloc(kept);
    return status;
}

csm_status csm_records_sort(csm_records *records) {
    if (csm_table_times_ascend(records->table)) return CSM_OK;
    size_t *order = NULL;
    bool sorted;
    csm_status status = csm_table_order(&order, &sorted, records->table);
    if (!status && !sorted) status = csm_records_take(records, order, records->table->rows);
    csm_dealloc(order);
    return status;
}

csm_span csm_range_span(const csm_extremes *range) {
    const csm_extremes time = range[CSM_COLUMN_TIME], available = range[CSM_COLUMN_AVAILABLE];
    return (csm_span){
        .first = time.least, .last = time.most, .oldest = available.least, .newest = available.most};
}

csm_span csm_table_span(const csm_table *table) {
    csm_extremes range[2];
    for (size_t c = 0; c < 2; c++)
        range[c] = CSM_ON_COLUMN(extremes)(table->ticks[c], table->ticks[c], table->rows);
    return csm_range_span(range);
}
