/* SPDX-License-Identifier: MIT */
#ifndef CSM_COST_COST_H
#define CSM_COST_COST_H

#include "core/internal.h"

#include <cryptosmart/cost.h>

/* One side pair of a book or ticker: when it was known, the spread it shows and the slippage of Q (NaN: not shown). */
typedef struct csm_cost_quote {
    csm_time available;
    double spread;    /* share of mid */
    double buy_slip;  /* mean buying price over best ask, less 1 */
    double sell_slip; /* 1 less mean selling price over best bid */
    bool thin; /* the book ends before Q is filled: slips are those of its whole depth, a lower bound */
} csm_cost_quote;

struct csm_cost_model {
    csm_cost_options options;
    csm_time as_of;
    double taker_fee; /* share a side; NaN: no schedule */
    size_t quotes;
    csm_cost_quote *quote; /* ascending by available; a book after a ticker of the same time */
    char hash[CSM_HASH_TEXT];
};

/* The log price move that breaks even (docs/cost.md). */
double csm_cost_break_even(double fee, double spread, double buy_slip, double sell_slip);
csm_status csm_cost_options_check(csm_cost_options *out, const csm_cost_options *options);
/* "Q=...;volume=...;fee=...;spread=...;slippage=...;book=...": what hashes of events and costs are made from. */
csm_status csm_cost_options_text(csm_buffer *text, const csm_cost_options *options);
csm_status csm_cost_read_quotes(csm_cost_model *model, csm_context *context, const csm_store *store,
                                const csm_market *market);

#endif
