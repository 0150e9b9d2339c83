/* SPDX-License-Identifier: MIT */
/* Pieces of appending that rolling, adopting and recovery use too. */
#ifndef CSM_STORE_APPEND_H
#define CSM_STORE_APPEND_H

#include "store/segment_file.h"

/* One append of a group. */
typedef struct csm_append {
    csm_stream stream;         /* strings are borrowed */
    csm_provenance provenance; /* as well */
    csm_table *rows;           /* sorted in place, and reduced to those that say something new */
    uint64_t stored;           /* how many those are */
} csm_append;

/* csm_store_append of all or none, with one acknowledgement: a kill at any instant leaves all of them or none. A stream
 * occurs once. *failed: index of the append whose fault a failure is, `count` when it is none's. Holds every image in
 * memory: the caller bounds the rows of a group. */
csm_status csm_append_group(csm_store *store, csm_context *context, csm_append *appends, size_t count,
                            size_t *failed);

/* Removes from `fresh` (sorted) what `present` (NULL: nothing) or an earlier row of it says already; CSM_EINVAL when two
 * rows of one key and one `available` differ. */
csm_status csm_append_leave_known(csm_records *fresh, const csm_records *present);
/* Encodes shaped, sorted rows and writes their file, which the manifest does not name yet. */
csm_status csm_append_segment(csm_manifest_row *out, const csm_store *store, csm_context *context,
                              const csm_stream *stream, const csm_table *rows, const uint32_t *provenance,
                              const csm_provenance *sources, size_t source_count);
/* How long a reader may still hold a generation that names a merged file. */
#define CSM_RETIRED_FOR CSM_DAY
/* Removes the files of segments that were merged into others before `before`. */
csm_status csm_roll_remove_retired(csm_store *store, csm_time before);

/* Names a decoded segment in the manifest after checking its rows, provenance and place in its stream. path: where its
 * file stands in the workspace already; NULL writes `bytes` under a name of its own. When some of its rows are stored
 * already only the others are, in a new segment. *adopted: the file given is named now. */
csm_status csm_adopt_segment(bool *adopted, csm_store *store, csm_context *context,
                             const csm_segment *segment, const char *path, const csm_buffer *bytes);
/* Every row against its kind's rules and its source's receive time. */
csm_status csm_adopt_check_rows(const csm_segment *segment);

#endif
