/* SPDX-License-Identifier: MIT */
/*
 * One chunk of a dataset as HDF5's scale-offset filter and fletcher32 write it: every number in as many bits as the
 * chunk's largest needs, most significant bit first, one after the other without gaps.
 *
 * The filter's header of 21 bytes: bits a number (u32), 8, least number (u64, ours 0), 8 bytes of zeros; then the numbers
 * and one byte more than they need. As many bits as the type has: the numbers as they are, little-endian. In a dataset
 * with a fill value, which is our number for a missing cell, all bits set stand for it.
 */
#include "store/coding.h"
#include "store/columns.h"

#include <string.h>

#define HEADER ((size_t)21)
#define CHECKSUM ((size_t)4)
#define MINIMUM_BYTES 8
#define WORD_BITS 57 /* as many bits, wherever they begin in a byte, lie within 8 bytes */

static int bits_of(uint64_t number) {
    int bits = 0;
    for (; number; number >>= 1) bits++;
    return bits;
}

static uint64_t ones(int bits) {
    return bits == 0 ? 0 : UINT64_MAX >> (64 - bits);
}

/* Bytes of a chunk without its checksum. */
static size_t chunk_bytes(size_t rows, int32_t width, int bits) {
    return bits == 8 * width ? HEADER + rows * (size_t)width : HEADER + rows * (size_t)bits / 8 + 1;
}

static void put_little(uint8_t *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_little(const uint8_t *in, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)in[i] << (8 * i);
    return value;
}

static void put_word(uint8_t *out, uint64_t word) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(word >> (56 - 8 * i));
}

static uint64_t get_word(const uint8_t *in) {
    uint64_t word = 0;
    for (int i = 0; i < 8; i++) word |= (uint64_t)in[i] << (56 - 8 * i);
    return word;
}

/* ---- packing ---- */

/* 0 < bits < 64. Bits above the valid ones of `word` are leftovers, which later shifts push out. */
static void put_bits(uint8_t *out, const int64_t *values, size_t count, int bits) {
    const uint64_t mask = ones(bits);
    uint64_t word = 0;
    int used = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t value = (uint64_t)values[i] & mask;
        used += bits;
        if (used < 64) {
            word = word << bits | value;
            continue;
        }
        used -= 64;
        put_word(out, word << (bits - used) | value >> used);
        out += 8;
        word = value;
    }
    word = used ? word << (64 - used) : 0;
    for (; used > 0; used -= 8, word <<= 8) *out++ = (uint8_t)(word >> 56);
}

csm_status csm_chunk_pack(csm_buffer *out, const int64_t *values, size_t count, size_t chunk_rows,
                          int32_t width, bool has_missing) {
    const uint64_t most = CSM_ON_COLUMN(greatest)(values, count, has_missing ? csm_coding_largest(width) : 0);
    const int needed = bits_of(most + has_missing), bits = needed < 8 * width ? needed : 8 * width;
    const size_t bytes = chunk_bytes(chunk_rows, width, bits);
    out->length = 0;
    const csm_status status = csm_buffer_reserve(out, bytes + CHECKSUM);
    if (status) return status;
    uint8_t *chunk = (uint8_t *)out->data;
    memset(chunk, 0, HEADER);
    put_little(chunk, (uint64_t)bits, 4);
    chunk[4] = MINIMUM_BYTES;
    const size_t filled = bits == 8 * width ? count * (size_t)width : (count * (size_t)bits + 7) / 8;
    if (bits == 8 * width) {
        for (size_t i = 0; i < count; i++)
            put_little(chunk + HEADER + i * (size_t)width, (uint64_t)values[i], width);
    } else if (bits > 0) {
        put_bits(chunk + HEADER, values, count, bits);
    }
    memset(chunk + HEADER + filled, 0, bytes - HEADER - filled);
    put_little(chunk + bytes, csm_fletcher32(chunk, bytes), (int)CHECKSUM);
    out->length = bytes + CHECKSUM;
    return CSM_OK;
}

/* ---- unpacking ---- */

/* The number at bit `at` of `length` bytes, any width below 64. */
static uint64_t get_slowly(const uint8_t *in, size_t at, int bits) {
    uint64_t value = 0;
    for (int i = 0; i < bits; i++, at++) value = value << 1 | (in[at / 8] >> (7 - at % 8) & 1);
    return value;
}

/* `length` bytes hold the numbers. */
static void get_bits(int64_t *values, size_t count, const uint8_t *in, size_t length, int bits) {
    size_t i = 0;
    if (bits > 0 && bits <= WORD_BITS) {
        /* whole words only: the last begins 8 bytes before the end */
        const size_t last = length < 8 ? 0 : ((length - 8) * 8 + 7) / (size_t)bits + 1;
        const size_t words = last < count ? last : count;
        size_t at = 0;
        for (; length >= 8 && i < words; i++, at += (size_t)bits)
            values[i] = (int64_t)(get_word(in + at / 8) << (at % 8) >> (64 - bits));
    }
    for (; i < count; i++) values[i] = (int64_t)get_slowly(in, i * (size_t)bits, bits);
}

/* Codes become numbers of `width` bytes. */
static void take_codes(int64_t *values, size_t count, uint64_t code_of_missing, uint64_t least, int32_t width,
                       bool has_missing) {
    const uint64_t largest = csm_coding_largest(width);
    if (!has_missing && least == 0) return;
    for (size_t i = 0; i < count; i++) {
        const bool missing = has_missing && (uint64_t)values[i] == code_of_missing;
        values[i] = (int64_t)(missing ? largest : ((uint64_t)values[i] + least) & largest);
    }
}

csm_status csm_chunk_unpack(int64_t *values, size_t count, size_t chunk_rows, int32_t width, bool has_missing,
                            const uint8_t *packed, size_t length) {
    if (length < HEADER + CHECKSUM) return csm_fail(CSM_ECORRUPT, "a chunk of %zu bytes", length);
    const uint64_t stated = get_little(packed, 4), least = get_little(packed + 5, MINIMUM_BYTES);
    if (packed[4] != MINIMUM_BYTES || stated > 8 * (uint64_t)width)
        return csm_fail(CSM_ECORRUPT, "a chunk of %llu bits a number of %d bytes", (unsigned long long)stated,
                        (int)width);
    const int bits = (int)stated;
    if (length < chunk_bytes(chunk_rows, width, bits) + CHECKSUM)
        return csm_fail(CSM_ECORRUPT, "a chunk of %zu bytes for %zu numbers of %d bits", length, chunk_rows,
                        bits);
    const uint8_t *numbers = packed + HEADER;
    if (bits == 8 * width) {
        for (size_t i = 0; i < count; i++)
            values[i] = (int64_t)get_little(numbers + i * (size_t)width, width);
        return CSM_OK;
    }
    get_bits(values, count, numbers, length - HEADER - CHECKSUM, bits);
    take_codes(values, count, ones(bits), least, width, has_missing);
    return CSM_OK;
}
