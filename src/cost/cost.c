/* SPDX-License-Identifier: MIT */
#include "cost/cost.h"

#include "core/real.h"

#include <math.h>
#include <string.h>

void csm_cost_options_init(csm_cost_options *options) {
    if (!options) return;
    *options = (csm_cost_options){.size = sizeof *options,
                                  .notional = 1000,
                                  .monthly_volume = 0,
                                  .assumed_fee = 0.0040,
                                  .assumed_spread = 0.0010,
                                  .assumed_slippage = 0.0005,
                                  .book_age = CSM_HOUR};
}

static csm_status check_share(double value, double most, const char *name) {
    if (value >= 0 && value < most) return CSM_OK;
    return csm_fail(CSM_EINVAL, "cost: %s %g is outside 0..%g", name, value, most);
}

csm_status csm_cost_options_check(csm_cost_options *out, const csm_cost_options *options) {
    csm_cost_options_init(out);
    csm_status status = csm_options_take(out, sizeof *out, options, "csm_cost_options");
    if (status) return status;
    if (!(out->notional > 0) || !isfinite(out->notional))
        return csm_fail(CSM_EINVAL, "cost: notional %g is not a positive amount", out->notional);
    if (!(out->monthly_volume >= 0) || !isfinite(out->monthly_volume))
        return csm_fail(CSM_EINVAL, "cost: monthly_volume %g is not an amount", out->monthly_volume);
    if (out->book_age < 0) return csm_fail(CSM_EINVAL, "cost: book_age is negative");
    status = check_share(out->assumed_fee, 0.5, "assumed_fee");
    if (!status) status = check_share(out->assumed_spread, 1.0, "assumed_spread");
    if (!status) status = check_share(out->assumed_slippage, 0.5, "assumed_slippage");
    return status;
}

/* Bought at mid (1 + s/2)(1 + b) plus the fee on it, sold at mid' (1 - s/2)(1 - l) less the fee on it: even when
 * mid' / mid = (1 + s/2)(1 + b)(1 + f) / ((1 - s/2)(1 - l)(1 - f)). */
double csm_cost_break_even(double fee, double spread, double buy_slip, double sell_slip) {
    const double paid = csm_log1p(0.5 * spread) + csm_log1p(buy_slip) + csm_log1p(fee);
    const double received = csm_log1p(-0.5 * spread) + csm_log1p(-sell_slip) + csm_log1p(-fee);
    return paid - received;
}

/* Share a side of the tier that holds at the volume; NaN without a schedule. */
static csm_status taker_fee(double *out, const csm_market *market, double volume) {
    *out = (double)NAN;
    if (market->taker_tiers > CSM_FEE_TIERS_MAX)
        return csm_fail(CSM_EINVAL, "cost: %s has %u fee tiers, at most %d are known", market->id,
                        market->taker_tiers, CSM_FEE_TIERS_MAX);
    for (uint32_t i = 0; i < market->taker_tiers; i++) {
        const double percent = market->taker_percent[i];
        if (!(percent >= 0 && percent < 50))
            return csm_fail(CSM_EINVAL, "cost: %s: a taker fee of %g percent is no fee", market->id, percent);
        if (i == 0 || volume >= market->taker_volume[i]) *out = percent / 100;
    }
    return CSM_OK;
}

csm_status csm_cost_options_text(csm_buffer *text, const csm_cost_options *options) {
    const struct {
        const char *name;
        double value;
    } numbers[] = {{"Q", options->notional},
                   {"volume", options->monthly_volume},
                   {"fee", options->assumed_fee},
                   {"spread", options->assumed_spread},
                   {"slippage", options->assumed_slippage}};
    csm_status status = CSM_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && !status; i++) {
        status = csm_buffer_printf(text, "%s=", numbers[i].name);
        if (!status) status = csm_buffer_real(text, numbers[i].value);
        if (!status) status = csm_buffer_append(text, ";", 1);
    }
    return status ? status : csm_buffer_printf(text, "book=%lld", (long long)options->book_age);
}

static csm_status hash_table(csm_cost_model *model, const csm_market *market) {
    const csm_cost_options *o = &model->options;
    csm_buffer text = {0};
    csm_status status = csm_buffer_printf(&text, "cost 1;");
    if (!status) status = csm_cost_options_text(&text, o);
    if (!status) status = csm_buffer_printf(&text, ";taker=");
    for (uint32_t i = 0; i < market->taker_tiers && !status; i++) {
        status = csm_buffer_real(&text, market->taker_volume[i]);
        if (!status) status = csm_buffer_append(&text, ":", 1);
        if (!status) status = csm_buffer_real(&text, market->taker_percent[i]);
        if (!status) status = csm_buffer_append(&text, ",", 1);
    }
    if (!status) {
        const csm_hash hash = csm_hash_bytes(text.data, text.length);
        csm_hash_format(&hash, model->hash);
    }
    csm_buffer_free(&text);
    return status;
}

csm_status csm_cost_open(csm_cost_model **out, csm_context *context, const csm_store *store,
                         const csm_market *market, csm_time as_of, const csm_cost_options *options) {
    if (!out || !context || !store || !market)
        return csm_fail(CSM_EINVAL, "cost: out, context, store and market must not be NULL");
    *out = NULL;
    csm_cost_model *model = csm_alloc_array(1, sizeof *model);
    if (!model) return CSM_ENOMEM;
    model->as_of = as_of;
    csm_status status = csm_cost_options_check(&model->options, options);
    if (!status) status = taker_fee(&model->taker_fee, market, model->options.monthly_volume);
    if (!status) status = hash_table(model, market);
    if (!status) status = csm_cost_read_quotes(model, context, store, market);
    if (status) {
        csm_cost_free(model);
        return status;
    }
    *out = model;
    return CSM_OK;
}

void csm_cost_free(csm_cost_model *model) {
    if (!model) return;
    csm_dealloc(model->quote);
    csm_dealloc(model);
}

/* Newest quote known at `time` and young enough; NULL: none. */
static const csm_cost_quote *newest_quote(const csm_cost_model *model, csm_time time) {
    size_t low = 0, high = model->quotes;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (model->quote[middle].available <= time)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || time - model->quote[low - 1].available > model->options.book_age) return NULL;
    return &model->quote[low - 1];
}

/* The newest quote gives the spread; the newest of them with depth the slippage. */
static const csm_cost_quote *newest_depth(const csm_cost_model *model, const csm_cost_quote *newest,
                                          csm_time time) {
    for (const csm_cost_quote *q = newest; q && q >= model->quote; q--) {
        if (time - q->available > model->options.book_age) break;
        if (q->buy_slip == q->buy_slip) return q;
    }
    return NULL;
}

static double greater(double a, double b) {
    return a > b ? a : b;
}

csm_status csm_cost_at(csm_cost *out, const csm_cost_model *model, csm_time time) {
    if (!out || !model) return csm_fail(CSM_EINVAL, "cost: out and model must not be NULL");
    if (time > model->as_of) return csm_fail(CSM_EINVAL, "cost: the time asked for is after as_of");
    const csm_cost_options *o = &model->options;
    const csm_cost_quote *quote = newest_quote(model, time), *depth = newest_depth(model, quote, time);
    csm_cost cost = {0};
    double fee = model->taker_fee, buy = o->assumed_slippage, sell = buy;
    if (fee != fee) {
        fee = o->assumed_fee;
        cost.assumed |= CSM_COST_FEE_ASSUMED;
    }
    cost.spread = quote ? quote->spread : o->assumed_spread;
    if (!quote) cost.assumed |= CSM_COST_SPREAD_ASSUMED;
    if (depth && !depth->thin) {
        buy = depth->buy_slip;
        sell = depth->sell_slip;
    } else {
        cost.assumed |= CSM_COST_SLIPPAGE_ASSUMED;
        if (depth) { /* the whole book is not enough: no less than that */
            buy = greater(buy, depth->buy_slip);
            sell = greater(sell, depth->sell_slip);
        }
    }
    cost.fee = 2 * fee;
    cost.slippage = buy + sell;
    cost.total = csm_cost_break_even(fee, cost.spread, buy, sell);
    *out = cost;
    return CSM_OK;
}

csm_status csm_cost_hash(char *hex, size_t size, const csm_cost_model *model) {
    if (!hex || !model) return csm_fail(CSM_EINVAL, "cost hash: hex and model must not be NULL");
    if (size < CSM_HASH_TEXT)
        return csm_fail(CSM_EINVAL, "cost hash: %zu bytes, %d are needed", size, CSM_HASH_TEXT);
    memcpy(hex, model->hash, CSM_HASH_TEXT);
    return CSM_OK;
}
