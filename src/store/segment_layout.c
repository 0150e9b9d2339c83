/* SPDX-License-Identifier: MIT */
#include "store/segment_layout.h"

#include <string.h>

#define TEXT_MAX 1024      /* bytes of a kind, venue or symbol */
#define INFLATION_MAX 1032 /* deflate's greatest ratio: 258 bytes from 2 bits */

enum { FORM_ZIGZAG = 1, FORM_MISSING = 2, FORM_CONSTANT = 4 };

/* ---- writing ---- */

static csm_status put(csm_buffer *out, int64_t value) {
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    return csm_buffer_append(out, bytes, sizeof bytes);
}

static csm_status put_text(csm_buffer *out, const char *text) {
    const size_t length = strlen(text);
    const csm_status status = put(out, (int64_t)length);
    return status ? status : csm_buffer_append(out, text, length);
}

static csm_status put_numbers(csm_buffer *out, const int64_t *values, size_t count) {
    csm_status status = CSM_OK;
    for (size_t i = 0; i < count && !status; i++) status = put(out, values[i]);
    return status;
}

static csm_status put_dataset(csm_buffer *out, const csm_dataset_layout *set, size_t chunks) {
    const csm_coding *c = &set->coding;
    const int64_t form = (c->zigzag ? FORM_ZIGZAG : 0) | (c->has_missing ? FORM_MISSING : 0) |
                         (c->constant ? FORM_CONSTANT : 0);
    const int64_t numbers[] = {
        (int64_t)c->predictor, c->of, c->scale, c->width, form, c->first, c->offset, c->unit, c->fill};
    csm_status status = put_numbers(out, numbers, sizeof numbers / sizeof *numbers);
    for (size_t i = 0; i < chunks && !c->constant && !status; i++) {
        const int64_t place[] = {(int64_t)set->place[i].at, (int64_t)set->place[i].length};
        status = put_numbers(out, place, 2);
    }
    return status;
}

csm_status csm_segment_layout_format(csm_buffer *out, const csm_segment_layout *layout) {
    const csm_span *span = &layout->span;
    const int64_t head[] = {CSM_SEGMENT_VERSION,
                            layout->stream.epoch,
                            layout->stream.interval,
                            (int64_t)layout->rows,
                            (int64_t)layout->chunk_rows,
                            span->first,
                            span->last,
                            span->oldest,
                            span->newest};
    const int64_t sources[] = {(int64_t)layout->sources_length, (int64_t)layout->sources.at,
                               (int64_t)layout->sources.length};
    csm_status status = put_numbers(out, head, sizeof head / sizeof *head);
    if (!status) status = put_text(out, layout->stream.kind);
    if (!status) status = put_text(out, layout->stream.venue);
    if (!status) status = put_text(out, layout->stream.symbol);
    for (size_t i = 0; i <= layout->kind->columns && !status; i++)
        status = put_dataset(out, &layout->dataset[i], layout->chunks);
    return status ? status : put_numbers(out, sources, 3);
}

/* ---- reading ---- */

typedef struct cursor {
    const uint8_t *at;
    size_t left;
    size_t image_length;
} cursor;

static csm_status take(int64_t *out, cursor *c, const char *name, int64_t least, int64_t most) {
    uint64_t value = 0;
    if (c->left < 8) return csm_fail(CSM_ECORRUPT, "contents end before %s", name);
    for (int i = 0; i < 8; i++) value |= (uint64_t)c->at[i] << (8 * i);
    c->at += 8;
    c->left -= 8;
    *out = (int64_t)value;
    if (*out < least || *out > most)
        return csm_fail(CSM_ECORRUPT, "contents: %s is %lld", name, (long long)*out);
    return CSM_OK;
}

static csm_status take_any(int64_t *out, cursor *c, const char *name) {
    return take(out, c, name, INT64_MIN, INT64_MAX);
}

static csm_status take_text(char **out, cursor *c, const char *name) {
    int64_t length = 0;
    const csm_status status = take(&length, c, name, 1, TEXT_MAX);
    if (status) return status;
    if ((uint64_t)length > c->left || memchr(c->at, 0, (size_t)length))
        return csm_fail(CSM_ECORRUPT, "contents: %s is cut off or has a zero byte", name);
    *out = csm_strndup((const char *)c->at, (size_t)length);
    c->at += length;
    c->left -= (size_t)length;
    return *out ? CSM_OK : CSM_ENOMEM;
}

static csm_status take_place(csm_place *out, cursor *c) {
    int64_t at = 0, length = 0;
    csm_status status = take(&at, c, "a chunk's place", 0, (int64_t)c->image_length);
    if (!status) status = take(&length, c, "a chunk's length", 0, (int64_t)c->image_length - at);
    *out = (csm_place){.at = (uint64_t)at, .length = (uint64_t)length};
    return status;
}

static csm_status take_coding(csm_coding *out, cursor *c, const csm_kind *kind) {
    const bool bars = strcmp(kind->name, "bars") == 0;
    int64_t predictor = 0, of = 0, scale = 0, width = 0, form = 0;
    csm_status status =
        take(&predictor, c, "predictor", CSM_PREDICT_NONE, bars ? CSM_PREDICT_BELOW : CSM_PREDICT_BEFORE);
    if (!status) status = take(&of, c, "predicting column", 0, (int64_t)kind->columns - 1);
    if (!status) status = take(&scale, c, "scale", 0, CSM_SCALE_MAX);
    if (!status) status = take(&width, c, "width", 1, 8);
    if (!status) status = take(&form, c, "form", 0, FORM_ZIGZAG | FORM_MISSING | FORM_CONSTANT);
    if (!status) status = take_any(&out->first, c, "first");
    if (!status) status = take_any(&out->offset, c, "offset");
    if (!status) status = take_any(&out->unit, c, "unit");
    if (!status) status = take_any(&out->fill, c, "fill");
    if (status) return status;
    if ((width & (width - 1)) != 0 || out->unit == 0)
        return csm_fail(CSM_ECORRUPT, "contents: width %lld, unit %lld", (long long)width,
                        (long long)out->unit);
    out->predictor = (csm_column_predictor)predictor;
    out->of = (uint32_t)of;
    out->scale = (int32_t)scale;
    out->width = (int32_t)width;
    out->zigzag = form & FORM_ZIGZAG;
    out->has_missing = form & FORM_MISSING;
    out->constant = form & FORM_CONSTANT;
    return CSM_OK;
}

static csm_status take_dataset(csm_dataset_layout *out, cursor *c, const csm_kind *kind, size_t chunks) {
    csm_status status = take_coding(&out->coding, c, kind);
    if (status || out->coding.constant) return status;
    if (chunks > c->left / 16) return csm_fail(CSM_ECORRUPT, "contents end before %zu chunks", chunks);
    out->place = csm_alloc_array(chunks, sizeof *out->place);
    if (!out->place) return CSM_ENOMEM;
    for (size_t i = 0; i < chunks && !status; i++) status = take_place(&out->place[i], c);
    return status;
}

static csm_status take_names(csm_segment_layout *out, cursor *c) {
    char *kind = NULL, *venue = NULL, *symbol = NULL;
    csm_status status = take_text(&kind, c, "kind");
    if (!status) status = take_text(&venue, c, "venue");
    if (!status) status = take_text(&symbol, c, "symbol");
    out->stream.venue = venue;
    out->stream.symbol = symbol;
    out->kind = status ? NULL : csm_kind_find(kind);
    if (!status && !out->kind)
        status = csm_fail(CSM_EUNSUPPORTED, "kind \"%.64s\" is not known to this build", kind);
    if (!status) out->stream.kind = out->kind->name;
    csm_dealloc(kind);
    return status;
}

static csm_status take_head(csm_segment_layout *out, cursor *c) {
    int64_t epoch = 0, rows = 0, chunk_rows = 0;
    csm_status status = take(&out->version, c, "version", 1, INT64_MAX);
    if (!status && out->version > CSM_SEGMENT_VERSION)
        return csm_fail(CSM_EUNSUPPORTED, "version %lld is newer than this build", (long long)out->version);
    if (!status) status = take(&epoch, c, "epoch", 0, INT32_MAX);
    if (!status) status = take(&out->stream.interval, c, "interval", 0, INT64_MAX);
    if (!status) status = take(&rows, c, "rows", 1, (int64_t)CSM_SEGMENT_ROWS_MAX);
    if (!status)
        status = take(&chunk_rows, c, "chunk_rows", 1,
                      rows < (int64_t)CSM_CHUNK_ROWS ? rows : (int64_t)CSM_CHUNK_ROWS);
    if (!status) status = take_any(&out->span.first, c, "first");
    if (!status) status = take_any(&out->span.last, c, "last");
    if (!status) status = take_any(&out->span.oldest, c, "oldest");
    if (!status) status = take_any(&out->span.newest, c, "newest");
    if (status) return status;
    out->stream.epoch = (int32_t)epoch;
    out->rows = (size_t)rows;
    out->chunk_rows = (size_t)chunk_rows;
    out->chunks = (out->rows + out->chunk_rows - 1) / out->chunk_rows;
    return take_names(out, c);
}

static csm_status take_sources(csm_segment_layout *out, cursor *c) {
    int64_t length = 0;
    csm_status status = take(&length, c, "length of provenance", 1, (int64_t)CSM_SEGMENT_BYTES_MAX);
    if (!status) status = take_place(&out->sources, c);
    if (!status && (uint64_t)length / INFLATION_MAX > out->sources.length)
        status = csm_fail(CSM_ECORRUPT, "contents: %lld bytes of provenance from %llu", (long long)length,
                          (unsigned long long)out->sources.length);
    out->sources_length = (size_t)length;
    if (!status && c->left > 0) status = csm_fail(CSM_ECORRUPT, "contents: %zu bytes too many", c->left);
    return status;
}

csm_status csm_segment_layout_parse(csm_segment_layout *out, const void *bytes, size_t length,
                                    size_t image_length) {
    cursor c = {.at = bytes, .left = length, .image_length = image_length};
    memset(out, 0, sizeof *out);
    csm_status status = take_head(out, &c);
    for (size_t i = 0; !status && i <= out->kind->columns; i++) {
        const char *name = i < out->kind->columns ? out->kind->column[i].name : "provenance_index";
        status = take_dataset(&out->dataset[i], &c, out->kind, out->chunks);
        if (status) status = csm_fail_prefix(status, "%s", name);
    }
    if (!status) status = take_sources(out, &c);
    if (status) csm_segment_layout_free(out);
    return status;
}

void csm_segment_layout_free(csm_segment_layout *layout) {
    for (size_t i = 0; i < CSM_DATASETS_MAX; i++) csm_dealloc(layout->dataset[i].place);
    csm_dealloc((void *)(uintptr_t)layout->stream.venue);
    csm_dealloc((void *)(uintptr_t)layout->stream.symbol);
    memset(layout, 0, sizeof *layout);
}
