/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <math.h>

static csm_status check_bar_row(const csm_decimal cells[10]) {
    csm_table *table = new_table("bars");
    assert_ok(csm_table_append(table, cells));
    const csm_status status = csm_kind_check_row(table, 0, HOUR, CSM_TIME_MAX);
    csm_table_free(table);
    return status;
}

static void take_good_bar(csm_decimal cells[10]) {
    csm_table *bars = bars_from(0, 1);
    for (size_t c = 0; c < 10; c++) cells[c] = dec(bars->ticks[c][0], bars->scale[c]);
    cells[7] = missing();
    csm_table_free(bars);
}

static void test_a_column_grows_decimals_as_rows_need_them(void **state) {
    (void)state;
    csm_table *table = new_table("value");
    const csm_decimal values[] = {dec(5, 0), dec(-123, 2), missing(), dec(7, 9)};
    for (size_t i = 0; i < 4; i++) {
        const csm_decimal cells[3] = {dec((int64_t)i, 0), dec((int64_t)i, 0), values[i]};
        assert_ok(csm_table_append(table, cells));
    }
    assert_int_equal(csm_table_scale(table, 2), 9);
    assert_true(csm_table_ticks(table, 2)[0] == 5000000000 && csm_table_ticks(table, 2)[1] == -1230000000);
    assert_true(csm_table_ticks(table, 2)[2] == CSM_CELL_MISSING && csm_table_ticks(table, 2)[3] == 7);
    double doubles[4];
    assert_ok(csm_table_doubles(table, 2, doubles));
    assert_true(doubles[0] == 5.0 && doubles[1] == -1.23 && isnan(doubles[2]) && doubles[3] == 7e-9);
    csm_table_free(table);
}

static void test_a_value_that_leaves_64_bits_is_refused_with_its_column(void **state) {
    (void)state;
    csm_table *table = new_table("value");
    const csm_decimal small[3] = {dec(0, 0), dec(0, 0), dec(1, 18)};
    const csm_decimal large[3] = {dec(1, 0), dec(1, 0), dec(10, 0)};
    const csm_decimal scale[3] = {dec(1, 0), dec(1, 0), dec(10, 19)};
    const csm_decimal time[3] = {dec(1, 1), dec(1, 0), dec(10, 0)};
    assert_ok(csm_table_append(table, small));
    assert_status(CSM_EINVAL, csm_table_append(table, large));
    assert_text("column value");
    assert_status(CSM_EINVAL, csm_table_append(table, scale));
    assert_status(CSM_EINVAL, csm_table_append(table, time));
    assert_text("column time");
    assert_int_equal(csm_table_rows(table), 1);
    assert_true(csm_table_ticks(table, 2)[0] == 1 && csm_table_scale(table, 2) == 18);
    csm_table_free(table);
    table = new_table("value");
    const csm_decimal most[3] = {dec(0, 0), dec(0, 0), dec(INT64_MAX, 0)};
    const csm_decimal tenth[3] = {dec(1, 0), dec(1, 0), dec(1, 1)};
    assert_ok(csm_table_append(table, most));
    assert_status(CSM_EINVAL, csm_table_append(table, tenth));
    assert_true(csm_table_ticks(table, 2)[0] == INT64_MAX);
    csm_table_free(table);
}

static void test_columns_are_found_by_name(void **state) {
    (void)state;
    csm_table *table = new_table("bars");
    assert_string_equal(csm_table_kind(table), "bars");
    assert_int_equal(csm_table_columns(table), 10);
    for (size_t c = 0; c < csm_table_columns(table); c++)
        assert_int_equal(csm_table_column_find(table, csm_table_column_name(table, c)), c);
    assert_null(csm_table_column_name(table, 10));
    assert_null(csm_table_ticks(table, 10));
    assert_int_equal(csm_table_column_find(table, "bid"), -1);
    assert_int_equal(csm_table_column_find(table, NULL), -1);
    double out;
    assert_status(CSM_EINVAL, csm_table_doubles(table, 10, &out));
    csm_table_free(table);
    assert_status(CSM_EINVAL, csm_table_new(&table, "candles"));
    assert_null(table);
    csm_table_free(NULL);
}

static void test_every_kind_begins_with_time_and_available(void **state) {
    (void)state;
    size_t kinds = 0;
    for (const csm_kind *k; (k = csm_kind_at(kinds)) != NULL; kinds++) {
        assert_in_range(k->columns, 3, CSM_COLUMNS_MAX);
        assert_string_equal(k->column[0].name, "time");
        assert_string_equal(k->column[1].name, "available");
        assert_ptr_equal(csm_kind_find(k->name), k);
        if (kinds) assert_true(strcmp(csm_kind_at(kinds - 1)->name, k->name) < 0);
    }
    assert_int_equal(kinds, 5);
}

typedef struct wrong_bar {
    size_t column;
    csm_decimal value;
    const char *text;
} wrong_bar;

static void test_bars_that_cannot_be_are_refused(void **state) {
    (void)state;
    const wrong_bar wrong[] = {
        {CSM_COLUMN_OPEN, dec(-1, 2), "open -0.01 is not above 0"},
        {CSM_COLUMN_CLOSE, dec(0, 0), "close 0 is not above 0"},
        {CSM_COLUMN_HIGH, dec(3499999, 2), "high"},
        {CSM_COLUMN_LOW, dec(3500001, 2), "low"},
        {CSM_COLUMN_VOLUME, dec(-1, 8), "volume"},
        {CSM_COLUMN_CLOSE, missing(), "close missing must be given"},
        {CSM_COLUMN_VOLUME, missing(), "volume missing must be given"},
        {8, dec(15, 1), "trades 1.5 is not a count"},
        {CSM_COLUMN_STATE, dec(4, 0), "state 4 is not a bar state"},
        {CSM_COLUMN_STATE, missing(), "state missing"},
        {CSM_COLUMN_STATE, dec(CSM_BAR_NO_TRADE, 0), "in a bar without trades"},
        {CSM_COLUMN_AVAILABLE, dec(START + HOUR - 1, 0), "before the bar's close"},
        {CSM_COLUMN_AVAILABLE, dec(START - 1, 0), "before its event time"},
        {CSM_COLUMN_TIME, missing(), "time missing"},
    };
    csm_decimal cells[10];
    take_good_bar(cells);
    assert_ok(check_bar_row(cells));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        take_good_bar(cells);
        cells[wrong[i].column] = wrong[i].value;
        if (check_bar_row(cells) != CSM_EINVAL) fail_msg("accepted: %s", wrong[i].text);
        assert_text(wrong[i].text);
        assert_text("row 0");
    }
}

static void test_bars_without_trades_have_no_prices(void **state) {
    (void)state;
    csm_decimal cells[10];
    take_good_bar(cells);
    for (size_t c = CSM_COLUMN_OPEN; c <= CSM_COLUMN_CLOSE; c++) cells[c] = missing();
    cells[8] = missing();
    for (int64_t state_of = CSM_BAR_NO_TRADE; state_of <= CSM_BAR_PENDING; state_of++) {
        cells[CSM_COLUMN_STATE] = dec(state_of, 0);
        cells[CSM_COLUMN_VOLUME] = missing();
        assert_ok(check_bar_row(cells));
        cells[CSM_COLUMN_VOLUME] = dec(0, 0);
        if (state_of == CSM_BAR_NO_TRADE)
            assert_ok(check_bar_row(cells));
        else
            assert_status(CSM_EINVAL, check_bar_row(cells));
    }
}

static void test_high_and_low_compare_exactly_whatever_the_decimals(void **state) {
    (void)state;
    csm_decimal cells[10];
    take_good_bar(cells);
    cells[CSM_COLUMN_HIGH] = dec(35000, 0);
    assert_ok(check_bar_row(cells));
    cells[CSM_COLUMN_HIGH] = dec(34999999999999999, 12);
    assert_status(CSM_EINVAL, check_bar_row(cells));
    cells[CSM_COLUMN_HIGH] = dec(35000000000000000, 12);
    assert_ok(check_bar_row(cells));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_column_grows_decimals_as_rows_need_them),
        cmocka_unit_test(test_a_value_that_leaves_64_bits_is_refused_with_its_column),
        cmocka_unit_test(test_columns_are_found_by_name),
        cmocka_unit_test(test_every_kind_begins_with_time_and_available),
        cmocka_unit_test(test_bars_that_cannot_be_are_refused),
        cmocka_unit_test(test_bars_without_trades_have_no_prices),
        cmocka_unit_test(test_high_and_low_compare_exactly_whatever_the_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
