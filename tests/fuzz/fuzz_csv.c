/* SPDX-License-Identifier: MIT */
/* Any bytes as a history file, in pieces of a size that the first byte gives: rows or CSM_EPARSE. */
#include "ingest/import_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static csm_import_rows rows;
    if (size == 0) return 0;
    size_t piece = (size_t)data[0] + 1;
    csm_status status = CSM_OK;
    csm_import_rows_init(&rows, CSM_IMPORT_AUTO, 0, (csm_time)1800000000 * CSM_SECOND);
    for (size_t at = 1; status == CSM_OK && at < size; at += piece)
        status = csm_import_rows_push(&rows, (const char *)data + at, size - at < piece ? size - at : piece);
    if (status == CSM_OK) status = csm_import_rows_finish(&rows);
    if (status == CSM_OK && rows.row_count != csm_table_rows(rows.table)) __builtin_trap();
    if (status != CSM_OK && status != CSM_EPARSE && status != CSM_EINVAL) __builtin_trap();
    csm_import_rows_free(&rows);
    return 0;
}
