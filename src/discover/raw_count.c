/* SPDX-License-Identifier: MIT */
#include "discover/raw_count.h"
#include "discover/kraken.h"

#include <stdlib.h>
#include <string.h>

typedef struct raw_bases {
    csm_slice *bases;
    size_t count, capacity;
    size_t nameless; /* records without a base */
    size_t pairs;
} raw_bases;

static int by_bytes(const void *left, const void *right) {
    const csm_slice *a = left, *b = right;
    size_t common = a->length < b->length ? a->length : b->length;
    int order = common == 0 ? 0 : memcmp(a->text, b->text, common);
    return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static size_t distinct(csm_slice *texts, size_t count) {
    size_t different = 0;
    if (count > 0) qsort(texts, count, sizeof(csm_slice), by_bytes);
    for (size_t i = 0; i < count; i++) different += i == 0 || by_bytes(&texts[i - 1], &texts[i]) != 0;
    return different;
}

static csm_status base_note(raw_bases *raw, csm_slice base) {
    raw->pairs++;
    if (base.length == 0) {
        raw->nameless++;
        return CSM_OK;
    }
    if (raw->count == raw->capacity) {
        size_t capacity = raw->capacity == 0 ? 256 : raw->capacity * 2;
        csm_slice *bases = csm_realloc_array(raw->bases, capacity, sizeof(csm_slice));
        if (bases == NULL) return CSM_ENOMEM;
        raw->bases = bases;
        raw->capacity = capacity;
    }
    raw->bases[raw->count++] = base;
    return CSM_OK;
}

/* One member of Kraken's "result". */
static csm_status member_count(void *user, csm_slice name, csm_scan *scan) {
    csm_status status = CSM_OK;
    csm_slice base = {"", 0}, field;
    bool first = true;
    (void)name;
    if (csm_scan_peek(scan) != '{') {
        status = csm_scan_skip(scan);
        return status != CSM_OK ? status : base_note(user, base);
    }
    while (csm_scan_member(scan, &field, &first, &status)) {
        if (csm_slice_is(field, "base") && csm_scan_peek(scan) == '"')
            status = csm_scan_raw_string(scan, &base);
        else
            status = csm_scan_skip(scan);
    }
    return status != CSM_OK ? status : base_note(user, base);
}

static csm_status manifest_count(raw_bases *raw, const char *text, size_t length) {
    const char *end = text + length;
    bool header = true;
    for (const char *at = text; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = stop == NULL ? end : stop;
        const char *line = at;
        at = stop == NULL ? end : stop + 1;
        if (line_end > line && line_end[-1] == '\r') line_end--;
        if (line == line_end || *line == '#') continue;
        if (header) {
            header = false;
            continue;
        }
        const char *coin = line;
        for (int commas = 0; coin < line_end && commas < 2; coin++) commas += *coin == ',';
        const char *stop_of_coin = memchr(coin, ',', (size_t)(line_end - coin));
        csm_slice base = {coin, (size_t)((stop_of_coin == NULL ? line_end : stop_of_coin) - coin)};
        csm_status status = base_note(raw, base);
        if (status != CSM_OK) return status;
    }
    return CSM_OK;
}

csm_status csm_raw_count(csm_raw_total *out, csm_listing_format format, const char *raw, size_t length) {
    raw_bases counted = {0};
    csm_status status = format == CSM_LISTING_KRAKEN
                            ? csm_kraken_walk(raw, length, "raw listing", member_count, &counted)
                            : manifest_count(&counted, raw, length);
    out->pairs = counted.pairs;
    out->bases = distinct(counted.bases, counted.count) + counted.nameless;
    csm_dealloc(counted.bases);
    return status;
}

csm_status csm_rows_count(size_t *bases, size_t *coins, const csm_listing *listing) {
    csm_slice *texts = csm_alloc_array(listing->count, sizeof(csm_slice));
    if (texts == NULL) return CSM_ENOMEM;
    for (size_t i = 0; i < listing->count; i++)
        texts[i] = (csm_slice){listing->details[i].base, strlen(listing->details[i].base)};
    *bases = distinct(texts, listing->count);
    for (size_t i = 0; i < listing->count; i++)
        texts[i] = (csm_slice){listing->markets[i].coin, strlen(listing->markets[i].coin)};
    *coins = distinct(texts, listing->count);
    csm_dealloc(texts);
    return CSM_OK;
}
