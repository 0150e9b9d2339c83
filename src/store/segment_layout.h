/* SPDX-License-Identifier: MIT */
/* A segment's contents: where its chunks lie and how to read them. They stand after the HDF5 part, so that reading never
 * hands bytes of a file to HDF5, which is not made for damaged or hostile ones. */
#ifndef CSM_STORE_SEGMENT_LAYOUT_H
#define CSM_STORE_SEGMENT_LAYOUT_H

#include "store/segment.h"

#define CSM_DATASETS_MAX (CSM_COLUMNS_MAX + 1)

typedef struct csm_place {
    uint64_t at; /* in the file */
    uint64_t length;
} csm_place;

typedef struct csm_dataset_layout {
    csm_coding coding;
    csm_place *place; /* one a chunk; NULL for a constant */
} csm_dataset_layout;

typedef struct csm_segment_layout {
    const csm_kind *kind;
    csm_stream stream; /* strings are owned where it was parsed */
    csm_span span;
    int64_t version;
    size_t rows;
    size_t chunk_rows;
    size_t chunks; /* a dataset */
    csm_dataset_layout
        dataset[CSM_DATASETS_MAX]; /* the kind's columns in their order, then provenance_index */
    csm_place sources;
    size_t sources_length; /* bytes of the JSON */
} csm_segment_layout;

/* Appends the contents: 8-byte little-endian numbers and texts (docs/store.md). */
csm_status csm_segment_layout_format(csm_buffer *out, const csm_segment_layout *layout);
/* `bytes` are the contents of a segment whose HDF5 part has `image_length` bytes. CSM_ECORRUPT or CSM_EUNSUPPORTED says what
 * is wrong, without the file's name. */
csm_status csm_segment_layout_parse(csm_segment_layout *out, const void *bytes, size_t length,
                                    size_t image_length);
void csm_segment_layout_free(csm_segment_layout *layout); /* of a parsed one */

#endif
