/* SPDX-License-Identifier: MIT */
/* What frames are made with, against its definition, on every instruction set this machine has. */
#include "fuse/series.h"

#include "fuse/across.h"
#include "fuse/copies.h"

#define ROWS 70
#define COLUMNS 140

static float value_of(size_t row, size_t column) {
    return (float)(row * 1000 + column) + 0.5f;
}

static void check_rows(csm_isa isa, size_t rows, size_t columns, size_t offset, const bool *dropped) {
    const size_t stride = csm_strip_stride(ROWS);
    float *strip = calloc(COLUMNS * stride, sizeof *strip);
    float *out = calloc(ROWS * COLUMNS + offset + 1, sizeof *out);
    for (size_t c = 0; c < columns; c++)
        for (size_t r = 0; r < rows; r++) strip[c * stride + r] = value_of(r, c);
    out[offset + rows * columns] = -1;
    csm_write_rows_of(isa)(out + offset, strip, stride, rows, columns, dropped);
    size_t kept = 0;
    for (size_t r = 0; r < rows; r++) {
        if (dropped && dropped[r]) continue;
        for (size_t c = 0; c < columns; c++) assert_true(out[offset + kept * columns + c] == value_of(r, c));
        kept++;
    }
    for (size_t i = 0; i < offset; i++) assert_true(out[i] == 0);
    assert_true(out[offset + rows * columns] == -1);
    if (kept < rows) assert_true(out[offset + kept * columns] == 0);
    free(strip);
    free(out);
}

static void rows_are_the_columns_turned_less_those_dropped(void **state) {
    (void)state;
    bool dropped[ROWS];
    for (size_t r = 0; r < ROWS; r++) dropped[r] = csm_random_u64(5, 1, r) % 3 == 0;
    const size_t widths[] = {1, 5, 15, 16, 17, 32, 118, 128, 129, 140};
    for (int isa = 0; isa <= (int)csm_backend_isa(); isa++)
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; w++)
            for (size_t rows = 1; rows <= ROWS; rows += rows < 18 ? 1 : 13)
                for (size_t offset = 0; offset < 20; offset += 7) {
                    check_rows((csm_isa)isa, rows, widths[w], offset, NULL);
                    check_rows((csm_isa)isa, rows, widths[w], offset, dropped);
                }
}

/* ---- comparisons ------------------------------------------------------------------------------------------------------ */

#define TRACKS 9
#define WIDTH 100

static void fill_values(float *values) {
    for (size_t t = 0; t < TRACKS; t++)
        for (size_t d = 0; d < WIDTH; d++) {
            const uint64_t draw = csm_random_u64(6, t, d) % 8;
            const bool absent = draw == 7 || d == 50 || (d == 51 && t != 4);
            values[t * WIDTH + d] = absent ? NAN : (float)draw - 3;
        }
}

static void coins_are_compared_with_those_present(void **state) {
    (void)state;
    float values[TRACKS * WIDTH], ranks[TRACKS * WIDTH], copy[TRACKS * CSM_ACROSS_CHUNK];
    double mean[WIDTH], deviation[WIDTH];
    fill_values(values);
    for (int isa = 0; isa <= (int)csm_backend_isa(); isa++) {
        const csm_comparison compare = csm_comparison_of((csm_isa)isa);
        memcpy(ranks, values, sizeof ranks);
        compare.ranks(ranks, WIDTH, TRACKS, WIDTH, copy);
        compare.moments(mean, false, values, WIDTH, TRACKS, WIDTH);
        compare.moments(deviation, true, values, WIDTH, TRACKS, WIDTH);
        for (size_t d = 0; d < WIDTH; d++) {
            double sum = 0, squares = 0, n = 0;
            for (size_t t = 0; t < TRACKS; t++) {
                const double v = values[t * WIDTH + d];
                if (isnan(v)) continue;
                sum += v;
                squares += v * v;
                n++;
            }
            assert_true(n == 0 ? isnan(mean[d]) != 0 : mean[d] == sum / n);
            if (n > 0) assert_true(fabs(deviation[d] - sqrt(squares / n - sum / n * (sum / n))) < 1e-12);
            for (size_t t = 0; t < TRACKS; t++) {
                const float own = values[t * WIDTH + d];
                double below = 0, equal = 0;
                for (size_t j = 0; j < TRACKS; j++) {
                    below += values[j * WIDTH + d] < own;
                    equal += values[j * WIDTH + d] == own;
                }
                const float rank = n > 1 ? (float)((below + 0.5 * (equal - 1)) / (n - 1)) : 0.5f;
                assert_true(isnan(own) ? isnan(ranks[t * WIDTH + d]) != 0 : ranks[t * WIDTH + d] == rank);
            }
        }
    }
}

/* ---- families --------------------------------------------------------------------------------------------------------- */

/* A market with idle and missing hours, and one without, beside BTC that begins later. */
static void families_have_the_same_bits_on_every_instruction_set(void **state) {
    (void)state;
    series s[3] = {series_new(300, 0), series_new(300, 1), series_new(300, 2)};
    series_idle(&s[0], 40, CSM_BAR_NO_TRADE);
    series_idle(&s[0], 41, CSM_BAR_GAP);
    csm_track_source sources[3] = {series_source(&s[0], "ETH"), series_source(&s[1], "SOL"),
                                   series_source(&s[2], "BTC")};
    sources[2].bars.length = sources[2].bars.length - 20;
    sources[2].bars.time += 20;
    sources[2].available += 20;
    csm_fuse_options options;
    csm_panel *panel = NULL;
    csm_subject subject;
    assert_int_equal(csm_fuse_options_check(&options, NULL), CSM_OK);
    assert_int_equal(csm_panel_from_arrays(&panel, 1, sources, 3, NULL, &options), CSM_OK);
    assert_int_equal(csm_subject_open(&subject, panel), CSM_OK);
    double *kept = calloc(CSM_FAMILY_COLUMNS * 400, sizeof *kept);
    for (size_t t = 0; t < 3; t++)
        for (int family = 0; family < CSM_FAMILY_COUNT_; family++)
            for (int isa = 0; isa <= (int)csm_backend_isa(); isa++) {
                subject.track = &panel->tracks[t];
                const csm_columns c =
                    csm_family_columns_of((csm_isa)isa)(&subject, (csm_family)family, CSM_ALL_COLUMNS);
                assert_in_range(c.n, 200, 400);
                for (size_t i = 0; i < c.count; i++) {
                    if (isa == 0) memcpy(kept + i * 400, c.x[i], c.n * sizeof *kept);
                    assert_memory_equal(kept + i * 400, c.x[i], c.n * sizeof *kept);
                }
            }
    free(kept);
    csm_subject_close(&subject);
    csm_panel_free(panel);
    for (size_t i = 0; i < 3; i++) series_free(&s[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_columns_turned_less_those_dropped),
        cmocka_unit_test(coins_are_compared_with_those_present),
        cmocka_unit_test(families_have_the_same_bits_on_every_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
