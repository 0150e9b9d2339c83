/* SPDX-License-Identifier: MIT */
/* Pieces of appending that rolling and adopting share. */
#include "store/append.h"

#include <string.h>

/* ---- what is new ---- */

static csm_status fail_contradiction(const csm_table *table, size_t row) {
    char time[CSM_TIME_TEXT], available[CSM_TIME_TEXT];
    csm_time_format(table->ticks[CSM_COLUMN_TIME][row], time, sizeof time);
    csm_time_format(table->ticks[CSM_COLUMN_AVAILABLE][row], available, sizeof available);
    return csm_fail(CSM_EINVAL, "%s: two rows of %s, available at %s, contradict each other",
                    table->kind->name, time, available);
}

/* Walks the rows in order and picks the new ones that say something: a row whose values are those last known under its
 * key is not stored again. Rows before `present` are stored already. keep receives row numbers. */
static csm_status pick_new(size_t *keep, size_t *count, const csm_table *table, const size_t *order,
                           size_t present) {
    size_t last = SIZE_MAX; /* newest row under the current key */
    *count = 0;
    for (size_t i = 0; i < table->rows; i++) {
        const size_t row = order[i];
        if (last != SIZE_MAX && csm_kind_compare_key(table, last, row) != 0) last = SIZE_MAX;
        if (row >= present) {
            if (last != SIZE_MAX && csm_kind_same_values(table, last, row)) continue;
            if (last != SIZE_MAX && csm_kind_compare(table, last, row) == 0)
                return fail_contradiction(table, row);
            keep[(*count)++] = row;
        }
        last = row;
    }
    return CSM_OK;
}

csm_status csm_append_leave_known(csm_records *fresh, const csm_records *present) {
    csm_table *both = NULL;
    size_t *order = NULL, *keep = NULL, count = 0;
    bool sorted;
    const size_t known = present ? present->table->rows : 0;
    if (known == 0 && csm_table_times_ascend(fresh->table)) return CSM_OK;
    csm_status status = csm_table_make(&both, fresh->table->kind);
    if (!status && present) status = csm_table_extend(both, present->table, 0, known);
    if (!status) status = csm_table_extend(both, fresh->table, 0, fresh->table->rows);
    if (!status) status = csm_table_order(&order, &sorted, both);
    if (status) goto done;
    keep = csm_alloc_array(fresh->table->rows, sizeof *keep);
    status = keep ? pick_new(keep, &count, both, order, known) : CSM_ENOMEM;
    if (status) goto done;
    for (size_t i = 0; i < count; i++) keep[i] -= known;
    status = csm_records_take(fresh, keep, count);
done:
    csm_dealloc(keep);
    csm_dealloc(order);
    csm_table_free(both);
    return status;
}

/* ---- where it goes ---- */

csm_status csm_append_segment(csm_manifest_row *out, const csm_store *store, csm_context *context,
                              const csm_stream *stream, const csm_table *rows, const uint32_t *provenance,
                              const csm_provenance *sources, size_t source_count) {
    csm_buffer image = {0};
    csm_status status = csm_segment_encode(&image, stream, rows, provenance, sources, source_count,
                                           csm_context_threads(context));
    if (!status) status = csm_segment_file_write(out, store, context, stream, &image, rows);
    csm_buffer_free(&image);
    return status;
}
