/* SPDX-License-Identifier: MIT */
/*
 * How a segment stores a column: small whole numbers that say by how much a cell differs from what its neighbours
 * predict. A cell's ticks = predicted + offset + unit * steps, all modulo 2^64; steps are stored as they are where none is
 * negative, else as 0, -1, 1, -2, 2, ... are numbered ("zigzag"), so that the high bytes of small steps are all zero
 * (docs/store.md).
 */
#ifndef CSM_STORE_CODING_H
#define CSM_STORE_CODING_H

#include "store/kind.h"

typedef struct csm_coding {
    csm_column_predictor predictor;
    uint32_t of;   /* column the predictor reads, where it reads one */
    int32_t scale; /* decimals of the ticks */
    int32_t width; /* bytes of a stored value: 1, 2, 4 or 8 */
    int64_t first; /* predicted for rows before the first present value (PREVIOUS, BEFORE) */
    int64_t offset;
    int64_t unit; /* not 0 */
    bool zigzag;
    bool has_missing; /* the largest value of the width stands for a missing cell */
    bool constant;    /* every stored value is `fill`: nothing but the fill value is in the file */
    int64_t fill;
} csm_coding;

/* Name of a predictor in a segment, such as "previous close"; text[CSM_PREDICTOR_TEXT]. */
#define CSM_PREDICTOR_TEXT 32
char *csm_predictor_format(const csm_kind *kind, csm_column_predictor predictor, uint32_t of, char *text);
/* How to store a column: one pass over it. */
void csm_coding_plan(csm_coding *coding, const csm_table *table, size_t column);
/* The largest number of a width. */
uint64_t csm_coding_largest(int32_t width);
/* Stored values (uint64 by their bits) of the rows [begin, begin + count) under a plan. */
void csm_coding_store(int64_t *stored, const csm_coding *coding, const csm_table *table, size_t column,
                      size_t begin, size_t count);
/* Turns stored values, which stand in the table's columns, into ticks: all columns, in an order that has each
 * predictor's input ready. CSM_ECORRUPT when there is none. */
csm_status csm_coding_decode(csm_table *table, const csm_coding *codings);

/* ---- chunks ---- */

/* What HDF5's filters scale-offset and fletcher32 make of `count` values of `width` bytes, padded to `chunk_rows`.
 * has_missing: the largest number of the width is the dataset's fill value. */
csm_status csm_chunk_pack(csm_buffer *out, const int64_t *values, size_t count, size_t chunk_rows,
                          int32_t width, bool has_missing);
/* From a packed chunk to values; CSM_ECORRUPT without a name of the place. The chunk's own checksum is for readers that see
 * the chunk alone; ours has compared the whole file's already. */
csm_status csm_chunk_unpack(int64_t *values, size_t count, size_t chunk_rows, int32_t width, bool has_missing,
                            const uint8_t *packed, size_t length);

/* What shuffle, deflate and fletcher32 make of bytes: a segment's sources, and the columns of version 1. */
csm_status csm_chunk_deflate(csm_buffer *out, const uint8_t *bytes, size_t length);
/* The bytes of such a chunk; CSM_ECORRUPT when it holds another number. */
csm_status csm_chunk_inflate(uint8_t *planes, size_t bytes, const uint8_t *packed, size_t length);
/* `count` values of `width` planes of bytes in such a chunk; scratch holds chunk_rows * width bytes. */
csm_status csm_chunk_unpack_planes(int64_t *values, size_t count, size_t chunk_rows, int32_t width,
                                   const uint8_t *packed, size_t length, uint8_t *scratch);
uint32_t csm_fletcher32(const uint8_t *data, size_t length); /* as HDF5 computes it */

#endif
