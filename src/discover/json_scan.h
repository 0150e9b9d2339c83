/* SPDX-License-Identifier: MIT */
/*
 * A cursor over JSON text (RFC 8259) for replies whose schema is known: no tree, no copies, every step checked against
 * the end. Numbers and strings come out as spans of the input, so a decimal stays text until an exact type takes it.
 */
#ifndef CSM_DISCOVER_JSON_SCAN_H
#define CSM_DISCOVER_JSON_SCAN_H

#include "core/internal.h"

typedef struct csm_scan {
    const char *start;
    const char *at;
    const char *end;
    const char *what; /* for error text: "kraken OHLC reply" */
} csm_scan;

typedef struct csm_slice {
    const char *text;
    size_t length;
} csm_slice;

csm_scan csm_scan_over(const char *text, size_t length, const char *what);
/* CSM_EPARSE "what: expected X at byte N, found Y". */
csm_status csm_scan_fail(const csm_scan *scan, const char *expected);
/* The next byte after white space; 0 at the end (a zero byte is no JSON, so the two need no telling apart). */
static inline char csm_scan_peek(csm_scan *scan) {
    while (scan->at < scan->end) {
        char byte = *scan->at;
        if (byte > ' ' || (byte != ' ' && byte != '\n' && byte != '\t' && byte != '\r')) return byte;
        scan->at++;
    }
    return '\0';
}
/* Takes `byte` after white space if it is next. */
static inline bool csm_scan_take(csm_scan *scan, char byte) {
    if (csm_scan_peek(scan) != byte || scan->at >= scan->end) return false;
    scan->at++;
    return true;
}
csm_status csm_scan_expect(csm_scan *scan, char byte);
/* A string without escapes (names, numbers and flags of the schemas read here have none). */
csm_status csm_scan_string(csm_scan *scan, csm_slice *out);
/* A string of any content, its escapes left as they are. */
csm_status csm_scan_raw_string(csm_scan *scan, csm_slice *out);
/* A bare number by JSON's own grammar: NaN, Infinity, leading zeros and plus signs are refused. */
csm_status csm_scan_number(csm_scan *scan, csm_slice *out);
/* A string or a bare number: the text of a decimal. */
csm_status csm_scan_decimal_text(csm_scan *scan, csm_slice *out);
/* Any whole value, nested at most 32 deep. */
csm_status csm_scan_skip(csm_scan *scan);
/* Nothing but white space is left. */
csm_status csm_scan_end(csm_scan *scan);

/* Walks the members of an object: true with the name, the cursor before the value; false after the last or on failure.
 * *status must be CSM_OK at first and *first true. */
bool csm_scan_member(csm_scan *scan, csm_slice *name, bool *first, csm_status *status);
/* The same for the elements of an array. */
bool csm_scan_element(csm_scan *scan, bool *first, csm_status *status);

bool csm_slice_is(csm_slice span, const char *text);
csm_status csm_slice_i64(int64_t *out, csm_slice span); /* a whole number; CSM_EPARSE otherwise */

#endif
