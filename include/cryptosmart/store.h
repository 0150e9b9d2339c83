/* SPDX-License-Identifier: MIT */
/*
 * store: what was received, kept for good. Segments (immutable HDF5 files of exact decimals) and a catalogue (SQLite)
 * that names them; what the catalogue does not name does not exist. Start-up is recovery.
 */
#ifndef CRYPTOSMART_STORE_H
#define CRYPTOSMART_STORE_H

#include <cryptosmart/core.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tables: rows of exact decimals -------------------------------------------------------------------------- */

/* Columns are fixed by the kind (kinds.def): every cell is an int64 with a decimal scale a column; times are ns with scale
 * 0. Every kind begins with `time` (event) and `available` (known at). Prices may be missing where the state says so. */
typedef struct csm_table csm_table;
#define CSM_CELL_MISSING INT64_MIN

CSM_API csm_status csm_table_new(csm_table **out, const char *kind);
CSM_API void csm_table_free(csm_table *table);
CSM_API const char *csm_table_kind(const csm_table *table);
CSM_API size_t csm_table_rows(const csm_table *table);
CSM_API size_t csm_table_columns(const csm_table *table);
CSM_API const char *csm_table_column_name(const csm_table *table, size_t column); /* NULL past the end */
CSM_API int csm_table_column_find(const csm_table *table, const char *name);      /* -1 when unknown */
/* Appends one row of csm_table_columns(table) cells. A column's scale grows as needed, up to 18; CSM_EINVAL names the
 * column when a value then leaves int64. A cell with ticks CSM_CELL_MISSING is missing. */
CSM_API csm_status csm_table_append(csm_table *table, const csm_decimal *cells);
CSM_API const int64_t *csm_table_ticks(const csm_table *table,
                                       size_t column); /* rows values, NULL past the end */
CSM_API int32_t csm_table_scale(const csm_table *table, size_t column);
/* ticks / 10^scale of a column as doubles, missing as NaN, into the caller's `rows` values. */
CSM_API csm_status csm_table_doubles(const csm_table *table, size_t column, double *out);

/* ---- streams and provenance ------------------------------------------------------------------------------------ */

/* Identity of a series of records: kind, venue, symbol, listing epoch, interval (0 where none applies). */
typedef struct csm_stream {
    const char *kind;   /* "bars", "trades", "ticker", "book", "value" */
    const char *venue;  /* "kraken" */
    const char *symbol; /* "BTC/USD", or a series' name such as "fear_greed" */
    csm_time interval;
    int32_t epoch; /* 1 for the first listing */
    int32_t reserved;
} csm_stream;

/* Where records came from; refused when source or request is empty or received is CSM_TIME_MIN. */
typedef struct csm_provenance {
    const char *source;  /* "kraken.ohlc", "import.csv", "replay:kraken.ohlc" */
    const char *request; /* redacted URL, or file name with SHA-256 */
    const char *origin;  /* licence and origin of a file, "" for live data */
    csm_time received;
} csm_provenance;

/* ---- store ----------------------------------------------------------------------------------------------------- */

typedef struct csm_store csm_store;

typedef enum csm_store_mode {
    CSM_STORE_READ = 0,   /* no lock, repairs nothing, one consistent generation */
    CSM_STORE_WRITE = 1,  /* takes the lock and recovers */
    CSM_STORE_CREATE = 2, /* WRITE, and makes an absent workspace */
    CSM_STORE_SHARED =
        3 /* reads like READ, and takes the lock for each commit alone: several processes at once */
} csm_store_mode;

/* Opens the workspace folder. CSM_ELOCKED, CSM_ENOTFOUND, CSM_EREADONLY, CSM_ECORRUPT, CSM_EUNSUPPORTED (newer schema). */
CSM_API csm_status csm_store_open(csm_store **out, csm_context *context, const char *path, uint32_t mode);
CSM_API void csm_store_free(csm_store *store);
CSM_API const char *csm_store_path(const csm_store *store);

/* A SHARED store reads one generation: the one it saw when it opened, last committed something itself, or was refreshed.
 * Each call that writes (append, roll, adopt, ledger, models, trials, listings) waits for the workspace's lock, writes on
 * top of what was committed last, and lets go; what needs recovery because its writer was killed is recovered first.
 *
 * How long such a call waits before CSM_ELOCKED, with nothing changed: 60 s unless set. CSM_EINVAL: negative. */
CSM_API csm_status csm_store_set_patience(csm_store *store, csm_time patience);
/* Lets a READ or SHARED store see what others have committed; does nothing to the others. */
CSM_API csm_status csm_store_refresh(csm_store *store);

/* What recovery on open found. */
typedef struct csm_store_recovery {
    uint64_t temporaries_swept;
    uint64_t segments_adopted;     /* whole files whose manifest row was lost: named again */
    uint64_t segments_quarantined; /* moved to quarantine/ with a note; counted, never deleted */
    uint64_t segments_missing;     /* named, but absent or damaged: the store opens, reads of them fail */
    uint64_t tail_rows;            /* acknowledged rows not rolled into segments yet */
} csm_store_recovery;
CSM_API csm_status csm_store_recovery_report(csm_store_recovery *out, const csm_store *store);

/* Appends rows (any order of time; validated by kind: finite, OHLC bounds, non-negative volume, available >= time). When
 * it returns CSM_OK the rows survive a kill at any instant. Equal rows already present are not stored twice. A later
 * `available` for the same event time is a revision: older as_of reads still see the older row. */
CSM_API csm_status csm_store_append(csm_store *store, csm_context *context, const csm_stream *stream,
                                    const csm_table *rows, const csm_provenance *provenance);
/* Rolls the live tail into segments. */
CSM_API csm_status csm_store_roll(csm_store *store, csm_context *context);

/* Rows with from <= time < to that were available at or before as_of, each event time once (the latest revision
 * known then), ascending. Empty is a normal result. */
CSM_API csm_status csm_store_read(csm_table **out, const csm_store *store, csm_context *context,
                                  const csm_stream *stream, csm_time from, csm_time to, csm_time as_of);

/* Bars as arrays. The view lives as long as the object. */
typedef struct csm_bar_series csm_bar_series;
CSM_API csm_status csm_store_read_bars(csm_bar_series **out, const csm_store *store, csm_context *context,
                                       const csm_stream *stream, csm_time from, csm_time to, csm_time as_of);
CSM_API csm_bars csm_bar_series_view(const csm_bar_series *series);
CSM_API void csm_bar_series_free(csm_bar_series *series);

/* What is there. Strings live as long as the list. */
typedef struct csm_stream_info {
    csm_stream stream;
    uint64_t rows;  /* stored, revisions included */
    csm_time first; /* event times */
    csm_time last;
    csm_time available; /* newest */
    const char *source; /* of the newest record */
    const char *origin;
} csm_stream_info;
typedef struct csm_stream_list csm_stream_list;
/* kind, venue NULL: all. Sorted by kind, venue, symbol, epoch, interval. */
CSM_API csm_status csm_store_streams(csm_stream_list **out, const csm_store *store, const char *kind,
                                     const char *venue);
CSM_API size_t csm_stream_list_count(const csm_stream_list *list);
CSM_API const csm_stream_info *csm_stream_list_at(const csm_stream_list *list, size_t index);
CSM_API void csm_stream_list_free(csm_stream_list *list);

/* SHA-256 (hex) over every acknowledged record available at or before as_of, in canonical order: the data watermark. */
CSM_API csm_status csm_store_watermark(char *hex, size_t size, const csm_store *store, csm_context *context,
                                       csm_time as_of);

/* Writes all segments and `manifest.json` (path, SHA-256, rows, spans, provenance) into an empty folder; adopts such a
 * folder's segments with their provenance after checking every hash. */
CSM_API csm_status csm_store_export(const csm_store *store, csm_context *context, const char *folder);
CSM_API csm_status csm_store_adopt(csm_store *store, csm_context *context, const char *folder);

/* Full check: every hash, every row's invariants, the catalogue's own. findings: number of faults; the text names the
 * first. */
CSM_API csm_status csm_store_verify(uint64_t *findings, const csm_store *store, csm_context *context);

/* ---- backup ---------------------------------------------------------------------------------------------------- */

/* One generation of the workspace (of an open store of any mode, while others work on) in an empty or absent folder: the
 * catalogue through SQLite's backup interface, segments and models as hard links, or copies on another file system, and last
 * backup.json with every file's size and SHA-256, without which the folder is no backup. A failure leaves nothing in it. */
CSM_API csm_status csm_store_backup(const csm_store *store, csm_context *context, const char *folder);
/* Copies a backup into an empty or absent folder, every hash compared, the catalogue last. CSM_EEXIST: not empty; CSM_ENOTFOUND:
 * no finished backup; CSM_ECORRUPT names the file. A failure leaves nothing in it. */
CSM_API csm_status csm_store_restore(csm_context *context, const char *backup, const char *workspace);
/* Compares every file with the list, restores into `scratch` (empty or absent; it stays, to be looked at) and does the full
 * check there. findings: number of faults; the text names the first. The ledger's chain: csm_learn_verify on scratch. */
CSM_API csm_status csm_store_verify_backup(uint64_t *findings, csm_context *context, const char *backup,
                                           const char *scratch);

#ifdef __cplusplus
}
#endif
#endif
