/* SPDX-License-Identifier: MIT */
/* Pieces of appending that rolling, adopting and recovery use too. */
#ifndef CSM_STORE_APPEND_H
#define CSM_STORE_APPEND_H

#include "store/segment_file.h"

/* Removes from `fresh` (sorted) what `present` (NULL: nothing) or an earlier row of it says already; CSM_EINVAL when two
 * rows of one key and one `available` differ. */
csm_status csm_append_leave_known(csm_records *fresh, const csm_records *present);
/* Encodes shaped, sorted rows and writes their file, which the manifest does not name yet. */
csm_status csm_append_segment(csm_manifest_row *out, const csm_store *store, csm_context *context,
                              const csm_stream *stream, const csm_table *rows, const uint32_t *provenance,
                              const csm_provenance *sources, size_t source_count);
/* Removes the files of segments that were merged into others before `before`. */
csm_status csm_roll_remove_retired(csm_store *store, csm_time before);

#endif
