/* SPDX-License-Identifier: MIT */
/*
 * ingest: runs sources and puts what they say into the store, with provenance. A source is one file in
 * src/ingest/sources/ and one line in sources.def: it builds requests and parses bytes, nothing else.
 */
#ifndef CRYPTOSMART_INGEST_H
#define CRYPTOSMART_INGEST_H

#include <cryptosmart/core.h>
#include <cryptosmart/discover.h>
#include <cryptosmart/net.h>
#include <cryptosmart/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row of sources.def. Static storage. */
typedef struct csm_source {
    const char *name; /* "kraken.ohlc" */
    const char *title;
    const char *kind;     /* of the records it gives: "bars" */
    const char *group;    /* feature group it feeds: "price" */
    const char *base_url; /* usual one */
    uint32_t per_market;  /* 1: asked for each market */
    uint32_t needs_key;   /* 1: switched off without a credential */
} csm_source;
CSM_API size_t csm_ingest_source_count(void);
CSM_API const csm_source *csm_ingest_source_at(size_t index);
CSM_API const csm_source *csm_ingest_source_find(const char *name);

typedef struct csm_ingest_options {
    size_t size;
    const char *base_url;          /* NULL: the source's usual one; a replay's for tests */
    const char *provenance_prefix; /* "" or "replay:" */
    const csm_time *intervals;     /* of bars; NULL: 1h, 4h, 1d, 1w */
    size_t interval_count;
    csm_time from;          /* history wanted from here (trades); CSM_TIME_MIN: what one call gives */
    uint64_t most_requests; /* stop after so many; 0: no bound. What was received is kept, the cursor too */
    uint32_t depth;         /* levels of a book, 1..500; default 100 */
    uint32_t reserved;
} csm_ingest_options;
CSM_API void csm_ingest_options_init(csm_ingest_options *options);

/* What became of one (source, market) of a run. Strings live as long as the report. */
typedef struct csm_ingest_item {
    const char *source;
    const char *market; /* id; "" for sources that are not per market */
    uint32_t net_class; /* csm_net_class of the last reply */
    uint32_t reserved;
    uint64_t requests;
    uint64_t rows;    /* appended, new or revised */
    csm_time newest;  /* event time in the store now; CSM_TIME_MIN: nothing */
    const char *text; /* why not, "" when fine */
} csm_ingest_item;
typedef struct csm_ingest_report csm_ingest_report;
CSM_API size_t csm_ingest_report_count(const csm_ingest_report *report);
CSM_API const csm_ingest_item *csm_ingest_report_at(const csm_ingest_report *report, size_t index);
CSM_API void csm_ingest_report_free(csm_ingest_report *report);
/* Moves the items of `from` behind those of *into, which is made when NULL; `from` stays to be freed, empty. */
CSM_API csm_status csm_ingest_report_join(csm_ingest_report **into, csm_ingest_report *from);

/* Runs one source for the given markets (ignored where not per market). One market's failure is its item's, not the run's.
 * The open bar never enters; an interval without trade in a contiguous reply is NO_TRADE. */
CSM_API csm_status csm_ingest_run(csm_ingest_report **out, csm_context *context, csm_store *store,
                                  csm_net *net, const csm_source *source, const csm_market *const *markets,
                                  size_t market_count, const csm_ingest_options *options);

/* Rebuilds bars of `interval` from stored trades of a market in [from, to), whole bars only. */
CSM_API csm_status csm_ingest_bars_from_trades(uint64_t *rows, csm_context *context, csm_store *store,
                                               const csm_market *market, csm_time interval, csm_time from,
                                               csm_time to);

/* ---- history files ----------------------------------------------------------------------------------------------- */

typedef enum csm_import_format {
    CSM_IMPORT_AUTO = 0,
    CSM_IMPORT_KRAKEN_OHLCVT =
        1, /* no header: timestamp,open,high,low,close,volume,trades; name ALTNAME_MINUTES.csv */
    CSM_IMPORT_OHLCV = 2,     /* header ts,open,high,low,close,volume[,...] */
    CSM_IMPORT_FEAR_GREED = 3 /* header date,value,classification */
} csm_import_format;

typedef struct csm_import_options {
    size_t size;
    const char *venue; /* required: "kraken", "binance" */
    const char *
        symbol; /* "BTC/USD"; NULL: from the file's name and `quote` (OHLCVT: from the registry's altnames) */
    const char *quote;  /* "USDT"; used when symbol is NULL */
    const char *origin; /* licence and origin, kept as provenance; required */
    csm_time interval;  /* 0: from the name or the rows' most frequent step */
    csm_time from;      /* rows outside [from, to) are left out and counted; defaults: everything */
    csm_time to;
    uint32_t format;    /* csm_import_format */
    uint32_t drop_last; /* 1 (default): the last bar of each file may be unfinished and is dropped */
    int32_t epoch;      /* listing epoch of the rows; default 1 */
    int32_t reserved;
} csm_import_options;
CSM_API void csm_import_options_init(csm_import_options *options);
/* Imports a .csv, .csv.xz, .csv.gz or .zip of them, or every such file of a folder. Missing hours stay missing. A bad row is
 * CSM_EPARSE with file, line and value, and nothing of that file enters. One item a file (text: what was skipped). */
CSM_API csm_status csm_ingest_import(csm_ingest_report **out, csm_context *context, csm_store *store,
                                     const char *path, const csm_import_options *options);

#ifdef __cplusplus
}
#endif
#endif
