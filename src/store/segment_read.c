/* SPDX-License-Identifier: MIT */
/* From the bytes of a segment to rows: HDF5 says where the chunks lie, all threads unpack them. */
#include "store/segment_layout.h"

#include <string.h>
#include <zlib.h>

#define DATASETS_MAX (CSM_COLUMNS_MAX + 1)

static uint64_t get_number(const uint8_t *in, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)in[i] << (8 * i);
    return value;
}

bool csm_segment_footer_fits(const uint8_t footer[CSM_FOOTER_BYTES], uint64_t length) {
    return length >= CSM_FOOTER_BYTES && memcmp(footer, "CSMSEGM1", 8) == 0 &&
           get_number(footer + 8, 8) == length - CSM_FOOTER_BYTES;
}

static csm_status check_footer(const void *bytes, size_t length, const char *name, bool whole) {
    const uint8_t *footer =
        (const uint8_t *)bytes + (length < CSM_FOOTER_BYTES ? 0 : length - CSM_FOOTER_BYTES);
    if (length < CSM_FOOTER_BYTES || !csm_segment_footer_fits(footer, length))
        return csm_fail(CSM_ECORRUPT, "%s: cut off, or not a segment: its footer is not there", name);
    const size_t body = length - CSM_FOOTER_BYTES;
    if (crc32_z(0, bytes, body) != get_number(footer + 16, 4))
        return csm_fail(CSM_ECORRUPT, "%s: its CRC-32 is not the one in its footer", name);
    if (!whole) return CSM_OK;
    const csm_hash hash = csm_hash_bytes(bytes, body);
    if (memcmp(hash.bytes, footer + 24, sizeof hash.bytes) == 0) return CSM_OK;
    return csm_fail(CSM_ECORRUPT, "%s: its SHA-256 is not the one in its footer", name);
}

typedef struct unpacking {
    const uint8_t *image;
    size_t rows;
    size_t chunks; /* a dataset */
    size_t datasets;
    const csm_dataset_layout *layout[DATASETS_MAX];
    int64_t *values[DATASETS_MAX];
} unpacking;

static csm_status unpack_chunk(const unpacking *u, size_t d, size_t chunk) {
    const csm_dataset_layout *l = u->layout[d];
    const size_t at = chunk * l->chunk_rows, left = u->rows - at,
                 count = left < l->chunk_rows ? left : l->chunk_rows;
    int64_t *out = u->values[d] + at;
    if (l->coding.constant) {
        for (size_t i = 0; i < count; i++) out[i] = l->coding.fill;
        return CSM_OK;
    }
    const csm_place place = l->place[chunk];
    uint8_t *scratch = csm_alloc(l->chunk_rows * (size_t)l->coding.width);
    if (!scratch) return CSM_ENOMEM;
    const csm_status status = csm_chunk_unpack(out, count, l->chunk_rows, l->coding.width,
                                               u->image + place.at, (size_t)place.length, scratch);
    csm_dealloc(scratch);
    return status;
}

static csm_status unpack_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    const unpacking *u = user;
    (void)worker;
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status; i++) status = unpack_chunk(u, i / u->chunks, i % u->chunks);
    return status;
}

static csm_status unpack_all(csm_segment *segment, const csm_segment_layout *layout, const uint8_t *image,
                             uint32_t threads) {
    csm_table *table = segment->table;
    unpacking u = {.image = image, .rows = layout->rows, .chunks = layout->column[0].chunks};
    csm_coding codings[CSM_COLUMNS_MAX];
    int64_t *index = csm_alloc_array(layout->rows, sizeof *index);
    csm_status status = index ? csm_table_reserve(table, layout->rows) : CSM_ENOMEM;
    if (status) goto done;
    for (; u.datasets < segment->kind->columns; u.datasets++) {
        codings[u.datasets] = layout->column[u.datasets].coding;
        u.layout[u.datasets] = &layout->column[u.datasets];
        u.values[u.datasets] = table->ticks[u.datasets];
    }
    if (layout->provenance_index.chunks != u.chunks) {
        status = csm_fail(CSM_ECORRUPT, "dataset provenance_index has other chunks");
        goto done;
    }
    u.layout[u.datasets] = &layout->provenance_index;
    u.values[u.datasets++] = index;
    if (layout->rows < CSM_CHUNK_ROWS / 8) threads = 1;
    status = csm_parallel_for(threads, u.datasets * u.chunks, 1, unpack_chunks, &u);
    if (status) goto done;
    table->rows = layout->rows;
    status = csm_coding_decode(table, codings);
    for (size_t i = 0; i < layout->rows && !status; i++) {
        if (index[i] < 0 || (uint64_t)index[i] >= segment->source_count)
            status = csm_fail(CSM_ECORRUPT, "row %zu names provenance %lld of %zu", i, (long long)index[i],
                              segment->source_count);
        segment->provenance[i] = (uint32_t)index[i];
    }
done:
    csm_dealloc(index);
    return status;
}

static csm_status unpack_sources(csm_segment *segment, const csm_dataset_layout *layout,
                                 const uint8_t *image) {
    uint8_t *scratch = csm_alloc(layout->rows);
    int64_t *values = csm_alloc_array(layout->rows, sizeof *values);
    char *json = csm_alloc(layout->rows);
    csm_status status = scratch && values && json ? CSM_OK : CSM_ENOMEM;
    if (!status)
        status = csm_chunk_unpack(values, layout->rows, layout->chunk_rows, 1, image + layout->place[0].at,
                                  (size_t)layout->place[0].length, scratch);
    for (size_t i = 0; !status && i < layout->rows; i++) json[i] = (char)values[i];
    if (!status) status = csm_sources_parse(&segment->sources, &segment->source_count, json, layout->rows);
    csm_dealloc(json);
    csm_dealloc(values);
    csm_dealloc(scratch);
    return status;
}

static csm_status check_rows(const csm_segment *segment, const csm_segment_layout *layout) {
    const csm_span span = csm_table_span(segment->table);
    if (memcmp(&span, &layout->span, sizeof span) != 0)
        return csm_fail(CSM_ECORRUPT, "its rows span other times than its head says");
    for (size_t i = 1; i < segment->table->rows; i++) {
        if (csm_kind_compare(segment->table, i - 1, i) > 0)
            return csm_fail(CSM_ECORRUPT, "row %zu is out of order", i);
    }
    return CSM_OK;
}

static csm_status decode(csm_segment *segment, csm_segment_layout *layout, const uint8_t *image,
                         uint32_t threads) {
    segment->kind = layout->kind;
    segment->stream = layout->stream;
    layout->stream.venue = layout->stream.symbol = NULL; /* moved */
    csm_status status = csm_table_make(&segment->table, segment->kind);
    if (status) return status;
    segment->provenance = csm_alloc_array(layout->rows, sizeof *segment->provenance);
    if (!segment->provenance) return CSM_ENOMEM;
    status = unpack_sources(segment, &layout->provenance, image);
    if (!status) status = unpack_all(segment, layout, image, threads);
    if (!status) status = check_rows(segment, layout);
    return status;
}

csm_status csm_segment_decode(csm_segment **out, const void *bytes, size_t length, const char *name,
                              bool whole, uint32_t threads) {
    csm_segment_layout layout = {0};
    *out = NULL;
    csm_status status = check_footer(bytes, length, name, whole);
    if (status) return status;
    csm_segment *segment = csm_alloc_array(1, sizeof *segment);
    if (!segment) return CSM_ENOMEM;
    status = csm_segment_layout_read(&layout, bytes, length - CSM_FOOTER_BYTES);
    if (!status) status = decode(segment, &layout, bytes, threads);
    csm_segment_layout_free(&layout);
    if (status) {
        csm_segment_free(segment);
        return csm_fail_prefix(status, "%s", name);
    }
    *out = segment;
    return CSM_OK;
}

void csm_segment_free(csm_segment *segment) {
    if (!segment) return;
    csm_table_free(segment->table);
    csm_dealloc(segment->provenance);
    csm_sources_free(segment->sources, segment->source_count);
    csm_dealloc((void *)(uintptr_t)segment->stream.venue);
    csm_dealloc((void *)(uintptr_t)segment->stream.symbol);
    csm_dealloc(segment);
}
