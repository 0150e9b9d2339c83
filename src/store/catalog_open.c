/* SPDX-License-Identifier: MIT */
/* How the catalogue is opened. The writer keeps its -wal and -shm files on close, so that readers find them and never
 * have to make them; a reader holds one read transaction from open to close, which pins its generation. A shared store
 * does so between its commits, on a connection that writes and checkpoints only under the workspace's lock. */
#include "store/internal.h"

#include <sqlite3.h>
#include <string.h>

#define BUSY_MILLISECONDS                                                                                    \
    10000 /* a reader may hold the database for as long as its recovery of the index takes */

/* "file:" address of the catalogue; bytes that mean something in an address are escaped (RFC 3986). */
static csm_status address_of(csm_buffer *out, const char *folder, const char *query) {
    static const char plain[] = "/-_.~";
    csm_status status = csm_buffer_printf(out, "file:%s", folder[0] == '/' ? "" : "./");
    for (const char *p = folder; *p && !status; p++) {
        const unsigned char byte = (unsigned char)*p;
        const bool word =
            (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        status = word || strchr(plain, byte) ? csm_buffer_append(out, p, 1)
                                             : csm_buffer_printf(out, "%%%02X", (unsigned)byte);
    }
    return status ? status : csm_buffer_printf(out, "/catalog.db?%s", query);
}

static csm_status connect_to(csm_store *store, int flags, const char *query) {
    csm_buffer address = {0};
    csm_status status = address_of(&address, store->path, query);
    if (status) goto done;
    const int code =
        sqlite3_open_v2(address.data, &store->catalog,
                        flags | SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_PRIVATECACHE, NULL);
    if (code == SQLITE_NOMEM || !store->catalog)
        status = csm_fail(CSM_ENOMEM, "%s/catalog.db: no memory to open it", store->path);
    else if (code != SQLITE_OK)
        status = csm_fail(CSM_EIO, "%s/catalog.db: %s", store->path, sqlite3_errmsg(store->catalog));
    if (status) {
        csm_catalog_close(store);
        goto done;
    }
    sqlite3_extended_result_codes(store->catalog, 1);
    sqlite3_busy_timeout(store->catalog, BUSY_MILLISECONDS);
done:
    csm_buffer_free(&address);
    return status;
}

void csm_catalog_close(csm_store *store) {
    sqlite3_close_v2(store->catalog);
    store->catalog = NULL;
}

static csm_status open_for_writing(csm_store *store, bool create) {
    csm_status status = connect_to(store, SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0),
                                   create ? "mode=rwc" : "mode=rw");
    if (status) return status;
    int keep = 1;
    sqlite3_file_control(store->catalog, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    /* A shared store's last close happens outside the lock: it must not checkpoint. */
    if (store->mode == CSM_STORE_SHARED)
        sqlite3_db_config(store->catalog, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    else
        status = csm_catalog_run(store, "PRAGMA journal_mode = WAL");
    if (!status) status = csm_catalog_run(store, "PRAGMA synchronous = FULL");
    if (!status) status = csm_catalog_run(store, "PRAGMA foreign_keys = ON");
    /* What the last close leaves of the -wal file. */
    if (!status) status = csm_catalog_run(store, "PRAGMA journal_size_limit = 0");
    return status;
}

/* The first read fixes the generation this connection sees until it closes or is unpinned. */
csm_status csm_catalog_pin(const csm_store *store) {
    csm_status status = store->pins ? CSM_OK : csm_catalog_run(store, "BEGIN");
    int64_t ignored;
    return status ? status : csm_catalog_number(&ignored, store, "SELECT count(*) FROM sqlite_schema", 0);
}

static csm_status file_exists(bool *out, const csm_store *store, const char *name) {
    char *path = csm_strformat("%s/%s", store->path, name);
    if (!path) return CSM_ENOMEM;
    *out = csm_file_exists(path);
    csm_dealloc(path);
    return CSM_OK;
}

static csm_status open_for_reading(csm_store *store) {
    csm_status status = connect_to(store, SQLITE_OPEN_READONLY, "mode=ro");
    if (!status) status = csm_catalog_pin(store);
    if (!status || (status != CSM_EIO && status != CSM_EREADONLY)) return status;
    /* A folder that may not be written, without the two files beside the database: nobody can be writing it, so it may
     * be read as it lies. With a -wal file there that cannot be told, and what it holds would be missed. */
    bool wal = true;
    const csm_status asked = file_exists(&wal, store, "catalog.db-wal");
    if (asked) return asked;
    if (wal)
        return csm_fail_prefix(status, "a folder that may not be written, with an unfinished catalog.db-wal");
    csm_catalog_close(store);
    status = connect_to(store, SQLITE_OPEN_READONLY, "mode=ro&immutable=1");
    return status ? status : csm_catalog_pin(store);
}

csm_status csm_catalog_open(csm_store *store, bool create) {
    const bool reading = store->mode == CSM_STORE_READ;
    csm_status status = reading ? open_for_reading(store) : open_for_writing(store, create);
    if (!status) status = reading ? csm_schema_check(store) : csm_schema_update(store);
    if (status) csm_catalog_close(store);
    return status;
}
