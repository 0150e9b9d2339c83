/* SPDX-License-Identifier: MIT */
#include "discover/json_scan.h"

#include <string.h>

#define DEPTH_MAX 32

csm_scan csm_scan_over(const char *text, size_t length, const char *what) {
    return (csm_scan){.start = text, .at = text, .end = text + length, .what = what};
}

csm_status csm_scan_fail(const csm_scan *scan, const char *expected) {
    size_t byte = (size_t)(scan->at - scan->start);
    if (scan->at >= scan->end)
        return csm_fail(CSM_EPARSE, "%s: expected %s at byte %zu, where the text ends", scan->what, expected,
                        byte);
    unsigned char found = (unsigned char)*scan->at;
    if (found < 0x20 || found > 0x7e)
        return csm_fail(CSM_EPARSE, "%s: expected %s at byte %zu, found 0x%02x", scan->what, expected, byte,
                        found);
    return csm_fail(CSM_EPARSE, "%s: expected %s at byte %zu, found '%c'", scan->what, expected, byte, found);
}

csm_status csm_scan_expect(csm_scan *scan, char byte) {
    if (csm_scan_take(scan, byte)) return CSM_OK;
    return csm_scan_fail(scan, (const char[]){'\'', byte, '\'', '\0'});
}

csm_status csm_scan_string(csm_scan *scan, csm_slice *out) {
    if (!csm_scan_take(scan, '"')) return csm_scan_fail(scan, "a string");
    const char *begin = scan->at;
    while (scan->at < scan->end && *scan->at != '"' && *scan->at != '\\' && (unsigned char)*scan->at >= 0x20)
        scan->at++;
    if (scan->at >= scan->end || *scan->at != '"') return csm_scan_fail(scan, "the end of a plain string");
    *out = (csm_slice){begin, (size_t)(scan->at - begin)};
    scan->at++;
    return CSM_OK;
}

static size_t scan_digits(csm_scan *scan) {
    const char *begin = scan->at;
    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') scan->at++;
    return (size_t)(scan->at - begin);
}

csm_status csm_scan_number(csm_scan *scan, csm_slice *out) {
    csm_scan_peek(scan);
    const char *begin = scan->at;
    if (scan->at < scan->end && *scan->at == '-') scan->at++;
    bool zero = scan->at < scan->end && *scan->at == '0';
    size_t whole = scan_digits(scan);
    if (whole == 0 || (zero && whole > 1)) return csm_scan_fail(scan, "a number");
    if (scan->at < scan->end && *scan->at == '.') {
        scan->at++;
        if (scan_digits(scan) == 0) return csm_scan_fail(scan, "a digit after the point");
    }
    if (scan->at < scan->end && (*scan->at == 'e' || *scan->at == 'E')) {
        scan->at++;
        if (scan->at < scan->end && (*scan->at == '+' || *scan->at == '-')) scan->at++;
        if (scan_digits(scan) == 0) return csm_scan_fail(scan, "a digit of the exponent");
    }
    *out = (csm_slice){begin, (size_t)(scan->at - begin)};
    return CSM_OK;
}

csm_status csm_scan_decimal_text(csm_scan *scan, csm_slice *out) {
    return csm_scan_peek(scan) == '"' ? csm_scan_string(scan, out) : csm_scan_number(scan, out);
}

/* A string of any content; escapes are stepped over, not decoded. */
static csm_status scan_skip_string(csm_scan *scan) {
    scan->at++;
    while (scan->at < scan->end && *scan->at != '"') {
        if ((unsigned char)*scan->at < 0x20) return csm_scan_fail(scan, "a printable byte in a string");
        if (*scan->at == '\\') scan->at++;
        if (scan->at < scan->end) scan->at++;
    }
    if (scan->at >= scan->end) return csm_scan_fail(scan, "the end of a string");
    scan->at++;
    return CSM_OK;
}

csm_status csm_scan_raw_string(csm_scan *scan, csm_slice *out) {
    if (csm_scan_peek(scan) != '"') return csm_scan_fail(scan, "a string");
    const char *begin = scan->at + 1;
    csm_status status = scan_skip_string(scan);
    if (status == CSM_OK) *out = (csm_slice){begin, (size_t)(scan->at - begin) - 1};
    return status;
}

static csm_status scan_skip_scalar(csm_scan *scan) {
    static const char *const words[] = {"true", "false", "null"};
    if (csm_scan_peek(scan) == '"') return scan_skip_string(scan);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(scan->end - scan->at) >= length && memcmp(scan->at, words[i], length) == 0) {
            scan->at += length;
            return CSM_OK;
        }
    }
    csm_slice number;
    return csm_scan_number(scan, &number);
}

/* After an opening bracket of an object: its next name and colon. */
static csm_status scan_skip_name(csm_scan *scan) {
    if (csm_scan_peek(scan) != '"') return csm_scan_fail(scan, "a name");
    csm_status status = scan_skip_string(scan);
    return status != CSM_OK ? status : csm_scan_expect(scan, ':');
}

csm_status csm_scan_skip(csm_scan *scan) {
    char open[DEPTH_MAX];
    size_t depth = 0;
    for (;;) {
        csm_status status = CSM_OK;
        char byte = csm_scan_peek(scan);
        if (byte == '{' || byte == '[') {
            if (depth == DEPTH_MAX) return csm_scan_fail(scan, "at most 32 levels");
            open[depth++] = byte;
            scan->at++;
            bool empty = csm_scan_take(scan, byte == '{' ? '}' : ']');
            if (!empty) {
                if (byte == '{' && (status = scan_skip_name(scan)) != CSM_OK) return status;
                continue;
            }
            depth--;
        } else if ((status = scan_skip_scalar(scan)) != CSM_OK) {
            return status;
        }
        while (depth > 0 && csm_scan_take(scan, open[depth - 1] == '{' ? '}' : ']')) depth--;
        if (depth == 0) return CSM_OK;
        if ((status = csm_scan_expect(scan, ',')) != CSM_OK) return status;
        if (open[depth - 1] == '{' && (status = scan_skip_name(scan)) != CSM_OK) return status;
    }
}

csm_status csm_scan_end(csm_scan *scan) {
    csm_scan_peek(scan);
    return scan->at == scan->end ? CSM_OK : csm_scan_fail(scan, "the end of the text");
}

bool csm_scan_element(csm_scan *scan, bool *first, csm_status *status) {
    if (*status != CSM_OK) return false;
    if (*first) {
        *first = false;
        *status = csm_scan_expect(scan, '[');
        return *status == CSM_OK && !csm_scan_take(scan, ']');
    }
    if (csm_scan_take(scan, ']')) return false;
    *status = csm_scan_expect(scan, ',');
    return *status == CSM_OK;
}

bool csm_scan_member(csm_scan *scan, csm_slice *name, bool *first, csm_status *status) {
    if (*status != CSM_OK) return false;
    if (*first) {
        *first = false;
        *status = csm_scan_expect(scan, '{');
        if (*status != CSM_OK || csm_scan_take(scan, '}')) return false;
    } else {
        if (csm_scan_take(scan, '}')) return false;
        *status = csm_scan_expect(scan, ',');
        if (*status != CSM_OK) return false;
    }
    *status = csm_scan_raw_string(scan, name);
    if (*status == CSM_OK) *status = csm_scan_expect(scan, ':');
    return *status == CSM_OK;
}

bool csm_slice_is(csm_slice span, const char *text) {
    return strlen(text) == span.length && memcmp(span.text, text, span.length) == 0;
}

csm_status csm_slice_i64(int64_t *out, csm_slice span) {
    bool negative = span.length > 0 && span.text[0] == '-';
    int64_t value = 0;
    size_t i = negative ? 1 : 0;
    bool good = i < span.length;
    for (; good && i < span.length; i++) {
        int digit = span.text[i] - '0';
        good = digit >= 0 && digit <= 9 && !__builtin_mul_overflow(value, (int64_t)10, &value) &&
               !__builtin_sub_overflow(value, (int64_t)digit, &value);
    }
    if (good && !negative) good = !__builtin_sub_overflow((int64_t)0, value, &value);
    if (!good)
        return csm_fail(CSM_EPARSE, "\"%.*s\" is not a whole number of 64 bits",
                        (int)(span.length < 40 ? span.length : 40), span.text);
    *out = value;
    return CSM_OK;
}
