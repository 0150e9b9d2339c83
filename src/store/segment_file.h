/* SPDX-License-Identifier: MIT */
/* Segments on disk and their rows in the manifest. */
#ifndef CSM_STORE_SEGMENT_FILE_H
#define CSM_STORE_SEGMENT_FILE_H

#include "store/segment.h"

/* A segment file that is whole and on disk, or about to be: what its manifest row says. */
typedef struct csm_manifest_row {
    int64_t id; /* 0: not in the manifest yet */
    char *path; /* relative to the workspace */
    char sha256[CSM_HASH_TEXT];
    uint64_t bytes;
    size_t rows;
    csm_span span;
} csm_manifest_row;

void csm_manifest_row_free(csm_manifest_row *row);

/* Path, hash, size and span of a segment's bytes. */
csm_status csm_segment_describe(csm_manifest_row *out, const csm_stream *stream, const csm_buffer *image,
                                const csm_table *rows);
/* Writes image bytes under their name, synced, read back and compared. The manifest does not name them yet. */
csm_status csm_segment_file_write(csm_manifest_row *out, const csm_store *store, csm_context *context,
                                  const csm_stream *stream, const csm_buffer *image, const csm_table *rows);
/* Within a transaction. sources: ids of the provenance table, in the order of the file's list. */
csm_status csm_manifest_add(csm_store *store, int64_t stream, const csm_manifest_row *row,
                            const int64_t *sources, size_t source_count);
/* Whether a segment, or a retired one whose file is there still, has this path. */
csm_status csm_manifest_names(bool *named, const csm_store *store, const char *path);
/* Reads and decodes a named segment, with its sources or without; every failure names the path, absence is
 * CSM_ECORRUPT. */
csm_status csm_segment_file_read(csm_segment **out, const csm_store *store, const char *path, bool sources,
                                 uint32_t threads);

#endif
