/* SPDX-License-Identifier: MIT */
/*
 * The data watermark: SHA-256 over what was known at a time, whatever segments it lies in and whenever it came. Streams
 * stand in the order of csm_store_streams, those without such rows left out; of each: kind, venue, symbol, each with
 * its zero byte; epoch, interval, number of rows; then every column: its least scale and its ticks. Numbers are 8 bytes,
 * little-endian. Rows are sorted; a row that repeats the values last known under its key says nothing and is left out.
 */
#include "store/append.h"

#include <string.h>

#define BLOCK_NUMBERS 512

static void hash_numbers(csm_hasher *hasher, const int64_t *values, size_t count) {
    uint8_t block[8 * BLOCK_NUMBERS];
    while (count) {
        const size_t n = count < BLOCK_NUMBERS ? count : BLOCK_NUMBERS;
        for (size_t i = 0; i < 8 * n; i++) block[i] = (uint8_t)((uint64_t)values[i / 8] >> (8 * (i % 8)));
        csm_hasher_update(hasher, block, 8 * n);
        values += n;
        count -= n;
    }
}

static void hash_text(csm_hasher *hasher, const char *text) {
    csm_hasher_update(hasher, text, strlen(text) + 1);
}

static csm_status hash_stream(csm_hasher *hasher, const csm_store *store, csm_context *context,
                              const csm_stream *stream, int64_t id, csm_time as_of) {
    csm_records known = {0};
    const csm_kind *kind = csm_kind_find(stream->kind);
    csm_status status =
        csm_store_gather(&known, store, context, kind, id, CSM_TIME_MIN, CSM_TIME_MAX, as_of, false);
    if (!status) status = csm_append_leave_known(&known, NULL);
    if (status || known.table->rows == 0) goto done;
    csm_table_trim(known.table);
    hash_text(hasher, stream->kind);
    hash_text(hasher, stream->venue);
    hash_text(hasher, stream->symbol);
    const int64_t head[] = {stream->epoch, stream->interval, (int64_t)known.table->rows};
    hash_numbers(hasher, head, 3);
    for (size_t c = 0; c < kind->columns; c++) {
        const int64_t scale = known.table->scale[c];
        hash_numbers(hasher, &scale, 1);
        hash_numbers(hasher, known.table->ticks[c], known.table->rows);
    }
done:
    csm_records_free(&known);
    return status;
}

csm_status csm_store_watermark(char *hex, size_t size, const csm_store *store, csm_context *context,
                               csm_time as_of) {
    if (!hex || !store || !context) return csm_fail(CSM_EINVAL, "csm_store_watermark: an argument is NULL");
    if (size < CSM_HASH_TEXT)
        return csm_fail(CSM_EINVAL, "csm_store_watermark: %zu bytes, %d are needed", size, CSM_HASH_TEXT);
    csm_hasher hasher;
    csm_stream_list *list = NULL;
    csm_hasher_init(&hasher);
    hash_text(&hasher, "cryptosmart watermark 1");
    csm_status status = csm_store_streams(&list, store, NULL, NULL);
    for (size_t i = 0; !status && i < csm_stream_list_count(list); i++) {
        status = csm_progress(context, "watermark", i, csm_stream_list_count(list));
        if (!status)
            status = hash_stream(&hasher, store, context, &csm_stream_list_at(list, i)->stream,
                                 csm_stream_list_id(list, i), as_of);
    }
    csm_stream_list_free(list);
    if (status) return status;
    const csm_hash hash = csm_hasher_final(&hasher);
    csm_hash_format(&hash, hex);
    return CSM_OK;
}
