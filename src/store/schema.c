/* SPDX-License-Identifier: MIT */
/* Tables of all stages and how an older catalogue gets them. */
#include "store/internal.h"

#include <string.h>

#define APPLICATION_ID 0x43534d31 /* "CSM1": what `file` and sqlite's header say this database is */
#define FORMAT 1                  /* user_version: how the schema table itself works */
#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

typedef struct schema_entry {
    const char *stage;
    int64_t version;
    const char *text;
} schema_entry;

static const schema_entry entries[] = {
#define CSM_SCHEMA(stage, version, text) {#stage, version, text},
#include "store/schema.def"
#undef CSM_SCHEMA
};
#define ENTRIES (sizeof entries / sizeof *entries)

static int64_t newest_version(const char *stage) {
    int64_t newest = 0;
    for (size_t i = 0; i < ENTRIES; i++) {
        if (strcmp(entries[i].stage, stage) == 0 && entries[i].version > newest) newest = entries[i].version;
    }
    return newest;
}

static csm_status stored_version(int64_t *out, const csm_store *store, const char *stage) {
    csm_statement *s = NULL;
    bool row = false;
    *out = 0;
    csm_status status = csm_catalog_prepare(&s, store, "SELECT version FROM schema WHERE stage = ?");
    if (!status) status = csm_statement_bind_text(s, 1, stage);
    if (!status) status = csm_statement_step(s, &row);
    if (!status && row) *out = csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}

static csm_status record_version(const csm_store *store, const char *stage, int64_t version) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, store,
                                            "INSERT INTO schema (stage, version) VALUES (?, ?) ON CONFLICT "
                                            "DO UPDATE SET version = excluded.version");
    if (!status) status = csm_statement_bind_text(s, 1, stage);
    if (!status) status = csm_statement_bind_i64(s, 2, version);
    if (!status) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

static csm_status check_stages(const csm_store *store) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, store, "SELECT stage, version FROM schema");
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        const char *stage = csm_statement_text(s, 0);
        const int64_t version = csm_statement_i64(s, 1), known = newest_version(stage ? stage : "");
        if (version > known)
            status = csm_fail(CSM_EUNSUPPORTED,
                              "%s/catalog.db: tables of %s have version %lld, this build knows %lld",
                              store->path, stage ? stage : "?", (long long)version, (long long)known);
    }
    csm_statement_close(s);
    return status;
}

static csm_status complete(bool *yes, const csm_store *store) {
    csm_status status = CSM_OK;
    *yes = true;
    for (size_t i = 0; i < ENTRIES && *yes && !status; i++) {
        int64_t version;
        status = stored_version(&version, store, entries[i].stage);
        if (!status) *yes = version >= entries[i].version;
    }
    return status;
}

/* That the catalogue is ours and not newer than this build. */
static csm_status check_identity(const csm_store *store) {
    int64_t id = 0, format = 0;
    csm_status status = csm_catalog_number(&id, store, "PRAGMA application_id", 0);
    if (!status) status = csm_catalog_number(&format, store, "PRAGMA user_version", 0);
    if (status) return status;
    if (id != APPLICATION_ID)
        return csm_fail(CSM_ECORRUPT,
                        "%s/catalog.db is not a catalogue of this library (application id %lld)", store->path,
                        (long long)id);
    if (format > FORMAT)
        return csm_fail(CSM_EUNSUPPORTED, "%s/catalog.db has format %lld, this build knows %d", store->path,
                        (long long)format, FORMAT);
    return check_stages(store);
}

csm_status csm_schema_check(const csm_store *store) {
    bool yes = false;
    csm_status status = check_identity(store);
    if (!status) status = complete(&yes, store);
    if (!status && !yes)
        status = csm_fail(CSM_EUNSUPPORTED, "%s/catalog.db: older than this build; open it once for writing",
                          store->path);
    return status;
}

static csm_status make_empty(const csm_store *store) {
    csm_status status = csm_catalog_run(
        store, "CREATE TABLE schema (stage TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT");
    if (!status) status = csm_catalog_run(store, "PRAGMA application_id = " TEXT(APPLICATION_ID));
    if (!status) status = csm_catalog_run(store, "PRAGMA user_version = " TEXT(FORMAT));
    return status;
}

static csm_status apply(const csm_store *store) {
    csm_status status = CSM_OK;
    int64_t have[ENTRIES];
    for (size_t i = 0; i < ENTRIES && !status; i++)
        status = stored_version(&have[i], store, entries[i].stage);
    for (size_t i = 0; i < ENTRIES && !status; i++) {
        if (entries[i].version <= have[i]) continue;
        status = csm_catalog_run(store, entries[i].text);
        if (!status) status = record_version(store, entries[i].stage, entries[i].version);
    }
    return status;
}

csm_status csm_schema_update(csm_store *store) {
    int64_t tables = 0;
    csm_status status = csm_catalog_number(&tables, store, "SELECT count(*) FROM sqlite_schema", 0);
    const bool empty = tables == 0;
    if (!status && !empty) status = check_identity(store);
    bool yes = false;
    if (!status && !empty) status = complete(&yes, store);
    if (status || yes) return status;
    status = csm_catalog_begin(store);
    if (status) return status;
    if (empty) status = make_empty(store);
    if (!status) status = apply(store);
    if (!status) status = csm_catalog_commit(store);
    if (status) csm_catalog_rollback(store);
    return status;
}
