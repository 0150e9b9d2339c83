/* SPDX-License-Identifier: MIT */
/* Kraken's OHLC reply, read in one pass straight into a table of bars. */
#ifndef CSM_INGEST_OHLC_SCAN_H
#define CSM_INGEST_OHLC_SCAN_H

#include "discover/json_scan.h"

#include <cryptosmart/store.h>

typedef struct csm_ohlc_reply {
    csm_slice pair;       /* whom the reply is about, borrowed from the body */
    csm_time last;        /* open of the newest closed bar, as the exchange says */
    csm_time newest;      /* open of the newest bar taken; CSM_TIME_MIN when none */
    size_t open_rows;     /* rows left out because their bar was not closed yet */
    size_t quiet_rows;    /* intervals without a trade */
    size_t steps_missing; /* intervals that the reply leaves out between its rows */
} csm_ohlc_reply;

/* rows: an empty table of bars. Rows must ascend by whole intervals and lie before `received`; a bar enters when it is not
 * after `last` and was over when the reply arrived. */
csm_status csm_ohlc_scan(csm_ohlc_reply *out, csm_table *rows, const char *body, size_t length,
                         csm_time interval, csm_time received);

#endif
