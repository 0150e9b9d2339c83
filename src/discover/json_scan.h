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

typedef struct csm_span {
    const char *text;
    size_t length;
} csm_span;

csm_scan csm_scan_over(const char *text, size_t length, const char *what);
/* CSM_EPARSE "what: expected X at byte N, found Y". */
csm_status csm_scan_fail(const csm_scan *scan, const char *expected);
/* The next byte after white space; 0 at the end (a zero byte is no JSON, so the two need no telling apart). */
char csm_scan_peek(csm_scan *scan);
/* Takes `byte` after white space if it is next. */
bool csm_scan_take(csm_scan *scan, char byte);
csm_status csm_scan_expect(csm_scan *scan, char byte);
/* A string without escapes (names, numbers and flags of the schemas read here have none). */
csm_status csm_scan_string(csm_scan *scan, csm_span *out);
/* A string of any content, its escapes left as they are. */
csm_status csm_scan_raw_string(csm_scan *scan, csm_span *out);
/* A bare number by JSON's own grammar: NaN, Infinity, leading zeros and plus signs are refused. */
csm_status csm_scan_number(csm_scan *scan, csm_span *out);
/* A string or a bare number: the text of a decimal. */
csm_status csm_scan_decimal_text(csm_scan *scan, csm_span *out);
/* Any whole value, nested at most 32 deep. */
csm_status csm_scan_skip(csm_scan *scan);
/* Nothing but white space is left. */
csm_status csm_scan_end(csm_scan *scan);

/* Walks the members of an object: true with the name, the cursor before the value; false after the last or on failure.
 * *status must be CSM_OK at first and *first true. */
bool csm_scan_member(csm_scan *scan, csm_span *name, bool *first, csm_status *status);
/* The same for the elements of an array. */
bool csm_scan_element(csm_scan *scan, bool *first, csm_status *status);

bool csm_span_is(csm_span span, const char *text);
csm_status csm_span_i64(int64_t *out, csm_span span); /* a whole number; CSM_EPARSE otherwise */

#endif
