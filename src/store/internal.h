/* SPDX-License-Identifier: MIT */
/* What the files of store share. */
#ifndef CSM_STORE_INTERNAL_H
#define CSM_STORE_INTERNAL_H

#include "core/platform.h"
#include "store/catalog.h"
#include "store/kind.h"

struct sqlite3;

struct csm_store {
    char *path;
    csm_context *context;
    struct sqlite3 *catalog;
    uint32_t mode;
    bool pins;         /* shared: what is read between two commits is one generation */
    csm_lock *lock;    /* NULL: reading, or shared and between two commits */
    uint32_t sections; /* csm_store_enter without its csm_store_leave */
    bool unclean;      /* this section left files that recovery should look at */
    bool in_transaction;
    csm_time patience;
    csm_store_recovery recovery;
};

/* ---- catalogue: catalog_open.c, schema.c ---- */

/* Opens catalog.db in the store's folder and brings its tables up to date; read-only pins one generation. */
csm_status csm_catalog_open(csm_store *store, bool create);
void csm_catalog_close(csm_store *store);
/* Fixes the generation that a reading connection sees; lets go of it. */
csm_status csm_catalog_pin(const csm_store *store);
csm_status csm_catalog_unpin(const csm_store *store);
/* Runs one statement without results. */
csm_status csm_catalog_run(const csm_store *store, const char *sql);
/* First column of the first row as integer; `otherwise` when there is no row. */
csm_status csm_catalog_number(int64_t *out, const csm_store *store, const char *sql, int64_t otherwise);
csm_status csm_schema_update(csm_store *store);
csm_status csm_schema_check(const csm_store *store); /* CSM_EUNSUPPORTED when newer than this build */

/* ---- the workspace's lock: store.c ---- */

#define CSM_PATIENCE (60 * CSM_SECOND)
csm_status csm_lock_workspace(csm_store *store); /* CSM_ELOCKED at once */
void csm_store_unlock(csm_store *store);

/* ---- records: rows with where each came from ---- */

typedef struct csm_records {
    csm_table *table;
    uint32_t *provenance; /* an index into `sources`, one a row; NULL where nobody asked for it */
    size_t capacity;
    int64_t *sources; /* ids of the provenance table */
    size_t source_count;
} csm_records;

csm_status csm_records_init(csm_records *records, const csm_kind *kind);
void csm_records_free(csm_records *records);
/* Index of a provenance id in `sources`, added when new. */
csm_status csm_records_source(uint32_t *index, csm_records *records, int64_t provenance);
/* Appends rows [begin, end) of `from`; provenance of row i is index map[from_index[i]], or map[0] without indices, or not
 * kept without a map. */
csm_status csm_records_extend(csm_records *records, const csm_table *from, const uint32_t *from_index,
                              const uint32_t *map, size_t begin, size_t end);
csm_status csm_records_take(csm_records *records, const size_t *keep, size_t count);
csm_status csm_records_sort(csm_records *records);

/* ---- streams and provenance in the catalogue: stream.c ---- */

typedef struct csm_span {
    csm_time first; /* event times */
    csm_time last;
    csm_time oldest; /* available times */
    csm_time newest;
} csm_span;

csm_span csm_table_span(const csm_table *table);
csm_span csm_range_span(const csm_extremes *range);
csm_status csm_stream_check(const csm_stream *stream, const csm_kind **kind);
csm_status csm_provenance_check(const csm_provenance *provenance);
/* Id of the stream, 0 when the catalogue does not know it. */
csm_status csm_stream_find(int64_t *id, const csm_store *store, const csm_stream *stream);
/* Decimals that the columns of some rows need. */
typedef struct csm_digits {
    struct {
        int64_t integer;
        int64_t scale;
    } column[CSM_COLUMNS_MAX];
    size_t columns;
} csm_digits;

csm_digits csm_table_digits(const csm_table *rows, const csm_extremes *range);
/* Within a transaction: names the stream and its newest record, and widens its columns' digits. */
csm_status csm_stream_note(int64_t *id, csm_store *store, const csm_stream *stream, const csm_digits *digits,
                           csm_time newest, int64_t provenance);
/* Within a transaction: remembers the decimals its columns need. */
csm_status csm_stream_widen(const csm_store *store, int64_t id, const csm_digits *digits);
/* CSM_EINVAL when a column of `rows` and the stream's earlier rows fit no common scale. */
csm_status csm_stream_fits(const csm_store *store, int64_t id, const csm_table *rows);
csm_status csm_provenance_note(int64_t *id, csm_store *store, const csm_provenance *provenance);
/* Strings of *out are allocated. */
csm_status csm_provenance_load(csm_provenance *out, const csm_store *store, int64_t id);

/* ---- live tail: tail.c ---- */

csm_status csm_tail_insert(csm_store *store, int64_t stream, int64_t provenance, const csm_table *rows);
csm_status csm_tail_encode(csm_buffer *out, const csm_table *rows);
csm_status csm_tail_decode(csm_table **out, const csm_kind *kind, const void *bytes, size_t length);

/* ---- what a stream holds: gather.c ---- */

/* Rows of a stream with from <= time < to, available <= as_of, revisions included, sorted. Without `sources` no
 * provenance is kept. */
csm_status csm_store_gather(csm_records *out, const csm_store *store, csm_context *context,
                            const csm_kind *kind, int64_t stream, csm_time from, csm_time to, csm_time as_of,
                            bool sources);

/* All rows of one segment, or of the stream's tail, added to `out` with their sources, unsorted. */
csm_status csm_gather_segment(csm_records *out, const csm_store *store, csm_context *context, int64_t stream,
                              int64_t id, const char *path);
csm_status csm_gather_tail(csm_records *out, const csm_store *store, csm_context *context, int64_t stream);

/* ---- streams: streams.c ---- */

/* Ids beside csm_stream_list_at. */
int64_t csm_stream_list_id(const csm_stream_list *list, size_t index);

/* ---- folders of backups: restore.c ---- */

/* Makes the folder; CSM_EEXIST, with what it is wanted for, when something is in it. */
csm_status csm_require_empty(const char *folder, const char *what);
/* Removes what a failure left in a folder, best effort; gives the status and its text back. */
csm_status csm_leave_nothing(csm_status status, const char *folder);

/* ---- recovery: recover.c ---- */

csm_status csm_store_recover(csm_store *store, csm_context *context);

#endif
