/* SPDX-License-Identifier: MIT */
/*
 * The live tail: an append of a few rows is one row of the catalogue, its cells in one block:
 * "CSMT", columns (u8), 3 zero bytes, rows (u64), then per column its scale (i64) and its ticks (i64 each), all
 * little-endian, and CRC-32 (ISO 3309) of all before it.
 */
#include "store/internal.h"

#include <string.h>
#include <zlib.h>

#define HEAD 16
#define CHECKSUM 4

static void put_u64(uint8_t *out, uint64_t value) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t get_u64(const uint8_t *in) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) value |= (uint64_t)in[i] << (8 * i);
    return value;
}

static uint32_t checksum(const uint8_t *data, size_t length) {
    return (uint32_t)crc32_z(0, data, length);
}

csm_status csm_tail_encode(csm_buffer *out, const csm_table *rows) {
    const size_t columns = rows->kind->columns, length = HEAD + columns * 8 * (rows->rows + 1);
    csm_status status = csm_buffer_reserve(out, length + CHECKSUM);
    if (status) return status;
    uint8_t *p = (uint8_t *)out->data + out->length, *start = p;
    memcpy(p, "CSMT", 4);
    p[4] = (uint8_t)columns;
    memset(p + 5, 0, 3);
    put_u64(p + 8, rows->rows);
    p += HEAD;
    for (size_t c = 0; c < columns; c++) {
        put_u64(p, (uint64_t)rows->scale[c]);
        p += 8;
        for (size_t i = 0; i < rows->rows; i++, p += 8) put_u64(p, (uint64_t)rows->ticks[c][i]);
    }
    const uint32_t sum = checksum(start, length);
    for (int i = 0; i < CHECKSUM; i++) p[i] = (uint8_t)(sum >> (8 * i));
    out->length += length + CHECKSUM;
    return CSM_OK;
}

static csm_status check_block(const csm_kind *kind, const uint8_t *p, size_t length, uint64_t *rows) {
    if (length < HEAD + CHECKSUM || memcmp(p, "CSMT", 4) != 0 || p[4] != kind->columns)
        return csm_fail(CSM_ECORRUPT, "tail: not a block of %s", kind->name);
    *rows = get_u64(p + 8);
    if (*rows > (length - HEAD - CHECKSUM) / (8 * kind->columns) ||
        HEAD + kind->columns * 8 * ((size_t)*rows + 1) + CHECKSUM != length)
        return csm_fail(CSM_ECORRUPT, "tail: a block of %zu bytes for %llu rows", length,
                        (unsigned long long)*rows);
    const uint8_t *tail = p + length - CHECKSUM;
    uint32_t sum = 0;
    for (int i = 0; i < CHECKSUM; i++) sum |= (uint32_t)tail[i] << (8 * i);
    if (sum != checksum(p, length - CHECKSUM))
        return csm_fail(CSM_ECORRUPT, "tail: a block fails its checksum");
    return CSM_OK;
}

csm_status csm_tail_decode(csm_table **out, const csm_kind *kind, const void *bytes, size_t length) {
    const uint8_t *p = bytes;
    uint64_t rows = 0;
    *out = NULL;
    csm_status status = check_block(kind, p, length, &rows);
    if (status) return status;
    csm_table *table;
    status = csm_table_make(&table, kind);
    if (!status) status = csm_table_reserve(table, (size_t)rows);
    p += HEAD;
    for (size_t c = 0; !status && c < kind->columns; c++) {
        const uint64_t scale = get_u64(p);
        if (scale > CSM_SCALE_MAX)
            status = csm_fail(CSM_ECORRUPT, "tail: scale %llu", (unsigned long long)scale);
        table->scale[c] = (int32_t)scale;
        p += 8;
        for (size_t i = 0; !status && i < rows; i++, p += 8) table->ticks[c][i] = (int64_t)get_u64(p);
    }
    if (status) {
        csm_table_free(table);
        return status;
    }
    table->rows = (size_t)rows;
    *out = table;
    return CSM_OK;
}

csm_status csm_tail_insert(csm_store *store, int64_t stream, int64_t provenance, const csm_table *rows) {
    csm_statement *s = NULL;
    csm_buffer block = {0};
    bool row;
    const csm_span span = csm_table_span(rows);
    const int64_t values[] = {stream,    provenance,  (int64_t)rows->rows, span.first,
                              span.last, span.oldest, span.newest};
    csm_status status = csm_tail_encode(&block, rows);
    if (!status)
        status = csm_catalog_prepare(
            &s, store,
            "INSERT INTO tail (stream, provenance, rows, first, last, oldest, newest, cells) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    for (int i = 0; i < 7 && !status; i++) status = csm_statement_bind_i64(s, i + 1, values[i]);
    if (!status) status = csm_statement_bind_blob(s, 8, block.data, block.length);
    if (!status) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    csm_buffer_free(&block);
    return status;
}
