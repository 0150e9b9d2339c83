/* SPDX-License-Identifier: MIT */
#include "ingest/csv_scan.h"

#include <inttypes.h>
#include <string.h>

void csm_csv_begin(csm_csv *csv, csm_csv_line_fn take, void *user) {
    csv->take = take;
    csv->quick = NULL;
    csv->user = user;
    csv->number = 0;
    csv->blank = false;
    csv->held_length = 0;
}

csm_status csm_csv_fail(const csm_csv_line *line, size_t field, const char *what) {
    csm_slice text = field < line->count ? line->fields[field] : (csm_slice){"", 0};
    char shown[41];
    size_t length = text.length < sizeof shown - 1 ? text.length : sizeof shown - 1;
    for (size_t i = 0; i < length; i++)
        shown[i] = text.text[i] >= 0x20 && text.text[i] < 0x7f ? text.text[i] : '?';
    shown[length] = '\0';
    return csm_fail(CSM_EPARSE, "line %" PRIu64 ": %s: \"%s\"", line->number, what, shown);
}

/* One line without its end. */
static csm_status line_take(csm_csv *csv, const char *text, size_t length) {
    static const char mark[] = "\xef\xbb\xbf"; /* UTF-8 byte order mark */
    csm_slice fields[CSM_CSV_FIELDS_MAX];
    csm_csv_line line = {.fields = fields, .count = 0, .number = ++csv->number};
    if (length > 0 && text[length - 1] == '\r') length--;
    if (line.number == 1 && length >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        length -= 3;
    }
    if (length == 0) {
        csv->blank = true;
        return CSM_OK;
    }
    if (csv->blank) return csm_csv_fail(&line, 0, "a record after an empty line");
    const char *end = text + length;
    for (const char *at = text;; at++) {
        const char *stop = memchr(at, ',', (size_t)(end - at));
        if (line.count == CSM_CSV_FIELDS_MAX) return csm_csv_fail(&line, 0, "more than 64 fields");
        fields[line.count++] = (csm_slice){at, (size_t)((stop == NULL ? end : stop) - at)};
        if (stop == NULL) break;
        at = stop;
    }
    return csv->take(csv->user, &line);
}

/* Bytes of a whole line that the user took from the bytes at hand; 0: take it the long way. */
static size_t line_take_quickly(csm_csv *csv, const char *at, const char *end) {
    if (csv->quick == NULL || csv->held_length > 0 || csv->blank || csv->number == 0) return 0;
    const size_t taken = csv->quick(csv->user, at, end, csv->number + 1);
    csv->number += taken > 0;
    return taken;
}

static csm_status hold(csm_csv *csv, const char *bytes, size_t length) {
    if (length > CSM_CSV_LINE_MAX - csv->held_length)
        return csm_fail(CSM_EPARSE, "line %" PRIu64 ": longer than %d bytes", csv->number + 1,
                        CSM_CSV_LINE_MAX);
    memcpy(csv->held + csv->held_length, bytes, length);
    csv->held_length += length;
    return CSM_OK;
}

csm_status csm_csv_push(csm_csv *csv, const char *bytes, size_t length) {
    const char *at = bytes;
    const char *end = bytes + length;
    while (at < end) {
        const size_t taken = line_take_quickly(csv, at, end);
        if (taken > 0) {
            at += taken;
            continue;
        }
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t part = (size_t)((stop == NULL ? end : stop) - at);
        csm_status status = CSM_OK;
        if (stop == NULL || csv->held_length > 0) status = hold(csv, at, part);
        if (status != CSM_OK || stop == NULL) return status;
        if (csv->held_length > 0) {
            status = line_take(csv, csv->held, csv->held_length);
            csv->held_length = 0;
        } else if (part > CSM_CSV_LINE_MAX) {
            status = hold(csv, at, part);
        } else {
            status = line_take(csv, at, part);
        }
        if (status != CSM_OK) return status;
        at = stop + 1;
    }
    return CSM_OK;
}

csm_status csm_csv_finish(csm_csv *csv) {
    if (csv->held_length == 0) return CSM_OK;
    size_t length = csv->held_length;
    csv->held_length = 0;
    return line_take(csv, csv->held, length);
}
