/* SPDX-License-Identifier: MIT */
/* Kraken's AssetPairs (with Assets for names) as listing rows. Nothing is left out: a record that is wrong becomes a row too. */
#include "discover/exclusions.h"
#include "discover/kraken.h"
#include "discover/listing.h"

#include <stdio.h>
#include <string.h>

#define DECIMALS_MAX 18

/* Pair statuses that let one open a position (docs.kraken.com, AssetPairs). Text that is not here is not tradable: post_only
 * books match nothing, cancel_only and reduce_only open nothing, and a word unknown today may mean anything. */
static const char *const tradable_statuses[] = {"online", "limit_only"};

typedef struct kraken_pair {
    csm_listing *listing;
    csm_market *market;
    const char *native;
    json_t *record;
    json_t *assets;      /* result of the Assets reply; NULL: the legacy prefix rule */
    bool statuses_given; /* some record of the reply has a status: the schema of 2021 and before has none */
} kraken_pair;

/* Notes what is wrong with the record. %s-free text with one name in it. */
static csm_status pair_bad(const kraken_pair *pair, const char *member, const char *why) {
    char text[160];
    snprintf(text, sizeof text, "%s %s", member, why);
    return csm_listing_bad(pair->listing, text);
}

/* A copy of a text member; "" when absent. Anything but text is noted. */
static csm_status pair_text(const kraken_pair *pair, const char *member, bool required, const char **out) {
    json_t *value = json_object_get(pair->record, member);
    *out = "";
    if (value == NULL && !required) return CSM_OK;
    if (!json_is_string(value) || (required && json_string_length(value) == 0))
        return pair_bad(pair, member, value == NULL ? "is absent" : "is not a text");
    *out = csm_text_pool_add(&pair->listing->texts, json_string_value(value), json_string_length(value));
    return *out == NULL ? CSM_ENOMEM : CSM_OK;
}

static csm_status pair_count(const kraken_pair *pair, const char *member, int32_t *out) {
    json_t *value = json_object_get(pair->record, member);
    if (!json_is_integer(value)) return pair_bad(pair, member, "is not a whole number");
    json_int_t number = json_integer_value(value);
    if (number < 0 || number > DECIMALS_MAX) return pair_bad(pair, member, "is outside 0..18");
    *out = (int32_t)number;
    return CSM_OK;
}

/* A positive decimal given as text; absent is missing. */
static csm_status pair_decimal(const kraken_pair *pair, const char *member, csm_decimal *out) {
    json_t *value = json_object_get(pair->record, member);
    if (value == NULL) return CSM_OK;
    if (!json_is_string(value)) return pair_bad(pair, member, "is not a decimal as text");
    csm_decimal number;
    if (csm_decimal_parse(&number, json_string_value(value), json_string_length(value)) != CSM_OK)
        return pair_bad(pair, member, "is not a decimal");
    if (number.ticks < 0) return pair_bad(pair, member, "is negative");
    *out = number;
    return CSM_OK;
}

/* [[volume, percent], ...], volumes ascending from 0; an empty or absent list is no schedule. */
static csm_status pair_fees(const kraken_pair *pair, const char *member, uint32_t *tiers, double *volumes,
                            double *percents) {
    json_t *list = json_object_get(pair->record, member);
    if (list == NULL) return CSM_OK;
    if (!json_is_array(list)) return pair_bad(pair, member, "is not a list");
    size_t count = json_array_size(list);
    if (count > CSM_FEE_TIERS_MAX) return pair_bad(pair, member, "has more than 16 tiers");
    for (size_t i = 0; i < count; i++) {
        json_t *tier = json_array_get(list, i);
        json_t *volume = json_array_get(tier, 0);
        json_t *percent = json_array_get(tier, 1);
        if (json_array_size(tier) != 2 || !json_is_number(volume) || !json_is_number(percent))
            return pair_bad(pair, member, "has a tier that is not [volume, percent]");
        volumes[i] = json_number_value(volume);
        percents[i] = json_number_value(percent);
        if (i == 0 ? volumes[i] != 0.0 : !(volumes[i] > volumes[i - 1]))
            return pair_bad(pair, member, "does not ascend from volume 0");
        if (!(percents[i] > -100.0 && percents[i] < 100.0))
            return pair_bad(pair, member, "has a fee outside -100..100 percent");
    }
    *tiers = (uint32_t)count;
    return CSM_OK;
}

/* The legacy prefix rule, only where another name of the pair confirms it: XXBT is XBT, but XNAP is no NAP. `half` is that
 * side of wsname ("" when absent); without it the altname must begin (base) or end (quote) with the shorter form. */
static bool prefix_applies(const char *asset, const char *half, const char *altname, bool is_base) {
    if (strlen(asset) != 4 || (asset[0] != 'X' && asset[0] != 'Z')) return false;
    if (*half != '\0') return strcmp(half, asset + 1) == 0;
    if (is_base) return strncmp(altname, asset + 1, 3) == 0 && strncmp(altname, asset, 4) != 0;
    char plain[64];
    snprintf(plain, sizeof plain, "%s", altname);
    char *dark = strstr(plain, ".d");
    if (dark != NULL) *dark = '\0';
    size_t length = strlen(plain);
    return length >= 3 && strcmp(plain + length - 3, asset + 1) == 0 &&
           !(length >= 4 && strcmp(plain + length - 4, asset) == 0);
}

static const char *asset_altname(json_t *assets, const char *asset) {
    return json_string_value(json_object_get(json_object_get(assets, asset), "altname"));
}

static csm_status asset_coin(const kraken_pair *pair, const char *asset, const char *half, bool is_base,
                             const char **out) {
    const char *altname = asset_altname(pair->assets, asset);
    if (altname == NULL)
        altname = prefix_applies(asset, half, pair->market->altname, is_base) ? asset + 1 : asset;
    const char *coin = csm_kraken_rename(altname);
    *out = csm_text_pool_add(&pair->listing->texts, coin, strlen(coin));
    return *out == NULL ? CSM_ENOMEM : CSM_OK;
}

/* Coin, quote and symbol from base, quote and wsname. A dark-pool twin bears its sibling's symbol with ".d". */
static csm_status pair_names(const kraken_pair *pair, const char *base, const char *quote,
                             const char *wsname) {
    csm_market *market = pair->market;
    char half[64] = "";
    const char *slash = strchr(wsname, '/');
    if (*wsname != '\0' && (slash == NULL || strlen(wsname) >= sizeof half))
        return pair_bad(pair, "wsname", "is not BASE/QUOTE");
    if (slash != NULL) snprintf(half, sizeof half, "%.*s", (int)(slash - wsname), wsname);
    csm_status status = asset_coin(pair, base, half, true, &market->coin);
    if (status == CSM_OK)
        status = asset_coin(pair, quote, slash == NULL ? "" : slash + 1, false, &market->quote);
    if (status != CSM_OK) return status;
    if (!csm_asset_name_good(market->coin)) return pair_bad(pair, "base", "is no asset name");
    if (!csm_asset_name_good(market->quote)) return pair_bad(pair, "quote", "is no asset name");
    bool dark = strstr(pair->native, ".d") != NULL;
    if (dark) market->excluded |= CSM_REASON_MASK(DARK_POOL);
    if (*wsname == '\0' && !dark) status = pair_bad(pair, "wsname", "is absent");
    if (status != CSM_OK) return status;
    market->symbol =
        csm_text_pool_format(&pair->listing->texts, "%s/%s%s", market->coin, market->quote, dark ? ".d" : "");
    return market->symbol == NULL ? CSM_ENOMEM : CSM_OK;
}

static csm_status pair_status(const kraken_pair *pair) {
    csm_market *market = pair->market;
    csm_status status = pair_text(pair, "status", pair->statuses_given, &market->status);
    if (status != CSM_OK || !pair->statuses_given) return status; /* without the field, listed meant online */
    for (size_t i = 0; i < sizeof(tradable_statuses) / sizeof(tradable_statuses[0]); i++)
        if (strcmp(market->status, tradable_statuses[i]) == 0) return CSM_OK;
    market->excluded |= CSM_REASON_MASK(NOT_TRADABLE);
    return CSM_OK;
}

static csm_status pair_class(const kraken_pair *pair, const char *base) {
    csm_market *market = pair->market;
    json_t *aclass = json_object_get(pair->record, "aclass_base");
    const char *name = json_string_value(aclass);
    if (aclass != NULL && name == NULL) return pair_bad(pair, "aclass_base", "is not a text");
    if (name != NULL && strcmp(name, "tokenized_asset") == 0)
        market->excluded |= CSM_REASON_MASK(TOKENIZED_ASSET);
    else if (name != NULL && strcmp(name, "currency") != 0)
        return pair_bad(pair, "aclass_base", "is of a class that is not known");
    market->excluded |= csm_exclusion_of(market->coin);
    if (csm_kraken_is_staked(base)) market->excluded |= CSM_REASON_MASK(WRAPPED);
    return CSM_OK;
}

static csm_status pair_read(const kraken_pair *pair) {
    csm_market *market = pair->market;
    const char *base = "", *quote = "", *wsname = "";
    if (!json_is_object(pair->record)) return csm_listing_bad(pair->listing, "the record is not an object");
    csm_status status = pair_text(pair, "altname", true, &market->altname);
    if (status == CSM_OK) status = pair_text(pair, "base", true, &base);
    if (status == CSM_OK) status = pair_text(pair, "quote", true, &quote);
    if (status == CSM_OK) status = pair_text(pair, "wsname", false, &wsname);
    if (status == CSM_OK && *base != '\0' && *quote != '\0') status = pair_names(pair, base, quote, wsname);
    if (status == CSM_OK) status = pair_status(pair);
    if (status == CSM_OK) status = pair_class(pair, base);
    if (status == CSM_OK) status = pair_count(pair, "pair_decimals", &market->price_decimals);
    if (status == CSM_OK) status = pair_count(pair, "lot_decimals", &market->lot_decimals);
    if (status == CSM_OK) status = pair_decimal(pair, "ordermin", &market->order_minimum);
    if (status == CSM_OK) status = pair_decimal(pair, "costmin", &market->cost_minimum);
    if (status == CSM_OK) status = pair_decimal(pair, "tick_size", &market->tick_size);
    if (status == CSM_OK)
        status = pair_fees(pair, "fees", &market->taker_tiers, market->taker_volume, market->taker_percent);
    if (status == CSM_OK)
        status =
            pair_fees(pair, "fees_maker", &market->maker_tiers, market->maker_volume, market->maker_percent);
    pair->listing->details[pair->listing->count - 1].base = base;
    return status;
}

/* A record whose base cannot be read is a coin of its own, named by the pair's id. */
static csm_status pair_row(kraken_pair *pair) {
    csm_status status = csm_listing_row(&pair->market, pair->listing);
    if (status != CSM_OK) return status;
    pair->market->native = csm_text_pool_add(&pair->listing->texts, pair->native, strlen(pair->native));
    if (pair->market->native == NULL) return CSM_ENOMEM;
    status = pair_read(pair);
    if (status != CSM_OK) return status;
    csm_listing_detail *detail = &pair->listing->details[pair->listing->count - 1];
    if (*detail->base == '\0')
        detail->base = csm_text_pool_format(&pair->listing->texts, "\n%s", pair->native);
    return detail->base == NULL ? CSM_ENOMEM : CSM_OK;
}

csm_status csm_discover_parse_kraken(csm_listing **out, const char *pairs, size_t pairs_length,
                                     const char *assets, size_t assets_length) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_discover_parse_kraken: out is NULL");
    *out = NULL;
    if (pairs == NULL) return csm_fail(CSM_EINVAL, "csm_discover_parse_kraken: pairs is NULL");
    csm_listing *listing = NULL;
    json_t *root = NULL, *assets_root = NULL;
    kraken_pair pair = {0};
    json_t *result = NULL;
    csm_status status = csm_listing_new(&listing, CSM_LISTING_KRAKEN);
    if (status != CSM_OK) goto done;
    listing->venue = CSM_KRAKEN_VENUE;
    listing->names_by_prefix = assets == NULL;
    pair.listing = listing;
    status = csm_kraken_tree(&root, &result, pairs, pairs_length, "kraken AssetPairs");
    if (status == CSM_OK && assets != NULL)
        status = csm_kraken_tree(&assets_root, &pair.assets, assets, assets_length, "kraken Assets");
    if (status != CSM_OK) goto done;
    json_object_foreach(result, pair.native, pair.record) if (json_object_get(pair.record, "status") != NULL)
        pair.statuses_given = true;
    json_object_foreach(result, pair.native, pair.record) {
        status = pair_row(&pair);
        if (status != CSM_OK) goto done;
    }
    if (listing->count == 0) status = csm_fail(CSM_EPARSE, "kraken AssetPairs: no pair at all");
    if (status == CSM_OK) status = csm_listing_finish(listing);
done:
    json_decref(root);
    json_decref(assets_root);
    if (status == CSM_OK)
        *out = listing;
    else
        csm_listing_free(listing);
    return status;
}
