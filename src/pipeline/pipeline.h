/* SPDX-License-Identifier: MIT */
#ifndef CSM_PIPELINE_PIPELINE_H
#define CSM_PIPELINE_PIPELINE_H

#include "pipeline/training.h"

struct csm_pipeline {
    csm_context *context; /* borrowed */
    csm_config *config;
    csm_store *store;
    training_settings settings;
    char *workspace;
};

/* A market's id with its listing epoch, "binance:LUNA/USDT#2"; plain for the first. Returns text. */
char *csm_market_epoch_name(char *text, size_t size, const csm_market *market);

/* Markets of the universe as an array of pointers into `list`. ever: delisted ones and earlier epochs too. */
typedef struct universe {
    csm_market_list *list;
    const csm_market **market;
    size_t count;
} universe;
csm_status csm_universe_make(universe *out, const csm_pipeline *pipeline, csm_time as_of, bool ever);
void csm_universe_free(universe *u);

/* The configured recipe without the groups whose source the workspace does not hold: sentiment, order book, and the lead
 * coin of `u`. The recipe's name and the log name each group left out. */
csm_status csm_pipeline_recipe(csm_recipe **out, const csm_pipeline *pipeline, const universe *u);

/* Open of the first and close of the last stored bar of the universe; CSM_ENODATA when there is none. */
csm_status csm_pipeline_span(csm_time *first, csm_time *last, const csm_pipeline *pipeline,
                             const universe *u);

#endif
