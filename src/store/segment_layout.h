/* SPDX-License-Identifier: MIT */
/* What a segment's HDF5 metadata says: where its chunks lie and how to read them. */
#ifndef CSM_STORE_SEGMENT_LAYOUT_H
#define CSM_STORE_SEGMENT_LAYOUT_H

#include "store/segment.h"

typedef struct csm_place {
    uint64_t at; /* in the image */
    uint64_t length;
} csm_place;

typedef struct csm_dataset_layout {
    csm_coding coding;
    size_t rows;
    size_t chunk_rows;
    size_t chunks;
    csm_place *place; /* NULL for a constant */
} csm_dataset_layout;

typedef struct csm_segment_layout {
    const csm_kind *kind;
    csm_stream stream; /* strings are owned */
    csm_span span;
    size_t rows;
    csm_dataset_layout column[CSM_COLUMNS_MAX];
    csm_dataset_layout provenance_index;
    csm_dataset_layout provenance;
} csm_segment_layout;

/* `image` is the HDF5 part of a segment. CSM_ECORRUPT says what is wrong, without the file's name. */
csm_status csm_segment_layout_read(csm_segment_layout *out, const void *image, size_t length);
void csm_segment_layout_free(csm_segment_layout *layout);

#endif
