/* SPDX-License-Identifier: MIT */
/* From the bytes of a segment to rows: its contents say where the chunks lie, all threads unpack them. */
#include "store/segment_layout.h"

#include <string.h>
#include <zlib.h>

static uint64_t get_number(const uint8_t *in, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)in[i] << (8 * i);
    return value;
}

bool csm_segment_footer_fits(const uint8_t footer[CSM_FOOTER_BYTES], uint64_t length) {
    return length >= CSM_FOOTER_BYTES && memcmp(footer, "CSMSEGM1", 8) == 0 &&
           get_number(footer + 8, 8) == length - CSM_FOOTER_BYTES;
}

/* *contents: bytes before the footer that are no part of the HDF5 file. */
static csm_status check_footer(size_t *contents, const void *bytes, size_t length, const char *name) {
    const uint8_t *footer =
        (const uint8_t *)bytes + (length < CSM_FOOTER_BYTES ? 0 : length - CSM_FOOTER_BYTES);
    if (length < CSM_FOOTER_BYTES || !csm_segment_footer_fits(footer, length))
        return csm_fail(CSM_ECORRUPT, "%s: cut off, or not a segment: its footer is not there", name);
    const size_t body = length - CSM_FOOTER_BYTES;
    if (crc32_z(0, bytes, body) != get_number(footer + 16, 4))
        return csm_fail(CSM_ECORRUPT, "%s: its CRC-32 is not the one in its footer", name);
    *contents = (size_t)get_number(footer + 20, 4);
    if (*contents > body)
        return csm_fail(CSM_ECORRUPT, "%s: contents of %zu bytes in a file of %zu", name, *contents, length);
    return CSM_OK;
}

typedef struct unpacking {
    const uint8_t *image;
    const csm_segment_layout *layout;
    size_t datasets;
    int64_t *values[CSM_DATASETS_MAX];
    uint8_t *scratch; /* planes of one chunk for each thread */
    size_t scratch_bytes;
} unpacking;

static csm_status unpack_chunk(const unpacking *u, size_t d, size_t chunk, uint8_t *scratch) {
    const csm_dataset_layout *set = &u->layout->dataset[d];
    const size_t chunk_rows = u->layout->chunk_rows, at = chunk * chunk_rows, left = u->layout->rows - at;
    const size_t count = left < chunk_rows ? left : chunk_rows;
    int64_t *out = u->values[d] + at;
    if (set->coding.constant) {
        for (size_t i = 0; i < count; i++) out[i] = set->coding.fill;
        return CSM_OK;
    }
    const csm_place place = set->place[chunk];
    const uint8_t *packed = u->image + place.at;
    if (u->layout->version == 1)
        return csm_chunk_unpack_planes(out, count, chunk_rows, set->coding.width, packed,
                                       (size_t)place.length, scratch);
    return csm_chunk_unpack(out, count, chunk_rows, set->coding.width, set->coding.has_missing, packed,
                            (size_t)place.length);
}

static csm_status unpack_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    const unpacking *u = user;
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status; i++)
        status = unpack_chunk(u, i / u->layout->chunks, i % u->layout->chunks,
                              u->scratch + worker * u->scratch_bytes);
    return status;
}

static csm_status unpack_parallel(unpacking *u, uint32_t threads) {
    if (u->layout->rows < CSM_CHUNK_ROWS / 8) threads = 1; /* starting threads would take longer */
    u->scratch_bytes = u->layout->chunk_rows * sizeof(int64_t);
    u->scratch = csm_realloc_array(NULL, threads, u->scratch_bytes);
    if (!u->scratch) return CSM_ENOMEM;
    const csm_status status = csm_parallel_for(threads, u->datasets * u->layout->chunks, 1, unpack_chunks, u);
    csm_dealloc(u->scratch);
    return status;
}

/* Indices into the sources, checked. */
static csm_status take_provenance(csm_segment *segment, const int64_t *index, size_t rows) {
    segment->provenance = csm_alloc_array(rows, sizeof *segment->provenance);
    if (!segment->provenance) return CSM_ENOMEM;
    for (size_t i = 0; i < rows; i++) {
        if (index[i] < 0 || (uint64_t)index[i] >= segment->source_count)
            return csm_fail(CSM_ECORRUPT, "row %zu names provenance %lld of %zu", i, (long long)index[i],
                            segment->source_count);
        segment->provenance[i] = (uint32_t)index[i];
    }
    return CSM_OK;
}

static csm_status unpack_all(csm_segment *segment, const csm_segment_layout *layout, const uint8_t *image,
                             uint32_t threads) {
    csm_table *table = segment->table;
    unpacking u = {.image = image, .layout = layout, .datasets = segment->kind->columns};
    csm_coding codings[CSM_COLUMNS_MAX];
    int64_t *index = NULL;
    csm_status status = csm_table_reserve(table, layout->rows);
    for (size_t c = 0; !status && c < segment->kind->columns; c++) {
        codings[c] = layout->dataset[c].coding;
        u.values[c] = table->ticks[c];
    }
    if (!status && segment->sources) {
        index = csm_alloc_array(layout->rows, sizeof *index);
        if (!index) status = CSM_ENOMEM;
        u.values[u.datasets++] = index;
    }
    if (!status) status = unpack_parallel(&u, threads);
    if (!status) table->rows = layout->rows;
    if (!status) status = csm_coding_decode(table, codings);
    if (!status && index) status = take_provenance(segment, index, layout->rows);
    csm_dealloc(index);
    return status;
}

static csm_status unpack_sources(csm_segment *segment, const csm_segment_layout *layout,
                                 const uint8_t *image) {
    char *json = csm_alloc(layout->sources_length);
    csm_status status = json ? CSM_OK : CSM_ENOMEM;
    if (!status)
        status = csm_chunk_inflate((uint8_t *)json, layout->sources_length, image + layout->sources.at,
                                   (size_t)layout->sources.length);
    if (!status)
        status = csm_sources_parse(&segment->sources, &segment->source_count, json, layout->sources_length);
    csm_dealloc(json);
    return status;
}

static csm_status check_rows(const csm_segment *segment, const csm_segment_layout *layout) {
    const csm_span span = csm_table_span(segment->table);
    if (memcmp(&span, &layout->span, sizeof span) != 0)
        return csm_fail(CSM_ECORRUPT, "its rows span other times than its head says");
    if (csm_table_times_ascend(segment->table)) return CSM_OK;
    for (size_t i = 1; i < segment->table->rows; i++) {
        if (csm_kind_compare(segment->table, i - 1, i) > 0)
            return csm_fail(CSM_ECORRUPT, "row %zu is out of order", i);
    }
    return CSM_OK;
}

static csm_status decode(csm_segment *segment, csm_segment_layout *layout, const uint8_t *image, bool sources,
                         uint32_t threads) {
    segment->kind = layout->kind;
    segment->stream = layout->stream;
    layout->stream.venue = layout->stream.symbol = NULL; /* moved */
    csm_status status = csm_table_make(&segment->table, segment->kind);
    if (!status && sources) status = unpack_sources(segment, layout, image);
    if (!status) status = unpack_all(segment, layout, image, threads);
    if (!status) status = check_rows(segment, layout);
    return status;
}

csm_status csm_segment_decode(csm_segment **out, const void *bytes, size_t length, const char *name,
                              bool sources, uint32_t threads) {
    csm_segment_layout layout = {0};
    size_t contents = 0;
    *out = NULL;
    csm_status status = check_footer(&contents, bytes, length, name);
    if (status) return status;
    csm_segment *segment = csm_alloc_array(1, sizeof *segment);
    if (!segment) return CSM_ENOMEM;
    const size_t image_length = length - CSM_FOOTER_BYTES - contents;
    status = csm_segment_layout_parse(&layout, (const uint8_t *)bytes + image_length, contents, image_length);
    if (!status) status = decode(segment, &layout, bytes, sources, threads);
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
