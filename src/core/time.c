/* SPDX-License-Identifier: MIT */
/* Days and dates by Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013): the year is taken to begin on
 * 1 March, so that the leap day is its last, and 400 years are one era of 146097 days. */
#include "core/internal.h"

#include <stdio.h>
#include <string.h>

#define DAYS_TO_EPOCH 719468 /* from 0000-03-01 to 1970-01-01 */
#define DAYS_OF_ERA 146097
#define SECONDS_OF_DAY 86400
#define PARSE_YEAR_MIN 1678
#define PARSE_YEAR_MAX 2261

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t days_from_date(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    const int64_t era = floor_div(year, 400);
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_OF_ERA + day_of_era - DAYS_TO_EPOCH;
}

static void date_from_days(int64_t days, csm_calendar *date) {
    days += DAYS_TO_EPOCH;
    const int64_t era = floor_div(days, DAYS_OF_ERA);
    const int64_t day_of_era = days - era * DAYS_OF_ERA;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_OF_ERA - 1)) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t month = (5 * day_of_year + 2) / 153; /* 0 is March */
    date->day = (int32_t)(day_of_year - (153 * month + 2) / 5 + 1);
    date->month = (int32_t)(month < 10 ? month + 3 : month - 9);
    date->year = (int32_t)(year_of_era + era * 400 + (date->month <= 2));
}

static bool is_leap_year(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int32_t days_of_month(int64_t year, int32_t month) {
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap_year(year));
}

/* ISO 8601: week 1 is the one with the year's first Thursday, so a date belongs to the year of its week's Thursday. */
static int32_t iso_week(int64_t days, int32_t weekday) {
    const int64_t thursday = days + 4 - weekday;
    csm_calendar date;
    date_from_days(thursday, &date);
    return (int32_t)((thursday - days_from_date(date.year, 1, 1)) / 7 + 1);
}

csm_calendar csm_time_calendar(csm_time time) {
    csm_calendar date = {0};
    const int64_t seconds = floor_div(time, CSM_SECOND);
    const int64_t days = floor_div(seconds, SECONDS_OF_DAY);
    const int32_t second_of_day = (int32_t)(seconds - days * SECONDS_OF_DAY);
    /* Not time - seconds * CSM_SECOND: the product overflows in the first second of the range. */
    const int64_t remainder = time % CSM_SECOND;
    date.nanosecond = (int32_t)(remainder < 0 ? remainder + CSM_SECOND : remainder);
    date.hour = second_of_day / 3600;
    date.minute = second_of_day / 60 % 60;
    date.second = second_of_day % 60;
    date_from_days(days, &date);
    date.weekday = (int32_t)(days + 3 - 7 * floor_div(days + 3, 7)) + 1; /* 1970-01-01 was a Thursday */
    date.day_of_year = (int32_t)(days - days_from_date(date.year, 1, 1)) + 1;
    date.iso_week = iso_week(days, date.weekday);
    return date;
}

/* seconds * 10^9 + nanosecond, or false when it leaves int64. 0 <= nanosecond < 10^9. */
static bool combine(csm_time *out, int64_t seconds, int64_t nanosecond) {
    if (seconds < 0) { /* count back from the next second, whose product still fits */
        seconds += 1;
        nanosecond -= CSM_SECOND;
    }
    if (seconds > INT64_MAX / CSM_SECOND || seconds < INT64_MIN / CSM_SECOND) return false;
    const int64_t whole = seconds * CSM_SECOND;
    if (nanosecond > 0 ? whole > INT64_MAX - nanosecond : whole < INT64_MIN - nanosecond) return false;
    *out = whole + nanosecond;
    return true;
}

static csm_status check_field(const char *name, int32_t value, int32_t low, int32_t high) {
    if (value >= low && value <= high) return CSM_OK;
    return csm_fail(CSM_EINVAL, "calendar: %s %d is outside %d..%d", name, value, low, high);
}

csm_status csm_time_from_calendar(csm_time *out, const csm_calendar *calendar) {
    if (!out || !calendar) return csm_fail(CSM_EINVAL, "csm_time_from_calendar: an argument is NULL");
    const csm_calendar *c = calendar;
    csm_status status = check_field("year", c->year, PARSE_YEAR_MIN - 1, PARSE_YEAR_MAX + 1);
    if (!status) status = check_field("month", c->month, 1, 12);
    if (!status) status = check_field("day", c->day, 1, days_of_month(c->year, c->month));
    if (!status) status = check_field("hour", c->hour, 0, 23);
    if (!status) status = check_field("minute", c->minute, 0, 59);
    if (!status) status = check_field("second", c->second, 0, 59);
    if (!status) status = check_field("nanosecond", c->nanosecond, 0, 999999999);
    if (status) return status;
    const int64_t days = days_from_date(c->year, c->month, c->day);
    const int64_t seconds = days * SECONDS_OF_DAY + c->hour * 3600 + c->minute * 60 + c->second;
    if (!combine(out, seconds, c->nanosecond))
        return csm_fail(CSM_EINVAL, "calendar: %04d-%02d-%02d is outside the 64-bit range of nanoseconds",
                        c->year, c->month, c->day);
    return CSM_OK;
}

csm_time csm_time_floor(csm_time time, csm_time interval) {
    if (interval <= 0) return time;
    const csm_time above = time % interval;
    if (above >= 0) return time - above;
    /* The multiple below CSM_TIME_MIN cannot be written down. */
    return time - above < INT64_MIN + interval ? CSM_TIME_MIN : time - above - interval;
}

char *csm_time_format(csm_time time, char *text, size_t size) {
    if (!text || size == 0) return text;
    const csm_calendar c = csm_time_calendar(time);
    char fraction[16] = "";
    if (c.nanosecond) {
        int length = snprintf(fraction, sizeof fraction, ".%09d", c.nanosecond);
        while (length > 0 && fraction[length - 1] == '0') fraction[--length] = '\0';
    }
    snprintf(text, size, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", c.year, c.month, c.day, c.hour, c.minute,
             c.second, fraction);
    return text;
}
