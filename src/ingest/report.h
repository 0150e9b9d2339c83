/* SPDX-License-Identifier: MIT */
/* What became of each (source, market) of a run, or of each file of an import. */
#ifndef CSM_INGEST_REPORT_H
#define CSM_INGEST_REPORT_H

#include "discover/text_pool.h"

#include <cryptosmart/ingest.h>

struct csm_ingest_report {
    csm_text_pool texts;
    csm_ingest_item *items;
    size_t count;
    size_t capacity;
    csm_status first_failure; /* of an item; CSM_OK when none failed */
};

csm_status csm_report_new(csm_ingest_report **out);
/* A new item with nothing known; valid until the next call. Texts are copied. */
csm_status csm_report_item(csm_ingest_item **out, csm_ingest_report *report, const char *source,
                           const char *market);
/* Appends "; text" to an item's text. */
csm_status csm_report_say(csm_ingest_report *report, csm_ingest_item *item, const char *text);

/* Rows of a stream in the store, revisions included, and its newest event time (CSM_TIME_MIN when empty). */
csm_status csm_stream_extent(uint64_t *rows, csm_time *newest, const csm_store *store,
                             const csm_stream *stream);
/* First and last event time of a stream; first > last when it is empty. */
csm_status csm_stream_span(csm_time *first, csm_time *last, const csm_store *store, const csm_stream *stream);

#endif
