/* SPDX-License-Identifier: MIT */
/*
 * discover: every market an exchange offers, and the proof that none was missed. A listing becomes registry rows, dated
 * listing events and a coverage run whose equation offered = processed + excluded(reason) holds in pairs and in coins,
 * or the run fails and changes nothing.
 */
#ifndef CRYPTOSMART_DISCOVER_H
#define CRYPTOSMART_DISCOVER_H

#include <cryptosmart/core.h>
#include <cryptosmart/net.h>
#include <cryptosmart/store.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CSM_FEE_TIERS_MAX 16

/* One market of the registry. Strings live as long as the list it came from. */
typedef struct csm_market {
    const char *id;      /* "kraken:BTC/USD" */
    const char *venue;   /* "kraken" */
    const char *symbol;  /* "BTC/USD": the store's symbol */
    const char *coin;    /* "BTC" */
    const char *quote;   /* "USD" */
    const char *native;  /* the exchange's id, "XXBTZUSD" */
    const char *altname; /* "XBTUSD" */
    const char *status;  /* as received, "online" */
    csm_reason excluded; /* 0: processed */
    csm_time listed;     /* first seen in a listing */
    csm_time delisted;   /* first missing from one; CSM_TIME_MAX while listed */
    int32_t epoch;       /* listing epoch, from 1 */
    int32_t canonical;   /* 1: the market used for modelling its coin */
    int32_t price_decimals;
    int32_t lot_decimals;
    csm_decimal order_minimum; /* base units; ticks CSM_CELL_MISSING when not given, here and below */
    csm_decimal cost_minimum;  /* quote units */
    csm_decimal tick_size;
    uint32_t taker_tiers; /* 0: no schedule received */
    uint32_t maker_tiers;
    double taker_volume[CSM_FEE_TIERS_MAX]; /* 30-day volume from which the tier holds */
    double taker_percent[CSM_FEE_TIERS_MAX];
    double maker_volume[CSM_FEE_TIERS_MAX];
    double maker_percent[CSM_FEE_TIERS_MAX];
} csm_market;

/* ---- listings ------------------------------------------------------------------------------------------------ */

typedef struct csm_listing csm_listing; /* parsed rows of one venue's raw listing, not applied yet */

/* Kraken AssetPairs and Assets replies (docs.kraken.com, REST), 2021 and present schemas. assets may be NULL: then names
 * follow the legacy prefix rule and the run says so. Every member of the reply becomes a row, good or bad; a reply that is
 * not whole is CSM_EPARSE with the byte. */
CSM_API csm_status csm_discover_parse_kraken(csm_listing **out, const char *pairs, size_t pairs_length,
                                             const char *assets, size_t assets_length);
/* A dated universe manifest: CSV `venue,symbol,coin,quote,status,reason`, one row an offered market; reason is empty for
 * those processed, else a name of reasons.def. Lines that begin with '#' are comments. Several manifests of different
 * dates, applied in order (provenance.received is the date), give the registry its history. */
CSM_API csm_status csm_discover_parse_manifest(csm_listing **out, const char *text, size_t length);
CSM_API void csm_listing_free(csm_listing *listing);
CSM_API size_t csm_listing_count(const csm_listing *listing);
CSM_API const csm_market *csm_listing_at(const csm_listing *listing, size_t index);

/* ---- coverage ------------------------------------------------------------------------------------------------ */

typedef enum csm_listing_event_kind {
    CSM_LISTING_NEW = 0,      /* first seen */
    CSM_LISTING_VANISHED = 1, /* in the run before, not in this one */
    CSM_LISTING_BACK = 2,     /* listed again: a new epoch */
    CSM_LISTING_STATUS = 3,   /* status changed */
    CSM_LISTING_TERMS = 4     /* fees, limits or decimals changed */
} csm_listing_event_kind;
CSM_API const char *csm_discover_event_name(uint32_t kind);

typedef struct csm_listing_event {
    const char *market; /* id */
    const char *before; /* what it was, "" when new */
    const char *after;  /* what it is, "" when vanished */
    csm_time time;
    uint32_t kind; /* csm_listing_event_kind */
    int32_t epoch;
} csm_listing_event;

typedef struct csm_coverage {
    const char *venue;
    const char *listing_hash; /* SHA-256 hex of the raw reply */
    csm_time time;            /* received */
    int64_t run;              /* number of the run in the catalogue */
    size_t pairs_offered;
    size_t pairs_processed;
    size_t pairs_excluded;
    size_t coins_offered;
    size_t coins_processed;
    size_t coins_excluded;
    size_t pairs_by_reason[64]; /* each excluded pair counted once, at its lowest bit */
    size_t
        coins_by_reason[64]; /* each coin without a processed market, at the lowest bit of its best market */
} csm_coverage;

typedef struct csm_discovery csm_discovery; /* the result of one run */

typedef struct csm_discover_options {
    size_t size;
    const char *const
        *quotes; /* modelled quotes in order of preference, NULL-terminated; NULL: USD, EUR, USDT */
} csm_discover_options;
CSM_API void csm_discover_options_init(csm_discover_options *options);

/* Applies a listing in one transaction. raw: the bytes that are hashed. CSM_ECOVERAGE and no change when the equation does
 * not hold. */
CSM_API csm_status csm_discover_apply(csm_discovery **out, csm_context *context, csm_store *store,
                                      const csm_listing *listing, const void *raw, size_t raw_length,
                                      const csm_provenance *provenance, const csm_discover_options *options);
/* Fetches Kraken's listing (`base_url` such as "https://api.kraken.com/0") and applies it. */
CSM_API csm_status csm_discover_kraken(csm_discovery **out, csm_context *context, csm_store *store,
                                       csm_net *net, const char *base_url,
                                       const csm_discover_options *options);
CSM_API void csm_discovery_free(csm_discovery *discovery);
CSM_API const csm_coverage *csm_discovery_coverage(const csm_discovery *discovery);
CSM_API size_t csm_discovery_event_count(const csm_discovery *discovery);
CSM_API const csm_listing_event *csm_discovery_event_at(const csm_discovery *discovery, size_t index);
/* Newest stored coverage run of a venue, without its events; CSM_ENOTFOUND when none. */
CSM_API csm_status csm_discover_last(csm_discovery **out, const csm_store *store, const char *venue);

/* ---- registry ---------------------------------------------------------------------------------------------------- */

typedef struct csm_market_list csm_market_list;
#define CSM_MARKETS_ALL 0u
#define CSM_MARKETS_PROCESSED 1u /* without exclusion */
#define CSM_MARKETS_CANONICAL 2u /* one a coin */
#define CSM_MARKETS_EVER                                                                                     \
    4u /* also delisted markets and earlier listing epochs: training must see what vanished */
/* Markets as known at as_of (CSM_TIME_MAX: now), sorted by id, then epoch. venue NULL: all. Without CSM_MARKETS_EVER only
 * those listed at as_of. Each epoch is a market of its own, with its own listed and delisted times. */
CSM_API csm_status csm_discover_markets(csm_market_list **out, const csm_store *store, const char *venue,
                                        csm_time as_of, uint32_t flags);
CSM_API size_t csm_market_list_count(const csm_market_list *list);
CSM_API const csm_market *csm_market_list_at(const csm_market_list *list, size_t index);
CSM_API void csm_market_list_free(csm_market_list *list);

#ifdef __cplusplus
}
#endif
#endif
