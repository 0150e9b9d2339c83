/* SPDX-License-Identifier: MIT */
/* Segment files: bytes as they are, and with length and CRC-32 of the footer made right, since behind wrong ones nothing
 * else would ever be reached. */
#include "store/append.h"
#include "store/segment_layout.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS_MOST 65536 /* a few bytes may claim 2^22 constant rows, which take long to say no more */

static bool is_long(const uint8_t *data, size_t size, size_t contents) {
    csm_segment_layout layout;
    if (contents > size - CSM_FOOTER_BYTES) return false;
    const size_t image = size - CSM_FOOTER_BYTES - contents;
    if (csm_segment_layout_parse(&layout, data + image, contents, image)) return false;
    const bool found = layout.rows > ROWS_MOST || layout.sources_length > ((size_t)1 << 22);
    csm_segment_layout_free(&layout);
    return found;
}

/* What was read must satisfy what its own head says, so that adopting it can rely on both. */
static void decode(const uint8_t *data, size_t size, bool sources) {
    csm_segment *segment = NULL;
    const csm_status status = csm_segment_decode(&segment, data, size, "fuzz", sources, 1);
    if ((status == CSM_OK) != (segment != NULL)) __builtin_trap();
    if (!segment) return;
    for (size_t i = 0; sources && i < segment->table->rows; i++) {
        if (segment->provenance[i] >= segment->source_count) __builtin_trap();
    }
    if (sources) (void)csm_adopt_check_rows(segment);
    csm_segment_free(segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    decode(data, size, true);
    if (size < CSM_FOOTER_BYTES) return 0;
    uint8_t *copy = malloc(size);
    if (!copy) return 0;
    memcpy(copy, data, size);
    const size_t body = size - CSM_FOOTER_BYTES;
    uint8_t *footer = copy + body;
    const uLong crc = crc32(0, copy, (uInt)body);
    memcpy(footer, "CSMSEGM1", 8);
    for (int i = 0; i < 8; i++) footer[8 + i] = (uint8_t)((uint64_t)body >> (8 * i));
    for (int i = 0; i < 4; i++) footer[16 + i] = (uint8_t)(crc >> (8 * i));
    const size_t contents =
        footer[20] | (size_t)footer[21] << 8 | (size_t)footer[22] << 16 | (size_t)footer[23] << 24;
    if (!is_long(copy, size, contents)) {
        decode(copy, size, true);
        decode(copy, size, false);
    }
    free(copy);
    return 0;
}
