/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <time.h>

static csm_time parsed(const char *text) {
    csm_time time = 0;
    assert_ok(csm_time_parse(&time, text, strlen(text)));
    return time;
}

static void date_times_and_dates_are_read(void **state) {
    (void)state;
    assert_int_equal(parsed("1970-01-01T00:00:00Z"), 0);
    assert_int_equal(parsed("1970-01-02"), CSM_DAY);
    assert_int_equal(parsed("2023-12-30T21:00:00.5Z"),
                     1703970000 * CSM_SECOND + 500 * CSM_MILLISECOND); /* date -u +%s */
    assert_int_equal(parsed("2024-02-29 23:59:59.999999999z"), 1709251199 * CSM_SECOND + 999999999);
    assert_int_equal(parsed("1969-12-31T23:59:59.25Z"), -750 * CSM_MILLISECOND);
    assert_int_equal(parsed("2000-01-01t00:00:00.1230000000000Z"),
                     946684800 * CSM_SECOND + 123 * CSM_MILLISECOND);
}

static void offsets_are_taken_off(void **state) {
    (void)state;
    assert_int_equal(parsed("1970-01-01T02:00:00+02:00"), 0);
    assert_int_equal(parsed("1969-12-31T18:30:00-05:30"), 0);
    assert_int_equal(parsed("1970-01-01T00:00:00-00:00"), 0);
    assert_int_equal(parsed("1678-01-01T00:00:00+23:59"),
                     parsed("1678-01-01") - 23 * CSM_HOUR - 59 * CSM_MINUTE);
    assert_int_equal(parsed("2261-12-31T23:59:59-23:59"),
                     parsed("2261-12-31T23:59:59Z") + 23 * CSM_HOUR + 59 * CSM_MINUTE);
}

static void a_wrong_text_is_refused_with_its_byte(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *part;
    } wrong[] = {
        {"", "ends at byte 0"},
        {"2023", "ends at byte 4"},
        {"2023-13-01", "month 13 at byte 5"},
        {"2023-00-01", "month 0"},
        {"2023-02-29", "day 29"},
        {"2023-04-31T00:00:00Z", "day 31"},
        {"1900-02-29", "day 29"},
        {"2023-01-00", "day 0"},
        {"1677-12-31", "year 1677"},
        {"2262-01-01", "year 2262"},
        {"2023-1-01", "byte 6"},
        {"2023/01/01", "byte 4"},
        {"2023-01-01T", "ends at byte 11"},
        {"2023-01-01T24:00:00Z", "hour 24 at byte 11"},
        {"2023-01-01T23:60:00Z", "minute 60"},
        {"2023-01-01T23:59:60Z", "leap second 60 at byte 17"},
        {"2023-01-01T23:59:61Z", "second 61"},
        {"2023-01-01T00:00:00", "ends at byte 19"},
        {"2023-01-01T00:00:00.Z", "byte 20"},
        {"2023-01-01T00:00:00,5Z", "byte 19"},
        {"2023-01-01T00:00:00.1234567891Z", "byte 29"},
        {"2023-01-01T00:00:00+2:00", "byte 21"},
        {"2023-01-01T00:00:00+0200", "byte 22"},
        {"2023-01-01T00:00:00+24:00", "offset hour 24"},
        {"2023-01-01T00:00:00+01:60", "offset minute 60"},
        {"2023-01-01T00:00:00Z ", "byte 20 is not the end"},
        {" 2023-01-01", "byte 0"},
        {"2023-01-01X00:00:00Z", "byte 10"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        csm_time time = 42;
        assert_fails(CSM_EPARSE, wrong[i].part, csm_time_parse(&time, wrong[i].text, strlen(wrong[i].text)));
        assert_int_equal(time, 42);
    }
    csm_time time;
    assert_fails(CSM_EPARSE, "byte 10", csm_time_parse(&time, "2023-01-01\0", 11));
    assert_fails(CSM_EINVAL, "NULL", csm_time_parse(NULL, "", 0));
    assert_fails(CSM_EINVAL, "NULL", csm_time_parse(&time, NULL, 0));
}

static void the_length_bounds_what_is_read(void **state) {
    (void)state;
    csm_time time;
    assert_ok(csm_time_parse(&time, "1970-01-02T03:04:05Z", 10));
    assert_int_equal(time, CSM_DAY);
}

static void the_calendar_agrees_with_the_c_library_over_the_whole_range(void **state) {
    (void)state;
    for (int i = 0; i < 200000; i++) {
        const csm_time time = (csm_time)csm_random_u64(7, 0, (uint64_t)i);
        const csm_calendar c = csm_time_calendar(time);
        const int64_t nanosecond = (time % CSM_SECOND + CSM_SECOND) % CSM_SECOND;
        const time_t seconds = time / CSM_SECOND - (time % CSM_SECOND < 0);
        struct tm expected;
        char week[8];
        assert_non_null(gmtime_r(&seconds, &expected));
        strftime(week, sizeof week, "%V", &expected);
        assert_int_equal(c.year, expected.tm_year + 1900);
        assert_int_equal(c.month, expected.tm_mon + 1);
        assert_int_equal(c.day, expected.tm_mday);
        assert_int_equal(c.hour, expected.tm_hour);
        assert_int_equal(c.minute, expected.tm_min);
        assert_int_equal(c.second, expected.tm_sec);
        assert_int_equal(c.nanosecond, nanosecond);
        assert_int_equal(c.weekday, expected.tm_wday == 0 ? 7 : expected.tm_wday);
        assert_int_equal(c.day_of_year, expected.tm_yday + 1);
        assert_int_equal(c.iso_week, atoi(week));
        csm_time back;
        assert_ok(csm_time_from_calendar(&back, &c));
        assert_int_equal(back, time);
    }
}

static void both_ends_of_the_range_make_the_round_trip(void **state) {
    (void)state;
    const csm_time ends[] = {CSM_TIME_MIN, CSM_TIME_MIN + 1, -1, 0, CSM_TIME_MAX - 1, CSM_TIME_MAX};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const csm_calendar c = csm_time_calendar(ends[i]);
        csm_time back = 5;
        assert_ok(csm_time_from_calendar(&back, &c));
        assert_int_equal(back, ends[i]);
    }
    csm_calendar beyond = csm_time_calendar(CSM_TIME_MAX);
    csm_time time;
    beyond.nanosecond++;
    assert_fails(CSM_EINVAL, "64-bit range", csm_time_from_calendar(&time, &beyond));
    beyond = csm_time_calendar(CSM_TIME_MIN);
    beyond.nanosecond--;
    assert_fails(CSM_EINVAL, "64-bit range", csm_time_from_calendar(&time, &beyond));
    beyond.month = 1;
    assert_fails(CSM_EINVAL, "64-bit range", csm_time_from_calendar(&time, &beyond));
}

static void calendar_fields_outside_their_range_are_refused_by_name(void **state) {
    (void)state;
    const csm_calendar good = {.year = 2023, .month = 4, .day = 30};
    csm_time time;
    assert_ok(csm_time_from_calendar(&time, &good));
#define REFUSED(field, value, part)                                                                          \
    do {                                                                                                     \
        csm_calendar bad = good;                                                                             \
        bad.field = value;                                                                                   \
        assert_fails(CSM_EINVAL, part, csm_time_from_calendar(&time, &bad));                                 \
    } while (0)
    REFUSED(year, 1676, "year 1676");
    REFUSED(year, INT32_MAX, "year");
    REFUSED(month, 0, "month 0");
    REFUSED(month, 13, "month 13");
    REFUSED(day, 31, "day 31 is outside 1..30");
    REFUSED(day, 0, "day 0");
    REFUSED(hour, 24, "hour 24");
    REFUSED(minute, -1, "minute -1");
    REFUSED(second, 60, "second 60");
    REFUSED(nanosecond, 1000000000, "nanosecond");
#undef REFUSED
    assert_fails(CSM_EINVAL, "NULL", csm_time_from_calendar(NULL, &good));
    assert_fails(CSM_EINVAL, "NULL", csm_time_from_calendar(&time, NULL));
}

static void a_time_is_written_with_no_more_digits_than_it_needs(void **state) {
    (void)state;
    char text[CSM_TIME_TEXT];
    assert_string_equal(csm_time_format(0, text, sizeof text), "1970-01-01T00:00:00Z");
    assert_string_equal(csm_time_format(CSM_MILLISECOND * 500, text, sizeof text), "1970-01-01T00:00:00.5Z");
    assert_string_equal(csm_time_format(-1, text, sizeof text), "1969-12-31T23:59:59.999999999Z");
    assert_string_equal(csm_time_format(1001000, text, sizeof text), "1970-01-01T00:00:00.001001Z");
    assert_string_equal(csm_time_format(CSM_TIME_MIN, text, sizeof text), "1677-09-21T00:12:43.145224192Z");
    assert_string_equal(csm_time_format(CSM_TIME_MAX, text, sizeof text), "2262-04-11T23:47:16.854775807Z");
    assert_string_equal(csm_time_format(0, text, 5), "1970");
    memset(text, 'x', sizeof text);
    csm_time_format(0, text, 0);
    assert_int_equal(text[0], 'x');
    for (uint64_t i = 0; i < 10000; i++) {
        const csm_time time = (csm_time)csm_random_u64(3, 1, i) % (250 * 365 * CSM_DAY);
        csm_time_format(time, text, sizeof text);
        assert_int_equal(parsed(text), time);
    }
}

static void a_time_is_floored_toward_the_past(void **state) {
    (void)state;
    assert_int_equal(csm_time_floor(CSM_HOUR + 1, CSM_HOUR), CSM_HOUR);
    assert_int_equal(csm_time_floor(CSM_HOUR, CSM_HOUR), CSM_HOUR);
    assert_int_equal(csm_time_floor(-1, CSM_HOUR), -CSM_HOUR);
    assert_int_equal(csm_time_floor(-CSM_HOUR, CSM_HOUR), -CSM_HOUR);
    assert_int_equal(csm_time_floor(CSM_TIME_MIN, CSM_HOUR), CSM_TIME_MIN);
    assert_int_equal(csm_time_floor(CSM_TIME_MIN, 1), CSM_TIME_MIN);
    assert_int_equal(csm_time_floor(CSM_TIME_MIN + CSM_HOUR, CSM_HOUR) % CSM_HOUR, 0);
    assert_int_equal(csm_time_floor(CSM_TIME_MAX, CSM_TIME_MAX), CSM_TIME_MAX);
    assert_int_equal(csm_time_floor(-5, CSM_TIME_MAX), -CSM_TIME_MAX);
    /* weeks too are counted from Thursday, 1970-01-01, as exchanges do */
    assert_int_equal(csm_time_floor(parsed("2024-01-03T12:00:00Z"), CSM_WEEK), parsed("2023-12-28"));
}

static void intervals_are_read_and_written(void **state) {
    (void)state;
    static const struct {
        const char *text;
        csm_time interval;
    } pairs[] = {{"15m", 15 * CSM_MINUTE}, {"1h", CSM_HOUR},  {"4h", 4 * CSM_HOUR},
                 {"1d", CSM_DAY},          {"1w", CSM_WEEK},  {"30d", 30 * CSM_DAY},
                 {"90m", 90 * CSM_MINUTE}, {"1s", CSM_SECOND}};
    char text[CSM_TIME_TEXT];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        csm_time interval;
        assert_ok(csm_interval_parse(&interval, pairs[i].text));
        assert_int_equal(interval, pairs[i].interval);
        assert_string_equal(csm_interval_format(interval, text, sizeof text), pairs[i].text);
    }
    assert_string_equal(csm_interval_format(1500, text, sizeof text), "1500ns");
    assert_string_equal(csm_interval_format(0, text, sizeof text), "0ns");
    assert_string_equal(csm_interval_format(CSM_HOUR, text, 2), "1");
}

static void wrong_intervals_are_refused(void **state) {
    (void)state;
    const char *wrong[] = {"",
                           "h",
                           "1",
                           "0h",
                           "-1h",
                           "1x",
                           "1hh",
                           "1 h",
                           " 1h",
                           "1.5h",
                           "99999999999999999999s",
                           "9223372036854775807w",
                           "106752d"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        csm_time interval = 42;
        assert_fails(CSM_EPARSE, "interval", csm_interval_parse(&interval, wrong[i]));
        assert_int_equal(interval, 42);
    }
    csm_time interval;
    assert_ok(csm_interval_parse(&interval, "106751d"));
    assert_fails(CSM_EINVAL, "NULL", csm_interval_parse(&interval, NULL));
    assert_fails(CSM_EINVAL, "NULL", csm_interval_parse(NULL, "1h"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date_times_and_dates_are_read),
        cmocka_unit_test(offsets_are_taken_off),
        cmocka_unit_test(a_wrong_text_is_refused_with_its_byte),
        cmocka_unit_test(the_length_bounds_what_is_read),
        cmocka_unit_test(the_calendar_agrees_with_the_c_library_over_the_whole_range),
        cmocka_unit_test(both_ends_of_the_range_make_the_round_trip),
        cmocka_unit_test(calendar_fields_outside_their_range_are_refused_by_name),
        cmocka_unit_test(a_time_is_written_with_no_more_digits_than_it_needs),
        cmocka_unit_test(a_time_is_floored_toward_the_past),
        cmocka_unit_test(intervals_are_read_and_written),
        cmocka_unit_test(wrong_intervals_are_refused),
    };
    return cmocka_run_group_tests_name("core.time", tests, NULL, NULL);
}
