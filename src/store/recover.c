/* SPDX-License-Identifier: MIT */
#include "store/segment_file.h"

csm_status csm_store_recover(csm_store *store, csm_context *context) {
    int64_t rows = 0;
    (void)context;
    const csm_status status = csm_catalog_number(&rows, store, "SELECT sum(rows) FROM tail", 0);
    store->recovery.tail_rows = (uint64_t)rows;
    return status;
}
