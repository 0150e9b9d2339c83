/* SPDX-License-Identifier: MIT */
/* Which decisions have a row, and why the others have none. */
#include "fuse/series.h"

#include <stdio.h>

#define HOURS 1000

static csm_time decision(size_t hour) {
    return SERIES_START + (csm_time)(hour + 1) * CSM_HOUR;
}

static csm_reason reasons_at(const csm_frame *frame, uint32_t market, size_t hour) {
    csm_reason reasons = 0;
    if (csm_frame_reasons(&reasons, frame, market, decision(hour))) fail_msg("%s", csm_error_message());
    return reasons;
}

#define assert_reason(frame, hour, name) assert_true(reasons_at(frame, 0, hour) == CSM_REASON_MASK(name))
#define assert_row(frame, hour) assert_true(reasons_at(frame, 0, hour) == 0)

static const char *short_windows[] = {"return_24", NULL};

static csm_frame *simple_frame(const series *s, const char *const *names, const csm_fuse_options *options) {
    csm_recipe *recipe = recipe_of(names);
    const csm_track_source source = series_source(s, "ETH");
    csm_frame *frame = frame_of(&source, 1, NULL, recipe, options, 1);
    csm_recipe_free(recipe);
    return frame;
}

static void drop(series *s, size_t at, size_t count) {
    memmove(s->time + at, s->time + at + count, (s->length - at - count) * sizeof *s->time);
    memmove(s->available + at, s->available + at + count, (s->length - at - count) * sizeof *s->available);
    memmove(s->state + at, s->state + at + count, s->length - at - count);
    for (int c = 0; c < 5; c++)
        memmove(s->column[c] + at, s->column[c] + at + count, (s->length - at - count) * sizeof(double));
    s->length -= count;
}

static void a_row_needs_as_many_bars_as_its_memory(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    csm_frame *frame = simple_frame(&s, short_windows, NULL);
    assert_reason(frame, 23, HISTORY_SHORT);
    assert_row(frame, 24);
    assert_int_equal(frame->rows, HOURS - 24);
    assert_int_equal(csm_frame_excluded_at(frame, 0)->feature, 0);
    assert_null(csm_frame_excluded_at(frame, frame->excluded_count));
    csm_frame_free(frame);
    series_free(&s);
}

static void one_missing_bar_empties_windows_under_a_hundred(void **state) {
    (void)state;
    series s = series_new(HOURS, 0), holed = series_new(HOURS, 0);
    drop(&holed, 500, 1);
    csm_frame *frame = simple_frame(&holed, short_windows, NULL);
    assert_row(frame, 499);
    assert_true(reasons_at(frame, 0, 500) != 0);
    for (size_t hour = 501; hour < 525; hour++) assert_reason(frame, hour, GAPS);
    assert_row(frame, 525);
    csm_frame_free(frame);
    const char *longer[] = {"return_168", NULL};
    frame = simple_frame(&holed, longer, NULL);
    for (size_t hour = 501; hour < 700; hour++) assert_row(frame, hour); /* 1 of 170 */
    csm_frame_free(frame);
    /* a state of GAP says the same as an absent bar */
    series_idle(&s, 500, CSM_BAR_GAP);
    csm_frame *a = simple_frame(&holed, short_windows, NULL), *b = simple_frame(&s, short_windows, NULL);
    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->matrix, b->matrix, a->rows * sizeof(float));
    csm_frame_free(a);
    csm_frame_free(b);
    series_free(&holed);
    series_free(&s);
}

/* One feature whose window is `memory` elements: log returns over traded bars, shares of known bars, or strength by slots. */
static csm_recipe *recipe_with_memory(const char *formula, size_t memory) {
    csm_recipe *recipe = NULL;
    csm_feature feature = {.name = (char *)"probe", .formula = csm_formula_find(formula)};
    feature.parameter[0] = (double)memory;
    if (feature.formula->memory(&feature) > memory) feature.parameter[0]--;
    assert_int_equal(feature.formula->memory(&feature), memory);
    assert_int_equal(csm_recipe_new(&recipe, "test", 1), CSM_OK);
    assert_int_equal(csm_recipe_add(recipe, &feature), CSM_OK);
    assert_int_equal(csm_recipe_seal(recipe), CSM_OK);
    return recipe;
}

/* Decisions from hour 500 on that GAPS takes when the bars of `missing` hours, the first at 500, were not received. */
static size_t rows_lost(const char *formula, size_t memory, size_t missing, size_t apart, double share) {
    series s = series_new(HOURS, 0), other = series_new(HOURS, 1);
    for (size_t i = missing; i > 0; i--) drop(&s, 500 + (i - 1) * apart, 1);
    csm_recipe *recipe = recipe_with_memory(formula, memory);
    const csm_track_source sources[2] = {series_source(&s, "ETH"), series_source(&other, "BTC")};
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    options.gap_share = share;
    csm_frame *frame = frame_of(sources, 2, NULL, recipe, &options, 1);
    size_t lost = 0;
    for (size_t hour = 500; hour < HOURS; hour++) {
        const csm_reason reasons = reasons_at(frame, 0, hour);
        assert_true(reasons == 0 || reasons == CSM_REASON_MASK(GAPS));
        lost += reasons != 0;
    }
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    series_free(&other);
    series_free(&s);
    return lost;
}

/* The rule is a window's own: missing slots / slots it spans > 1 %. A window of m bars that exist spans m + 1 slots around
 * one that is missing, a window of m slots spans m. */
static void one_missing_hour_in_a_hundred_costs_nothing_and_in_ninety_nine_costs_the_window(void **state) {
    (void)state;
    const char *over_bars[] = {"log_return", "volume_to_mean"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rows_lost(over_bars[i], 99, 1, 1, 0.01), 0);  /* 1 of 100 */
        assert_int_equal(rows_lost(over_bars[i], 98, 1, 1, 0.01), 98); /* 1 of 99, until it has left */
        assert_int_equal(rows_lost(over_bars[i], 24, 1, 1, 0.01), 24);
        assert_int_equal(rows_lost(over_bars[i], 198, 2, 1, 0.01), 0); /* 2 of 200 */
        assert_int_equal(rows_lost(over_bars[i], 197, 2, 1, 0.01), 197);
    }
    assert_int_equal(rows_lost("relative_strength", 100, 1, 1, 0.01), 0);
    assert_int_equal(rows_lost("relative_strength", 99, 1, 1, 0.01), 99);
    assert_int_equal(rows_lost("relative_strength", 200, 2, 1, 0.01), 0);
}

/* 0.29 x 100 is less than 29 in doubles. */
static void the_share_is_compared_without_rounding(void **state) {
    (void)state;
    assert_int_equal(rows_lost("relative_strength", 100, 29, 2, 0.29), 0);
    assert_true(rows_lost("relative_strength", 100, 29, 2, 0.28) > 0);
}

static void a_gap_over_twelve_hours_empties_every_window_that_holds_it(void **state) {
    (void)state;
    const char *longer[] = {"return_720", NULL};
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    options.gap_share = 0.5;
    options.stale_after = CSM_DAY;
    for (size_t hours = 12; hours <= 13; hours++) {
        series s = series_new(HOURS, 0);
        drop(&s, 200, hours);
        csm_frame *frame = simple_frame(&s, longer, &options);
        if (hours == 12)
            assert_row(frame, 920 - 1);
        else
            assert_reason(frame, 920 - 1, GAPS);
        assert_row(frame, 933); /* the window begins after the gap */
        csm_frame_free(frame);
        series_free(&s);
    }
}

static void prices_run_over_bars_that_exist_and_volume_counts_idle_ones(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    series_idle(&s, 600, CSM_BAR_NO_TRADE);
    series_idle(&s, 601, CSM_BAR_NO_TRADE);
    const char *names[] = {"return_2", "volume_to_mean_24", "idle_share_168", "relative_strength_24", NULL};
    series other = series_new(HOURS, 1); /* the factor needs somebody who trades */
    const csm_track_source sources[2] = {series_source(&s, "ETH"), series_source(&other, "BTC")};
    csm_recipe *recipe = recipe_of(names);
    csm_frame *frame = frame_of(sources, 2, NULL, recipe, NULL, 1);
    assert_row(frame, 601);
    assert_row(frame, 602);
    const float *row = frame->matrix + (size_t)(602 - 168 + 1) * 4;
    assert_true(frame->times[602 - 168 + 1] == decision(602));
    const double *close = s.column[3], *volume = s.column[4];
    double sum = 0;
    for (size_t i = 602 - 23; i <= 602; i++) sum += volume[i];
    assert_true(fabs(row[0] - (log(close[602]) - log(close[598]))) < 1e-7);
    assert_true(fabs(row[1] - log1p(volume[602] / (sum / 24))) < 1e-6);
    assert_true(fabs(row[2] - 2.0 / 168) < 1e-7);
    /* a decision after an idle bar sees the last trade, one hour old */
    assert_true(fabs(row[-4] - (log(close[599]) - log(close[597]))) < 1e-7);
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    series_free(&other);
    series_free(&s);
}

static void a_last_trade_older_than_six_hours_is_stale(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    for (size_t i = 500; i < 520; i++) series_idle(&s, i, CSM_BAR_NO_TRADE);
    csm_frame *frame = simple_frame(&s, short_windows, NULL);
    assert_row(frame, 505);
    assert_reason(frame, 506, STALE);
    assert_reason(frame, 519, STALE);
    assert_row(frame, 520);
    csm_frame_free(frame);
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    options.to = decision(HOURS + 20);
    frame = simple_frame(&s, short_windows, &options); /* what follows the data is neither fresh nor known */
    assert_true((reasons_at(frame, 0, HOURS + 6) & CSM_REASON_MASK(STALE)) != 0);
    assert_reason(frame, HOURS + 15, STALE);
    csm_frame_free(frame);
    series_free(&s);
}

static void before_the_first_bar_there_is_no_data_and_after_delisting_no_market(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    csm_recipe *recipe = recipe_of(short_windows);
    csm_track_source sources[2] = {series_source(&s, "ETH"), {.coin = "NEW", .delisted = CSM_TIME_MAX}};
    sources[0].delisted = decision(700);
    sources[1].bars.interval = CSM_HOUR;
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    options.from = SERIES_START - 5 * CSM_HOUR + 1; /* between two decisions */
    options.to = decision(800);
    csm_frame *frame = frame_of(sources, 2, NULL, recipe, &options, 2);
    assert_int_equal(frame->rows + frame->excluded_count, 2 * (800 + 5));
    csm_reason reasons;
    assert_int_equal(csm_frame_reasons(&reasons, frame, 0, SERIES_START - 4 * CSM_HOUR), CSM_OK);
    assert_true(reasons == CSM_REASON_MASK(NO_DATA));
    assert_row(frame, 699);
    assert_true(reasons_at(frame, 0, 700) & CSM_REASON_MASK(DELISTED));
    assert_true(reasons_at(frame, 1, 300) == CSM_REASON_MASK(NO_DATA));
    assert_int_equal(csm_frame_reasons(&reasons, frame, 0, decision(800)), CSM_ENOTFOUND);
    assert_int_equal(csm_frame_reasons(&reasons, frame, 0, decision(300) + 1), CSM_ENOTFOUND);
    assert_int_equal(csm_frame_reasons(&reasons, frame, 2, decision(300)), CSM_EINVAL);
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    series_free(&s);
}

static void nothing_is_asked_after_as_of(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    options.as_of = decision(400) + CSM_MINUTE;
    csm_frame *frame = simple_frame(&s, short_windows, &options);
    assert_true(frame->times[frame->rows - 1] == decision(400));
    csm_frame_free(frame);
    series_free(&s);
}

static void a_bar_that_is_not_final_gives_no_row(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    series_idle(&s, HOURS - 1, CSM_BAR_PENDING);
    csm_frame *frame = simple_frame(&s, short_windows, NULL);
    assert_row(frame, HOURS - 2);
    assert_true(reasons_at(frame, 0, HOURS - 1) & CSM_REASON_MASK(PENDING));
    csm_frame_free(frame);
    series_free(&s);
}

static void a_revised_bar_holds_rows_back_until_it_was_known(void **state) {
    (void)state;
    series s = series_new(HOURS, 0), t = series_new(HOURS, 1);
    s.available[500] += 3 * CSM_HOUR;
    const char *names[] = {"return_24", "factor_return_24", NULL};
    const csm_track_source sources[2] = {series_source(&s, "ETH"), series_source(&t, "ADA")};
    csm_recipe *recipe = recipe_of(names), *alone = recipe_of(short_windows);
    csm_frame *frame = frame_of(sources, 2, NULL, recipe, NULL, 1);
    for (uint32_t m = 0; m < 2; m++) { /* the factor holds the other market's bar too */
        assert_true(reasons_at(frame, m, 499) == 0);
        for (size_t hour = 500; hour < 503; hour++)
            assert_true(reasons_at(frame, m, hour) == CSM_REASON_MASK(PENDING));
        assert_true(reasons_at(frame, m, 503) == 0);
    }
    csm_frame_free(frame);
    frame = frame_of(sources, 2, NULL, alone, NULL, 1);
    assert_true(reasons_at(frame, 0, 500) == CSM_REASON_MASK(PENDING));
    assert_true(reasons_at(frame, 1, 500) == 0);
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    csm_recipe_free(alone);
    series_free(&s);
    series_free(&t);
}

static void bitcoin_absent_is_a_missing_source(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    const char *names[] = {"bitcoin_return_24", NULL};
    csm_frame *frame = simple_frame(&s, names, NULL);
    assert_int_equal(frame->rows, 0);
    assert_reason(frame, 500, SOURCE_MISSING);
    csm_frame_free(frame);
    series_free(&s);
}

static void a_new_epoch_begins_its_history_anew(void **state) {
    (void)state;
    series old = series_new(500, 0), new = series_new(400, 1);
    for (size_t i = 0; i < new.length; i++) {
        new.time[i] += 500 * CSM_HOUR;
        new.available[i] += 500 * CSM_HOUR;
    }
    csm_track_source sources[2] = {series_source(&old, "LUNA"), series_source(&new, "LUNA")};
    sources[0].delisted = decision(499);
    csm_recipe *recipe = recipe_of(short_windows);
    csm_frame *frame = frame_of(sources, 2, NULL, recipe, NULL, 1);
    for (size_t hour = 500; hour < 524; hour++)
        assert_true(reasons_at(frame, 1, hour) == CSM_REASON_MASK(HISTORY_SHORT));
    assert_true(reasons_at(frame, 1, 524) == 0);
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    series_free(&old);
    series_free(&new);
}

static void rows_do_not_depend_on_where_the_frame_begins(void **state) {
    (void)state;
    series s = series_new(HOURS, 0);
    csm_recipe *whole = NULL, *recipe = NULL;
    assert_int_equal(csm_fuse_recipe(&whole, "spine-1"), CSM_OK);
    assert_int_equal(csm_fuse_recipe_without(&recipe, whole, "sentiment"), CSM_OK);
    const csm_track_source source = series_source(&s, "BTC");
    csm_fuse_options options;
    csm_fuse_options_init(&options);
    options.from = decision(950);
    options.to = decision(951);
    csm_frame *all = frame_of(&source, 1, NULL, recipe, NULL, 1);
    csm_frame *one = frame_of(&source, 1, NULL, recipe, &options, 1);
    assert_int_equal(one->rows, 1);
    const size_t r = all->rows - (HOURS - 950);
    assert_true(all->times[r] == one->times[0]);
    assert_memory_equal(all->matrix + r * recipe->count, one->matrix, recipe->count * sizeof(float));
    csm_frame_free(all);
    csm_frame_free(one);
    csm_recipe_free(recipe);
    csm_recipe_free(whole);
    series_free(&s);
}

static void broken_bars_are_refused_with_their_place(void **state) {
    (void)state;
    csm_fuse_options options;
    csm_fuse_options_check(&options, NULL);
    for (int fault = 0; fault < 7; fault++) {
        series s = series_new(100, 0);
        if (fault == 0) s.time[50] = s.time[49];
        if (fault == 1) s.time[50] += CSM_MINUTE;
        if (fault == 2) s.column[1][50] = s.column[2][50] / 2;
        if (fault == 3) s.column[2][50] = -1;
        if (fault == 4) s.column[3][50] = (double)NAN;
        if (fault == 5) s.column[4][50] = -1;
        if (fault == 6) s.state[50] = 9;
        const csm_track_source source = series_source(&s, "ETH");
        csm_panel *panel = NULL;
        assert_int_equal(csm_panel_from_arrays(&panel, 1, &source, 1, NULL, &options), CSM_ECORRUPT);
        assert_non_null(strstr(csm_error_message(), "ETH"));
        assert_non_null(strstr(csm_error_message(), "50"));
        assert_null(panel);
        series_free(&s);
    }
}

static void options_out_of_range_are_named(void **state) {
    (void)state;
    csm_fuse_options good, out;
    csm_fuse_options_init(&good);
    assert_int_equal(csm_fuse_options_check(&out, NULL), CSM_OK);
    assert_true(out.interval == CSM_HOUR && out.stale_after == 6 * CSM_HOUR);
    csm_fuse_options older = good;
    older.size = offsetof(csm_fuse_options, stale_after);
    older.stale_after = -5; /* beyond the older struct's end */
    assert_int_equal(csm_fuse_options_check(&out, &older), CSM_OK);
    assert_true(out.stale_after == 6 * CSM_HOUR);
    csm_fuse_options bad[5] = {good, good, good, good, good};
    const char *names[5] = {"interval", "stale_after", "gap_limit", "gap_share", "from"};
    bad[0].interval = 0;
    bad[1].stale_after = -1;
    bad[2].gap_limit = CSM_TIME_MAX;
    bad[3].gap_share = (double)NAN;
    bad[4].from = 1;
    bad[4].to = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(csm_fuse_options_check(&out, &bad[i]), CSM_EINVAL);
        assert_non_null(strstr(csm_error_message(), names[i]));
    }
}

static void no_data_at_all_is_an_empty_frame(void **state) {
    (void)state;
    csm_recipe *recipe = recipe_of(short_windows);
    csm_frame *frame = frame_of(NULL, 0, NULL, recipe, NULL, 3);
    assert_int_equal(csm_frame_rows(frame), 0);
    assert_int_equal(csm_frame_excluded_count(frame), 0);
    csm_frame_free(frame);
    const csm_track_source none = {.coin = "ETH", .delisted = CSM_TIME_MAX};
    frame = frame_of(&none, 1, NULL, recipe, NULL, 3);
    assert_int_equal(csm_frame_rows(frame) + csm_frame_excluded_count(frame), 0);
    csm_frame_free(frame);
    csm_frame_free(NULL);
    csm_recipe_free(recipe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_needs_as_many_bars_as_its_memory),
        cmocka_unit_test(one_missing_bar_empties_windows_under_a_hundred),
        cmocka_unit_test(one_missing_hour_in_a_hundred_costs_nothing_and_in_ninety_nine_costs_the_window),
        cmocka_unit_test(the_share_is_compared_without_rounding),
        cmocka_unit_test(a_gap_over_twelve_hours_empties_every_window_that_holds_it),
        cmocka_unit_test(prices_run_over_bars_that_exist_and_volume_counts_idle_ones),
        cmocka_unit_test(a_last_trade_older_than_six_hours_is_stale),
        cmocka_unit_test(before_the_first_bar_there_is_no_data_and_after_delisting_no_market),
        cmocka_unit_test(nothing_is_asked_after_as_of),
        cmocka_unit_test(a_bar_that_is_not_final_gives_no_row),
        cmocka_unit_test(a_revised_bar_holds_rows_back_until_it_was_known),
        cmocka_unit_test(bitcoin_absent_is_a_missing_source),
        cmocka_unit_test(a_new_epoch_begins_its_history_anew),
        cmocka_unit_test(rows_do_not_depend_on_where_the_frame_begins),
        cmocka_unit_test(broken_bars_are_refused_with_their_place),
        cmocka_unit_test(options_out_of_range_are_named),
        cmocka_unit_test(no_data_at_all_is_an_empty_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
