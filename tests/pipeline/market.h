/* SPDX-License-Identifier: MIT */
/* Generated markets for canaries (STATISTICS): series of known nature in a workspace of their own. Tests alone make such data. */
#ifndef CSM_TESTS_PIPELINE_MARKET_H
#define CSM_TESTS_PIPELINE_MARKET_H

#include <cryptosmart/cryptosmart.h>

#include "../core/support.h"

#include <math.h>

#define MARKET_START ((csm_time)18628 * CSM_DAY) /* 2021-01-01 */
#define MARKET_COINS 10
#define MARKET_DAYS 320
#define MARKET_HOURS (MARKET_DAYS * 24)

/* Hourly log returns of one coin; coin and day index decide, through the seed, nothing else. */
typedef void (*market_nature)(double *returns, uint32_t coin, uint64_t seed);

typedef struct market {
    char *folder;
    char *workspace;
    csm_context *context;
    csm_config *config;
    csm_pipeline *pipeline;
} market;

/* The first coin is BTC: the recipe has features that compare with it. */
static inline const char *market_name(char *text, size_t size, uint32_t coin) {
    if (coin == 0) return "BTC";
    snprintf(text, size, "T%u", coin);
    return text;
}

static inline csm_decimal market_price(double value) {
    return (csm_decimal){(int64_t)llround(value * 1e8), 8, 0};
}

static inline void market_row(csm_table *table, csm_time time, double open, double close, double volume) {
    csm_decimal cells[16];
    double high = open > close ? open : close, low = open > close ? close : open;
    for (size_t c = 0; c < csm_table_columns(table); c++) cells[c] = (csm_decimal){CSM_CELL_MISSING, 0, 0};
    cells[csm_table_column_find(table, "time")].ticks = time;
    cells[csm_table_column_find(table, "available")].ticks = time + CSM_HOUR;
    cells[csm_table_column_find(table, "open")] = market_price(open);
    cells[csm_table_column_find(table, "high")] = market_price(high * 1.0005);
    cells[csm_table_column_find(table, "low")] = market_price(low * 0.9995);
    cells[csm_table_column_find(table, "close")] = market_price(close);
    cells[csm_table_column_find(table, "volume")] = (csm_decimal){(int64_t)(volume * 1000), 3, 0};
    cells[csm_table_column_find(table, "state")] = (csm_decimal){CSM_BAR_TRADED, 0, 0};
    assert_ok(csm_table_append(table, cells));
}

static inline void market_coin(market *m, uint32_t coin, market_nature nature, uint64_t seed, size_t hours) {
    double *returns = calloc(MARKET_HOURS, sizeof *returns), price = 100;
    csm_table *table = NULL;
    nature(returns, coin, seed);
    assert_ok(csm_table_new(&table, "bars"));
    for (size_t i = 0; i < hours; i++) {
        double close = price * exp(returns[i]);
        double volume = 500 * (0.5 + csm_random_uniform(seed, 900 + coin, i));
        market_row(table, MARKET_START + (csm_time)i * CSM_HOUR, price, close, volume);
        price = close;
    }
    char name[16], symbol[24];
    snprintf(symbol, sizeof symbol, "%s/USD", market_name(name, sizeof name, coin));
    csm_stream stream = {.kind = "bars", .venue = "test", .symbol = symbol, .interval = CSM_HOUR, .epoch = 1};
    csm_provenance provenance = {"test", "generated for a test", "", csm_context_now(m->context)};
    assert_ok(csm_store_append(csm_pipeline_store(m->pipeline), m->context, &stream, table, &provenance));
    csm_table_free(table);
    free(returns);
}

/* Coins first .. end - 1. */
static inline void market_listing(market *m, uint32_t first, uint32_t end) {
    if (first == end) return;
    csm_buffer text = {0};
    csm_listing *listing = NULL;
    csm_discovery *discovery = NULL;
    assert_ok(csm_buffer_printf(&text, "venue,symbol,coin,quote,status,reason\n"));
    for (uint32_t c = first; c < end; c++) {
        char text_of[16];
        const char *name = market_name(text_of, sizeof text_of, c);
        assert_ok(csm_buffer_printf(&text, "test,%s/USD,%s,USD,online,\n", name, name));
    }
    assert_ok(csm_discover_parse_manifest(&listing, text.data, text.length));
    csm_provenance provenance = {"test", "generated for a test", "", MARKET_START};
    assert_ok(csm_discover_apply(&discovery, m->context, csm_pipeline_store(m->pipeline), listing, text.data,
                                 text.length, &provenance, NULL));
    csm_discovery_free(discovery);
    csm_listing_free(listing);
    csm_buffer_free(&text);
}

/* One horizon of 24 hours, small models, everything else as configured by default. */
static inline void market_configure(csm_config *config) {
    static const char *const values[][2] = {
        {"train.horizons", "24h"}, {"train.steps", "24h"},     {"train.spans", "0s"},
        {"train.windows", "0s"},   {"train.first", "120d"},    {"train.test_span", "60d"},
        {"gate.horizon", "24h"},   {"gbt.rounds", "40"},       {"gbt.leaves", "7"},
        {"gbt.min_rows", "50"},    {"train.bootstrap", "100"}, {"lstm.hidden", "8"},
        {"lstm.epochs", "2"},      {"lstm.window", "6"},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_ok(csm_config_set(config, values[i][0], values[i][1]));
}

/* A workspace with the first `hours` of coins first .. end - 1. */
static inline market *market_new_between(uint32_t first, uint32_t end, market_nature nature, uint64_t seed,
                                         size_t hours) {
    market *m = calloc(1, sizeof *m);
    m->folder = support_folder_new();
    m->workspace = support_path(m->folder, "workspace");
    assert_ok(csm_context_new(&m->context, NULL));
    assert_ok(csm_config_new(&m->config));
    market_configure(m->config);
    assert_ok(csm_pipeline_open(&m->pipeline, m->context, m->config, m->workspace, CSM_STORE_CREATE));
    market_listing(m, first, end);
    for (uint32_t c = first; c < end; c++) market_coin(m, c, nature, seed, hours);
    return m;
}

static inline market *market_new_until(uint32_t coins, market_nature nature, uint64_t seed, size_t hours) {
    return market_new_between(0, coins, nature, seed, hours);
}

static inline market *market_new(uint32_t coins, market_nature nature, uint64_t seed) {
    return market_new_until(coins, nature, seed, MARKET_HOURS);
}

static inline void market_free(market *m) {
    csm_pipeline_free(m->pipeline);
    csm_config_free(m->config);
    csm_context_free(m->context);
    csm_dealloc(m->workspace);
    support_folder_remove(m->folder);
    free(m);
}

static inline csm_time market_end(void) {
    return MARKET_START + (csm_time)MARKET_HOURS * CSM_HOUR;
}

/* ---- natures ---- */

/* Driftless: hourly standard deviation of 0.8 %, about that of large coins. */
static inline void random_walk(double *returns, uint32_t coin, uint64_t seed) {
    for (size_t i = 0; i < MARKET_HOURS; i++)
        returns[i] = 0.008 * csm_random_normal(seed, coin, i) - 0.000032;
}

/* The last hour of each day tells the direction of the next day's 5 % move, and is right with probability 0.85. */
static inline void planted_signal(double *returns, uint32_t coin, uint64_t seed) {
    double move = 0;
    for (size_t day = 0; day < MARKET_DAYS; day++) {
        double sign = csm_random_uniform(seed, 100 + coin, day) < 0.5 ? -1 : 1;
        for (size_t hour = 0; hour < 23; hour++)
            returns[day * 24 + hour] = move / 23 + 0.001 * csm_random_normal(seed, coin, day * 24 + hour);
        returns[day * 24 + 23] = sign * 0.02;
        bool right = csm_random_uniform(seed, 200 + coin, day) < 0.85;
        /* The next day's own signal hour belongs to its window too: twice that size keeps the outcome clear. */
        move = (right ? sign : -sign) * 0.06;
    }
}

#endif
