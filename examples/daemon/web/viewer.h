/* SPDX-License-Identifier: MIT */
/*
 * Views of the workspace. A view is one consistent generation: opened read-only, its pages written once, then served to everyone
 * from memory. A thread looks every second whether the catalogue has changed and makes the next view; requests hold the one
 * they began with.
 */
#ifndef WEB_VIEWER_H
#define WEB_VIEWER_H

#include "request.h"

#include <pthread.h>

typedef struct viewer viewer;

typedef enum page_kind {
    PAGE_RANKING,
    PAGE_MATRIX,
    PAGE_GATE,
    PAGE_HEALTH,
    PAGE_STATUS,
    PAGE_COVERAGE,
    PAGE_SOURCES,
    PAGE_MODELS,
    PAGE_RELIABILITY,
    PAGE_COINS,
    PAGE_COUNT
} page_kind;

/* What pages are written from. Parts that the workspace does not hold are NULL. */
typedef struct view {
    size_t references; /* under the viewer's lock */
    uint64_t number;   /* of the view */
    csm_time made;
    csm_context *context;
    csm_pipeline *pipeline;
    csm_store *store; /* the pipeline's */
    csm_pipeline_status status;
    csm_training *champion;
    csm_ledger_history *batch; /* of the newest decision */
    size_t batch_first;        /* the decision's entries of the history are the last ones, from here */
    csm_market_list *markets;
    csm_stream_list *streams;
    csm_time gate_horizon;
    const csm_config *config;
    pthread_mutex_t reading; /* held by who reads through context and store after the view was made */
    csm_frame *frame;        /* of the newest decision, made when first asked for */
    csm_market_list *universe;
    bool frame_failed;
    double error_ratio; /* of the daemon's finished jobs of a week; NaN: none */
    char problem[300];  /* why there is nothing: "" when there is */
    struct MHD_Response *page[PAGE_COUNT];
    struct MHD_Response *unchanged[PAGE_COUNT];
    char tag[PAGE_COUNT][40];
    uint64_t build_microseconds;
} view;

viewer *viewer_new(struct dashboard *d); /* NULL: no memory or thread */
/* The present view, held until viewer_release. NULL before the first. */
view *viewer_hold(viewer *v);
void viewer_release(viewer *v, void *held); /* takes NULL */
/* Ends the thread. */
void viewer_stop(viewer *v);
void viewer_free(viewer *v);

/* ---- pages (view_*.c) ---- */

json_t *view_ranking(const view *v);
json_t *view_matrix(const view *v);
json_t *view_gate(const view *v);
json_t *view_health(const view *v);
json_t *view_status(const view *v);
json_t *view_coverage(const view *v);
json_t *view_sources(const view *v);
json_t *view_models(const view *v);
json_t *view_reliability(const view *v);
json_t *view_coins(const view *v);

/* ---- what they share (view_values.c) ---- */

/* "24h", "30d". */
const char *horizon_text(csm_time horizon, char *text, size_t size);
json_t *json_reasons(csm_reason reasons);
/* An entry of the ledger, with the row that it is. */
json_t *json_entry(const csm_ledger_entry *e);
json_t *json_band(const csm_band *band);
/* "streams/bars/kraken/BTC/USD/1/3600000000000": where bars come from. */
void stream_text(char *text, size_t size, const csm_stream *stream);
/* The stream of a market's bars at the prediction's interval; NULL: none. */
const csm_stream_info *market_stream(const view *v, const char *market, int32_t epoch);
/* The market of an id ("kraken:BTC/USD") and epoch (0: the newest); NULL: none. */
const csm_market *market_find(const view *v, const char *id, int32_t epoch);
/* Entries of the newest decision. */
size_t batch_count(const view *v);
const csm_ledger_entry *batch_at(const view *v, size_t index);

#endif
