/* SPDX-License-Identifier: MIT */
/* One bar on its way into a table of kind "bars". */
#ifndef CSM_INGEST_BAR_ROW_H
#define CSM_INGEST_BAR_ROW_H

#include "ingest/decimal_text.h"

#include <cryptosmart/store.h>

typedef struct csm_bar_row {
    csm_time time; /* open */
    csm_time available;
    csm_decimal open;
    csm_decimal high;
    csm_decimal low;
    csm_decimal close;
    csm_decimal volume; /* base units */
    csm_decimal vwap;   /* ticks CSM_CELL_MISSING when not given */
    int64_t trades;     /* CSM_CELL_MISSING when not given */
} csm_bar_row;

extern const csm_decimal csm_decimal_missing;

/* What is wrong with a traded bar's numbers: "high is under close", or NULL. */
const char *csm_bar_row_fault(const csm_bar_row *bar);
csm_status csm_bar_row_append_traded(csm_table *rows, const csm_bar_row *bar);
/* NO_TRADE: prices missing, volume 0. */
csm_status csm_bar_row_append_quiet(csm_table *rows, csm_time time, csm_time available);

#endif
