/* SPDX-License-Identifier: MIT */
/* One chunk of a dataset as HDF5's filters shuffle, deflate and fletcher32 write it, made without HDF5 and its lock. */
#include "store/coding.h"

#include <string.h>
#include <zlib.h>

/* Shuffled differences are bytes without repeated phrases: run lengths and Huffman codes (Z_RLE) reach the size of a
 * full search within 3 % at a quarter of its time (docs/store.md has the figures). */
#define LEVEL 6
#define WINDOW_BITS 15
#define MEMORY_LEVEL 9
#define CHECKSUM 4 /* bytes of fletcher32 after the deflated stream */

uint32_t csm_fletcher32(const uint8_t *data, size_t length) {
    uint32_t sum1 = 0, sum2 = 0;
    size_t words = length / 2;
    while (words) {
        size_t block = words > 360 ? 360 : words; /* the longest run whose sums stay within 32 bits */
        words -= block;
        for (; block; block--, data += 2) {
            sum1 += (uint32_t)data[0] << 8 | data[1];
            sum2 += sum1;
        }
        sum1 = (sum1 & 0xffff) + (sum1 >> 16);
        sum2 = (sum2 & 0xffff) + (sum2 >> 16);
    }
    if (length % 2) {
        sum1 += (uint32_t)data[0] << 8;
        sum2 += sum1;
        sum1 = (sum1 & 0xffff) + (sum1 >> 16);
        sum2 = (sum2 & 0xffff) + (sum2 >> 16);
    }
    sum1 = (sum1 & 0xffff) + (sum1 >> 16);
    sum2 = (sum2 & 0xffff) + (sum2 >> 16);
    return sum2 << 16 | sum1;
}

/* Byte b of every value stands in plane b, planes one after the other (HDF5's shuffle of little-endian values). */
static void shuffle(uint8_t *planes, const int64_t *values, size_t count, size_t chunk_rows, int32_t width) {
    for (int32_t b = 0; b < width; b++) {
        uint8_t *plane = planes + (size_t)b * chunk_rows;
        for (size_t i = 0; i < count; i++) plane[i] = (uint8_t)((uint64_t)values[i] >> (8 * b));
        memset(plane + count, 0, chunk_rows - count);
    }
}

static void unshuffle(int64_t *values, const uint8_t *planes, size_t count, size_t chunk_rows,
                      int32_t width) {
    const uint8_t *top = planes + (size_t)(width - 1) * chunk_rows;
    for (size_t i = 0; i < count; i++) values[i] = (int8_t)top[i]; /* carries the sign */
    for (int32_t b = width - 2; b >= 0; b--) {
        const uint8_t *plane = planes + (size_t)b * chunk_rows;
        for (size_t i = 0; i < count; i++) values[i] = (int64_t)((uint64_t)values[i] << 8 | plane[i]);
    }
}

static csm_status deflate_all(csm_buffer *out, const uint8_t *data, size_t length) {
    z_stream stream = {0};
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_RLE) != Z_OK)
        return csm_fail(CSM_ENOMEM, "deflate: no memory for its state");
    const size_t bound = deflateBound(&stream, length);
    csm_status status = csm_buffer_reserve(out, bound + CHECKSUM);
    if (status) goto done;
    stream.next_in = (Bytef *)(uintptr_t)data; /* never written to; zlib.h lacks the const */
    stream.avail_in = (uInt)length;
    stream.next_out = (Bytef *)out->data + out->length;
    stream.avail_out = (uInt)bound;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        status = csm_fail(CSM_EINTERNAL, "deflate: %zu bytes did not fit their bound", length);
    else
        out->length += bound - stream.avail_out;
done:
    deflateEnd(&stream);
    return status;
}

csm_status csm_chunk_pack(csm_buffer *out, const int64_t *values, size_t count, size_t chunk_rows,
                          int32_t width) {
    const size_t bytes = chunk_rows * (size_t)width;
    uint8_t *planes = csm_alloc(bytes);
    if (!planes) return CSM_ENOMEM;
    shuffle(planes, values, count, chunk_rows, width);
    out->length = 0;
    csm_status status = deflate_all(out, planes, bytes);
    csm_dealloc(planes);
    if (status) return status;
    const uint32_t sum = csm_fletcher32((const uint8_t *)out->data, out->length);
    const uint8_t tail[CHECKSUM] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16),
                                    (uint8_t)(sum >> 24)};
    return csm_buffer_append(out, tail, sizeof tail);
}

csm_status csm_chunk_unpack(int64_t *values, size_t count, size_t chunk_rows, int32_t width,
                            const uint8_t *packed, size_t length, uint8_t *scratch) {
    const size_t bytes = chunk_rows * (size_t)width;
    if (length < CHECKSUM) return csm_fail(CSM_ECORRUPT, "a chunk of %zu bytes", length);
    uLongf got = (uLongf)bytes;
    const int code = uncompress(scratch, &got, packed, (uLong)(length - CHECKSUM));
    if (code == Z_MEM_ERROR) return csm_fail(CSM_ENOMEM, "inflate: no memory for its state");
    if (code != Z_OK || got != bytes)
        return csm_fail(CSM_ECORRUPT, "a chunk does not inflate to %zu bytes", bytes);
    unshuffle(values, scratch, count, chunk_rows, width);
    return CSM_OK;
}
