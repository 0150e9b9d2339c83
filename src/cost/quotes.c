/* SPDX-License-Identifier: MIT */
/* Books and tickers of the store as spread and slippage, by the time at which each was known. */
#include "cost/cost.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVELS_MAX 5000

csm_status csm_cost_walk(double *mean_price, const double *price, const double *volume, size_t levels,
                         double notional) {
    if (!mean_price || (levels > 0 && (!price || !volume)))
        return csm_fail(CSM_EINVAL, "cost walk: mean_price, price and volume must not be NULL");
    if (!(notional > 0) || !isfinite(notional))
        return csm_fail(CSM_EINVAL, "cost walk: notional %g is not a positive amount", notional);
    double left = notional, base = 0;
    for (size_t i = 0; i < levels; i++) {
        if (!(price[i] > 0) || !isfinite(price[i]) || !(volume[i] >= 0) || !isfinite(volume[i]))
            return csm_fail(CSM_EINVAL, "cost walk: level %zu (price %g, volume %g) is no order", i, price[i],
                            volume[i]);
        const double value = price[i] * volume[i];
        if (value >= left) {
            *mean_price = notional / (base + left / price[i]);
            return CSM_OK;
        }
        left -= value;
        base += volume[i];
    }
    return csm_fail(CSM_ENODATA, "cost walk: %zu levels hold %g of %g quote units", levels, notional - left,
                    notional);
}

/* ---- tables -------------------------------------------------------------------------------------------------------- */

static csm_status doubles_of(double **out, const csm_table *table, const char *name) {
    const int column = csm_table_column_find(table, name);
    if (column < 0)
        return csm_fail(CSM_ECORRUPT, "store: a table of %s has no column \"%s\"", csm_table_kind(table),
                        name);
    *out = csm_alloc_array(csm_table_rows(table), sizeof **out);
    return *out ? csm_table_doubles(table, (size_t)column, *out) : CSM_ENOMEM;
}

static csm_status ticks_of(const int64_t **out, const csm_table *table, const char *name) {
    const int column = csm_table_column_find(table, name);
    if (column < 0)
        return csm_fail(CSM_ECORRUPT, "store: a table of %s has no column \"%s\"", csm_table_kind(table),
                        name);
    *out = csm_table_ticks(table, (size_t)column);
    return CSM_OK;
}

static csm_status read_table(csm_table **out, csm_context *context, const csm_store *store,
                             const csm_market *market, const char *kind, csm_time as_of) {
    const csm_stream stream = {
        .kind = kind, .venue = market->venue, .symbol = market->symbol, .epoch = market->epoch};
    return csm_store_read(out, store, context, &stream, CSM_TIME_MIN, CSM_TIME_MAX, as_of);
}

static double spread_of(double bid, double ask) {
    return ask > bid && bid > 0 && isfinite(ask) ? (ask - bid) / (0.5 * (ask + bid)) : (double)NAN;
}

static csm_status add_tickers(csm_cost_model *model, const csm_table *table) {
    double *bid = NULL, *ask = NULL;
    const int64_t *available = NULL;
    csm_status status = doubles_of(&bid, table, "bid");
    if (!status) status = doubles_of(&ask, table, "ask");
    if (!status) status = ticks_of(&available, table, "available");
    for (size_t i = 0; i < csm_table_rows(table) && !status; i++) {
        const double spread = spread_of(bid[i], ask[i]);
        if (spread == spread)
            model->quote[model->quotes++] = (csm_cost_quote){.available = available[i],
                                                             .spread = spread,
                                                             .buy_slip = (double)NAN,
                                                             .sell_slip = (double)NAN};
    }
    csm_dealloc(bid);
    csm_dealloc(ask);
    return status;
}

/* ---- books --------------------------------------------------------------------------------------------------------- */

typedef struct book_side {
    size_t levels;
    double price[LEVELS_MAX];
    double volume[LEVELS_MAX];
} book_side;

/* Share by which filling Q moves the mean price away from the best; of the whole side when it is too thin. */
static csm_status slip_of(double *out, const book_side *side, double notional, bool *thin) {
    double mean = 0;
    csm_status status = csm_cost_walk(&mean, side->price, side->volume, side->levels, notional);
    if (status == CSM_ENODATA) {
        *thin = true;
        double value = 0, base = 0;
        for (size_t i = 0; i < side->levels; i++) {
            value += side->price[i] * side->volume[i];
            base += side->volume[i];
        }
        mean = base > 0 ? value / base : side->price[0];
        status = CSM_OK;
    }
    *out = fabs(mean / side->price[0] - 1);
    return status;
}

static csm_status add_book(csm_cost_model *model, csm_time available, const book_side *side) {
    if (side[0].levels == 0 || side[1].levels == 0) return CSM_OK;
    csm_cost_quote quote = {.available = available, .spread = spread_of(side[0].price[0], side[1].price[0])};
    if (quote.spread != quote.spread) return CSM_OK; /* crossed: no book to trade on */
    csm_status status = slip_of(&quote.buy_slip, &side[1], model->options.notional, &quote.thin);
    if (!status) status = slip_of(&quote.sell_slip, &side[0], model->options.notional, &quote.thin);
    if (!status) model->quote[model->quotes++] = quote;
    return status;
}

typedef struct book_columns {
    const int64_t *time;
    const int64_t *available;
    const int64_t *side;
    double *price;
    double *volume;
} book_columns;

/* Rows [begin, end) are one snapshot, ordered by side (0 bid, 1 ask), then level. */
static csm_status take_snapshot(csm_cost_model *model, book_side *sides, const book_columns *c, size_t begin,
                                size_t end) {
    csm_time available = c->available[begin];
    sides[0].levels = sides[1].levels = 0;
    for (size_t i = begin; i < end; i++) {
        if (c->side[i] != 0 && c->side[i] != 1)
            return csm_fail(CSM_ECORRUPT, "store: side %lld of a book", (long long)c->side[i]);
        book_side *side = &sides[c->side[i]];
        if (c->available[i] > available) available = c->available[i];
        if (side->levels == LEVELS_MAX) continue;
        side->price[side->levels] = c->price[i];
        side->volume[side->levels++] = c->volume[i];
    }
    return add_book(model, available, sides);
}

static csm_status add_books(csm_cost_model *model, const csm_table *table) {
    book_columns c = {0};
    const size_t rows = csm_table_rows(table);
    book_side *sides = csm_alloc(2 * sizeof *sides);
    csm_status status = sides ? ticks_of(&c.time, table, "time") : CSM_ENOMEM;
    if (!status) status = ticks_of(&c.available, table, "available");
    if (!status) status = ticks_of(&c.side, table, "side");
    if (!status) status = doubles_of(&c.price, table, "price");
    if (!status) status = doubles_of(&c.volume, table, "volume");
    for (size_t begin = 0; begin < rows && !status;) {
        size_t end = begin + 1;
        while (end < rows && c.time[end] == c.time[begin]) end++;
        status = take_snapshot(model, sides, &c, begin, end);
        begin = end;
    }
    csm_dealloc(c.price);
    csm_dealloc(c.volume);
    csm_dealloc(sides);
    return status;
}

/* By the time known; of one time, what shows depth comes last and so counts first. */
static int compare_quotes(const void *a, const void *b) {
    const csm_cost_quote *x = a, *y = b;
    if (x->available != y->available) return x->available < y->available ? -1 : 1;
    const int x_depth = x->buy_slip == x->buy_slip, y_depth = y->buy_slip == y->buy_slip;
    if (x_depth != y_depth) return x_depth - y_depth;
    return x->spread < y->spread ? -1 : x->spread > y->spread;
}

csm_status csm_cost_read_quotes(csm_cost_model *model, csm_context *context, const csm_store *store,
                                const csm_market *market) {
    csm_table *tickers = NULL, *books = NULL;
    csm_status status = read_table(&tickers, context, store, market, "ticker", model->as_of);
    if (!status) status = read_table(&books, context, store, market, "book", model->as_of);
    if (status) goto done;
    model->quote = csm_alloc_array(csm_table_rows(tickers) + csm_table_rows(books), sizeof *model->quote);
    status = model->quote ? add_tickers(model, tickers) : CSM_ENOMEM;
    if (!status) status = add_books(model, books);
    if (!status && model->quotes > 1)
        qsort(model->quote, model->quotes, sizeof *model->quote, compare_quotes);
done:
    csm_table_free(tickers);
    csm_table_free(books);
    return status ? csm_fail_prefix(status, "%s", market->id) : CSM_OK;
}
