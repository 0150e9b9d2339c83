/* SPDX-License-Identifier: MIT */
/*
 * What a source is inside: it builds a request and parses an answer, nothing else. The runner (run.c) asks, stores, keeps
 * cursors and reports. A source is one file in sources/ and one line in sources.def; docs/add-a-source.md tells how.
 */
#ifndef CSM_INGEST_SOURCE_H
#define CSM_INGEST_SOURCE_H

#include "discover/json_scan.h"
#include "discover/text_pool.h"

#include <cryptosmart/ingest.h>

#define CSM_ID_UNKNOWN INT64_MIN

/* What is asked. Lives as long as the request. */
typedef struct csm_source_ask {
    const char *base_url;
    const csm_market *market; /* NULL where not per market */
    const char *cursor;       /* where the last answer ended, verbatim; "" when none */
    int64_t last_id;          /* newest id received before; CSM_ID_UNKNOWN when none */
    csm_time interval;        /* of bars; 0 otherwise */
    csm_time from;            /* history wanted from here; CSM_TIME_MIN: what one call gives */
    csm_time now;
    uint32_t depth; /* levels of a book */
} csm_source_ask;

/* Rows of one stream. */
typedef struct csm_source_part {
    const char *native; /* the exchange's name of the market; "" where not per market */
    csm_table *rows;    /* NULL: not usable, see why */
    const char *why;    /* "" when fine */
} csm_source_part;

/* What an answer says. CSM_SOURCE_ANSWER_INIT; csm_source_answer_free. */
typedef struct csm_source_answer {
    csm_text_pool texts;
    csm_source_part *parts;
    size_t part_count;
    size_t part_capacity;
    const char *cursor; /* for the next request; NULL: keep the old one */
    int64_t last_id;    /* CSM_ID_UNKNOWN: keep the old one */
    csm_buffer note;    /* what the report should say: gaps, rows dropped */
    bool more;          /* ask again with the new cursor */
} csm_source_answer;

typedef struct csm_source_driver {
    const csm_net_source *net;
    bool by_interval; /* asked once for each interval */
    bool archives;    /* its raw replies cannot be fetched again: keep them */
    csm_status (*request)(csm_buffer *url, const csm_source_ask *ask);
    /* Any bytes give rows or CSM_EPARSE; time of receipt decides what is closed. */
    csm_status (*parse)(csm_source_answer *answer, const csm_source_ask *ask, const char *body, size_t length,
                        csm_time received);
    const char *venue;  /* of its streams */
    const char *series; /* symbol of its one stream where not per market; NULL otherwise */
} csm_source_driver;

const csm_source_driver *csm_source_driver_of(const csm_source *source);

/* A new part with an empty table of `kind`. */
csm_status csm_source_answer_part(csm_source_part **out, csm_source_answer *answer, const char *kind,
                                  csm_slice native);
/* An answer that says nothing yet. */
#define CSM_SOURCE_ANSWER_INIT                                                                               \
    { .last_id = CSM_ID_UNKNOWN }
void csm_source_answer_free(csm_source_answer *answer);
/* Adds "; text" to the note. */
csm_status csm_source_answer_note(csm_source_answer *answer, const char *format, ...) CSM_PRINTF(2, 3);

#endif
