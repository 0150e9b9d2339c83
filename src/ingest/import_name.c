/* SPDX-License-Identifier: MIT */
/* What the names of history files tell. */
#include "discover/listing.h"
#include "ingest/import.h"

#include <stdio.h>
#include <string.h>

#define STEM_MAX 128
#define MINUTES_MAX (366 * 24 * 60)

static const char *const csv_endings[] = {".csv", ".csv.xz", ".csv.gz"};

static bool ends_with(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

bool csm_import_name_is_csv(const char *name) {
    if (name[0] == '_' || name[0] == '.') return false;
    for (size_t i = 0; i < sizeof csv_endings / sizeof csv_endings[0]; i++)
        if (ends_with(name, csv_endings[i])) return true;
    return false;
}

bool csm_import_name_is_zip(const char *name) {
    return name[0] != '_' && name[0] != '.' && ends_with(name, ".zip");
}

/* "XBTUSD_60.csv" -> "XBTUSD_60" */
static csm_status stem_of(char *stem, const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof csv_endings / sizeof csv_endings[0]; i++)
        if (ends_with(name, csv_endings[i])) length = strlen(name) - strlen(csv_endings[i]);
    if (length == 0 || length >= STEM_MAX) return csm_fail(CSM_EINVAL, "%s: no symbol in the name", name);
    memcpy(stem, name, length);
    stem[length] = '\0';
    return CSM_OK;
}

/* Cuts "_60" off and returns its minutes; 0 when the stem has none. */
static int64_t minutes_take(char *stem) {
    char *mark = strrchr(stem, '_');
    int64_t minutes = 0;
    if (mark == NULL || mark == stem || mark[1] == '\0') return 0;
    for (const char *digit = mark + 1; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || minutes > MINUTES_MAX) return 0;
        minutes = minutes * 10 + (*digit - '0');
    }
    *mark = '\0';
    return minutes <= MINUTES_MAX ? minutes : 0;
}

csm_time csm_import_name_interval(const char *name) {
    char stem[STEM_MAX];
    return stem_of(stem, name) == CSM_OK ? minutes_take(stem) * CSM_MINUTE : 0;
}

/* The registry knows which market an altname is; newest epoch first does not matter, the symbol is the same. */
static csm_status by_altname(char *symbol, size_t size, const csm_import *import, const char *altname) {
    for (size_t i = 0; i < csm_market_list_count(import->registry); i++) {
        const csm_market *market = csm_market_list_at(import->registry, i);
        if (strcmp(market->altname, altname) != 0 && strcmp(market->native, altname) != 0) continue;
        snprintf(symbol, size, "%s", market->symbol);
        return CSM_OK;
    }
    return csm_fail(CSM_ENOTFOUND,
                    "%s is the altname of no market in %s's registry: discover it, or give the symbol",
                    altname, import->options.venue);
}

csm_status csm_import_symbol(char *symbol, size_t size, const csm_import *import, const char *name,
                             uint32_t format) {
    char stem[STEM_MAX];
    if (import->options.symbol != NULL) {
        snprintf(symbol, size, "%s", import->options.symbol);
        return CSM_OK;
    }
    csm_status status = stem_of(stem, name);
    if (status != CSM_OK) return status;
    if (format == CSM_IMPORT_KRAKEN_OHLCVT) {
        minutes_take(stem);
        return by_altname(symbol, size, import, stem);
    }
    if (import->options.quote == NULL)
        return csm_fail(CSM_EINVAL, "%s: neither symbol nor quote is given", name);
    if (!csm_asset_name_good(stem) || !csm_asset_name_good(import->options.quote))
        return csm_fail(CSM_EINVAL, "%s: \"%s/%s\" is no symbol", name, stem, import->options.quote);
    snprintf(symbol, size, "%s/%s", stem, import->options.quote);
    return CSM_OK;
}
