/* SPDX-License-Identifier: MIT */
/* RFC 3339 date-times and interval names from text. */
#include "core/internal.h"

#include <stdio.h>
#include <string.h>

#define YEAR_MIN 1678 /* the first and last whole years in 64 bits of nanoseconds */
#define YEAR_MAX 2261
#define FRACTION_DIGITS 9

typedef struct cursor {
    const char *text;
    size_t length;
    size_t at;
} cursor;

static csm_status fail_byte(const cursor *c, const char *wanted) {
    const int shown = c->length > 64 ? 64 : (int)c->length;
    if (c->at >= c->length)
        return csm_fail(CSM_EPARSE, "time \"%.*s\": ends at byte %zu where %s is needed", shown, c->text,
                        c->at, wanted);
    return csm_fail(CSM_EPARSE, "time \"%.*s\": byte %zu is not %s", shown, c->text, c->at, wanted);
}

static bool is_digit(const cursor *c) {
    return c->at < c->length && c->text[c->at] >= '0' && c->text[c->at] <= '9';
}

static csm_status take_number(cursor *c, int32_t *out, int digits, int32_t low, int32_t high,
                              const char *name) {
    const size_t start = c->at;
    int32_t value = 0;
    for (int i = 0; i < digits; i++, c->at++) {
        if (!is_digit(c)) return fail_byte(c, "a digit");
        value = value * 10 + (c->text[c->at] - '0');
    }
    if (value < low || value > high)
        return csm_fail(CSM_EPARSE, "time \"%.*s\": %s %d at byte %zu is outside %d..%d",
                        c->length > 64 ? 64 : (int)c->length, c->text, name, value, start, low, high);
    *out = value;
    return CSM_OK;
}

static csm_status take_byte(cursor *c, const char *allowed, const char *wanted) {
    if (c->at >= c->length || c->text[c->at] == '\0' || !strchr(allowed, c->text[c->at]))
        return fail_byte(c, wanted);
    c->at++;
    return CSM_OK;
}

static csm_status take_date(cursor *c, csm_calendar *date) {
    csm_status status = take_number(c, &date->year, 4, YEAR_MIN, YEAR_MAX, "year");
    if (!status) status = take_byte(c, "-", "\"-\"");
    if (!status) status = take_number(c, &date->month, 2, 1, 12, "month");
    if (!status) status = take_byte(c, "-", "\"-\"");
    if (!status) status = take_number(c, &date->day, 2, 1, 31, "day");
    return status;
}

/* Digits beyond the ninth would be lost, so they must be zero. */
static csm_status take_fraction(cursor *c, int32_t *nanosecond) {
    int digits = 0;
    *nanosecond = 0;
    if (c->at >= c->length || c->text[c->at] != '.') return CSM_OK;
    c->at++;
    if (!is_digit(c)) return fail_byte(c, "a digit");
    for (; is_digit(c); c->at++, digits++) {
        if (digits < FRACTION_DIGITS)
            *nanosecond = *nanosecond * 10 + (c->text[c->at] - '0');
        else if (c->text[c->at] != '0')
            return fail_byte(c, "0, and less than a nanosecond cannot be kept");
    }
    for (; digits < FRACTION_DIGITS; digits++) *nanosecond *= 10;
    return CSM_OK;
}

static csm_status take_clock(cursor *c, csm_calendar *date) {
    csm_status status = take_number(c, &date->hour, 2, 0, 23, "hour");
    if (!status) status = take_byte(c, ":", "\":\"");
    if (!status) status = take_number(c, &date->minute, 2, 0, 59, "minute");
    if (!status) status = take_byte(c, ":", "\":\"");
    const size_t start = c->at;
    if (!status) status = take_number(c, &date->second, 2, 0, 60, "second");
    if (!status && date->second == 60)
        return csm_fail(CSM_EPARSE,
                        "time \"%.*s\": leap second 60 at byte %zu has no place in this time scale",
                        c->length > 64 ? 64 : (int)c->length, c->text, start);
    if (!status) status = take_fraction(c, &date->nanosecond);
    return status;
}

static csm_status take_offset(cursor *c, csm_time *offset) {
    *offset = 0;
    if (c->at < c->length && (c->text[c->at] == 'Z' || c->text[c->at] == 'z')) {
        c->at++;
        return CSM_OK;
    }
    const bool negative = c->at < c->length && c->text[c->at] == '-';
    int32_t hours = 0, minutes = 0;
    csm_status status = take_byte(c, "+-", "\"Z\" or an offset such as \"+02:00\"");
    if (!status) status = take_number(c, &hours, 2, 0, 23, "offset hour");
    if (!status) status = take_byte(c, ":", "\":\"");
    if (!status) status = take_number(c, &minutes, 2, 0, 59, "offset minute");
    *offset = hours * CSM_HOUR + minutes * CSM_MINUTE;
    if (negative) *offset = -*offset;
    return status;
}

csm_status csm_time_parse(csm_time *out, const char *text, size_t length) {
    if (!out || !text) return csm_fail(CSM_EINVAL, "csm_time_parse: an argument is NULL");
    cursor c = {.text = text, .length = length};
    csm_calendar date = {0};
    csm_time offset = 0;
    csm_time local;
    csm_status status = take_date(&c, &date);
    if (!status && c.at < length) {
        status = take_byte(&c, "Tt ", "\"T\"");
        if (!status) status = take_clock(&c, &date);
        if (!status) status = take_offset(&c, &offset);
        if (!status && c.at < length) status = fail_byte(&c, "the end");
    }
    if (status) return status;
    if (csm_time_from_calendar(&local, &date)) /* the day does not exist in its month */
        return csm_fail(CSM_EPARSE, "time \"%.*s\": day %d at byte 8 does not exist in that month",
                        length > 64 ? 64 : (int)length, text, date.day);
    *out = local - offset; /* YEAR_MIN and YEAR_MAX leave more than a day on both ends */
    return CSM_OK;
}

static const struct {
    char letter;
    csm_time length;
} units[] = {{'w', CSM_WEEK}, {'d', CSM_DAY}, {'h', CSM_HOUR}, {'m', CSM_MINUTE}, {'s', CSM_SECOND}};

#define UNITS (sizeof units / sizeof units[0])

csm_status csm_interval_parse(csm_time *out, const char *text) {
    if (!out || !text) return csm_fail(CSM_EINVAL, "csm_interval_parse: an argument is NULL");
    csm_time value = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        if (value > (INT64_MAX - 9) / 10) return csm_fail(CSM_EPARSE, "interval \"%.64s\": too long", text);
        value = value * 10 + (*c - '0');
    }
    for (size_t i = 0; i < UNITS && c != text && value > 0; i++) {
        if (*c != units[i].letter || c[1] != '\0') continue;
        if (value > INT64_MAX / units[i].length)
            return csm_fail(CSM_EPARSE, "interval \"%.64s\": too long", text);
        *out = value * units[i].length;
        return CSM_OK;
    }
    return csm_fail(CSM_EPARSE,
                    "interval \"%.64s\": a positive integer and one of s m h d w is needed, such as \"15m\"",
                    text);
}

char *csm_interval_format(csm_time interval, char *text, size_t size) {
    if (!text || size == 0) return text;
    for (size_t i = 0; i < UNITS; i++) {
        if (interval == 0 || interval % units[i].length != 0) continue;
        snprintf(text, size, "%lld%c", (long long)(interval / units[i].length), units[i].letter);
        return text;
    }
    snprintf(text, size, "%lldns", (long long)interval);
    return text;
}
