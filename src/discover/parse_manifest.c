/* SPDX-License-Identifier: MIT */
/* A dated universe manifest: CSV without quotes, `venue,symbol,coin,quote,status,reason`. */
#include "discover/listing.h"

#include <string.h>

#define FIELDS 6
#define LINE_MAX_BYTES 512
#define HEADER "venue,symbol,coin,quote,status,reason"

typedef struct manifest_line {
    const char *text;
    size_t length;
    size_t number; /* from 1 */
} manifest_line;

static csm_status line_fail(const manifest_line *line, const char *what) {
    return csm_fail(CSM_EPARSE, "manifest line %zu: %s: \"%.*s\"", line->number, what,
                    (int)(line->length < 80 ? line->length : 80), line->text);
}

/* The next line that is no comment and not empty; false at the end. */
static bool line_next(manifest_line *line, const char **at, const char *end) {
    while (*at < end) {
        const char *stop = memchr(*at, '\n', (size_t)(end - *at));
        line->text = *at;
        line->length = (size_t)((stop == NULL ? end : stop) - *at);
        line->number++;
        *at = stop == NULL ? end : stop + 1;
        if (line->length > 0 && line->text[line->length - 1] == '\r') line->length--;
        if (line->length > 0 && line->text[0] != '#') return true;
    }
    return false;
}

/* Copies of the six fields into the pool. */
static csm_status line_fields(csm_listing *listing, const manifest_line *line, const char *fields[FIELDS]) {
    const char *at = line->text;
    const char *end = line->text + line->length;
    if (line->length > LINE_MAX_BYTES) return line_fail(line, "longer than 512 bytes");
    if (memchr(line->text, '"', line->length) != NULL || memchr(line->text, '\0', line->length) != NULL)
        return line_fail(line, "quotes and zero bytes have no place here");
    for (size_t i = 0; i < FIELDS; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        if ((comma == NULL) != (i == FIELDS - 1)) return line_fail(line, "not 6 fields");
        const char *stop = comma == NULL ? end : comma;
        fields[i] = csm_text_pool_add(&listing->texts, at, (size_t)(stop - at));
        if (fields[i] == NULL) return CSM_ENOMEM;
        at = stop + 1;
    }
    return CSM_OK;
}

static csm_status reason_find(csm_reason *out, const manifest_line *line, const char *name) {
    *out = 0;
    if (*name == '\0') return CSM_OK;
    for (uint32_t bit = 0; bit < 64; bit++) {
        const char *known = csm_reason_name(bit);
        if (known != NULL && strcmp(known, name) == 0) {
            *out = (csm_reason)1 << bit;
            return CSM_OK;
        }
    }
    return line_fail(line, "the reason is no name of reasons.def");
}

static csm_status line_row(csm_listing *listing, const manifest_line *line) {
    const char *fields[FIELDS];
    csm_status status = line_fields(listing, line, fields);
    if (status != CSM_OK) return status;
    if (listing->count == 0) listing->venue = fields[0];
    if (strcmp(listing->venue, fields[0]) != 0) return line_fail(line, "another venue than the first line's");
    if (!csm_asset_name_good(fields[0])) return line_fail(line, "the venue is no name");
    if (!csm_asset_name_good(fields[2]) || !csm_asset_name_good(fields[3]))
        return line_fail(line, "coin or quote is no name");
    size_t coin = strlen(fields[2]);
    if (strncmp(fields[1], fields[2], coin) != 0 || fields[1][coin] != '/' ||
        strcmp(fields[1] + coin + 1, fields[3]) != 0)
        return line_fail(line, "the symbol is not COIN/QUOTE");
    csm_market *market = NULL;
    status = csm_listing_row(&market, listing);
    if (status != CSM_OK) return status;
    market->symbol = market->native = market->altname = fields[1];
    market->coin = fields[2];
    market->quote = fields[3];
    market->status = fields[4];
    listing->details[listing->count - 1].base = fields[2];
    return reason_find(&market->excluded, line, fields[5]);
}

static csm_status manifest_rows(csm_listing *listing, const char *text, size_t length) {
    const char *at = text;
    manifest_line line = {0};
    if (!line_next(&line, &at, text + length)) return csm_fail(CSM_EPARSE, "manifest: empty");
    if (line.length != strlen(HEADER) || memcmp(line.text, HEADER, line.length) != 0)
        return line_fail(&line, "the header is not " HEADER);
    while (line_next(&line, &at, text + length)) {
        csm_status status = line_row(listing, &line);
        if (status != CSM_OK) return status;
    }
    return listing->count > 0 ? CSM_OK : csm_fail(CSM_EPARSE, "manifest: no market at all");
}

csm_status csm_discover_parse_manifest(csm_listing **out, const char *text, size_t length) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_discover_parse_manifest: out is NULL");
    *out = NULL;
    if (text == NULL) return csm_fail(CSM_EINVAL, "csm_discover_parse_manifest: text is NULL");
    csm_listing *listing = NULL;
    csm_status status = csm_listing_new(&listing, CSM_LISTING_MANIFEST);
    if (status == CSM_OK) status = manifest_rows(listing, text, length);
    if (status == CSM_OK) status = csm_listing_finish(listing);
    for (size_t i = 0; status == CSM_OK && i < listing->count; i++)
        if (*listing->details[i].note != '\0')
            status = csm_fail(CSM_EPARSE, "manifest: %s", listing->details[i].note);
    if (status == CSM_OK)
        *out = listing;
    else
        csm_listing_free(listing);
    return status;
}
