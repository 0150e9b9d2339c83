/* SPDX-License-Identifier: MIT */
/* Streams and provenance as the catalogue knows them. */
#include "store/internal.h"

#include <string.h>

#define NAME_MAX_BYTES 200  /* of a venue or a symbol */
#define TEXT_MAX_BYTES 8192 /* of a source, request or origin */

/* ---- checks ---- */

/* Length of the UTF-8 sequence at p (RFC 3629), 0 when it is none. */
static size_t sequence_at(const unsigned char *p) {
    const size_t n = p[0] < 0x80                     ? 1
                     : (p[0] >= 0xc2 && p[0] < 0xe0) ? 2
                     : (p[0] & 0xf0) == 0xe0         ? 3
                     : (p[0] >= 0xf0 && p[0] < 0xf5) ? 4
                                                     : 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
    }
    const bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    const bool beyond = (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf4 && p[1] > 0x8f);
    return overlong || beyond ? 0 : n;
}

/* Printable UTF-8 of at most `limit` bytes. */
static csm_status check_text(csm_status status, const char *what, const char *text, size_t limit) {
    if (strlen(text) > limit) return csm_fail(status, "%s is longer than %zu bytes", what, limit);
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const size_t n = sequence_at(p);
        if (n == 0 || *p < 0x20 || *p == 0x7f)
            return csm_fail(status, "%s has byte 0x%02x at %zu: not printable UTF-8", what, *p,
                            (size_t)(p - (const unsigned char *)text));
        p += n;
    }
    return CSM_OK;
}

csm_status csm_stream_check(const csm_stream *stream, const csm_kind **kind) {
    if (!stream) return csm_fail(CSM_EINVAL, "stream is NULL");
    const csm_kind *found = csm_kind_find(stream->kind);
    if (!found)
        return csm_fail(CSM_EINVAL, "stream: \"%s\" is not a kind of record",
                        stream->kind ? stream->kind : "");
    if (!stream->venue || !*stream->venue || !stream->symbol || !*stream->symbol)
        return csm_fail(CSM_EINVAL, "stream: venue or symbol is empty");
    if (stream->epoch < 0) return csm_fail(CSM_EINVAL, "stream: epoch %d is below 0", (int)stream->epoch);
    if (stream->interval < 0 || (stream->interval == 0 && strcmp(found->name, "bars") == 0))
        return csm_fail(CSM_EINVAL, "stream: %s with interval %lld ns", found->name,
                        (long long)stream->interval);
    csm_status status = check_text(CSM_EINVAL, "stream: venue", stream->venue, NAME_MAX_BYTES);
    if (!status) status = check_text(CSM_EINVAL, "stream: symbol", stream->symbol, NAME_MAX_BYTES);
    if (!status) *kind = found;
    return status;
}

csm_status csm_provenance_check(const csm_provenance *p) {
    if (!p) return csm_fail(CSM_EPROVENANCE, "provenance is NULL");
    if (!p->source || !*p->source) return csm_fail(CSM_EPROVENANCE, "provenance: source is empty");
    if (!p->request || !*p->request) return csm_fail(CSM_EPROVENANCE, "provenance: request is empty");
    if (p->received == CSM_TIME_MIN) return csm_fail(CSM_EPROVENANCE, "provenance: no receive time");
    csm_status status = check_text(CSM_EPROVENANCE, "provenance: source", p->source, TEXT_MAX_BYTES);
    if (!status) status = check_text(CSM_EPROVENANCE, "provenance: request", p->request, TEXT_MAX_BYTES);
    if (!status && p->origin)
        status = check_text(CSM_EPROVENANCE, "provenance: origin", p->origin, TEXT_MAX_BYTES);
    return status;
}

/* ---- streams ---- */

static csm_status bind_stream(csm_statement *s, const csm_stream *stream) {
    csm_status status = csm_statement_bind_text(s, 1, stream->kind);
    if (!status) status = csm_statement_bind_text(s, 2, stream->venue);
    if (!status) status = csm_statement_bind_text(s, 3, stream->symbol);
    if (!status) status = csm_statement_bind_i64(s, 4, stream->epoch);
    if (!status) status = csm_statement_bind_i64(s, 5, stream->interval);
    return status;
}

csm_status csm_stream_find(int64_t *id, const csm_store *store, const csm_stream *stream) {
    csm_statement *s = NULL;
    bool row = false;
    *id = 0;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT id FROM streams WHERE kind = ? AND venue = ? AND symbol = ? AND epoch = ? "
        "AND interval = ?");
    if (!status) status = bind_stream(s, stream);
    if (!status) status = csm_statement_step(s, &row);
    if (!status && row) *id = csm_statement_i64(s, 0);
    csm_statement_close(s);
    return status;
}

static csm_status upsert(int64_t *id, const csm_store *store, const csm_stream *stream, csm_time newest,
                         int64_t provenance) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(&s, store,
                                            "INSERT INTO streams (kind, venue, symbol, epoch, interval, "
                                            "newest, provenance) VALUES (?, ?, ?, ?, ?, ?, ?) "
                                            "ON CONFLICT DO UPDATE SET provenance = iif(excluded.newest >= "
                                            "newest, excluded.provenance, provenance), "
                                            "newest = max(newest, excluded.newest) RETURNING id");
    if (!status) status = bind_stream(s, stream);
    if (!status) status = csm_statement_bind_i64(s, 6, newest);
    if (!status) status = csm_statement_bind_i64(s, 7, provenance);
    if (!status) status = csm_statement_step(s, &row);
    if (!status && row) *id = csm_statement_i64(s, 0);
    if (!status && row) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

/* ---- decimals of a stream's columns ---- */

csm_digits csm_table_digits(const csm_table *rows, const csm_extremes *range) {
    csm_digits digits = {.columns = rows->kind->columns};
    for (size_t c = 2; c < rows->kind->columns; c++) {
        const csm_extremes seen = range[c];
        digits.column[c].scale = rows->scale[c];
        if (seen.least > seen.most) continue;
        int64_t most = seen.most > -seen.least ? seen.most : -seen.least;
        for (most /= csm_power_of_ten[rows->scale[c]]; most > 0; most /= 10) digits.column[c].integer++;
    }
    return digits;
}

static csm_status stored_digits(csm_digits *out, const csm_store *store, int64_t stream) {
    csm_statement *s = NULL;
    bool row = false;
    csm_status status = csm_catalog_prepare(
        &s, store, "SELECT position, integer_digits, scale FROM stream_columns WHERE stream = ?");
    if (!status) status = csm_statement_bind_i64(s, 1, stream);
    while (!status && !(status = csm_statement_step(s, &row)) && row) {
        const int64_t position = csm_statement_i64(s, 0);
        if (position < 0 || position >= CSM_COLUMNS_MAX) continue;
        out->column[position].integer = csm_statement_i64(s, 1);
        out->column[position].scale = csm_statement_i64(s, 2);
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_stream_fits(const csm_store *store, int64_t id, const csm_table *rows) {
    csm_extremes range[CSM_COLUMNS_MAX];
    csm_table_range(range, rows);
    const csm_digits digits = csm_table_digits(rows, range);
    csm_digits stored = {.columns = 0};
    const csm_status status = stored_digits(&stored, store, id);
    for (size_t c = 2; !status && c < rows->kind->columns; c++) {
        const int64_t whole = digits.column[c].integer, known = stored.column[c].integer;
        const int64_t integer = whole > known ? whole : known;
        const int64_t given = digits.column[c].scale, kept = stored.column[c].scale;
        const int64_t scale = given > kept ? given : kept;
        if (integer + scale > CSM_SCALE_MAX)
            return csm_fail(
                CSM_EINVAL, "%s: column %s: %lld digits and %lld decimals of this stream do not fit 64 bits",
                rows->kind->name, rows->kind->column[c].name, (long long)integer, (long long)scale);
    }
    return status;
}

csm_status csm_stream_widen(const csm_store *store, int64_t id, const csm_digits *digits) {
    csm_statement *s = NULL;
    csm_status status = csm_catalog_prepare(&s, store,
                                            "INSERT INTO stream_columns (stream, position, integer_digits, "
                                            "scale) VALUES (?, ?, ?, ?) ON CONFLICT DO "
                                            "UPDATE SET integer_digits = max(integer_digits, "
                                            "excluded.integer_digits), scale = max(scale, excluded.scale)");
    for (size_t c = 2; !status && c < digits->columns; c++) {
        bool row;
        status = csm_statement_bind_i64(s, 1, id);
        if (!status) status = csm_statement_bind_i64(s, 2, (int64_t)c);
        if (!status) status = csm_statement_bind_i64(s, 3, digits->column[c].integer);
        if (!status) status = csm_statement_bind_i64(s, 4, digits->column[c].scale);
        if (!status) status = csm_statement_step(s, &row);
    }
    csm_statement_close(s);
    return status;
}

csm_status csm_stream_note(int64_t *id, csm_store *store, const csm_stream *stream, const csm_digits *digits,
                           csm_time newest, int64_t provenance) {
    const csm_status status = upsert(id, store, stream, newest, provenance);
    return status ? status : csm_stream_widen(store, *id, digits);
}

/* ---- provenance ---- */

static csm_status bind_provenance(csm_statement *s, const csm_provenance *p) {
    csm_status status = csm_statement_bind_text(s, 1, p->source);
    if (!status) status = csm_statement_bind_text(s, 2, p->request);
    if (!status) status = csm_statement_bind_text(s, 3, p->origin ? p->origin : "");
    if (!status) status = csm_statement_bind_i64(s, 4, p->received);
    return status;
}

csm_status csm_provenance_note(int64_t *id, csm_store *store, const csm_provenance *p) {
    csm_statement *s = NULL;
    bool row = false;
    *id = 0;
    csm_status status = csm_catalog_prepare(
        &s, store,
        "SELECT id FROM provenance WHERE source = ? AND request = ? AND origin = ? AND received = ?");
    if (!status) status = bind_provenance(s, p);
    if (!status) status = csm_statement_step(s, &row);
    if (!status && row) *id = csm_statement_i64(s, 0);
    csm_statement_close(s);
    if (status || row) return status;
    status = csm_catalog_prepare(
        &s, store,
        "INSERT INTO provenance (source, request, origin, received) VALUES (?, ?, ?, ?) RETURNING id");
    if (!status) status = bind_provenance(s, p);
    if (!status) status = csm_statement_step(s, &row);
    if (!status && row) *id = csm_statement_i64(s, 0);
    if (!status && row) status = csm_statement_step(s, &row);
    csm_statement_close(s);
    return status;
}

csm_status csm_provenance_load(csm_provenance *out, const csm_store *store, int64_t id) {
    csm_statement *s = NULL;
    bool row = false;
    *out = (csm_provenance){0};
    csm_status status = csm_catalog_prepare(
        &s, store, "SELECT source, request, origin, received FROM provenance WHERE id = ?");
    if (!status) status = csm_statement_bind_i64(s, 1, id);
    if (!status) status = csm_statement_step(s, &row);
    if (!status && !row)
        status = csm_fail(CSM_ECORRUPT, "%s/catalog.db: no provenance %lld", store->path, (long long)id);
    if (!status) {
        const char *source = csm_statement_text(s, 0), *request = csm_statement_text(s, 1);
        const char *origin = csm_statement_text(s, 2);
        out->source = csm_strdup(source ? source : "");
        out->request = csm_strdup(request ? request : "");
        out->origin = csm_strdup(origin ? origin : "");
        out->received = csm_statement_i64(s, 3);
        if (!out->source || !out->request || !out->origin) status = CSM_ENOMEM;
    }
    csm_statement_close(s);
    return status;
}
