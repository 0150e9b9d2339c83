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
/* Path in the workspace of a segment's image; `attempt` above 0 where another file has the name. */
char *csm_segment_path(const csm_stream *stream, const csm_buffer *image, unsigned attempt);

/* Path, hash, size and span of a segment's bytes. */
csm_status csm_segment_describe(csm_manifest_row *out, const csm_stream *stream, const csm_buffer *image,
                                const csm_table *rows);
/* A segment on its way to disk. */
typedef struct csm_segment_file {
    const csm_stream *stream;
    csm_buffer image;     /* owned */
    csm_manifest_row row; /* bytes, rows and span from the caller; path and sha256 from writing */
    char *full;           /* path on disk */
    char *temporary;      /* as long as the file has this name */
    bool renamed;
} csm_segment_file;

void csm_segment_files_free(csm_segment_file *files, size_t count);
/* Writes the images of all files beside their names, reads them back and compares, syncs them together, renames them
 * and syncs their folders. The manifest does not name them yet; on failure none of them stays.
 *
 * note (NULL: none is needed): a file beside the catalogue that lists their paths and is on disk before the first rename.
 * Recovery removes what it lists and the manifest does not name, so that a kill leaves all of them or none. The caller
 * removes it after the commit and frees its name. */
csm_status csm_segment_files_write(csm_segment_file *files, size_t count, const csm_store *store,
                                   csm_context *context, char **note);
#define CSM_GROUP_NOTE ".tmp-group-" /* a note's name begins with it: the temporary of a file "group" */
/* Writes one image. */
csm_status csm_segment_file_write(csm_manifest_row *out, const csm_store *store, csm_context *context,
                                  const csm_stream *stream, const csm_buffer *image, const csm_table *rows);
/* Within a transaction. sources: ids of the provenance table, in the order of the file's list. */
csm_status csm_manifest_add(csm_store *store, int64_t stream, const csm_manifest_row *row,
                            const int64_t *sources, size_t source_count);
/* Whether a segment, or a retired one whose file is there still, has this path. */
csm_status csm_manifest_names(bool *named, const csm_store *store, const char *path);
/* A file's bytes after comparing their number and SHA-256 with a manifest's; CSM_ECORRUPT names the file. */
csm_status csm_segment_file_bytes(csm_buffer *out, const char *full, uint64_t bytes, const char *sha256);
/* Reads and decodes a named segment, with its sources or without; every failure names the path, absence is
 * CSM_ECORRUPT. */
csm_status csm_segment_file_read(csm_segment **out, const csm_store *store, const char *path, bool sources,
                                 uint32_t threads);

#endif
