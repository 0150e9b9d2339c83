/* SPDX-License-Identifier: MIT */
/* cost: what a round trip costs, as far as it is known at a time: fees, spread, slippage; assumptions are named. */
#ifndef CRYPTOSMART_COST_H
#define CRYPTOSMART_COST_H

#include <cryptosmart/core.h>
#include <cryptosmart/discover.h>
#include <cryptosmart/store.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csm_cost_options {
    size_t size;
    double notional;       /* reference notional Q in quote currency; default 1000 */
    double monthly_volume; /* for the fee tier; default 0 */
    double assumed_fee;    /* taker, share of notional a side, where no schedule is known; default 0.0040 */
    double
        assumed_spread; /* full spread as a share of mid, where no book or ticker is known; default 0.0010 */
    double assumed_slippage; /* a side, share of price, where no book is known; default 0.0005 */
    csm_time book_age;       /* oldest book or ticker that counts; default 1 h */
} csm_cost_options;
CSM_API void csm_cost_options_init(csm_cost_options *options);

#define CSM_COST_FEE_ASSUMED 1u
#define CSM_COST_SPREAD_ASSUMED 2u
#define CSM_COST_SLIPPAGE_ASSUMED 4u

typedef struct csm_cost {
    double fee;       /* both sides, share of notional */
    double spread;    /* full spread, share of mid */
    double slippage;  /* both sides, share of price */
    double total;     /* the event's c: the log price move that breaks even (docs/cost.md) */
    uint32_t assumed; /* CSM_COST_*_ASSUMED bits */
    uint32_t reserved;
} csm_cost;

typedef struct csm_cost_model csm_cost_model; /* of one market; immutable */
CSM_API csm_status csm_cost_open(csm_cost_model **out, csm_context *context, const csm_store *store,
                                 const csm_market *market, csm_time as_of, const csm_cost_options *options);
CSM_API void csm_cost_free(csm_cost_model *model);
/* Cost of buying and selling Q as known at `time` (not after as_of). */
CSM_API csm_status csm_cost_at(csm_cost *out, const csm_cost_model *model, csm_time time);
/* Walks one side of a book until `notional` is filled: mean price. prices and volumes best first. CSM_ENODATA when the book is
 * too thin. */
CSM_API csm_status csm_cost_walk(double *mean_price, const double *price, const double *volume, size_t levels,
                                 double notional);
/* SHA-256 hex of options and schedule: enters the event's hash. */
CSM_API csm_status csm_cost_hash(char *hex, size_t size, const csm_cost_model *model);

#ifdef __cplusplus
}
#endif
#endif
