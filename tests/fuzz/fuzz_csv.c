/* SPDX-License-Identifier: MIT */
/* History files: whole, where a line may be taken in one pass, and in pieces, where each is held and split. Both ways must
 * say the same. */
#include "ingest/import_rows.h"
#include "store/kind.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static csm_status read_rows(csm_import_rows *rows, const uint8_t *data, size_t size, size_t piece) {
    csm_status status = CSM_OK;
    csm_import_rows_init(rows, CSM_IMPORT_AUTO, 0, (csm_time)1800000000 * CSM_SECOND);
    for (size_t at = 0; status == CSM_OK && at < size; at += piece)
        status = csm_import_rows_push(rows, (const char *)data + at, size - at < piece ? size - at : piece);
    return status == CSM_OK ? csm_import_rows_finish(rows) : status;
}

static void require_same(const csm_import_rows *a, const csm_import_rows *b) {
    if (a->row_count != csm_table_rows(a->table)) __builtin_trap();
    if (a->row_count != b->row_count || a->interval != b->interval || a->quiet != b->quiet) __builtin_trap();
    if (a->row_count > 0 && memcmp(a->times, b->times, a->row_count * sizeof *a->times) != 0)
        __builtin_trap();
    for (size_t c = 0; c < a->table->kind->columns; c++) {
        if (a->table->scale[c] != b->table->scale[c]) __builtin_trap();
        if (memcmp(a->table->ticks[c], b->table->ticks[c], a->row_count * sizeof(int64_t)) != 0)
            __builtin_trap();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static csm_import_rows whole, pieces;
    if (size == 0) return 0;
    const csm_status one = read_rows(&whole, data + 1, size - 1, size);
    const csm_status many = read_rows(&pieces, data + 1, size - 1, (size_t)data[0] % 97 + 1);
    if (one != many || (one != CSM_OK && one != CSM_EPARSE && one != CSM_EINVAL)) __builtin_trap();
    if (one == CSM_OK) require_same(&whole, &pieces);
    csm_import_rows_free(&whole);
    csm_import_rows_free(&pieces);
    return 0;
}
