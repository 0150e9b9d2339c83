/* SPDX-License-Identifier: MIT */
/* Every feature of spine-1 but sentiment on 1100 recorded hours of BTC and ETH (Kraken) against pandas, which computes them
 * from the texts of formulas.def (golden/features_pandas.py). */
#include "fuse/series.h"

#include "core/platform.h"

#include <stdio.h>

#define FOLDER CSM_SOURCE_DIR "/tests/fuse/golden/"
#define HOURS 1100

static csm_buffer read_text(const char *name) {
    csm_buffer text = {0};
    char path[1024];
    snprintf(path, sizeof path, FOLDER "%s", name);
    if (csm_file_read(&text, path, 1 << 24)) fail_msg("%s", csm_error_message());
    return text;
}

static void read_hours(series coins[2]) {
    csm_buffer text = read_text("kraken_hours.csv");
    char *line = strchr(text.data, '\n') + 1;
    for (int c = 0; c < 2; c++) coins[c] = series_new(HOURS, 0);
    for (size_t i = 0; i < HOURS; i++) {
        char *at = line;
        const csm_time time = strtoll(at, &at, 10) * CSM_SECOND;
        for (int c = 0; c < 2; c++) {
            coins[c].time[i] = time;
            coins[c].available[i] = time + CSM_HOUR;
            for (int k = 0; k < 5; k++) {
                assert_int_equal(*at, ',');
                coins[c].column[k][i] = strtod(at + 1, &at);
            }
        }
        line = strchr(at, '\n') + 1;
    }
    csm_buffer_free(&text);
}

/* Row of (market, hour). */
static size_t row_of(const csm_frame *frame, uint32_t market, csm_time decision) {
    for (size_t r = frame->row_offset[market]; r < frame->row_offset[market + 1]; r++)
        if (frame->times[r] == decision) return r;
    fail_msg("no row of market %u", market);
    return 0;
}

/* The header names the recipe's features in order; returns where the values begin. */
static char *check_header(char *text, const csm_recipe *recipe) {
    char *end = strchr(text, '\n');
    *end = '\0';
    char *name = strchr(strchr(text, ',') + 1, ',') + 1;
    for (size_t f = 0; f < recipe->count; f++) {
        const size_t length = strcspn(name, ",");
        assert_int_equal(length, strlen(recipe->features[f].name));
        assert_memory_equal(name, recipe->features[f].name, length);
        name += length + 1;
    }
    assert_int_equal(name - 1 - end, 0);
    return end + 1;
}

static void features_agree_with_pandas(void **state) {
    (void)state;
    series coins[2];
    csm_recipe *whole = NULL, *recipe = NULL;
    read_hours(coins);
    assert_int_equal(csm_fuse_recipe(&whole, "spine-1"), CSM_OK);
    assert_int_equal(csm_fuse_recipe_without(&recipe, whole, "sentiment"), CSM_OK);
    const csm_track_source sources[2] = {series_source(&coins[0], "BTC"), series_source(&coins[1], "ETH")};
    csm_frame *frame = frame_of(sources, 2, NULL, recipe, NULL, 2);
    csm_buffer text = read_text("spine_1.csv");
    size_t compared = 0;
    for (char *at = check_header(text.data, recipe); *at; at++) {
        const csm_time hour = strtoll(at, &at, 10);
        const uint32_t market = strncmp(at, ",BTC,", 5) == 0 ? 0 : 1;
        const size_t r = row_of(frame, market, coins[0].time[0] + (hour + 1) * CSM_HOUR);
        at += 4;
        for (size_t f = 0; f < recipe->count; f++) {
            assert_int_equal(*at, ',');
            const double expected = strtod(at + 1, &at);
            const double value = frame->matrix[r * recipe->count + f];
            if (!(fabs(value - expected) <= 2e-6 + 2e-5 * fabs(expected)))
                fail_msg("%s of market %u at hour %lld: %.9g, pandas %.9g", recipe->features[f].name, market,
                         (long long)hour, value, expected);
            compared++;
        }
    }
    assert_int_equal(compared, 10 * 2 * recipe->count);
    csm_buffer_free(&text);
    csm_frame_free(frame);
    csm_recipe_free(recipe);
    csm_recipe_free(whole);
    for (int c = 0; c < 2; c++) series_free(&coins[c]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(features_agree_with_pandas)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
