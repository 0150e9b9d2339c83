/* SPDX-License-Identifier: MIT */
/* cryptosmart-replay: recorded history served as Kraken's public REST API at a virtual time (docs/replay.md). */
#ifndef CRYPTOSMART_REPLAY_H
#define CRYPTOSMART_REPLAY_H

#include <cryptosmart/cryptosmart.h>

#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

/* ---- text.c: growing text; running out of memory ends the program ---- */

typedef struct text {
    char *data; /* zero-terminated once something was added */
    size_t length;
    size_t capacity;
} text;

void *take_memory(size_t bytes);
void text_add(text *t, const char *format, ...) CSM_PRINTF(2, 3);
void text_bytes(text *t, const char *data, size_t length);
/* ticks / 10^scale with at least `decimals` decimals and no zeros beyond. */
__extension__ typedef __int128 wide;
void text_decimal(text *t, wide ticks, int32_t scale, int32_t decimals);
void text_free(text *t);

/* ---- files.c ---- */

/* Whole file, unpacked when it is xz or gzip. False with a message on stderr. */
bool file_read(text *out, const char *path);
/* The "result" object of a recorded Kraken reply, or the object itself when it has no envelope. NULL with a message. */
json_t *file_result(const char *path);
/* The same, with numbers that have a fraction kept as text, for doubles cannot hold them. */
json_t *file_result_exact(const char *path);

/* ---- clock.c: virtual time ---- */

typedef struct virtual_clock {
    csm_time start;
    csm_time stepped;
    csm_time began; /* real, monotonic */
    double speed;   /* 0: stands, moved by steps */
} virtual_clock;

csm_time real_now(void); /* monotonic */
csm_time real_wall(void);
void clock_set(virtual_clock *c, csm_time now);
csm_time clock_now(const virtual_clock *c);
void clock_step(virtual_clock *c, csm_time by);

/* ---- markets.c ---- */

typedef struct recorded {
    csm_stream stream; /* strings belong to the store's list */
    csm_time first;
    csm_time last;
} recorded;

typedef struct snapshot {
    csm_time time; /* of its newest level */
    const json_t *book;
} snapshot;

typedef struct trade {
    csm_time time;
    csm_decimal price;
    csm_decimal volume;
    int64_t id; /* CSM_CELL_MISSING: none */
    char side;  /* 'b' or 's' */
    char order; /* 'm', 'l' or 0 */
} trade;

typedef struct pair {
    const char *id;
    const char *altname;
    const char *wsname; /* "" when it has none */
    const char *symbol; /* "BTC/USD" */
    const json_t *listing;
    int32_t price_decimals;
    int32_t lot_decimals;
    bool delisted;
    recorded *streams;
    size_t stream_count;
    snapshot *books; /* by time */
    size_t book_count;
    trade *trades; /* from files; by time, id */
    size_t trade_count;
} pair;

typedef struct options {
    const char *workspace;
    const char *folder;
    const char *folder_quote;
    const char *venue;
    const char *quotes; /* "USDT=USD,..." */
    const char *listing;
    const char *assets;
    const char *books[64];
    size_t book_count;
    const char *trades[64];
    size_t trade_count;
    bool only_recorded;
    csm_time delist_after; /* 0: never */
    uint16_t port;
    double limit_rate; /* 0: none */
    double limit_burst;
    double slow_seconds;
} options;

/* ---- fault.c ---- */

typedef enum fault_kind {
    FAULT_NONE = 0,
    FAULT_RATE,
    FAULT_THROTTLED,
    FAULT_UNAVAILABLE,
    FAULT_HTTP500,
    FAULT_HTTP520HTML,
    FAULT_HTML200,
    FAULT_CUT,   /* the connection ends before the declared length */
    FAULT_SHORT, /* half of the body, honestly declared */
    FAULT_SLOW,
    FAULT_WRONGJSON,
    FAULT_WRONGTYPE,
    FAULT_MISSINGPAIR,
    FAULT_EMPTY,
    FAULT_COUNT_
} fault_kind;

typedef struct fault_plan {
    fault_kind kind;
    uint64_t every; /* each n-th request */
    uint64_t left;  /* faults to come; UINT64_MAX: without end */
    uint64_t seen;
    uint64_t served; /* faults so far */
} fault_plan;

fault_kind fault_find(const char *name); /* FAULT_COUNT_ when unknown */
const char *fault_name(fault_kind kind);
/* "KIND", "KIND:N" or "KIND:every N". */
bool fault_parse(fault_plan *plan, const char *text);
fault_kind fault_next(fault_plan *plan);

/* ---- the program's state ---- */

typedef struct replay {
    options options;
    csm_context *context;
    csm_store *store;         /* NULL: none */
    csm_stream_list *streams; /* owner of the streams' strings */
    csm_listing *listing;     /* owner of the pairs' strings */
    json_t *pairs_json;
    json_t *assets_json; /* NULL: none recorded */
    json_t *files[128];  /* books and trades, kept alive */
    size_t file_count;
    pair *pairs; /* in the listing's order */
    size_t pair_count;
    pair **by_name; /* id, altname, wsname and symbol, sorted by name */
    const char **names;
    size_t name_count;
    virtual_clock clock;
    fault_plan fault;
    char system_status[24];
    double tokens; /* of the limit */
    csm_time token_time;
    uint64_t requests;
    char *temporary; /* workspace made for --folder */
    pthread_mutex_t mutex;
} replay;

bool listing_load(replay *r);
bool markets_load(replay *r); /* after listing_load and once the store is open */
void markets_free(replay *r);
/* By id, altname, wsname or symbol, among those listed at `now`; NULL when there is none. */
pair *market_find(const replay *r, const char *name, size_t length, csm_time now);
bool market_listed(const replay *r, const pair *p, csm_time now);
/* The stream of a kind and interval in the listing epoch of `now`; NULL when there is none. */
const recorded *market_stream(const pair *p, const char *kind, csm_time interval, csm_time now);
/* The longest interval of bars that divides `interval` and is not above `most`; 0 when there is none. */
csm_time market_source(const pair *p, csm_time interval, csm_time most, csm_time now);

/* ---- bars.c ---- */

typedef struct bar {
    csm_time time;
    int64_t open, high, low, close; /* ticks of price_scale */
    int64_t vwap;                   /* ticks of vwap_scale; CSM_CELL_MISSING: not recorded */
    wide volume;                    /* ticks of volume_scale */
    int64_t trades;                 /* CSM_CELL_MISSING: not recorded */
} bar;

typedef struct bars {
    bar *rows; /* traded ones only, by time */
    size_t count;
    int32_t price_scale;
    int32_t vwap_scale;
    int32_t volume_scale;
} bars;

/* Recorded bars of a stream in [from, to) that were available at `now`. False with a message on stderr. */
bool bars_read(bars *out, replay *r, const recorded *source, csm_time from, csm_time to, csm_time now);
/* Merges bars into those of a longer interval, in place. */
void bars_aggregate(bars *series, csm_time interval);
/* Puts the rows of `tail` behind those of `series`, whatever their scales. False when a value leaves its type; both are
 * then still to be freed, and nothing else. */
bool bars_append(bars *series, bars *tail);
void bars_free(bars *series);

/* ---- answers: each appends the whole reply, envelope included ---- */

typedef struct query {
    const char *pair;
    const char *asset;
    const char *interval;
    const char *since;
    const char *count;
    const char *version; /* assetVersion */
} query;

typedef void (*answer_fn)(replay *r, const query *q, csm_time now, text *out);
answer_fn answer_find(const char *method); /* NULL when unknown */
void answer_error(text *out, const char *error);
/* Key of a pair in a reply: its id, or its symbol with assetVersion=1. */
const char *answer_key(const pair *p, const query *q);
bool answer_count(uint64_t *out, const char *value, uint64_t standard, uint64_t most);

void answer_time(replay *r, const query *q, csm_time now, text *out);
void answer_system_status(replay *r, const query *q, csm_time now, text *out);
void answer_assets(replay *r, const query *q, csm_time now, text *out);
void answer_asset_pairs(replay *r, const query *q, csm_time now, text *out);
void answer_ticker(replay *r, const query *q, csm_time now, text *out);
void answer_ohlc(replay *r, const query *q, csm_time now, text *out);
void answer_trades(replay *r, const query *q, csm_time now, text *out);
void answer_depth(replay *r, const query *q, csm_time now, text *out);

/* trades.c, depth.c */
bool trades_load(replay *r, const char *path);
bool books_load(replay *r, const char *path);

/* ---- folder.c ---- */

bool folder_open(replay *r); /* after listing_load */
/* Removes the workspace that folder_open made. */
void folder_close(replay *r);

/* ---- server.c ---- */

/* Serves until one of the signals comes, which are blocked. */
bool server_run(replay *r, const sigset_t *ends);

#endif
