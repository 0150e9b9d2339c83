/* SPDX-License-Identifier: MIT */
/* A store that holds the generated series, as if they had been received. */
#ifndef CSM_TESTS_FUSE_WORKSPACE_H
#define CSM_TESTS_FUSE_WORKSPACE_H

#include "fuse/series.h"
#include "store/fixture.h"

static const csm_provenance test_origin = {
    .source = "test", .request = "generated", .origin = "", .received = CSM_TIME_MAX - 1};

static inline csm_market market_of(const char *coin, const char *symbol) {
    return (csm_market){.id = symbol,
                        .venue = "test",
                        .symbol = symbol,
                        .coin = coin,
                        .quote = "USD",
                        .listed = 0,
                        .delisted = CSM_TIME_MAX,
                        .epoch = 1,
                        .canonical = 1};
}

static inline csm_decimal tick(double value) {
    return isnan(value) ? missing() : dec((int64_t)(value * 1e6 + 0.5), 6);
}

/* Prices rounded to what the store holds, so that both hold the same doubles. */
static inline void series_round(series *s) {
    for (int c = 0; c < 5; c++)
        for (size_t i = 0; i < s->length; i++)
            if (!isnan(s->column[c][i])) s->column[c][i] = csm_decimal_double(tick(s->column[c][i]));
}

static inline csm_stream stream_of(const csm_market *market, const char *kind, csm_time interval) {
    return (csm_stream){.kind = kind,
                        .venue = market->venue,
                        .symbol = market->symbol,
                        .interval = interval,
                        .epoch = market->epoch};
}

static inline void store_bars(csm_store *store, csm_context *context, const csm_market *market,
                              const series *s) {
    csm_table *table = new_table("bars");
    const csm_stream stream = stream_of(market, "bars", CSM_HOUR);
    for (size_t i = 0; i < s->length; i++) {
        const csm_decimal cells[10] = {dec(s->time[i], 0),
                                       dec(s->available[i], 0),
                                       tick(s->column[0][i]),
                                       tick(s->column[1][i]),
                                       tick(s->column[2][i]),
                                       tick(s->column[3][i]),
                                       s->state[i] == CSM_BAR_GAP ? missing() : tick(s->column[4][i]),
                                       missing(),
                                       missing(),
                                       dec(s->state[i], 0)};
        assert_ok(csm_table_append(table, cells));
    }
    assert_ok(csm_store_append(store, context, &stream, table, &test_origin));
    csm_table_free(table);
}

static inline void store_values(csm_store *store, csm_context *context, const csm_values *values) {
    csm_table *table = new_table("value");
    const csm_stream stream = {
        .kind = "value", .venue = "alternative.me", .symbol = "fear_greed", .epoch = 1};
    for (size_t i = 0; i < values->length; i++) {
        const csm_decimal cells[3] = {dec(values->time[i], 0), dec(values->available[i], 0),
                                      dec((int64_t)values->value[i], 0)};
        assert_ok(csm_table_append(table, cells));
    }
    assert_ok(csm_store_append(store, context, &stream, table, &test_origin));
    csm_table_free(table);
}

#endif
