/* SPDX-License-Identifier: MIT */
/* Adopting a bundled or exported folder: its dated universe listings, oldest first, then its segments. */
#include "core/platform.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <string.h>

#define LISTING_BYTES_MOST ((size_t)16 << 20)
#define DATE_MARK "# as of "

/* The date on the listing's first line, "# as of 2021-06-27T20:00:00Z". */
static csm_status listing_date(csm_time *out, const csm_buffer *text, const char *path) {
    size_t mark = strlen(DATE_MARK);
    size_t line = text->length ? strcspn(text->data, "\r\n") : 0;
    if (line <= mark || strncmp(text->data, DATE_MARK, mark) != 0)
        return csm_fail(CSM_EPARSE, "%s:1: the first line must be '" DATE_MARK "DATE'", path);
    csm_status status = csm_time_parse(out, text->data + mark, line - mark);
    return status == CSM_OK ? status : csm_fail_prefix(status, "%s:1", path);
}

/* Whether the registry has heard a listing of this venue as new as this one: adopting a folder again changes nothing. */
static csm_status is_known(bool *out, const csm_pipeline *p, const csm_listing *listing, csm_time date) {
    csm_discovery *last = NULL;
    *out = false;
    csm_status status = csm_discover_last(&last, p->store, csm_listing_at(listing, 0)->venue);
    if (status == CSM_ENOTFOUND) return CSM_OK;
    if (status == CSM_OK) *out = csm_discovery_coverage(last)->time >= date;
    csm_discovery_free(last);
    return status;
}

/* Replaces *out by the listing's run, or by the venue's last one when the listing is known. */
static csm_status apply_parsed(csm_discovery **out, csm_pipeline *p, const csm_listing *listing,
                               const csm_buffer *text, const csm_provenance *provenance) {
    bool known = false;
    csm_status status = is_known(&known, p, listing, provenance->received);
    if (status != CSM_OK) return status;
    csm_discovery_free(*out);
    *out = NULL;
    if (known) return csm_discover_last(out, p->store, csm_listing_at(listing, 0)->venue);
    return csm_discover_apply(out, p->context, p->store, listing, text->data, text->length, provenance, NULL);
}

static csm_status apply_listing(csm_discovery **out, csm_pipeline *p, const char *path) {
    csm_buffer text = {0};
    csm_listing *listing = NULL;
    csm_provenance provenance = {
        .source = "import.listing", .request = path, .origin = "dated universe listing"};
    csm_status status = csm_file_read(&text, path, LISTING_BYTES_MOST);
    if (status == CSM_OK) status = listing_date(&provenance.received, &text, path);
    if (status == CSM_OK) status = csm_discover_parse_manifest(&listing, text.data, text.length);
    if (status == CSM_OK) status = apply_parsed(out, p, listing, &text, &provenance);
    csm_listing_free(listing);
    csm_buffer_free(&text);
    return status;
}

static bool is_csv(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".csv") == 0;
}

static csm_status apply_listings(csm_discovery **out, csm_pipeline *p, const char *folder) {
    char **names = NULL;
    size_t count = 0;
    csm_status status = csm_folder_list(&names, &count, folder);
    if (status != CSM_OK) return status;
    for (size_t i = 0; status == CSM_OK && i < count; i++) {
        if (!is_csv(names[i])) continue;
        char *path = csm_strformat("%s/%s", folder, names[i]);
        status = path ? apply_listing(out, p, path) : CSM_ENOMEM;
        csm_dealloc(path);
    }
    csm_folder_list_free(names, count);
    if (status == CSM_OK && !*out) status = csm_fail(CSM_ENOTFOUND, "%s: no listing (*.csv)", folder);
    return status;
}

csm_status csm_pipeline_adopt(csm_discovery **out, csm_pipeline *pipeline, const char *folder) {
    if (!out || !pipeline || !folder)
        return csm_fail(CSM_EINVAL, "adopt: out, pipeline and folder are required");
    *out = NULL;
    char *listings = csm_strformat("%s/listings", folder);
    char *segments = csm_strformat("%s/segments", folder);
    csm_status status = listings && segments ? apply_listings(out, pipeline, listings) : CSM_ENOMEM;
    if (status == CSM_OK) status = csm_store_adopt(pipeline->store, pipeline->context, segments);
    csm_dealloc(segments);
    csm_dealloc(listings);
    if (status != CSM_OK) {
        csm_discovery_free(*out);
        *out = NULL;
    }
    return status;
}
