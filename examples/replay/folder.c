/* SPDX-License-Identifier: MIT */
/* A folder of history files, imported into a workspace that lives as long as the program. */
#include "replay.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void folder_close(replay *r) {
    if (!r->temporary) return;
    if (nftw(r->temporary, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "cryptosmart-replay: %s is left behind\n", r->temporary);
    free(r->temporary);
    r->temporary = NULL;
}

static bool make_temporary(replay *r) {
    const char *parent = getenv("TMPDIR");
    text path = {0};
    text_add(&path, "%s/cryptosmart-replay-XXXXXX", parent && *parent ? parent : "/tmp");
    if (mkdtemp(path.data)) {
        r->temporary = path.data;
        return true;
    }
    perror(path.data);
    text_free(&path);
    return false;
}

/* Kraken names its history files by altname: the registry knows which market that is. */
static csm_status apply_listing(replay *r) {
    csm_discovery *discovery = NULL;
    json_t *reply = json_pack("{s:[], s:O}", "error", "result", r->pairs_json);
    char *raw = json_dumps(reply, JSON_COMPACT);
    const csm_provenance provenance = {"replay:kraken.assetpairs", r->options.listing, "", real_wall()};
    const csm_status status = csm_discover_apply(&discovery, r->context, r->store, r->listing, raw ? raw : "",
                                                 raw ? strlen(raw) : 0, &provenance, NULL);
    csm_discovery_free(discovery);
    free(raw);
    json_decref(reply);
    return status;
}

bool folder_open(replay *r) {
    csm_import_options o;
    csm_ingest_report *report = NULL;
    text workspace = {0}, origin = {0};
    if (!make_temporary(r)) return false;
    text_add(&workspace, "%s/workspace", r->temporary);
    text_add(&origin, "history files of %s", r->options.folder);
    csm_import_options_init(&o);
    o.venue = r->options.venue;
    o.quote = r->options.folder_quote;
    o.origin = origin.data;
    csm_status status = csm_store_open(&r->store, r->context, workspace.data, CSM_STORE_CREATE);
    if (!status && strcmp(o.venue, "kraken") == 0) status = apply_listing(r);
    if (!status) status = csm_ingest_import(&report, r->context, r->store, r->options.folder, &o);
    if (!status) status = csm_store_roll(r->store, r->context);
    uint64_t rows = 0;
    for (size_t i = 0; !status && i < csm_ingest_report_count(report); i++)
        rows += csm_ingest_report_at(report, i)->rows;
    if (status)
        fprintf(stderr, "cryptosmart-replay: %s\n", csm_error_message());
    else
        fprintf(stderr, "cryptosmart-replay: %s: %zu files, %llu rows\n", r->options.folder,
                csm_ingest_report_count(report), (unsigned long long)rows);
    csm_ingest_report_free(report);
    text_free(&workspace);
    text_free(&origin);
    return status == CSM_OK;
}
