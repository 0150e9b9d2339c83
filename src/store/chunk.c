/* SPDX-License-Identifier: MIT */
/* One chunk of a dataset as HDF5's filters shuffle, deflate and fletcher32 write it, made without HDF5 and its lock. */
#include "store/coding.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

#define LEVEL 6
#define MEMORY_LEVEL 8
#define HEADER 2   /* bytes of zlib before the deflated stream */
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
static void unshuffle(int64_t *values, const uint8_t *planes, size_t count, size_t chunk_rows,
                      int32_t width) {
    for (size_t i = 0; i < count; i++) values[i] = planes[i];
    for (int32_t b = 1; b < width; b++) {
        const uint8_t *plane = planes + (size_t)b * chunk_rows;
        for (size_t i = 0; i < count; i++) values[i] |= (int64_t)((uint64_t)plane[i] << (8 * b));
    }
}

static csm_status deflate_all(csm_buffer *out, const uint8_t *bytes, size_t length) {
    const int window_bits = length > 16384  ? 15
                            : length > 1024 ? 14
                                            : 10; /* a small window costs less to set up */
    z_stream stream = {0};
    if (length > UINT_MAX) return csm_fail(CSM_EINTERNAL, "deflate: %zu bytes at once", length);
    if (deflateInit2(&stream, LEVEL, Z_DEFLATED, window_bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return csm_fail(CSM_ENOMEM, "deflate: no memory for its state");
    const size_t bound = deflateBound(&stream, length);
    csm_status status = csm_buffer_reserve(out, bound + CHECKSUM);
    if (status) goto done;
    stream.next_in = (Bytef *)(uintptr_t)bytes; /* never written to; zlib.h lacks the const */
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

csm_status csm_chunk_deflate(csm_buffer *out, const uint8_t *bytes, size_t length) {
    out->length = 0;
    const csm_status status = deflate_all(out, bytes, length);
    if (status) return status;
    const uint32_t sum = csm_fletcher32((const uint8_t *)out->data, out->length);
    const uint8_t tail[CHECKSUM] = {(uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16),
                                    (uint8_t)(sum >> 24)};
    return csm_buffer_append(out, tail, sizeof tail);
}

csm_status csm_chunk_inflate(uint8_t *planes, size_t bytes, const uint8_t *packed, size_t length) {
    if (length < HEADER + CHECKSUM || bytes > UINT_MAX || length > UINT_MAX)
        return csm_fail(CSM_ECORRUPT, "a chunk of %zu bytes for %zu", length, bytes);
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)(packed + HEADER), /* never written to */
                       .avail_in = (uInt)(length - HEADER - CHECKSUM),
                       .next_out = planes,
                       .avail_out = (uInt)bytes};
    /* Without zlib's header, so that it does not add up a checksum as well: the file's CRC-32 covers these bytes. */
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return csm_fail(CSM_ENOMEM, "inflate: no memory for its state");
    const int code = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    if (code == Z_STREAM_END && stream.avail_out == 0) return CSM_OK;
    return code == Z_MEM_ERROR ? csm_fail(CSM_ENOMEM, "inflate: no memory for its window")
                               : csm_fail(CSM_ECORRUPT, "a chunk does not inflate to %zu bytes", bytes);
}

csm_status csm_chunk_unpack_planes(int64_t *values, size_t count, size_t chunk_rows, int32_t width,
                                   const uint8_t *packed, size_t length, uint8_t *scratch) {
    const csm_status status = csm_chunk_inflate(scratch, chunk_rows * (size_t)width, packed, length);
    if (!status) unshuffle(values, scratch, count, chunk_rows, width);
    return status;
}
