/* SPDX-License-Identifier: MIT */
/*
 * Segments: immutable HDF5 files of one stream's rows (docs/store.md gives the layout for users of h5py). Here a segment
 * is bytes in memory; who writes and reads files is elsewhere.
 */
#ifndef CSM_STORE_SEGMENT_H
#define CSM_STORE_SEGMENT_H

#include "store/coding.h"
#include "store/internal.h"

#define CSM_SEGMENT_VERSION 2                  /* 1: columns are shuffled and deflated, still read */
#define CSM_SEGMENT_ROWS_MAX ((size_t)1 << 22) /* a longer run is split */
#define CSM_CHUNK_ROWS ((size_t)1 << 14)       /* at most, balanced over a segment's chunks */
#define CSM_SEGMENT_BYTES_MAX ((size_t)1 << 30)

/* After HDF5's own end of file: the contents (segment_layout.h), then "CSMSEGM1", the length before the footer (u64), CRC-32
 * of that part (u32), length of the contents (u32); little-endian. */
#define CSM_FOOTER_BYTES 24

typedef struct csm_segment {
    const csm_kind *kind;
    csm_stream stream; /* strings belong to the segment */
    csm_table *table;
    uint32_t *provenance;    /* index into `sources`, one a row */
    csm_provenance *sources; /* strings belong to the segment */
    size_t source_count;
} csm_segment;

/* Rows in canonical form (csm_segment_shape), sorted; sources[i] explains provenance index i; provenance NULL: all
 * index 0. */
csm_status csm_segment_encode(csm_buffer *out, const csm_stream *stream, const csm_table *rows,
                              const uint32_t *provenance, const csm_provenance *sources, size_t source_count,
                              uint32_t threads);
/* Trims scales and brings the columns that share one to it where their values allow: predictions are then close. */
void csm_segment_shape(csm_table *rows);

/* Reads a segment back: footer, layout, sizes; CSM_ECORRUPT begins with `name`. Without `sources` the list of sources
 * is left out and `provenance` is NULL. */
csm_status csm_segment_decode(csm_segment **out, const void *bytes, size_t length, const char *name,
                              bool sources, uint32_t threads);
void csm_segment_free(csm_segment *segment);

/* Whether `footer` can end a file of `length` bytes. */
bool csm_segment_footer_fits(const uint8_t footer[CSM_FOOTER_BYTES], uint64_t length);

/* Sources as JSON, the `provenance` dataset. */
csm_status csm_sources_format(csm_buffer *out, const csm_provenance *sources, size_t count);
csm_status csm_sources_parse(csm_provenance **out, size_t *count, const char *json, size_t length);
void csm_sources_free(csm_provenance *sources, size_t count);

#endif
